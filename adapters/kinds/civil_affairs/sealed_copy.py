"""Our copy of one view: the rows of each person, sealed, found by number only.

Memory and no file: the department's rows are read anew in seconds after a restart, and what is
never written needs no key to be kept, backed up or forgotten.
INVARIANT: what stands here is sealed under a key that dies with the process, and found by a keyed
digest of the number: a dump of the memory lists nobody. Bounded in rows and in bytes of a row.
INVARIANT: of one business number the row with the greatest (`upd_time`, `row_id`) stands, in
whatever order rows arrive (docs/adapters/civil_affairs.md 2.2).
"""

import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from adapters.errors import AnswerMalformed
from adapters.kinds.civil_affairs.facts import Line
from signing.encoding import JsonValue, encode_json

MAX_ROWS: Final = 200_000
"""Business numbers of one view; about 600 bytes each."""
MAX_ROW_BYTES: Final = 2_048
"""Of what is read of one row; names and places of 60 to 80 characters leave half of it free."""
_DIGEST_BYTES: Final = 16
_NONCE_BYTES: Final = 12

Position = tuple[datetime, int]
"""(`upd_time`, `row_id`): the order of a view."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewRow:
    """One row of a view as far as it is read."""

    position: Position
    business_number: str
    identifier: str | None = field(repr=False)
    """Normalised; None where the row names nobody that can be found again."""
    in_force: bool | None
    """None for a state the interface does not list."""
    line: Line = field(repr=False)

    @property
    def is_readable(self) -> bool:
        """Whether it can be told whose row it is, and whether it holds."""
        # A withdrawn row says nothing of anybody, whoever it was.
        return self.in_force is False or (self.in_force is True and self.identifier is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    position: Position
    person: bytes | None
    sealed: bytes = field(repr=False)


class SealedCopy:
    """The rows of one view by person. One event loop, no lock."""

    __slots__ = ("_by_person", "_cipher", "_held", "_key", "_limit", "_unreadable")

    def __init__(self, limit: int = MAX_ROWS) -> None:
        self._limit = limit
        self._held: dict[bytes, _Held] = {}
        self._by_person: dict[bytes, tuple[bytes, ...]] = {}
        self._unreadable: set[bytes] = set()
        self._renew()

    @property
    def rows(self) -> int:
        """How many business numbers are held."""
        return len(self._held)

    @property
    def unreadable(self) -> int:
        """How many of them could be anybody's: with one of them, no absence means anything."""
        return len(self._unreadable)

    def apply(self, rows: Iterable[ViewRow]) -> None:
        """Take rows over, whatever was seen before.

        Raises:
            AnswerMalformed: More rows than this copy may hold, or one that is too long.
        """
        for row in rows:
            self._apply(row)

    def find(self, identifier: str) -> tuple[Line, ...]:
        """Return the lines in force of one person."""
        keys = self._by_person.get(self._digest(identifier), ())
        return tuple(self._open(key) for key in keys)

    def wipe(self) -> None:
        """Forget every row, and the key that could open a copy of one."""
        self._held.clear()
        self._by_person.clear()
        self._unreadable.clear()
        self._renew()

    def _apply(self, row: ViewRow) -> None:
        key = self._digest(row.business_number)
        held = self._held.get(key)
        if held is not None and held.position >= row.position:
            return
        if held is None and len(self._held) >= self._limit:
            raise AnswerMalformed("a view has more rows than its copy may hold")
        person = self._digest(row.identifier) if row.in_force and row.identifier else None
        # Sealed before anything changes: a row that is too long leaves the copy as it was.
        sealed = self._seal(key, row.line) if person is not None else b""
        if held is not None and held.person is not None:
            self._leave(held.person, key)
        self._held[key] = _Held(position=row.position, person=person, sealed=sealed)
        if person is not None:
            self._by_person[person] = (*self._by_person.get(person, ()), key)
        if row.is_readable:
            self._unreadable.discard(key)
        else:
            self._unreadable.add(key)

    def _leave(self, person: bytes, key: bytes) -> None:
        others = tuple(other for other in self._by_person[person] if other != key)
        if others:
            self._by_person[person] = others
        else:
            del self._by_person[person]

    def _seal(self, key: bytes, line: Mapping[str, str]) -> bytes:
        members: JsonValue = dict(line)
        content = encode_json(members)
        if len(content) > MAX_ROW_BYTES:
            raise AnswerMalformed("a row is longer than its columns")
        nonce = secrets.token_bytes(_NONCE_BYTES)
        # The business number is authenticated along: no row can be put in the place of another.
        return nonce + self._cipher.encrypt(nonce, content, key)

    def _open(self, key: bytes) -> Line:
        sealed = self._held[key].sealed
        content = self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], key)
        line: dict[str, str] = json.loads(content)
        return line

    def _renew(self) -> None:
        self._cipher = ChaCha20Poly1305(ChaCha20Poly1305.generate_key())
        self._key = secrets.token_bytes(32)

    def _digest(self, text: str) -> bytes:
        # Keyed: the bare digest of a number could be found by trying all of them.
        octets = text.encode("utf-8", "surrogatepass")
        return hashlib.blake2b(octets, key=self._key, digest_size=_DIGEST_BYTES).digest()
