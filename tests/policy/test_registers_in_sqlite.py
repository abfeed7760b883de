"""The registers in SQLite: read while others deliver, and never taken for what they are not."""

import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.policy import UNKNOWN
from gateway.policy.delivery import open_delivery
from gateway.policy.ports import (
    CaseRecord,
    ConsentKind,
    Register,
    Relation,
)
from gateway.policy.ports_sqlite import READER_PATIENCE_MS, SqliteRegisters, take_pragma
from tests.policy.registering import (
    ASKED,
    AT,
    CASE,
    CHILD,
    DAY,
    KEY,
    NAME,
    OCCASION,
    PENSIONER,
    opened_registers,
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteRegisters]:
    """Yield registers with one open case of one applicant."""
    with opened_registers(tmp_path) as opened:
        yield opened


async def test_a_consent_is_bound_to_subject_matter_organisation_and_time(
    store: SqliteRegisters, tmp_path: Path
) -> None:
    """Any other subject, matter, organisation, kind or time has none."""
    with open_delivery(tmp_path / NAME, KEY) as delivery:
        delivery.add_consent(ConsentKind.CONSENT, PENSIONER, OCCASION, AT + DAY)

    async def ask(kind: ConsentKind, **changes: object) -> object:
        asked = replace(ASKED, **changes)  # type: ignore[arg-type]  # names of the value
        return await store.fetch_consent(kind, asked)

    assert await ask(ConsentKind.CONSENT) is True
    assert await ask(ConsentKind.CONSENT, at_ms=AT + DAY - 1) is True
    assert await ask(ConsentKind.CONSENT, at_ms=AT + DAY) is False
    assert await ask(ConsentKind.CONSENT, at_ms=AT - 1) is False
    assert await ask(ConsentKind.CONSENT, matter="M4") is False
    assert await ask(ConsentKind.CONSENT, organisation="x") is False
    assert await ask(ConsentKind.CONSENT, subject=CHILD) is False
    assert await ask(ConsentKind.MANDATE) is False


async def test_guardians_and_protection_are_kept(store: SqliteRegisters, tmp_path: Path) -> None:
    """What was added is found, for that subject."""
    with open_delivery(tmp_path / NAME, KEY) as delivery:
        delivery.add_guardian_consent(CHILD, OCCASION, AT + DAY)
        delivery.add_protected(PENSIONER)

    child = replace(ASKED, subject=CHILD)

    assert await store.fetch_guardian_consent(child) is True
    assert await store.fetch_guardian_consent(ASKED) is False
    assert await store.fetch_protected(ASKED) is True
    assert await store.fetch_protected(child) is False


