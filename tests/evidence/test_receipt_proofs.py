"""What one receipt proves, and every way it can fail to."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from hutong.evidence import (
    EvidenceReason,
    EvidenceRefused,
    Expected,
    Malformed,
    Opening,
    Outcome,
    Provenance,
    commitment,
    verify_opening,
    verify_receipt,
)
from hutong.evidence.reasons import MEANINGS
from tests.evidence.synthetic_log import ANSWER, REQUEST, committed, salt_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.evidence.synthetic_log import Signer, SyntheticLog

NUMBER, INDEX = 4, 9  # the answer of exchange 4


def reason_of(call: Callable[[], object]) -> EvidenceReason:
    """The reason a call is refused with."""
    with pytest.raises(EvidenceRefused) as caught:
        call()
    return caught.value.reason


def test_whole_receipt_proves_request_and_answer(log: SyntheticLog, signer: Signer) -> None:
    """With both bytes given, everything a receipt can prove is proven and named."""
    receipt = log.receipt(INDEX, NUMBER)

    proven = verify_receipt(
        receipt,
        signer.log_key,
        request_payload=REQUEST,
        commitment_salt=salt_of(f"request {NUMBER}"),
        answer_body=ANSWER,
        expected=Expected(
            request_id=bytes.fromhex(f"{NUMBER:032x}"),
            item=0,
            kinds=frozenset({"answer"}),
            known_size=5,
        ),
    )

    assert proven.provenance == Provenance(
        checkpoint_signed=True,
        entry_included=True,
        exchange_expected=True,
        request_bound=True,
        answer_bound=True,
        opened=("relation",),
    )
    assert (proven.entry.kind, proven.checkpoint.head.size) == ("answer", len(log.entries))


def test_receipt_alone_proves_inclusion_and_says_no_more(log: SyntheticLog, signer: Signer) -> None:
    """Without request and answer, the provenance names neither."""
    proven = verify_receipt(log.receipt(INDEX, NUMBER), signer.log_key)

    assert not proven.provenance.request_bound
    assert not proven.provenance.answer_bound
    assert not proven.provenance.exchange_expected


def test_every_entry_of_the_log_has_a_provable_receipt(log: SyntheticLog, signer: Signer) -> None:
    """Inclusion holds for every kind of entry."""
    for index in range(len(log.entries)):
        receipt = dataclasses.replace(log.receipt(index, 0), openings=())
        assert verify_receipt(receipt, signer.log_key).index == index


def test_salt_of_the_receipt_serves_where_the_requester_gives_none(
    log: SyntheticLog, signer: Signer
) -> None:
    """The opening of the request carries its salt."""
    receipt = log.receipt(INDEX, NUMBER)

    proven = verify_receipt(receipt, signer.log_key, request_payload=REQUEST)

    assert proven.provenance.request_bound


def test_other_request_is_refused(log: SyntheticLog, signer: Signer) -> None:
    """The request commitment is of the exact bytes."""
    receipt = log.receipt(INDEX, NUMBER)

    reason = reason_of(
        lambda: verify_receipt(receipt, signer.log_key, request_payload=REQUEST + b"\x00")
    )

    assert reason is EvidenceReason.REQUEST_MISMATCH


def test_other_answer_is_refused(log: SyntheticLog, signer: Signer) -> None:
    """The answer commitment is of the exact bytes."""
    receipt = log.receipt(INDEX, NUMBER)

    reason = reason_of(lambda: verify_receipt(receipt, signer.log_key, answer_body=b""))

    assert reason is EvidenceReason.ANSWER_MISMATCH


def test_salt_other_than_the_requesters_is_refused(log: SyntheticLog, signer: Signer) -> None:
    """A receipt that states another salt than the requester chose is not about his request."""
    receipt = log.receipt(INDEX, NUMBER)

    reason = reason_of(
        lambda: verify_receipt(receipt, signer.log_key, commitment_salt=salt_of("mine"))
    )

    assert reason is EvidenceReason.REQUEST_MISMATCH


def test_short_salt_is_malformed(log: SyntheticLog, signer: Signer) -> None:
    """A salt is 32 bytes."""
    with pytest.raises(Malformed):
        verify_receipt(log.receipt(INDEX, NUMBER), signer.log_key, commitment_salt=b"short")


def test_missing_salt_cannot_tell(log: SyntheticLog, signer: Signer) -> None:
    """Without a salt the bytes cannot be compared; that is no proof of tampering."""
    receipt = dataclasses.replace(log.receipt(INDEX, NUMBER), openings=())

    with pytest.raises(EvidenceRefused) as caught:
        verify_receipt(receipt, signer.log_key, answer_body=ANSWER)

    assert caught.value.reason is EvidenceReason.SALT_ABSENT
    assert caught.value.outcome is Outcome.CANNOT_TELL


def test_answer_for_an_entry_without_answer_is_refused(log: SyntheticLog, signer: Signer) -> None:
    """An ask commits to no answer."""
    receipt = dataclasses.replace(
        log.receipt(INDEX - 1, NUMBER),
        openings=(Opening(member="answer", salt=salt_of("any"), value=None),),
    )

    reason = reason_of(lambda: verify_receipt(receipt, signer.log_key, answer_body=ANSWER))

    assert reason is EvidenceReason.COMMITMENT_ABSENT


@pytest.mark.parametrize(
    ("opening", "reason"),
    [
        (
            Opening(member="relation", salt=salt_of(f"relation {NUMBER}"), value=b"same name"),
            EvidenceReason.OPENING_MISMATCH,
        ),
        (
            Opening(member="relation", salt=salt_of("another"), value=b"none"),
            EvidenceReason.OPENING_MISMATCH,
        ),
        (
            Opening(member="officer", salt=salt_of("another"), value=b"none"),
            EvidenceReason.COMMITMENT_ABSENT,
        ),
        (
            Opening(member="state", salt=salt_of("another"), value=b"none"),
            EvidenceReason.ENTRY_MALFORMED,
        ),
        (
            Opening(member="ask", salt=salt_of("another"), value=b"none"),
            EvidenceReason.ENTRY_MALFORMED,
        ),
    ],
)
def test_opening_that_opens_nothing_is_refused(
    log: SyntheticLog, signer: Signer, opening: Opening, reason: EvidenceReason
) -> None:
    """Every opening with a value must open a commitment of the entry."""
    receipt = dataclasses.replace(log.receipt(INDEX, NUMBER), openings=(opening,))

    assert reason_of(lambda: verify_receipt(receipt, signer.log_key)) is reason


@pytest.mark.parametrize(
    "expected",
    [
        Expected(request_id=bytes(15) + b"\x05"),
        Expected(item=1),
        Expected(kinds=frozenset({"refuse"})),
    ],
)
def test_receipt_of_another_exchange_is_refused(
    log: SyntheticLog, signer: Signer, expected: Expected
) -> None:
    """A replayed receipt is true, and about something else."""
    receipt = log.receipt(INDEX, NUMBER)

    reason = reason_of(lambda: verify_receipt(receipt, signer.log_key, expected=expected))

    assert reason is EvidenceReason.EXCHANGE_MISMATCH


def test_checkpoint_older_than_known_is_refused(log: SyntheticLog, signer: Signer) -> None:
    """A log that shrank since the holder last saw it was rolled back."""
    expected = Expected(known_size=len(log.entries) + 1)

    reason = reason_of(
        lambda: verify_receipt(log.receipt(INDEX, NUMBER), signer.log_key, expected=expected)
    )

    assert reason is EvidenceReason.CHECKPOINT_STALE


@pytest.mark.parametrize(
    "raw", [b"not json", b'{"v":1, "kind":"tick"}', b'{"v":1}', b'{"\\ud800":1}']
)
def test_included_bytes_that_are_no_entry_are_refused(
    log: SyntheticLog, signer: Signer, raw: bytes
) -> None:
    """A log may not sign what is no entry."""
    log.entries.append(raw)
    log.sign()
    receipt = dataclasses.replace(log.receipt(len(log.entries) - 1, 0), openings=())

    reason = reason_of(lambda: verify_receipt(receipt, signer.log_key))

    assert reason is EvidenceReason.ENTRY_MALFORMED


def test_commitment_is_spelled_as_designed() -> None:
    """SHA-256(tag, 0x00, salt, value), the tag naming the member."""
    salt = salt_of("any")

    made = commitment("officer", salt, b"value")

    assert made.hex() == committed("officer", salt, b"value")
    assert verify_opening(made, "officer", salt, b"value") == b"value"


@pytest.mark.parametrize("member", ["", "Officer", "a/b", "a" * 33, "1a", "\u0430"])
def test_member_with_another_name_has_no_commitment(member: str) -> None:
    """A tag cannot be made to run into salt or value."""
    with pytest.raises(Malformed):
        commitment(member, salt_of("any"), b"")


def test_short_salt_makes_no_commitment() -> None:
    """A salt is 32 bytes, so salt and value cannot trade places."""
    with pytest.raises(Malformed):
        commitment("officer", bytes(31), b"\x00value")


def test_every_reason_has_a_meaning_in_both_languages() -> None:
    """The closed list is told completely."""
    assert set(MEANINGS) == set(EvidenceReason)
    assert all(meaning.zh and meaning.en for meaning in MEANINGS.values())
    assert all(meaning.outcome is not Outcome.PROVEN for meaning in MEANINGS.values())
