r"""The two files a receipt travels in: our JSON file and the C2SP tlog-proof.

Knows how receipts are spelled, not whether they hold.

A JSON file carries everything:

    {"checkpoint": "example.com/log\\n1\\n...", "entry": "<base64>", "inclusion_proof": [],
     "index": 0, "openings": [{"member": "request", "salt": "<base64>", "value": ""}]}

`value` is empty where the holder has the bytes himself (`request`, `answer`). Space between tokens
and the order of names are free in this file, because nothing signs it; whatever it carries has one
spelling.

A tlog-proof (c2sp.org/tlog-proof@v1) carries index, proof and checkpoint; the entry's bytes stand
in its `extra` line, and the openings, which are for the parties alone, are left out.
"""

from __future__ import annotations

import json
from typing import Final

from hutong.evidence.commitment import SALT_BYTES, Opening, require_member_name
from hutong.evidence.entry import MAX_ENTRY_BYTES
from hutong.evidence.merkle import MAX_PROOF_HASHES
from hutong.evidence.note import MAX_NOTE_BYTES
from hutong.evidence.reasons import Malformed
from hutong.evidence.receipt import ANSWER, REQUEST, Receipt
from hutong.evidence.spelling import (
    JsonValue,
    encode_base64,
    parse_base64,
    parse_hash,
    parse_json,
    parse_number,
    parse_utf8,
)

# A note of full size, an entry, 64 hashes, 32 openings of values: together below this.
MAX_FILE_BYTES: Final = 1_048_576
MAX_OPENINGS: Final = 32
# Values opened are identifiers, numbers of cases, ids of rules: never documents.
MAX_OPENED_BYTES: Final = 4_096
PROOF_HEADER: Final = "c2sp.org/tlog-proof@v1"
_RECEIPT_MEMBERS: Final = {"checkpoint", "entry", "inclusion_proof", "index", "openings"}
_OPENING_MEMBERS: Final = {"member", "salt", "value"}


def parse_receipt(raw: bytes) -> Receipt:
    """Reads a receipt file.

    Raises:
        Malformed: not JSON, other members, a size out of bounds, another spelling.
    """
    value = parse_json(parse_utf8(raw, "receipt", MAX_FILE_BYTES), "receipt")
    members = _require_members(value, _RECEIPT_MEMBERS, "receipt")
    index = members["index"]
    if not isinstance(index, int) or isinstance(index, bool) or index < 0:
        raise Malformed("index is not a number")
    hashes = _require_list(members["inclusion_proof"], MAX_PROOF_HASHES, "inclusion proof")
    listed = _require_list(members["openings"], MAX_OPENINGS, "openings")
    openings = tuple(_parse_opening(item) for item in listed)
    # With two openings of one member, two readers could each be shown another value.
    if len({opening.member for opening in openings}) != len(openings):
        raise Malformed("a member is opened twice")
    return Receipt(
        entry=_require_entry(parse_base64(_require_text(members["entry"], "entry"), "entry")),
        index=index,
        inclusion_proof=tuple(parse_hash(_require_text(h, "hash"), "hash") for h in hashes),
        checkpoint=_require_checkpoint(_require_text(members["checkpoint"], "checkpoint")),
        openings=openings,
    )


def encode_receipt(receipt: Receipt) -> bytes:
    """Writes a receipt file, the inverse of `parse_receipt`.

    Raises:
        Malformed: the checkpoint is not UTF-8, or the receipt would not be read again.
    """
    written = json.dumps(
        {
            "checkpoint": parse_utf8(receipt.checkpoint, "checkpoint", MAX_NOTE_BYTES),
            "entry": encode_base64(receipt.entry),
            "inclusion_proof": [encode_base64(h) for h in receipt.inclusion_proof],
            "index": receipt.index,
            "openings": [
                {
                    "member": opening.member,
                    "salt": encode_base64(opening.salt),
                    "value": encode_base64(opening.value or b""),
                }
                for opening in receipt.openings
            ],
        },
        ensure_ascii=False,
        indent=2,
    ).encode("utf-8")
    # Read back at once: evidence is needed years later, when nobody can write it anew.
    if parse_receipt(written) != receipt:
        raise Malformed("receipt cannot be written")
    return written


