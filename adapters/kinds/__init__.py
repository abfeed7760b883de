"""One dialect each; kinds do not know each other."""
