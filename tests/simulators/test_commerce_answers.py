"""The commerce simulator answers as its manual and its published document say."""

import json
import re
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import httpx
import pytest
from openapi_core import OpenAPI

from adapters.simulators.commerce.faults import Fault
from adapters.simulators.commerce.register import Register
from adapters.simulators.faults import FaultBoard
from adapters.simulators.population import (
    Person,
    Population,
    Quirk,
    commerce_record,
    planted_index,
)
from adapters.simulators.population.commerce import EnterpriseRecord, enterprise_record
from adapters.simulators.population.disagreements import EnterpriseDisagreement
from adapters.simulators.population.employers import FORMER, ORDINARY
from adapters.simulators.population.enterprises import RegisterState, enterprise_at
from tests.simulators.commerce_client import (
    BASE,
    CHANGES,
    POSITIONS,
    TRADER,
    VERIFY,
    CommerceClient,
    answer_violates,
    named,
    request_violates,
)
from tests.simulators.simulator_process import SIZE, Running

BEIJING = timezone(timedelta(hours=8))


@pytest.fixture
def company(people: Population) -> EnterpriseRecord:
    """The company of the ordinary employee."""
    person = people.person(planted_index(Quirk.ORDINARY_EMPLOYEE))
    return commerce_record(person).enterprise


@pytest.fixture
def trader(people: Population) -> Person:
    """The sole trader."""
    return people.person(planted_index(Quirk.SOLE_TRADER))


def _judged(document: OpenAPI, answer: httpx.Response) -> tuple[str, list[dict[str, object]]]:
    """Let the foreign judge pass request and answer; give code and records."""
    assert not request_violates(document, answer)
    assert not answer_violates(document, answer), answer.text
    body = answer.json()
    return body["code"], body["data"]


def _read_day(written: object) -> date:
    """Read a date as the manual says, by its size alone."""
    assert isinstance(written, int)
    if written < 10**13:
        return datetime.fromtimestamp(written / 1000, BEIJING).date()
    return datetime.strptime(str(written), "%Y%m%d%H%M%S").replace(tzinfo=BEIJING).date()


def test_the_base_query_tells_every_field_of_the_dataset(
    registry: CommerceClient, document: OpenAPI, company: EnterpriseRecord
) -> None:
    """By code and by name the same record, with more in it than the catalog has."""
    code, data = _judged(document, registry.ask(BASE, uniscid=company.uscc))
    named_code, by_name = _judged(document, registry.ask(BASE, entname=company.name))

    assert (code, named_code, data) == ("2000", "2000", by_name)
    record = data[0]
    assert (record["uniscid"], record["entname"]) == (company.uscc, company.name)
    assert record["name"] == company.legal_representative
    assert record["cerno"] == company.legal_rep_id
    assert _read_day(record["estdate"]) == company.establish_date
    assert (record["opto"] is None) == (company.valid_to is None)
    if company.valid_to is not None:
        assert _read_day(record["opto"]) == company.valid_to
    assert record["regcap"] == company.registered_capital / 10_000
    assert (record["dom"], record["opscope"]) == (company.address, company.business_scope)
    assert record["tel"] == company.phone
    shareholders = record["shareholders"]
    assert isinstance(shareholders, list)
    assert [one["inv"] for one in shareholders] == [one.name for one in company.shareholders]


def test_dates_come_in_both_encodings(registry: CommerceClient, document: OpenAPI) -> None:
    """Milliseconds beside fourteen digits in one record; old records have digits only."""
    shapes = set()
    for number in range(40):
        enterprise = enterprise_at(1, number)
        if enterprise is None or enterprise.sole:
            continue
        record = enterprise_record(enterprise)
        _, data = _judged(document, registry.ask(BASE, uniscid=record.uscc))
        written = data[0]["estdate"], data[0]["apprdate"]
        assert _read_day(written[0]) == record.establish_date
        assert _read_day(written[1]) == record.approved.date()
        shapes.add(tuple(len(str(value)) == 14 for value in written))

    assert shapes == {(False, True), (True, True)}


