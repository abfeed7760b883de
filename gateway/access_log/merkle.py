"""RFC 6962 Merkle tree: hashing, the right edge of a growing tree, and the tiles it fills.

Knows nothing of entries, storage or signatures. A tree that only grows is kept as its compact range
(one hash per set bit of its size) plus the unfilled right tile of each tile level (C2SP tlog-tiles,
height 8), so memory stays below 64 KiB whatever the size.

INVARIANT: a `TreeEdge` is a value; `grow` returns a new one, so a failed commit leaves the old.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

HASH_LENGTH = 32
"""Bytes of SHA-256 (RFC 6962 2.1)."""
TILE_HEIGHT = 8
"""Levels of the tree in one tile (C2SP tlog-tiles, "Parameters")."""
TILE_WIDTH = 1 << TILE_HEIGHT
"""Hashes in a full tile."""
EMPTY_ROOT = hashlib.sha256(b"").digest()
"""The root of the tree without leaves (RFC 6962 2.1)."""


def leaf_hash(entry: bytes) -> bytes:
    """Hash an entry as a leaf (RFC 6962 2.1)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two subtrees into their parent (RFC 6962 2.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def fold(hashes: Sequence[bytes]) -> bytes:
    """Return the root over the hashes of adjacent subtrees of equal size; at least one.

    Pairing upwards and carrying an odd last hash over yields the tree of RFC 6962 2.1.
    """
    row = list(hashes)
    while len(row) > 1:
        row = _paired(row)
    return row[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """256 adjacent hashes of one tile level, joined; never changes once full."""

    level: int
    number: int
    hashes: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeEdge:
    """A tree by its right edge: enough to grow it, to name its root, to prove its newest leaves."""

    size: int = 0
    nodes: tuple[bytes, ...] = ()
    """Compact range: the roots of the maximal full subtrees, largest first."""
    partial: tuple[bytes, ...] = ()
    """Per tile level the joined hashes of its unfilled right tile, level 0 first."""

    def root(self) -> bytes:
        """Return the root hash (RFC 6962 2.1)."""
        if not self.nodes:
            return EMPTY_ROOT
        root = self.nodes[-1]
        for left in reversed(self.nodes[:-1]):
            root = node_hash(left, root)
        return root

    def node_at(self, level: int) -> bytes:
        """Return the full subtree of height `level` on the edge; the size has that bit set."""
        return self.nodes[(self.size >> (level + 1)).bit_count()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """What adding leaves yields: the new edge, the inclusion proofs, the filled tiles."""

    edge: TreeEdge
    proofs: tuple[tuple[bytes, ...], ...]
    tiles: tuple[Tile, ...]


def grow(edge: TreeEdge, leaves: Sequence[bytes]) -> Growth:
    """Append leaf hashes, at least one, and prove each in the tree of the new size.

    One pass from the leaves to the root gives edge, root, proofs and tile hashes together: about
    two hashes per leaf, and no proof reads storage.
    """
    size = edge.size + len(leaves)
    rows = _rows(edge, leaves)
    grown, tiles = _advance(edge, rows, size)
    return Growth(edge=grown, proofs=_proofs(rows, edge.size, size), tiles=tiles)


def extend(edge: TreeEdge, leaves: Sequence[bytes]) -> tuple[TreeEdge, tuple[Tile, ...]]:
    """Append leaf hashes, at least one, without proving them: for re-deriving a stored tree."""
    size = edge.size + len(leaves)
    return _advance(edge, _rows(edge, leaves), size)


def build_edge(size: int, partial: Sequence[bytes]) -> TreeEdge:
    """Return the edge of a tree whose unfilled right tiles are known, level 0 first."""
    nodes = []
    for joined in reversed(partial):
        hashes = split_hashes(joined)
        at = 0
        for bit in reversed(range(TILE_HEIGHT)):
            if len(hashes) >> bit & 1:
                nodes.append(fold(hashes[at : at + (1 << bit)]))
                at += 1 << bit
    return TreeEdge(size=size, nodes=tuple(nodes), partial=tuple(partial))


def split_hashes(joined: bytes) -> list[bytes]:
    """Cut joined hashes apart."""
    return [joined[at : at + HASH_LENGTH] for at in range(0, len(joined), HASH_LENGTH)]


@dataclass(frozen=True, slots=True)
class _Row:
    """Adjacent hashes of one level, beginning at the even position `start`."""

    start: int
    hashes: list[bytes]


def _rows(edge: TreeEdge, leaves: Sequence[bytes]) -> list[_Row]:
    rows = []
    hashes = list(leaves)
    level = 0
    while True:
        position = edge.size >> level
        if position & 1:
            # The first new hash is a right child: its sibling stands on the old edge.
            hashes.insert(0, edge.node_at(level))
            position -= 1
        rows.append(_Row(position, hashes))
        if position == 0 and len(hashes) == 1:
            return rows
        hashes = _paired(hashes)
        level += 1


def _paired(row: Sequence[bytes]) -> list[bytes]:
    sha256 = hashlib.sha256
    parents = [
        sha256(b"\x01" + left + right).digest()
        for left, right in zip(row[::2], row[1::2], strict=False)
    ]
    if len(row) & 1:
        parents.append(row[-1])
    return parents


def _row_node(row: _Row, position: int) -> bytes:
    return row.hashes[position - row.start]


def _proofs(rows: list[_Row], first: int, size: int) -> tuple[tuple[bytes, ...], ...]:
    """Build all proofs from the root down, so that leaves share the upper part of their paths."""
    above: list[tuple[bytes, ...]] = [()]
    for level in range(len(rows) - 2, -1, -1):
        row, begin = rows[level], first >> level
        offset, count = row.start, len(row.hashes)
        parent_begin = first >> (level + 1)
        below = []
        for position in range(begin, ((size - 1) >> level) + 1):
            path = above[(position >> 1) - parent_begin]
            sibling = (position ^ 1) - offset
            below.append((row.hashes[sibling], *path) if sibling < count else path)
        above = below
    return tuple(above)


def _advance(edge: TreeEdge, rows: list[_Row], size: int) -> tuple[TreeEdge, tuple[Tile, ...]]:
    nodes = tuple(
        _row_node(rows[level], (size >> level) - 1)
        for level in reversed(range(size.bit_length()))
        if size >> level & 1
    )
    partial, tiles = _fill_tiles(edge, rows, size)
    return TreeEdge(size=size, nodes=nodes, partial=partial), tiles


def _fill_tiles(
    edge: TreeEdge, rows: list[_Row], size: int
) -> tuple[tuple[bytes, ...], tuple[Tile, ...]]:
    partial: list[bytes] = []
    tiles: list[Tile] = []
    for tile_level, height in enumerate(range(0, len(rows), TILE_HEIGHT)):
        begin, end = edge.size >> height, size >> height
        row = rows[height]
        held = edge.partial[tile_level] if tile_level < len(edge.partial) else b""
        held += b"".join(row.hashes[begin - row.start : end - row.start])
        number = begin // TILE_WIDTH
        full, rest = divmod(len(held), TILE_WIDTH * HASH_LENGTH)
        tiles += cut_tiles(tile_level, number, held[: len(held) - rest])
        partial.append(held[full * TILE_WIDTH * HASH_LENGTH :])
    return tuple(partial), tuple(tiles)


def cut_tiles(level: int, number: int, hashes: bytes) -> Iterable[Tile]:
    """Cut joined hashes into full tiles, the first of which has the given number."""
    width = TILE_WIDTH * HASH_LENGTH
    return [
        Tile(level=level, number=number + offset // width, hashes=hashes[offset : offset + width])
        for offset in range(0, len(hashes), width)
    ]
