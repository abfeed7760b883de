"""The department's own tables, read from a SQLite file (docs/adapters/hrss.md).

Knows no HTTP. Every statement stands here in full. Rows are looked up on the event loop, because a
lookup by index costs less than the way to a thread and back; one that is not done at once (the file
is locked, or the statement has to walk) goes to a thread and waits there.
INVARIANT: no row is ever taken at random: rows of two people under one number are told apart by
name or not at all.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Final

from adapters.effects.families import RawValue
from adapters.errors import AnswerMalformed, DepartmentFailed
from adapters.mapping.dates import day_of_ms, encode_day
from adapters.mapping.documents import parse_json_list
from adapters.mapping.names import compare_names, fold_width
from adapters.port import (
    AdapterHealth,
    DatasetName,
    FieldName,
    Finding,
    Indeterminate,
    Lacking,
    Outcome,
    Query,
    Subject,
    SubjectType,
)
from adapters.records import RawRecord, RecordSource, dataset_of, settle
from signing.encoding import encode_canonical_json

# Two cards, two contracts, and the rows of a second person under one number; more is an accident.
_MAX_ROWS: Final = 32
# SQLite virtual-machine steps between two looks at the deadline.
_STEPS_PER_LOOK: Final = 10_000
# Steps the event loop gives a lookup before it moves to the thread; by index it takes about 200.
_STEPS_AT_ONCE: Final = 2_000
# Seconds the thread waits for a lock on the file.
_PATIENCE_S: Final = 5.0

Row = Mapping[str, str | int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """What a reading of rows may depend on beside the rows."""

    today: date
    claims: Mapping[str, str]


# What each code of the department means as a finding (docs/adapters/hrss.md, "判断类数据项").
IS_INSURED: Final[Mapping[str, Finding]] = MappingProxyType(
    {"参保": Finding.YES, "中断": Finding.NO, "终止": Finding.NO, "领取": Finding.NO}
)
IS_RECEIVING: Final[Mapping[str, Finding]] = MappingProxyType(
    {
        "正常": Finding.YES,
        "终止": Finding.NO,
        "暂停": Finding.INDETERMINATE,
        "待复审": Finding.INDETERMINATE,
    }
)
IS_VALID_CARD: Final[Mapping[str, Finding]] = MappingProxyType(
    {"正常": Finding.YES, "挂失": Finding.NO, "注销": Finding.NO, "未启用": Finding.NO}
)
IS_REGISTERED: Final[Mapping[str, Finding]] = MappingProxyType({"1": Finding.YES, "0": Finding.NO})
IS_QUALIFIED: Final[Mapping[str, Finding]] = MappingProxyType(
    {"有效": Finding.YES, "撤销": Finding.NO}
)


def _finding(table: Mapping[str, Finding], row: Row, column: str) -> Finding:
    # A code the table does not name says nothing; it is never read as NO.
    return table.get(str(row[column]), Finding.INDETERMINATE)


def _any(findings: Sequence[Finding]) -> Finding:
    # One valid card is enough; a card of unknown state is no proof that there is none.
    for wanted in (Finding.YES, Finding.INDETERMINATE):
        if wanted in findings:
            return wanted
    return Finding.NO


def _values(row: Row, *columns: str) -> dict[FieldName, RawValue]:
    return {FieldName(name): str(row[name]) for name in columns if row[name] is not None}


def _days(row: Row, *columns: str) -> dict[FieldName, RawValue]:
    return {
        FieldName(name): encode_day(str(row[name])) for name in columns if row[name] is not None
    }


def _items(row: Row, column: str) -> dict[FieldName, RawValue]:
    if row[column] is None:
        return {}
    items = parse_json_list(str(row[column]).encode("utf-8"))
    texts = tuple(
        item if isinstance(item, str) else encode_canonical_json(item).decode("utf-8")
        for item in items
    )
    return {FieldName(column): texts}


def _latest(rows: Sequence[Row], preferred: Callable[[Row], bool], day: str) -> Row:
    """Return the preferred row, of several the latest, of equals the last entered."""
    return max(rows, key=lambda row: (preferred(row), str(row[day] or ""), int(row["row_no"] or 0)))


def _participation(rows: Sequence[Row], _: _Question) -> RawRecord:
    row = _latest(rows, lambda _: True, "as_of")
    return {
        **_items(row, "insured_kinds"),
        **_values(row, "state", "employer_uscc", "agency_division"),
        **_days(row, "first_date"),
        FieldName("is_insured"): _finding(IS_INSURED, row, "state"),
    }


def _contribution_record(rows: Sequence[Row], _: _Question) -> RawRecord:
    row = _latest(rows, lambda _: True, "as_of")
    raw = {**_values(row, "months_paid", "avg_base"), **_items(row, "recent_months")}
    if FieldName("months_paid") in raw:
        raw[FieldName("paid_at_least")] = raw[FieldName("months_paid")]
    return raw


def _pension(rows: Sequence[Row], _: _Question) -> RawRecord:
    row = _latest(rows, lambda _: True, "as_of")
    return {
        **_values(row, "benefit_state", "start_month", "monthly_amount"),
        **_days(row, "last_certified"),
        FieldName("is_receiving"): _finding(IS_RECEIVING, row, "benefit_state"),
    }


def _sscard(rows: Sequence[Row], question: _Question) -> RawRecord:
    wanted = question.claims.get("card_no")
    if wanted is not None:
        # The claim is a further key: it chooses among this person's cards.
        claimed = fold_width(wanted).upper()
        # No filter: an unknown card number must not hide that the person has a card; COMPARE says
        # NO.
        rows = [row for row in rows if row["card_no"] == claimed] or rows
    row = _latest(rows, lambda row: row["card_state"] == "正常", "as_of")
    return {
        **_values(row, "card_no", "card_state", "issue_division", "bank_name"),
        FieldName("has_valid_card"): _any(
            [_finding(IS_VALID_CARD, row, "card_state") for row in rows]
        ),
    }


def _unemployment(rows: Sequence[Row], _: _Question) -> RawRecord:
    row = _latest(rows, lambda _: True, "as_of")
    return {
        FieldName("registered"): _finding(IS_REGISTERED, row, "registered"),
        **_days(row, "register_date"),
        **_values(row, "benefit_months_left"),
    }


def _labour_contract(rows: Sequence[Row], question: _Question) -> RawRecord:
    today = question.today.isoformat()

    def is_active(row: Row) -> bool:
        begun = encode_day(str(row["start_date"])) <= today
        return begun and (row["end_date"] is None or encode_day(str(row["end_date"])) >= today)

    row = _latest(rows, is_active, "start_date")
    return {
        **_values(row, "employer_uscc"),
        **_days(row, "start_date", "end_date"),
        FieldName("has_active_contract"): Finding.YES
        if any(is_active(row) for row in rows)
        else Finding.NO,
    }


def _qualification(rows: Sequence[Row], question: _Question) -> RawRecord | None:
    wanted = question.claims.get("certificate_no")
    if wanted is not None:
        claimed = fold_width(wanted).upper()
        rows = [row for row in rows if row["certificate_no"] == claimed]
        if not rows:
            return None
    row = _latest(rows, lambda row: row["state"] == "有效", "issue_date")
    # Without a certificate named there is nothing to verify.
    verified = _finding(IS_QUALIFIED, row, "state") if wanted else Finding.NOT_APPLICABLE
    return {
        **_values(row, "certificate_no", "occupation", "skill_level", "state"),
        **_days(row, "issue_date"),
        FieldName("verified"): verified,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """How the rows of one dataset are asked for and read."""

    statement: str
    read: Callable[[Sequence[Row], _Question], RawRecord | None]


_TABLES: Final[Mapping[str, _Table]] = MappingProxyType(
    {
        "hr.participation": _Table(
            statement="SELECT row_no, full_name, as_of, insured_kinds, state, employer_uscc,"
            " first_date, agency_division FROM hr_participation WHERE person_id = ? LIMIT ?",
            read=_participation,
        ),
        "hr.contribution_record": _Table(
            statement="SELECT row_no, full_name, as_of, months_paid, recent_months, avg_base"
            " FROM hr_contribution_record WHERE person_id = ? LIMIT ?",
            read=_contribution_record,
        ),
        "hr.pension": _Table(
            statement="SELECT row_no, full_name, as_of, benefit_state, start_month,"
            " monthly_amount, last_certified FROM hr_pension WHERE person_id = ? LIMIT ?",
            read=_pension,
        ),
        "hr.sscard": _Table(
            statement="SELECT row_no, full_name, as_of, card_no, card_state, issue_division,"
            " bank_name FROM hr_sscard WHERE person_id = ? LIMIT ?",
            read=_sscard,
        ),
        "hr.unemployment": _Table(
            statement="SELECT row_no, full_name, as_of, registered, register_date,"
            " benefit_months_left FROM hr_unemployment WHERE person_id = ? LIMIT ?",
            read=_unemployment,
        ),
        "hr.labour_contract": _Table(
            statement="SELECT row_no, full_name, as_of, employer_uscc, start_date, end_date"
            " FROM hr_labour_contract WHERE person_id = ? LIMIT ?",
            read=_labour_contract,
        ),
        "hr.qualification": _Table(
            statement="SELECT row_no, full_name, as_of, certificate_no, occupation, skill_level,"
            " issue_date, state FROM hr_qualification WHERE person_id = ? LIMIT ?",
            read=_qualification,
        ),
    }
)

DATASETS: Final = frozenset(_TABLES)
"""Datasets this kind can serve, without version."""


class HrssAdapter:
    """Reads the department's own tables."""

    def __init__(
        self, *, source: RecordSource, datasets: frozenset[DatasetName], database: Path
    ) -> None:
        self._source = source
        self._datasets = datasets
        # Read-only by the address itself, so that no statement can be a mistake that writes.
        self._address = f"{database.resolve().as_uri()}?mode=ro"
        # One thread and a connection for each side: neither needs a lock.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="hrss")
        self._at_once: sqlite3.Connection | None = None
        self._patient: sqlite3.Connection | None = None

    @property
    def organisation(self) -> str:
        """USCC of the department."""
        return self._source.organisation

    @property
    def datasets(self) -> frozenset[DatasetName]:
        """Which datasets this adapter serves."""
        return self._datasets

    def find_lacking(self, query: Query) -> Lacking | None:  # noqa: ARG002 - the port's signature
        """Return None: our own tables are read by number, a name only tells two people apart."""
        return None

    async def fetch(self, query: Query) -> Outcome:
        """Read the rows of the subject, apply the effects, sign."""
        return await settle(self._source, query, self._fetch_raw(query))

    async def examine_health(self) -> AdapterHealth:
        """Read the row that describes the database."""
        try:
            await self._read("SELECT as_of FROM hr_meta LIMIT ?", (1,), time.monotonic() + 1)
        except DepartmentFailed as failed:
            return AdapterHealth(reachable=False, detail=failed.reason.value)
        return AdapterHealth(reachable=True, detail="OK")

    async def close(self) -> None:
        """Close the connection and end the thread."""
        if self._at_once is not None:
            self._at_once.close()
            self._at_once = None
        await asyncio.get_running_loop().run_in_executor(self._thread, self._disconnect)
        self._thread.shutdown()

    async def _fetch_raw(self, query: Query) -> RawRecord | None:
        table = _TABLES.get(dataset_of(query))
        if query.dataset.name not in self._datasets or table is None:
            raise DepartmentFailed(Indeterminate.PROVIDER_NOT_CONNECTED)
        if query.subject.type is not SubjectType.RESIDENT_ID:
            return None
        identifier = query.subject.identifier
        rows = await self._read(table.statement, (identifier, _MAX_ROWS + 1), query.deadline)
        # One row more than allowed was asked for, so that the limit cannot cut silently.
        if len(rows) > _MAX_ROWS:
            raise AnswerMalformed("more rows than one person can have")
        rows = _rows_of(query.subject, rows)
        if not rows:
            return None
        question = _Question(today=day_of_ms(query.issued_at_ms), claims=query.claims)
        return table.read(rows, question)

    async def _read(
        self, statement: str, parameters: tuple[str | int, ...], deadline: float
    ) -> list[Row]:
        try:
            return self._read_at_once(statement, parameters)
        except sqlite3.Error:
            # Whatever it was is met again by the thread, which may wait, and is told from there.
            pass
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._thread, self._read_in_thread, statement, parameters, deadline
            )
        except sqlite3.Error:
            # from None: the cause may quote a statement's values.
            raise DepartmentFailed(Indeterminate.PROVIDER_UNAVAILABLE) from None

    def _read_at_once(self, statement: str, parameters: tuple[str | int, ...]) -> list[Row]:
        if self._at_once is None:
            self._at_once = _connect(self._address, patience_s=0.0)
            # True ends the statement: no lookup may hold up everybody else.
            self._at_once.set_progress_handler(lambda: True, _STEPS_AT_ONCE)
        return _rows(self._at_once, statement, parameters)

    def _read_in_thread(
        self, statement: str, parameters: tuple[str | int, ...], deadline: float
    ) -> list[Row]:
        if self._patient is None:
            self._patient = _connect(self._address, patience_s=_PATIENCE_S)
        # A thread cannot be cancelled: the statement itself looks at the deadline and gives up.
        self._patient.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS_PER_LOOK)
        return _rows(self._patient, statement, parameters)

    def _disconnect(self) -> None:
        if self._patient is not None:
            self._patient.close()
            self._patient = None


def _connect(address: str, *, patience_s: float) -> sqlite3.Connection:
    return sqlite3.connect(
        address, uri=True, timeout=patience_s, check_same_thread=True, isolation_level=None
    )


def _rows(
    connection: sqlite3.Connection, statement: str, parameters: tuple[str | int, ...]
) -> list[Row]:
    cursor = connection.execute(statement, parameters)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def _rows_of(subject: Subject, rows: list[Row]) -> list[Row]:
    """Return the rows of the asked person; one number may be two people (historic duplicates).

    Raises:
        DepartmentFailed: SUBJECT_UNRESOLVED when nobody can tell whose rows they are.
    """
    names = {str(row["full_name"]) for row in rows}
    if subject.full_name is None:
        if len(names) > 1:
            raise DepartmentFailed(Indeterminate.SUBJECT_UNRESOLVED)
        return rows
    asked = subject.full_name
    matching = [
        row for row in rows if compare_names(asked, str(row["full_name"])) is not Finding.NO
    ]
    # Not "not found": the number is held, under a name that is somebody else's.
    if rows and not matching:
        raise DepartmentFailed(Indeterminate.SUBJECT_UNRESOLVED)
    return matching
