"""A front-end database that lies about times, order and amount: what no simulator would do."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import pytest

from adapters.errors import AnswerMalformed, DepartmentFailed
from adapters.kinds.civil_affairs import poller as poller_module
from adapters.kinds.civil_affairs.front_end import PAGE_ROWS, FrontEnd, FrontEndAddress
from adapters.kinds.civil_affairs.poller import Poller
from adapters.port import Indeterminate
from tests.adapters.asking import NOW_MS

NOW = datetime(2026, 11, 23, 16, 0)  # noqa: DTZ001 - views have no zone
PERSON = "370102198203150024"
VIEW = "v_cremation"
Row = Mapping[str, object]
NOWHERE = FrontEndAddress(host="127.0.0.1", port=9, database="d", user="u", password="p")


def row(row_id: int, minutes: float, **changed: object) -> Row:
    """Return a row of the view, some minutes from now."""
    return {
        "row_id": row_id,
        "biz_id": f"HH-{row_id}",
        "row_state": "1",
        "upd_time": NOW + timedelta(minutes=minutes),
        "name": "李明",
        "id_card": PERSON,
        "death_time": NOW,
        "cremation_time": NOW,
        "facility": "",
        **changed,
    }


class Database:
    """A database of a few rows that answers as the page says, unless it is told to lie."""

    def __init__(self) -> None:
        """Begin without a row, replicated to now."""
        self.front_end = FrontEnd(NOWHERE)
        vars(self.front_end)["_fetch"] = self.answer
        self.rows: list[Row] = []
        self.synced: list[object] = [NOW]
        self.asked_after: list[tuple[datetime, int]] = []
        self.lie: Sequence[Row] | None = None

    async def answer(self, statement: str, *values: object) -> Sequence[Row]:
        """Answer one statement, as its values say."""
        if "synced_to" in statement:
            self.asked_after.clear()
            return [{"synced_to": synced} for synced in self.synced]
        updated, row_id, limit = values
        assert isinstance(updated, datetime)
        assert isinstance(row_id, int)
        assert isinstance(limit, int)
        self.asked_after.append((updated, row_id))
        if self.lie is not None:
            return self.lie
        following = [each for each in self.rows if position(each) > (updated, row_id)]
        return sorted(following, key=position)[:limit]


def position(row: Row) -> tuple[datetime, int]:
    """Return the order of a row in its view."""
    updated, row_id = row["upd_time"], row["row_id"]
    assert isinstance(updated, datetime)
    assert isinstance(row_id, int)
    return updated, row_id


@pytest.fixture
def database() -> Database:
    """Return a database without rows."""
    return Database()


@pytest.fixture
def poller(database: Database) -> Poller:
    """Return a poller of it at a fixed time."""
    return Poller(database.front_end, [VIEW], now_ms=lambda: NOW_MS, interval_s=60)


async def test_a_stamp_from_the_future_does_not_hide_what_comes_after(
    database: Database, poller: Poller
) -> None:
    """A watermark in the year 9999 would be the last one."""
    database.rows = [row(1, -60), row(2, 0, upd_time=datetime.max)]  # noqa: DTZ901 - the driver's `infinity`
    await poller.poll()
    database.rows.append(row(3, -10))
    await poller.poll()

    assert poller.views[VIEW].copy.rows == 3


async def test_each_round_begins_fifteen_minutes_below_what_was_seen(
    database: Database, poller: Poller
) -> None:
    """And the first from the beginning."""
    database.rows = [row(1, -30)]
    await poller.poll()
    first = database.asked_after[0]
    await poller.poll()
    second = database.asked_after[0]

    assert first[0] == datetime.min  # noqa: DTZ901 - the driver's `-infinity`
    assert second[0] <= NOW - timedelta(minutes=45)
    assert second[1] < 0


async def test_how_far_a_copy_reaches_is_asked_before_its_rows(
    database: Database, poller: Poller
) -> None:
    """Asked afterwards, it would speak of rows that came while ours were read."""
    await poller.poll()

    assert database.asked_after == [(datetime.min, -(2**63))]  # noqa: DTZ901 - the driver's `-infinity`


async def test_replication_into_the_future_is_a_fault(database: Database, poller: Poller) -> None:
    """Believed, it would hide that it stands still from then on."""
    database.synced = [NOW + timedelta(minutes=6)]

    assert not await poller.poll()

    view = poller.views[VIEW]
    assert (view.failure, view.as_of) == (Indeterminate.PROVIDER_FAULT, None)


async def test_clocks_may_differ_a_little(database: Database, poller: Poller) -> None:
    """A copy never reaches further than now."""
    database.synced = [NOW + timedelta(minutes=4)]

    assert await poller.poll()

    assert poller.views[VIEW].as_of == NOW


@pytest.mark.parametrize("synced", [None, "2026-11-23", NOW.astimezone()])
async def test_a_state_that_says_nothing_is_malformed(
    database: Database, poller: Poller, synced: object
) -> None:
    """No freshness is assumed."""
    database.synced = [synced]

    assert not await poller.poll()

    assert poller.views[VIEW].failure is Indeterminate.PROVIDER_MALFORMED


@pytest.mark.parametrize(
    "lie",
    [
        [row(2, -5), row(1, -5)],
        [row(1, -5), row(1, -5)],
        [row(1, -5), row(2, -6)],
        [row(index, -5) for index in range(PAGE_ROWS + 1)],
        [row(1, -5, biz_id=None)],
    ],
)
async def test_a_page_that_was_not_asked_for_is_refused(
    database: Database, poller: Poller, lie: Sequence[Row]
) -> None:
    """A round that breaks off moves neither watermark nor age."""
    await poller.poll()
    view = poller.views[VIEW]
    view.as_of = before = NOW - timedelta(minutes=3)
    database.lie = lie

    assert not await poller.poll()

    assert view.failure is Indeterminate.PROVIDER_MALFORMED
    assert view.as_of == before
    assert view.copy.rows == 0


async def test_a_view_without_an_end_is_left(
    database: Database, poller: Poller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages that go on for ever would keep us for ever."""
    monkeypatch.setattr(poller_module, "_MAX_PAGES", 2)
    database.rows = [row(index, -5) for index in range(2 * PAGE_ROWS)]

    assert not await poller.poll()

    assert poller.views[VIEW].failure is Indeterminate.PROVIDER_MALFORMED


