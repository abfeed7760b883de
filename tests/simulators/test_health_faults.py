"""Every fault of the health simulator shows as its manual says."""

import base64
import re
from pathlib import Path
from xml.etree.ElementTree import fromstring

import httpx
import pytest
import zeep.exceptions

from adapters.simulators.health.distortions import MANY
from adapters.simulators.health.faults import SPOILS, Fault
from adapters.simulators.health.operations import Operation
from adapters.simulators.health.register import Register
from adapters.simulators.population import (
    Person,
    Population,
    Quirk,
    health_record,
    planted_index,
)
from tests.simulators.health_client import BIRTH, HealthClient, about, read
from tests.simulators.simulator_process import SIZE, Running

MANUAL = Path(__file__).resolve().parents[2] / "docs" / "adapters" / "health.md"


@pytest.fixture
def dead(people: Population) -> Person:
    """Somebody with one certificate."""
    return people.person(planted_index(Quirk.DEAD_PENSION_PAID))


@pytest.fixture
def alive(people: Population) -> Person:
    """Somebody without any."""
    return people.person(planted_index(Quirk.ORDINARY_PENSIONER))


def _rows(client: HealthClient, person: Person) -> list[dict[str, str]]:
    rows = client.look_up(person).rows
    assert rows is not None
    return rows


def _post(client: HealthClient, person: Person) -> httpx.Response:
    return client.post(client.envelope(client.question(**about(person))))


def _inner(answer: httpx.Response) -> bytes:
    """Take the octets out of an envelope that is well-formed."""
    (out,) = (e for e in fromstring(answer.content).iter() if e.tag.endswith("return"))  # noqa: S314 - a loopback simulator wrote it
    return base64.b64decode(out.text or "", validate=True)


def test_the_manual_lists_exactly_the_faults_there_are(health: Running) -> None:
    """Manual, admin port and enumeration name the same faults."""
    section = MANUAL.read_text("utf-8").split("\n## 8")[1].split("\n## ")[0]
    listed = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)

    assert listed == [fault.value for fault in Fault]
    assert list(health.admin.get("/faults").json()["faults"]) == listed


@pytest.mark.parametrize(("fault", "code"), [("soap_fault", "HC-5000"), ("clock_skew", "HC-4012")])
def test_platform_faults_are_soap_faults(
    health: Running, hospital: HealthClient, dead: Person, fault: str, code: str
) -> None:
    """The call fails with a code, the next one succeeds."""
    health.fault(fault)

    with pytest.raises(zeep.exceptions.Fault, match=code):
        hospital.look_up(dead)

    assert len(_rows(hospital, dead)) == 1


@pytest.mark.parametrize(("fault", "code"), [("not_success", "8"), ("unknown_code", "99")])
def test_a_question_not_answered_has_no_body(
    health: Running, hospital: HealthClient, dead: Person, fault: str, code: str
) -> None:
    """HTTP 200, another code than 0, nothing about anybody."""
    health.fault(fault)

    reply = hospital.look_up(dead)

    assert (reply.success, reply.rows) == (code, None)


def test_an_older_certificate_comes_after_the_one_that_stands(
    health: Running, hospital: HealthClient, dead: Person
) -> None:
    """The replaced one last, one day earlier: whoever takes the last row is wrong."""
    health.fault("several_rows")

    valid, older = _rows(hospital, dead)

    assert (valid["ZMZT"], older["ZMZT"]) == ("1", "2")
    assert older["SWRQ"] < valid["SWRQ"]


def test_two_certificates_stand_with_two_days(
    health: Running, hospital: HealthClient, dead: Person
) -> None:
    """Nobody can tell which."""
    health.fault("two_valid_rows")

    rows = _rows(hospital, dead)

    assert [row["ZMZT"] for row in rows] == ["1", "1"]
    assert len({row["SWRQ"] for row in rows}) == 2


@pytest.mark.parametrize(
    ("fault", "member", "value"), [("only_void", "ZMZT", "3"), ("bad_date", "SWRQ", "20260230")]
)
def test_every_row_is_void_or_misdated(
    health: Running, hospital: HealthClient, people: Population, fault: str, member: str, value: str
) -> None:
    """Both rows of a corrected certificate are struck."""
    person = people.person(planted_index(Quirk.CREMATED_NOT_CANCELLED))
    health.fault(fault)

    assert [row[member] for row in _rows(hospital, person)] == [value, value]


@pytest.mark.parametrize("fault", ["several_rows", "two_valid_rows", "only_void", "bad_date"])
def test_where_nothing_is_held_these_faults_change_nothing(
    health: Running, hospital: HealthClient, alive: Person, fault: str
) -> None:
    """They make no certificate of their own."""
    health.fault(fault)

    assert _rows(hospital, alive) == []


@pytest.mark.parametrize("fault", ["several_rows", "two_valid_rows", "bad_date", "every_field"])
def test_births_are_struck_as_well(
    health: Running, hospital: HealthClient, people: Population, fault: str
) -> None:
    """The other operation knows the same faults."""
    children = (people.person(index) for index in range(240, SIZE))
    child = next(child for child in children if hospital.look_up(child, BIRTH).rows)
    right = hospital.look_up(child, BIRTH).rows
    health.fault(fault)

    assert hospital.look_up(child, BIRTH).rows != right


