"""What the health simulator answers to a right question, asked through zeep."""

import base64
import re
from pathlib import Path

import pytest

from adapters.simulators.health.message import MESSAGES
from adapters.simulators.health.signatures import sign
from adapters.simulators.population import (
    Person,
    Population,
    Quirk,
    health_record,
    person_at,
    planted_index,
    public_security_record,
)
from tests.simulators.health_client import BIRTH, DEATH, NAMESPACE, PATH, HealthClient, about
from tests.simulators.simulator_process import SIZE, Running

MANUAL = Path(__file__).resolve().parents[2] / "docs" / "adapters" / "health.md"
REFUSALS = {code for code in MESSAGES if code != "0"}


def _planted(people: Population, quirk: Quirk) -> Person:
    return people.person(planted_index(quirk))


def _manual_names(section: str) -> set[str]:
    """Return the members the manual lists in a section's table."""
    text = MANUAL.read_text().split(f"\n## {section}")[1].split("\n## ")[0]
    cells = re.findall(r"^\| (`[A-Z]+`(?: `[A-Z]+`)*) \|", text, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}


def test_the_vector_of_the_manual_is_what_is_computed() -> None:
    """Key, text and signature stand there as this implementation computes them."""
    key, text, expected = re.findall(
        r"^\| (?:appKey|text|sign) \| `(.+)` \|", MANUAL.read_text(), re.MULTILINE
    )

    app_id, stamp, nonce, operation, request = text.split("\\n")

    assert sign(key, (app_id, stamp, nonce, operation, request)) == expected


def test_zeep_finds_both_operations_in_the_wsdl(hospital: HealthClient) -> None:
    """The published description leads a client that has never seen the manual."""
    (service,) = hospital.zeep().wsdl.services.values()
    (port,) = service.ports.values()

    assert set(port.binding._operations) == {DEATH, BIRTH}
    assert port.binding_options["address"] == f"{hospital.url}{PATH}"


def test_the_wsdl_is_fixed_but_for_its_address(hospital: HealthClient) -> None:
    """Nothing else of the host stands in it; without the query there is no page."""
    answer = hospital.http.get(f"{hospital.url}{PATH}?wsdl")

    source = Path("adapters/simulators/health/health.wsdl")
    wsdl = (MANUAL.parents[2] / source).read_text()
    assert answer.text == wsdl.replace("@ADDRESS@", f"{hospital.url}{PATH}")
    assert NAMESPACE in wsdl
    assert hospital.http.get(f"{hospital.url}{PATH}").status_code == 404


def test_a_dead_person_has_a_certificate(hospital: HealthClient, people: Population) -> None:
    """One row that stands, with the cause of death nobody asked for."""
    person = _planted(people, Quirk.DEAD_PENSION_PAID)

    reply = hospital.look_up(person)

    assert (reply.success, reply.message) == ("0", "成功")
    assert reply.rows is not None
    (row,) = reply.rows
    (held,) = health_record(person).deaths
    assert (row["GMSFHM"], row["XM"]) == (person.id_number, person.full_name)
    assert (row["ZMZT"], row["SWRQ"]) == ("1", f"{held.death_date:%Y%m%d}")
    assert (row["SWYY"], row["SWYYBM"]) == (held.cause, held.cause_code)
    assert (row["SWZBH"], row["YZBH"], row["BLH"]) == (
        held.certificate_no,
        "",
        held.medical_record_no,
    )
    assert re.fullmatch(r"\d{14}", row["GXSJ"])
    assert row["GXSJ"] > f"{held.issue_date:%Y%m%d}"


def test_the_example_of_the_manual_is_what_is_sent(
    hospital: HealthClient, people: Population
) -> None:
    """Octet for octet, but for the line breaks that were put in to be read."""
    person = _planted(people, Quirk.DEAD_PENSION_PAID)
    block = MANUAL.read_text().split("`dead_pension_paid`（种子 1）")[1].split("```")[1]

    sent = hospital.ask_raw(DEATH, hospital.question(**about(person)))

    shown = re.sub(r"\n +|\n(?=</data>)", "", block.removeprefix("xml\n").rstrip("\n"))
    assert base64.b64decode(sent).decode() == shown


def test_a_death_has_the_members_of_the_manual(hospital: HealthClient, people: Population) -> None:
    """Every listed member stands in every row, and no other."""
    for quirk in (Quirk.DEAD_PENSION_PAID, Quirk.CREMATED_NOT_CANCELLED):
        rows = hospital.look_up(_planted(people, quirk)).rows

        assert rows
        assert {frozenset(row) for row in rows} == {frozenset(_manual_names("5"))}