async def test_a_row_that_could_be_anybodys_makes_absence_mean_nothing(
    database: Database, poller: Poller
) -> None:
    """Emptied in silence, numbers would turn everybody's answer into NO."""
    database.rows = [row(1, -5), row(2, -4, id_card=None)]
    await poller.poll()
    view = poller.views[VIEW]

    lag = view.find_lag(poller.now())
    held = view.copy.find(PERSON)
    database.rows = [row(3, -3, biz_id="HH-2")]
    await poller.poll()

    assert lag is Indeterminate.PROVIDER_MALFORMED
    assert len(held) == 1
    assert view.find_lag(poller.now()) is None


async def test_an_age_of_fifteen_minutes_is_too_old(database: Database, poller: Poller) -> None:
    """One second less is not."""
    database.synced = [NOW - timedelta(minutes=15)]
    await poller.poll()
    old = poller.views[VIEW].find_lag(poller.now())
    database.synced = [NOW - timedelta(minutes=15) + timedelta(seconds=1)]
    await poller.poll()
    young = poller.views[VIEW].find_lag(poller.now())

    assert (old, young) == (Indeterminate.PROVIDER_UNAVAILABLE, None)


async def test_a_clock_that_is_set_back_makes_no_old_copy_fresh(
    database: Database, poller: Poller
) -> None:
    """What two clocks may differ by is no such step."""
    database.rows = [row(1, -5)]
    await poller.poll()
    view, day = poller.views[VIEW], timedelta(hours=24)
    skewed, back = (NOW - timedelta(minutes=5, seconds=seconds) for seconds in (0, 1))

    assert view.find_lag(skewed) is None
    assert view.find_lag(back) is Indeterminate.PROVIDER_UNAVAILABLE
    assert (view.reaches(skewed, day), view.reaches(back, day)) == (True, False)


async def test_a_view_that_was_never_read_tells_nothing(poller: Poller) -> None:
    """Before the first round."""
    assert poller.views[VIEW].find_lag(poller.now()) is Indeterminate.PROVIDER_UNAVAILABLE


async def test_a_port_nobody_listens_at_is_unavailable() -> None:
    """Without a message that names it."""
    nobody = FrontEnd(NOWHERE)

    with pytest.raises(DepartmentFailed) as failed:
        await nobody.fetch_synced(VIEW)

    assert failed.value.reason is Indeterminate.PROVIDER_UNAVAILABLE
    assert failed.value.__cause__ is None


async def test_a_state_that_stands_twice_is_malformed(database: Database) -> None:
    """One view, one line."""
    database.synced = [NOW, NOW]

    with pytest.raises(AnswerMalformed):
        await database.front_end.fetch_synced(VIEW)
