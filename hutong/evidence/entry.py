"""Log entries: canonical JSON (RFC 8785), read and never written.

Knows the members a verifier judges and leaves the others alone, so that an entry may tell more than
this program understands. Knows no tree.

INVARIANT: `parse_entry(raw).raw == raw`, and `raw` is the only spelling of what it says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hutong.evidence.commitment import require_member_name
from hutong.evidence.reasons import EvidenceReason, EvidenceRefused, Malformed
from hutong.evidence.spelling import (
    HASH_BYTES,
    JsonValue,
    encode_canonical_json,
    parse_hex,
    parse_json,
    parse_utf8,
)

MAX_ENTRY_BYTES: Final = 2_048  # Receipt.entry in accesslog.proto
ENTRY_VERSION: Final = 1
REQUEST_ID_BYTES: Final = 16  # RequestHeader.request_id in envelope.proto
MAX_ITEM: Final = 2**32 - 1  # uint32 item in envelope.proto

# Kinds that carry an exchange, and the others a log of version 1 may hold.
EXCHANGE_KINDS: Final = frozenset({"ask", "answer", "refuse"})
OTHER_KINDS: Final = frozenset(
    {
        "subjects",
        "view",
        "tick",
        "admin",
        "policy",
        "key",
        "case",
        "reveal",
        "hold",
        "prune",
        "suppress",
    }
)
# A kind this program does not know is still counted and told, so its name is bounded here.
_MAX_KIND_LENGTH: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One log entry: the members every kind has, and all members as they stand."""

    raw: bytes
    kind: str
    time_ms: int
    node: str
    members: dict[str, JsonValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """Which exchange an entry speaks of: request id, item, and the commitment to the request."""

    request_id: bytes | None
    item: int
    request: bytes | None


def parse_entry(raw: bytes) -> Entry:
    """Reads one entry.

    Sample: `{"kind":"tick","node":"gw-1","queue":0,"size":7,"ts":1700000000000,"v":1}`.

    Raises:
        Malformed: larger than 2,048 bytes, not canonical JSON, another version, a common member
            missing.
    """
    value = parse_json(parse_utf8(raw, "entry", MAX_ENTRY_BYTES), "entry")
    # Re-encoded and compared: were two spellings accepted, one exchange could stand in the log
    # twice under different leaf hashes.
    if not isinstance(value, dict) or encode_canonical_json(value) != raw:
        raise Malformed("entry is not canonical JSON")
    version, kind = value.get("v"), value.get("kind")
    time_ms, node = value.get("ts"), value.get("node")
    # Python holds `true == 1`, so the type is asked for as well.
    if not _is_integer(version) or version != ENTRY_VERSION:
        raise Malformed("entry is of another version")
    if not isinstance(kind, str) or not 0 < len(kind) <= _MAX_KIND_LENGTH:
        raise Malformed("entry has no kind")
    if not isinstance(time_ms, int) or isinstance(time_ms, bool) or time_ms < 0:
        raise Malformed("entry has no time")
    if not isinstance(node, str) or not node:
        raise Malformed("entry names no node")
    return Entry(raw=raw, kind=kind, time_ms=time_ms, node=node, members=value)


def parse_exchange(entry: Entry) -> Exchange:
    """Reads which exchange an entry speaks of; a rolled-up refusal speaks of none.

    Raises:
        Malformed: request id, item or request commitment has another form.
    """
    item = entry.members.get("item", 0)
    if not isinstance(item, int) or isinstance(item, bool) or not 0 <= item <= MAX_ITEM:
        raise Malformed("entry has a malformed item")
    return Exchange(
        request_id=_parse_optional_hex(entry, "tx", REQUEST_ID_BYTES),
        item=item,
        request=_parse_optional_hex(entry, "request", HASH_BYTES),
    )


def parse_ask_index(entry: Entry) -> int | None:
    """Reads the index of the ask an entry closes, None where it names none.

    Raises:
        Malformed: an answer names none, or it is not an index.
    """
    index = entry.members.get("ask")
    # A request refused before it was admitted has no ask, and neither has a rolled-up refusal.
    if index is None and entry.kind != "answer":
        return None
    if not isinstance(index, int) or isinstance(index, bool) or index < 0:
        raise Malformed("entry has a malformed index of its ask")
    return index


def require_commitment(entry: Entry, member: str) -> bytes:
    """Returns the commitment an entry holds for a member.

    Raises:
        Malformed: the name is no member's name, or the member is not 32 bytes in hexadecimal.
        EvidenceRefused: COMMITMENT_ABSENT.
    """
    value = entry.members.get(require_member_name(member))
    if value is None:
        raise EvidenceRefused(EvidenceReason.COMMITMENT_ABSENT)
    if not isinstance(value, str):
        raise Malformed("commitment is not a string")
    return parse_hex(value, "commitment", HASH_BYTES)


def _parse_optional_hex(entry: Entry, member: str, length: int) -> bytes | None:
    value = entry.members.get(member)
    if value is None:
        return None
    if not isinstance(value, str):
        raise Malformed(f"entry has a malformed {member}")
    return parse_hex(value, member, length)


def _is_integer(value: JsonValue) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
