"""Wire types of provider nodes."""
