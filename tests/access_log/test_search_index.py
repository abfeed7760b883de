"""The search index finds what `side` holds, over segments and the entries since, and no more."""

import asyncio
import random
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from gateway.access_log import search_index
from gateway.access_log.log import AccessLog
from gateway.access_log.reader_sqlite import LogReader
from gateway.access_log.store_sqlite import StoredEntry
from gateway.model import EntryDraft, Logged, SearchColumns
from tests.access_log.drafts import ORG, SUBJECT, SYSTEM, LogHome, answer, ask, refuse

SEGMENT = 8
"""Entries of a segment here, so that a few dozen fill several."""
OTHER_ORG = "12370000MB2DEM0202"
OTHER_SYSTEM = f"{ORG}/other"
REQUEST_ID = b"\x07" * 16
TOKENS = [bytes([at]) * 16 for at in range(4)]


@pytest.fixture(autouse=True)
def _small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_index, "SEGMENT", SEGMENT)


@pytest.fixture
def reader(home: LogHome, log: AccessLog) -> Iterator[LogReader]:
    """A reader of the log."""
    assert log.size == 0
    opened = LogReader(home.file)
    yield opened
    opened.close()


def about(**found_by: bytes | str | int) -> EntryDraft:
    """A refusal that is found by something."""
    return replace(refuse(), search=SearchColumns(**found_by))  # type: ignore[arg-type]  # names vary


def under(request_id: bytes, system: str = SYSTEM, item: int = 0) -> EntryDraft:
    """A refusal under a request id."""
    return about(request_id=request_id, system=system, item=item)


async def fill(log: AccessLog, count: int) -> None:
    """Append entries that nobody looks for."""
    await asyncio.gather(*(log.append(refuse()) for _ in range(count)))


def indices(found: list[StoredEntry]) -> list[int]:
    """The places of entries."""
    return [stored.index for stored in found]