def test_states_are_those_of_the_closed_list(registry: CommerceClient, document: OpenAPI) -> None:
    """Former companies show each; revoked is not cancelled."""
    seen = set()
    for number in range(FORMER.start, FORMER.start + 400):
        enterprise = enterprise_at(1, number)
        if enterprise is None or enterprise.sole or enterprise.state.value in seen:
            continue
        _, data = _judged(document, registry.ask(BASE, uniscid=enterprise.employer.uscc))
        assert data[0]["regstateCn"] == enterprise.state.value
        seen.add(enterprise.state.value)

    assert seen == {state.value for state in RegisterState if state is not RegisterState.ACTIVE}


def test_what_is_not_registered_is_2004(registry: CommerceClient, document: OpenAPI) -> None:
    """A code and a name of nobody, of companies and of sole traders."""
    for path, member in ((BASE, "uniscid"), (TRADER, "epbno")):
        answer = registry.ask(path, **{member: "91370100MA3FAKE04Q"})
        assert _judged(document, answer) == ("2004", [])
    assert _judged(document, registry.ask(BASE, entname="没有")) == ("2004", [])
    answer = registry.ask(VERIFY, uniscid="91370100MA3FAKE04Q", name="某")
    assert _judged(document, answer) == ("2004", [])


def test_sole_traders_have_an_operation_of_their_own(
    registry: CommerceClient, document: OpenAPI, trader: Person, company: EnterpriseRecord
) -> None:
    """The company operations point there with 2006; there is no company there."""
    record = commerce_record(trader).enterprise

    by_code = _judged(document, registry.ask(TRADER, epbno=record.uscc))
    by_name = _judged(document, registry.ask(TRADER, traname=record.name))

    assert by_code == by_name
    assert (by_code[0], by_code[1][0]["name"]) == ("2000", trader.full_name)
    assert by_code[1][0]["cerno"] == trader.id_number
    assert _judged(document, registry.ask(BASE, uniscid=record.uscc)) == ("2006", [])
    assert _judged(document, registry.ask(VERIFY, uniscid=record.uscc, name="某")) == ("2006", [])
    assert _judged(document, registry.ask(TRADER, epbno=company.uscc)) == ("2004", [])


def test_a_verification_of_the_truth_differs_in_nothing(
    registry: CommerceClient, document: OpenAPI, company: EnterpriseRecord
) -> None:
    """All six checks agree; the amount is compared as a number."""
    answer = registry.ask(
        VERIFY,
        uniscid=company.uscc,
        entname=company.name,
        name=company.legal_representative,
        cerno=company.legal_rep_id,
        dom=company.address,
        regcap=f"{company.registered_capital / 10_000:.4f}",
        estdate=f"{company.establish_date:%Y%m%d}",
    )

    code, data = _judged(document, answer)

    assert (code, data[0]["entchk_checkrcs_msg"], data[0]["diff_list"]) == ("2000", "一致", [])


def test_a_verification_tells_the_true_value_of_what_differs(
    registry: CommerceClient, document: OpenAPI, company: EnterpriseRecord
) -> None:
    """Only what was asked and differs is listed, in the order of the manual."""
    answer = registry.ask(
        VERIFY, uniscid=company.uscc, dom="别处", regcap="1", name="某某", entname=company.name
    )

    _, data = _judged(document, answer)

    assert data[0]["diff_list"] == [
        {"chk_key": "name", "in_val": "某某", "out_val": company.legal_representative},
        {"chk_key": "dom", "in_val": "别处", "out_val": company.address},
        {"chk_key": "regcap", "in_val": "1", "out_val": f"{company.registered_capital // 10_000}"},
    ]
    assert data[0]["entchk_checkrcs_msg"] == "不一致"


