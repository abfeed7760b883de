"""The gRPC edge: raw bytes in, outcomes out; nothing here decides anything."""
