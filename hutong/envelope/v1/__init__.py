"""Generated from proto/hutong/envelope/v1; regenerate with `make proto`."""