def test_another_persons_certificate(
    health: Running, hospital: HealthClient, dead: Person, alive: Person
) -> None:
    """His number and name stand in it, also where nothing was held of the one asked about."""
    health.fault("other_person", 2)

    for person in (dead, alive):
        (row,) = _rows(hospital, person)
        assert row["GMSFHM"] != person.id_number
        assert (row["XM"] != person.full_name, row["ZMZT"]) == (True, "1")


def test_another_person_is_never_the_one_asked_about() -> None:
    """Of a population with one certificate nobody else can be shown."""
    holder = next(p for p in map(Population().person, range(SIZE)) if health_record(p).deaths)
    few = Population(size=holder.index + 1)
    register = Register(few)

    with pytest.raises(LookupError):
        register.someone_else(Operation.DEATH, holder.id_number)

    assert register.someone_else(Operation.DEATH, few.person(0).id_number) == holder


def test_another_persons_row_among_ones_own(
    health: Running, hospital: HealthClient, dead: Person, alive: Person
) -> None:
    """The right row first, the other after it."""
    health.fault("mixed_persons", 2)

    own, other = _rows(hospital, dead)
    (only,) = _rows(hospital, alive)

    assert (own["GMSFHM"], other["GMSFHM"] != dead.id_number) == (dead.id_number, True)
    assert only["GMSFHM"] != alive.id_number


def test_far_too_many_rows(health: Running, hospital: HealthClient, alive: Person) -> None:
    """Thousands, all under the number and name asked about."""
    health.fault("many_rows")

    rows = _rows(hospital, alive)

    assert len(rows) == MANY
    assert {(row["GMSFHM"], row["XM"]) for row in rows} == {(alive.id_number, alive.full_name)}


def test_every_field_of_the_department(
    health: Running, hospital: HealthClient, dead: Person
) -> None:
    """Phone, address and course of the illness beside the documented members."""
    usual = set(_rows(hospital, dead)[0])
    health.fault("every_field")

    (row,) = _rows(hospital, dead)

    assert set(row) - usual == {"LXDH", "JTZZ", "ZDJG", "ZYJL"}
    assert row["JTZZ"] == dead.household.address


def test_base64_with_a_foreign_character(
    health: Running, hospital: HealthClient, dead: Person
) -> None:
    """A strict reader refuses it, a lenient one would read what was meant."""
    health.fault("bad_base64")

    answer = hospital.ask_raw("getSwyxzmInfo", hospital.question(**about(dead)))

    with pytest.raises(ValueError, match=r"alphabet|base64"):
        base64.b64decode(answer, validate=True)
    assert read(answer.replace("*", "")).success == "0"


def test_gbk_under_a_declaration_of_utf8(
    health: Running, hospital: HealthClient, dead: Person
) -> None:
    """The envelope is right, the octets inside are of another encoding."""
    health.fault("gbk_text")

    octets = _inner(_post(hospital, dead))

    assert b"encoding='UTF-8'" in octets
    assert dead.full_name in octets.decode("gb18030")
    with pytest.raises(UnicodeDecodeError):
        octets.decode()


@pytest.mark.parametrize(
    ("fault", "entity"),
    [("entity_bomb", b'<!ENTITY e9 "'), ("external_entity", b'SYSTEM "http://127.0.0.1:9/x"')],
)
@pytest.mark.parametrize("inner", [False, True], ids=["envelope", "message"])
def test_entities_are_declared(
    health: Running,
    hospital: HealthClient,
    dead: Person,
    fault: str,
    entity: bytes,
    *,
    inner: bool,
) -> None:
    """In the envelope or in the message; a reader that expands them is lost."""
    health.fault(f"{fault}_inner" if inner else fault)

    answer = _post(hospital, dead)

    text = _inner(answer) if inner else answer.content
    assert text.startswith(b"<!DOCTYPE")
    assert entity in text


def test_pages_and_silence(health: Running, hospital: HealthClient, dead: Person) -> None:
    """A page for people, nothing, a status, no answer, half of one."""
    seen: dict[Fault, str] = {}
    for fault in SPOILS:
        health.fault(fault.value)
        try:
            answer = _post(hospital, dead)
            kind = answer.headers["Content-Type"].split(";")[0]
            seen[fault] = f"{answer.status_code} {kind} {bool(answer.content)}"
        except httpx.HTTPError as error:
            seen[fault] = type(error).__name__

    assert seen == {
        Fault.HTML_PAGE: "200 text/html True",
        Fault.HALF_BODY: "RemoteProtocolError",
        Fault.EMPTY_BODY: "200 text/xml False",
        Fault.HANG: "ReadTimeout",
        Fault.SERVER_ERROR: "503 text/plain True",
    }
    assert len(_rows(hospital, dead)) == 1


def test_a_body_far_too_large(health: Running, hospital: HealthClient, dead: Person) -> None:
    """Eight mebioctets of well-formed XML."""
    health.fault("oversized_body")

    answer = _post(hospital, dead)

    assert len(answer.content) > 8 * 2**20
    assert fromstring(answer.content).tag == "padding"  # noqa: S314 - a loopback simulator wrote it


def test_the_wsdl_stays_reachable_while_calls_fail(health: Running, hospital: HealthClient) -> None:
    """A client may read the description of a department that is down."""
    health.fault("server_error", None)

    assert "getSwyxzmInfo" in hospital.http.get(f"{hospital.url}/ws/medicalCertificate?wsdl").text
