"""The stand-alone verifier of receipts, proofs, checkpoints and whole logs.

Written from RFC 6962, RFC 9162 and the C2SP texts, and from nothing else: it shares no line with
the writer of the log, so that each checks the other. Needs the standard library and `cryptography`;
touches no network and reads no environment, no clock, no time.

Run it as `python -m hutong.evidence`. Unproven things are `Receipt` and `Note`; proven ones are
`ProvenReceipt`, `ProvenCheckpoint` and `LogReport`, and only a `verify_` function makes them.
"""

from __future__ import annotations

from hutong.evidence.checkpoint import ProvenCheckpoint, verify_checkpoint
from hutong.evidence.commitment import Opening, commitment, verify_opening
from hutong.evidence.merkle import TreeHead, leaf_hash, verify_consistency, verify_inclusion
from hutong.evidence.note import LogKey, build_log_key, encode_log_key, parse_log_key
from hutong.evidence.reasons import (
    EvidenceError,
    EvidenceReason,
    EvidenceRefused,
    Malformed,
    Outcome,
    Unreadable,
)
from hutong.evidence.receipt import Expected, Provenance, ProvenReceipt, Receipt, verify_receipt
from hutong.evidence.receipt_file import (
    encode_receipt,
    encode_tlog_proof,
    parse_receipt,
    parse_tlog_proof,
)
from hutong.evidence.whole_log import Finding, LogReport, examine_log, verify_log

__all__ = [
    "EvidenceError",
    "EvidenceReason",
    "EvidenceRefused",
    "Expected",
    "Finding",
    "LogKey",
    "LogReport",
    "Malformed",
    "Opening",
    "Outcome",
    "ProvenCheckpoint",
    "ProvenReceipt",
    "Provenance",
    "Receipt",
    "TreeHead",
    "Unreadable",
    "build_log_key",
    "commitment",
    "encode_log_key",
    "encode_receipt",
    "encode_tlog_proof",
    "examine_log",
    "leaf_hash",
    "parse_log_key",
    "parse_receipt",
    "parse_tlog_proof",
    "verify_checkpoint",
    "verify_consistency",
    "verify_inclusion",
    "verify_log",
    "verify_opening",
    "verify_receipt",
]
