"""When storage fails: nobody is told of success, nothing is lost, and the log resumes by itself."""

import asyncio
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from typing_extensions import override

from gateway.access_log import commit, search_index
from gateway.access_log.errors import AskAnswered, ClaimTaken, LogUnavailable
from gateway.access_log.intake import Intake, QueueLimits, Waiting
from gateway.access_log.note import Ed25519LogSigner
from gateway.access_log.search import Look, SubjectQuery
from gateway.model import Logged
from tests.access_log import naive_tree
from tests.access_log.drafts import SUBJECT, LogHome, answer, ask, charge, claim, refuse
from tests.access_log.states import require_whole, until_accepting, until_stopped_for


@dataclass
class Faults:
    """Which statements of the writer fail next."""

    failing: str | None = None
    """The first words of the statement that fails."""
    after: bool = False
    """Fail after it took effect, as when only its acknowledgement is lost."""
    times: int = 0
    connecting: int = 0
    """How many new connections fail."""


FAULTS = Faults()


class FaultyConnection(sqlite3.Connection):
    """A connection whose statements fail on demand."""

    @override
    def execute(self, sql: str, parameters: "sqlite3._Parameters" = (), /) -> sqlite3.Cursor:
        """Run a statement, or fail before or after it."""
        fails = FAULTS.times > 0 and FAULTS.failing is not None and sql.startswith(FAULTS.failing)
        if fails:
            FAULTS.times -= 1
            if not FAULTS.after:
                raise sqlite3.OperationalError("disk I/O error")
        cursor = super().execute(sql, parameters)
        if fails:
            raise sqlite3.OperationalError("disk I/O error")
        return cursor


