"""Generated from proto/hutong/accesslog/v1; regenerate with `make proto`."""
