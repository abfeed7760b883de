"""Inclusion and consistency proofs from stored tiles, for any leaf and any size of the tree.

Knows nothing of where tiles are kept. A proof reads at most two tiles per tile level.
"""

from typing import Protocol

from gateway.access_log.errors import OutOfRange
from gateway.access_log.merkle import (
    HASH_LENGTH,
    TILE_HEIGHT,
    TILE_WIDTH,
    fold,
    node_hash,
    split_hashes,
)

Proof = tuple[bytes, ...]


class TileSource(Protocol):
    """Where the hashes of the tree are read."""

    def tile(self, level: int, number: int) -> bytes:
        """Return the joined hashes of a tile: all 256, or as many as the tree has."""
        ...


def inclusion_proof(source: TileSource, index: int, size: int) -> Proof:
    """Prove the leaf at `index` in the tree of `size` leaves (RFC 6962 2.1.1).

    Raises:
        OutOfRange: no such leaf in a tree of that size.
    """
    if not 0 <= index < size:
        raise OutOfRange(f"no leaf {index} in a tree of size {size}")
    proof = []
    low, high = 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            proof.append(_range_hash(source, middle, high))
            high = middle
        else:
            proof.append(_range_hash(source, low, middle))
            low = middle
    return tuple(reversed(proof))


def consistency_proof(source: TileSource, first: int, second: int) -> Proof:
    """Prove the tree of `first` leaves a prefix of the tree of `second` leaves (RFC 6962 2.1.2).

    Raises:
        OutOfRange: not 1 <= first <= second.
    """
    if not 1 <= first <= second:
        raise OutOfRange(f"no consistency between tree sizes {first} and {second}")
    proof = []
    low, high = 0, second
    while high != first:
        middle = low + _split(high - low)
        if first <= middle:
            proof.append(_range_hash(source, middle, high))
            high = middle
        else:
            proof.append(_range_hash(source, low, middle))
            low = middle
    if low:
        # The first tree is no full subtree of the second: its last part has to be named.
        proof.append(_range_hash(source, low, high))
    return tuple(reversed(proof))


def stored_leaf_hash(source: TileSource, index: int) -> bytes:
    """Return the hash of a leaf."""
    return _subtree(source, 0, index)


def tree_root(source: TileSource, size: int) -> bytes:
    """Return the root of the tree of the first `size` leaves, at least one."""
    return _range_hash(source, 0, size)


def require_size(wanted: int, size: int) -> None:
    """Refuse a tree size the log has not reached.

    Raises:
        OutOfRange: not 1 <= wanted <= size.
    """
    if not 1 <= wanted <= size:
        raise OutOfRange(f"no tree of size {wanted} in a log of {size}")


def _split(width: int) -> int:
    """Return the largest power of two below `width` (RFC 6962 2.1)."""
    return 1 << ((width - 1).bit_length() - 1)


def _range_hash(source: TileSource, low: int, high: int) -> bytes:
    """Hash the leaves from `low` to before `high`; `low` is a multiple of the part's own width."""
    parts = []
    while low < high:
        level = (high - low).bit_length() - 1
        parts.append(_subtree(source, level, low >> level))
        low += 1 << level
    root = parts.pop()
    while parts:
        root = node_hash(parts.pop(), root)
    return root


def _subtree(source: TileSource, level: int, position: int) -> bytes:
    tile_level, height = divmod(level, TILE_HEIGHT)
    number, offset = divmod(position << height, TILE_WIDTH)
    hashes = source.tile(tile_level, number)
    part = hashes[offset * HASH_LENGTH : (offset + (1 << height)) * HASH_LENGTH]
    return fold(split_hashes(part))
