"""The platform simulator against a foreign client: each rule of its page, both generations."""

import json
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from adapters.simulators.national.apps import BadRegistration, load_apps
from tests.simulators.national_client import ACCESS_KEY, APP_KEY, HASHES, SID_SHA, NationalClient
from tests.simulators.simulator_process import Running, reset, running

UNKNOWN = "/api/v1/diplomas/query"
CALL = {
    "method": "POST",
    "path": UNKNOWN,
    "body": "{}",
    "header.content-type": "application/json",
    "header.x-request-id": "7f1c0b52-6d0e-4a3c-9a52-0c7f6a9d1e11",
}


@pytest.fixture(scope="module")
def platform(
    education_process: Running, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    """The platform before education."""
    file = tmp_path_factory.mktemp("national") / "apps.json"
    app = {
        "app_key": APP_KEY,
        "access_key": ACCESS_KEY,
        "target": education_process.url,
        "paths": ["/api/v1/"],
    }
    apps = [{**app, "sid": sid, "mac": name} for sid, name in HASHES.items()]
    file.write_text(json.dumps({"apps": apps}))
    with running("national", "--apps", str(file)) as started:
        yield started


@pytest.fixture(params=sorted(HASHES))
def client(platform: Running, request: pytest.FixtureRequest) -> Iterator[NationalClient]:
    """A registered requester, with either keyed hash."""
    reset(platform)
    client = NationalClient(url=platform.url, now_ms=platform.now_ms, sid=request.param)
    yield client
    client.http.close()


def test_the_departments_answer_comes_back_as_it_is(
    client: NationalClient, education: Running
) -> None:
    """Status, challenge and body of a 401, twice; the platform's own values stay with it."""
    client.refresh()
    education.admin.delete("/received")

    first = client.carry("POST", UNKNOWN, b"{}")
    second = client.open(client.post(client.form(CALL)))

    assert (first.status_code, second["status"]) == (401, "401")
    assert first.json() == json.loads(second["body"])
    assert first.json()["code"] == "EDU-4010"
    assert first.headers["www-authenticate"] == second["header.www-authenticate"]
    assert first.headers["gjgxjhpt_code"] == "0"
    rows = education.admin.get("/received").json()["received"]
    assert [row["body"] for row in rows] == ["{}", "{}"]
    assert not [name for row in rows for name, _ in row["headers"] if name.startswith("gj")]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"sign": "AAAA"}, "E-101"),
        ({"rtime": "1767225600000"}, "E-102"),
        ({"rtime": "now"}, "E-105"),
        ({"sid": "s_1137000000000_0009"}, "E-106"),
        ({"rid": ""}, "E-105"),
    ],
)
def test_a_value_that_is_wrong_is_refused_with_its_code(
    client: NationalClient, changed: dict[str, str], code: str
) -> None:
    """At the secret, at a call of generation 1, at one of generation 2."""
    client.refresh()

    carried = client.carry("POST", UNKNOWN, b"{}", **changed)
    headers = client.values(APP_KEY, "gjzwfwpt", **changed)

    assert client.refresh(**changed)["code"] == code
    assert (carried.status_code, carried.headers["gjgxjhpt_code"]) == (200, code)
    assert carried.json() == {"code": code, "message": carried.json()["message"], "data": None}
    assert client.post(client.form(CALL), headers)["code"] == code


def test_an_id_is_spent_once(client: NationalClient) -> None:
    """By a request that was signed rightly; a stranger spends nobody's."""
    rid = uuid4().hex
    assert client.refresh(rid=rid, sign="AAAA")["code"] == "E-101"

    assert client.refresh(rid=rid)["code"] == "0"
    assert client.carry("POST", UNKNOWN, rid=rid).headers["gjgxjhpt_code"] == "E-103"


def test_a_secret_ends(client: NationalClient, platform: Running) -> None:
    """E-104 for one that has ended, E-101 for one that never was."""
    client.refresh()
    assert client.carry("POST", UNKNOWN).headers["gjgxjhpt_code"] == "0"
    platform.advance(1_800_000)

    ended = client.carry("POST", UNKNOWN)
    client.key = "never given out"
    strange = client.carry("POST", UNKNOWN)

    assert ended.headers["gjgxjhpt_code"] == "E-104"
    assert strange.headers["gjgxjhpt_code"] == "E-101"