def _list_files(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def test_no_identifier_stands_in_the_file(store: SqliteRegisters, tmp_path: Path) -> None:
    """A copy of the file, or of what SQLite keeps beside it, names nobody."""
    with open_delivery(tmp_path / NAME, KEY) as delivery:
        delivery.add_consent(ConsentKind.CONSENT, PENSIONER, OCCASION, AT + DAY)
        delivery.add_protected(PENSIONER)
    await store.fetch_protected(ASKED)

    files = _list_files(tmp_path)

    assert {each.name for each in files} == {NAME, f"{NAME}-wal", f"{NAME}-shm"}
    assert not any(PENSIONER.identifier.encode() in each.read_bytes() for each in files)
    assert {stat.S_IMODE(each.stat().st_mode) for each in files} == {0o600}


async def test_a_delivery_under_way_delays_no_question(
    store: SqliteRegisters, tmp_path: Path
) -> None:
    """However much another connection has written, a question is told what was before it."""
    with open_delivery(tmp_path / NAME, KEY) as delivery:
        # More than its cache holds: a journal of before would be locked for all from there on.
        delivery._connection.execute("PRAGMA cache_size = 4")
        for number in range(500):
            delivery.add_protected(replace(PENSIONER, identifier=str(number)))
        delivery.add_protected(PENSIONER)
        # Reading while locked out would end UNKNOWN after the reader's patience.
        meanwhile = await store.fetch_protected(replace(ASKED))

    afterwards = await store.fetch_protected(replace(ASKED))

    assert meanwhile is False
    assert afterwards is True


async def test_one_question_is_told_of_one_moment(store: SqliteRegisters, tmp_path: Path) -> None:
    """What is delivered between two of its looks belongs to the next question."""
    asked = replace(ASKED)
    case = await store.fetch_case(asked)
    with open_delivery(tmp_path / NAME, KEY) as delivery:
        delivery.add_protected(PENSIONER)

    protected = await store.fetch_protected(asked)

    assert isinstance(case, CaseRecord)
    assert protected is False
    assert await store.fetch_protected(replace(asked)) is True


async def test_what_a_question_did_not_need_is_unknown(
    store: SqliteRegisters, tmp_path: Path
) -> None:
    """What was not looked at is told neither as absent nor as there."""
    with open_delivery(tmp_path / NAME, KEY) as delivery:
        delivery.add_protected(PENSIONER)
    asked = replace(ASKED, needed=frozenset[Register]())

    assert await store.fetch_case(asked) is UNKNOWN
    assert await store.fetch_protected(asked) is UNKNOWN
    assert await store.fetch_consent(ConsentKind.CONSENT, asked) is UNKNOWN


def test_who_reads_waits_shortly_and_writes_nothing(store: SqliteRegisters) -> None:
    """The event loop stands still as long as SQLite waits; the gateway tells itself nothing."""
    patience = store._connection.execute("PRAGMA busy_timeout").fetchone()

    assert patience == (READER_PATIENCE_MS,)
    assert READER_PATIENCE_MS <= 50
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        store._connection.execute("DELETE FROM protected")


def test_a_pragma_that_is_not_taken_is_refused() -> None:
    """Without write-ahead log a delivery would hold up every exchange, and nobody would know."""
    with (
        closing(sqlite3.connect(":memory:")) as connection,
        pytest.raises(sqlite3.OperationalError, match="journal_mode = WAL was not taken"),
    ):
        take_pragma(connection, "journal_mode", "WAL", "wal")


async def test_registers_of_before_are_taken_over(tmp_path: Path) -> None:
    """A file that is not in WAL mode yet is, once it was opened, with what it held."""
    with open_delivery(tmp_path / NAME, KEY) as delivery:
        delivery.add_protected(PENSIONER)
    with closing(sqlite3.connect(tmp_path / NAME)) as former:
        former.execute("PRAGMA journal_mode = DELETE")

    store = SqliteRegisters.open(tmp_path / NAME, KEY)

    mode = store._connection.execute("PRAGMA journal_mode").fetchone()
    protected = await store.fetch_protected(ASKED)
    store.close()
    assert mode == ("wal",)
    assert protected is True


def test_a_key_of_another_length_is_refused(tmp_path: Path) -> None:
    """32 bytes, no less, to read and to write."""
    with pytest.raises(ValueError, match="32 bytes"):
        SqliteRegisters.open(tmp_path / "x.sqlite", b"short")
    with pytest.raises(ValueError, match="32 bytes"), open_delivery(tmp_path / "x", b"short"):
        pass


async def test_a_replaced_case_forgets_its_former_parties(
    store: SqliteRegisters, tmp_path: Path
) -> None:
    """Who is no longer a party is none, and may not be asked about in this case."""
    with open_delivery(tmp_path / NAME, KEY) as delivery:
        delivery.add_case("BJ-1", CASE, ((CHILD, Relation.APPLICANT),))

    former = await store.fetch_case(ASKED)

    assert isinstance(former, CaseRecord)
    assert former.relation is Relation.NONE


async def test_a_delivery_that_cannot_be_written_changes_nothing(
    store: SqliteRegisters, tmp_path: Path
) -> None:
    """A party named twice is refused, with everything that was delivered before it."""
    twice = ((CHILD, Relation.APPLICANT), (CHILD, Relation.PARTY))

    def deliver() -> None:
        with open_delivery(tmp_path / NAME, KEY) as delivery:
            delivery.add_protected(PENSIONER)
            delivery.add_case("BJ-1", CASE, twice)

    with pytest.raises(sqlite3.IntegrityError):
        deliver()

    kept = await store.fetch_case(ASKED)

    assert isinstance(kept, CaseRecord)
    assert kept.relation is Relation.APPLICANT
    assert await store.fetch_protected(ASKED) is False
