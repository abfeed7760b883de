"""Questions are judged before anything is signed, and signed in their one spelling."""

import dataclasses
from collections.abc import Callable

import pytest
from stdnum.iso7064 import mod_11_2

from certs.algorithms import Suite, generate_private_key
from hutong.client import (
    DatasetQuery,
    Identity,
    MatterQuestion,
    Officer,
    Purpose,
    Question,
    QuestionRefused,
    Staff,
    Subject,
    SubjectType,
)
from hutong.client.requests import Moment, build_exchange, build_receipt
from hutong.exchange.v1 import exchange_pb2
from signing.envelope import parse_envelope
from signing.signer import FileSigner
from signing.wire import parse_signed
from tests.client.synthetic_world import GATEWAY, PARTNER, PERSON

MOMENT = Moment(now_ms=1_795_000_000_123, known_size=0)


def _query(**members: object) -> Callable[[], object]:
    whole = {"agreement": "A-1", "dataset": "mca.marriage@1", "fields": ("is_married",)} | members
    return lambda: DatasetQuery(**whole)  # type: ignore[arg-type]  # the table gives wrong ones


def _purpose(**members: str) -> Callable[[], object]:
    whole = {"matter": "M2", "legal_basis": "第七条", "case_number": "C-1"} | members
    return lambda: Purpose(**whole)


def _matter(*datasets: str) -> Callable[[], object]:
    queries = tuple(
        DatasetQuery(agreement="A-1", dataset=each, fields=("is_married",)) for each in datasets
    )
    purpose = Purpose(matter="M2", legal_basis="第七条", case_number="C-1")
    return lambda: MatterQuestion(
        queries=queries, subject=Subject(identifier=PERSON), purpose=purpose
    )


WRONG: dict[str, Callable[[], object]] = {
    "a wrong check character": lambda: Subject(identifier=PERSON[:-1] + "1"),
    "too short": lambda: Subject(identifier=PERSON[:-1]),
    "other digits": lambda: Subject(identifier="1101051949123100٢X"),
    "no USCC": lambda: Subject(type=SubjectType.USCC, identifier="I" * 18),
    "a name too long": lambda: Subject(identifier=PERSON, full_name="李" * 61),
    "no field": _query(fields=()),
    "a field twice": _query(fields=("a", "a")),
    "too many fields": _query(fields=tuple(f"f{n}" for n in range(65))),
    "a field in capitals": _query(fields=("Name",)),
    "no dataset version": _query(dataset="mca.marriage"),
    "no agreement": _query(agreement=""),
    "too many claims": _query(claims={f"c{n}": "1" for n in range(17)}),
    "an empty claim": _query(claims={"c": ""}),
    "a claim too long": _query(claims={"c": "1" * 257}),
    "no matter": _purpose(matter=""),
    "no legal basis": _purpose(legal_basis=""),
    "a case number in Chinese": _purpose(case_number="办件一"),
    "no query": _matter(),
    "a dataset twice": _matter("a_.b@1".replace("_", "a"), "aa.b@1"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_question_that_cannot_be_asked_is_refused(what: str) -> None:
    """Nothing leaves the machine, and the text names the rule without the value."""
    with pytest.raises(QuestionRefused) as told:
        WRONG[what]()

    assert PERSON[:-1] not in str(told.value)


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        (PERSON.lower(), PERSON),
        ("110105491231002", PERSON),
    ],
)
def test_identifiers_are_normalised(given: str, normal: str) -> None:
    """The record is bound to the normal form: capitals, 18 characters."""
    subject = Subject(identifier=given)

    assert subject.identifier == normal
    assert mod_11_2.is_valid(subject.identifier)


def test_an_organisation_is_a_subject() -> None:
    """A unified social credit code stands as it is, in capitals."""
    subject = Subject(type=SubjectType.USCC, identifier="91370000ma3c1234x5")

    assert subject.identifier == "91370000MA3C1234X5"


def test_a_request_has_its_one_spelling(identity: Identity, question: Question) -> None:
    """What is signed passes the strict scan, and says what was asked."""
    request = build_exchange(identity, question, MOMENT)

    statement = parse_signed(request.payload, exchange_pb2.ExchangeStatement)
    header = statement.header
    assert (header.sender, header.receiver) == (PARTNER, GATEWAY)
    assert header.issue_time.ToMilliseconds() == MOMENT.now_ms
    assert header.expire_time.ToMilliseconds() - MOMENT.now_ms == 120_000
    assert (len(header.request_id), len(header.commitment_salt)) == (16, 32)
    assert list(statement.query.fields) == list(question.fields)
    assert statement.subject.identifier == PERSON


def test_a_request_is_signed_once_by_the_envelope_key(
    identity: Identity, question: Question
) -> None:
    """The envelope is well formed and names the registered key."""
    request = build_exchange(identity, question, MOMENT)

    raw = exchange_pb2.ExchangeRequest.FromString(request.message).envelope
    envelope = parse_envelope(
        raw.payload, raw.payload_type, [(each.value, each.keyid) for each in raw.signatures]
    )
    assert envelope.keyid == identity.signer.keyid
    assert envelope.payload_type == (
        "application/vnd.hutong.exchange.v1.ExchangeStatement+protobuf"
    )


def test_two_requests_share_no_id(identity: Identity, question: Question) -> None:
    """Id and salt are fresh for each request."""
    first, second = (build_exchange(identity, question, MOMENT) for _ in range(2))

    assert first.request_id != second.request_id
    assert first.commitment_salt != second.commitment_salt


def test_a_receipt_of_no_request_is_refused(identity: Identity) -> None:
    """A request id has 16 bytes."""
    with pytest.raises(QuestionRefused):
        build_receipt(identity, MOMENT, b"short")


@pytest.mark.parametrize(
    ("member", "text"),
    [
        ("level", "省级"),
        ("level", ""),
        ("division", "37010"),
        ("division", "济南"),
        ("unit", "u" * 201),
        ("role", ""),
        ("name", ""),
        ("identifier", ""),
        ("call_reason", ""),
    ],
)
def test_an_officer_out_of_form_is_refused(member: str, text: str) -> None:
    """The member is named; on the other side the whole assertion would be invalid."""
    whole = {"token": "t", "role": "r", "unit": "u", "unit_code": "1"}
    whole |= {"level": "county", "division": "370000", member: text}

    with pytest.raises(QuestionRefused, match=rf"^OFFICER_INVALID .*\[{member}\]$"):
        Staff(**whole)


def test_an_officer_key_of_another_suite_is_refused(identity: Identity, question: Question) -> None:
    """Assertions are ES256 or EdDSA: found before the question is sent."""
    staff = Staff(token="t", role="r", unit="u", unit_code="1", level="county", division="370000")
    signer = FileSigner.of(generate_private_key(Suite.SM2SM3))
    asked = dataclasses.replace(question, officer=Officer(signer=signer, staff=staff))

    with pytest.raises(QuestionRefused, match="ASSERTION_NOT_ISSUED"):
        build_exchange(identity, asked, MOMENT)


def test_a_question_too_large_to_sign_is_refused(identity: Identity, question: Question) -> None:
    """A source of assertions that gives far too much is noticed before sending."""

    class Chatty:
        """Issues what is no assertion."""

        def issue(self, _context: object) -> str:
            """Return 70,000 characters."""
            return "x" * 70_000

    with pytest.raises(QuestionRefused, match="QUESTION_TOO_LARGE"):
        build_exchange(identity, dataclasses.replace(question, officer=Chatty()), MOMENT)
