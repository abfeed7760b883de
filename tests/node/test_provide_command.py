"""`hutong provide`: what it refuses to start with, what it says, and how it ends."""

import asyncio
import json
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import yaml

from adapters.provider_node.reasons import NodeReason
from gateway.cli.ending import ExitCode
from gateway.cli.root import run
from gateway.cli.sandbox.nodes import node_file
from gateway.cli.sandbox.simulated import Setting, key_setting
from tests.gateway.asking import person
from tests.node.asking import KIND, Caller, Way, query_of, request_of, set_grants

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.integration]
Members = dict[str, Setting]


def _loaded(way: Way, kind: str = KIND) -> Members:
    members: Members = yaml.safe_load(node_file(way.sandbox.world.folders, kind).read_text("utf-8"))
    return members


def _written(way: Way, folder: Path, change: Callable[[Way, Members], None]) -> Path:
    """Return the configuration of the node with members changed."""
    members = _loaded(way)
    change(way, members)
    path = folder / "node.yaml"
    path.write_text(yaml.safe_dump(members), "utf-8")
    return path


def _as_it_is(_way: Way, _members: Members) -> None:
    """Leave the configuration as it is."""


def _other_digest(_way: Way, members: Members) -> None:
    members["policy_digest"] = "0" * 64


def _keys_swapped(_way: Way, members: Members) -> None:
    department = members["department"]
    assert isinstance(department, dict)
    section = department[KIND]
    assert isinstance(section, dict)
    members["envelope_signer"], section["record_key"] = (
        section["record_key"],
        members["envelope_signer"],
    )


def _key_of_another_node(way: Way, members: Members) -> None:
    members["envelope_signer"] = key_setting(way.sandbox.world.node_keys["hrss"]["envelope"])


def _unknown_gateway(_way: Way, members: Members) -> None:
    members["gateways"] = ["11370000MB2DEM0105/nobody"]


def _another_department(way: Way, members: Members) -> None:
    members["department"] = _loaded(way, "education")["department"]


def _no_trust(_way: Way, members: Members) -> None:
    members["trust"] = "nowhere"


def _no_certificate(_way: Way, members: Members) -> None:
    tls = members["tls"]
    assert isinstance(tls, dict)
    del tls["certificate"]


def _short_secret(_way: Way, members: Members) -> None:
    members["pseudonym_secret_file"] = "secret"


@pytest.mark.parametrize(
    ("change", "part", "said"),
    [
        (_other_digest, "policy", "not the pinned one"),
        (_keys_swapped, "keys", "no envelope key"),
        (_key_of_another_node, "keys", "no envelope key"),
        (_unknown_gateway, "keys", "is not in the trust store"),
        (_another_department, "department", "system_id: the catalog gives education to"),
        (_no_trust, "trust", ""),
        (_no_certificate, "tls", "missing"),
        (_short_secret, "pseudonym_secret_file", "holds no 32 bytes"),
    ],
)
async def test_what_cannot_work_is_named_before_anything_starts(
    remote: Way,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change: Callable[[Way, Members], None],
    part: str,
    said: str,
) -> None:
    """Part by part, as data; the same is refused at start."""
    secret = tmp_path / "secret"
    secret.write_bytes(b"short")
    secret.chmod(0o600)
    path = _written(remote, tmp_path, change)

    code = run(["provide", "--config", str(path), "--sandbox", "--check", "--json"])

    told = json.loads(capsys.readouterr().out)
    assert code == ExitCode.NO
    assert not told["ready"]
    assert said in told["problems"][part]


