"""The live check against the simulator: every fault of the page, and what questions make of it."""

import asyncio
import logging
import re
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.port import (
    BreakerState,
    DatasetShape,
    Indeterminate,
    Lacking,
    NotFound,
    Record,
    SubjectType,
    Untold,
)
from adapters.records import RecordSource
from adapters.simulators.population import planted_index
from adapters.simulators.population.quirks import Quirk
from tests.adapters.asking import CLEAR, COMPARE, IS_TRUE, read_outcome
from tests.adapters.civil_affairs.asking import (
    ASSISTANCE,
    CHILD,
    CREMATION,
    GRANTS,
    IDENTITY,
    NOBODY,
    PEOPLE,
    RECORD,
    SHAPES,
    VERIFY,
    YEAR,
    Asking,
    build_adapter,
    named,
)
from tests.adapters.patient import only_waiting_counts
from tests.adapters.simulated import Simulator

pytestmark = [pytest.mark.integration, pytest.mark.slow]

PAGE = Path(__file__).parents[3] / "docs" / "adapters" / "civil_affairs.md"
SUBJECTS: Mapping[str, int] = {
    VERIFY.name: 0,
    RECORD.name: 0,
    CREMATION.name: planted_index(Quirk.CREMATED_NOT_CANCELLED),
    # The first who receives the minimum allowance (see the simulated tests).
    ASSISTANCE.name: 293,
    CHILD.name: planted_index(Quirk.ADOPTED_CHILD) + 2,
}
"""Of whom each dataset holds something."""
EVERYWHERE: Mapping[str, Indeterminate] = {
    "platform_failed": Indeterminate.PROVIDER_FAULT,
    "clock_skew": Indeterminate.PROVIDER_FAULT,
    "register_busy": Indeterminate.PROVIDER_UNAVAILABLE,
    "other_person": Indeterminate.SUBJECT_MISMATCH,
    "other_request": Indeterminate.PROVIDER_UNPROVEN,
    "bad_sign": Indeterminate.PROVIDER_UNPROVEN,
    "name_variants": Indeterminate.SUBJECT_MISMATCH,
    "empty_field": Indeterminate.PROVIDER_MALFORMED,
    "server_error": Indeterminate.PROVIDER_UNAVAILABLE,
    "half_body": Indeterminate.PROVIDER_MALFORMED,
    "html_page": Indeterminate.PROVIDER_MALFORMED,
    "gbk_body": Indeterminate.PROVIDER_MALFORMED,
    "empty_body": Indeterminate.PROVIDER_MALFORMED,
    "oversized_body": Indeterminate.PROVIDER_MALFORMED,
    "redirect": Indeterminate.PROVIDER_MALFORMED,
}
"""Fault → reason, whatever is asked."""
IN_ROWS = ("many_rows", "count_mismatch")
HARMLESS = ("old_numbers", "page_repeats", "every_field")
ELSEWHERE = ("no_match", "unknown_code", "hang")
ROWS = (RECORD, CREMATION, ASSISTANCE, CHILD)


def subject_of(shape: DatasetShape) -> tuple[str, str]:
    """Return of whom a dataset holds something."""
    return named(PEOPLE.person(SUBJECTS[shape.name]))


def name_of(shape: DatasetShape) -> str:
    """Return the name of a dataset for the names of tests."""
    return shape.name


def test_every_fault_of_the_page_is_switched_on_here() -> None:
    """A fault that the page adds has to get its outcome."""
    _, _, after = PAGE.read_text("utf-8").partition("实时口的故障")
    section, _, _ = after.partition("\n## ")
    listed = re.findall(r"^\| `([a-z_]+)` \|", section, re.MULTILINE)

    assert sorted(listed) == sorted({*EVERYWHERE, *IN_ROWS, *HARMLESS, *ELSEWHERE})


@pytest.mark.parametrize("shape", SHAPES, ids=name_of)
@pytest.mark.parametrize("fault", EVERYWHERE)
async def test_each_fault_is_untold_for_its_own_reason(
    asking: Asking, caplog: pytest.LogCaptureFixture, shape: DatasetShape, fault: str
) -> None:
    """Never an exception, never a value or a NO, never a person or a key in the diagnostics."""
    caplog.set_level(logging.DEBUG)
    asking.simulator.set_fault(fault)

    outcome, _ = await asking.fetch(shape, subject_of(shape))

    assert outcome == Untold(reason=EVERYWHERE[fault])
    for canary in (*subject_of(shape), IDENTITY.app_key, IDENTITY.access_key):
        assert canary not in caplog.text


