"""Step 4: every member of a statement has its bound, and what is refused is not repeated."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.iso7064 import mod_11_2

from adapters.mapping.identifiers import widen_resident_id
from adapters.port import SubjectType
from adapters.simulators.population import Planted, planted
from gateway.errors import Reason, Refusal
from gateway.statement.identifiers import normalised_identifier
from gateway.statement.request import (
    MAX_BASIS_CHARACTERS,
    MAX_CLAIM_CHARACTERS,
    MAX_CLAIMS,
    MAX_FIELDS,
    MAX_NAME_CHARACTERS,
    MAX_QUERIES,
    parse_exchange,
    parse_header,
    parse_matter,
    parse_payload,
    parse_receipt_lookup,
    parse_result,
)
from hutong.accesslog.v1 import accesslog_pb2
from hutong.envelope.v1 import envelope_pb2
from hutong.exchange.v1 import exchange_pb2
from tests.gateway.provoked import note

NOW_MS = 1_795_449_600_000
PERSON = "11010519491231002X"  # the sample number of GB 11643-1999 itself
Statement = exchange_pb2.ExchangeStatement
Change = Callable[[exchange_pb2.ExchangeStatement], object]


def _header() -> envelope_pb2.RequestHeader:
    header = envelope_pb2.RequestHeader(
        request_id=bytes(range(16)),
        sender="11370000MB2DEM0105/retirement",
        receiver="11370000MB2DEM0105/gateway",
        method="/hutong.exchange.v1.ExchangeService/Exchange",
        commitment_salt=bytes(32),
    )
    header.issue_time.FromMilliseconds(NOW_MS)
    header.expire_time.FromMilliseconds(NOW_MS + 1000)
    return header


def _query() -> exchange_pb2.DatasetQuery:
    return exchange_pb2.DatasetQuery(
        agreement="XY-2026-201",
        dataset="ps.person_core@1",
        fields=["full_name", "sex"],
        claims=[exchange_pb2.Claim(name="certificate_no", value="1")],
    )


def _statement() -> exchange_pb2.ExchangeStatement:
    return Statement(
        header=_header(),
        purpose=exchange_pb2.Purpose(matter="M2", legal_basis="法", case_number="C-1"),
        subject=exchange_pb2.Subject(
            type=exchange_pb2.SUBJECT_TYPE_RESIDENT_ID, identifier=PERSON, full_name="李明"
        ),
        query=_query(),
    )


def _parse(statement: exchange_pb2.ExchangeStatement) -> None:
    parsed = parse_payload(statement.SerializeToString(deterministic=True), Statement)
    parse_exchange(parsed, parse_header(parsed), NOW_MS)


def _claims(count: int) -> list[exchange_pb2.Claim]:
    return [exchange_pb2.Claim(name=f"c{number}", value="1") for number in range(count)]


def _fields(count: int) -> list[str]:
    return [f"f{number}" for number in range(count)]


MALFORMED, SUBJECT, QUERY = (
    Reason.STATEMENT_MALFORMED,
    Reason.SUBJECT_INVALID,
    Reason.QUERY_INVALID,
)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda each: setattr(each.purpose, "matter", ""), MALFORMED),
        (lambda each: setattr(each.purpose, "matter", "M" * 17), MALFORMED),
        (lambda each: setattr(each.purpose, "matter", "事项"), MALFORMED),
        (lambda each: setattr(each.purpose, "legal_basis", ""), MALFORMED),
        (
            lambda each: setattr(each.purpose, "legal_basis", "法" * (MAX_BASIS_CHARACTERS + 1)),
            MALFORMED,
        ),
        (lambda each: setattr(each.purpose, "case_number", ""), MALFORMED),
        (lambda each: setattr(each.purpose, "case_number", "C" * 65), MALFORMED),
        (lambda each: setattr(each.purpose, "case_number", "C 1"), MALFORMED),
        (lambda each: setattr(each.purpose, "case_number", "C\n1"), MALFORMED),
        (lambda each: each.ClearField("purpose"), MALFORMED),
        (lambda each: setattr(each.header.expire_time, "nanos", -1), MALFORMED),
        (lambda each: setattr(each.header.expire_time, "nanos", 1_000_000_000), MALFORMED),
        (lambda each: setattr(each.header.issue_time, "seconds", -1), MALFORMED),
        (lambda each: setattr(each.header.issue_time, "seconds", 253_402_300_800), MALFORMED),
        (lambda each: each.ClearField("subject"), SUBJECT),
        (lambda each: setattr(each.subject, "type", 0), SUBJECT),
        (lambda each: setattr(each.subject, "type", 9), MALFORMED),
        (lambda each: setattr(each.subject, "identifier", "110105194912310021"), SUBJECT),
        (lambda each: setattr(each.subject, "identifier", ""), SUBJECT),
        (lambda each: setattr(each.subject, "identifier", PERSON + " "), SUBJECT),
        (
            lambda each: setattr(each.subject, "full_name", "李" * (MAX_NAME_CHARACTERS + 1)),
            SUBJECT,
        ),
        (lambda each: each.ClearField("query"), QUERY),
        (lambda each: setattr(each.query, "agreement", ""), QUERY),
        (lambda each: setattr(each.query, "agreement", "X" * 41), QUERY),
        (lambda each: setattr(each.query, "agreement", "XY_1"), QUERY),
        (lambda each: setattr(each.query, "dataset", "ps.person_core"), QUERY),
        (lambda each: setattr(each.query, "dataset", "ps.person_core@0"), QUERY),
        (lambda each: setattr(each.query, "dataset", "PS.person_core@1"), QUERY),
        (lambda each: each.query.ClearField("fields"), QUERY),
        (lambda each: each.query.fields.append("sex"), QUERY),
        (lambda each: each.query.fields.append("*"), QUERY),
        (lambda each: each.query.fields.append("Sex"), QUERY),
        (lambda each: each.query.fields.append("x" * 65), QUERY),
        (lambda each: each.query.fields.extend(_fields(MAX_FIELDS - 1)), QUERY),
        (lambda each: each.query.claims.append(exchange_pb2.Claim(name="a")), QUERY),
        (
            lambda each: each.query.claims.append(
                exchange_pb2.Claim(name="a", value="1" * (MAX_CLAIM_CHARACTERS + 1))
            ),
            QUERY,
        ),
        (lambda each: each.query.claims.append(each.query.claims[0]), QUERY),
        (lambda each: each.query.claims.extend(_claims(MAX_CLAIMS)), QUERY),
    ],
)
def test_a_member_beyond_its_bound_is_refused(change: Change, reason: Reason) -> None:
    """Each bound of the contract has its reason, and its text repeats nothing of the request."""
    statement = _statement()
    change(statement)

    with pytest.raises(Refusal) as caught:
        _parse(statement)

    assert caught.value.reason is reason
    assert PERSON not in str(caught.value) + caught.value.diagnostics
    note(reason)


@pytest.mark.parametrize(
    "change",
    [
        lambda each: each.query.fields.extend(_fields(MAX_FIELDS - 2)),
        lambda each: each.query.claims.extend(_claims(MAX_CLAIMS - 1)),
        lambda each: setattr(each.purpose, "legal_basis", "法" * MAX_BASIS_CHARACTERS),
        lambda each: setattr(each.purpose, "case_number", "~" * 64),
        lambda each: setattr(each.subject, "full_name", "李" * MAX_NAME_CHARACTERS),
        lambda each: setattr(each.subject, "identifier", PERSON.lower()),
        lambda each: setattr(each.header, "retries", bytes(16)),
    ],
)
def test_a_member_at_its_bound_is_taken(change: Change) -> None:
    """What the contract allows is allowed, to the last character."""
    statement = _statement()
    change(statement)

    _parse(statement)


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (lambda query: setattr(query, "agreement", "协议"), "agreement"),
        (lambda query: setattr(query, "dataset", "ps"), "dataset"),
        (lambda query: query.ClearField("fields"), "fields"),
        (lambda query: query.fields.append("sex"), "fields: a name twice"),
        (lambda query: query.claims.extend(_claims(MAX_CLAIMS)), "claims"),
        (lambda query: query.claims.append(query.claims[0]), "claims: a name twice"),
        (lambda query: query.fields.append(PERSON + "!"), "fields[2]: form of the name"),
        (lambda query: setattr(query.claims[0], "name", "N"), "claims[0]: form of the name"),
        (lambda query: setattr(query.claims[0], "value", ""), "claims: length of a value"),
    ],
)
def test_the_part_of_a_query_at_fault_is_named_for_operators(
    change: Callable[[exchange_pb2.DatasetQuery], None], part: str
) -> None:
    """The part or its place, never what was sent in it."""
    statement = _statement()
    change(statement.query)

    with pytest.raises(Refusal) as caught:
        _parse(statement)

    assert (caught.value.reason, caught.value.diagnostics) == (Reason.QUERY_INVALID, part)


@pytest.mark.parametrize("count", [0, MAX_QUERIES + 1])
def test_a_matter_has_one_to_thirty_two_queries(count: int) -> None:
    """No query and too many are refused."""
    queries = [_query() for _ in range(count)]
    for number, query in enumerate(queries):
        query.agreement = f"XY-{number}"
    whole = _statement()
    matter = exchange_pb2.MatterStatement(
        header=whole.header, purpose=whole.purpose, subject=whole.subject, queries=queries
    )

    with pytest.raises(Refusal) as caught:
        parse_matter(matter, parse_header(matter), NOW_MS)

    assert caught.value.reason is Reason.QUERY_INVALID


def test_a_pending_result_names_sixteen_bytes() -> None:
    """The id of the pending question is as long as any."""
    whole = _statement()
    statement = exchange_pb2.ResultStatement(
        header=whole.header,
        purpose=whole.purpose,
        subject=whole.subject,
        query=whole.query,
        pending_request_id=bytes(15),
    )

    with pytest.raises(Refusal) as caught:
        parse_result(statement, parse_header(statement), NOW_MS)

    assert caught.value.reason is Reason.STATEMENT_MALFORMED


@pytest.mark.parametrize(("length", "item"), [(15, 0), (16, MAX_QUERIES)])
def test_a_receipt_lookup_is_bounded(length: int, item: int) -> None:
    """A request id of 16 bytes and an item of a matter."""
    statement = accesslog_pb2.ReceiptStatement(
        header=_header(), receipt_request_id=bytes(length), item=item
    )

    with pytest.raises(Refusal) as caught:
        parse_receipt_lookup(statement)

    assert caught.value.reason is Reason.STATEMENT_MALFORMED


def _judged(payload: bytes) -> Reason | None:
    """Return why a payload is refused; None where it is taken."""
    try:
        parsed = parse_payload(payload, Statement)
        parse_exchange(parsed, parse_header(parsed), NOW_MS)
    except Refusal as refusal:
        return refusal.reason
    return None


@given(st.binary(max_size=400))
def test_any_bytes_are_a_statement_or_refused(payload: bytes) -> None:
    """Whatever is signed, parsing ends in a statement or in a refusal of the closed list."""
    assert _judged(payload) in {None, MALFORMED, SUBJECT, QUERY}


@given(st.data())
def test_a_statement_with_any_byte_changed_is_parsed_or_refused(data: st.DataObject) -> None:
    """No change of a byte leads anywhere else than to a value or a refusal."""
    payload = bytearray(_statement().SerializeToString(deterministic=True))
    place = data.draw(st.integers(0, len(payload) - 1))
    payload[place] = data.draw(st.integers(0, 255))

    assert _judged(bytes(payload)) in {None, MALFORMED, SUBJECT, QUERY}


@pytest.mark.parametrize("someone", planted(), ids=lambda each: str(each.index))
def test_every_planted_number_is_its_own_normal_form(someone: Planted) -> None:
    """Numbers of the population pass, and in lower case they come back the same."""
    number = someone.id_number

    assert normalised_identifier(SubjectType.RESIDENT_ID, number.lower(), NOW_MS) == number


def test_a_number_of_fifteen_digits_is_lengthened() -> None:
    """The first generation's number becomes the one of 18 characters (GB 11643)."""
    short = PERSON[:6] + PERSON[8:17]

    assert widen_resident_id(short) == PERSON
    assert normalised_identifier(SubjectType.RESIDENT_ID, short, NOW_MS) == PERSON


