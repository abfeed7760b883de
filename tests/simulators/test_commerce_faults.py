"""Every fault of the commerce simulator shows as its manual says, to a foreign judge as well."""

import re
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from openapi_core import OpenAPI

from adapters.simulators.commerce.faults import Fault
from adapters.simulators.population import Person, Population, Quirk, commerce_record, planted_index
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
from tests.simulators.simulator_process import Running

MANUAL = Path(__file__).resolve().parents[2] / "docs" / "adapters" / "commerce.md"
ROW = re.compile(r"^\| `(\w+)` \| .* \| ([^|]+) \|$", re.MULTILINE)
LISTED = dict(ROW.findall(MANUAL.read_text().split("## 11")[1]))
"""Fault → what the manual says of the document: 是, 否, — or a sentence."""

Ask = Callable[[], httpx.Response]


@pytest.fixture
def person(people: Population) -> Person:
    """Whoever represents a company since yesterday."""
    return people.person(planted_index(Quirk.LEGAL_REP_CHANGED))


@pytest.fixture
def questions(registry: CommerceClient, people: Population, person: Person) -> dict[str, Ask]:
    """One good question for each data operation."""
    company = commerce_record(person).enterprise
    sole = commerce_record(people.person(planted_index(Quirk.SOLE_TRADER))).enterprise
    return {
        BASE: lambda: registry.ask(BASE, uniscid=company.uscc),
        VERIFY: lambda: registry.ask(VERIFY, uniscid=company.uscc, name="某某"),
        TRADER: lambda: registry.ask(TRADER, epbno=sole.uscc),
        POSITIONS: lambda: registry.ask(POSITIONS, **named(person)),
    }


def test_the_manual_lists_exactly_the_faults_there_are(commerce: Running) -> None:
    """Manual, admin port and enumeration name the same faults."""
    assert list(LISTED) == [fault.value for fault in Fault]
    assert list(commerce.admin.get("/faults").json()["faults"]) == list(LISTED)


@pytest.mark.parametrize("fault", [name for name, said in LISTED.items() if said == "是"])
@pytest.mark.parametrize("path", [BASE, VERIFY, TRADER, POSITIONS])
def test_a_fault_that_breaks_the_document_is_seen_by_the_judge(
    commerce: Running, document: OpenAPI, questions: dict[str, Ask], fault: str, path: str
) -> None:
    """The answer violates the document once; the next answer does not."""
    # A verification is one answer, so it cannot come ten thousand times (manual, section 11).
    if (fault, path) == ("many_records", VERIFY):
        return
    commerce.fault(fault)

    spoiled, good = questions[path](), questions[path]()

    assert answer_violates(document, spoiled)
    assert not answer_violates(document, good)
    assert good.json()["code"] == "2000"


@pytest.mark.parametrize("fault", [name for name, said in LISTED.items() if said == "否"])
def test_a_fault_that_keeps_to_the_document_passes_the_judge(
    commerce: Running, document: OpenAPI, questions: dict[str, Ask], fault: str
) -> None:
    """Only who compares with the question notices: the shape is right."""
    for ask in questions.values():
        commerce.fault(fault)
        assert not answer_violates(document, ask())


def test_dates_are_swapped(commerce: Running, questions: dict[str, Ask]) -> None:
    """Every date of the record is the same time, written the other way."""
    usual = questions[BASE]().json()["data"][0]
    commerce.fault("dates_swapped")
    swapped = questions[BASE]().json()["data"][0]

    for name in ("estdate", "opfrom", "apprdate"):
        assert (len(str(usual[name])) == 14) != (len(str(swapped[name])) == 14)
    commerce.fault("dates_swapped")
    assert questions[BASE]().json()["data"][0] == swapped
    others = {name for name in usual if name not in {"estdate", "opfrom", "opto", "apprdate"}}
    assert {name: usual[name] for name in others} == {name: swapped[name] for name in others}


@pytest.mark.parametrize(
    ("fault", "state"),
    [("unknown_state", "列入异常.待核"), ("revoked_not_cancelled", "吊销.未注销")],
)
def test_states(commerce: Running, questions: dict[str, Ask], fault: str, state: str) -> None:
    """Each operation shows the state of the fault, for all its records."""
    for ask in questions.values():
        commerce.fault(fault)
        assert {item["regstateCn"] for item in ask().json()["data"]} == {state}


def test_true_values_leak_of_what_was_not_asked(
    commerce: Running, questions: dict[str, Ask], person: Person
) -> None:
    """Number and address of the representative come for a question about his name."""
    commerce.fault("out_val_leak")

    listed = questions[VERIFY]().json()["data"][0]["diff_list"]

    true = {row["chk_key"]: row["out_val"] for row in listed}
    assert list(true) == ["entname", "name", "cerno", "dom", "regcap", "estdate"]
    assert true["cerno"] == person.id_number
    assert {row["in_val"] for row in listed} == {"", "某某"}


def test_a_new_required_member_breaks_every_old_request(
    registry: CommerceClient, commerce: Running, document: OpenAPI, questions: dict[str, Ask]
) -> None:
    """Good by the old document, refused by the department, bad by the document of now."""
    commerce.fault("schema_drift", None)
    drifted = registry.document()

    for ask in questions.values():
        answer = ask()
        assert (answer.status_code, answer.json()["code"]) == (400, "4000")
        assert not request_violates(document, answer)
        assert request_violates(drifted, answer)
        assert not answer_violates(drifted, answer)
    changed = registry.ask(BASE, entname="没有", jbrdw="失业科")
    assert not request_violates(drifted, changed)
    assert changed.json()["code"] == "2004"
    version = registry.http.get(f"{registry.url}/openapi.json").json()["info"]["version"]
    assert version == "1.1.0"
    unchecked = registry.ask(VERIFY, uniscid="91370100MA3FAKE04Q", jbrdw="失业科")
    assert request_violates(drifted, unchecked)
    assert unchecked.status_code == 400


