"""The registers of `gateway.policy.ports` in one SQLite file, which the sandbox seeds.

INVARIANT: no identifier stands in the file; a subject is HMAC-SHA-256 under a key kept elsewhere.
INVARIANT: what cannot be read is UNKNOWN, never an empty answer.
"""

import hmac
import sqlite3
from pathlib import Path
from typing import Final

from adapters.port import Subject
from gateway.policy.ports import (
    CaseRecord,
    CaseState,
    ConsentKind,
    Occasion,
    Relation,
)
from gateway.policy.vocabulary import UNKNOWN, Unknown

KEY_BYTES: Final = 32
_GUARDIAN: Final = "guardian"
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


class SqliteRegisters:
    """All four registers; each port is one of its methods."""

    def __init__(self, connection: sqlite3.Connection, key: bytes) -> None:
        self._connection = connection
        self._key = key
        self._last: tuple[Subject | None, bytes] = (None, b"")

    @classmethod
    def open(cls, path: Path, key: bytes) -> "SqliteRegisters":
        """Open or create the file.

        Raises:
            ValueError: the key has not 32 bytes.
            sqlite3.Error: the file cannot be opened.
        """
        if len(key) != KEY_BYTES:
            raise ValueError("the key of the registers has 32 bytes")
        connection = sqlite3.connect(path, isolation_level=None)
        connection.executescript(_SCHEMA)
        return cls(connection, key)

    def close(self) -> None:
        """Close the file; every later question is answered UNKNOWN."""
        self._connection.close()

    def add_case(
        self, number: str, case: CaseRecord, parties: tuple[tuple[Subject, Relation], ...]
    ) -> None:
        """Add or replace a case with its parties; `case.relation` is not stored."""
        # One transaction: a case seen without its parties would turn its own applicant away.
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            self._write_case(number, case, parties)
            self._connection.execute("COMMIT")
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def _write_case(
        self, number: str, case: CaseRecord, parties: tuple[tuple[Subject, Relation], ...]
    ) -> None:
        self._connection.execute(
            "INSERT OR REPLACE INTO cases VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                case.organisation,
                number,
                case.state.value,
                case.matter,
                case.division,
                _encode_flag(flag=case.in_investigation),
                _encode_flag(flag=case.special_grade),
            ),
        )
        # Who is no longer a party must not be asked about any more.
        self._connection.execute(
            "DELETE FROM parties WHERE organisation = ? AND number = ?", (case.organisation, number)
        )
        self._connection.executemany(
            "INSERT INTO parties VALUES (?, ?, ?, ?)",
            [
                (case.organisation, number, self._token(subject), relation.value)
                for subject, relation in parties
            ],
        )

    def add_consent(
        self, kind: ConsentKind, subject: Subject, occasion: Occasion, until_ms: int
    ) -> None:
        """Add or replace a consent, in force from `occasion.at_ms`."""
        self._add_consent(kind.value, subject, occasion, until_ms)

    def add_guardian_consent(self, subject: Subject, occasion: Occasion, until_ms: int) -> None:
        """Add or replace a guardian's consent, in force from `occasion.at_ms`."""
        self._add_consent(_GUARDIAN, subject, occasion, until_ms)

    def add_protected(self, subject: Subject) -> None:
        """Protect a person."""
        self._connection.execute(
            "INSERT OR IGNORE INTO protected VALUES (?)", (self._token(subject),)
        )

    async def fetch_case(
        self, organisation: str, case_number: str, subject: Subject
    ) -> CaseRecord | Unknown | None:
        """Return the case of an organisation, or None where it has none of this number."""
        try:
            row = self._connection.execute(
                "SELECT c.state, c.matter, c.organisation, c.division, p.relation,"
                " c.in_investigation, c.special_grade FROM cases c LEFT JOIN parties p"
                " ON p.organisation = c.organisation AND p.number = c.number AND p.subject = ?"
                " WHERE c.organisation = ? AND c.number = ?",
                (self._token(subject), organisation, case_number),
            ).fetchone()
            # No row is knowledge: there is no such case. Only a failure is unknown.
            if row is None:
                return None
            return CaseRecord(
                state=CaseState(row[0]),
                matter=row[1],
                organisation=row[2],
                division=row[3],
                relation=Relation.NONE if row[4] is None else Relation(row[4]),
                in_investigation=_parse_flag(row[5]),
                special_grade=_parse_flag(row[6]),
            )
        # A state this program does not know is a failure to read, never "no such case".
        except (sqlite3.Error, ValueError):
            return UNKNOWN

    async def fetch_consent(
        self, kind: ConsentKind, subject: Subject, occasion: Occasion
    ) -> bool | Unknown:
        """Return whether a consent is in force."""
        return self._has_consent(kind.value, subject, occasion)

    async def fetch_guardian_consent(self, subject: Subject, occasion: Occasion) -> bool | Unknown:
        """Return whether a guardian's consent is in force."""
        return self._has_consent(_GUARDIAN, subject, occasion)

    async def fetch_protected(self, subject: Subject) -> bool | Unknown:
        """Return whether a subject is protected."""
        try:
            row = self._connection.execute(
                "SELECT 1 FROM protected WHERE subject = ?", (self._token(subject),)
            ).fetchone()
        except sqlite3.Error:
            return UNKNOWN
        return row is not None

    def _add_consent(self, kind: str, subject: Subject, occasion: Occasion, until_ms: int) -> None:
        self._connection.execute(
            "INSERT OR REPLACE INTO consents VALUES (?, ?, ?, ?, ?, ?)",
            (
                kind,
                self._token(subject),
                occasion.organisation,
                occasion.matter,
                occasion.at_ms,
                until_ms,
            ),
        )

    def _has_consent(self, kind: str, subject: Subject, occasion: Occasion) -> bool | Unknown:
        try:
            row = self._connection.execute(
                "SELECT 1 FROM consents WHERE kind = ? AND subject = ? AND organisation = ?"
                " AND matter = ? AND from_ms <= ? AND ? < until_ms",
                (
                    kind,
                    self._token(subject),
                    occasion.organisation,
                    occasion.matter,
                    occasion.at_ms,
                    occasion.at_ms,
                ),
            ).fetchone()
        except sqlite3.Error:
            return UNKNOWN
        return row is not None

    def _token(self, subject: Subject) -> bytes:
        known, token = self._last
        # One question asks several registers about one and the same subject.
        if known is not subject:
            # Keyed: identifiers are few enough to be found from a bare digest by trying them all.
            message = f"{subject.type.value}\0{subject.identifier}".encode()
            token = hmac.digest(self._key, message, "sha256")
            self._last = (subject, token)
        return token


def _encode_flag(*, flag: bool | Unknown) -> int | None:
    return None if isinstance(flag, Unknown) else int(flag)


def _parse_flag(stored: int | None) -> bool | Unknown:
    return UNKNOWN if stored is None else stored == 1
