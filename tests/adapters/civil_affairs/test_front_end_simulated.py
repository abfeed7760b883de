"""The copied front-end database on a real PostgreSQL: what arrives, what is late, what fails."""

import logging
import ssl
from dataclasses import replace

import pytest

from adapters.kinds.civil_affairs import front_end as front_end_module
from adapters.kinds.civil_affairs import poller as poller_module
from adapters.kinds.civil_affairs.poller import Poller
from adapters.port import DatasetShape, Indeterminate, NotFound, Record, Untold
from adapters.records import RecordSource
from adapters.simulators.population import civil_affairs_record, planted_index
from adapters.simulators.population.quirks import Quirk
from tests.adapters.civil_affairs.asking import (
    ASSISTANCE,
    CREMATION,
    NOBODY,
    PASSWORD,
    PEOPLE,
    USER,
    Asking,
    build_adapter,
    build_poller,
    front_end_of,
    named,
)
from tests.adapters.civil_affairs.front_end import poll_once, reading, row_of, until_current
from tests.adapters.simulated import Simulator

pytestmark = [pytest.mark.integration, pytest.mark.slow]

CREMATED = PEOPLE.person(planted_index(Quirk.CREMATED_NOT_CANCELLED))
PAID = PEOPLE.person(293)
MINUTE_MS = 60_000
STALE_MS = 16 * MINUTE_MS


