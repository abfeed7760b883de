"""Runs the command line as `python -m gateway.cli`, for processes that start another of it."""

from gateway.cli.root import main

if __name__ == "__main__":
    main()
