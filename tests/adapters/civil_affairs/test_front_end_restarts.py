"""A front-end database that goes away: it is found again, and costs a question its time only."""

import asyncio
from dataclasses import replace

import pytest

from adapters.port import Indeterminate, KeepsCopy, Record, Untold
from adapters.records import RecordSource
from adapters.simulators.population import planted_index
from adapters.simulators.population.quirks import Quirk
from tests.adapters.civil_affairs.asking import (
    CREMATION,
    NOBODY,
    PEOPLE,
    Asking,
    build_adapter,
    build_poller,
    front_end_of,
    named,
)
from tests.adapters.civil_affairs.front_end import until, wired
from tests.adapters.simulated import Simulator

pytestmark = [pytest.mark.integration, pytest.mark.slow]

CREMATED = PEOPLE.person(planted_index(Quirk.CREMATED_NOT_CANCELLED))


async def test_a_database_that_restarts_is_found_again_by_itself(
    simulator: Simulator, source: RecordSource
) -> None:
    """The running poller tries again after a second, then less often."""
    async with wired(simulator) as wire:
        address = replace(front_end_of(simulator), port=wire.port)
        poller = build_poller(simulator, address=address, interval_s=0.05)
        adapter = build_adapter(simulator, source, poller=poller)
        assert isinstance(adapter, KeepsCopy)
        adapter.begin()
        view = poller.views["v_cremation"]

        await until(lambda: view.as_of is not None)
        await wire.cut()
        await until(lambda: view.failure is Indeterminate.PROVIDER_UNAVAILABLE)
        await wire.lay()
        await until(lambda: view.failure is None)
        outcome, _ = await Asking(simulator, adapter).sweep(CREMATION, named(CREMATED))
        await adapter.close()

    assert isinstance(outcome, Record)
    assert view.copy.rows == 0


async def test_a_database_that_starts_late_is_waited_for_one_round(
    simulator: Simulator, source: RecordSource
) -> None:
    """Gateway and database may start together: whoever can wait is answered."""
    async with wired(simulator) as wire:
        await wire.cut()
        address = replace(front_end_of(simulator), port=wire.port)
        poller = build_poller(simulator, address=address)
        adapter = build_adapter(simulator, source, poller=poller)
        view = poller.views["v_cremation"]
        asked = asyncio.create_task(Asking(simulator, adapter).sweep(CREMATION, named(CREMATED)))
        await until(lambda: view.failure is Indeterminate.PROVIDER_UNAVAILABLE)
        await wire.lay()
        outcome, _ = await asked
        await adapter.close()

    assert isinstance(outcome, Record)


async def test_a_database_that_stays_away_is_not_waited_for_longer(
    simulator: Simulator, source: RecordSource
) -> None:
    """The second silence is told, long before the question's own deadline."""
    async with wired(simulator) as wire:
        await wire.cut()
        address = replace(front_end_of(simulator), port=wire.port)
        adapter = build_adapter(simulator, source, poller=build_poller(simulator, address=address))
        asking = Asking(simulator, adapter)
        query = replace(asking.query(CREMATION, NOBODY, seconds=100), by_officer=False)
        async with asyncio.timeout(50):
            outcome = await adapter.fetch(query)
        await adapter.close()

    assert outcome == Untold(reason=Indeterminate.PROVIDER_UNAVAILABLE)


async def test_a_database_that_says_nothing_costs_a_question_its_deadline_only(
    simulator: Simulator, source: RecordSource
) -> None:
    """Nothing is held yet, so nothing can be told."""
    async with wired(simulator) as wire:
        wire.silent = True
        address = replace(front_end_of(simulator), port=wire.port)
        adapter = build_adapter(simulator, source, poller=build_poller(simulator, address=address))
        asking = Asking(simulator, adapter)
        query = replace(asking.query(CREMATION, NOBODY, seconds=0.3), by_officer=False)

        outcome = await adapter.fetch(query)
        await adapter.close()

    assert outcome == Untold(reason=Indeterminate.PROVIDER_TIMEOUT)
