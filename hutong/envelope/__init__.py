"""Wire types of the signed wrapper."""
