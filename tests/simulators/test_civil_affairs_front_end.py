"""The front-end database, read as the read-only role by a foreign client."""

import asyncio
import re
from datetime import datetime, timedelta

import asyncpg
import pytest

from adapters.simulators.civil_affairs.register import Registers
from adapters.simulators.civil_affairs.shapes import marriage_lines, to_text
from adapters.simulators.population import Population, Quirk, civil_affairs_record, planted_index
from tests.simulators.civil_client import CivilClient, about, reader
from tests.simulators.simulator_process import ROOT, Running

pytestmark = pytest.mark.integration

VIEWS = ("v_marriage", "v_cremation", "v_assistance", "v_adoption")
COUNTS = {
    "v_marriage": "SELECT count(*) FROM exchange.v_marriage",
    "v_cremation": "SELECT count(*) FROM exchange.v_cremation",
    "v_assistance": "SELECT count(*) FROM exchange.v_assistance",
    "v_adoption": "SELECT count(*) FROM exchange.v_adoption",
}
POLL = (
    "SELECT * FROM exchange.v_cremation WHERE (upd_time, row_id) > ($1, $2) "
    "ORDER BY upd_time, row_id LIMIT $3"
)
OVERLAP = timedelta(minutes=15)


def _do(simulator: Running, action: str, **parameters: str | int) -> None:
    answer = simulator.admin.post("/front_end", json={"action": action, **parameters})
    assert answer.status_code == 200, answer.text


async def _newest(connection: asyncpg.Connection) -> datetime:
    found = await connection.fetchval("SELECT max(upd_time) FROM exchange.v_cremation")
    assert isinstance(found, datetime)
    return found


async def test_the_views_hold_what_the_registers_hold(
    civil_affairs: Running, people: Population
) -> None:
    """Every line of the population, once, with the columns of the manual in their order."""
    page = (ROOT / "docs" / "adapters" / "civil_affairs.md").read_text()
    lines = [
        line
        for index in range(0, people.size, 4)
        for _, line in marriage_lines(
            people.person(index).household, civil_affairs_record(people.person(index)).as_of
        )
    ]
    async with reader(civil_affairs.front_end_port) as connection:
        rows = await connection.fetch("SELECT * FROM exchange.v_marriage ORDER BY row_id")
        for view in VIEWS:
            statement = await connection.prepare(f"TABLE exchange.{view}")
            names = [column.name for column in statement.get_attributes()]
            assert names[:5] == ["row_id", "biz_id", "row_state", "upd_time", "dept_code"]
            assert all(f"`{name}`" in page for name in names)

    held = [{name: to_text(value) for name, value in row.items()} for row in rows]
    assert [row["biz_id"] for row in held] == [line.biz_id for line in lines]
    assert [row["cert_num_man"] for row in held] == [
        line.business["cert_num_man"] for line in lines
    ]
    assert {row["row_state"] for row in held} == {"1"}


async def test_both_faces_tell_the_same(
    civil_affairs: Running, civil: CivilClient, people: Population
) -> None:
    """The cremation of a person in the view is the one of the live question."""
    person = people.person(planted_index(Quirk.CREMATED_NOT_CANCELLED))
    async with reader(civil_affairs.front_end_port) as connection:
        row = await connection.fetchrow(
            "SELECT * FROM exchange.v_cremation WHERE id_card = $1", person.id_number
        )
    (live,) = civil.rows("cremation", about(person))

    assert row is not None
    shown = {name.lower(): value for name, value in live.items()}
    assert all(to_text(row[name]) == value for name, value in shown.items())


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM ca.cremation",
        "SELECT ca.restore('hrss_reader')",
        "DELETE FROM exchange.v_cremation",
        "UPDATE exchange.v_cremation SET name = ''",
        "CREATE TEMP TABLE mine (a int)",
        "CREATE TABLE public.mine (a int)",
        "CREATE SCHEMA mine",
        "SET ROLE postgres",
        "COPY (SELECT 1) TO PROGRAM 'true'",
    ],
)
async def test_the_reader_reads_views_and_nothing_else(
    civil_affairs: Running, statement: str
) -> None:
    """No base table, no writing, no table of its own, no other role, no program."""
    async with reader(civil_affairs.front_end_port) as connection:
        # The role's own default must not be what protects the tables.
        await connection.execute("SET default_transaction_read_only = off")
        with pytest.raises(asyncpg.InsufficientPrivilegeError) as refused:
            await connection.execute(statement)

    assert refused.value.sqlstate == "42501"