async def test_every_row_of_a_night_is_copied_page_by_page(
    simulator: Simulator, poller: Poller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows of one stamp are told apart by their numbers."""
    for module in (front_end_module, poller_module):
        monkeypatch.setattr(module, "PAGE_ROWS", 7)

    assert await poller.poll()

    async with reading(simulator) as connection:
        for view in poller.views.values():
            count = await connection.fetchval(
                f"SELECT count(*) FROM exchange.{view.name}"  # noqa: S608 - a name of ours
            )
            assert isinstance(count, int)
            assert view.copy.rows == count > 100


@pytest.mark.parametrize("seconds", [1, 300, 900])
async def test_a_row_committed_late_is_not_missed(
    simulator: Simulator, poller: Poller, seconds: int
) -> None:
    """Its time lies below the watermark, by 15 minutes at most."""
    simulator.admin("POST", "/front_end", {"action": "change"})
    await poller.poll()
    before = poller.views["v_cremation"].copy.rows

    simulator.admin("POST", "/front_end", {"action": "late_commit", "seconds": seconds})
    await poller.poll()

    assert poller.views["v_cremation"].copy.rows == before + 1


async def test_a_row_pushed_twice_is_one(simulator: Simulator, poller: Poller) -> None:
    """One business number, two rows: the later one stands."""
    await poller.poll()
    before = poller.views["v_cremation"].copy.rows
    held = civil_affairs_record(CREMATED).person_id

    row_id = await row_of(simulator, "v_cremation", held)
    simulator.admin("POST", "/front_end", {"action": "duplicate", "row_id": row_id})
    await poller.poll()

    assert poller.views["v_cremation"].copy.rows == before
    assert len(poller.views["v_cremation"].copy.find(CREMATED.id_number)) == 1


async def test_a_withdrawn_row_is_no_longer_told(stepping: Asking, simulator: Simulator) -> None:
    """It stays in the view and says nothing any more."""
    await poll_once(stepping)
    held, _ = await stepping.sweep(CREMATION, named(CREMATED))

    row_id = await row_of(simulator, "v_cremation", CREMATED.id_number)
    stepping.front_end("withdraw", row_id=row_id)
    await poll_once(stepping)
    withdrawn, told = await stepping.sweep(CREMATION, named(CREMATED))

    assert isinstance(held, Record)
    assert isinstance(withdrawn, NotFound)
    assert told == {"is_cremated": "NO"}


async def test_a_sweep_asks_nobody_and_an_officer_asks_live(stepping: Asking) -> None:
    """An officer decides now; a sweep would be the platform's whole quota."""
    await poll_once(stepping)
    before = stepping.simulator.received()

    await stepping.sweep(CREMATION, named(CREMATED))
    swept = stepping.simulator.received()
    await stepping.fetch(CREMATION, named(CREMATED))

    assert (swept - before, stepping.simulator.received() - swept) == (0, 1)


@pytest.mark.parametrize("name", ["另一人", "\u3013\u3013\u3013", "\ue81a"])
@pytest.mark.parametrize("shape", [CREMATION, ASSISTANCE], ids=["cremation", "assistance"])
async def test_another_name_under_a_number_that_is_held_is_no_absence(
    stepping: Asking, shape: DatasetShape, name: str
) -> None:
    """A misspelt name must not make a cremated man alive, or a household on assistance not."""
    await poll_once(stepping)
    identifier, _ = named(CREMATED if shape is CREMATION else PAID)

    live, _ = await stepping.fetch(shape, (identifier, name))
    copied, _ = await stepping.sweep(shape, (identifier, name))

    assert live == copied == Untold(reason=Indeterminate.SUBJECT_UNRESOLVED)


@pytest.mark.parametrize("shape", [CREMATION, ASSISTANCE], ids=["cremation", "assistance"])
async def test_without_a_copy_silence_is_no_absence(asking: Asking, shape: DatasetShape) -> None:
    """Nobody under this number and somebody else's name are one answer of the live check."""
    officer, _ = await asking.fetch(shape, NOBODY)
    swept, _ = await asking.sweep(shape, NOBODY)

    assert officer == swept == Untold(reason=Indeterminate.SUBJECT_UNRESOLVED)


async def test_an_officer_is_told_of_absence_once_the_copy_proves_it(stepping: Asking) -> None:
    """By number alone, in the copy of that dataset, and after its first round."""
    await poll_once(stepping)

    cremation, alive = await stepping.fetch(CREMATION, NOBODY)
    assistance, none = await stepping.fetch(ASSISTANCE, NOBODY)

    assert isinstance(cremation, NotFound)
    assert isinstance(assistance, NotFound)
    assert (alive, none) == ({"is_cremated": "NO"}, {"is_recipient": "NO"})


async def test_sources_that_disagree_tell_nothing(stepping: Asking) -> None:
    """Withdrawn a moment ago, or written in another way: the live check alone is silent."""
    await poll_once(stepping)
    stepping.simulator.set_fault("no_match")

    outcome, _ = await stepping.fetch(CREMATION, named(CREMATED))
    stepping.simulator.reset()

    assert outcome == Untold(reason=Indeterminate.SUBJECT_UNRESOLVED)


async def test_without_a_copy_a_sweep_asks_live(
    simulator: Simulator, source: RecordSource, asking: Asking
) -> None:
    """No front-end database, or a view that is not copied."""
    poller = build_poller(simulator, "v_cremation")
    adapter = build_adapter(simulator, source, poller=poller)
    before = simulator.received()

    uncopied, _ = await asking.sweep(CREMATION, named(CREMATED))
    other, _ = await Asking(simulator, adapter).sweep(ASSISTANCE, named(PAID))
    await adapter.close()

    assert isinstance(uncopied, Record)
    assert isinstance(other, Record)
    assert simulator.received() == before + 2


async def test_a_copy_that_no_longer_reaches_to_now_tells_no_absence(stepping: Asking) -> None:
    """Replication stands still: neither NO nor "not found", and what may have changed neither."""
    await poll_once(stepping)
    stepping.front_end("stop_replication")
    stepping.simulator.admin("POST", "/clock", {"advance_ms": STALE_MS})
    await poll_once(stepping)

    absent, _ = await stepping.sweep(CREMATION, NOBODY)
    cremated, told = await stepping.sweep(CREMATION, named(CREMATED))
    paid, _ = await stepping.sweep(ASSISTANCE, named(PAID))
    live, _ = await stepping.fetch(CREMATION, NOBODY)
    health = await stepping.adapter.examine_health()

    assert absent == Untold(reason=Indeterminate.PROVIDER_UNAVAILABLE)
    assert isinstance(cremated, Record)
    assert told["is_cremated"] == "YES"
    assert paid == Untold(reason=Indeterminate.PROVIDER_UNAVAILABLE)
    assert live == Untold(reason=Indeterminate.PROVIDER_UNAVAILABLE)
    assert (health.reachable, health.detail) == (False, "FRONT_END_PROVIDER_UNAVAILABLE")


async def test_a_withdrawal_that_never_arrives_is_believed_held_for_a_day_and_no_longer(
    stepping: Asking, simulator: Simulator
) -> None:
    """Whoever was cremated stays so; whoever never was must not stay so for ever."""
    await poll_once(stepping)
    row_id = await row_of(simulator, "v_cremation", CREMATED.id_number)
    stepping.front_end("stop_replication")
    stepping.front_end("withdraw", row_id=row_id)
    stepping.simulator.admin("POST", "/clock", {"advance_ms": (24 * 60 - 1) * MINUTE_MS})
    await poll_once(stepping)
    within, told = await stepping.sweep(CREMATION, named(CREMATED))
    stepping.simulator.admin("POST", "/clock", {"advance_ms": 2 * MINUTE_MS})
    await poll_once(stepping)
    after, _ = await stepping.sweep(CREMATION, named(CREMATED))

    assert isinstance(within, Record)
    assert told["is_cremated"] == "YES"
    assert after == Untold(reason=Indeterminate.PROVIDER_UNAVAILABLE)


async def test_a_copy_whose_first_round_broke_off_tells_of_no_line(stepping: Asking) -> None:
    """What withdraws or corrects the line may stand on a page that was never read."""
    await poll_once(stepping)
    assert stepping.poller is not None
    stepping.poller.views["v_cremation"].as_of = None

    outcome, _ = await stepping.sweep(CREMATION, named(CREMATED))

    assert outcome == Untold(reason=Indeterminate.PROVIDER_UNAVAILABLE)


async def test_a_copy_within_its_fifteen_minutes_still_tells(stepping: Asking) -> None:
    """The page's bound, and not one of ours."""
    await poll_once(stepping)
    stepping.front_end("stop_replication")
    stepping.simulator.admin("POST", "/clock", {"advance_ms": 14 * MINUTE_MS})
    await poll_once(stepping)

    absent, told = await stepping.sweep(CREMATION, NOBODY)

    assert isinstance(absent, NotFound)
    assert told == {"is_cremated": "NO"}


async def test_what_was_held_up_arrives_when_replication_resumes(
    stepping: Asking, simulator: Simulator
) -> None:
    """With its old time: far below now, and not below the watermark's overlap."""
    await poll_once(stepping)
    row_id = await row_of(simulator, "v_cremation", CREMATED.id_number)
    stepping.front_end("stop_replication")
    stepping.front_end("withdraw", row_id=row_id)
    stepping.simulator.admin("POST", "/clock", {"advance_ms": 120 * MINUTE_MS})
    await poll_once(stepping)
    stepping.front_end("resume_replication")
    assert stepping.poller is not None
    await until_current(stepping.poller)

    withdrawn, _ = await stepping.sweep(CREMATION, named(CREMATED))
    health = await stepping.adapter.examine_health()

    assert isinstance(withdrawn, NotFound)
    assert health.detail == "OK"


@pytest.mark.parametrize(
    ("action", "parameters", "state", "reason"),
    [
        ("rename_column", {"column": "death_time"}, "42703", Indeterminate.PROVIDER_FAULT),
        ("rename_column", {"column": "upd_time"}, "42703", Indeterminate.PROVIDER_FAULT),
        ("revoke", {}, "42501", Indeterminate.PROVIDER_FAULT),
        ("lock_view", {}, "55P03", Indeterminate.PROVIDER_TIMEOUT),
    ],
)
async def test_a_view_that_cannot_be_read_shows_at_once_and_tells_until_it_is_old(
    stepping: Asking,
    caplog: pytest.LogCaptureFixture,
    action: str,
    parameters: dict[str, str],
    state: str,
    reason: Indeterminate,
) -> None:
    """Health first; after 15 minutes absence is untold for the same reason; then it heals."""
    await poll_once(stepping)
    caplog.set_level(logging.DEBUG)
    stepping.front_end(action, view="v_cremation", **parameters)
    await poll_once(stepping)
    early, _ = await stepping.sweep(CREMATION, NOBODY)
    health = await stepping.adapter.examine_health()
    stepping.simulator.admin("POST", "/clock", {"advance_ms": STALE_MS})
    late, _ = await stepping.sweep(CREMATION, NOBODY)
    other, _ = await stepping.fetch(ASSISTANCE, named(PAID))
    stepping.front_end("reset")
    await poll_once(stepping)
    healed, _ = await stepping.sweep(CREMATION, NOBODY)

    assert f"SQLSTATE {state}" in caplog.text
    assert isinstance(early, NotFound)
    assert health.detail == f"FRONT_END_{reason.value}"
    assert late == Untold(reason=reason)
    assert isinstance(other, Record)
    assert isinstance(healed, NotFound)
    for canary in (PASSWORD, USER, "exchange", *named(CREMATED)):
        assert canary not in caplog.text


async def test_a_statement_that_takes_too_long_is_ended_by_the_server(
    stepping: Asking, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One we merely stopped waiting for would go on costing the department."""
    assert stepping.poller is not None
    await stepping.poller.close()
    monkeypatch.setattr(front_end_module, "_LOCK_MS", 0)
    monkeypatch.setattr(front_end_module, "_STATEMENT_MS", 500)
    stepping.front_end("lock_view", view="v_cremation")

    await poll_once(stepping)

    assert "SQLSTATE 57014" in caplog.text
    assert stepping.poller.views["v_cremation"].failure is Indeterminate.PROVIDER_TIMEOUT


async def test_a_column_that_is_not_read_may_be_renamed(stepping: Asking) -> None:
    """Address and phone never come here."""
    stepping.front_end("rename_column", view="v_cremation", column="address")
    assert stepping.poller is not None

    assert await stepping.poller.poll()

    outcome, _ = await stepping.sweep(CREMATION, named(CREMATED))
    assert isinstance(outcome, Record)
    lines = stepping.poller.views["v_cremation"].copy.find(CREMATED.id_number)
    assert {"address", "handler_name", "handler_phone", "sex"}.isdisjoint(lines[0])


async def test_one_view_that_fails_leaves_the_other(stepping: Asking) -> None:
    """Each has its own watermark and its own age."""
    assert stepping.poller is not None
    await stepping.poller.close()
    stepping.front_end("revoke", view="v_cremation")
    await poll_once(stepping)

    cremation, _ = await stepping.sweep(CREMATION, NOBODY)
    assistance, _ = await stepping.sweep(ASSISTANCE, named(PAID))

    assert cremation == Untold(reason=Indeterminate.PROVIDER_FAULT)
    assert isinstance(assistance, Record)


async def test_connections_that_are_cut_are_opened_again(stepping: Asking) -> None:
    """At the latest with the second round."""
    await poll_once(stepping)
    stepping.front_end("disconnect")
    await poll_once(stepping)
    await poll_once(stepping)

    outcome, _ = await stepping.sweep(CREMATION, NOBODY)

    assert isinstance(outcome, NotFound)
    assert (await stepping.adapter.examine_health()).detail == "OK"


@pytest.mark.parametrize("user", [USER, "nobody"])
async def test_whom_the_database_does_not_know_is_a_fault(
    simulator: Simulator,
    source: RecordSource,
    caplog: pytest.LogCaptureFixture,
    user: str,
) -> None:
    """The first question does not wait for its deadline, and no log names who we are."""
    caplog.set_level(logging.DEBUG)
    address = replace(front_end_of(simulator), user=user, password="another-password")
    adapter = build_adapter(simulator, source, poller=build_poller(simulator, address=address))

    outcome, _ = await Asking(simulator, adapter).sweep(CREMATION, NOBODY)
    await adapter.close()

    assert outcome == Untold(reason=Indeterminate.PROVIDER_FAULT)
    for canary in (user, "another-password"):
        assert canary not in caplog.text


async def test_encryption_is_never_given_up(simulator: Simulator) -> None:
    """A server that offers none is not told the password."""
    address = replace(front_end_of(simulator), tls=ssl.create_default_context())
    poller = build_poller(simulator, address=address)

    assert not await poller.poll()

    failures = {view.failure for view in poller.views.values()}
    await poller.close()
    assert failures == {Indeterminate.PROVIDER_UNAVAILABLE}
