"""Refusals of the platform and of the register, in the order of the manual (3.5)."""

import json
from uuid import uuid4

import pytest

from adapters.simulators.population import Person, Population
from tests.simulators.civil_client import SID, CivilClient, mac, of_one, stamp
from tests.simulators.simulator_process import Running


@pytest.fixture
def person(people: Population) -> Person:
    """Somebody."""
    return people.person(300)


def _code(civil: CivilClient, person: Person, **changed: str) -> str:
    answer = civil.post("marriage_one", of_one(person), **changed)
    assert answer.status_code == 200
    body = answer.json()
    if body["code"] != "1":
        assert body["biz_data"] is None
        assert body["sign"] == ""
        assert person.id_number not in answer.text
    return str(body["code"])


def _signed(rid: str, rtime: str, sid: str = SID) -> dict[str, str]:
    names = ("gjzwfwpt_sid", "gjzwfwpt_rid", "gjzwfwpt_rtime", "gjzwfwpt_sign")
    return dict(zip(names, (sid, rid, rtime, mac(sid + rid + rtime)), strict=True))


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"gjzwfwpt_rid": ""}, "E-105"),
        ({"gjzwfwpt_rid": "x" * 65}, "E-105"),
        ({"gjzwfwpt_rtime": "123"}, "E-105"),
        ({"Content-Type": "application/json"}, "E-105"),
        ({"gjzwfwpt_sid": "s_unknown"}, "E-106"),
        ({"gjzwfwpt_rtime": "1000000000000"}, "E-102"),
        ({"gjzwfwpt_sign": "AAAA"}, "E-101"),
        ({"gjzwfwpt_rid": "another"}, "E-101"),
    ],
)
def test_headers_are_judged_first(
    civil: CivilClient, person: Person, headers: dict[str, str], code: str
) -> None:
    """A header that is missing, late or not signed."""
    civil.headers = headers
    civil.form = {"sign": "wrong"}

    assert _code(civil, person) == code


def test_a_request_id_is_good_once_and_spent_even_by_a_refused_form(
    civil: CivilClient, person: Person
) -> None:
    """The second call with a rid is E-103, also when the first failed after the header."""
    civil.headers = _signed(uuid4().hex, str(civil.now_ms()))
    civil.form = {"sign": "wrong"}
    first = _code(civil, person)
    civil.form = {}

    assert (first, _code(civil, person)) == ("E-107", "E-103")


def test_a_stranger_cannot_spend_the_id_of_another(civil: CivilClient, person: Person) -> None:
    """A call with a wrong signature leaves the rid good."""
    good = _signed(uuid4().hex, str(civil.now_ms()))
    civil.headers = {**good, "gjzwfwpt_sign": "AAAA"}
    refused = _code(civil, person)
    civil.headers = good

    assert (refused, _code(civil, person)) == ("E-101", "1")


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"format": "xml"}, "E-108"),
        ({"version": "2.0"}, "E-108"),
        ({"request_id": "no-uuid"}, "E-108"),
        ({"access_key": "another"}, "E-108"),
        ({"timestamp": "2026"}, "E-108"),
        ({"timestamp": "20261399000000"}, "E-108"),
        ({"more": "1"}, "E-108"),
        ({"timestamp": "20200101000000"}, "E-109"),
    ],
)
def test_the_form_is_exactly_the_documented_one(
    civil: CivilClient, person: Person, changed: dict[str, str], code: str
) -> None:
    """Signed rightly, and still refused."""
    assert _code(civil, person, **changed) == code


def test_what_was_not_signed_is_refused(civil: CivilClient, person: Person) -> None:
    """A question that was exchanged after signing is E-107."""
    civil.form = {"biz_content": json.dumps({**of_one(person), "case_no": "case-0002"})}

    assert _code(civil, person) == "E-107"


def test_an_unknown_service_is_refused(civil: CivilClient, person: Person) -> None:
    """The list of services is closed."""
    assert civil.post("divorce", of_one(person)).json()["code"] == "E-110"


def test_a_large_body_is_refused(civil: CivilClient, person: Person) -> None:
    """More than 16 KiB is HTTP 413."""
    answer = civil.post("marriage_one", {**of_one(person), "case_no": "x" * 17_000})

    assert answer.status_code == 413


@pytest.mark.parametrize(
    "changed",
    [
        {"cert_num_man": "370102195603159015"},
        {"cert_num_man": "370102560315901"},
        {"name_man": ""},
        {"name_man": "名" * 61},
        {"item_code": ""},
        {"case_no": "x" * 65},
        {"start": "0"},
    ],
)
def test_a_bad_question_is_refused_inside(
    civil: CivilClient, person: Person, changed: dict[str, str]
) -> None:
    """Outer code 1, inner code 1, and the reply is signed all the same."""
    answer = civil.post("marriage_one", {**of_one(person), **changed}).json()

    assert (answer["code"], answer["biz_data"]["code"]) == ("1", "1")
    assert answer["biz_data"].keys() == {"code", "status", "msg"}
    assert answer["sign"]


@pytest.mark.parametrize(
    "page", [{"start": "-1"}, {"start": "01"}, {"limit": "0"}, {"limit": "101"}]
)
def test_pages_have_limits(civil: CivilClient, person: Person, page: dict[str, str]) -> None:
    """A page begins at 0 and has 1 to 100 lines, each number in its one spelling."""
    question = {**of_one(person), "start": "0", "limit": "1", **page}

    assert civil.post("marriage_record", question).json()["biz_data"]["code"] == "1"


def test_the_clock_is_the_virtual_one(
    civil: CivilClient, civil_affairs: Running, person: Person
) -> None:
    """A sender whose time is that of another day is refused."""
    now = civil.now_ms()
    civil_affairs.advance(86_400_000)
    civil.headers = _signed(uuid4().hex, str(now))

    assert _code(civil, person, timestamp=stamp(now)) == "E-102"


def test_what_was_received_is_recorded(
    civil: CivilClient, civil_affairs: Running, person: Person
) -> None:
    """Path, headers and body, for searches; wiped on demand."""
    civil.ask("marriage_one", of_one(person))

    (row,) = civil_affairs.admin.get("/received").json()["received"]

    assert row["path"] == "/gateway/ca/marriage_one"
    assert person.id_number in row["body"]
    assert civil_affairs.admin.delete("/received").json()["received"] == []