async def test_nobody_comes_in_without_the_password(civil_affairs: Running) -> None:
    """A wrong password, another database and a fifth connection are refused."""
    port = civil_affairs.front_end_port
    with pytest.raises(asyncpg.InvalidPasswordError):
        async with reader(port, "wrong-password"):
            pass
    async with reader(port), reader(port), reader(port), reader(port):
        with pytest.raises(asyncpg.TooManyConnectionsError):
            async with reader(port):
                pass


async def test_a_poller_by_pairs_misses_no_row_of_a_night(civil_affairs: Running) -> None:
    """Stamps repeat, so the row number is part of the watermark; by pairs all rows arrive once."""
    seen: list[int] = []
    mark, row = datetime.min, 0  # noqa: DTZ901 - the views write local time without a zone
    async with reader(civil_affairs.front_end_port) as connection:
        total = await connection.fetchval("SELECT count(*) FROM exchange.v_cremation")
        stamps = await connection.fetchval(
            "SELECT count(DISTINCT upd_time) FROM exchange.v_cremation"
        )
        while page := await connection.fetch(POLL, mark, row, 7):
            seen += [each["row_id"] for each in page]
            mark, row = page[-1]["upd_time"], page[-1]["row_id"]

    assert len(seen) == len(set(seen)) == total
    assert stamps < total / 4


async def test_changes_arrive_above_the_watermark(civil_affairs: Running) -> None:
    """A change and a withdrawal carry the time they were made."""
    async with reader(civil_affairs.front_end_port) as connection:
        mark = await _newest(connection)
        _do(civil_affairs, "change")
        _do(civil_affairs, "withdraw", row_id=2)
        rows = await connection.fetch(POLL, mark, 0, 100)
        fresh = {row["row_id"]: row["row_state"] for row in rows if row["upd_time"] > mark}

        assert fresh == {1: "1", 2: "0"}


async def test_a_late_commit_lies_under_the_watermark(civil_affairs: Running) -> None:
    """A poller that only looks above the watermark misses it, one that looks back finds it."""
    async with reader(civil_affairs.front_end_port) as connection:
        _do(civil_affairs, "change")
        mark = await _newest(connection)
        _do(civil_affairs, "late_commit", row_id=3, seconds=300)
        above = await connection.fetch(POLL, mark, 0, 100)
        back = await connection.fetch(POLL, mark - OVERLAP, 0, 100)

    assert [row["row_id"] for row in above] == [1]
    (late,) = [row for row in back if row["row_id"] != 1]
    assert mark - OVERLAP < late["upd_time"] < mark
    assert late["biz_id"].endswith(f"L{late['row_id']}")


async def test_a_duplicate_repeats_the_business_number(civil_affairs: Running) -> None:
    """The same business number twice, with another row number and a younger stamp."""
    async with reader(civil_affairs.front_end_port) as connection:
        _do(civil_affairs, "duplicate", view="v_marriage")
        rows = await connection.fetch(
            "SELECT * FROM exchange.v_marriage WHERE biz_id = "
            "(SELECT biz_id FROM exchange.v_marriage WHERE row_id = 1) ORDER BY row_id"
        )

    first, second = (dict(row) for row in rows)
    assert second["upd_time"] > first["upd_time"]
    assert {name for name in first if first[name] != second[name]} == {"row_id", "upd_time"}


async def test_a_renamed_column_is_gone(civil_affairs: Running) -> None:
    """The old name is 42703 until reset."""
    _do(civil_affairs, "rename_column", column="upd_time")
    async with reader(civil_affairs.front_end_port) as connection:
        with pytest.raises(asyncpg.UndefinedColumnError):
            await _newest(connection)
        await connection.fetchval("SELECT max(upd_time_new) FROM exchange.v_cremation")
        _do(civil_affairs, "reset")
        assert await _newest(connection) > datetime.min  # noqa: DTZ901 - local time, no zone


async def test_a_locked_view_waits(civil_affairs: Running) -> None:
    """Only the locked view waits; patience ends as 55P03 or 57014; reset frees it."""
    _do(civil_affairs, "lock_view", view="v_assistance")
    async with reader(civil_affairs.front_end_port) as connection:
        await connection.execute("SET lock_timeout = '200ms'")
        with pytest.raises(asyncpg.LockNotAvailableError):
            await connection.fetchval(COUNTS["v_assistance"])
        await connection.execute("SET lock_timeout = 0")
        await connection.execute("SET statement_timeout = '200ms'")
        with pytest.raises(asyncpg.QueryCanceledError):
            await connection.fetchval(COUNTS["v_assistance"])
        assert await connection.fetchval(COUNTS["v_cremation"])
        _do(civil_affairs, "reset")
        assert await connection.fetchval(COUNTS["v_assistance"])


