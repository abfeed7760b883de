"""Canaries: after M1 and M2 no raw value of anybody stands in any file, metric or log line of ours.

The simulators' own state and HRSS's tables are the departments', and are left out by path.
"""

import logging
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from adapters.simulators.population import Population, canaries, health_record, planted
from certs.sm2.health import examine_sm2
from gateway.app import Gateway
from gateway.cli.sandbox.running import Sandbox
from hutong.client import Answered, Client, Finding
from tests.gateway.asking import (
    STAFF,
    certificate_question,
    deceased_question,
    matter_question,
)
from tests.gateway.canary_search import SHORTEST, in_base64, searched, spellings
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
# The certified dead: one certificate, and one that replaced another.
CERTIFIED = ("dead_pension_paid", "cremated_not_cancelled")


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Every line of the standard library's loggers, down to DEBUG."""
    with caplog.at_level(logging.DEBUG):
        yield caplog


@pytest.mark.parametrize("before", [b"", b"a", b"ab"])
async def test_a_value_inside_a_record_would_be_found(before: bytes) -> None:
    """The search sees through base64, wherever in a longer text the value stands."""
    disclosure = b64encode(before + "王守仁370102195603159016".encode() + b'"]')

    assert any(each in disclosure for each in in_base64("王守仁".encode()))
    assert any(each in disclosure for each in in_base64(b"370102195603159016"))


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
    for who in CERTIFIED:
        certified = await job_client.exchange(certificate_question(who))
        assert certified.fields[0].finding is Finding.YES
    population = Population(seed=1, size=POPULATION)
    secrets = granted | {STAFF.identifier or "", STAFF.token, "staff-0001"}
    for someone in planted():
        if someone.name_of_case in (*PEOPLE, *CERTIFIED):
            secrets |= set(canaries(population.person(someone.index)))
    for who in CERTIFIED:
        # The catalog withholds the cause of death, and nothing else of ours has a word for it.
        (index,) = (each.index for each in planted() if each.name_of_case == who)
        secrets |= {death.cause for death in health_record(population.person(index)).deaths}
    async with httpx.AsyncClient() as http:
        shown = (await http.get(f"http://127.0.0.1:{gateway.health_port}/metrics")).content
        ready = (await http.get(f"http://127.0.0.1:{gateway.health_port}/readyz")).content

    written = dict(searched(sandbox.world.folders.root))
    written[Path("metrics")] = shown + ready + gateway.metrics.exposition()
    captured = capfd.readouterr()
    written[Path("log lines")] = (lines.text + captured.out + captured.err).encode()

    # A day of this century may be a certificate's or an entry's; a birth date is a person's only.
    days = {value for value in secrets if value[:2] == "20" and value.count("-") == 2}
    found = {
        (path.name, secret)
        for secret in secrets - days
        for spelling in spellings(secret)
        for path, content in written.items()
        if len(spelling) >= SHORTEST and spelling in content
    }
    assert len(granted) >= len(PEOPLE)
    assert len(secrets) > 40
    assert (sandbox.world.folders.log / "access.db").is_file()
    assert found == set()


async def test_health_does_the_real_operations(gateway: Gateway) -> None:
    """Ready means that the log took a tick, trust is current, SM2 and departments answer."""
    size = gateway.log.size
    async with httpx.AsyncClient() as http:
        base = f"http://127.0.0.1:{gateway.health_port}"
        gateway.health._looked = float("-inf")
        ready = await http.get(f"{base}/readyz")
        alive = await http.get(f"{base}/healthz")

    assert alive.json() == {"alive": True}
    assert ready.status_code == 200
    assert ready.json()["parts"]["log"] == "ok"
    assert ready.json()["parts"]["sm2"] == "ok"
    assert gateway.log.size > size


async def test_a_machine_without_sm2_stays_ready_and_says_why(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who signs with other suites is served; the part tells operators what is missing."""
    # The name of a library that no machine has, in place of the one this machine has.
    monkeypatch.setattr(
        "gateway.rpc.health_parts.examine_sm2", lambda: examine_sm2("libno-such-library.so.9")
    )
    gateway.health._looked = float("-inf")

    ready, parts = await gateway.health.report()

    gateway.health._looked = float("-inf")
    assert ready
    assert "libno-such-library.so.9" in parts["sm2"]
