"""The registers of `gateway.policy.ports` in one SQLite file, read while others deliver.

`gateway.policy.delivery` writes it. In WAL mode a reader waits for no writer, so that a delivery of
any size delays no exchange.

INVARIANT: no identifier stands in the file; a subject is HMAC-SHA-256 under a key kept elsewhere.
INVARIANT: one question is told as of one moment, also while a delivery commits.
INVARIANT: what cannot be read is UNKNOWN, never an empty answer.
"""

import hmac
import os
import sqlite3
from pathlib import Path
from typing import Final

import structlog

from adapters.port import Subject
from gateway.policy.ports import (
    CaseRecord,
    CaseState,
    ConsentKind,
    Register,
    RegisterQuestion,
    Relation,
)
from gateway.policy.vocabulary import UNKNOWN, Unknown

KEY_BYTES: Final = 32
WRITER_PATIENCE_MS: Final = 5_000
"""How long a delivery waits for another one."""
READER_PATIENCE_MS: Final = 20
"""How long a question may hold up the event loop; only a recovery after a crash makes it wait."""
_PRAGMAS: Final[tuple[tuple[str, str, str | int], ...]] = (
    # First: two that open a new file at once would otherwise not wait for each other.
    ("busy_timeout", str(WRITER_PATIENCE_MS), WRITER_PATIENCE_MS),
    ("journal_mode", "WAL", "wal"),
    ("synchronous", "FULL", 2),  # a revoked consent must not come back after a power cut
    ("trusted_schema", "OFF", 0),
)
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS cases (
    organisation TEXT NOT NULL, number TEXT NOT NULL, state TEXT NOT NULL, matter TEXT NOT NULL,
    division TEXT NOT NULL, in_investigation INTEGER, special_grade INTEGER,
    PRIMARY KEY (organisation, number)
) STRICT;
CREATE TABLE IF NOT EXISTS parties (
    organisation TEXT NOT NULL, number TEXT NOT NULL, subject BLOB NOT NULL, relation TEXT NOT NULL,
    PRIMARY KEY (organisation, number, subject)
) STRICT;
CREATE TABLE IF NOT EXISTS consents (
    kind TEXT NOT NULL, subject BLOB NOT NULL, organisation TEXT NOT NULL, matter TEXT NOT NULL,
    from_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL,
    PRIMARY KEY (kind, subject, organisation, matter)
) STRICT;
CREATE TABLE IF NOT EXISTS protected (subject BLOB PRIMARY KEY) STRICT;
"""
# One statement: it costs less than one for each register, and nobody's case is seen with the
# consents of another moment. What is not needed is not looked at.
_QUESTION: Final = (
    "SELECT c.state, c.matter, c.division, c.in_investigation, c.special_grade, p.relation"
    ", CASE WHEN ?7 THEN EXISTS (SELECT 1 FROM consents WHERE kind = 'consent' AND subject = ?1"
    " AND organisation = ?2 AND matter = ?4 AND from_ms <= ?5 AND ?5 < until_ms) END"
    ", CASE WHEN ?8 THEN EXISTS (SELECT 1 FROM consents WHERE kind = 'mandate' AND subject = ?1"
    " AND organisation = ?2 AND matter = ?4 AND from_ms <= ?5 AND ?5 < until_ms) END"
    ", CASE WHEN ?9 THEN EXISTS (SELECT 1 FROM consents WHERE kind = 'guardian' AND subject = ?1"
    " AND organisation = ?2 AND matter = ?4 AND from_ms <= ?5 AND ?5 < until_ms) END"
    ", CASE WHEN ?10 THEN EXISTS (SELECT 1 FROM protected WHERE subject = ?1) END"
    " FROM (SELECT 1) LEFT JOIN cases c ON ?6 AND c.organisation = ?2 AND c.number = ?3"
    " LEFT JOIN parties p ON ?6 AND p.organisation = ?2 AND p.number = ?3 AND p.subject = ?1"
)
_NEEDED: Final = tuple(Register)
"""In the order of the parameters 6 to 10."""
_COLUMN: Final[dict[str, int]] = {
    Register.CONSENT: 6,
    Register.MANDATE: 7,
    Register.GUARDIAN: 8,
    Register.PROTECTED: 9,
}

Row = tuple[str | int | None, ...]

_log: Final = structlog.get_logger("registers")


def open_connection(path: Path) -> sqlite3.Connection:
    """Return a connection that may write; the file and its tables are made where they are not.

    Raises:
        sqlite3.Error: the file cannot be opened, or a PRAGMA was not taken.
        OSError: the file cannot be made.
    """
    # SQLite gives -wal and -shm the mode of the file itself.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        for name, wanted, expected in _PRAGMAS:
            take_pragma(connection, name, wanted, expected)
        connection.executescript(_SCHEMA)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def take_pragma(
    connection: sqlite3.Connection, name: str, wanted: str, expected: str | int
) -> None:
    """Set a PRAGMA and read it back: one that cannot be had stays as it was, without an error.

    Raises:
        sqlite3.OperationalError: it was not taken.
    """
    connection.execute(f"PRAGMA {name} = {wanted}").fetchall()
    if connection.execute(f"PRAGMA {name}").fetchone() != (expected,):
        raise sqlite3.OperationalError(f"{name} = {wanted} was not taken")


def require_key(key: bytes) -> None:
    """Refuse a key of another length.

    Raises:
        ValueError: it has not 32 bytes.
    """
    if len(key) != KEY_BYTES:
        raise ValueError("the key of the registers has 32 bytes")


def token_of(key: bytes, subject: Subject) -> bytes:
    """Return what stands in the file for a subject."""
    # Keyed: identifiers are few enough to be found from a bare digest by trying them all.
    return hmac.digest(key, f"{subject.type.value}\0{subject.identifier}".encode(), "sha256")


class SqliteRegisters:
    """All four registers; each port is one of its methods."""

    def __init__(self, connection: sqlite3.Connection, key: bytes) -> None:
        self._connection = connection
        self._key = key
        self._last: tuple[RegisterQuestion | None, Row | None] = (None, None)

    @classmethod
    def open(cls, path: Path, key: bytes) -> "SqliteRegisters":
        """Open the file to read it, and make it where there is none.

        Raises:
            ValueError: the key has not 32 bytes.
            sqlite3.Error: the file cannot be opened.
            OSError: the file cannot be made.
        """
        require_key(key)
        connection = open_connection(path)
        try:
            take_pragma(connection, "busy_timeout", str(READER_PATIENCE_MS), READER_PATIENCE_MS)
            take_pragma(connection, "query_only", "ON", 1)
        except sqlite3.Error:
            connection.close()
            raise
        return cls(connection, key)

    def close(self) -> None:
        """Close the file; every later question is answered UNKNOWN."""
        self._connection.close()

    async def fetch_case(self, question: RegisterQuestion) -> CaseRecord | Unknown | None:
        """Return the case of the organisation, or None where it has none of this number."""
        row = self._row(question)
        # Where it was not read there is no row either, which must not pass for "no such case".
        if row is None or Register.CASE not in question.needed:
            return UNKNOWN
        state, matter, division, in_investigation, special_grade, relation = row[:6]
        # No case is knowledge; only a failure is unknown.
        if state is None:
            return None
        try:
            return CaseRecord(
                state=CaseState(str(state)),
                matter=str(matter),
                organisation=question.organisation,
                division=str(division),
                relation=Relation.NONE if relation is None else Relation(str(relation)),
                in_investigation=_parse_flag(in_investigation),
                special_grade=_parse_flag(special_grade),
            )
        # A state this program does not know is a failure to read, never "no such case".
        except ValueError:
            return UNKNOWN

    async def fetch_consent(self, kind: ConsentKind, question: RegisterQuestion) -> bool | Unknown:
        """Return whether a consent is in force."""
        return self._told(kind.value, question)

    async def fetch_guardian_consent(self, question: RegisterQuestion) -> bool | Unknown:
        """Return whether a guardian's consent is in force."""
        return self._told(Register.GUARDIAN, question)

    async def fetch_protected(self, question: RegisterQuestion) -> bool | Unknown:
        """Return whether the subject is protected."""
        return self._told(Register.PROTECTED, question)

    def _told(self, register: str, question: RegisterQuestion) -> bool | Unknown:
        row = self._row(question)
        return UNKNOWN if row is None else _parse_flag(row[_COLUMN[register]])

    def _row(self, question: RegisterQuestion) -> Row | None:
        """Return what the file tells of a question, None where it cannot be read."""
        last, row = self._last
        # The same value, not an equal one: what was told of a question is never told of a later.
        if last is question:
            return row
        try:
            row = self._connection.execute(
                _QUESTION,
                (
                    token_of(self._key, question.subject),
                    question.organisation,
                    question.case_number,
                    question.matter,
                    question.at_ms,
                    *[each in question.needed for each in _NEEDED],
                ),
            ).fetchone()
        except sqlite3.Error as error:
            # Without it, registers that are locked or broken would look like people without cases.
            kind: str = getattr(error, "sqlite_errorname", type(error).__name__)
            _log.warning("registers_unreadable", kind=kind)
            row = None
        self._last = (question, row)
        return row


def _parse_flag(stored: str | int | None) -> bool | Unknown:
    return UNKNOWN if stored is None else stored == 1
