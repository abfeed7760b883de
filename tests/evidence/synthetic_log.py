"""A synthetic log and its lies, made by the recursive definition of RFC 6962 and nothing of ours.

The writer here is as naive as the text of the standard, so that it can be read against it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sqlite3
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hutong.evidence import LogKey, Opening, Receipt, build_log_key

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ORIGIN = "sandbox.invalid/hutong/log"
REQUEST = b"\x0a\x10the exact request bytes"
ANSWER = b"\x0a\x10the exact answer bytes"


def naive_root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962 2.1."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = largest_power_below(len(leaves))
    return hashlib.sha256(b"\x01" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


def naive_path(index: int, leaves: list[bytes]) -> list[bytes]:
    """PATH of RFC 6962 2.1.1."""
    if len(leaves) == 1:
        return []
    k = largest_power_below(len(leaves))
    if index < k:
        return [*naive_path(index, leaves[:k]), naive_root(leaves[k:])]
    return [*naive_path(index - k, leaves[k:]), naive_root(leaves[:k])]


def naive_consistency(size: int, leaves: list[bytes]) -> list[bytes]:
    """PROOF of RFC 6962 2.1.2."""
    return naive_subproof(size, leaves, complete=True)


def naive_subproof(size: int, leaves: list[bytes], *, complete: bool) -> list[bytes]:
    """SUBPROOF of RFC 6962 2.1.2."""
    if size == len(leaves):
        return [] if complete else [naive_root(leaves)]
    k = largest_power_below(len(leaves))
    if size <= k:
        return [*naive_subproof(size, leaves[:k], complete=complete), naive_root(leaves[k:])]
    return [*naive_subproof(size - k, leaves[k:], complete=False), naive_root(leaves[:k])]


def largest_power_below(count: int) -> int:
    """The largest power of two smaller than a count of two or more."""
    return 1 << ((count - 1).bit_length() - 1)


def committed(member: str, salt: bytes, value: bytes) -> str:
    """A commitment as the design spells it."""
    tag = f"hutong/commitment/{member}/v1".encode()
    return hashlib.sha256(tag + b"\x00" + salt + value).hexdigest()


def salt_of(name: str) -> bytes:
    """A salt that is the same in every run."""
    return hashlib.sha256(b"salt " + name.encode()).digest()


def spell(members: dict[str, object]) -> bytes:
    """Canonical JSON of members with ASCII names."""
    return json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


@dataclass(frozen=True)
class Signer:
    """An Ed25519 key that signs notes under a name."""

    name: str
    private: Ed25519PrivateKey

    @property
    def log_key(self) -> LogKey:
        """The public half."""
        return build_log_key(self.name, self.private.public_key().public_bytes_raw())

    def line(self, text: str, *, name: str | None = None) -> str:
        """One signature line over a text."""
        signature = self.log_key.key_id + self.private.sign(text.encode())
        return f"\u2014 {name or self.name} {base64.b64encode(signature).decode()}\n"

    def note(self, text: str) -> bytes:
        """A signed note."""
        return f"{text}\n{self.line(text)}".encode()

    def checkpoint(self, size: int, root: bytes, origin: str = ORIGIN) -> bytes:
        """A signed checkpoint."""
        return self.note(f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n")


@dataclass
class SyntheticLog:
    """Entries and checkpoints, changed at will by the tests."""

    signer: Signer
    entries: list[bytes] = field(default_factory=list)
    checkpoints: dict[int, bytes] = field(default_factory=dict)

    def add(self, **members: object) -> int:
        """Appends one entry, one millisecond after the last."""
        index = len(self.entries)
        common = {"v": 1, "ts": 1_700_000_000_000 + index, "node": "gw-1"}
        self.entries.append(spell(common | members))
        return index

    def ask(self, number: int) -> int:
        """Appends the ask of exchange `number`."""
        return self.add(
            kind="ask",
            tx=f"{number:032x}",
            item=0,
            matter="M2",
            fields=["alive", "name"],
            granted=[["alive", "判断"], ["name", "掩码(1,1)"]],
            subject=committed("subject", salt_of(f"subject {number}"), b"token"),
            request=committed("request", salt_of(f"request {number}"), REQUEST),
        )

    def answer(self, number: int, asked: int, **more: object) -> int:
        """Appends the answer of exchange `number`."""
        members: dict[str, object] = {
            "kind": "answer",
            "tx": f"{number:032x}",
            "item": 0,
            "ask": asked,
            "state": "ANSWERED",
            "request": committed("request", salt_of(f"request {number}"), REQUEST),
            "answer": committed("answer", salt_of(f"answer {number}"), ANSWER),
            "relation": committed("relation", salt_of(f"relation {number}"), b"none"),
        }
        return self.add(**(members | more))

    def sign(self, size: int | None = None) -> bytes:
        """Signs and stores the checkpoint of a size, by default the present one."""
        upto = len(self.entries) if size is None else size
        self.checkpoints[upto] = self.signer.checkpoint(upto, naive_root(self.entries[:upto]))
        return self.checkpoints[upto]

    def receipt(self, index: int, number: int) -> Receipt:
        """The receipt of the answer at an index, against the newest checkpoint."""
        size = max(self.checkpoints)
        return Receipt(
            entry=self.entries[index],
            index=index,
            inclusion_proof=tuple(naive_path(index, self.entries[:size])),
            checkpoint=self.checkpoints[size],
            openings=(
                Opening(member="request", salt=salt_of(f"request {number}"), value=None),
                Opening(member="answer", salt=salt_of(f"answer {number}"), value=None),
                Opening(member="relation", salt=salt_of(f"relation {number}"), value=b"none"),
            ),
        )

    def store(self, path: Path) -> Path:
        """Writes the two tables an auditor reads."""
        connection = sqlite3.connect(path)
        with connection:
            connection.execute("CREATE TABLE entry (idx INTEGER PRIMARY KEY, body BLOB)")
            connection.execute("CREATE TABLE checkpoint (size INTEGER PRIMARY KEY, note BLOB)")
            connection.executemany("INSERT INTO entry VALUES (?, ?)", enumerate(self.entries))
            connection.executemany(
                "INSERT INTO checkpoint VALUES (?, ?)", sorted(self.checkpoints.items())
            )
        connection.close()
        return path
