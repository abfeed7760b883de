"""Each fault of the REST face of civil affairs shows as the manual says."""

import json
import re

import httpx
import pytest

from adapters.simulators.civil_affairs.faults import Fault
from adapters.simulators.population import Person, Population, Quirk, planted_index
from tests.simulators.civil_client import CivilClient, about, mac, of_one
from tests.simulators.simulator_process import ROOT, Running

NO_MATCH = "匹配不成功"


@pytest.fixture
def widow(people: Population) -> Person:
    """Somebody with two registrations."""
    return people.person(planted_index(Quirk.REMARRIED_WIDOW))


@pytest.fixture
def cremated(people: Population) -> Person:
    """Somebody who was cremated."""
    return people.person(planted_index(Quirk.CREMATED_NOT_CANCELLED))


def test_the_manual_lists_every_fault() -> None:
    """Section 5 names the faults of the closed list, in its order."""
    page = (ROOT / "docs" / "adapters" / "civil_affairs.md").read_text("utf-8")
    table = page.split("实时口的故障")[1].split("\n## ")[0]

    assert re.findall(r"^\| `(\w+)`", table, re.MULTILINE) == [fault.value for fault in Fault]


@pytest.mark.parametrize(("fault", "code"), [("platform_failed", "-1"), ("clock_skew", "E-102")])
def test_the_platform_fails(
    civil: CivilClient, civil_affairs: Running, widow: Person, fault: str, code: str
) -> None:
    """The outer code says so, once; then it works again."""
    civil_affairs.fault(fault)

    answer = civil.post("marriage_one", of_one(widow)).json()

    assert (answer["code"], answer["biz_data"]) == (code, None)
    assert civil.ask("marriage_one", of_one(widow))["op_type"] == "1"


def test_the_register_is_busy_inside_a_success(
    civil: CivilClient, civil_affairs: Running, widow: Person
) -> None:
    """Outer 1, inner 9, no result."""
    civil_affairs.fault("register_busy")

    answer = civil.post("marriage_one", of_one(widow)).json()

    assert (answer["code"], answer["biz_data"]["code"]) == ("1", "9")
    assert "result" not in answer["biz_data"]


def test_nothing_matches(civil: CivilClient, civil_affairs: Running, widow: Person) -> None:
    """Whoever is asked about, of either kind of service."""
    civil_affairs.fault("no_match", 2)

    assert civil.ask("marriage_one", of_one(widow))["op_type_desc"] == NO_MATCH
    assert civil.rows("marriage_record", of_one(widow)) == []


@pytest.mark.parametrize("service", ["marriage_one", "marriage_record", "cremation", "low_income"])
def test_another_person_is_told_of(
    civil: CivilClient, civil_affairs: Running, people: Population, service: str
) -> None:
    """A right answer about somebody else, for whoever is asked about."""
    person = people.person(planted_index(Quirk.CREMATED_NOT_CANCELLED))
    names = ("name_man", "cert_num_man") if service.startswith("marriage") else ("name", "id_card")
    question = about(person, *names)
    if service != "marriage_one":
        question |= {"start": "0", "limit": "100"}
    civil_affairs.fault("other_person")

    text = civil.post(service, question).text

    assert json.loads(text)["biz_data"]["code"] == "0"
    assert "op_date" in text or '"recordcount": "1"' in text
    assert person.id_number not in text
    assert person.full_name not in text


