"""RFC 6962 proofs against published vectors and the recursive definition of the standard."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.evidence import EvidenceReason, EvidenceRefused, TreeHead, leaf_hash
from hutong.evidence.merkle import (
    EMPTY_ROOT,
    MAX_PROOF_HASHES,
    RightEdge,
    verify_consistency,
    verify_inclusion,
)
from tests.evidence.synthetic_log import naive_consistency, naive_path, naive_root

VECTORS = json.loads((Path(__file__).parent / "vectors" / "merkle.json").read_text())
LEAVES = [bytes.fromhex(leaf) for leaf in VECTORS["leaves"]]
ROOTS = [bytes.fromhex(root) for root in VECTORS["roots"]]
SOME_HASH = hashlib.sha256(b"some hash").digest()
ENTRIES = [b"entry %d" % i for i in range(301)]


@dataclass(frozen=True)
class Inclusion:
    """One published inclusion proof."""

    index: int
    head: TreeHead
    leaf: bytes
    proof: list[bytes]


def published_inclusions() -> list[Inclusion]:
    """The five proofs of transparency-dev/merkle."""
    return [
        Inclusion(
            index=vector["leaf"] - 1,
            head=TreeHead(size=vector["size"], root_hash=ROOTS[vector["size"] - 1]),
            leaf=leaf_hash(LEAVES[vector["leaf"] - 1]),
            proof=[bytes.fromhex(node) for node in vector["proof"]],
        )
        for vector in VECTORS["inclusion"]
    ]


def published_consistencies() -> list[tuple[TreeHead, TreeHead, list[bytes]]]:
    """The five proofs of transparency-dev/merkle."""
    return [
        (
            TreeHead(size=vector["first"], root_hash=ROOTS[vector["first"] - 1]),
            TreeHead(size=vector["second"], root_hash=ROOTS[vector["second"] - 1]),
            [bytes.fromhex(node) for node in vector["proof"]],
        )
        for vector in VECTORS["consistency"]
    ]


def corrupt_proofs(proof: list[bytes], roots: list[bytes]) -> list[list[bytes]]:
    """Every way the published suite spoils the list of hashes."""
    spoiled = [[*proof, b""], [b"", *proof]]
    spoiled += [changed for root in roots for changed in ([*proof, root], [root, *proof])]
    for place, node in enumerate(proof):
        for bit in (3, 4):
            flipped = bytes([node[0] ^ (1 << bit)]) + node[1:]
            spoiled.append([*proof[:place], flipped, *proof[place + 1 :]])
    if proof:
        spoiled += [proof[:-1], [proof[0], *proof], [proof[0], SOME_HASH, *proof[1:]]]
    return spoiled


def refuses_inclusion(leaf: bytes, index: int, proof: list[bytes], head: TreeHead) -> bool:
    """Whether a proof is refused."""
    try:
        verify_inclusion(leaf, index, proof, head)
    except EvidenceRefused:
        return True
    return False


def refuses_consistency(first: TreeHead, second: TreeHead, proof: list[bytes]) -> bool:
    """Whether a proof is refused."""
    try:
        verify_consistency(first, second, proof)
    except EvidenceRefused:
        return True
    return False


def test_published_roots_are_derived_from_published_leaves() -> None:
    """The right edge of the eight reference trees gives the eight published roots."""
    edge = RightEdge()
    roots = []

    for leaf in LEAVES:
        edge.add(leaf)
        roots.append(edge.root())

    assert roots == ROOTS


def test_empty_tree_has_the_hash_of_nothing() -> None:
    """RFC 6962 2.1: MTH({}) = SHA-256()."""
    assert RightEdge().root() == EMPTY_ROOT == naive_root([])


@pytest.mark.parametrize("vector", published_inclusions())
def test_published_inclusion_proof_holds(vector: Inclusion) -> None:
    """Each published proof is accepted."""
    verify_inclusion(vector.leaf, vector.index, vector.proof, vector.head)


@pytest.mark.parametrize("vector", published_inclusions())
def test_spoiled_published_inclusion_proof_is_refused(vector: Inclusion) -> None:
    """Every corruption of the published suite is refused."""
    size, root = vector.head.size, vector.head.root_hash
    heads = [
        TreeHead(size=size * 2, root_hash=root),
        TreeHead(size=size // 2, root_hash=root),
        TreeHead(size=size, root_hash=EMPTY_ROOT),
        TreeHead(size=size, root_hash=SOME_HASH),
        TreeHead(size=size, root_hash=b""),
    ]

    held = [
        (index, vector.head, vector.leaf, vector.proof)
        for index in (vector.index - 1, vector.index + 1, vector.index ^ 2, 2**64 - 1)
        if not refuses_inclusion(vector.leaf, index, vector.proof, vector.head)
    ]
    held += [
        (vector.index, head, vector.leaf, vector.proof)
        for head in heads
        # A tree of one leaf doubled with no hash in the proof is refused too: the path is missing.
        if not refuses_inclusion(vector.leaf, vector.index, vector.proof, head)
    ]
    held += [
        (vector.index, vector.head, vector.leaf, proof)
        for proof in corrupt_proofs(vector.proof, [root])
        if not refuses_inclusion(vector.leaf, vector.index, proof, vector.head)
    ]

    assert held == []
    for leaf in (b"WrongLeaf", b"", SOME_HASH):
        assert refuses_inclusion(leaf, vector.index, vector.proof, vector.head)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (0, 1), (1, 0), (2, 1)])
@pytest.mark.parametrize(("leaf", "root"), [(SOME_HASH, b""), (b"", EMPTY_ROOT)])
def test_published_degenerate_inclusion_is_refused(
    index: int, size: int, leaf: bytes, root: bytes
) -> None:
    """The static probes of the published suite are refused."""
    assert refuses_inclusion(leaf, index, [], TreeHead(size=size, root_hash=root))


@pytest.mark.parametrize("vector", published_consistencies())
def test_published_consistency_proof_holds(
    vector: tuple[TreeHead, TreeHead, list[bytes]],
) -> None:
    """Each published proof is accepted."""
    verify_consistency(*vector)


@pytest.mark.parametrize("vector", published_consistencies())
def test_spoiled_published_consistency_proof_is_refused(
    vector: tuple[TreeHead, TreeHead, list[bytes]],
) -> None:
    """Every corruption of the published suite is refused."""
    first, second, proof = vector
    changed = [
        (TreeHead(size=size, root_hash=first.root_hash), second)
        for size in (first.size - 1, first.size + 1, first.size ^ 2)
    ]
    changed += [
        (first, TreeHead(size=size, root_hash=second.root_hash))
        for size in (second.size * 2, second.size // 2)
    ]
    changed += [
        (TreeHead(size=first.size, root_hash=b"WrongRoot"), second),
        (first, TreeHead(size=second.size, root_hash=b"WrongRoot")),
        (
            TreeHead(size=first.size, root_hash=SOME_HASH),
            TreeHead(size=second.size, root_hash=EMPTY_ROOT),
        ),
    ]

    assert [pair for pair in changed if not refuses_consistency(*pair, proof)] == []
    assert [
        spoiled
        for spoiled in corrupt_proofs(proof, [first.root_hash, second.root_hash])
        if not refuses_consistency(first, second, spoiled)
    ] == []


@pytest.mark.slow
def test_every_inclusion_proof_up_to_300_holds_and_fits_nowhere_else() -> None:
    """For all sizes 1 to 300, the recursive path of a leaf proves that leaf alone."""
    for size in range(1, 301):
        head = TreeHead(size=size, root_hash=naive_root(ENTRIES[:size]))
        # All leaves of small trees; of large ones the borders and a stride.
        indices = range(size) if size <= 40 else sorted({0, 1, size // 2, size - 2, size - 1})
        for index in indices:
            leaf, proof = leaf_hash(ENTRIES[index]), naive_path(index, ENTRIES[:size])
            verify_inclusion(leaf, index, proof, head)
            for other in {index - 1, index + 1, size - 1 - index, size} - {index}:
                assert refuses_inclusion(leaf, other, proof, head)


def test_right_edge_gives_the_root_of_every_size_up_to_300() -> None:
    """Appending one leaf at a time gives the recursive root at every size."""
    edge = RightEdge()

    for size in range(301):
        assert edge.root() == naive_root(ENTRIES[:size])
        edge.add(ENTRIES[size])


@pytest.mark.slow
def test_every_consistency_proof_up_to_300_holds() -> None:
    """For all pairs of small sizes, and for the borders of large ones, the tree only grew."""
    roots = [naive_root(ENTRIES[:size]) for size in range(301)]
    for second in range(1, 301):
        firsts = range(1, second + 1) if second <= 40 else {1, 2, 64, second // 2, second - 1}
        head = TreeHead(size=second, root_hash=roots[second])
        for first in sorted(size for size in firsts if size <= second):
            proof = naive_consistency(first, ENTRIES[:second])
            old = TreeHead(size=first, root_hash=roots[first])
            verify_consistency(old, head, proof)
            assert first == second or refuses_consistency(
                TreeHead(size=first, root_hash=SOME_HASH), head, proof
            )


def test_empty_tree_is_consistent_with_any_tree() -> None:
    """Size 0 needs no proof, and takes none."""
    empty, head = TreeHead(size=0, root_hash=EMPTY_ROOT), TreeHead(size=3, root_hash=ROOTS[2])

    verify_consistency(empty, head, [])

    assert refuses_consistency(empty, head, [SOME_HASH])


def test_made_up_root_of_size_0_is_refused() -> None:
    """A tree of nothing has one root only."""
    made_up, head = TreeHead(size=0, root_hash=SOME_HASH), TreeHead(size=3, root_hash=ROOTS[2])

    assert refuses_consistency(made_up, head, [])


def test_shrinking_tree_is_refused() -> None:
    """A newer tree is never smaller."""
    older, newer = TreeHead(size=2, root_hash=ROOTS[1]), TreeHead(size=1, root_hash=ROOTS[0])

    assert refuses_consistency(older, newer, [])


def test_two_roots_of_one_size_are_a_forked_view() -> None:
    """Equal sizes with different roots are named for what they are."""
    one, other = TreeHead(size=3, root_hash=ROOTS[2]), TreeHead(size=3, root_hash=SOME_HASH)

    with pytest.raises(EvidenceRefused) as caught:
        verify_consistency(one, other, [])

    assert caught.value.reason is EvidenceReason.VIEW_FORKED


def test_missing_consistency_proof_is_refused() -> None:
    """A first tree that is no complete subtree proves nothing without hashes."""
    assert refuses_consistency(
        TreeHead(size=3, root_hash=ROOTS[2]), TreeHead(size=5, root_hash=ROOTS[4]), []
    )


def test_endless_proof_is_refused_before_it_is_hashed() -> None:
    """No path is longer than 64 hashes."""
    proof = [SOME_HASH] * (MAX_PROOF_HASHES + 1)

    assert refuses_inclusion(SOME_HASH, 0, proof, TreeHead(size=2, root_hash=SOME_HASH))


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=70), st.data())
def test_any_flipped_bit_of_an_inclusion_proof_is_refused(
    leaves: list[bytes], data: st.DataObject
) -> None:
    """One bit of leaf, proof or root makes the proof fail."""
    index = data.draw(st.integers(0, len(leaves) - 1))
    hashes = [leaf_hash(leaves[index]), *naive_path(index, leaves), naive_root(leaves)]
    place = data.draw(st.integers(0, len(hashes) - 1))
    bit = data.draw(st.integers(0, 255))

    flipped = int.from_bytes(hashes[place]) ^ (1 << bit)
    spoiled = [*hashes[:place], flipped.to_bytes(32), *hashes[place + 1 :]]

    head = TreeHead(size=len(leaves), root_hash=hashes[-1])
    verify_inclusion(hashes[0], index, hashes[1:-1], head)
    head = TreeHead(size=len(leaves), root_hash=spoiled[-1])
    assert refuses_inclusion(spoiled[0], index, spoiled[1:-1], head)


@given(st.lists(st.binary(max_size=8), min_size=2, max_size=70), st.data())
def test_any_flipped_bit_of_a_consistency_proof_is_refused(
    leaves: list[bytes], data: st.DataObject
) -> None:
    """One bit of either root or of the proof makes the proof fail."""
    size = data.draw(st.integers(1, len(leaves) - 1))
    hashes = [
        naive_root(leaves[:size]),
        *naive_consistency(size, leaves),
        naive_root(leaves),
    ]
    place = data.draw(st.integers(0, len(hashes) - 1))
    bit = data.draw(st.integers(0, 255))

    flipped = int.from_bytes(hashes[place]) ^ (1 << bit)
    spoiled = [*hashes[:place], flipped.to_bytes(32), *hashes[place + 1 :]]

    first = TreeHead(size=size, root_hash=spoiled[0])
    second = TreeHead(size=len(leaves), root_hash=spoiled[-1])
    assert refuses_consistency(first, second, spoiled[1:-1])
