"""One delivery of facts into the registers: all of it, or nothing.

The gateway may read meanwhile; it sees the registers as they were until the delivery commits.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from adapters.port import Subject
from gateway.policy.ports import CaseRecord, ConsentKind, Occasion, Register, Relation
from gateway.policy.ports_sqlite import open_connection, require_key, token_of
from gateway.policy.vocabulary import Unknown


class Delivery:
    """What is written in one transaction; each fact replaces what was told of the same before."""

    __slots__ = ("_connection", "_key")

    def __init__(self, connection: sqlite3.Connection, key: bytes) -> None:
        self._connection = connection
        self._key = key

    def add_case(
        self, number: str, case: CaseRecord, parties: tuple[tuple[Subject, Relation], ...]
    ) -> None:
        """Add or replace a case with its parties; `case.relation` is not stored."""
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
                (case.organisation, number, token_of(self._key, subject), relation.value)
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
        self._add_consent(Register.GUARDIAN, subject, occasion, until_ms)

    def add_protected(self, subject: Subject) -> None:
        """Protect a person."""
        self._connection.execute(
            "INSERT OR IGNORE INTO protected VALUES (?)", (token_of(self._key, subject),)
        )

    def _add_consent(self, kind: str, subject: Subject, occasion: Occasion, until_ms: int) -> None:
        self._connection.execute(
            "INSERT OR REPLACE INTO consents VALUES (?, ?, ?, ?, ?, ?)",
            (
                kind,
                token_of(self._key, subject),
                occasion.organisation,
                occasion.matter,
                occasion.at_ms,
                until_ms,
            ),
        )


@contextmanager
def open_delivery(path: Path, key: bytes) -> Iterator[Delivery]:
    """Commit what the block adds, or nothing of it where the block or the file fails.

    Raises:
        ValueError: the key has not 32 bytes.
        sqlite3.Error: the file cannot be written, or another delivery takes too long.
        OSError: the file cannot be made.
    """
    require_key(key)
    with closing(open_connection(path)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield Delivery(connection, key)
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")


def _encode_flag(*, flag: bool | Unknown) -> int | None:
    return None if isinstance(flag, Unknown) else int(flag)
