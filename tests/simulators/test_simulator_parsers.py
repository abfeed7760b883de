"""Whatever arrives, a simulator answers in its own dialect: its parsers fail in one way only."""

import json
from base64 import b64encode
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.simulators.bank.refusals import Refused as BankRefused
from adapters.simulators.bank.schemas import require_valid
from adapters.simulators.bank.xml import parse_xml as parse_bank_xml
from adapters.simulators.education.questions import parse_question
from adapters.simulators.education.refusals import Refused
from adapters.simulators.faults import FaultBoard
from adapters.simulators.health import envelope as health_envelope
from adapters.simulators.health import message as health_message
from adapters.simulators.health import signatures as health_signatures
from adapters.simulators.health.operations import Operation as HealthOperation
from adapters.simulators.population import Population, person_at
from adapters.simulators.public_security.app import _parse_credentials
from adapters.simulators.public_security.envelope import BadEnvelope, encode_answer, parse_call
from adapters.simulators.public_security.faults import Fault
from adapters.simulators.public_security.operations import Operation
from adapters.simulators.public_security.package import PackageRefused, parse_package
from adapters.simulators.public_security.platform import (
    Credentials,
    Platform,
    PlatformRefused,
)
from adapters.simulators.public_security.register import Register
from adapters.simulators.tax.coding import decode
from adapters.simulators.tax.envelope import parse_request
from adapters.simulators.tax.manifest import check_manifest
from adapters.simulators.tax.names import PackageName, parse_name
from adapters.simulators.tax.questions import Service, judge, read_object
from adapters.simulators.tax.refusals import Refused as PackageOfTaxRefused
from adapters.simulators.xml import NotXml, parse_xml

