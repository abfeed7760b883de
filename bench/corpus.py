"""Signed requests in a file: made shortly before they are sent, each with an id of its own.

Knows how to make and to read them; knows no server. The form is a row of messages, each behind its
length (4 bytes, big-endian), so that the bytes that were signed are the bytes that are sent.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from hutong.client import Identity, Question
from hutong.client.requests import Moment, SignedRequest

LENGTH_BYTES: Final = 4
MAX_MESSAGE: Final = 98_304

Build = Callable[[Identity, Question, Moment], SignedRequest]


def build_corpus(
    identity: Identity, questions: Sequence[Question], count: int, build: Build, now_ms: int
) -> Iterator[bytes]:
    """Yield so many signed messages, going round the questions."""
    moment = Moment(now_ms=now_ms, known_size=0)
    for question in itertools.islice(itertools.cycle(questions), count):
        yield build(identity, question, moment).message


def write_corpus(path: Path, messages: Iterable[bytes]) -> None:
    """Write messages to a file."""
    with path.open("wb") as file:
        for message in messages:
            file.write(len(message).to_bytes(LENGTH_BYTES, "big") + message)


def read_corpus(path: Path) -> list[bytes]:
    """Return the messages of a file.

    Raises:
        ValueError: a length is missing, too large, or more than what follows.
    """
    content = path.read_bytes()
    messages, place = [], 0
    while place < len(content):
        start = place + LENGTH_BYTES
        length = int.from_bytes(content[place:start], "big")
        place = start + length
        if start > len(content) or place > len(content) or not 0 < length <= MAX_MESSAGE:
            raise ValueError("the corpus is cut or damaged")
        messages.append(content[start:place])
    return messages