@pytest.mark.parametrize("path", ["/oauth2/token", "/api/v1/../oauth2/token", "/api/v1//x"])
def test_a_path_that_is_not_registered_is_no_service(client: NationalClient, path: str) -> None:
    """Not even one that begins rightly and leads elsewhere."""
    client.refresh()

    assert client.post(client.form({**CALL, "path": path}))["code"] == "E-110"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"access_key": "another"}, "E-108"),
        ({"request_id": "1"}, "E-108"),
        ({"version": "2.0"}, "E-108"),
        ({"timestamp": "20260101080000"}, "E-109"),
    ],
)
def test_a_form_that_is_wrong_is_refused_with_its_code(
    client: NationalClient, changed: dict[str, str], code: str
) -> None:
    """Signed as it is."""
    assert client.post(client.form(CALL, **changed))["code"] == code


def test_a_form_changed_after_signing_is_refused(client: NationalClient) -> None:
    """The one thing generation 2 protects and generation 1 does not."""
    form = client.form(CALL)

    assert client.post({**form, "biz_content": form["biz_content"] + " "})["code"] == "E-107"


@pytest.mark.parametrize(
    "content",
    [
        "no JSON",
        "[]",
        {"method": "POST", "path": UNKNOWN},
        {**CALL, "method": "DELETE"},
        {**CALL, "path": "api/v1/x"},
        {**CALL, "body": 1},
        {**CALL, "other": "member"},
        {**CALL, "header.X-Upper": "name"},
        {**CALL, "header.x-a": "two\nlines"},
        {**CALL, "body": "\ud800"},
    ],
    ids=str,
)
def test_content_of_another_form_fails_inside(
    client: NationalClient, content: dict[str, object] | str
) -> None:
    """Outside it is a success: the form was right."""
    answer = client.post(client.form(content))

    assert answer["code"] == "1"
    assert isinstance(answer["biz_data"], dict)
    assert answer["biz_data"]["code"] == "1"
    assert "result" not in answer["biz_data"]


def test_a_department_that_is_away_is_said_in_the_dialect(tmp_path: Path) -> None:
    """-1 in generation 1, an inner failure in generation 2."""
    file = tmp_path / "apps.json"
    app = {"sid": SID_SHA, "app_key": APP_KEY, "access_key": ACCESS_KEY, "mac": "sha256"}
    # Port 9 discards; nothing listens there on a test machine.
    apps = [{**app, "target": "http://127.0.0.1:9", "paths": ["/"]}]
    file.write_text(json.dumps({"apps": apps}))
    with running("national", "--apps", str(file)) as started:
        client = NationalClient(url=started.url, now_ms=started.now_ms)
        client.refresh()

        carried = client.carry("GET", "/x")
        answer = client.post(client.form(CALL))
        client.http.close()

    assert carried.headers["gjgxjhpt_code"] == "-1"
    assert isinstance(answer["biz_data"], dict)
    assert (answer["code"], answer["biz_data"]["code"]) == ("1", "9")


@pytest.mark.parametrize(
    "changed",
    [
        {"target": "http://192.0.2.1:80"},
        {"target": "http://127.0.0.1:80@192.0.2.1"},
        {"target": "http://localhost:80"},
        {"paths": []},
        {"paths": ["/api"]},
        {"mac": "md5"},
        {"more": "x"},
    ],
    ids=str,
)
def test_a_registration_that_leads_off_the_machine_is_refused(
    tmp_path: Path, changed: dict[str, object]
) -> None:
    """What the platform receives goes to a simulator on loopback and nowhere else."""
    app = {
        "sid": SID_SHA,
        "app_key": APP_KEY,
        "access_key": ACCESS_KEY,
        "mac": "sha256",
        "target": "http://127.0.0.1:40001",
        "paths": ["/api/"],
    }
    file = tmp_path / "apps.json"
    file.write_text(json.dumps({"apps": [app]}))
    load_apps(file)
    file.write_text(json.dumps({"apps": [{**app, **changed}]}))

    with pytest.raises(BadRegistration):
        load_apps(file)
