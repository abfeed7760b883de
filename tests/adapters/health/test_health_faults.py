"""The health adapter against the simulator: every fault of the page has its outcome."""

import asyncio
import logging
import re
import time
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.kinds.health import HealthIdentity
from adapters.limits import TransportLimits
from adapters.port import BreakerState, Indeterminate, NotFound, Record, Untold
from adapters.records import RecordSource
from tests.adapters.asking import IS_TRUE, read_outcome
from tests.adapters.health.asking import (
    ALIVE,
    CORRECTED,
    DEAD,
    IDENTITY,
    NARROW,
    Asking,
    build_adapter,
)
from tests.adapters.patient import only_waiting_counts
from tests.adapters.simulated import Simulator

pytestmark = [pytest.mark.integration, pytest.mark.slow]

PAGE = (Path(__file__).parents[3] / "docs" / "adapters" / "health.md").read_text("utf-8")
FAILING = {
    "soap_fault": Indeterminate.PROVIDER_UNAVAILABLE,
    "not_success": Indeterminate.PROVIDER_UNAVAILABLE,
    "unknown_code": Indeterminate.PROVIDER_FAULT,
    "clock_skew": Indeterminate.PROVIDER_FAULT,
    "two_valid_rows": Indeterminate.PROVIDER_MALFORMED,
    "bad_date": Indeterminate.PROVIDER_MALFORMED,
    "other_person": Indeterminate.SUBJECT_MISMATCH,
    "mixed_persons": Indeterminate.SUBJECT_MISMATCH,
    "many_rows": Indeterminate.PROVIDER_MALFORMED,
    "bad_base64": Indeterminate.PROVIDER_MALFORMED,
    "gbk_text": Indeterminate.PROVIDER_MALFORMED,
    "entity_bomb": Indeterminate.PROVIDER_MALFORMED,
    "entity_bomb_inner": Indeterminate.PROVIDER_MALFORMED,
    "external_entity": Indeterminate.PROVIDER_MALFORMED,
    "external_entity_inner": Indeterminate.PROVIDER_MALFORMED,
    "html_page": Indeterminate.PROVIDER_MALFORMED,
    "half_body": Indeterminate.PROVIDER_MALFORMED,
    "empty_body": Indeterminate.PROVIDER_MALFORMED,
    "server_error": Indeterminate.PROVIDER_UNAVAILABLE,
    "oversized_body": Indeterminate.PROVIDER_MALFORMED,
}
"""Fault → why it could not be told of somebody with a certificate."""
TOLD = {
    "several_rows": {"has_record": "YES", "death_date": "2022-01-29"},
    "only_void": {"has_record": "INDETERMINATE"},
    "every_field": {"has_record": "YES", "death_date": "2022-01-29"},
}
"""Fault → what is told of her all the same; the date is that of the page, section 7."""
NEEDS_ROWS = {"two_valid_rows", "bad_date", "several_rows", "only_void", "every_field"}
"""Faults that change nothing where there is no row."""
PAUSE_S = 0.05
"""Before a question is put again."""
RETRIED = {"soap_fault", "not_success", "server_error"}


def test_every_fault_of_the_page_is_switched_on_here() -> None:
    """A fault that is added to the page and not to this table is found."""
    section = PAGE.split("故障名")[1].split("\n## ")[0]
    listed = set(re.findall(r"^\| `([a-z_0-9]+)` \|", section, re.MULTILINE))

    assert listed == {*FAILING, *TOLD, "hang"}


@pytest.mark.parametrize(("fault", "reason"), FAILING.items(), ids=FAILING)
async def test_each_fault_is_untold_for_its_own_reason(
    asking: Asking, caplog: pytest.LogCaptureFixture, fault: str, reason: Indeterminate
) -> None:
    """Never an exception, never a value, never a person or a key in the diagnostics."""
    caplog.set_level(logging.DEBUG)
    person = asking.simulator.person(DEAD)
    asking.simulator.set_fault(fault)
    before = asking.simulator.received()

    outcome, _ = await asking.fetch(person)

    assert outcome == Untold(reason=reason)
    calls = TransportLimits().attempts if fault in RETRIED else 1
    assert asking.simulator.received() - before == calls
    for canary in (*person.named, *person.canaries, IDENTITY.app_key, "意外伤害"):
        assert canary not in caplog.text


@pytest.mark.parametrize("fault", ["soap_fault", "not_success", "server_error"])
@pytest.mark.parametrize("attempts", [1, 2])
async def test_a_question_costs_as_many_calls_as_are_configured(
    asking: Asking, fault: str, attempts: int
) -> None:
    """Who allows one call means one."""
    transport = asking.adapter._transport  # type: ignore[attr-defined]  # of the kind, not the port
    transport._limits = replace(transport._limits, attempts=attempts)
    asking.simulator.set_fault(fault)
    before = asking.simulator.received()

    await asking.fetch(asking.simulator.person(DEAD))

    assert asking.simulator.received() - before == attempts


@pytest.mark.parametrize(("fault", "told"), TOLD.items(), ids=TOLD)
async def test_what_a_person_can_still_be_told(
    asking: Asking, fault: str, told: dict[str, str]
) -> None:
    """The certificate that stands counts; where all were taken back a person has to look."""
    asking.simulator.set_fault(fault)

    outcome, disclosed = await asking.fetch(asking.simulator.person(DEAD))

    assert isinstance(outcome, Record)
    assert disclosed == told