@pytest.fixture(autouse=True)
def _faulty(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    connect = sqlite3.connect

    def faulty(path: str, **options: object) -> sqlite3.Connection:
        if FAULTS.connecting:
            FAULTS.connecting -= 1
            raise sqlite3.OperationalError("unable to open database file")
        return connect(path, factory=FaultyConnection, **options)  # type: ignore[call-overload,no-any-return]  # passed through

    monkeypatch.setattr(sqlite3, "connect", faulty)
    monkeypatch.setattr(commit, "RETRY_FIRST_S", 0.001)
    yield
    FAULTS.failing, FAULTS.times, FAULTS.connecting, FAULTS.after = None, 0, 0, False


STATEMENTS = (
    "BEGIN",
    "SELECT json_group_object",
    "INSERT INTO claims",
    "INSERT INTO charges",
    "INSERT INTO entries",
    "INSERT INTO side",
    "INSERT INTO open_asks",
    "INSERT INTO checkpoints",
    "UPDATE head",
    "COMMIT",
)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("statement", STATEMENTS)
async def test_failed_statement_tells_nobody_of_success(
    home: LogHome, statement: str, *, after: bool
) -> None:
    """Whichever statement fails, before or after it took effect, callers are told."""
    log = home.open()
    kept = [await log.append(ask())]
    FAULTS.failing, FAULTS.after, FAULTS.times = statement, after, 1

    drafts = [ask(claims=(claim(b"%d" % at),), charges=(charge(b"c", 1, 99),)) for at in range(9)]
    outcomes = await asyncio.gather(*map(log.append, drafts), return_exceptions=True)
    await until_accepting(log)
    kept += [each for each in outcomes if isinstance(each, Logged)]
    kept += await asyncio.gather(*(log.append(refuse()) for _ in range(3)))
    used = log.used(b"c", "2026-11")
    log.close()

    require_whole(home, kept)
    stored = len(naive_tree.stored_entries(home.file))
    told = [each for each in outcomes if isinstance(each, LogUnavailable)]
    assert len(told) + len(kept) == 13
    assert len(told) > 0
    assert used == stored - 4
    unacknowledged = stored - len(kept)
    if (statement, after) == ("COMMIT", True):
        # The batch is durable though nobody was told; whoever queued behind it is not.
        assert 0 < unacknowledged <= len(told)
    else:
        assert unacknowledged == 0


@pytest.mark.parametrize("after", [False, True])
async def test_terms_of_a_failed_commit_are_those_of_the_file(
    home: LogHome, *, after: bool
) -> None:
    """What a batch took counts afterwards if, and only if, it is durable after all."""
    log = home.open()
    taking = ask(claims=(claim(b"k"),), charges=(charge(b"c", 2, 3),))
    FAULTS.failing, FAULTS.after, FAULTS.times = "COMMIT", after, 1

    with pytest.raises(LogUnavailable):
        await log.append(taking)
    await until_accepting(log)
    again = await asyncio.gather(log.append(taking), return_exceptions=True)
    log.close()

    assert [type(each) for each in again] == [ClaimTaken if after else Logged]


@pytest.mark.parametrize("statement", ["INSERT INTO found", "UPDATE folded", "COMMIT"])
async def test_segment_that_could_not_be_written_is_written_with_the_next_batch(
    home: LogHome, monkeypatch: pytest.MonkeyPatch, statement: str
) -> None:
    """A fault while the search index is written leaves no entry unfound."""
    monkeypatch.setattr(search_index, "SEGMENT", 4)
    log = home.open()
    kept = [await log.append(ask()) for _ in range(4)]
    FAULTS.failing, FAULTS.times = statement, 1

    with pytest.raises(LogUnavailable):
        await log.append(ask())
    await until_accepting(log)
    kept.append(await log.append(ask()))
    permit = await log.view(Look(what="log.show"), SubjectQuery(tokens=(SUBJECT,), before=5))
    found = await log.search(permit)
    log.close()

    assert [each.index for each in found] == [4, 3, 2, 1, 0]
    require_whole(home, kept)


@pytest.mark.parametrize("after", [False, True])
async def test_an_answer_that_may_be_durable_gets_no_second_one(
    home: LogHome, *, after: bool
) -> None:
    """Whoever was not told that his answer is durable may try to close the ask: once is enough."""
    log = home.open()
    asked = await log.append(ask(b"\x01" * 16))
    closing = answer(asked.index, b"\x01" * 16)
    FAULTS.failing, FAULTS.after, FAULTS.times = "COMMIT", after, 1

    with pytest.raises(LogUnavailable):
        await log.append(closing)
    await until_accepting(log)
    (again,) = await asyncio.gather(log.append(closing), return_exceptions=True)
    log.close()

    assert isinstance(again, AskAnswered if after else Logged)
    assert len(naive_tree.stored_entries(home.file)) == 2


async def test_log_tries_until_storage_is_back(home: LogHome) -> None:
    """While the file cannot be opened nothing is accepted; afterwards everything is."""
    log = home.open()
    FAULTS.failing, FAULTS.times, FAULTS.connecting = "COMMIT", 1, 4

    with pytest.raises(LogUnavailable):
        await log.append(refuse())
    with pytest.raises(LogUnavailable):
        await log.append(refuse())
    await until_accepting(log)
    logged = await log.append(refuse())
    log.close()

    assert logged.index == 0
    require_whole(home, [logged])


async def test_queue_behind_a_failure_is_told_too(home: LogHome) -> None:
    """Drafts that queued while a commit failed are not left waiting."""
    log = home.open()
    FAULTS.failing, FAULTS.times = "COMMIT", 1
    first = asyncio.ensure_future(log.append(refuse()))
    await asyncio.sleep(0)
    later = [asyncio.ensure_future(log.append(refuse())) for _ in range(50)]

    outcomes = await asyncio.wait_for(
        asyncio.gather(first, *later, return_exceptions=True), timeout=5
    )
    await until_accepting(log)
    log.close()

    require_whole(home, [each for each in outcomes if isinstance(each, Logged)])
    assert any(isinstance(each, LogUnavailable) for each in outcomes)


async def test_closing_ends_the_attempts(home: LogHome) -> None:
    """A log whose storage never comes back can still be closed."""
    log = home.open()
    FAULTS.failing, FAULTS.times, FAULTS.connecting = "COMMIT", 1, 10**9

    with pytest.raises(LogUnavailable):
        await log.append(refuse())
    log.close()

    assert log.health().stopped is not None


async def test_silent_signer_is_a_storage_fault(
    home: LogHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key device that does not answer stops the entry and not the log."""
    log = home.open()

    def unreachable(_signer: Ed25519LogSigner, _message: bytes) -> bytes:
        raise OSError("device")

    with monkeypatch.context() as patched:
        patched.setattr(Ed25519LogSigner, "sign", unreachable)
        with pytest.raises(LogUnavailable):
            await log.append(refuse())
    await until_accepting(log)
    logged = await log.append(refuse())
    log.close()

    require_whole(home, [logged])


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnhandledThreadExceptionWarning"  # the thread ends by it: the point
)
@pytest.mark.parametrize("fault", [RuntimeError("device"), MemoryError()])
async def test_fault_of_the_writers_own_is_told_to_all_who_wait(
    home: LogHome, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    """What no store raises ends the writer; batch and queue are told, and the log says so."""
    home.limits = QueueLimits(batch=2, reserve_bytes=0)
    log = home.open()

    def broken(_signer: Ed25519LogSigner, _message: bytes) -> bytes:
        raise fault

    monkeypatch.setattr(Ed25519LogSigner, "sign", broken)
    outcomes = await asyncio.wait_for(
        asyncio.gather(*(log.append(refuse()) for _ in range(5)), return_exceptions=True),
        timeout=5,
    )
    with pytest.raises(LogUnavailable, match="fault of its own"):
        await log.tick()
    stopped = log.health().stopped
    log.close()

    assert [type(each) for each in outcomes] == [LogUnavailable] * 5
    assert stopped == "the writer ended by a fault of its own"
    assert naive_tree.stored_entries(home.file) == []


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnhandledThreadExceptionWarning"  # the thread ends by it: the point
)
async def test_memory_that_ends_while_a_batch_is_taken_is_told_to_all_who_wait(
    home: LogHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Drafts that left the queue and reached no transaction are told like those behind them."""
    home.limits = QueueLimits(batch=2, reserve_bytes=0)
    log = home.open()
    told: list[asyncio.Future[Logged]] = []

    def exhausted(_batch: object, _oldest: float) -> list[Waiting]:
        raise MemoryError

    monkeypatch.setattr(Intake, "_wanted", staticmethod(exhausted))
    begun = [log.begin(refuse()) for _ in range(5)]
    for future in begun:
        future.add_done_callback(told.append)
    outcomes = await asyncio.wait_for(asyncio.gather(*begun, return_exceptions=True), timeout=5)
    log.close()

    assert [type(each) for each in outcomes] == [LogUnavailable] * 5
    assert len(told) == len(set(told)) == 5
    assert naive_tree.stored_entries(home.file) == []


async def test_exchanged_key_stops_the_log(home: LogHome, monkeypatch: pytest.MonkeyPatch) -> None:
    """A signer whose key changed under way signs nothing, and the log stays stopped."""
    log = home.open()
    monkeypatch.setattr(Ed25519LogSigner, "public_key", b"x" * 32)

    with pytest.raises(LogUnavailable):
        await log.append(refuse())
    with pytest.raises(LogUnavailable):
        await log.append(refuse())
    log.close()

    assert naive_tree.stored_entries(home.file) == []


async def test_head_moved_by_another_stops_the_log(home: LogHome) -> None:
    """Whoever writes past the lock is noticed before anything is acknowledged."""
    log = home.open()
    await log.append(refuse())
    other = sqlite3.connect(home.file)
    with other:
        other.execute("UPDATE head SET size = 9")
    other.close()

    with pytest.raises(LogUnavailable):
        await log.append(refuse())
    log.close()

    assert len(naive_tree.stored_entries(home.file)) == 1


async def test_damage_found_while_resuming_stops_the_log(home: LogHome) -> None:
    """If what is stored contradicts the head after a fault, the log does not resume."""
    log = home.open()
    await log.append(refuse())
    other = sqlite3.connect(home.file)
    other.execute("DROP TRIGGER entries_no_update")
    with other:
        other.execute("UPDATE entries SET entry = x'00'")
    other.close()
    FAULTS.failing, FAULTS.times = "COMMIT", 1

    with pytest.raises(LogUnavailable):
        await log.append(refuse())
    await until_stopped_for(log, "signed root")
    log.close()

    assert "signed root" in (log.health().stopped or "")


async def test_missing_head_stops_the_log(home: LogHome) -> None:
    """Without a head there is nothing to resume from."""
    log = home.open()
    other = sqlite3.connect(home.file)
    with other:
        other.execute("DELETE FROM head")
    other.close()
    FAULTS.failing, FAULTS.times = "BEGIN", 1

    with pytest.raises(LogUnavailable):
        await log.append(refuse())
    await until_stopped_for(log, "no head")
    log.close()

    assert log.health().stopped == "the file has no head"