@pytest.mark.parametrize("shape", ROWS, ids=name_of)
@pytest.mark.parametrize("fault", IN_ROWS)
async def test_rows_that_are_not_as_many_as_said_are_refused(
    asking: Asking, shape: DatasetShape, fault: str
) -> None:
    """Ten thousand for one person, or one that is counted and not there."""
    asking.simulator.set_fault(fault)

    outcome, _ = await asking.fetch(shape, subject_of(shape))

    assert outcome == Untold(reason=Indeterminate.PROVIDER_MALFORMED)


async def test_a_row_counted_where_none_is_is_not_no(asking: Asking) -> None:
    """What is "not held" needs a count that agrees."""
    asking.simulator.set_fault("count_mismatch")

    outcome, _ = await asking.fetch(CREMATION, NOBODY)

    assert outcome == Untold(reason=Indeterminate.PROVIDER_MALFORMED)


@pytest.mark.parametrize("shape", SHAPES, ids=name_of)
@pytest.mark.parametrize("fault", HARMLESS)
async def test_what_changes_nothing_is_not_noticed(
    asking: Asking, shape: DatasetShape, fault: str
) -> None:
    """Numbers of 15 digits, pages from the beginning, members nobody asked for."""
    _, before = await asking.fetch(shape, subject_of(shape))
    asking.simulator.set_fault(fault)

    outcome, told = await asking.fetch(shape, subject_of(shape))

    assert isinstance(outcome, Record)
    assert told == before


@pytest.mark.parametrize("shape", SHAPES, ids=name_of)
async def test_no_match_inside_a_success_is_not_found(asking: Asking, shape: DatasetShape) -> None:
    """Both codes say success, and nothing is held: no status, no couple, no child.

    Cremations and assistance have a NO to lose: there, silence alone says nothing.
    """
    asking.simulator.set_fault("no_match")

    outcome, told = await asking.fetch(shape, subject_of(shape))

    if shape in (CREMATION, ASSISTANCE):
        assert outcome == Untold(reason=Indeterminate.SUBJECT_UNRESOLVED)
        return
    assert isinstance(outcome, NotFound)
    absent = {"registration_found": "NO"}
    for name, finding in told.items():
        assert finding == absent.get(
            name, "NOT_APPLICABLE" if name == "child_status" else "INDETERMINATE"
        )


@pytest.mark.parametrize("shape", SHAPES, ids=name_of)
async def test_a_code_that_is_not_listed_is_never_no(asking: Asking, shape: DatasetShape) -> None:
    """The answer is not of this interface; cremation has no code."""
    asking.simulator.set_fault("unknown_code")

    outcome, _ = await asking.fetch(shape, subject_of(shape))

    if shape is CREMATION:
        assert isinstance(outcome, Record)
    else:
        assert outcome == Untold(reason=Indeterminate.PROVIDER_MALFORMED)


async def test_a_platform_that_hangs_is_left_before_the_deadline(asking: Asking) -> None:
    """There is time left to sign and log."""
    asking.simulator.set_fault("hang")
    with only_waiting_counts(asyncio.get_running_loop()):
        query = asking.query(CREMATION, subject_of(CREMATION), seconds=0.5)
        outcome = await asking.adapter.fetch(query)
        left_at = time.monotonic()

    assert outcome == Untold(reason=Indeterminate.PROVIDER_TIMEOUT)
    assert left_at < query.deadline


@pytest.mark.parametrize("fault", ["platform_failed", "register_busy", "server_error"])
async def test_one_passing_failure_is_not_noticed(asking: Asking, fault: str) -> None:
    """The question is put again with a new `rid`."""
    asking.simulator.set_fault(fault, 1)

    outcome, _ = await asking.fetch(CREMATION, subject_of(CREMATION))

    assert isinstance(outcome, Record)


@pytest.mark.parametrize("fault", ["clock_skew", "bad_sign", "empty_field", "other_person"])
async def test_what_stays_wrong_is_asked_once(asking: Asking, fault: str) -> None:
    """Asking again would cost the department a call and tell the same."""
    before = asking.simulator.received()
    asking.simulator.set_fault(fault)

    await asking.fetch(CREMATION, subject_of(CREMATION))

    assert asking.simulator.received() == before + 1


