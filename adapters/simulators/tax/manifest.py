"""The manifest beside a package: what must be true of the file (docs/adapters/tax.md, section 3).

{"file": "HRSS370000_2026110100000001_01.xml", "tranSeq": "2026110100000001",
 "records": 2, "sum": "0.00", "size": 1843, "sm3": "..."}
"""

import json

from adapters.simulators.tax.coding import sm3
from adapters.simulators.tax.money import yuan
from adapters.simulators.tax.names import PackageName
from adapters.simulators.tax.refusals import Code, Refused

LIMIT = 4 * 1024
"""Octets of a manifest."""


def write_manifest(name: PackageName, xml: bytes, *, records: int, cents: int) -> bytes:
    """Describe a file."""
    described = {
        "file": name.xml,
        "tranSeq": name.tran_seq,
        "records": records,
        "sum": yuan(cents),
        "size": len(xml),
        "sm3": sm3(xml),
    }
    return json.dumps(described).encode()


def check_manifest(manifest: bytes, name: PackageName, xml: bytes) -> int:
    """Compare a client's manifest with his file; return the records it claims.

    Raises:
        Refused: BAD_MANIFEST.
    """
    if len(manifest) > LIMIT:
        raise Refused(Code.BAD_MANIFEST)
    try:
        read = json.loads(manifest)
    except (ValueError, RecursionError) as cause:
        raise Refused(Code.BAD_MANIFEST) from cause
    if not isinstance(read, dict) or type(records := read.get("records")) is not int:
        raise Refused(Code.BAD_MANIFEST)
    # What it must read is computed; a request sums up to nothing.
    if read != json.loads(write_manifest(name, xml, records=records, cents=0)):
        raise Refused(Code.BAD_MANIFEST)
    return int(records)
