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


class NaiveTree:
    """The functions of 2.1 over one list of leaf hashes; `low` and `high` stand for D[low:high]."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self._leaves = leaves
        self._known: dict[tuple[int, int], bytes] = {}

    def mth(self, low: int, high: int) -> bytes:
        """Merkle Tree Hash."""
        if (low, high) not in self._known:
            self._known[low, high] = self._mth(low, high)
        return self._known[low, high]

    def _mth(self, low: int, high: int) -> bytes:
        if high == low:
            return hashlib.sha256(b"").digest()
        if high == low + 1:
            return self._leaves[low]
        middle = low + _largest_power_below(high - low)
        return hashlib.sha256(b"\x01" + self.mth(low, middle) + self.mth(middle, high)).digest()

    def path(self, index: int, low: int, high: int) -> list[bytes]:
        """PATH(m, D[n]) (2.1.1)."""
        if high == low + 1:
            return []
        middle = low + _largest_power_below(high - low)
        if index < middle:
            return [*self.path(index, low, middle), self.mth(middle, high)]
        return [*self.path(index, middle, high), self.mth(low, middle)]

    def proof(self, first: int, low: int, high: int, *, whole: bool = True) -> list[bytes]:
        """PROOF(m, D[n]), or SUBPROOF with its flag (2.1.2)."""
        if first == high:
            return [] if whole else [self.mth(low, high)]
        middle = low + _largest_power_below(high - low)
        if first <= middle:
            return [*self.proof(first, low, middle, whole=whole), self.mth(middle, high)]
        return [*self.proof(first, middle, high, whole=False), self.mth(low, middle)]


def mth(leaves: Sequence[bytes]) -> bytes:
    """The root over a list of leaf hashes."""
    return NaiveTree(leaves).mth(0, len(leaves))


def path(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """The inclusion proof of one leaf."""
    return NaiveTree(leaves).path(index, 0, len(leaves))


def consistency(first: int, leaves: Sequence[bytes]) -> list[bytes]:
    """The consistency proof of the first leaves with all."""
    return NaiveTree(leaves).proof(first, 0, len(leaves))


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
