"""Verifies what the demo kept, after the gateway has ended, with the verifier that stands alone."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hutong.client import Receipt
from hutong.evidence import (
    EvidenceError,
    LogKey,
    Outcome,
    examine_log,
    parse_log_key,
    parse_receipt,
    verify_receipt,
)

_REQUEST: Final = "request"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proofs:
    """What the verifier says."""

    receipts: int
    failed: tuple[str, ...]
    """Why a receipt did not verify; holds no personal data."""
    log_outcome: Outcome
    log_size: int
    checkpoint: str

    @property
    def holds(self) -> bool:
        """Whether every receipt and the whole log verified."""
        return not self.failed and self.log_outcome is Outcome.PROVEN


def examine_proofs(
    receipts: tuple[Receipt, ...], checkpoint: bytes, log: Path, vkey: str
) -> Proofs:
    """Verify every receipt as a stranger would, then the whole log with all of them."""
    key = parse_log_key(vkey)
    failures = (_failure(receipt, key) for receipt in receipts)
    report = examine_log(log, key, [parse_receipt(each.encode()) for each in receipts])
    return Proofs(
        receipts=len(receipts),
        failed=tuple(failure for failure in failures if failure is not None),
        log_outcome=report.outcome,
        log_size=report.size,
        checkpoint=checkpoint.decode("utf-8"),
    )


def _failure(receipt: Receipt, key: LogKey) -> str | None:
    # What was refused before its header could be read commits to no request.
    bound = _REQUEST in receipt.proven.entry.members
    try:
        verify_receipt(
            parse_receipt(receipt.encode()),
            key,
            request_payload=receipt.request_payload if bound else None,
            commitment_salt=receipt.commitment_salt if bound else None,
            answer_body=receipt.answer_body,
        )
    except EvidenceError as error:
        return str(error)
    return None
