"""The tax adapter against the simulator: every fault of the manual has its outcome."""

import asyncio
import logging
import time
from dataclasses import replace

import pytest

from adapters.port import BreakerState, DatasetShape, Indeterminate, Lacking, Record, Untold
from adapters.simulators.population import canaries
from tests.adapters.asking import CLEAR, IS_TRUE, disclosed, read_outcome
from tests.adapters.tax.asking import CONTRIBUTION, INCOME_TAX, LAST, TAXPAYER, Asking, held, person

pytestmark = [pytest.mark.integration, pytest.mark.slow]

PAID = {"paid_in_period": IS_TRUE}
YES = {"paid_in_period": "YES"}
FAULTS = {
    "login_refused": Indeterminate.PROVIDER_UNAVAILABLE,
    "host_key_changed": Indeterminate.PROVIDER_UNAVAILABLE,
    "connection_hang": Indeterminate.PROVIDER_UNAVAILABLE,
    "connection_cut": Indeterminate.PROVIDER_UNAVAILABLE,
    "disk_full": Indeterminate.PROVIDER_UNAVAILABLE,
    "refused_internal": Indeterminate.PROVIDER_FAULT,
    "refused_duplicate": Indeterminate.PROVIDER_FAULT,
    "other_tran_seq": Indeterminate.PROVIDER_UNPROVEN,
    "wrong_signature": Indeterminate.PROVIDER_UNPROVEN,
    "truncated_file": Indeterminate.PROVIDER_MALFORMED,
    "wrong_digest": Indeterminate.PROVIDER_MALFORMED,
    "sum_mismatch": Indeterminate.PROVIDER_MALFORMED,
    "count_mismatch": Indeterminate.PROVIDER_MALFORMED,
    "wrong_control_order": Indeterminate.PROVIDER_MALFORMED,
    "gb18030_text": Indeterminate.PROVIDER_MALFORMED,
    "decompression_bomb": Indeterminate.PROVIDER_MALFORMED,
    "entity_bomb": Indeterminate.PROVIDER_MALFORMED,
    "external_entity": Indeterminate.PROVIDER_MALFORMED,
    "oversized_file": Indeterminate.PROVIDER_MALFORMED,
    "missing_record": Indeterminate.PROVIDER_MALFORMED,
    "partial_records": Indeterminate.PROVIDER_FAULT,
    "other_person": Indeterminate.SUBJECT_MISMATCH,
}
"""Fault → reason, for one question about one person."""
ELSEWHERE = {
    "no_ack",
    "no_result",
    "late_result",
    "unknown_tran_seq",
    "duplicate_result",
    "every_field",
    "unknown_state",
}
"""Faults that end otherwise; each has a test of its own, here or with the pending questions."""


def test_no_fault_of_the_department_is_left_out(asking: Asking) -> None:
    """The manual's list is the simulator's."""
    listed = asking.simulator.admin("GET", "/faults")["faults"]

    assert isinstance(listed, dict)
    assert set(listed) == set(FAULTS) | ELSEWHERE


