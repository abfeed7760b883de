"""The Merkle tree of RFC 6962 2.1 as a verifier sees it: hashes in, proven or refused.

Knows no log, no signature and no file. Follows the verification algorithms of RFC 9162 2.1.3.2
(inclusion) and 2.1.4.2 (consistency), which cover the trees of RFC 6962.

INVARIANT: a proof has exactly as many hashes as its path; none is left over and none is missing.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hutong.evidence.reasons import EvidenceReason, EvidenceRefused
from hutong.evidence.spelling import HASH_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

# RFC 6962 2.1: the hash of an empty list is the hash of an empty string.
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()
# A tree of 2^63 leaves is 63 levels high; no honest proof is longer than this.
MAX_PROOF_HASHES: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeHead:
    """Size and root hash of one tree."""

    size: int
    root_hash: bytes


# The prefixes 0x00 and 0x01 keep leaves and inner nodes apart (RFC 6962 2.1): without them an inner
# node could be shown as an entry nobody wrote (second preimage).
def leaf_hash(entry: bytes) -> bytes:
    """Returns the hash of a leaf: SHA-256(0x00 ‖ entry), RFC 6962 2.1."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Returns the hash of an inner node: SHA-256(0x01 ‖ left ‖ right), RFC 6962 2.1."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def verify_inclusion(leaf: bytes, index: int, proof: Sequence[bytes], head: TreeHead) -> None:
    """Proves that a leaf hash stands at an index of a tree (RFC 9162 2.1.3.2).

    Raises:
        EvidenceRefused: INDEX_OUTSIDE_TREE, INCLUSION_INVALID.
    """
    if not 0 <= index < head.size:
        raise EvidenceRefused(EvidenceReason.INDEX_OUTSIDE_TREE)
    # A hash of another length would shift the border between left and right inside a node.
    if not _all_hashes((leaf, head.root_hash, *proof)):
        raise EvidenceRefused(EvidenceReason.INCLUSION_INVALID)
    node, last = index, head.size - 1  # fn and sn of the algorithm
    root = leaf
    for sibling in proof:
        # The root is reached and hashes are left over: the proof is too long (RFC 9162 2.1.3.2,
        # 4a).
        if last == 0:
            raise EvidenceRefused(EvidenceReason.INCLUSION_INVALID)
        if node & 1 or node == last:
            root = node_hash(sibling, root)
            node, last = _climb_to_right_child(node, last)
        else:
            root = node_hash(root, sibling)
        node, last = node >> 1, last >> 1
    # `last` not yet 0 means the proof is too short, even if the root happens to agree.
    if last != 0 or root != head.root_hash:
        raise EvidenceRefused(EvidenceReason.INCLUSION_INVALID)


def verify_consistency(first: TreeHead, second: TreeHead, proof: Sequence[bytes]) -> None:
    """Proves that the second tree extends the first (RFC 9162 2.1.4.2).

    An empty first tree is consistent with every tree by an empty proof; its root must be the hash
    of nothing, so that a made-up root of size 0 proves nothing.

    Raises:
        EvidenceRefused: CONSISTENCY_INVALID; VIEW_FORKED when equal sizes have different roots.
    """
    if not 0 <= first.size <= second.size:
        raise EvidenceRefused(EvidenceReason.CONSISTENCY_INVALID)
    if not _all_hashes((first.root_hash, second.root_hash, *proof)):
        raise EvidenceRefused(EvidenceReason.CONSISTENCY_INVALID)
    if first.size == second.size and first.root_hash != second.root_hash:
        raise EvidenceRefused(EvidenceReason.VIEW_FORKED)
    if first.size == 0 and first.root_hash != EMPTY_ROOT:
        raise EvidenceRefused(EvidenceReason.CONSISTENCY_INVALID)
    # Here nothing is left to prove, so a proof that says more is not one (RFC 9162 2.1.4.2, 1).
    if first.size in {0, second.size}:
        if proof:
            raise EvidenceRefused(EvidenceReason.CONSISTENCY_INVALID)
        return
    if _roots_of_consistency(first, second, proof) != (first.root_hash, second.root_hash):
        raise EvidenceRefused(EvidenceReason.CONSISTENCY_INVALID)


def _roots_of_consistency(
    first: TreeHead, second: TreeHead, proof: Sequence[bytes]
) -> tuple[bytes, bytes] | None:
    """Rebuilds both roots from a proof; None when the proof is too long or too short."""
    # Step 1: a complete first tree is a node of the second, and its root leads the path.
    path = (first.root_hash, *proof) if first.size & (first.size - 1) == 0 else tuple(proof)
    if not path:
        return None
    node, last = first.size - 1, second.size - 1
    # Step 3: the levels at which the first tree's last node is a right child lie inside both trees.
    while node & 1:
        node, last = node >> 1, last >> 1
    old_root = new_root = path[0]
    for sibling in path[1:]:
        if last == 0:
            return None
        if node & 1 or node == last:
            old_root, new_root = node_hash(sibling, old_root), node_hash(sibling, new_root)
            node, last = _climb_to_right_child(node, last)
        else:
            new_root = node_hash(new_root, sibling)
        node, last = node >> 1, last >> 1
    return (old_root, new_root) if last == 0 else None


def _climb_to_right_child(node: int, last: int) -> tuple[int, int]:
    """Skips the levels at which a node on the right border has no sibling."""
    while node and not node & 1:
        node, last = node >> 1, last >> 1
    return node, last


def _all_hashes(hashes: Sequence[bytes]) -> bool:
    # The two ends come along with the proof, hence the two more.
    return len(hashes) <= MAX_PROOF_HASHES + 2 and all(len(h) == HASH_BYTES for h in hashes)


class RightEdge:
    """The complete subtrees along the right border of a growing tree, largest first."""

    __slots__ = ("_nodes", "size")

    def __init__(self) -> None:
        """Starts with the empty tree."""
        self.size = 0
        self._nodes: list[bytes] = []

    def add(self, entry: bytes) -> None:
        """Appends one leaf."""
        node, size = leaf_hash(entry), self.size
        # As in a binary carry: each low bit that is set is a complete subtree waiting for its twin.
        while size & 1:
            node, size = node_hash(self._nodes.pop(), node), size >> 1
        self._nodes.append(node)
        self.size += 1

    def root(self) -> bytes:
        """Returns the root hash of the tree so far."""
        if not self._nodes:
            return EMPTY_ROOT
        root = self._nodes[-1]
        # The smaller subtree hangs on the right of the larger one (RFC 6962 2.1, k < n <= 2k).
        for node in reversed(self._nodes[:-1]):
            root = node_hash(node, root)
        return root