def test_the_answer_belongs_to_another_request(
    civil: CivilClient, civil_affairs: Running, widow: Person
) -> None:
    """Its request id is not the one asked with, and its signature is right."""
    civil_affairs.fault("other_request")

    answer = civil.post(
        "marriage_one", of_one(widow), request_id="1" * 8 + "-1111" * 3 + "-" + "1" * 12
    )

    body = answer.json()
    text = json.dumps(body["biz_data"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert not body["request_id"].startswith("1")
    assert body["sign"] == mac(body["request_id"] + "1" + text)


def test_the_answer_is_signed_wrongly(
    civil: CivilClient, civil_affairs: Running, widow: Person
) -> None:
    """A signature of the right length over something else."""
    civil_affairs.fault("bad_sign")

    with pytest.raises(AssertionError):
        civil.ask("marriage_one", of_one(widow))


def test_numbers_and_names_are_those_of_old_records(
    civil: CivilClient, civil_affairs: Running, cremated: Person
) -> None:
    """Fifteen digits; a homophone."""
    civil_affairs.fault("old_numbers")
    civil_affairs.fault("name_variants")

    (row,) = civil.rows("cremation", about(cremated))

    assert row["ID_CARD"] == cremated.id_number[:6] + cremated.id_number[8:17]
    assert row["NAME"] != cremated.full_name
    assert len(row["NAME"]) == len(cremated.full_name)


def test_names_of_a_couple_are_changed_and_nothing_else(
    civil: CivilClient, civil_affairs: Running, widow: Person
) -> None:
    """Only members that are a person's name change; the office keeps its own."""
    plain = civil.rows("marriage_record", of_one(widow))[0]
    civil_affairs.fault("name_variants")

    changed = civil.rows("marriage_record", of_one(widow))[0]

    assert {member for member in plain if plain[member] != changed[member]} == {
        "name_man",
        "name_woman",
    }


@pytest.mark.parametrize(("fault", "value"), [("empty_field", ""), ("unknown_code", "7")])
def test_a_code_is_unknown_or_empty(
    civil: CivilClient, civil_affairs: Running, widow: Person, fault: str, value: str
) -> None:
    """The date of a marriage is empty, its code is of no table."""
    member = "op_date" if fault == "empty_field" else "op_type"
    civil_affairs.fault(fault, 2)

    assert civil.ask("marriage_one", of_one(widow))[member] == value
    assert {row[member] for row in civil.rows("marriage_record", of_one(widow))} == {value}


def test_a_cremation_loses_its_day(
    civil: CivilClient, civil_affairs: Running, cremated: Person
) -> None:
    """The mandatory time of death is empty; a cremation has no code to be unknown."""
    civil_affairs.fault("empty_field")
    civil_affairs.fault("unknown_code")

    (row,) = civil.rows("cremation", about(cremated))

    assert row["DEATH_TIME"] == ""
    assert civil_affairs.admin.get("/faults").json()["faults"]["unknown_code"] == 1


def test_ten_thousand_rows_answer_a_question_about_one(
    civil: CivilClient, civil_affairs: Running, cremated: Person
) -> None:
    """The limit is not kept."""
    civil_affairs.fault("many_rows")

    assert len(civil.rows("cremation", about(cremated), limit=1)) == 10_000


def test_the_count_is_wrong(civil: CivilClient, civil_affairs: Running, cremated: Person) -> None:
    """One more is promised than there is."""
    civil_affairs.fault("count_mismatch")
    question = {**about(cremated), "start": "0", "limit": "10"}

    business = civil.post("cremation", question).json()["biz_data"]

    assert (business["recordcount"], business["returncount"]) == ("2", "1")


def test_the_same_page_comes_again(
    civil: CivilClient, civil_affairs: Running, widow: Person
) -> None:
    """The second page is the first."""
    civil_affairs.fault("page_repeats", None)

    first, second = (civil.rows("marriage_record", of_one(widow), start, 1) for start in (0, 1))

    assert first == second != []


def test_everything_held_is_told(civil: CivilClient, civil_affairs: Running, widow: Person) -> None:
    """Telephone, address and a dump, for both kinds of service."""
    civil_affairs.fault("every_field", 2)

    result = civil.ask("marriage_one", of_one(widow))
    (row, _) = civil.rows("marriage_record", of_one(widow))

    assert {"sjh", "jtdz", "rawDump"} <= result.keys()
    assert {"sjh", "jtdz", "rawDump"} <= row.keys()


@pytest.mark.parametrize(
    ("fault", "shown"),
    [
        ("server_error", "503 Service Unavailable"),
        ("html_page", "200 <html>"),
        ("empty_body", "200 "),
        ("redirect", "302 "),
    ],
)
def test_answers_are_spoiled(
    civil: CivilClient, civil_affairs: Running, widow: Person, fault: str, shown: str
) -> None:
    """Below the dialect: pages for people, nothing, a way to a login."""
    civil_affairs.fault(fault)

    answer = civil.post("marriage_one", of_one(widow))

    assert f"{answer.status_code} {answer.text[:50]}".startswith(shown)


def test_answers_are_cut_silent_or_in_another_encoding(
    civil: CivilClient, civil_affairs: Running, widow: Person
) -> None:
    """Half of the body, none at all, and GB 18030 under the name of UTF-8."""
    civil_affairs.fault("half_body")
    with pytest.raises(httpx.RemoteProtocolError):
        civil.post("marriage_one", of_one(widow))
    civil_affairs.fault("hang")
    with pytest.raises(httpx.ReadTimeout):
        civil.post("marriage_one", of_one(widow))
    civil_affairs.fault("gbk_body")
    answer = civil.post("marriage_one", of_one(widow))

    assert "utf-8" in answer.headers["Content-Type"]
    assert "成功" in answer.content.decode("gb18030")


def test_an_answer_is_too_large(civil: CivilClient, civil_affairs: Running, widow: Person) -> None:
    """Eight mebibytes of right JSON."""
    civil_affairs.fault("oversized_body")

    answer = civil.post("marriage_one", of_one(widow))

    assert len(answer.content) > 8 * 1024 * 1024
    assert answer.json()["code"] == "1"