def test_a_misspelt_representative_shows_where_the_register_disagrees(
    registry: CommerceClient, document: OpenAPI
) -> None:
    """The name of the population register differs, the number does not."""
    enterprise = next(
        found
        for found in (enterprise_at(1, number) for number in ORDINARY)
        if found
        and not found.sole
        and found.disagreement is EnterpriseDisagreement.LEGAL_REP_NAME_VARIANT
    )

    answer = registry.ask(
        VERIFY,
        uniscid=enterprise.employer.uscc,
        name=enterprise.representative.full_name,
        cerno=enterprise.representative.id_number,
    )

    differences = _judged(document, answer)[1][0]["diff_list"]
    assert isinstance(differences, list)
    assert [one["chk_key"] for one in differences] == ["name"]


def test_positions_are_those_of_the_person(
    registry: CommerceClient, document: OpenAPI, people: Population
) -> None:
    """Everyone of a stretch of people is told his own; whoever has none is 2004."""
    codes = set()
    for index in range(220, 300):
        person = people.person(index)
        held = commerce_record(person).positions.entity_list
        code, data = _judged(document, registry.ask(POSITIONS, **named(person)))
        codes.add(code)
        if code == "2005":  # the register's misspelling is a disagreement
            continue
        assert [(row["uniscid"], row["position"]) for row in data] == [
            (one.enterprise.uscc, one.position) for one in held
        ]
        assert {row["cerno"] for row in data} <= {person.id_number}

    assert {"2000", "2004"} <= codes


def test_the_name_decides_between_two_people_of_one_number(
    registry: CommerceClient, document: OpenAPI, people: Population
) -> None:
    """Each is told his own enterprise; a third name is 2005."""
    first = people.person(planted_index(Quirk.TWO_PEOPLE_ONE_ID))
    second = people.person(first.index + 4)

    rows = [_judged(document, registry.ask(POSITIONS, **named(one)))[1] for one in (first, second)]
    stranger = registry.ask(POSITIONS, cerno=first.id_number, name="陈某")

    assert rows[0][0]["uniscid"] != rows[1][0]["uniscid"]
    assert [row[0]["pname"] for row in rows] == [first.full_name, second.full_name]
    assert _judged(document, stranger) == ("2005", [])


@pytest.mark.parametrize("dot", ["\u00b7", "\u2022", "\u2027", "\u30fb", "\uff0e"])
def test_the_middle_dot_is_one_however_it_is_written(
    registry: CommerceClient, document: OpenAPI, dot: str
) -> None:
    """A representative with a dot in his name is found and verified under five code points."""
    enterprise = next(
        found
        for found in (enterprise_at(1, number) for number in range(320))
        if found
        and not found.sole
        and "\u00b7" in found.representative.full_name
        and found.representative.index < SIZE
    )
    spelt = enterprise.representative.full_name.replace("\u00b7", dot)

    verified = registry.ask(VERIFY, uniscid=enterprise.employer.uscc, name=spelt)
    found = registry.ask(POSITIONS, cerno=enterprise.representative.id_number, name=spelt)

    assert _judged(document, verified)[1][0]["diff_list"] == []
    assert _judged(document, found)[0] == "2000"


def test_a_misspelt_row_comes_with_the_others_of_the_same_person() -> None:
    """Whoever is named right in one row is told all of his rows."""
    register = Register(people=Population(seed=1, size=400_000), board=FaultBoard(Fault))
    enterprise = next(
        found
        for found in (enterprise_at(1, number) for number in ORDINARY)
        if found
        and not found.sole
        and found.disagreement is EnterpriseDisagreement.LEGAL_REP_NAME_VARIANT
    )

    code, rows = register.positions(named(enterprise.representative))

    assert (code, [row["position"] for row in rows]) == ("2000", ["法定代表人", "股东"])
    assert rows[0]["pname"] != rows[1]["pname"] == enterprise.representative.full_name


