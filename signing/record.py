"""Records: what a source department signs about a subject, field by field (docs/records.md).

The one door to `record_form` (values), `record_issue` and `record_verify`.
"""

from signing.record_form import (
    MAX_RECORD,
    RECORD_TYPE,
    WITHHELD,
    Custody,
    DisclosedValue,
    Disclosure,
    RecordClaims,
    RecordExpectation,
    RecordState,
    VerifiedRecord,
    record_nonce,
)
from signing.record_issue import issue_record
from signing.record_verify import parse_record_keyid, present_record, verify_record

__all__ = [
    "MAX_RECORD",
    "RECORD_TYPE",
    "WITHHELD",
    "Custody",
    "DisclosedValue",
    "Disclosure",
    "RecordClaims",
    "RecordExpectation",
    "RecordState",
    "VerifiedRecord",
    "issue_record",
    "parse_record_keyid",
    "present_record",
    "record_nonce",
    "verify_record",
]
