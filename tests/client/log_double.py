"""A log made of bytes: its tree is computed from RFC 6962 section 2.1, by definition."""

import hashlib
import json
from collections.abc import Mapping, Sequence

from hutong.accesslog.v1 import accesslog_pb2
from tests.client.synthetic_world import World


def node_of(leaves: Sequence[bytes]) -> bytes:
    """Return the root of some leaves (RFC 6962 2.1), by its definition."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = _split(len(leaves))
    return hashlib.sha256(b"\x01" + node_of(leaves[:split]) + node_of(leaves[split:])).digest()


def path_of(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """Return the audit path of a leaf (RFC 6962 2.1.1), sibling of the leaf first."""
    if len(leaves) <= 1:
        return []
    split = _split(len(leaves))
    if index < split:
        return [*path_of(index, leaves[:split]), node_of(leaves[split:])]
    return [*path_of(index - split, leaves[split:]), node_of(leaves[:split])]


def growth_of(size: int, leaves: Sequence[bytes], *, whole: bool = True) -> list[bytes]:
    """Return the consistency proof from the first `size` leaves (RFC 6962 2.1.2)."""
    if size == len(leaves):
        return [] if whole else [node_of(leaves)]
    split = _split(len(leaves))
    if size <= split:
        return [*growth_of(size, leaves[:split], whole=whole), node_of(leaves[split:])]
    return [*growth_of(size - split, leaves[split:], whole=False), node_of(leaves[:split])]


def _split(count: int) -> int:
    return 1 << (count - 1).bit_length() - 1


class LogDouble:
    """Entries, and notes signed over their tree."""

    def __init__(self, world: World) -> None:
        """Start with one entry, as a log in service has some."""
        self.world = world
        self.entries: list[bytes] = []
        self.add({"kind": "tick", "queue": 0, "size": 0})

    def add(self, members: Mapping[str, object]) -> int:
        """Append an entry in canonical JSON and return its index."""
        whole = {"v": 1, "node": "gw-1", "ts": self.world.now_ms, **members}
        text = json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        self.entries.append(text.encode())
        return len(self.entries) - 1

    def checkpoint(self, *, size: int | None = None, root: bytes | None = None) -> bytes:
        """Sign the head of the tree (C2SP checkpoint)."""
        size = len(self.entries) if size is None else size
        root = node_of(self.entries[:size]) if root is None else root
        return self.world.sign_note(size, root)

    def receipt(self, index: int, openings: Mapping[str, bytes]) -> accesslog_pb2.Receipt:
        """Prove an entry in the newest tree."""
        return accesslog_pb2.Receipt(
            entry=self.entries[index],
            index=index,
            inclusion_proof=path_of(index, self.entries),
            checkpoint=self.checkpoint(),
            openings=[
                accesslog_pb2.Opening(member=member, salt=salt) for member, salt in openings.items()
            ],
        )


def commit(member: str, salt: bytes, value: bytes) -> str:
    """Return a commitment as an entry spells it."""
    tag = f"hutong/commitment/{member}/v1".encode() + b"\x00"
    return hashlib.sha256(tag + salt + value).hexdigest()