def test_revoked_is_not_cancelled(
    registry: CommerceClient, document: OpenAPI, people: Population
) -> None:
    """The planted employer whose licence was revoked still exists, with its people."""
    person = people.person(planted_index(Quirk.EMPLOYER_REVOKED))

    _, data = _judged(document, registry.ask(POSITIONS, **named(person)))

    assert {row["regstateCn"] for row in data} == {"吊销.未注销"}
    assert [row["position"] for row in data] == ["法定代表人", "股东"]


def test_the_feed_is_read_to_its_end_page_by_page(
    registry: CommerceClient, document: OpenAPI, people: Population
) -> None:
    """In order, nothing twice; the end is told and the cursor stays good."""
    items, cursor, more = [], "", True
    while more:
        query = f"?limit=50&cursor={cursor}" if cursor else "?limit=50"
        answer = registry.get(CHANGES + query)
        items += _judged(document, answer)[1]
        cursor, more = answer.json()["cursor"], answer.json()["more"]
    again = registry.get(f"{CHANGES}?limit=50&cursor={cursor}")

    occurred = [str(item["occurred"]) for item in items]
    assert len({str(item["id"]) for item in items}) == len(items) > 50
    assert occurred == sorted(occurred)
    assert _judged(document, again) == ("2000", [])
    assert (again.json()["cursor"], again.json()["more"]) == (cursor, False)
    changed = people.person(planted_index(Quirk.LEGAL_REP_CHANGED))
    code = commerce_record(changed).enterprise.uscc
    told = [item for item in items if item["uniscid"] == code]
    spouse = people.person(changed.index + 1).full_name
    assert [item["event"] for item in told] == ["02"]
    assert told[0]["changes"] == [
        {"chk_key": "name", "old_val": spouse, "new_val": changed.full_name}
    ]


def test_a_change_entered_now_shows_everywhere(
    registry: CommerceClient, document: OpenAPI, commerce: Running
) -> None:
    """Base query, positions and feed agree on the new state."""
    enterprise = next(
        found
        for number in range(220, 300)
        if (found := enterprise_at(1, number)) and not found.sole
    )
    uscc = enterprise.employer.uscc
    code = commerce.admin.post("/changes", json={"uniscid": uscc, "event": "03"}).status_code

    record = _judged(document, registry.ask(BASE, uniscid=uscc))[1][0]
    behind = registry.ask(POSITIONS, **named(enterprise.representative))
    states = {row["uniscid"]: row["regstateCn"] for row in _judged(document, behind)[1]}
    page = registry.get(f"{CHANGES}?limit=200")
    while page.json()["more"]:
        page = registry.get(f"{CHANGES}?limit=200&cursor={page.json()['cursor']}")

    assert (code, record["regstateCn"], states[uscc]) == (200, "吊销.未注销", "吊销.未注销")
    assert _judged(document, page)[1][-1]["uniscid"] == uscc
    assert (
        _read_day(record["apprdate"])
        == datetime.fromtimestamp(commerce.now_ms() / 1000, BEIJING).date()
    )
    missing = {"uniscid": "91370100MA3FAKE04Q", "event": "03"}
    assert commerce.admin.post("/changes", json=missing).status_code == 404
    assert commerce.admin.post("/changes", json={"uniscid": uscc}).status_code == 400


def test_the_document_is_the_committed_one_and_its_paths_are_in_the_manual(
    registry: CommerceClient,
) -> None:
    """Nothing is published that the manual does not name."""
    root = Path(__file__).resolve().parents[2]
    manual = (root / "docs" / "adapters" / "commerce.md").read_text()
    published = registry.http.get(f"{registry.url}/openapi.json")

    assert published.json()["openapi"] == "3.1.0"
    for path, operations in published.json()["paths"].items():
        for method in operations:
            assert f"`{method.upper()} {path}" in manual
    codes = set(re.findall(r"^\| [0-9、]+ \| `(\d{4})`", manual, re.MULTILINE))
    listed = set(re.findall(r"'(\d{4})'", str(published.json()["components"])))
    assert codes == listed
    assert json.loads(published.text)["info"]["version"] == "1.0.0"