async def test_a_configuration_in_order_is_ready(
    remote: Way, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The check above refuses nothing that is right."""
    path = _written(remote, tmp_path, _as_it_is)

    code = run(["provide", "--config", str(path), "--sandbox", "--check", "--json"])

    assert code == ExitCode.YES
    assert json.loads(capsys.readouterr().out) == {"ready": True, "problems": {}}


async def test_sandbox_keys_serve_no_real_exchange(
    remote: Way, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Unless a test says that it wants them."""
    path = _written(remote, tmp_path, _as_it_is)

    code = run(["provide", "--config", str(path)])

    assert code == ExitCode.UNREADABLE
    assert "no real exchange" in capsys.readouterr().err


def _two_departments(way: Way, members: Members) -> None:
    department, other = members["department"], _loaded(way, "education")["department"]
    assert isinstance(department, dict)
    assert isinstance(other, dict)
    department.update(other)


def _no_department(_way: Way, members: Members) -> None:
    members["department"] = {}


def _a_node_behind(way: Way, members: Members) -> None:
    key = key_setting(way.sandbox.world.gateway_keys["node-tls"])
    members["department"] = {KIND: {"node": {"address": "localhost:1", "tls": key}}}


def _no_gateway(_way: Way, members: Members) -> None:
    members["gateways"] = []


def _other_slug(_way: Way, members: Members) -> None:
    members["system_id"] = "11370000MB2DEM037W/node"


def _misspelt(_way: Way, members: Members) -> None:
    members["gateway"] = ["11370000MB2DEM0105/gateway"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_two_departments, "exactly one section"),
        (_no_department, "exactly one section"),
        (_a_node_behind, "exactly one section"),
        (_no_gateway, "gateways"),
        (_other_slug, "system_id"),
        (_misspelt, "gateway: Extra inputs"),
    ],
)
async def test_a_configuration_out_of_form_is_refused(
    remote: Way,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change: Callable[[Way, Members], None],
    said: str,
) -> None:
    """One department, at least one gateway, no setting nobody knows."""
    path = _written(remote, tmp_path, change)

    code = run(["provide", "--config", str(path), "--sandbox"])

    assert code == ExitCode.UNREADABLE
    assert said in capsys.readouterr().err


@asynccontextmanager
async def _providing(config: Path, *options: str) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway.cli", "provide", "--config", str(config)),
        *("--sandbox", "--json", *options),
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_a_node_says_where_it_serves_counts_and_ends(remote: Way, tmp_path: Path) -> None:
    """One line of data at start; health and metrics; nothing of anybody in them or in the log."""
    someone = person("ordinary_pensioner")
    async with _providing(_written(remote, tmp_path, _as_it_is)) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        async with asyncio.timeout(60):
            ready = json.loads(await process.stdout.readline())
        caller = Caller.gateway(remote, int(ready["address"].rpartition(":")[2]))
        answered = await caller.ask(request_of(remote))
        refused = await caller.ask(request_of(remote), lambda query: set_grants(query, {}))
        wide = query_of(remote, request_of(remote))
        wide.policy_digest = bytes(32)
        differing = await caller.call(caller.signed(wide.SerializeToString(deterministic=True)))
        async with httpx.AsyncClient() as http:
            health = (await http.get(f"{ready['health']}/readyz")).json()
            metrics = (await http.get(f"{ready['health']}/metrics")).text
            alive = (await http.get(f"{ready['health']}/healthz")).json()
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(20):
            log = (await process.stderr.read()).decode()
            code = await process.wait()

    assert code == ExitCode.YES
    assert ready["system_id"] == caller.query_receiver
    assert answered.outcome is not None
    assert differing.outcome is not None
    assert refused.reason == NodeReason.QUERY_MALFORMED
    assert health == {"ready": True, "parts": {"trust": "ok", "department": "ok"}}
    assert alive == {"alive": True}
    assert 'hutong_node_fetch_total{outcome="Record",reason=""} 2.0' in metrics
    assert 'outcome="refused",reason="QUERY_MALFORMED"} 1.0' in metrics
    assert "hutong_node_policy_differs_total 1.0" in metrics
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert [each["outcome"] for each in lines if each["event"] == "fetched"] == [
        *("Record", "refused", "Record")
    ]
    for text in (log, metrics):
        assert someone.id_number not in text
        assert someone.full_name not in text


async def test_a_node_ends_with_whoever_started_it(remote: Way, tmp_path: Path) -> None:
    """A closed standard input is the end of its parent."""
    async with _providing(_written(remote, tmp_path, _as_it_is), "--exit-with-stdin") as process:
        assert process.stdout is not None
        assert process.stdin is not None
        async with asyncio.timeout(60):
            await process.stdout.readline()
        process.stdin.close()
        async with asyncio.timeout(20):
            code = await process.wait()

    assert code == ExitCode.YES


@pytest.mark.parametrize("setting", ["listen", "health_listen"])
async def test_a_port_that_is_taken_is_told(remote: Way, tmp_path: Path, setting: str) -> None:
    """Which setting it is, and nothing is left running."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()

        def change(_way: Way, members: Members) -> None:
            members[setting] = f"127.0.0.1:{taken.getsockname()[1]}"

        async with _providing(_written(remote, tmp_path, change)) as process:
            async with asyncio.timeout(60):
                out, log = await process.communicate()

    assert process.returncode == ExitCode.UNREADABLE
    assert out == b""
    assert f"cannot provide: {setting}: ".encode() in log
