"""The growing tree, its proofs and its tiles against RFC 6962 written down naively."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import pytest

from gateway.access_log.errors import OutOfRange
from gateway.access_log.merkle import (
    EMPTY_ROOT,
    TreeEdge,
    build_edge,
    extend,
    grow,
    leaf_hash,
)
from gateway.access_log.proof import (
    consistency_proof,
    inclusion_proof,
    require_size,
    stored_leaf_hash,
)
from tests.access_log import naive_tree

LEAVES = [leaf_hash(b"entry %d" % number) for number in range(700)]
MAX = 300

# The reference leaves and roots of the certificate-transparency project, sizes 1 to 8.
REFERENCE_LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
REFERENCE_ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
REFERENCE_CONSISTENCY = {
    (1, 1): (),
    (1, 8): (
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ),
    (6, 8): (
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
    (2, 5): (
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ),
}


@dataclass(frozen=True, eq=False)
class Shelf:
    """Tiles cut from a list of leaves by pairing them naively."""

    leaves: Sequence[bytes]

    @lru_cache  # noqa: B019 - lives as long as the module
    def tile(self, level: int, number: int) -> bytes:
        """The hashes of a tile as far as full subtrees exist."""
        width = 256**level
        begin = number * 256
        end = min(begin + 256, len(self.leaves) // width)
        return b"".join(
            naive_tree.mth(self.leaves[at * width : (at + 1) * width]) for at in range(begin, end)
        )


SHELF = Shelf(LEAVES)


@pytest.mark.parametrize("size", range(1, 9))
def test_reference_leaves_yield_the_published_roots(size: int) -> None:
    """The first eight trees of the reference have the published roots."""
    edge = grow(TreeEdge(), [leaf_hash(leaf) for leaf in REFERENCE_LEAVES[:size]]).edge

    assert edge.root().hex() == REFERENCE_ROOTS[size - 1]


@pytest.mark.parametrize(("first", "second"), REFERENCE_CONSISTENCY)
def test_reference_consistency_proofs_are_as_published(first: int, second: int) -> None:
    """Consistency proofs of the reference tree equal the published ones."""
    shelf = Shelf([leaf_hash(leaf) for leaf in REFERENCE_LEAVES[:second]])

    proof = consistency_proof(shelf, first, second)

    assert tuple(part.hex() for part in proof) == REFERENCE_CONSISTENCY[first, second]


def test_empty_tree_has_the_hash_of_nothing() -> None:
    """The root without leaves is SHA-256 of the empty string."""
    assert TreeEdge().root() == EMPTY_ROOT == naive_tree.mth([])


def test_grown_in_any_steps_every_tree_is_the_naive_one() -> None:
    """Root, edge, proofs of the last step and tiles do not depend on how the tree was grown."""
    naive = naive_tree.NaiveTree(LEAVES)
    choose = random.Random(6962)  # noqa: S311 - a seed makes the steps repeatable

    for size in range(1, MAX + 1):
        edge, first = TreeEdge(), 0
        tiles: dict[tuple[int, int], bytes] = {}
        proofs: tuple[tuple[bytes, ...], ...] = ()
        while edge.size < size:
            step = min(size - edge.size, choose.choice((1, 2, 3, 17, 60, 300)))
            added = LEAVES[edge.size : edge.size + step]
            growth = grow(edge, added)
            assert extend(edge, added) == (growth.edge, growth.tiles)
            tiles |= {(tile.level, tile.number): tile.hashes for tile in growth.tiles}
            first, edge, proofs = edge.size, growth.edge, growth.proofs
        assert edge.root() == naive.mth(0, size)
        assert build_edge(size, edge.partial) == edge
        expected = [naive.path(index, 0, size) for index in range(first, size)]
        assert [list(proof) for proof in proofs] == expected
        assert tiles == {(0, at): SHELF.tile(0, at) for at in range(size // 256)}


def test_proofs_from_tiles_are_the_naive_ones() -> None:
    """For every size to 300, leaves and smaller trees have the naive proof: all where it turns."""
    naive = naive_tree.NaiveTree(LEAVES)
    choose = random.Random(9162)  # noqa: S311 - a seed makes the choice repeatable

    for size in range(1, MAX + 1):
        every = size <= 33 or size in {64, 65, 127, 128, 255, 256, 257, 300}
        for index in range(size) if every else choose.sample(range(size), 6):
            assert list(inclusion_proof(SHELF, index, size)) == naive.path(index, 0, size)
            first = index + 1
            assert list(consistency_proof(SHELF, first, size)) == naive.proof(first, 0, size)


def test_second_tile_level_is_filled_and_used() -> None:
    """A tree of more than 65,536 leaves fills a tile of level 1, and proofs cross it."""
    leaves = [leaf_hash(b"%d" % number) for number in range(65_536 + 300)]
    edge, tiles = extend(TreeEdge(), leaves)
    shelf = {(tile.level, tile.number): tile.hashes for tile in tiles}

    class Stored:
        def tile(self, level: int, number: int) -> bytes:
            return shelf.get((level, number)) or edge.partial[level]

    proof = inclusion_proof(Stored(), 70, len(leaves))

    assert (1, 0) in shelf
    root = naive_tree.root_from_path(70, len(leaves), leaves[70], proof)
    assert root == edge.root() == naive_tree.mth(leaves)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (3, 3), (-1, 3)])
def test_leaf_outside_the_tree_is_refused(index: int, size: int) -> None:
    """No proof for a leaf that is not there."""
    with pytest.raises(OutOfRange):
        inclusion_proof(Shelf(LEAVES[:3]), index, size)


@pytest.mark.parametrize(("first", "second"), [(0, 3), (4, 3)])
def test_sizes_out_of_order_are_refused(first: int, second: int) -> None:
    """No consistency with nothing, none backwards."""
    with pytest.raises(OutOfRange):
        consistency_proof(Shelf(LEAVES[:3]), first, second)


@pytest.mark.parametrize("wanted", [0, 4])
def test_size_beyond_the_log_is_refused(wanted: int) -> None:
    """A size must have been reached."""
    with pytest.raises(OutOfRange):
        require_size(wanted, 3)


def test_leaf_hash_is_read_from_its_tile() -> None:
    """Tiles of level 0 hold the leaf hashes."""
    assert stored_leaf_hash(Shelf(LEAVES[:300]), 257) == LEAVES[257]
