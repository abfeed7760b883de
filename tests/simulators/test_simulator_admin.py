"""The admin port is guarded and complete; the process behind it leaves nothing."""

import json
import os
import signal
from pathlib import Path

import httpx
import pytest

from adapters.simulators.education.faults import Fault
from adapters.simulators.faults import FaultBoard
from adapters.simulators.population import Population, canaries, planted
from adapters.simulators.recorder import Recorder
from tests.simulators.education_client import EducationClient, about
from tests.simulators.simulator_process import Running, running


@pytest.mark.parametrize("path", ["/faults", "/clock", "/received", "/planted", "/persons/0"])
def test_nothing_is_told_without_the_token(education: Running, path: str) -> None:
    """A missing or a wrong token is 401 on every page."""
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        answer = httpx.get(f"{education.admin.base_url}{path}", headers=headers, trust_env=False)
        assert answer.status_code == 401


def test_the_token_is_drawn_for_each_start(education: Running, public_security: Running) -> None:
    """Two simulators, two long tokens."""
    assert education.token != public_security.token
    assert min(len(education.token), len(public_security.token)) >= 32


@pytest.mark.parametrize(
    "body",
    [
        {"name": "no_such_fault"},
        {"name": "hang", "count": -1},
        {"name": "hang", "after": -1},
        {"count": 1},
        [],
        {"name": 1},
    ],
)
def test_unknown_faults_are_refused(education: Running, body: dict[str, str]) -> None:
    """The list of faults is closed."""
    assert education.admin.post("/faults", json=body).status_code == 400


def test_a_fault_counts_down(education: Running) -> None:
    """A count of 2 is 2 before it strikes, null is for ever, 0 is off."""
    admin = education.admin
    admin.post("/faults", json={"name": "hang", "count": 2})
    admin.post("/faults", json={"name": "redirect"})
    admin.post("/faults", json={"name": "half_body", "count": None})
    admin.post("/faults", json={"name": "half_body", "count": 0})

    faults = admin.get("/faults").json()["faults"]

    assert (faults["hang"], faults["redirect"], faults["half_body"]) == (2, None, "off")


def test_a_fault_lets_the_first_chances_pass() -> None:
    """`after` moves the strike into the middle of a batch."""
    board = FaultBoard(Fault)
    board.switch("hang", 1, after=2)

    struck = [board.strikes(Fault.HANG) for _ in range(4)]

    assert struck == [False, False, True, False]


@pytest.mark.parametrize(
    ("every", "after", "expected"),
    [(1, 0, "xxxxxx"), (2, 0, "x.x.x."), (3, 1, ".x..x."), (2, 3, "...x.x")],
)
def test_a_fault_strikes_once_in_so_many_chances(every: int, after: int, expected: str) -> None:
    """`every` 2 is a department at 50 % errors."""
    board = FaultBoard(Fault)
    board.switch("hang", None, after=after, every=every)

    struck = [board.strikes(Fault.HANG) for _ in range(6)]

    assert "".join(".x"[each] for each in struck) == expected


def test_a_fault_that_never_strikes_is_refused(education: Running) -> None:
    """One strike in none or less is no share."""
    answer = education.admin.post("/faults", json={"name": "hang", "every": 0})

    assert answer.status_code == 400
    assert education.admin.get("/faults").json()["faults"]["hang"] == "off"


def test_the_first_fault_of_the_list_is_taken() -> None:
    """Two faults at once strike one after the other, in the order of the list."""
    board = FaultBoard(Fault)
    board.switch("redirect", 1)
    board.switch("hang", 1)

    taken = [board.take(among=tuple(Fault)) for _ in range(3)]

    assert taken == [Fault.HANG, Fault.REDIRECT, None]


def test_the_clock_is_set_and_goes_on(education: Running) -> None:
    """Set to a time, moved by a step, back to the machine's."""
    admin = education.admin

    at = admin.post("/clock", json={"now_ms": 1_900_000_000_000}).json()["now_ms"]
    later = admin.post("/clock", json={"advance_ms": 1_000}).json()["now_ms"]

    assert 0 <= at - 1_900_000_000_000 < 2_000
    assert 1_000 <= later - at < 3_000
    assert admin.post("/clock", json={"now": 1}).status_code == 400