def parse_tlog_proof(raw: bytes, entry: bytes | None = None) -> Receipt:
    """Reads a tlog-proof file; the entry comes from its `extra` line or from the caller.

    Sample: `c2sp.org/tlog-proof@v1`, `extra <base64>`, `index 73894`, one hash per line, an empty
    line, the checkpoint.

    Raises:
        Malformed: another spelling, or no entry.
    """
    head, separator, checkpoint = parse_utf8(raw, "proof", MAX_FILE_BYTES).partition("\n\n")
    lines = head.split("\n")
    if not separator or lines.pop(0) != PROOF_HEADER:
        raise Malformed("proof does not start with its header")
    carried = None
    if lines and lines[0].startswith("extra "):
        carried = parse_base64(lines.pop(0).removeprefix("extra "), "extra")
    if not lines or not lines[0].startswith("index "):
        raise Malformed("proof has no index")
    index = parse_number(lines.pop(0).removeprefix("index "), "index")
    if len(lines) > MAX_PROOF_HASHES:
        raise Malformed("inclusion proof is too long")
    # Bytes the caller holds himself win, so that the proof is judged for those and no others.
    found = entry if entry is not None else carried
    if found is None:
        raise Malformed("proof carries no entry")
    return Receipt(
        entry=_require_entry(found),
        index=index,
        inclusion_proof=tuple(parse_hash(line, "hash") for line in lines),
        checkpoint=_require_checkpoint(checkpoint),
    )


def encode_tlog_proof(receipt: Receipt) -> bytes:
    """Writes a tlog-proof file; openings are left out, because the file may be shown to anyone.

    Raises:
        Malformed: the checkpoint is not UTF-8.
    """
    lines = [
        PROOF_HEADER,
        f"extra {encode_base64(receipt.entry)}",
        f"index {receipt.index}",
        *(encode_base64(h) for h in receipt.inclusion_proof),
    ]
    checkpoint = parse_utf8(receipt.checkpoint, "checkpoint", MAX_NOTE_BYTES)
    return ("\n".join(lines) + "\n\n" + checkpoint).encode("utf-8")


def parse_consistency_proof(raw: bytes) -> tuple[bytes, ...]:
    """Reads a consistency proof: a JSON list of hashes in base64, in the order of RFC 6962 2.1.2.

    Raises:
        Malformed: not such a list.
    """
    value = parse_json(parse_utf8(raw, "proof", MAX_FILE_BYTES), "proof")
    hashes = _require_list(value, MAX_PROOF_HASHES, "consistency proof")
    return tuple(parse_hash(_require_text(h, "hash"), "hash") for h in hashes)


def _parse_opening(value: JsonValue) -> Opening:
    members = _require_members(value, _OPENING_MEMBERS, "opening")
    member = require_member_name(_require_text(members["member"], "member"))
    salt = parse_base64(_require_text(members["salt"], "salt"), "salt")
    opened = parse_base64(_require_text(members["value"], "value"), "value")
    if len(salt) != SALT_BYTES:
        raise Malformed(f"salt is not {SALT_BYTES} bytes")
    if len(opened) > MAX_OPENED_BYTES:
        raise Malformed(f"opened value is larger than {MAX_OPENED_BYTES} bytes")
    # Any other member may be opened to an empty value, which is a value and is compared.
    with_holder = member in {REQUEST, ANSWER} and not opened
    return Opening(member=member, salt=salt, value=None if with_holder else opened)


def _require_members(value: JsonValue, names: set[str], what: str) -> dict[str, JsonValue]:
    # Exactly these: a member that is not understood would seem proven along with the others.
    if not isinstance(value, dict) or set(value) != names:
        raise Malformed(f"{what} does not have exactly its members")
    return value


def _require_list(value: JsonValue, limit: int, what: str) -> list[JsonValue]:
    if not isinstance(value, list) or len(value) > limit:
        raise Malformed(f"{what} is not a list of at most {limit}")
    return value


def _require_text(value: JsonValue, what: str) -> str:
    if not isinstance(value, str):
        raise Malformed(f"{what} is not a string")
    return value


def _require_entry(raw: bytes) -> bytes:
    if len(raw) > MAX_ENTRY_BYTES:
        raise Malformed(f"entry is larger than {MAX_ENTRY_BYTES} bytes")
    return raw


def _require_checkpoint(text: str) -> bytes:
    try:
        raw = text.encode("utf-8")
    except UnicodeEncodeError as cause:
        raise Malformed("checkpoint is not text") from cause
    if len(raw) > MAX_NOTE_BYTES:
        raise Malformed(f"checkpoint is larger than {MAX_NOTE_BYTES} bytes")
    return raw