def test_another_entity_is_told(
    commerce: Running, questions: dict[str, Ask], person: Person
) -> None:
    """The result looks right and the subject is wrong, in each operation."""
    usual = {path: ask().json()["data"][0] for path, ask in questions.items()}
    other = {}
    for path, ask in questions.items():
        commerce.fault("other_entity")
        other[path] = ask().json()["data"][0]

    assert usual[BASE]["uniscid"] != other[BASE]["uniscid"]
    assert usual[VERIFY]["ent_idx"] != other[VERIFY]["ent_idx"]
    assert usual[TRADER]["epbno"] != other[TRADER]["epbno"]
    assert other[TRADER]["epbno"].startswith("92")
    assert usual[POSITIONS]["cerno"] == person.id_number != other[POSITIONS]["cerno"]


def test_shapes_that_break(commerce: Running, questions: dict[str, Ask], person: Person) -> None:
    """Home address and dump, a flood, a missing state, an empty name, a number for a code."""
    seen = {}
    for fault in ("every_field", "many_records", "missing_field", "name_empty", "number_code"):
        commerce.fault(fault)
        seen[fault] = questions[BASE]().json()

    assert seen["every_field"]["data"][0]["famaddr"] == person.household.address
    assert "rawDump" in seen["every_field"]["data"][0]
    assert len(seen["many_records"]["data"]) == 10_000
    assert "regstateCn" not in seen["missing_field"]["data"][0]
    assert seen["name_empty"]["data"][0]["entname"] == ""
    assert seen["number_code"]["code"] == 2000


def test_the_feed_repeats_itself(registry: CommerceClient, commerce: Running) -> None:
    """The last item of a page comes first on the next one; the page keeps to its limit."""
    first = registry.get(f"{CHANGES}?limit=3").json()
    commerce.fault("changes_repeated")

    second = registry.get(f"{CHANGES}?limit=3&cursor={first['cursor']}").json()
    third = registry.get(f"{CHANGES}?limit=3&cursor={second['cursor']}").json()

    assert second["data"][0] == first["data"][-1]
    assert len(second["data"]) == 3
    ids = [item["id"] for page in (first, second, third) for item in page["data"]]
    assert sorted(set(ids)) == [f"cm-{number:08d}" for number in range(1, 9)]


def test_the_cursor_is_no_longer_kept(
    registry: CommerceClient, commerce: Running, document: OpenAPI
) -> None:
    """410, and from the beginning it works."""
    commerce.fault("cursor_expired")

    answer = registry.get(f"{CHANGES}?limit=3")

    assert (answer.status_code, answer.json()["code"]) == (410, "4100")
    assert not answer_violates(document, answer)
    assert registry.get(f"{CHANGES}?limit=3").status_code == 200


def test_refusals_by_fault(commerce: Running, questions: dict[str, Ask]) -> None:
    """Busy with a time to wait, away, and a clock that differs."""
    seen = {}
    for fault in ("rate_limited", "server_error", "clock_skew"):
        commerce.fault(fault)
        seen[fault] = questions[BASE]()

    told = {name: (answer.status_code, answer.json()["code"]) for name, answer in seen.items()}
    assert told == {
        "rate_limited": (429, "4290"),
        "server_error": (503, "5000"),
        "clock_skew": (401, "4011"),
    }
    assert seen["rate_limited"].headers["Retry-After"] == "2"


def test_hang_answers_nothing(
    registry: CommerceClient, commerce: Running, questions: dict[str, Ask]
) -> None:
    """The caller's own deadline ends the wait; the next caller is served."""
    commerce.fault("hang")
    registry.http.timeout = httpx.Timeout(0.5)

    with pytest.raises(httpx.ReadTimeout):
        questions[BASE]()

    assert questions[BASE]().status_code == 200


def test_half_a_body_ends_early(commerce: Running, questions: dict[str, Ask]) -> None:
    """The declared length is not delivered."""
    commerce.fault("half_body")

    with pytest.raises(httpx.RemoteProtocolError):
        questions[BASE]()


def test_broken_bodies(commerce: Running, questions: dict[str, Ask]) -> None:
    """HTML with 200, an empty body, GBK called UTF-8, 8 MiB, a redirect to a login page."""
    seen = {}
    for fault in ("html_page", "empty_body", "gbk_body", "oversized_body", "redirect"):
        commerce.fault(fault)
        seen[fault] = questions[BASE]()

    assert seen["html_page"].headers["Content-Type"].startswith("text/html")
    assert (seen["empty_body"].status_code, seen["empty_body"].content) == (200, b"")
    with pytest.raises(UnicodeDecodeError):
        seen["gbk_body"].content.decode("utf-8")
    assert "成功" in seen["gbk_body"].content.decode("gb18030")
    assert len(seen["oversized_body"].content) > 8 * 2**20
    assert seen["redirect"].status_code == 302
    assert seen["redirect"].headers["Location"] == "http://127.0.0.1:9/login"