def test_a_corrected_certificate_stays_beside_the_old_one(
    hospital: HealthClient, people: Population
) -> None:
    """Two rows with two days; the one that stands names the one it replaced."""
    rows = hospital.look_up(_planted(people, Quirk.CREMATED_NOT_CANCELLED)).rows

    assert rows is not None
    old, new = sorted(rows, key=lambda row: row["ZMZT"], reverse=True)
    assert (old["ZMZT"], new["ZMZT"]) == ("2", "1")
    assert new["YZBH"] == old["SWZBH"]
    assert old["SWRQ"] < new["SWRQ"]


@pytest.mark.parametrize(
    "quirk", [Quirk.ORDINARY_PENSIONER, Quirk.DEAD_IN_PS_ALIVE_IN_CA, Quirk.EMIGRANT]
)
def test_nobody_known_is_a_success_without_rows(
    hospital: HealthClient, people: Population, quirk: Quirk
) -> None:
    """No certificate: alive, or dead and never certified."""
    reply = hospital.look_up(_planted(people, quirk))

    assert (reply.success, reply.rows) == ("0", [])


def test_a_stranger_to_the_population_has_no_rows(hospital: HealthClient) -> None:
    """A good number nobody here bears is no fault."""
    stranger = person_at(1, SIZE + 5)

    reply = hospital.look_up(stranger)

    assert (reply.success, reply.rows) == ("0", [])


def test_each_of_two_people_with_one_number_is_told_his_own(
    hospital: HealthClient, people: Population
) -> None:
    """The name decides; neither of them is dead."""
    for person in people.find(_planted(people, Quirk.TWO_PEOPLE_ONE_ID).id_number):
        assert hospital.look_up(person).rows == []


def test_a_birth_has_the_members_of_the_manual(hospital: HealthClient, people: Population) -> None:
    """The child's certificate names his parents."""
    person = next(
        person
        for person in (people.person(index) for index in range(240, SIZE))
        if health_record(person).birth
    )

    reply = hospital.look_up(person, BIRTH)

    assert reply.rows is not None
    (row,) = reply.rows
    assert set(row) == _manual_names("6")
    held = health_record(person).birth
    assert held is not None
    assert (row["CSYXZH"], row["MQSFZH"], row["FQXM"]) == (
        held.certificate_no,
        held.mother_id,
        held.father_name,
    )
    assert re.fullmatch(r"[A-Z]\d{9}", row["CSYXZH"])


def test_the_answers_agree_with_those_of_the_police(
    hospital: HealthClient, people: Population
) -> None:
    """Over a hundred dead: who has a standing certificate died on the day the police say."""
    dead = [person for index in range(240, 1_400) if (person := people.person(index)).death]
    told = [(person, hospital.look_up(person).rows or []) for person in dead[:100]]

    same = [
        f"{public_security_record(person).death_cancel.death_date:%Y%m%d}" == row["SWRQ"]
        for person, rows in told
        for row in rows
        if row["ZMZT"] == "1"
    ]

    assert len(same) > 80
    assert same.count(False) <= 2


def test_the_manual_lists_exactly_the_codes_there_are() -> None:
    """Codes, texts and their order in the table are those of the module."""
    section = MANUAL.read_text().split("\n## 4")[1].split("\n## ")[0]

    assert re.findall(r"^\| `(\d)` \| (\S+) \|", section, re.MULTILINE) == list(MESSAGES.items())


def test_the_same_seed_answers_the_same(hospital: HealthClient, people: Population) -> None:
    """A question asked twice has one answer."""
    person = _planted(people, Quirk.DEAD_IN_CA_ALIVE_IN_PS)

    assert hospital.look_up(person) == hospital.look_up(person)


def test_what_was_asked_can_be_searched(
    health: Running, hospital: HealthClient, people: Population
) -> None:
    """The recorder keeps the request as it came, base64 and all."""
    request = hospital.question(XM=_planted(people, Quirk.ORDINARY_PENSIONER).full_name)

    hospital.ask(DEATH, request)

    last = health.admin.get("/received").json()["received"][-1]
    assert (last["method"], last["path"]) == ("POST", PATH)
    assert request in last["body"]


def test_the_admin_port_shows_the_view(health: Running, people: Population) -> None:
    """Certificates stand on the page of a person, with his canaries."""
    person = _planted(people, Quirk.DEAD_PENSION_PAID)

    page = health.admin.get(f"/persons/{person.index}").json()

    (certificate,) = page["health"]["deaths"]
    assert certificate["has_record"] is True
    assert certificate["certificate_no"] in page["canaries"]
