"""The command line: one file or folder per noun."""

from gateway.cli.root import main

__all__ = ["main"]
