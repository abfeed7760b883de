"""The process that writes, driven by hand: what it does with each message, and how it ends."""

import asyncio
import marshal
import socket
import sqlite3
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

import pytest

from gateway.access_log.commit import Committer, LogFile, TreeState, entry_row, load_state
from gateway.access_log.entry import prepare_entry
from gateway.access_log.errors import LogCorrupted
from gateway.access_log.genesis import Genesis
from gateway.access_log.merkle import TreeEdge
from gateway.access_log.note import Ed25519LogSigner
from gateway.access_log.protocol import (
    MODULE,
    Batch,
    Report,
    Said,
    begin_row,
    build_state,
)
from gateway.access_log.reader_sqlite import LogReader
from gateway.access_log.rows import EntryRow
from gateway.access_log.store_sqlite import LogStore
from gateway.frames import FrameReader, encode_frame
from gateway.log_process import Writing
from tests.access_log import naive_tree
from tests.access_log.apart import BEGUN_S, begin_of
from tests.access_log.drafts import NOW_MS, ORIGIN, LogHome, refuse
from tests.child_processes import start_child

EMPTY = TreeState(edge=TreeEdge(), checkpoint=b"", timestamp_ms=0)
CANARY = "姓名-CANARY"


def rows(count: int, reason: str = "SIGNATURE_INVALID") -> list[EntryRow]:
    """Entries as the gateway sends them."""
    drafts = [refuse(reason) for _ in range(count)]
    return [entry_row(draft, prepare_entry(draft, "gw-1")) for draft in drafts]


@dataclass
class Driven:
    """The gateway's end of the socket."""

    connection: socket.socket
    frames: FrameReader[Report] = field(default_factory=FrameReader)
    heard: list[Report] = field(default_factory=list)

    def send(self, *batches: Batch) -> None:
        """Send batches at once."""
        self.connection.sendall(encode_frame([*batches]))

    def hear(self) -> tuple[Said, TreeState | None, str, bool]:
        """Return the next thing said: what, the tree, why, whether for good."""
        while not self.heard:
            data = self.connection.recv(1 << 16)
            assert data, "it ended"
            self.heard += self.frames.feed(data)
        said, state, _, _, why, for_good = self.heard.pop(0)
        return Said(said), None if state is None else build_state(state), why, for_good

    def ends(self) -> bool:
        """Whether it says nothing more and goes."""
        return not self.heard and not self.connection.recv(1 << 16)


@contextmanager
def driven(home: LogHome, known: TreeState = EMPTY) -> Iterator[Driven]:
    """Run what the process runs in a thread of this one, over a log that exists."""
    ours, theirs = socket.socketpair()
    ours.settimeout(BEGUN_S)

    def run() -> None:
        with theirs:
            Writing(theirs).run()

    running = threading.Thread(target=run)
    running.start()
    try:
        with ours:
            ours.sendall(encode_frame([begin_row(begin_of(home), known)]))
            yield Driven(ours)
    finally:
        running.join(BEGUN_S)
    assert not running.is_alive()


@pytest.fixture
def founded(home: LogHome) -> LogHome:
    """A log with nothing in it."""
    home.open().close()
    return home


