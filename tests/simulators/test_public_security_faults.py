"""Every fault of the public security simulator shows as its manual says."""

import hashlib
import re
from pathlib import Path

import httpx
import pytest
import zeep.exceptions

from adapters.simulators.population import Person, Population, Quirk, photo_of, planted_index
from adapters.simulators.public_security.faults import Fault
from tests.simulators.police_client import PoliceClient, Reply, about
from tests.simulators.simulator_process import Running

MANUAL = Path(__file__).resolve().parents[2] / "docs" / "adapters" / "public_security.md"
NAMESPACE = "http://webservice.com"
VERIFY = "GK_GXFW_SFHC"
CORE = "GK_JZCX_RKJCXXCX"
HOUSEHOLD = "GK_JZCX_HJCXXCX"
CANCELLATION = "GK_JZCX_SWZXCX"
PHOTO = "GK_GXFW_RXBD"


@pytest.fixture
def client(police: PoliceClient) -> PoliceClient:
    """A client with a secret."""
    police.refresh()
    return police


@pytest.fixture
def trio(people: Population) -> list[Person]:
    """Three living people."""
    quirks = (Quirk.ORDINARY_PENSIONER, Quirk.ORDINARY_GRADUATE, Quirk.ORDINARY_EMPLOYEE)
    return [people.person(planted_index(quirk)) for quirk in quirks]


def _ask(client: PoliceClient, people: list[Person], operation: str = VERIFY) -> Reply:
    return client.ask(operation, client.package(about(person) for person in people))


def _post(client: PoliceClient, people: list[Person]) -> httpx.Response:
    package = client.package(about(person) for person in people)
    return client.post(client.envelope(VERIFY, package, NAMESPACE))


def test_the_manual_lists_exactly_the_faults_there_are(public_security: Running) -> None:
    """Manual, admin port and enumeration name the same faults."""
    listed = re.findall(r"^\| `(\w+)` \|", MANUAL.read_text().split("## 5")[1], re.MULTILINE)

    assert listed == [fault.value for fault in Fault]
    assert list(public_security.admin.get("/faults").json()["faults"]) == listed


@pytest.mark.parametrize(
    ("fault", "code"), [("soap_fault", "-1"), ("secret_expired", "E-104"), ("clock_skew", "E-102")]
)
def test_platform_faults_are_soap_faults(
    client: PoliceClient, public_security: Running, trio: list[Person], fault: str, code: str
) -> None:
    """The call fails with a code; after a refresh the next one succeeds."""
    public_security.fault(fault)

    with pytest.raises(zeep.exceptions.Fault, match=code):
        _ask(client, trio)
    client.refresh()

    assert len(_ask(client, trio).rows) == 3


def _compare(client: PoliceClient, person: Person) -> Reply:
    digest = hashlib.sha256(photo_of(person)).hexdigest()
    asked = about(person, XPZY=digest, MBBB="RX-2024-1", SQBH="SB-M8-000001")
    return client.ask(PHOTO, client.package([asked]))


@pytest.mark.parametrize(
    ("fault", "members"),
    [
        ("low_score", {"BDJG": "1", "XSD": "41.07"}),
        ("score_missing", {"BDJG": "1", "XSD": ""}),
        ("other_portrait", {"XPZY": "0" * 64}),
        ("empty_mandatory", {"BDJG": ""}),
    ],
)
def test_a_comparison_says_something_else(
    client: PoliceClient,
    public_security: Running,
    trio: list[Person],
    fault: str,
    members: dict[str, str],
) -> None:
    """The rest of the record stays."""
    honest = _compare(client, trio[0]).rows[0].members
    public_security.fault(fault)

    told = _compare(client, trio[0]).rows[0]

    assert told.code == "10"
    assert told.members == {**honest, **members}


@pytest.mark.parametrize(
    ("fault", "code"),
    [("no_photo_on_file", "17"), ("template_unknown", "18"), ("consent_refused", "16")],
)
def test_a_comparison_is_refused(
    client: PoliceClient, public_security: Running, trio: list[Person], fault: str, code: str
) -> None:
    """The code, the number and nothing else; other operations are spared."""
    public_security.fault(fault)

    spared = _ask(client, trio[:1]).rows[0]
    refused = _compare(client, trio[0]).rows[0]

    assert spared.code == "10"
    assert (refused.code, set(refused.members)) == (code, {"GMSFHM"})


@pytest.mark.parametrize(
    ("operation", "member"),
    [(VERIFY, "XM_PPDDM"), (CORE, "CSRQ"), (HOUSEHOLD, "HH"), (CANCELLATION, "ZXBS")],
)
def test_one_mandatory_member_of_each_operation_is_empty(
    client: PoliceClient,
    public_security: Running,
    trio: list[Person],
    operation: str,
    member: str,
) -> None:
    """All the others stand."""
    honest = _ask(client, trio[:1], operation).rows[0].members
    public_security.fault("empty_mandatory")

    emptied = _ask(client, trio[:1], operation).rows[0].members

    assert emptied == {**honest, member: ""}


def test_a_secret_ends_in_the_middle_of_a_batch(
    client: PoliceClient, public_security: Running, trio: list[Person]
) -> None:
    """Two packages pass, the third is E-104, after a refresh the rest goes through."""
    public_security.admin.post("/faults", json={"name": "secret_expired", "count": 1, "after": 2})

    first = [len(_ask(client, trio).rows) for _ in range(2)]
    with pytest.raises(zeep.exceptions.Fault, match="E-104"):
        _ask(client, trio)
    client.refresh()

    assert [*first, len(_ask(client, trio).rows)] == [3, 3, 3]