@pytest.mark.parametrize("size", [1, SEGMENT - 1, SEGMENT, SEGMENT + 1, 3 * SEGMENT, 45])
async def test_search_agrees_with_a_scan_of_every_row(
    log: AccessLog, reader: LogReader, size: int
) -> None:
    """Whatever the size, batches, page and tokens, the index finds what reading all rows finds."""
    choose = random.Random(size)  # noqa: S311 - a seed makes the log repeatable
    columns = [
        SearchColumns(
            subject=choose.choice([None, *TOKENS]),
            case=choose.choice([None, *TOKENS]),
            org=choose.choice([None, ORG, OTHER_ORG]),
        )
        for _ in range(size)
    ]
    left = [replace(refuse(), search=each) for each in columns]
    while left:
        batch, left = left[: (count := choose.randint(1, 6))], left[count:]
        await asyncio.gather(*map(log.append, batch))

    for before in (0, 1, size // 2, SEGMENT, size, size + 9):
        for tokens in (TOKENS[:1], TOKENS[1:3], [b"\x99" * 16]):
            about_them = [at for at, each in enumerate(columns) if each.subject in tokens]
            in_case = [
                at for at, each in enumerate(columns) if each.case in tokens and each.org == ORG
            ]
            for limit in (1, 3, 100):
                subject = reader.of_subject(tokens, before, limit)
                case = reader.of_case(ORG, tokens, before, limit)

                assert (
                    indices(subject) == [at for at in reversed(about_them) if at < before][:limit]
                )
                assert indices(case) == [at for at in reversed(in_case) if at < before][:limit]


async def test_index_goes_on_after_reopening(home: LogHome) -> None:
    """What was in no full segment when the log closed is found before and after it fills one."""
    first = home.open()
    await fill(first, SEGMENT + 3)
    asked = await first.append(ask())
    first.close()
    second = home.open()
    reader = LogReader(home.file)

    at_once = reader.of_subject([SUBJECT], 99, 9)
    await fill(second, 2 * SEGMENT)
    later = reader.of_subject([SUBJECT], 99, 9)
    reader.close()
    second.close()

    assert indices(at_once) == indices(later) == [asked.index]


async def test_full_segments_are_folded_and_the_rest_is_not(home: LogHome, log: AccessLog) -> None:
    """A segment is written with the first entry behind it, whole and once."""
    marks: list[int] = []
    sizes: list[int] = []
    for _ in range(2 * SEGMENT + 1):
        await log.append(ask())
        connection = sqlite3.connect(home.file)
        marks.append(search_index.folded(connection))
        sizes += connection.execute("SELECT sum(length(records)) FROM found").fetchone()
        connection.close()

    # Subject, case and request of each ask, 18 bytes a record.
    assert sizes[-1] == 2 * SEGMENT * 3 * 18
    assert marks == [0] * SEGMENT + [SEGMENT] * SEGMENT + [2 * SEGMENT]


async def test_tokens_that_begin_alike_are_told_apart(log: AccessLog, reader: LogReader) -> None:
    """The index knows 16 bytes of a token; longer and shorter ones are compared in full."""
    tokens = [b"t" * 16, b"t" * 17, b"t" * 15, b"t" * 15 + b"\x00", b""]
    for token in tokens:
        await log.append(about(subject=token))
    await fill(log, SEGMENT)

    found = [indices(reader.of_subject([token], 99, 9)) for token in tokens]

    assert found == [[at] for at in range(len(tokens))]


async def test_key_across_two_records_is_no_hit(log: AccessLog, reader: LogReader) -> None:
    """Bytes that match between two records name no place."""
    # Place 0 lies between both keys: the end of the first, the place and the second's beginning.
    first, second = b"\x05" * 16, b"\x05" + b"\x06" * 15
    await log.append(about(subject=first))
    await log.append(about(subject=second))
    await fill(log, SEGMENT)
    straddling = (first + b"\x00\x00" + second)[3:19]
    assert straddling[0] == first[0]

    assert reader.of_subject([straddling], 99, 9) == []


async def exchange(log: AccessLog, request_id: bytes) -> list[Logged]:
    """An ask and its answer."""
    asked = await log.append(ask(request_id))
    return [asked, await log.append(answer(asked.index, request_id))]


@pytest.mark.parametrize("between", [0, SEGMENT, 3 * SEGMENT])
async def test_exchange_is_found_wherever_its_entries_lie(
    log: AccessLog, reader: LogReader, between: int
) -> None:
    """Ask, answer and refusal of one system are found in the same or in different segments."""
    asked = await log.append(ask(REQUEST_ID))
    await fill(log, between)
    answered = await log.append(answer(asked.index, REQUEST_ID))
    await fill(log, between)
    refused = await log.append(under(REQUEST_ID))
    await log.append(under(REQUEST_ID, OTHER_SYSTEM))
    await log.append(under(REQUEST_ID, item=1))
    await log.append(under(b"\x08" * 16))

    found = reader.of_request(REQUEST_ID, 0, SYSTEM)

    assert indices(found) == [asked.index, answered.index, refused.index]


class CountingConnection(sqlite3.Connection):
    """Counts the steps of SQLite's machine, a thousand at a time."""

    steps = 0

    def count(self) -> None:
        """Begin to count."""

        def step() -> int:
            self.steps += 1
            return 0

        self.set_progress_handler(step, 1_000)


async def test_flood_by_others_under_a_request_id_costs_nothing(
    home: LogHome, log: AccessLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A receipt takes the same work whether others wrote one or 2,000 entries under its id."""
    connect = sqlite3.connect
    monkeypatch.setattr(
        sqlite3,
        "connect",
        lambda path, **options: connect(path, factory=CountingConnection, **options),
    )
    reader = LogReader(home.file)
    counting = reader._connection
    assert isinstance(counting, CountingConnection)
    counting.count()
    own = await exchange(log, REQUEST_ID)
    await fill(log, 2_000)
    quiet = reader.of_request(REQUEST_ID, 0, SYSTEM)
    before, counting.steps = counting.steps, 0

    flood = [under(REQUEST_ID, OTHER_SYSTEM) for _ in range(2_000)]
    await asyncio.gather(*map(log.append, flood))
    flooded = reader.of_request(REQUEST_ID, 0, SYSTEM)
    reader.close()

    assert indices(quiet) == indices(flooded) == [each.index for each in own]
    # Twice the segments are asked, and not one of the 2,000 rows is read.
    assert counting.steps <= 2 * before + 2


async def test_flood_by_the_same_system_is_read_no_further_than_needed(
    home: LogHome, log: AccessLog
) -> None:
    """Of thousands of own refusals the oldest are read, and the exchange itself always."""
    flood = [under(REQUEST_ID) for _ in range(1_000)]
    await asyncio.gather(*map(log.append, flood))
    own = await exchange(log, REQUEST_ID)
    await asyncio.gather(*map(log.append, flood))
    reader = LogReader(home.file)

    found = reader.of_request(REQUEST_ID, 0, SYSTEM)
    reader.close()

    assert indices(found) == [*range(62), *(each.index for each in own)]


async def test_a_search_half_read_hides_from_nobody_what_is_logged_meanwhile(
    log: AccessLog, reader: LogReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one thread stands in the middle of a search, another sees the newest entry."""
    await asyncio.gather(*(log.append(ask()) for _ in range(4 * SEGMENT + 1)))
    half_read, read_on = threading.Event(), threading.Event()

    def stand_still(_records: bytes, _key: bytes) -> Iterator[int]:
        half_read.set()
        read_on.wait(10)
        return iter(())

    monkeypatch.setattr(search_index, "_places", stand_still)
    search = asyncio.create_task(asyncio.to_thread(reader.of_subject, [SUBJECT], 99, 9))
    await asyncio.to_thread(half_read.wait, 10)

    newest = await log.append(ask())
    seen = await asyncio.to_thread(reader.stored, newest.index)
    read_on.set()
    await search

    assert seen is not None
    assert seen.entry == newest.entry
