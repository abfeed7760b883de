"""Finds a text in bytes however it may be spelled there: plain, escaped, hexadecimal, in base64."""

from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator
from pathlib import Path

DEPARTMENTS_OWN = frozenset({"hrss.db", "hrss.db-wal", "hrss.db-shm"})
"""The department's own tables, which lie in the folder of a sandbox and are not the gateway's."""
SHORTEST = 6
"""Octets of a spelling that is searched for: a shorter one is found everywhere by chance."""


def searched(root: Path) -> Iterator[tuple[Path, bytes]]:
    """Read every file below a folder, but for the department's own tables."""
    for path in root.rglob("*"):
        if path.is_file() and path.name not in DEPARTMENTS_OWN:
            yield path, path.read_bytes()


def find_texts(
    texts: Iterable[str], contents: Iterable[bytes], shortest: int = SHORTEST
) -> set[str]:
    """Return the texts that stand in any of the contents, in any spelling of `shortest` octets."""
    haystacks = tuple(contents)
    return {
        text
        for text in texts
        for spelling in spellings(text)
        if len(spelling) >= shortest and any(spelling in content for content in haystacks)
    }


def spellings(text: str) -> frozenset[bytes]:
    """Return how a text may stand in a file.

    Plain, escaped by JSON, as hexadecimal, in the departments' charset, in base64.
    """
    plain = text.encode()
    escaped, hexadecimal = text.encode("unicode_escape"), plain.hex().encode()
    foreign = text.encode("gb18030", "ignore")
    return frozenset((plain, escaped, hexadecimal, foreign, *in_base64(plain)))


def in_base64(plain: bytes) -> tuple[bytes, ...]:
    """Return the characters a text always has inside a longer base64 text, at each of 3 places.

    Records carry disclosures in base64url: a record in a log line would show no value in plain.
    """
    spelled = []
    for shift in range(3):
        # Characters that also hold bits of what stands before or behind are cut off.
        first, last = -(-shift * 4 // 3), (shift + len(plain)) * 4 // 3
        text = urlsafe_b64encode(bytes(shift) + plain + bytes(3))[first:last]
        spelled += [text, text.translate(bytes.maketrans(b"-_", b"+/"))]
    return tuple(spelled)
