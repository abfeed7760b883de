"""How a command ends: one table of exit codes, one error that carries one of them to `main`."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of every command (docs/cli.md)."""

    YES = 0
    """Answered, passed, or done."""
    NO = 1
    """Refused, failed, or tampered with."""
    INDETERMINATE = 2
    """Cannot tell; never to be read as no."""
    UNREADABLE = 3
    """An input cannot be read: configuration, identity, policy, log."""
    USAGE = 64
    """The command line is wrong (sysexits.h, EX_USAGE)."""


class Ended(Exception):
    """A command ends with a code, and a text for people where the code alone does not say why."""

    def __init__(self, code: ExitCode, text: str = "") -> None:
        super().__init__(text)
        self.code = code
        self.text = text
