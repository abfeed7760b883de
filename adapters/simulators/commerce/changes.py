"""The change feed: what the register entered, in order, by an opaque cursor (manual, section 8).

INVARIANT: a cursor depends on the seed alone, so it survives a restart.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Final

from adapters.simulators.commerce.refusals import Json, Members, Refused
from adapters.simulators.commerce.register import Entry, Register
from adapters.simulators.commerce.shapes import compact
from adapters.simulators.population.commerce import EnterpriseRecord
from adapters.simulators.population.employers import FORMER, PLANTED_FROM, find_by_code, registered
from adapters.simulators.population.enterprises import RegisterState
from adapters.simulators.population.places import MEMBERS
from adapters.simulators.population.planting import HOUSEHOLDS

_FORMER_TOLD: Final = 400
"""Former enterprises whose end is still in the feed; about three in ten exist."""

_POSITION_OCTETS: Final = 4
_TAG_OCTETS: Final = 8

_EVENTS: Final = {
    RegisterState.REVOKED: "03",
    RegisterState.REVOKED_CANCELLED: "04",
    RegisterState.CANCELLED: "04",
}

_STATES: Final = {"03": RegisterState.REVOKED, "04": RegisterState.CANCELLED}
"""What an event makes of an enterprise; a change (02) leaves its state."""


@dataclass(slots=True)
class Feed:
    """What was entered, the earliest first."""

    register: Register
    items: list[Members] = field(default_factory=list, repr=False)

    def load(self) -> None:
        """Tell what was entered before the start."""
        seed = self.register.people.seed
        planted = range(PLANTED_FROM, PLANTED_FROM + len(HOUSEHOLDS) * MEMBERS, MEMBERS)
        former = range(FORMER.start, FORMER.start + _FORMER_TOLD)
        employers = [registered(seed, number) for number in (*planted, *former)]
        records = [self.register.record(one) for one in employers if one]
        # A planted enterprise is in the feed for its case alone.
        told = [one for one in records if one and (one.state in _EVENTS or one.predecessor)]
        for record in sorted(told, key=lambda one: (one.approved, one.uscc)):
            self._append(record, _EVENTS.get(record.state, "02"), record.approved)

    def enter(self, uscc: str, event: str, at: datetime) -> Members | None:
        """Enter an event now; None where there is no such enterprise."""
        employer = find_by_code(self.register.people.seed, uscc)
        before = self.register.record(employer) if employer else None
        if employer is None or before is None:
            return None
        state = _STATES.get(event, before.state)
        self.register.entered[employer.number] = Entry(state=state, at=at)
        after = self.register.record(employer)
        return self._append(after, event, at) if after else None

    def page(self, cursor: str | None, limit: int) -> tuple[list[Members], str, bool]:
        """Read what follows a cursor: the items, the next cursor, whether there is more.

        Raises:
            Refused: 4000 for a cursor that is not ours, 4100 for one beyond the end.
        """
        start = 0 if cursor is None else self._position(cursor)
        if start > len(self.items):
            raise Refused("4100")
        end = min(start + limit, len(self.items))
        return self.items[start:end], self._cursor(end), end < len(self.items)

    def repeated(self, cursor: str | None) -> list[Members]:
        """Read the last item before a cursor (fault `changes_repeated`)."""
        start = 0 if cursor is None else self._position(cursor)
        return self.items[start - 1 : start] if start else []

    def _append(self, record: EnterpriseRecord, event: str, at: datetime) -> Members:
        changes: list[Json] = []
        if record.predecessor and event == "02":
            changes = [
                {
                    "chk_key": "name",
                    "old_val": record.predecessor,
                    "new_val": record.legal_representative,
                }
            ]
        item: Members = {
            "id": f"cm-{len(self.items) + 1:08d}",
            "occurred": compact(at),
            "uniscid": record.uscc,
            "entname": record.name,
            "event": event,
            "regstateCn": record.state.value,
            "changes": changes,
        }
        self.items.append(item)
        return item

    def _cursor(self, position: int) -> str:
        octets = position.to_bytes(_POSITION_OCTETS, "big")
        return urlsafe_b64encode(octets + self._tag(octets)).decode()

    def _position(self, cursor: str) -> int:
        try:
            octets = urlsafe_b64decode(cursor.encode("ascii"))
        except ValueError as cause:
            raise Refused("4000") from cause
        position = int.from_bytes(octets[:_POSITION_OCTETS], "big")
        # Written again and compared: base64 has several spellings of the same octets.
        if not hmac.compare_digest(cursor, self._cursor(position)):
            raise Refused("4000")
        return position

    def _tag(self, octets: bytes) -> bytes:
        key = f"commerce/cursor/{self.register.people.seed}".encode()
        return blake2b(octets, digest_size=_TAG_OCTETS, key=key).digest()
