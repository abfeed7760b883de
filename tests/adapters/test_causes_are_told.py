"""Whatever told nothing says which rule was broken, and never what was received."""

from collections.abc import Callable

import pytest

from adapters.causes import Cause
from adapters.errors import AdapterError, AnswerMalformed, DepartmentFailed
from adapters.kinds.health.codes import read_fault, read_refusal, read_state
from adapters.kinds.public_security.package import parse_package
from adapters.mapping.dates import parse_day, parse_month
from adapters.mapping.documents import (
    parse_json_list,
    parse_json_object,
    parse_text,
    parse_xml,
    require_objects,
    require_text,
)
from adapters.mapping.identifiers import parse_degree_number, parse_resident_id, parse_uscc
from adapters.mapping.members import read_member
from adapters.national.causes import platform_failure
from adapters.port import Indeterminate, Untold
from adapters.records import RecordSource, settle
from adapters.soap import SoapFace
from adapters.surplus import MOST_NAMES, note_surplus, noting_surplus
from tests.adapters.asking import CLEAR, query_of, shape_of

VALUE = "370102195603159017"
"""A number whose check character is wrong."""
QUERY = query_of(
    shape_of("edu.diploma@1", {"full_name": "str60"}), (VALUE, None), {"full_name": CLEAR}
)


@pytest.mark.parametrize(
    ("parse", "cause"),
    [
        (lambda: parse_text(b""), Cause.BODY_EMPTY),
        (lambda: parse_text("国".encode("gbk")), Cause.NOT_UTF8),
        (lambda: parse_json_object(b"[]"), Cause.NOT_JSON),
        (lambda: parse_json_list(b"{}"), Cause.NOT_JSON),
        (lambda: parse_json_object(b'{"a": 1, "a": 2}'), Cause.NOT_JSON),
        (lambda: require_text({"a": 1}, "a"), Cause.MEMBER_FORM),
        (lambda: require_objects({"a": []}, "a", at_most=2), Cause.RECORD_COUNT),
        (lambda: require_objects({"a": [1]}, "a", at_most=2), Cause.MEMBER_FORM),
        (lambda: parse_xml(b"<a>"), Cause.NOT_XML),
        (lambda: parse_xml(b"<!DOCTYPE a><a/>"), Cause.XML_DOCUMENT_TYPE),
        (lambda: parse_xml(b'<?xml version="1.0" encoding="GBK"?><a/>'), Cause.NOT_UTF8),
        (lambda: parse_xml(b"<a>" * 20 + b"</a>" * 20), Cause.BODY_TOO_LARGE),
        (lambda: parse_day(VALUE), Cause.DATE_FORM),
        (lambda: parse_day("20260230"), Cause.DATE_FORM),
        (lambda: parse_month(VALUE), Cause.DATE_FORM),
        (lambda: parse_resident_id(VALUE), Cause.IDENTIFIER_FORM),
        (lambda: parse_uscc(VALUE + "I"), Cause.IDENTIFIER_FORM),
        (lambda: parse_degree_number(VALUE), Cause.IDENTIFIER_FORM),
        (lambda: SoapFace.parse_reply(object.__new__(SoapFace), "o", b"<a/>"), Cause.NOT_SOAP),
        (lambda: read_state("9"), Cause.CODE_UNKNOWN),
        (lambda: parse_package("<a/>", "r"), Cause.FORM),
    ],
)
def test_each_broken_form_has_its_cause(parse: Callable[[], object], cause: Cause) -> None:
    """The rule is named, the value is not."""
    with pytest.raises(AnswerMalformed) as broken:
        parse()

    assert broken.value.cause is cause
    assert VALUE not in broken.value.what


def test_a_member_is_named_with_the_rule_it_breaks() -> None:
    """That is what an engineer looks for first."""
    with pytest.raises(AnswerMalformed) as broken:
        read_member("csrq", parse_day, VALUE)

    assert broken.value.what == "member csrq: a day is written in no known spelling"
    assert broken.value.cause is Cause.DATE_FORM
    assert broken.value.__cause__ is None
    assert read_member("csrq", parse_day, "20260102").day == 2