@pytest.mark.parametrize("fault", FAULTS)
async def test_each_fault_is_untold_for_its_own_reason(
    asking: Asking, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    """Never an exception, never a value, never a person in the diagnostics."""
    caplog.set_level(logging.DEBUG)
    who = person("ordinary_employee")
    asking.simulator.set_fault(fault)

    outcome, _ = await asking.fetch(asking.query(CONTRIBUTION, who, PAID, LAST))

    assert outcome == Untold(reason=FAULTS[fault])
    assert who.full_name not in caplog.text
    assert who.id_number not in caplog.text
    assert "127.0.0.1" not in caplog.text


@pytest.mark.parametrize(
    "fault",
    [
        "connection_cut",
        "disk_full",
        "login_refused",
        "host_key_changed",
        "connection_hang",
        "refused_internal",
        "refused_duplicate",
    ],
)
async def test_one_passing_failure_is_not_noticed(asking: Asking, fault: str) -> None:
    """A question that changes nothing is put again."""
    asking.simulator.set_fault(fault, 1)

    _, told = await asking.fetch(
        asking.query(CONTRIBUTION, person("ordinary_employee"), PAID, LAST)
    )

    assert told == YES


async def test_a_cut_connection_is_followed_by_a_repetition(asking: Asking) -> None:
    """Whether the first attempt arrived is not known: the second has its number and says so."""
    asking.simulator.set_fault("connection_cut", 1, after=1)

    _, told = await asking.fetch(
        asking.query(CONTRIBUTION, person("ordinary_employee"), PAID, LAST)
    )
    (submission,) = asking.submissions()

    assert told == YES
    assert submission.endswith("00000001_02.xml")
    assert "<repeatFlag>Y</repeatFlag>" in asking.envelopes()[0]


async def test_who_has_no_time_is_told_why_nothing_was_dropped(asking: Asking) -> None:
    """The department could not be reached; that is another answer than a slow one."""
    asking.simulator.set_fault("login_refused")
    query = asking.query(CONTRIBUTION, person("ordinary_employee"), PAID, LAST, seconds=0.2)

    assert await asking.adapter.fetch(query) == Untold(reason=Indeterminate.PROVIDER_UNAVAILABLE)


async def test_what_cannot_be_dropped_is_not_looked_for(asking: Asking) -> None:
    """One asker's three attempts count, and nothing beside them: others may still try."""
    who = person("ordinary_employee")
    asking.simulator.set_fault("login_refused")

    outcome = await asking.adapter.fetch(asking.query(CONTRIBUTION, who, PAID, LAST))

    assert outcome == Untold(reason=Indeterminate.PROVIDER_UNAVAILABLE)
    assert asking.transport.breaker._failures == 3
    assert asking.adapter.breaker_state is BreakerState.CLOSED


async def test_a_department_that_stays_away_is_no_longer_asked(asking: Asking) -> None:
    """The breaker opens, and health says so."""
    who = person("ordinary_employee")
    asking.simulator.set_fault("login_refused")
    for _ in range(3):
        await asking.adapter.fetch(asking.query(CONTRIBUTION, who, PAID, LAST))
    begun = asking.adapter._desk._counter

    outcome = await asking.adapter.fetch(asking.query(CONTRIBUTION, who, PAID, LAST))
    health = await asking.adapter.examine_health()

    assert outcome == Untold(reason=Indeterminate.PROVIDER_UNAVAILABLE)
    assert asking.adapter._desk._counter == begun
    assert asking.adapter.breaker_state is BreakerState.OPEN
    assert (health.reachable, health.detail) == (False, "BREAKER_OPEN")


async def test_health_lists_the_results(asking: Asking) -> None:
    """Reachable, known there, and what stands in its way where it is not."""
    well = await asking.adapter.examine_health()
    await asking.transport.close()
    asking.simulator.set_fault("host_key_changed")
    ill = await asking.adapter.examine_health()

    assert (well.reachable, well.detail) == (True, "OK")
    assert (ill.reachable, ill.detail) == (False, "PROVIDER_UNAVAILABLE")


async def test_results_of_other_numbers_are_left_alone(
    asking: Asking, caplog: pytest.LogCaptureFixture
) -> None:
    """Another process may wait for them: they are told of, not read and not removed."""
    before = await asking.transport.names("/out", time.monotonic() + 5, lambda _: True)
    asking.simulator.set_fault("unknown_tran_seq", 1)

    _, told = await asking.fetch(
        asking.query(CONTRIBUTION, person("ordinary_employee"), PAID, LAST)
    )
    left = await asking.transport.names("/out", time.monotonic() + 5, lambda _: True)

    assert told == YES
    assert len([name for name in left.wanted - before.wanted if not asking.is_own(name)]) == 2
    assert "numbers that are not ours" in caplog.text


async def test_a_second_copy_of_a_result_changes_nothing(asking: Asking) -> None:
    """It is removed unread, as is everything else that was fetched."""
    who = person("ordinary_employee")
    asking.simulator.set_fault("duplicate_result", 1)

    _, told = await asking.fetch(asking.query(CONTRIBUTION, who, PAID, LAST))
    _, again = await asking.fetch(asking.query(CONTRIBUTION, who, PAID, LAST))
    await asking.settled()

    assert told == again == YES
    for folder in ("/ack", "/out", "/error"):
        lying = await asking.transport.names(folder, time.monotonic() + 5, asking.is_own)
        assert not lying.wanted


async def test_some_records_of_a_package_may_fail(asking: Asking) -> None:
    """Each asker has his own record: the second of three is told, the others are not."""
    people = [person(case) for case in ("ordinary_employee", "contribution_twice", "no_education")]
    asking.simulator.set_fault("partial_records", 1)
    queries = [asking.query(CONTRIBUTION, who, PAID, LAST) for who in people]

    outcomes = await asyncio.gather(*map(asking.adapter.fetch, queries))

    fault = Untold(reason=Indeterminate.PROVIDER_FAULT)
    assert len(asking.submissions()) == 1
    assert [outcomes[0], outcomes[2]] == [fault, fault]
    assert disclosed(queries[1], outcomes[1]) == YES


async def test_another_persons_record_spares_the_rest_of_nothing(asking: Asking) -> None:
    """A taxpayer's as well as a person's is an incident, not an answer."""
    who = person("ordinary_employee")
    taxpayer = held(who).taxpayer
    assert taxpayer is not None
    asking.simulator.set_fault("other_person")
    queries = [
        asking.query(INCOME_TAX, who, {"has_wage_income": IS_TRUE}, {"tax_year": "2025"}),
        asking.query(TAXPAYER, taxpayer.taxpayer_id, {"taxpayer_state": CLEAR}),
    ]

    outcomes = [await asking.adapter.fetch(query) for query in queries]

    assert outcomes == [Untold(reason=Indeterminate.SUBJECT_MISMATCH)] * 2


async def test_a_state_outside_of_the_list_is_passed_on(asking: Asking) -> None:
    """As it is: the catalog's type is the department's own table."""
    taxpayer = held(person("ordinary_employee")).taxpayer
    assert taxpayer is not None
    asking.simulator.set_fault("unknown_state")

    _, told = await asking.fetch(
        asking.query(TAXPAYER, taxpayer.taxpayer_id, {"taxpayer_state": CLEAR})
    )

    assert told == {"taxpayer_state": "99"}


@pytest.mark.parametrize("shape", [CONTRIBUTION, INCOME_TAX, TAXPAYER], ids=lambda each: each.name)
async def test_what_was_not_granted_never_stands_in_the_record(
    asking: Asking, shape: DatasetShape
) -> None:
    """The department sends everything it has, other months and years included; one field leaves."""
    who = person("ordinary_employee")
    record = held(who)
    assert record.taxpayer is not None
    asking.simulator.set_fault("every_field")
    subject = record.taxpayer.taxpayer_id if shape is TAXPAYER else who
    granted = {CONTRIBUTION: "paid_in_period", INCOME_TAX: "has_wage_income", TAXPAYER: "is_micro"}
    query = asking.query(shape, subject, {granted[shape]: IS_TRUE}, {"tax_year": "2025", **LAST})

    outcome = await asking.adapter.fetch(query)

    told = read_outcome(query, outcome)
    assert [each.name for each in told.disclosures] == [granted[shape]]
    assert isinstance(outcome, Record)
    shown = repr(told.disclosures[0].value) + outcome.sd_jwt
    unasked = {*canaries(who), record.taxpayer.name, *(e.voucher_no for e in record.contribution)}
    assert not [text for text in unasked if text in shown]


async def test_without_a_name_the_department_is_not_asked(asking: Asking) -> None:
    """It would refuse the question; so would it one about the wrong sort of subject."""
    query = asking.query(CONTRIBUTION, person("ordinary_employee"), PAID, LAST)
    nameless = replace(query, subject=replace(query.subject, full_name=None))
    firm = asking.query(CONTRIBUTION, "91370100MA3FAKE04Q", PAID, LAST)

    outcomes = [await asking.adapter.fetch(each) for each in (nameless, firm)]

    assert asking.adapter.find_lacking(nameless) is Lacking.SUBJECT_NAME
    assert asking.adapter.find_lacking(query) is None
    assert asking.adapter.find_lacking(firm) is None
    assert outcomes == [Untold(reason=Indeterminate.QUESTION_REJECTED)] * 2
    assert asking.submissions() == []
