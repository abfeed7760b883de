"""Every fault of the education simulator shows as its manual says."""

import re
from pathlib import Path

import httpx
import pytest

from adapters.simulators.education.faults import Fault
from adapters.simulators.population import Person, Population, Quirk, planted_index
from tests.simulators.education_client import EducationClient, about, degree_of, diploma_of
from tests.simulators.simulator_process import Running

MANUAL = Path(__file__).resolve().parents[2] / "docs" / "adapters" / "education.md"
VERIFY = "/api/v1/diplomas/verify"


@pytest.fixture
def client(education_client: EducationClient) -> EducationClient:
    """A client with a token."""
    assert education_client.fetch_token().status_code == 200
    return education_client


@pytest.fixture
def graduate(people: Population) -> Person:
    """The ordinary graduate."""
    return people.person(planted_index(Quirk.ORDINARY_GRADUATE))


def test_the_manual_lists_exactly_the_faults_there_are(education: Running) -> None:
    """Manual, admin port and enumeration name the same faults."""
    listed = re.findall(r"^\| `(\w+)` \|", MANUAL.read_text().split("## 9")[1], re.MULTILINE)

    assert listed == [fault.value for fault in Fault]
    assert list(education.admin.get("/faults").json()["faults"]) == listed


def test_rate_limit_names_the_time_to_wait(
    client: EducationClient, education: Running, graduate: Person
) -> None:
    """429 with Retry-After, once."""
    education.fault("rate_limited")

    answer = client.post(VERIFY, diploma_of(graduate))

    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "2")
    assert client.post(VERIFY, diploma_of(graduate)).status_code == 200


def test_slow_poll_stays_pending(
    client: EducationClient, education: Running, people: Population
) -> None:
    """The job never ends while the fault is on."""
    old = people.person(planted_index(Quirk.DIPLOMA_BEFORE_2002))
    education.fault("slow_poll", None)
    place = client.post(VERIFY, diploma_of(old)).headers["Location"]

    education.advance(60_000)

    assert client.get(place).status_code == 202


def test_hang_answers_nothing(
    client: EducationClient, education: Running, graduate: Person
) -> None:
    """The caller's own deadline ends the wait; the next caller is served."""
    education.fault("hang")
    client.http.timeout = httpx.Timeout(0.5)

    with pytest.raises(httpx.ReadTimeout):
        client.post(VERIFY, diploma_of(graduate))

    assert client.post(VERIFY, diploma_of(graduate)).status_code == 200


def test_half_a_body_ends_early(
    client: EducationClient, education: Running, graduate: Person
) -> None:
    """The declared length is not delivered."""
    education.fault("half_body")

    with pytest.raises(httpx.RemoteProtocolError):
        client.post(VERIFY, diploma_of(graduate))


def test_broken_bodies(client: EducationClient, education: Running, graduate: Person) -> None:
    """HTML with 200, an empty body, GBK called UTF-8, a body of 8 MiB, a redirect, a 503."""
    seen = {}
    for fault in (
        "html_page",
        "empty_body",
        "gbk_body",
        "oversized_body",
        "redirect",
        "server_error",
    ):
        education.fault(fault)
        seen[fault] = client.post(VERIFY, diploma_of(graduate))

    assert seen["html_page"].status_code == 200
    assert seen["html_page"].headers["Content-Type"].startswith("text/html")
    assert (seen["empty_body"].status_code, seen["empty_body"].content) == (200, b"")
    assert seen["gbk_body"].headers["Content-Type"].endswith("utf-8")
    assert "毕业" in seen["gbk_body"].content.decode("gb18030")
    with pytest.raises(UnicodeDecodeError):
        seen["gbk_body"].content.decode("utf-8")
    assert len(seen["oversized_body"].content) > 8 * 2**20
    assert seen["redirect"].status_code == 302
    assert (seen["server_error"].status_code, seen["server_error"].json()["code"]) == (
        503,
        "EDU-5000",
    )


def test_another_persons_record(
    client: EducationClient, education: Running, graduate: Person
) -> None:
    """The result looks right and the subject is wrong."""
    education.fault("other_person")

    body = client.post(VERIFY, diploma_of(graduate)).json()

    assert body["result"] == "MATCH"
    assert body["record"]["zjhm"] != graduate.id_number


def test_every_field_is_returned(
    client: EducationClient, education: Running, graduate: Person
) -> None:
    """Phone, address, parents and marks come along."""
    education.fault("every_field")

    record = client.post(VERIFY, diploma_of(graduate)).json()["record"]

    assert {"sjh", "jtdz", "fqxm", "mqxm", "gkcj", "rawDump"} <= record.keys()


def test_a_degree_is_revoked(client: EducationClient, education: Running, graduate: Person) -> None:
    """A good degree reads as revoked."""
    education.fault("degree_revoked")

    record = client.post("/api/v1/degrees/verify", degree_of(graduate)).json()["record"]

    assert (record["cxbz"], record["zt"]) == ("1", "注销")


@pytest.mark.parametrize(
    ("fault", "changed"),
    [
        ("record_cancelled", {"zt": "注销"}),
        ("revocation_contradicts", {"cxbz": "0", "cxrq": "20190630"}),
        ("empty_mandatory", {"xwzsbh": ""}),
    ],
)
def test_a_degree_says_something_else(
    client: EducationClient,
    education: Running,
    graduate: Person,
    fault: str,
    changed: dict[str, str],
) -> None:
    """The rest of the record stays."""
    path = "/api/v1/degrees/verify"
    honest = client.post(path, degree_of(graduate)).json()["record"]
    education.fault(fault)

    told = client.post(path, degree_of(graduate)).json()

    assert told["result"] == "MATCH"
    assert told["record"] == {**honest, **changed}


def test_ten_thousand_records_for_one_person(
    client: EducationClient, education: Running, graduate: Person
) -> None:
    """A question about one person is flooded."""
    education.fault("many_records")
    client.http.timeout = httpx.Timeout(20)

    answer = client.post("/api/v1/diplomas/query", about(graduate))

    assert len(answer.json()["records"]) == 10_000
