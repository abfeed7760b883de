"""The manifest beside each package: how many records, what they add up to, which bytes.

`{"file": "…_01.xml", "tranSeq": "…", "records": 2, "sum": "0.00", "size": 1843, "sm3": "…"}`
(docs/adapters/tax.md, section 3; SM3 is GB/T 32905).
"""

from decimal import Decimal
from typing import Final

from cryptography.hazmat.primitives.hashes import SM3, Hash

from adapters.errors import AnswerMalformed
from adapters.mapping.documents import parse_json_object
from signing.encoding import encode_canonical_json

MAX_MANIFEST: Final = 4096
"""Bytes (section 1)."""


def digest_of(octets: bytes) -> str:
    """Return the SM3 digest in lower-case hexadecimal."""
    digest = Hash(SM3())
    digest.update(octets)
    return digest.finalize().hex()


def encode_manifest(package: str, tran_seq: str, records: int, xml: bytes) -> bytes:
    """Return the manifest of a request, whose sum is always nothing."""
    return encode_canonical_json(
        {
            "file": f"{package}.xml",
            "tranSeq": tran_seq,
            "records": records,
            "sum": "0.00",
            "size": len(xml),
            "sm3": digest_of(xml),
        }
    )


def require_file(manifest: bytes, package: str, tran_seq: str, xml: bytes) -> tuple[int, str]:
    """Prove that a file is the one of its manifest; return records and sum, yet to be counted.

    Raises:
        AnswerMalformed: The manifest has another form, or is of another file.
    """
    members = parse_json_object(manifest)
    records, total = members.get("records"), members.get("sum")
    if isinstance(records, bool) or not isinstance(records, int) or not isinstance(total, str):
        raise AnswerMalformed("manifest has another form")
    ours = {
        "file": f"{package}.xml",
        "tranSeq": tran_seq,
        "records": records,
        "sum": total,
        "size": len(xml),
        "sm3": digest_of(xml),
    }
    if dict(members) != ours:
        raise AnswerMalformed("file is not the one of its manifest")
    return records, total


def require_counted(told: tuple[int, str], records: int, total: Decimal) -> None:
    """Prove that the records are those that were counted and added up.

    Raises:
        AnswerMalformed: Another number, or another sum.
    """
    # As text: `1.0` and `01.00` are spellings the manual does not have. Adding 0 turns -0 into 0.
    if told != (records, str(total + 0)):
        raise AnswerMalformed("records are not those that were counted")
