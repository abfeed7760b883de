"""Generated from proto/hutong/catalog/v1; regenerate with `make proto`."""
