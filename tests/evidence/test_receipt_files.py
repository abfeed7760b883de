"""The two files a receipt travels in: one accepted spelling of everything they carry."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.evidence import (
    EvidenceRefused,
    Malformed,
    Opening,
    Receipt,
    encode_receipt,
    encode_tlog_proof,
    parse_receipt,
    parse_tlog_proof,
    verify_receipt,
)
from hutong.evidence.receipt_file import parse_consistency_proof
from tests.evidence.synthetic_log import ANSWER, REQUEST, salt_of

if TYPE_CHECKING:
    from tests.evidence.synthetic_log import Signer, SyntheticLog

NUMBER, INDEX = 4, 9  # the answer of exchange 4


def test_any_flipped_bit_of_a_receipt_file_is_refused(log: SyntheticLog, signer: Signer) -> None:
    """There is no bit of a receipt file that could have been another."""
    raw = encode_receipt(log.receipt(INDEX, NUMBER))
    held = []

    for bit in range(len(raw) * 8):
        spoiled = bytearray(raw)
        spoiled[bit // 8] ^= 1 << bit % 8
        try:
            verify_receipt(
                parse_receipt(bytes(spoiled)),
                signer.log_key,
                request_payload=REQUEST,
                answer_body=ANSWER,
            )
        except (Malformed, EvidenceRefused):
            continue
        held.append(bit)

    assert held == []


def test_receipt_file_is_read_as_it_was_written(log: SyntheticLog) -> None:
    """Writing and reading a receipt file are inverses."""
    for index in range(len(log.entries)):
        receipt = log.receipt(index, 0)
        assert parse_receipt(encode_receipt(receipt)) == receipt


def test_tlog_proof_carries_entry_and_proof_but_no_openings(log: SyntheticLog) -> None:
    """A tlog-proof is the receipt without what is for the parties alone."""
    receipt = log.receipt(INDEX, NUMBER)

    written = encode_tlog_proof(receipt)

    assert parse_tlog_proof(written) == dataclasses.replace(receipt, openings=())
    assert b"request" not in written


def test_tlog_proof_takes_its_entry_from_the_caller(log: SyntheticLog) -> None:
    """The `extra` line is optional; an entry given wins over it."""
    receipt = dataclasses.replace(log.receipt(INDEX, NUMBER), openings=())
    lines = encode_tlog_proof(receipt).split(b"\n")

    without = b"\n".join([lines[0], *lines[2:]])

    assert parse_tlog_proof(without, receipt.entry) == receipt
    with pytest.raises(Malformed, match="no entry"):
        parse_tlog_proof(without)


HEADER = b"c2sp.org/tlog-proof@v1\n"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"wrong-header\nindex 0\n\ncheckpoint\n",
        HEADER + b"extra !!notbase64!!\nindex 0\n\ncheckpoint\n",
        HEADER + b"\n\ncheckpoint\n",
        HEADER + b"extra AA==\n\ncheckpoint\n",
        HEADER + b"index notanumber\n\ncheckpoint\n",
        HEADER + b"index -5\n\ncheckpoint\n",
        HEADER + b"index 00\n\ncheckpoint\n",
        HEADER + b"index 0\n!!notbase64!!\n\ncheckpoint\n",
        HEADER + b"index 0\n" + b"A" * 86 + b"==\n\ncheckpoint\n",
        HEADER + b"index 0\n" + (b"A" * 43 + b"=\n") * 65 + b"\ncheckpoint\n",
        HEADER + b"index 0\ncheckpoint\n",
        HEADER.replace(b"v1", b"v2") + b"index 0\n\ncheckpoint\n",
        HEADER + b"extra " + b"A" * 4000 + b"\nindex 0\n\ncheckpoint\n",
        HEADER + b"index 0\n\n" + b"x" * 140_000,
    ],
)
def test_tlog_proof_in_another_spelling_is_malformed(raw: bytes) -> None:
    """The published error cases of tlog-proof, and a few more."""
    with pytest.raises(Malformed):
        parse_tlog_proof(raw, None if b"extra" in raw else b"{}")


def changed_file(log: SyntheticLog, **members: object) -> bytes:
    """A receipt file with some members changed."""
    value = json.loads(encode_receipt(log.receipt(INDEX, NUMBER)))
    return json.dumps(value | members).encode()


HASH = "A" * 43 + "="
SPOILED_OPENINGS: list[object] = [
    [1],
    [{"member": "request", "salt": HASH}],
    [{"member": "Request", "salt": HASH, "value": ""}],
    [{"member": 1, "salt": HASH, "value": ""}],
    [{"member": "request", "salt": "AA==", "value": ""}],
    [{"member": "request", "salt": HASH, "value": "A"}],
    [{"member": "officer", "salt": HASH, "value": "A" * 8_000}],
    [{"member": "request", "salt": HASH, "value": ""}] * 2,
    [{"member": "request", "salt": HASH, "value": ""}] * 33,
]


@pytest.mark.parametrize(
    "members",
    [
        {"more": 1},
        {"index": -1},
        {"index": True},
        {"index": "1"},
        {"index": 1.0},
        {"index": 2**63},
        {"entry": 1},
        {"entry": "AA"},
        {"entry": "A" * 4_000},
        {"inclusion_proof": {}},
        {"inclusion_proof": [1]},
        {"inclusion_proof": ["AA=="]},
        {"inclusion_proof": [HASH] * 65},
        {"checkpoint": 1},
        {"checkpoint": "\ud800"},
        {"checkpoint": "x" * 140_000},
        *({"openings": spoiled} for spoiled in SPOILED_OPENINGS),
    ],
)
def test_receipt_file_with_a_spoiled_member_is_malformed(
    log: SyntheticLog, members: dict[str, object]
) -> None:
    """A receipt file has exactly its members, each in its form and bounds."""
    with pytest.raises(Malformed):
        parse_receipt(changed_file(log, **members))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"\xff",
        b"{",
        b'{"index":1,"index":1}',
        b'{"index":1e400}',
        b'{"index":NaN}',
        b'{"index":' + b"9" * 5_000 + b"}",
        b"[" * 100_000,
        b" " * 1_100_000,
    ],
)
def test_bytes_that_are_no_receipt_file_are_malformed(raw: bytes) -> None:
    """Repeated names, huge numbers and deep nesting never reach a judgement."""
    with pytest.raises(Malformed):
        parse_receipt(raw)


def test_receipt_that_could_not_be_read_again_is_not_written(log: SyntheticLog) -> None:
    """The writer refuses what its reader would."""
    receipt = dataclasses.replace(
        log.receipt(INDEX, NUMBER),
        openings=(Opening(member="request", salt=salt_of("any"), value=b""),),
    )

    with pytest.raises(Malformed, match="cannot be written"):
        encode_receipt(receipt)


@pytest.mark.parametrize("raw", [b"{}", b"[1]", b'["AA=="]', b"nothing"])
def test_spoiled_consistency_proof_is_malformed(raw: bytes) -> None:
    """A consistency proof is a JSON list of hashes."""
    with pytest.raises(Malformed):
        parse_consistency_proof(raw)


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_malformed_receipts(raw: bytes) -> None:
    """No bytes make the parsers fail in another way."""
    for parse in (parse_receipt, parse_tlog_proof):
        with pytest.raises(Malformed):
            parse(raw)


@given(st.binary(max_size=2_048), st.integers(0, 2**53 - 1), st.data())
def test_any_receipt_is_read_as_it_was_written(
    entry: bytes, index: int, data: st.DataObject
) -> None:
    """Writing and reading are inverses for every receipt in bounds."""
    hashes = st.lists(st.binary(min_size=32, max_size=32), max_size=64)
    receipt = Receipt(
        entry=entry,
        index=index,
        inclusion_proof=tuple(data.draw(hashes)),
        checkpoint=data.draw(st.text(st.characters(exclude_categories=["Cs"]))).encode(),
        openings=(
            Opening(
                member="officer",
                salt=data.draw(st.binary(min_size=32, max_size=32)),
                value=data.draw(st.binary(max_size=64)),
            ),
        ),
    )

    assert parse_receipt(encode_receipt(receipt)) == receipt
