"""Generated from proto/hutong/provider/v1; regenerate with `make proto`."""
