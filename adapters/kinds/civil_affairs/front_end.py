"""The front-end database: a read-only role over views of a real PostgreSQL (section 2 of the page).

Knows no copy. Only the columns that are read are named in SQL: amounts, addresses and families of
the views never reach this process.
INVARIANT: no error and no diagnostic carries a row, a statement, a name of a role or an address.
"""

import logging
import ssl
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType
from typing import Final, Protocol

import asyncpg

from adapters.errors import AnswerMalformed, DepartmentFailed
from adapters.kinds.civil_affairs.codes import ROW_STATES, reason_of_sqlstate
from adapters.kinds.civil_affairs.facts import ASSISTANCE_MEMBERS, CREMATION_MEMBERS
from adapters.kinds.civil_affairs.sealed_copy import Position, ViewRow
from adapters.mapping.identifiers import parse_resident_id
from adapters.port import Indeterminate

_LOG: Final = logging.getLogger(__name__)

PAGE_ROWS: Final = 500
"""Rows of one page: read within 10 ms of the event loop's time (the page allows 5000)."""
_LOCK_MS: Final = 2_000
_STATEMENT_MS: Final = 10_000
# Beyond the server's own limits: a server that is gone ends nothing by itself.
_PATIENCE_S: Final = 15.0
_CONNECT_S: Final = 10.0
_CLOSE_S: Final = 2.0

_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"v_cremation": tuple(CREMATION_MEMBERS), "v_assistance": tuple(ASSISTANCE_MEMBERS)}
)
VIEWS: Final[Mapping[str, str]] = MappingProxyType(
    {"ca.cremation": "v_cremation", "ca.assistance": "v_assistance"}
)
"""Dataset → the view it may be answered from."""
# Names are of the table above and no text of anybody's; the values are bound.
_PAGES: Final = {
    view: (
        f"SELECT row_id, biz_id, row_state, upd_time, {', '.join(columns)} "  # noqa: S608 - as above
        f"FROM exchange.{view} WHERE (upd_time, row_id) > ($1, $2) "
        "ORDER BY upd_time, row_id LIMIT $3"
    )
    for view, columns in _COLUMNS.items()
}
_SYNCED: Final = "SELECT synced_to FROM exchange.v_sync_state WHERE view_name = $1"


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontEndAddress:
    """Where the database lies and who we are there."""

    host: str
    port: int
    database: str
    user: str
    password: str = field(repr=False)
    tls: ssl.SSLContext | None = field(default=None, repr=False)
    """None on the loopback only."""


class Record(Protocol):
    """A row as the database driver gives it."""

    def __getitem__(self, name: str, /) -> object:
        """Return the value of one column."""
        ...


class FrontEnd:
    """One connection to the front-end database, opened when it is needed."""

    def __init__(self, address: FrontEndAddress) -> None:
        self._address = address
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None

    async def fetch_synced(self, view: str) -> datetime:
        """Return up to when the department's commits have arrived in a view.

        Raises:
            AnswerMalformed: The view of states says nothing of it.
            DepartmentFailed: Why it could not be read.
        """
        rows = await self._fetch(_SYNCED, view)
        synced = rows[0]["synced_to"] if len(rows) == 1 else None
        if not isinstance(synced, datetime) or synced.tzinfo is not None:
            raise AnswerMalformed("synced_to is no local time")
        return synced

    async def fetch_page(self, view: str, after: Position) -> tuple[ViewRow, ...]:
        """Return the next rows of a view, at most PAGE_ROWS.

        Raises:
            AnswerMalformed: More rows than asked for, out of order, or of another form.
            DepartmentFailed: Why it could not be read.
        """
        rows = await self._fetch(_PAGES[view], *after, PAGE_ROWS)
        if len(rows) > PAGE_ROWS:
            raise AnswerMalformed("a page holds more rows than were asked for")
        read = tuple(read_row(row, _COLUMNS[view]) for row in rows)
        for row in read:
            # A page that does not go on would be asked for again without end.
            if row.position <= after:
                raise AnswerMalformed("a page is out of order")
            after = row.position
        return read

    async def close(self) -> None:
        """Release the connection; the next question opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await connection.close(timeout=_CLOSE_S)

    async def _fetch(self, statement: str, *values: object) -> Sequence[Record]:
        try:
            connection = await self._connect()
            return await connection.fetch(statement, *values, timeout=_PATIENCE_S)
        except asyncpg.PostgresError as cause:
            reason = reason_of_sqlstate(cause.sqlstate)
            # The state is one of a standard; the message may quote a row.
            _LOG.warning("front-end database: SQLSTATE %s", cause.sqlstate)
        except TimeoutError:
            reason = Indeterminate.PROVIDER_TIMEOUT
        except (OSError, asyncpg.InterfaceError, asyncpg.InternalClientError):
            reason = Indeterminate.PROVIDER_UNAVAILABLE
        except (ValueError, OverflowError):
            # The driver read a time no calendar of ours has.
            reason = Indeterminate.PROVIDER_MALFORMED
        await self.close()
        raise DepartmentFailed(reason)

    async def _connect(self) -> "asyncpg.Connection[asyncpg.Record]":
        if self._connection is not None and not self._connection.is_closed():
            return self._connection
        address = self._address
        self._connection = await asyncpg.connect(
            host=address.host,
            port=address.port,
            database=address.database,
            user=address.user,
            password=address.password,
            # A context is never given up for plain text; False asks for none, whatever the
            # environment says.
            ssl=address.tls if address.tls is not None else False,
            timeout=_CONNECT_S,
            command_timeout=_PATIENCE_S,
            # A plan outlives the column it was made for.
            statement_cache_size=0,
            server_settings={
                "application_name": "hutong",
                "default_transaction_read_only": "on",
                "lock_timeout": str(_LOCK_MS),
                "statement_timeout": str(_STATEMENT_MS),
            },
        )
        return self._connection


def read_row(row: Record, columns: Sequence[str]) -> ViewRow:
    """Return what is read of one row.

    Raises:
        AnswerMalformed: A common column is empty or of another type, or a value is no text or time.
    """
    row_id, business, state, updated = (
        row[name] for name in ("row_id", "biz_id", "row_state", "upd_time")
    )
    if not isinstance(row_id, int) or not isinstance(business, str) or not business:
        raise AnswerMalformed("a row has no number")
    if not isinstance(updated, datetime) or updated.tzinfo is not None:
        raise AnswerMalformed("a row has no local time")
    line = {name: _text(row[name]) for name in columns}
    return ViewRow(
        position=(updated, row_id),
        business_number=business,
        identifier=_identifier(line["id_card"]),
        in_force=ROW_STATES.get(state) if isinstance(state, str) else None,
        line=line,
    )


def _text(value: object) -> str:
    # As the live check spells it, so that both are read alike.
    match value:
        case None:
            return ""
        case str():
            return value
        case datetime():
            return value.isoformat(sep=" ", timespec="seconds")
        case date():
            return value.isoformat()
        case _:
            raise AnswerMalformed("a column is of another type")


def _identifier(text: str) -> str | None:
    try:
        return parse_resident_id(text)
    except AnswerMalformed:
        return None