def test_what_arrived_can_be_read_and_wiped(
    education: Running, education_client: EducationClient, people: Population
) -> None:
    """Method, path, headers and body of each request, in order, from a number on."""
    person = people.person(300)
    education_client.fetch_token()
    education_client.post("/api/v1/diplomas/query", about(person))

    rows = education.admin.get("/received").json()["received"]
    last = education.admin.get("/received", params={"after": rows[-2]["number"]}).json()["received"]

    assert [row["path"] for row in rows] == ["/oauth2/token", "/api/v1/diplomas/query"]
    assert json.loads(rows[1]["body"])["zjhm"] == person.id_number
    assert last == rows[1:]
    assert education.admin.delete("/received").json()["received"] == []
    assert education.admin.get("/received").json()["received"] == []


def test_people_can_be_read(education: Running, people: Population) -> None:
    """Planted people by list, anyone by index with the values to search for."""
    listed = education.admin.get("/planted").json()["planted"]
    page = education.admin.get("/persons/300").json()

    assert [row["index"] for row in listed] == [case.index for case in planted()]
    assert page["id_number"] == people.person(300).id_number
    assert page["canaries"] == list(canaries(people.person(300)))
    assert education.admin.get("/persons/99999999").status_code == 404


def test_the_simulator_is_bound_to_loopback_alone(education: Running) -> None:
    """Its ports listen on 127.0.0.1 and on nothing else."""
    ports = {httpx.URL(education.url).port, education.admin.base_url.port}
    listening = set()
    for line in Path(f"/proc/{education.pid}/net/tcp").read_text().splitlines()[1:]:
        local = line.split()[1]
        address, port = local.split(":")
        if int(port, 16) in ports and line.split()[3] == "0A":
            listening.add(address)

    assert listening == {"0100007F"}


def test_nothing_is_written_to_disk(education: Running) -> None:
    """The process holds no regular file open for writing."""
    modes = [
        entry.readlink()
        for entry in Path(f"/proc/{education.pid}/fd").iterdir()
        if int(entry.name) > 2 and entry.lstat().st_mode & 0o200 and entry.resolve().is_file()
    ]

    assert modes == []


def test_wiping_overwrites_what_was_kept() -> None:
    """A body that somebody still holds reads as zeros afterwards."""
    recorder = Recorder()
    recorder.keep(at_ms=1, request=("POST", "/"), headers=(), body=b"370102195603159016")
    kept = recorder.list_after(0)[0]

    recorder.wipe()

    assert kept.body == bytes(18)
    assert recorder.list_after(0) == []


def test_the_simulator_ends_with_its_standard_input(clients_file: Path) -> None:
    """Whoever started it can not leave it behind; the exit code is 0."""
    with running("education", "--clients", str(clients_file)) as simulator:
        assert Path(f"/proc/{simulator.pid}").exists()

    assert not Path(f"/proc/{simulator.pid}").exists()


def test_a_signal_ends_it_as_well(clients_file: Path) -> None:
    """SIGTERM ends the simulator with exit code 0."""
    with running("education", "--clients", str(clients_file)) as simulator:
        os.kill(simulator.pid, signal.SIGTERM)


def test_old_requests_make_room_for_new_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded by octets; what is dropped is overwritten."""
    monkeypatch.setattr("adapters.simulators.recorder.BYTES_LIMIT", 10)
    recorder = Recorder()
    recorder.keep(at_ms=1, request=("POST", "/"), headers=(), body=b"12345678")
    first = recorder.list_after(0)[0]

    recorder.keep(at_ms=2, request=("POST", "/"), headers=(), body=b"abcdefgh")

    assert [kept.number for kept in recorder.list_after(0)] == [2]
    assert first.body == bytes(8)


def test_the_same_seed_serves_the_same_people(clients_file: Path) -> None:
    """Two processes agree about everybody; another seed does not."""
    pages = []
    for seed in ("5", "5", "6"):
        with running("education", "--clients", str(clients_file), "--seed", seed) as simulator:
            pages.append(simulator.admin.get("/persons/321").json())

    assert pages[0] == pages[1] != pages[2]
