"""Jobs and what they yield cross between two processes unchanged."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.port import (
    DatasetName,
    DatasetShape,
    Effect,
    EffectKind,
    EndUser,
    FieldName,
    FieldShape,
    Finding,
    Grant,
    Indeterminate,
    Query,
    Subject,
    SubjectType,
    Untold,
)
from certs.identity import SystemId
from certs.private_key import generate_private_key
from certs.suites import Suite
from gateway.compute.apart import _Answer
from gateway.compute.port import Asserted, FetchJob, Opened
from gateway.compute.protocol import Begin, Ending, encode_begin, parse_begin
from gateway.compute.wire_calls import encode_opened, parse_opened
from gateway.compute.wire_records import (
    encode_fetch,
    encode_minimised,
    encode_told,
    parse_fetch,
    parse_minimised,
    parse_told,
)
from gateway.distrust import Distrusted, Minimised, Proven
from gateway.frames import FrameReader, encode_frame
from gateway.statement.answer import FieldOutcome
from gateway.statement.values import DatasetQuery, Header, Purpose, Statement
from signing.assertion import AssertionClaims, AuthorizationDetail, Staff

HEADER = Header(
    request_id=b"r" * 16,
    sender=SystemId("A/one"),
    receiver=SystemId("B/two"),
    method="/m",
    issued_at_ms=1,
    expires_at_ms=2,
    commitment_salt=b"s" * 32,
    retries=b"q" * 16,
)
STATEMENT = Statement(
    header=HEADER,
    purpose=Purpose(matter="M2", legal_basis="法", case_number="C-1", officer_assertion="a.b.c"),
    subject=Subject(type=SubjectType.RESIDENT_ID, identifier="1", full_name="张三"),
    queries=(
        DatasetQuery(
            agreement="XY-1",
            dataset=DatasetName("hr.participation@1"),
            fields=(FieldName("state"), FieldName("first_date")),
            claims={"card_no": "X1"},
        ),
        DatasetQuery(agreement="XY-2", dataset=DatasetName("edu.diploma@1"), fields=(), claims={}),
    ),
    pending_request_id=b"p" * 16,
)
ASSERTED = Asserted(
    keyid="0f" * 16,
    claims=AssertionClaims(
        issuer="A",
        audience="B/two",
        request_id=b"r" * 16,
        thumbprint=b"t" * 32,
        issued_at_s=3,
        expires_at_s=4,
        staff=Staff(
            token="t",
            role="r",
            unit="u",
            unit_code="c",
            level="l",
            division="d",
            call_reason="w",
            name="n",
            identifier="i",
        ),
        details=(
            AuthorizationDetail(
                agreement="XY-1",
                dataset="hr.participation@1",
                matter="M2",
                case="C-1",
                fields=("state",),
                subject_digest=b"d" * 32,
            ),
        ),
    ),
)
QUERY = Query(
    request_id=b"r" * 16,
    item=3,
    audience=SystemId("A/one"),
    dataset=DatasetShape(
        name=DatasetName("hr.participation@1"),
        fields=(FieldShape(name=FieldName("state"), type="str", when_absent=Finding.NO),),
    ),
    subject=STATEMENT.subject,
    grants=(
        Grant(field=FieldName("state"), effect=Effect(kind=EffectKind.MASK, parameters=("3", "4"))),
        Grant(
            field=FieldName("x"), effect=Effect(kind=EffectKind.PSEUDONYM), pseudonym_key=b"k" * 32
        ),
    ),
    claims={"card_no": "X1"},
    matter="M2",
    case_number="C-1",
    end_user=EndUser(name="n", identifier="i", unit="u", unit_code="c", call_reason="w"),
    tell_not_found=True,
    issued_at_ms=5,
    deadline=6.5,
    by_officer=True,
    pending_request_id=b"p" * 16,
    request_envelope=b"envelope",
)


@pytest.mark.parametrize(
    "opened",
    [
        Opened(keyid="k", payload=b"p"),
        Opened(keyid="k", payload=b"p", header=HEADER),
        Opened(keyid="k", payload=b"p", header=HEADER, statement=STATEMENT),
        Opened(keyid="k", payload=b"p", header=HEADER, statement=STATEMENT, asserted=ASSERTED),
    ],
)
def test_an_opened_call_crosses_unchanged(opened: Opened) -> None:
    """Whatever is proven arrives, and what is not stays absent."""
    assert parse_opened(encode_opened(opened)) == opened


def test_a_query_crosses_without_the_requesters_envelope() -> None:
    """The department beside the gateway judges nothing for itself, so it is not sent."""
    job = FetchJob(query=QUERY, issuer="P", keys=(generate_private_key(Suite.ES256).public_key,))

    crossed = parse_fetch(encode_fetch(job))

    assert crossed.query == dataclasses.replace(QUERY, request_envelope=b"")
    assert (crossed.issuer, crossed.keys) == (job.issuer, job.keys)


def test_a_query_without_officer_and_name_crosses_unchanged() -> None:
    """What a system job lacks stays absent."""
    bare = dataclasses.replace(
        QUERY,
        subject=Subject(type=SubjectType.USCC, identifier="9"),
        grants=(),
        claims={},
        end_user=None,
        pending_request_id=None,
        request_envelope=b"",
    )

    assert parse_fetch(encode_fetch(FetchJob(query=bare, issuer="P", keys=()))).query == bare


KEPT = Minimised(record="r~", outcomes={FieldName("state"): FieldOutcome.VALUE}, dropped=1)


@pytest.mark.parametrize(
    "told",
    [
        Proven(keyid="k", found=True, kept=KEPT),
        Proven(keyid="k", found=False, kept=KEPT),
        Untold(reason=Indeterminate.PENDING, retry_after_s=2.5),
        Untold(reason=Indeterminate.PROVIDER_TIMEOUT),
    ],
)
def test_what_a_department_tells_crosses_unchanged(told: Untold | Proven) -> None:
    """Found, not found and untold stay three things."""
    assert parse_told(encode_told(told)) == told


def test_a_record_that_is_distrusted_crosses_with_its_cause() -> None:
    """Nothing of the record comes with it."""
    distrusted = Distrusted(Indeterminate.SUBJECT_MISMATCH, "wrong_subject")

    crossed = parse_told(encode_told(Proven(keyid="k", found=True, kept=distrusted)))

    assert isinstance(crossed, Proven)
    assert isinstance(crossed.kept, Distrusted)
    assert (crossed.keyid, crossed.found) == ("k", True)
    assert (crossed.kept.reason, crossed.kept.cause) == (distrusted.reason, distrusted.cause)


@pytest.mark.parametrize("outcome", list(FieldOutcome))
def test_what_was_granted_crosses_unchanged(outcome: FieldOutcome) -> None:
    """Each outcome of a field arrives as itself."""
    kept = Minimised(record="r~", outcomes={FieldName("state"): outcome}, dropped=2)

    assert parse_minimised(encode_minimised(kept)) == kept


def test_the_first_message_crosses_unchanged() -> None:
    """Configuration, organisation and datasets arrive."""
    begin = Begin(config="{}", organisation="A", datasets=("d@1", "e@1"), keyids=("k",), form="f")

    assert parse_begin(encode_begin(begin)) == begin
    assert "{}" not in repr(begin)


@given(
    st.lists(st.lists(st.tuples(st.integers(0, 2**40), st.text(), st.binary()), min_size=1)),
    st.integers(1, 7),
)
def test_frames_are_put_together_from_any_pieces(
    frames: list[list[tuple[int, str, bytes]]], size: int
) -> None:
    """However the bytes are cut, the items arrive in order, each once."""
    carried = b"".join(map(encode_frame, frames))
    reader: FrameReader[tuple[int, str, bytes]] = FrameReader()

    found = [
        item
        for start in range(0, len(carried), size)
        for item in reader.feed(carried[start : start + size])
    ]

    assert found == [item for frame in frames for item in frame]


def test_what_comes_back_is_hidden_from_debuggers() -> None:
    """An answer of the second process holds personal data; its repr holds none."""
    answer = _Answer(ending=Ending.DONE, data=b"CANARY")

    assert "CANARY" not in repr(answer)