@pytest.mark.parametrize("shape", SHAPES, ids=name_of)
async def test_what_was_not_granted_never_stands_in_the_record(
    asking: Asking, shape: DatasetShape
) -> None:
    """Everything the department has is sent; one field leaves."""
    asking.simulator.set_fault("every_field")
    single = {
        VERIFY.name: ("current_status", CLEAR),
        RECORD.name: ("office_code", CLEAR),
        CREMATION.name: ("death_time", YEAR),
        ASSISTANCE.name: ("is_recipient", IS_TRUE),
        CHILD.name: ("child_status", COMPARE),
    }
    name, effect = single[shape.name]
    query = asking.query(shape, subject_of(shape), grants={name: effect})

    record = read_outcome(query, await asking.adapter.fetch(query))

    assert [disclosure.name for disclosure in record.disclosures] == [name]


@pytest.mark.parametrize("shape", SHAPES, ids=name_of)
async def test_what_the_catalog_withholds_is_not_even_read(
    asking: Asking, shape: DatasetShape
) -> None:
    """A grant that no agreement could give finds nothing to give: no amount, address, ethnicity."""
    asking.simulator.set_fault("every_field")
    every = {str(field.name): CLEAR for field in shape.fields if field.type != "pred"}
    query = asking.query(shape, subject_of(shape), grants=every)

    record = read_outcome(query, await asking.adapter.fetch(query))

    told = {disclosure.name for disclosure in record.disclosures}
    assert told <= set(GRANTS[shape.name])


@pytest.mark.parametrize(
    "changed",
    [{"app_key": "wrong-key-000001"}, {"access_key": "wrong"}, {"sid": "s_nobody"}],
)
async def test_whom_the_platform_does_not_know_is_a_fault(
    simulator: Simulator, source: RecordSource, changed: dict[str, str]
) -> None:
    """Health says so too."""
    adapter = build_adapter(simulator, source, identity=replace(IDENTITY, **changed))
    query = Asking(simulator, adapter).query(CREMATION, subject_of(CREMATION))

    outcome = await adapter.fetch(query)
    health = await adapter.examine_health()
    await adapter.close()

    assert outcome == Untold(reason=Indeterminate.PROVIDER_FAULT)
    assert (health.reachable, health.detail) == (False, "PROVIDER_FAULT")


async def test_health_asks_about_nobody(asking: Asking) -> None:
    """Reachable and known there, or why not; no name and no number leaves for it."""
    before = asking.simulator.received()
    good = await asking.adapter.examine_health()
    asked = asking.simulator.admin("GET", f"/received?after={before}")["received"]
    asking.simulator.set_fault("bad_sign")
    bad = await asking.adapter.examine_health()
    asking.simulator.set_fault("html_page")
    worse = await asking.adapter.examine_health()

    assert (good.reachable, good.detail) == (True, "OK")
    assert (bad.reachable, bad.detail) == (False, "PROVIDER_UNPROVEN")
    assert (worse.reachable, worse.detail) == (False, "PROVIDER_MALFORMED")
    assert "cremation" in str(asked)
    assert "id_card" not in str(asked)


async def test_an_open_breaker_is_told_and_not_passed(asking: Asking) -> None:
    """A health check that passed it would be the very load it holds back."""
    asking.simulator.set_fault("server_error")
    for _ in range(3):
        await asking.fetch(CREMATION, subject_of(CREMATION))
    before = asking.simulator.received()

    health = await asking.adapter.examine_health()

    assert asking.adapter.breaker_state is BreakerState.OPEN
    assert health.detail == "BREAKER_OPEN"
    assert asking.simulator.received() == before


@pytest.mark.parametrize("name", [None, "", "甲" * 61, "甲\n乙"])
async def test_a_name_the_department_takes_is_needed(asking: Asking, name: str | None) -> None:
    """Asked nobody; the question would be refused."""
    query = asking.query(CREMATION, NOBODY)
    nameless = replace(query, subject=replace(query.subject, full_name=name))
    before = asking.simulator.received()

    outcome = await asking.adapter.fetch(nameless)

    assert asking.adapter.find_lacking(nameless) is Lacking.SUBJECT_NAME
    assert asking.adapter.find_lacking(query) is None
    assert outcome == Untold(reason=Indeterminate.QUESTION_REJECTED)
    assert asking.simulator.received() == before


async def test_a_company_lacks_no_name(asking: Asking) -> None:
    """What has no family needs no name to have none."""
    query = asking.query(CREMATION, NOBODY)
    company = replace(query.subject, type=SubjectType.USCC, full_name=None)

    assert asking.adapter.find_lacking(replace(query, subject=company)) is None
