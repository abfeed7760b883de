"""From the stored file back to a tree one may sign: re-derived from entries, compared, or refused.

Knows nothing of who writes. Run at every start and after every storage error; the stored edge is
never believed, it is compared.
INVARIANT: what is returned has the root that the stored, verified checkpoint signs.
"""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.access_log.checkpoint import Head, verify_checkpoint
from gateway.access_log.errors import LogCorrupted
from gateway.access_log.genesis import Genesis
from gateway.access_log.merkle import (
    TILE_HEIGHT,
    TILE_WIDTH,
    Tile,
    TreeEdge,
    build_edge,
    extend,
    fold,
    leaf_hash,
    split_hashes,
)
from gateway.access_log.reader_sqlite import LogReader
from gateway.access_log.store_sqlite import StoredHead

Progress = Callable[[int, int], None]
"""Told how many entries of how many have been re-derived."""
_CHUNK = 4_096
"""Entries read at a time: a few MiB."""


def rederive_tail(reader: LogReader, genesis: Genesis, head: StoredHead) -> TreeEdge:
    """Return the tree from the full tiles and the at most 255 entries after the last of them.

    Raises:
        LogCorrupted: they do not yield the signed root; names where.
        LogRefused: the checkpoint is not this log's.
    """
    signed = _signed_head(genesis, head)
    if reader.entries(head.size, 1):
        raise LogCorrupted("an entry lies beyond the head", first=head.size, last=head.size)
    return _require_root(reader, genesis, head, signed, load_edge(reader, head.size))


def rederive_all(
    reader: LogReader, genesis: Genesis, head: StoredHead, progress: Progress
) -> TreeEdge:
    """Return the tree re-derived from every stored entry, each compared with its stored hash.

    Raises:
        LogCorrupted: an entry is missing, changed or foreign; names where.
        LogRefused: the checkpoint is not this log's.
    """
    signed = _signed_head(genesis, head)
    edge = TreeEdge()
    while rows := reader.entries(edge.size, _CHUNK):
        if rows[-1][0] != edge.size + len(rows) - 1:
            missing = next(at for at, row in enumerate(rows, edge.size) if row[0] != at)
            raise LogCorrupted("an entry is missing", first=missing, last=missing)
        edge, tiles = extend(edge, [leaf_hash(entry) for _, entry in rows])
        for tile in tiles:
            _require_tile(reader, tile)
        progress(edge.size, head.size)
    if edge.size != head.size:
        low, high = sorted((edge.size, head.size))
        raise LogCorrupted("entries and head disagree on the size", first=low, last=high - 1)
    return _require_root(reader, genesis, head, signed, edge)


def load_edge(reader: LogReader, size: int) -> TreeEdge:
    """Return the edge of a tree of stored size, without proving it.

    Raises:
        LogCorrupted: a tile or an entry is missing.
    """
    partial = [_partial_leaves(reader, size)]
    height = TILE_HEIGHT
    while size >> height:
        end = size >> height
        begin = end // TILE_WIDTH * TILE_WIDTH
        level = height // TILE_HEIGHT - 1
        partial.append(
            b"".join(
                fold(split_hashes(_full_tile(reader, level, number)))
                for number in range(begin, end)
            )
        )
        height += TILE_HEIGHT
    return build_edge(size, partial)


@dataclass(frozen=True, slots=True)
class StoredTiles:
    """The tiles of the tree at one size: full ones from storage, unfilled ones from the edge."""

    reader: LogReader
    edge: TreeEdge

    def tile(self, level: int, number: int) -> bytes:
        """Return the joined hashes of a tile, all 256 or as many as the tree has."""
        if number == self.edge.size >> (level + 1) * TILE_HEIGHT:
            return self.edge.partial[level]
        return _full_tile(self.reader, level, number)


def _full_tile(reader: LogReader, level: int, number: int) -> bytes:
    hashes = reader.tile(level, number)
    if hashes is None:
        width = TILE_WIDTH << level * TILE_HEIGHT
        first = number * width
        raise LogCorrupted("a tile is missing", first=first, last=first + width - 1)
    return hashes


def _partial_leaves(reader: LogReader, size: int) -> bytes:
    begin = size // TILE_WIDTH * TILE_WIDTH
    rows = reader.entries(begin, size - begin)
    if [index for index, _ in rows] != list(range(begin, size)):
        raise LogCorrupted("an entry is missing", first=begin, last=size - 1)
    return b"".join(leaf_hash(entry) for _, entry in rows)


def _signed_head(genesis: Genesis, head: StoredHead) -> Head:
    signed = verify_checkpoint(head.checkpoint, genesis.origin, genesis.public_key)
    if signed.size != head.size:
        low, high = sorted((signed.size, head.size))
        raise LogCorrupted("head and checkpoint disagree on the size", first=low, last=high - 1)
    return signed


def _require_tile(reader: LogReader, tile: Tile) -> None:
    stored = reader.tile(tile.level, tile.number)
    if stored == tile.hashes:
        return
    width = 1 << tile.level * TILE_HEIGHT
    begin = tile.number * TILE_WIDTH
    pairs = zip(split_hashes(tile.hashes), split_hashes(stored or b""), strict=False)
    wrong = (at for at, (derived, kept) in enumerate(pairs, begin) if derived != kept)
    position = next(wrong, begin)
    raise LogCorrupted(
        "an entry does not have the hash it was logged with",
        first=position * width,
        last=(position + 1) * width - 1,
    )


def _require_root(
    reader: LogReader, genesis: Genesis, head: StoredHead, signed: Head, edge: TreeEdge
) -> TreeEdge:
    if edge.root() == signed.root and b"".join(edge.nodes) == head.edge:
        return edge
    first, last = _locate(reader, genesis, head.size)
    raise LogCorrupted("entries do not yield the signed root", first=first, last=last)


def _locate(reader: LogReader, genesis: Genesis, size: int) -> tuple[int, int]:
    """Find the batch in the unfilled tile whose checkpoint its entries contradict."""
    begin = size // TILE_WIDTH * TILE_WIDTH
    edge = load_edge(reader, begin)
    for end, checkpoint in reader.checkpoints(begin + 1):
        rows = reader.entries(edge.size, end - edge.size)
        first = edge.size
        edge, _ = extend(edge, [leaf_hash(entry) for _, entry in rows])
        if edge.root() != verify_checkpoint(checkpoint, genesis.origin, genesis.public_key).root:
            return first, end - 1
    return begin, size - 1
