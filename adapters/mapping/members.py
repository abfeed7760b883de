"""Reading one member of a record, so that a fault says which member it is in."""

from collections.abc import Callable
from typing import TypeVar

from adapters.errors import AnswerMalformed

Read = TypeVar("Read")


def read_member(name: str, read: Callable[[str], Read], text: str) -> Read:
    """Return what a member reads as; `name` is the manual's.

    Raises:
        AnswerMalformed: As `read` says, naming the member.
    """
    try:
        return read(text)
    except AnswerMalformed as failed:
        # from None: the chain would say the same twice.
        raise AnswerMalformed(f"member {name}: {failed.what}", failed.cause) from None