def test_a_busy_register_says_so_with_200(
    client: PoliceClient, public_security: Running, trio: list[Person]
) -> None:
    """HTTP 200, FHDM 30, no records."""
    public_security.fault("head_not_ok")

    reply = _ask(client, trio)

    assert (reply.head["FHDM"], reply.rows) == ("30", [])


@pytest.mark.parametrize(
    ("fault", "numbers"),
    [
        ("out_of_order", ["3", "2", "1"]),
        ("missing_record", ["1", "2"]),
        ("duplicate_record", ["1", "2", "3", "1"]),
    ],
)
def test_records_out_of_order_missing_or_twice(
    client: PoliceClient,
    public_security: Running,
    trio: list[Person],
    fault: str,
    numbers: list[str],
) -> None:
    """The head still counts three."""
    public_security.fault(fault)

    reply = _ask(client, trio)

    assert [row.no for row in reply.rows] == numbers
    assert reply.head["JLS"] == "3"


def test_half_of_the_records_time_out(
    client: PoliceClient, public_security: Running, trio: list[Person]
) -> None:
    """Odd ones with code 15, the others answered."""
    public_security.fault("partial_records")

    assert [row.code for row in _ask(client, trio).rows] == ["15", "10", "15"]


def test_a_name_with_a_private_use_character(
    client: PoliceClient, public_security: Running, trio: list[Person]
) -> None:
    """The base query returns it raw."""
    public_security.fault("private_use_name")

    name = _ask(client, trio, CORE).rows[0].members["XM"]

    assert name[:-1] == trio[0].full_name[:-1]
    assert "\ue000" <= name[-1] <= "\uf8ff"


def test_another_persons_record(
    client: PoliceClient, public_security: Running, trio: list[Person]
) -> None:
    """The number in the answer is not the number asked."""
    public_security.fault("other_person")

    rows = _ask(client, trio, CORE).rows

    asked = [person.id_number for person in trio]
    assert all(row.members["GMSFHM"] not in asked for row in rows)
    assert all(
        row.members["XM"] != person.full_name for row, person in zip(rows, trio, strict=True)
    )


def test_an_answer_to_another_request(
    client: PoliceClient, public_security: Running, trio: list[Person]
) -> None:
    """A late answer carries the id of its own request."""
    public_security.fault("other_request")

    assert _ask(client, trio).head["FWQQBH"] == "00000000-0000-4000-8000-000000000000"


def test_every_field_is_returned(
    client: PoliceClient, public_security: Running, trio: list[Person]
) -> None:
    """A verification comes with portrait, address, phone and marks."""
    public_security.fault("every_field")

    members = _ask(client, trio).rows[0].members

    assert {"XP", "HJDZ", "LXDH", "FZJL", "HH", "ZXBS", "SWBS"} <= members.keys()


@pytest.mark.parametrize(
    ("fault", "mark"), [("entity_bomb", "<!ENTITY e9"), ("external_entity", "file:///etc/hostname")]
)
def test_an_envelope_with_entities(
    client: PoliceClient, public_security: Running, trio: list[Person], fault: str, mark: str
) -> None:
    """The SOAP envelope declares a document type."""
    public_security.fault(fault)

    assert mark in _post(client, trio).text


@pytest.mark.parametrize(
    ("fault", "mark"),
    [("entity_bomb_inner", "&lt;!ENTITY e9"), ("external_entity_inner", "file:///etc/hostname")],
)
def test_a_package_with_entities(
    client: PoliceClient, public_security: Running, trio: list[Person], fault: str, mark: str
) -> None:
    """The text in `out` declares a document type, the envelope is clean."""
    public_security.fault(fault)

    text = _post(client, trio).text

    assert mark in text
    assert "<!DOCTYPE" not in text


def test_broken_bodies(client: PoliceClient, public_security: Running, trio: list[Person]) -> None:
    """HTML, nothing, GBK called UTF-8, 8 MiB, 503."""
    seen = {}
    for fault in ("html_page", "empty_body", "gbk_body", "oversized_body", "server_error"):
        public_security.fault(fault)
        seen[fault] = _post(client, trio)

    assert seen["html_page"].headers["Content-Type"].startswith("text/html")
    assert (seen["empty_body"].status_code, seen["empty_body"].content) == (200, b"")
    assert "成功" in seen["gbk_body"].content.decode("gb18030")
    with pytest.raises(UnicodeDecodeError):
        seen["gbk_body"].content.decode("utf-8")
    assert len(seen["oversized_body"].content) > 8 * 2**20
    assert seen["server_error"].status_code == 503


def test_half_a_body_and_none_at_all(
    client: PoliceClient, public_security: Running, trio: list[Person]
) -> None:
    """Cut off in the middle; silent until the caller gives up."""
    public_security.fault("half_body")
    with pytest.raises(httpx.RemoteProtocolError):
        _post(client, trio)

    public_security.fault("hang")
    client.http.timeout = httpx.Timeout(0.5)
    with pytest.raises(httpx.ReadTimeout):
        _post(client, trio)

    assert _post(client, trio).status_code == 200
