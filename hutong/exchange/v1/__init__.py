"""Generated from proto/hutong/exchange/v1; regenerate with `make proto`."""