@given(st.integers(0, 17), st.sampled_from("0123456789X"))
def test_one_wrong_character_is_found(place: int, other: str) -> None:
    """ISO 7064 MOD 11-2 finds every single wrong character."""
    wrong = PERSON[:place] + other + PERSON[place + 1 :]
    if wrong == PERSON:
        return

    with pytest.raises(Refusal) as caught:
        normalised_identifier(SubjectType.RESIDENT_ID, wrong, NOW_MS)

    assert caught.value.reason is Reason.SUBJECT_INVALID


@pytest.mark.parametrize("number", ["110105189012310020", "110105209912310023"])
def test_a_birth_date_that_cannot_be_is_refused(number: str) -> None:
    """Nobody is older than 130 years or not yet born."""
    valid = number[:17] + mod_11_2.calc_check_digit(number[:17])

    with pytest.raises(Refusal) as caught:
        normalised_identifier(SubjectType.RESIDENT_ID, valid, NOW_MS)

    assert caught.value.reason is Reason.SUBJECT_INVALID


@pytest.mark.parametrize("code", ["91370000MA3TEST01", "91370000MA3TEST01i", "O" * 18, ""])
def test_an_organisation_code_of_another_alphabet_is_refused(code: str) -> None:
    """GB 32100: 18 of 31 characters; the check character is not judged."""
    with pytest.raises(Refusal) as caught:
        normalised_identifier(SubjectType.USCC, code, NOW_MS)

    assert caught.value.reason is Reason.SUBJECT_INVALID


def test_a_child_born_today_in_china_may_be_asked_about() -> None:
    """At one in the morning in China it is still yesterday in UTC."""
    one_in_the_morning = int(datetime(2026, 11, 23, 17, tzinfo=UTC).timestamp() * 1000)
    seventeen = "37010220261124001"
    newborn = seventeen + mod_11_2.calc_check_digit(seventeen)

    assert normalised_identifier(SubjectType.RESIDENT_ID, newborn, one_in_the_morning) == newborn