@pytest.mark.parametrize("fault", [*FAILING, *TOLD])
async def test_no_fault_makes_a_no(asking: Asking, fault: str) -> None:
    """Of somebody alive: the same reason, or, where the fault is in rows he has not, not found."""
    asking.simulator.set_fault(fault)

    outcome, told = await asking.fetch(asking.simulator.person(ALIVE))

    if fault in NEEDS_ROWS:
        assert isinstance(outcome, NotFound)
        assert told == {"has_record": "NO"}
    else:
        assert outcome == Untold(reason=FAILING[fault])


async def test_a_department_that_hangs_is_left_before_the_deadline(asking: Asking) -> None:
    """There is time left to sign and log."""
    person = asking.simulator.person(DEAD)
    asking.simulator.set_fault("hang")
    with only_waiting_counts(asyncio.get_running_loop()):
        query = asking.query(person.named, seconds=0.5)
        outcome = await asking.adapter.fetch(query)
        left_at = time.monotonic()

    assert outcome == Untold(reason=Indeterminate.PROVIDER_TIMEOUT)
    assert left_at < query.deadline


@pytest.mark.parametrize("fault", sorted(RETRIED))
async def test_one_passing_failure_is_not_noticed(asking: Asking, fault: str) -> None:
    """The question is put again with a new nonce."""
    asking.simulator.set_fault(fault, 1)

    outcome, told = await asking.fetch(asking.simulator.person(DEAD))

    assert isinstance(outcome, Record)
    assert told["has_record"] == "YES"


@pytest.mark.parametrize("name", [DEAD, CORRECTED])
async def test_what_was_not_granted_never_stands_in_the_record(asking: Asking, name: str) -> None:
    """The department sends all it has, the cause of death as well; one finding leaves."""
    person = asking.simulator.person(name)
    asking.simulator.set_fault("every_field")
    query = asking.query(person.named, {"has_record": IS_TRUE})

    outcome = await asking.adapter.fetch(query)

    record = read_outcome(query, outcome)
    assert [disclosure.name for disclosure in record.disclosures] == ["has_record"]


@pytest.mark.parametrize(
    "identity",
    [
        replace(IDENTITY, app_key="wrong"),
        replace(IDENTITY, app_id="unheard_of"),
        replace(IDENTITY, org_code="11370000MB2DEM0287"),
        NARROW,
    ],
    ids=["key", "app", "organisation", "operation"],
)
async def test_who_is_not_let_in_is_told_so(
    simulator: Simulator, source: RecordSource, identity: HealthIdentity
) -> None:
    """A wrong key, another organisation, no permission: a fault, and health says so too."""
    adapter = build_adapter(simulator.base_url, simulator.now_ms, source, identity)
    query = Asking(simulator, adapter).query(simulator.person(ALIVE).named)

    outcome = await adapter.fetch(query)
    health = await adapter.examine_health()
    await adapter.close()

    assert outcome == Untold(reason=Indeterminate.PROVIDER_FAULT)
    assert (health.reachable, health.detail) == (False, "PROVIDER_FAULT")


@pytest.mark.parametrize(
    ("fault", "detail"),
    [
        ("clock_skew", "PROVIDER_FAULT"),
        ("not_success", "PROVIDER_UNAVAILABLE"),
        ("server_error", "PROVIDER_UNAVAILABLE"),
        ("html_page", "PROVIDER_MALFORMED"),
        ("bad_base64", "PROVIDER_MALFORMED"),
    ],
)
async def test_health_is_the_operation_itself(asking: Asking, fault: str, detail: str) -> None:
    """Reachable, known there, in time and not overloaded, or why not; nobody is looked up."""
    good = await asking.adapter.examine_health()
    asking.simulator.set_fault(fault)

    bad = await asking.adapter.examine_health()

    assert good.reachable
    assert (bad.reachable, bad.detail) == (False, detail)


async def test_a_department_that_is_down_is_left_alone(asking: Asking) -> None:
    """After failures in a row nothing is sent, by health neither."""
    asking.simulator.set_fault("server_error")
    person = asking.simulator.person(ALIVE)
    for _ in range(3):
        await asking.fetch(person)
    before = asking.simulator.received()

    with only_waiting_counts(asyncio.get_running_loop()):
        began = time.monotonic()
        outcome, _ = await asking.fetch(person)
        waited_s = time.monotonic() - began
    health = await asking.adapter.examine_health()

    assert waited_s < PAUSE_S
    assert asking.adapter.breaker_state is BreakerState.OPEN
    assert outcome == Untold(reason=Indeterminate.PROVIDER_UNAVAILABLE)
    assert health.detail == "BREAKER_OPEN"
    assert asking.simulator.received() == before


async def test_above_the_quota_nothing_is_told(
    strict_simulator: Simulator, source: RecordSource
) -> None:
    """`success` 7 is a reason of its own, and not asked again within the second."""
    adapter = build_adapter(strict_simulator.base_url, strict_simulator.now_ms, source)
    asking = Asking(strict_simulator, adapter)
    queries = [asking.query(strict_simulator.person(DEAD).named) for _ in range(6)]
    before = strict_simulator.received()

    outcomes = await asyncio.gather(*map(adapter.fetch, queries))
    await adapter.close()

    untold = [outcome for outcome in outcomes if isinstance(outcome, Untold)]
    assert untold
    assert set(untold) == {Untold(reason=Indeterminate.PROVIDER_QUOTA)}
    assert strict_simulator.received() - before == len(queries)