PEOPLE = Population(seed=1, size=1_000)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(body=st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_question_to_education_is_read_or_refused(body: bytes) -> None:
    """Nothing but EDU-4000 comes out of the parser."""
    with suppress(Refused):
        parse_question(body, "zsbh")


@pytest.mark.parametrize("body", [b"[" * 16_000, b'{"a":' * 5_000])
def test_deep_nesting_is_refused_by_both_departments(body: bytes) -> None:
    """A stack is not a place to be filled by strangers."""
    with pytest.raises(Refused):
        parse_question(body, None)
    with pytest.raises(PlatformRefused):
        _parse_credentials(body)


@given(body=st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_request_for_a_secret_is_read_or_refused(body: bytes) -> None:
    """Nothing but a platform code comes out of the parser."""
    with suppress(PlatformRefused):
        _parse_credentials(body)


@given(rid=st.text(), sid=st.text(), rtime=st.text(), sign=st.text())
def test_any_four_values_get_a_code(rid: str, sid: str, rtime: str, sign: str) -> None:
    """Texts of any script are refused with a code."""
    platform = Platform(apps={}, secret_ms=1)

    with pytest.raises(PlatformRefused):
        platform.refresh(Credentials(rid=rid, sid=sid, rtime=rtime, sign=sign), 1)


@given(body=st.binary(max_size=300) | st.text(max_size=100).map(str.encode))
def test_any_envelope_is_read_or_refused(body: bytes) -> None:
    """Nothing but BadEnvelope comes out of the parser, in either mode."""
    for lax in (False, True):
        with suppress(BadEnvelope):
            parse_call(body, lax=lax)


def test_an_answer_is_no_call() -> None:
    """An envelope without our header is refused."""
    with pytest.raises(BadEnvelope):
        parse_call(encode_answer(Operation.VERIFY, "<PACKAGE/>"), lax=True)


@given(text=st.text(alphabet="<>/PACKGEHDTR&;! ", max_size=60))
@pytest.mark.parametrize("operation", list(Operation))
def test_any_package_is_read_or_refused(text: str, operation: Operation) -> None:
    """Nothing but a head code comes out of the parser."""
    with suppress(PackageRefused):
        parse_package(text, operation)


@given(body=st.binary(max_size=300) | st.text(max_size=100).map(str.encode))
def test_any_envelope_to_health_is_read_or_refused(body: bytes) -> None:
    """Nothing but a platform code comes out of the parser."""
    with suppress(health_signatures.CallRefused):
        health_envelope.parse_call(body)


@given(
    request=st.text(max_size=60)
    | st.binary(max_size=60).map(lambda octets: b64encode(octets).decode())
    | st.text(alphabet="<>/MDELboyinfrqust&; ", max_size=60).map(
        lambda text: b64encode(text.encode()).decode()
    )
)
def test_any_message_to_health_is_read_or_refused(request: str) -> None:
    """Nothing but a code of the result comes out of the parser."""
    with suppress(health_message.QuestionRefused):
        health_message.parse_question(request)


@given(app_id=st.text(), timestamp=st.text(), nonce=st.text(), sign=st.text())
def test_any_header_to_health_gets_a_code(
    app_id: str, timestamp: str, nonce: str, sign: str
) -> None:
    """Texts of any script are refused with a code."""
    gate = health_signatures.Gate(apps={})
    credentials = health_signatures.Credentials(
        app_id=app_id, timestamp=timestamp, nonce=nonce, sign=sign
    )

    with pytest.raises(health_signatures.CallRefused, match="HC-40"):
        gate.require_caller(credentials, HealthOperation.DEATH, "", 1)


@given(name=st.text(max_size=60), photo=st.text(max_size=60), consent=st.text(max_size=20))
def test_any_portrait_gets_an_answer(name: str, photo: str, consent: str) -> None:
    """A text that is no digest is a portrait nobody took."""
    person = person_at(1, 0)
    register = Register(PEOPLE)

    for asked_name in (name, person.full_name):
        asked = {
            "GMSFHM": person.id_number,
            "XM": asked_name,
            "XPZY": photo,
            "MBBB": "RX-2024-1",
            "SQBH": consent,
        }
        assert register.answer(Operation.PHOTO, 1, asked).code in {"13", "16", "19"}


@given(number=st.text(max_size=20), code=st.text(max_size=20))
def test_any_number_and_code_is_looked_up(number: str, code: str) -> None:
    """Digits of other scripts are no digits."""
    assert PEOPLE.find(number) == ()
    assert PEOPLE.holder_of(number) is None
    assert PEOPLE.holder_of(number + "²³²³²³") is None
    assert PEOPLE.holder_of_code(code) is None


@pytest.mark.parametrize(
    "text",
    [
        b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        '<!DOCTYPE a [<!ENTITY b "c">]><a/>'.encode("utf-16"),
        b"<a>",
        b"",
        b"<a>&b;</a>",
    ],
)
def test_xml_with_entities_is_not_read(text: bytes) -> None:
    """Neither declared nor unknown entities are expanded."""
    with pytest.raises(NotXml):
        parse_xml(text)


def test_a_board_of_one_department_knows_no_fault_of_another() -> None:
    """The lists are closed per department."""
    with pytest.raises(ValueError, match="slow_poll"):
        FaultBoard(Fault).switch("slow_poll", 1)


@given(body=st.binary(max_size=200) | st.text().map(lambda text: f"<a>{text}</a>".encode()))
def test_any_message_to_the_banks_is_read_or_refused(body: bytes) -> None:
    """Nothing but a code of the manual comes out of the parser and the schemas."""
    with suppress(BankRefused):
        require_valid(parse_bank_xml(body))


def test_an_encoding_that_hides_a_document_type_is_refused() -> None:
    """UTF-16 and UTF-7 spell `<!DOCTYPE` in other octets."""
    text = '<!DOCTYPE x [<!ENTITY e "e">]><x>&e;</x>'
    bodies = [
        text.encode("utf-16"),
        text.encode("utf-16-le"),
        b'<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE x+AD4-<x/>',
    ]

    for body in bodies:
        with pytest.raises(BankRefused):
            parse_bank_xml(body)


@given(
    body=st.binary(max_size=300) | st.text(alphabet="<>/tirpackge&;! ", max_size=80).map(str.encode)
)
def test_any_package_for_tax_is_read_or_refused(body: bytes) -> None:
    """Nothing but a code comes out of the envelope, the manifest and the coding."""
    name = PackageName(client_no="HRSS370000", tran_seq="2026110100000001", attempt="01")
    with suppress(PackageOfTaxRefused):
        parse_request(body)
    with pytest.raises(PackageOfTaxRefused):
        check_manifest(body, name, b"")
    with suppress(PackageOfTaxRefused):
        decode(body.decode("latin-1"), 100)


@given(value=JSON)
@pytest.mark.parametrize("service", list(Service))
def test_any_question_to_tax_is_read_or_refused(value: object, service: Service) -> None:
    """An object that is no question is none; what is no object refuses the package."""
    with suppress(PackageOfTaxRefused):
        assert judge(service, read_object(json.dumps(value).encode())) is None


@pytest.mark.parametrize("body", [b"[" * 60_000, b'{"a":1,"a":1}', b"\xff", b"1", b"9" * 5_000])
def test_contents_that_are_no_object_refuse_the_package(body: bytes) -> None:
    """Deep nesting, a member twice, no UTF-8, a number, a number too long."""
    with pytest.raises(PackageOfTaxRefused):
        read_object(body)


@given(name=st.text(max_size=60))
def test_any_file_name_is_read_or_strange(name: str) -> None:
    """Digits of other scripts are no digits."""
    assert parse_name(name) is None
    assert parse_name("HRSS370000_2026110100000001_0\u0661.xml") is None
