"""C2SP checkpoints: the signed head of a log.

Knows notes and tree heads, no entries. Source: c2sp.org/tlog-checkpoint.

INVARIANT: a `ProvenCheckpoint` is made by `verify_checkpoint` only, after the signature held.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hutong.evidence.merkle import TreeHead
from hutong.evidence.note import LogKey, parse_note, verify_note
from hutong.evidence.reasons import EvidenceReason, EvidenceRefused, Malformed
from hutong.evidence.spelling import encode_base64, parse_hash, parse_number

_FIXED_LINES: Final = 3  # origin, size, root hash
# tlog-checkpoint calls extension lines not recommended; ours has none, others' are bounded.
MAX_EXTENSION_LINES: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointText:
    """What a checkpoint says, whoever signed it."""

    origin: str
    head: TreeHead
    extensions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenCheckpoint:
    """A tree head the log's own key signed."""

    origin: str
    head: TreeHead
    extensions: tuple[str, ...]
    key: LogKey


def parse_checkpoint_text(text: str) -> CheckpointText:
    """Reads the text of a checkpoint note.

    Sample, three lines:

        example.com/log
        20852163
        CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

    Raises:
        Malformed: a line is missing or empty, the size or root has another spelling.
    """
    if not text.endswith("\n"):
        raise Malformed("checkpoint does not end with a line")
    lines = text[:-1].split("\n")
    # tlog-checkpoint forbids empty extension lines; an empty line would also end the note's text.
    if not all(lines):
        raise Malformed("checkpoint has an empty line")
    if not _FIXED_LINES <= len(lines) <= _FIXED_LINES + MAX_EXTENSION_LINES:
        raise Malformed("checkpoint has too few or too many lines")
    size = parse_number(lines[1], "tree size")
    root_hash = parse_hash(lines[2], "root hash")
    return CheckpointText(
        origin=lines[0],
        head=TreeHead(size=size, root_hash=root_hash),
        extensions=tuple(lines[_FIXED_LINES:]),
    )


def encode_checkpoint_text(checkpoint: CheckpointText) -> str:
    """Writes the text of a checkpoint note, the inverse of `parse_checkpoint_text`."""
    root = encode_base64(checkpoint.head.root_hash)
    lines = (checkpoint.origin, str(checkpoint.head.size), root, *checkpoint.extensions)
    return "".join(f"{line}\n" for line in lines)


def verify_checkpoint(raw: bytes, log_key: LogKey) -> ProvenCheckpoint:
    """Proves that a checkpoint is signed by the log and speaks of this log.

    Our logs sign under their origin (tlog-checkpoint: the key name SHOULD match the origin), so the
    key's name is the origin demanded.

    Raises:
        Malformed: not a checkpoint.
        EvidenceRefused: KEY_UNKNOWN, SIGNATURE_INVALID, ORIGIN_MISMATCH.
    """
    checkpoint = parse_checkpoint_text(verify_note(parse_note(raw), log_key))
    # The signature covers the origin, so this stops one log's head from standing for another's
    # where two logs share a key.
    if checkpoint.origin != log_key.name:
        raise EvidenceRefused(EvidenceReason.ORIGIN_MISMATCH)
    return ProvenCheckpoint(
        origin=checkpoint.origin,
        head=checkpoint.head,
        extensions=checkpoint.extensions,
        key=log_key,
    )
