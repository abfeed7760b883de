"""Answers that can be fetched by the identifier of their request (manual, section 7)."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

KEPT_MS: Final = 3_600_000
"""How long an answer is kept."""
LIMIT: Final = 1_000
"""Answers kept; the oldest go first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An answer and from when on it can be fetched."""

    body: bytes
    ready_ms: int


class Mailbox:
    """The answers of all callers."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], Kept] = OrderedDict()

    def put(self, caller: str, message_id: str, kept: Kept) -> None:
        """Keep an answer."""
        self._kept[caller, message_id] = kept
        while len(self._kept) > LIMIT:
            self._kept.popitem(last=False)

    def find(self, caller: str, message_id: str, now_ms: int) -> Kept | None:
        """Find an answer of this caller that is not too old."""
        kept = self._kept.get((caller, message_id))
        if kept is None or now_ms - kept.ready_ms > KEPT_MS:
            return None
        return kept
