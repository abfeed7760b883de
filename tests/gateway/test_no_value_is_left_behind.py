"""Canaries: after M1 and M2 no raw value of anybody stands in any file, metric or log line of ours.

The simulators' own state and HRSS's tables are the departments', and are left out by path.
"""

import logging
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from adapters.simulators.population import Population, canaries, planted
from gateway.app import Gateway
from gateway.cli.sandbox.running import Sandbox
from hutong.client import Answered, Client
from tests.gateway.asking import STAFF, deceased_question, matter_question
from tests.gateway.conftest import POPULATION

pytestmark = pytest.mark.asyncio(loop_scope="session")

PEOPLE = (
    "ordinary_pensioner",
    "ordinary_graduate",
    "fifteen_digit_id",
    "name_dot_2022",
    "name_extension_b",
    "diploma_17_digits",
    "qualification_revoked",
)
DEPARTMENTS_OWN = frozenset({"hrss.db", "hrss.db-wal", "hrss.db-shm"})


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Every line of the standard library's loggers, down to DEBUG."""
    with caplog.at_level(logging.DEBUG):
        yield caplog


def _searched(root: Path) -> Iterator[tuple[Path, bytes]]:
    for path in root.rglob("*"):
        if path.is_file() and path.name not in DEPARTMENTS_OWN:
            yield path, path.read_bytes()


def _spellings(text: str) -> tuple[bytes, ...]:
    """Return how a text may stand in a file: plain, escaped by JSON, as hexadecimal."""
    escaped = text.encode("unicode_escape")
    return (text.encode(), escaped, text.encode().hex().encode(), text.encode("gb18030", "ignore"))


async def test_no_value_of_anybody_is_left_behind(
    sandbox: Sandbox,
    gateway: Gateway,
    client: Client,
    job_client: Client,
    lines: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Answers held values; the disk, the metrics and the logs hold none, granted ones included."""
    granted: set[str] = set()
    for who in PEOPLE:
        for outcome in await client.exchange_matter(matter_question(client.identity, who)):
            assert isinstance(outcome, Answered)
            for each in outcome.fields:
                values = each.value if isinstance(each.value, tuple) else (each.value,)
                granted |= {value for value in values if value and len(value) >= 6}
        await job_client.exchange(deceased_question(who))
    population = Population(seed=1, size=POPULATION)
    secrets = granted | {STAFF.identifier or "", STAFF.token, "staff-0001"}
    for someone in planted():
        if someone.name_of_case in PEOPLE:
            secrets |= set(canaries(population.person(someone.index)))
    async with httpx.AsyncClient() as http:
        shown = (await http.get(f"http://127.0.0.1:{gateway.health_port}/metrics")).content
        ready = (await http.get(f"http://127.0.0.1:{gateway.health_port}/readyz")).content

    written = dict(_searched(sandbox.world.folders.root))
    written[Path("metrics")] = shown + ready + gateway.metrics.exposition()
    captured = capfd.readouterr()
    written[Path("log lines")] = (lines.text + captured.out + captured.err).encode()

    dates = {value for value in secrets if value[:2] in {"19", "20"} and value.count("-") == 2}
    found = {
        (path.name, secret)
        for secret in secrets - dates
        for spelling in _spellings(secret)
        for path, content in written.items()
        if len(spelling) >= 6 and spelling in content
    }
    assert len(granted) >= len(PEOPLE)
    assert len(secrets) > 40
    assert (sandbox.world.folders.log / "access.db").is_file()
    assert found == set()


async def test_health_does_the_real_operations(gateway: Gateway) -> None:
    """Ready means that the log took a tick, trust is current and departments answer."""
    size = gateway.log.size
    async with httpx.AsyncClient() as http:
        base = f"http://127.0.0.1:{gateway.health_port}"
        gateway.health._looked = float("-inf")
        ready = await http.get(f"{base}/readyz")
        alive = await http.get(f"{base}/healthz")

    assert alive.json() == {"alive": True}
    assert ready.status_code == 200
    assert ready.json()["parts"]["log"] == "ok"
    assert gateway.log.size > size