@pytest.mark.parametrize("action", ["change", "lock_view"])
async def test_an_action_on_a_locked_view_gives_up(civil_affairs: Running, action: str) -> None:
    """The admin port does not wait for ever either, and says why."""
    _do(civil_affairs, "lock_view")

    answer = await asyncio.to_thread(
        civil_affairs.admin.post, "/front_end", json={"action": action}, timeout=10
    )

    assert (answer.status_code, answer.json()) == (400, {"error": "the database says 55P03"})


async def test_stopped_replication_shows_in_the_sync_state_alone(
    civil_affairs: Running,
) -> None:
    """`synced_to` stands still and changes do not arrive until it goes on, with their old stamp."""
    synced = "SELECT min(synced_to) FROM exchange.v_sync_state"
    async with reader(civil_affairs.front_end_port) as connection:
        _do(civil_affairs, "stop_replication")
        mark, stopped = await _newest(connection), await connection.fetchval(synced)
        _do(civil_affairs, "change")
        await asyncio.sleep(1.5)
        assert await _newest(connection) == mark
        assert await connection.fetchval(synced) == stopped
        civil_affairs.advance(3_600_000)
        _do(civil_affairs, "resume_replication")
        arrived = await _newest(connection)
        await asyncio.sleep(1.5)
        moved = await connection.fetchval(synced)

    assert mark < arrived < stopped + timedelta(minutes=1)
    assert moved - stopped > timedelta(minutes=59)


async def test_a_view_can_be_taken_away_and_connections_cut(civil_affairs: Running) -> None:
    """42501 for one view; a cut connection is gone and a new one works."""
    _do(civil_affairs, "revoke", view="v_adoption")
    async with reader(civil_affairs.front_end_port) as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetchval(COUNTS["v_adoption"])
        _do(civil_affairs, "disconnect")
        with pytest.raises((asyncpg.PostgresConnectionError, asyncpg.AdminShutdownError)):
            await connection.fetchval(COUNTS["v_cremation"])
    async with reader(civil_affairs.front_end_port) as connection:
        assert await connection.fetchval(COUNTS["v_cremation"])


async def test_reset_undoes_everything(civil_affairs: Running) -> None:
    """After all actions and a reset every view holds what it held."""
    async with reader(civil_affairs.front_end_port) as connection:
        before = await connection.fetch("SELECT * FROM exchange.v_cremation ORDER BY row_id")
        for action in ("change", "withdraw", "late_commit", "duplicate", "stop_replication"):
            _do(civil_affairs, action)
        _do(civil_affairs, "change", row_id=2)
        _do(civil_affairs, "reset")
        after = await connection.fetch("SELECT * FROM exchange.v_cremation ORDER BY row_id")

    assert before == after


@pytest.mark.parametrize(
    "order",
    [
        {"action": "drop"},
        {"action": "change", "view": "v_sync_state"},
        {"action": "change", "row_id": 10**9},
        {"action": "change", "row_id": "1"},
        {"action": "late_commit", "seconds": 901},
        {"action": "rename_column"},
        {"action": "rename_column", "column": "no_such_column"},
        {},
        [],
    ],
)
def test_unknown_actions_are_refused(civil_affairs: Running, order: dict[str, str]) -> None:
    """The list of actions is closed, and so are their parameters."""
    assert civil_affairs.admin.post("/front_end", json=order).status_code == 400


def test_the_manual_names_every_action(civil_affairs: Running) -> None:
    """What section 5 lists is what the simulator knows."""
    page = (ROOT / "docs" / "adapters" / "civil_affairs.md").read_text()
    table = page.split("| 动作 |")[1].split("\n\n")[0]
    for action in re.findall(r"^\| `(\w+)`", table, re.MULTILINE):
        column = {"column": "sex"} if action == "rename_column" else {}
        _do(civil_affairs, action, **column)


def test_the_late_husband_is_in_the_view_too(people: Population) -> None:
    """Whom this department alone knows comes last, after the population."""
    *_, last = Registers(people).everyone()

    assert people.find(last.record.person_id) == ()
