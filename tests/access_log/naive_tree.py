"""The oracle: RFC 6962 section 2.1 written down as it stands there, over whole lists of leaves.

Imports nothing of the log, so that a fault of the writer cannot repeat itself here.
"""

import base64
import hashlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path


def leaf(entry: bytes) -> bytes:
    """MTH({d(0)}) = SHA-256(0x00 || d(0))."""
    return hashlib.sha256(b"\x00" + entry).digest()


def _largest_power_below(count: int) -> int:
    power = 1
    while power * 2 < count:
        power *= 2
    return power


def mth(leaves: Sequence[bytes]) -> bytes:
    """Merkle Tree Hash of a list of leaf hashes (2.1)."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    middle = _largest_power_below(len(leaves))
    return hashlib.sha256(b"\x01" + mth(leaves[:middle]) + mth(leaves[middle:])).digest()


def path(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PATH(m, D[n]) (2.1.1)."""
    if len(leaves) == 1:
        return []
    middle = _largest_power_below(len(leaves))
    if index < middle:
        return [*path(index, leaves[:middle]), mth(leaves[middle:])]
    return [*path(index - middle, leaves[middle:]), mth(leaves[:middle])]


def consistency(first: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PROOF(m, D[n]) (2.1.2)."""
    return _subproof(first, leaves, whole=True)


def _subproof(first: int, leaves: Sequence[bytes], *, whole: bool) -> list[bytes]:
    if first == len(leaves):
        return [] if whole else [mth(leaves)]
    middle = _largest_power_below(len(leaves))
    if first <= middle:
        return [*_subproof(first, leaves[:middle], whole=whole), mth(leaves[middle:])]
    return [*_subproof(first - middle, leaves[middle:], whole=False), mth(leaves[:middle])]


def root_from_path(index: int, size: int, hashed: bytes, proof: Sequence[bytes]) -> bytes:
    """The root that an inclusion proof leads to (RFC 9162 2.1.3.2)."""
    position, last, root = index, size - 1, hashed
    for sibling in proof:
        if position & 1 or position == last:
            root = hashlib.sha256(b"\x01" + sibling + root).digest()
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            root = hashlib.sha256(b"\x01" + root + sibling).digest()
        position >>= 1
        last >>= 1
    return root


def stored_entries(file: Path) -> list[bytes]:
    """Every entry of a log file, which must be numbered without a gap."""
    connection = sqlite3.connect(file)
    rows: list[tuple[int, bytes]] = connection.execute(
        "SELECT idx, entry FROM entries ORDER BY idx"
    ).fetchall()
    connection.close()
    assert [index for index, _ in rows] == list(range(len(rows)))
    return [entry for _, entry in rows]


def stored_head(file: Path) -> tuple[int, bytes]:
    """Size and root that the newest stored checkpoint states."""
    connection = sqlite3.connect(file)
    (note,) = connection.execute("SELECT checkpoint FROM head").fetchone()
    connection.close()
    return stated_head(note)


def stated_head(note: bytes) -> tuple[int, bytes]:
    """Size and root that a checkpoint states."""
    lines = note.decode().split("\n")
    return int(lines[1]), base64.b64decode(lines[2])