def test_batches_sent_before_a_failure_was_known_are_not_written(
    founded: LogHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gateway has told those who waited for them: written now, they would be twice."""
    failing = iter([OSError("disk")])
    add = LogStore.add

    def fail_once(store: LogStore, batch: object) -> None:
        for error in failing:
            raise error
        add(store, batch)  # type: ignore[arg-type]  # passed through

    monkeypatch.setattr(LogStore, "add", fail_once)
    with driven(founded) as process:
        process.hear()
        process.send((0, NOW_MS, rows(3)), (0, NOW_MS, rows(3)), (0, NOW_MS, rows(3)))
        failed, resumed = process.hear(), process.hear()
        process.send((1, NOW_MS, rows(2)))
        committed = process.hear()

    assert failed == (
        Said.FAILED,
        None,
        "the store failed (OSError): nothing is known to be durable",
        False,
    )
    assert (resumed[0], committed[0]) == (Said.RESUMED, Said.COMMITTED)
    assert len(naive_tree.stored_entries(founded.file)) == 2


def test_what_was_sent_is_written_though_nobody_is_told(founded: LogHome) -> None:
    """A gateway killed under way leaves at most what it sent, whole, and the process ends."""
    with driven(founded) as process:
        process.hear()
        process.send((0, NOW_MS, rows(3)), (0, NOW_MS, rows(4)))

    entries = naive_tree.stored_entries(founded.file)
    root = naive_tree.mth([naive_tree.leaf(entry) for entry in entries])
    assert naive_tree.stored_head(founded.file) == (len(entries), root)
    assert len(entries) in {3, 7}


def test_a_clock_behind_the_newest_entry_writes_nothing(founded: LogHome) -> None:
    """Told as such, of that batch alone."""
    with driven(founded) as process:
        process.hear()
        process.send((0, NOW_MS, rows(1)), (0, NOW_MS - 5_001, rows(1)), (0, NOW_MS, rows(1)))
        said = [process.hear()[0] for _ in range(3)]

    assert said == [Said.COMMITTED, Said.CLOCK, Said.COMMITTED]
    assert len(naive_tree.stored_entries(founded.file)) == 2


def test_a_head_moved_by_another_ends_the_writing_for_good(founded: LogHome) -> None:
    """Whoever writes past the lock is noticed before anything is acknowledged."""
    with driven(founded) as process:
        process.hear()
        with closing(sqlite3.connect(founded.file)) as other, other:
            other.execute("UPDATE head SET size = 9")
        process.send((0, NOW_MS, rows(1)))
        said, _, why, for_good = process.hear()
        ended = process.ends()

    assert (said, for_good, ended) == (Said.ENDED, True, True)
    assert why == "the head of the log was moved by somebody else"


def test_damage_found_while_recovering_ends_the_writing_for_good(
    founded: LogHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the file lost what was told, nothing more is signed."""
    lost = LogCorrupted("the file lost what was durable", first=0, last=0)

    def fail(*_: object) -> None:
        raise OSError

    def contradict(*_: object) -> None:
        raise lost

    with driven(founded) as process:
        process.hear()
        monkeypatch.setattr(LogStore, "add", fail)
        monkeypatch.setattr("gateway.access_log.commit.load_state", contradict)
        process.send((0, NOW_MS, rows(1)))
        failed, ended = process.hear(), process.hear()

    assert failed[0] is Said.FAILED
    assert ended == (Said.ENDED, None, str(lost), True)


def test_a_file_that_another_process_writes_is_tried_again(
    founded: LogHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its writer may be about to end: this is no reason to stop for good."""
    monkeypatch.setattr("gateway.access_log.store_sqlite.LOCK_PATIENCE_S", 0.1)
    key = Ed25519LogSigner(founded.key).public_key
    store = LogStore.open(founded.file, Genesis(origin=ORIGIN, public_key=key))

    with driven(founded) as process:
        ended = process.hear()
    store.close()

    assert ended == (Said.ENDED, None, "another process writes this log", False)


def test_a_file_that_cannot_be_read_is_tried_again(
    founded: LogHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk may come back."""

    def unreadable(*_: object) -> None:
        raise sqlite3.OperationalError

    monkeypatch.setattr("gateway.log_process.LogStore.open", unreadable)
    with driven(founded) as process:
        said, _, why, for_good = process.hear()

    assert (said, for_good) == (Said.ENDED, False)
    assert why == "the store failed (OperationalError): nothing is known to be durable"


def test_a_key_that_others_may_read_does_not_write(founded: LogHome) -> None:
    """The process is as strict about the key file as the gateway, and says which it is."""
    begin_of(founded)
    founded.folder.with_name(founded.folder.name + "-keys").joinpath("log.pem").chmod(0o644)

    with driven(founded) as process:
        said, _, why, for_good = process.hear()

    assert (said, for_good) == (Said.ENDED, True)
    assert "log.pem" in why


def test_a_gateway_that_is_gone_while_the_start_is_refused_hears_nothing(
    founded: LogHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process ends in good order all the same."""
    ours, theirs = socket.socketpair()

    def refuse_late(*_: object) -> None:
        ours.close()
        raise LogCorrupted("late", first=0, last=0)

    monkeypatch.setattr("gateway.log_process.load_state", refuse_late)
    ours.sendall(encode_frame([begin_row(begin_of(founded), EMPTY)]))

    with theirs:
        Writing(theirs).run()

    assert naive_tree.stored_entries(founded.file) == []


def states_of(home: LogHome, sizes: Sequence[int], reason: str) -> list[TreeState]:
    """Write batches of these sizes and return the tree after each."""
    with opened(home) as file:
        committer = Committer(file, load_state(file))
        return [committer.commit(rows(size, reason), NOW_MS).state for size in sizes]


@contextmanager
def opened(home: LogHome) -> Iterator[LogFile]:
    """The file from both sides."""
    signer = Ed25519LogSigner(home.key)
    genesis = Genesis(origin=ORIGIN, public_key=signer.public_key)
    store = LogStore.open(home.file, genesis)
    reader = LogReader(home.file)
    try:
        yield LogFile(store=store, reader=reader, genesis=genesis, signer=signer)
    finally:
        reader.close()
        store.close()


def test_a_file_is_compared_with_the_tree_that_was_told_of(
    founded: LogHome, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """It may hold more, committed when nobody was left to tell; never less, never another."""
    other = LogHome(tmp_path_factory.mktemp("other"))
    other.open().close()
    told = states_of(founded, [3, 300, 1], "EXPIRED")
    told_elsewhere = states_of(other, [3, 300], "REPLAYED")

    with opened(founded) as file:
        newest = [load_state(file, known) for known in (None, EMPTY, *told)]
        longer = TreeState(edge=TreeEdge(size=305), checkpoint=b"", timestamp_ms=0)
        with pytest.raises(LogCorrupted, match=r"lost what was durable .entries 304 to 304"):
            load_state(file, longer)
        for known in told_elsewhere:
            with pytest.raises(LogCorrupted, match="another history"):
                load_state(file, known)

    assert newest == [told[-1]] * 5


def test_a_process_told_of_a_tree_that_the_file_lost_does_not_begin(founded: LogHome) -> None:
    """It ends for good with the text an operator needs."""
    known = TreeState(edge=TreeEdge(size=1), checkpoint=b"", timestamp_ms=0)

    with driven(founded, known) as process:
        ended = process.hear()

    assert ended == (Said.ENDED, None, "the file lost what was durable (entries 0 to 0)", True)


async def _told_by(first: bytes, second: bytes = b"") -> tuple[int | None, str]:
    """Start the process, send it bytes, more once it answers, and return how it ended."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        process = await start_child(MODULE, theirs)
        ours.sendall(first)
        if second:
            await asyncio.to_thread(ours.recv, 1)
            ours.sendall(second)
        ours.shutdown(socket.SHUT_WR)
        async with asyncio.timeout(BEGUN_S):
            _, said = await process.communicate()
    return process.returncode, said.decode()


async def test_a_process_that_breaks_says_the_kind_and_no_value(founded: LogHome) -> None:
    """Diagnostics name what happened, never what it happened to."""
    database, origin, _, form, state = begin_row(begin_of(founded), EMPTY)
    begin = encode_frame([(database, origin, CANARY, form, state)])

    _, said = await _told_by(begin)

    assert '"kind": "ValidationError"' in said
    assert "log_process_broke" in said
    assert CANARY not in said
    assert "Traceback" not in said


async def test_a_batch_that_is_none_says_the_kind_and_no_value(founded: LogHome) -> None:
    """The same once it writes: the text of such an error holds what was sent."""
    begin = encode_frame([begin_row(begin_of(founded), EMPTY)])
    body = marshal.dumps([(0, NOW_MS, [(CANARY, {CANARY: 1}, CANARY)])])

    _, said = await _told_by(begin, len(body).to_bytes(4, "big") + body)

    assert "log_process_broke" in said
    assert CANARY not in said


async def test_a_process_whose_gateway_is_gone_ends() -> None:
    """Whatever ended the gateway, the kernel closes the socket, and nobody writes for nobody."""
    code, said = await _told_by(b"")

    assert (code, said) == (0, "")


async def test_the_process_knows_no_network() -> None:
    """It loads neither the server nor what asks departments: it holds the key of the log."""
    script = f"import sys, {MODULE}; print(*sys.modules)"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", script), stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await process.communicate()

    loaded = set(printed.decode().split())
    assert MODULE in loaded
    assert not {"grpc", "aiohttp", "adapters", "gateway.app"} & loaded