@pytest.mark.parametrize(
    ("code", "cause", "told"),
    [
        ("E-101", Cause.IDENTITY_REFUSED, "E-101"),
        ("E-102", Cause.CLOCK_APART, "E-102"),
        ("-1", Cause.CODE_BUSY, "-1"),
        ("E-105", Cause.CODE_REFUSED, "E-105"),
        (VALUE, Cause.CODE_UNKNOWN, ""),
    ],
)
def test_codes_of_the_platform_are_told_and_nothing_else_is(
    code: str, cause: Cause, told: str
) -> None:
    """An unlisted code is the platform's text and may hold anything."""
    failed = platform_failure(code)

    assert (failed.reason, failed.cause, failed.code) == (Indeterminate.PROVIDER_FAULT, cause, told)


@pytest.mark.parametrize(
    ("head", "cause", "told"),
    [
        ("23", Cause.IDENTITY_REFUSED, "23"),
        ("24", Cause.CLOCK_APART, "24"),
        ("30", Cause.CODE_BUSY, "30"),
        ("25", Cause.CODE_REFUSED, "25"),
        (VALUE, Cause.CODE_UNKNOWN, ""),
    ],
)
def test_codes_of_a_package_are_told(head: str, cause: Cause, told: str) -> None:
    """As those of the platform."""
    text = f"<PACKAGE><PACKAGEHEAD><FWQQBH>r</FWQQBH><FHDM>{head}</FHDM></PACKAGEHEAD></PACKAGE>"

    with pytest.raises(DepartmentFailed) as failed:
        parse_package(text, "r")

    assert (failed.value.cause, failed.value.code) == (cause, told)


@pytest.mark.parametrize(
    ("read", "code", "cause", "told"),
    [
        (read_fault, "HC-4011", Cause.IDENTITY_REFUSED, "HC-4011"),
        (read_fault, "HC-4001", Cause.CODE_REFUSED, "HC-4001"),
        (read_fault, VALUE, Cause.CODE_UNKNOWN, ""),
        (read_refusal, "7", Cause.RATE_LIMITED, "7"),
        (read_refusal, "1", Cause.CODE_REFUSED, "1"),
        (read_refusal, VALUE, Cause.CODE_UNKNOWN, ""),
    ],
)
def test_codes_of_health_are_told(
    read: Callable[[str], object], code: str, cause: Cause, told: str
) -> None:
    """As those of the platform."""
    failure = read(code)

    assert (getattr(failure, "cause", None), getattr(failure, "code", None)) == (cause, told)


@pytest.mark.parametrize(
    ("failed", "cause", "detail"),
    [
        (AnswerMalformed("a rule", Cause.DATE_FORM), Cause.DATE_FORM, "a rule"),
        (AnswerMalformed("a rule"), Cause.FORM, "a rule"),
        (
            DepartmentFailed(Indeterminate.PROVIDER_FAULT, cause=Cause.CLOCK_APART, code="E-102"),
            Cause.CLOCK_APART,
            "E-102",
        ),
        (DepartmentFailed(Indeterminate.PROVIDER_FAULT), None, ""),
    ],
)
async def test_the_cause_reaches_the_outcome(
    source: RecordSource, failed: AdapterError, cause: Cause | None, detail: str
) -> None:
    """It changes nothing of what the outcome is to anybody else."""

    async def raising() -> None:
        raise failed

    outcome = await settle(source, QUERY, raising())

    assert isinstance(outcome, Untold)
    assert (outcome.cause, outcome.detail) == (cause, detail)
    assert outcome == Untold(reason=outcome.reason)


def test_nothing_is_noted_where_nobody_listens() -> None:
    """A gateway keeps no names; and what is noted within does not outlast it."""
    note_surplus(["photo"], set())
    with noting_surplus() as surplus:
        assert (surplus.examined, surplus.names) == (False, set())
        note_surplus(["photo", "xm", VALUE], {"xm"})
    note_surplus(["phone"], set())

    assert surplus.examined
    assert surplus.names == {"photo", "(other)"}


def test_names_are_bounded() -> None:
    """A record may have any number of members."""
    with noting_surplus() as surplus:
        note_surplus((f"{chr(97 + i % 26)}{'x' * (i // 26)}" for i in range(500)), set())

    assert len(surplus.names) == MOST_NAMES
