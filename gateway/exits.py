"""The one place every exit of the path goes through: what stopped a call is logged and signed.

From step 2 on a refusal has its own entry and receipt, within a budget per system; before that, and
beyond the budget, refusals of one peer and reason are rolled up into one entry per window, because
a stranger must not fill the disk (decisions.md, "The path, refined").

INVARIANT: nothing leaves here that the caller did not send or the reasons' texts do not say.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

import structlog

from certs.identity import SystemId
from gateway.access_log.errors import AccessLogError
from gateway.drafts import refuse_draft, rolled_up_draft
from gateway.errors import TEXTS, Fault, GatewayError, Reason, Refusal
from gateway.model import Claim, EntryDraft, Logged
from gateway.outcome import Outcome, Refused
from gateway.progress import Progress
from gateway.quota import BurstLimit, BurstLimiter
from gateway.receipt import build_refusal
from gateway.statement.answer import AnswerHeader, RefusalContent, encode_refusal_body
from signing.signer import Signer

ROLL_UP_WINDOW_MS: Final = 10_000
"""One rolled-up entry per peer and reason in this time (decisions.md)."""
MAX_WINDOW_MS: Final = 86_400_000
"""What an entry says at most of the span it counts over."""
MAX_ROLLED_UP: Final = 1_024
"""Different (peer, reason) pairs counted at once; further peers are counted together."""
REFUSAL_BUDGET: Final = BurstLimit(per_second=5.0, burst=100)
"""Refusals of one system that get entries of their own."""

WITHOUT_RECEIPT: Final = frozenset(
    {
        Reason.MESSAGE_MISSING,
        Reason.MESSAGE_TOO_LARGE,
        Reason.GATEWAY_BUSY,
        Reason.CHANNEL_REFUSED,
        Reason.RATE_LIMITED,
        Reason.TRUST_UNAVAILABLE,
        Reason.LOG_UNAVAILABLE,
        Reason.CLOCK_BACKWARDS,
        Reason.DEADLINE_EXCEEDED,
        Reason.INTERNAL,
    }
)
"""The closed list of reasons a requester may accept without a receipt (docs/reasons.md)."""

_log: Final = structlog.get_logger("exits")


class Appender(Protocol):
    """The access log, as far as exits need it."""

    async def append(self, draft: EntryDraft) -> Logged:
        """Return once the entry is durable."""
        ...


@dataclass(slots=True, kw_only=True)
class _Rolled:
    reason: Reason
    peer: str
    count: int
    since_ms: int


@dataclass(slots=True, kw_only=True)
class Exits:
    """Turns what stopped a call into an entry, a signed refusal and an outcome."""

    log: Appender
    signer: Signer
    system_id: SystemId
    _budget: BurstLimiter = field(default_factory=lambda: BurstLimiter(REFUSAL_BUDGET))
    _rolled: dict[tuple[str, Reason], _Rolled] = field(default_factory=dict)

    async def guarded(
        self,
        progress: Progress,
        walk: Callable[[], Awaitable[Outcome]],
        now_s: float,
        item: int = 0,
    ) -> Outcome:
        """Return what a walk of the path, or of one item, ends with, whatever stops it."""
        try:
            return await walk()
        except GatewayError as error:
            return await self.refuse(progress, error, item, now_s)
        except Exception as error:  # noqa: BLE001 - a broad place: nothing escapes unlogged
            _log.error("fault", kind=type(error).__name__, method=progress.call.method)
            return await self.refuse(progress, Fault(Reason.INTERNAL), item, now_s)

    async def refuse(
        self, progress: Progress, error: GatewayError, item: int, now_s: float
    ) -> Refused:
        """Log and sign why one query of a call is not answered."""
        reason = self._affordable(progress, error.reason, now_s)
        _log.info("refused", reason=reason, method=progress.call.method, detail=error.diagnostics)
        # Either anybody could make us write an entry of his own, or an entry is what we cannot
        # write: both are counted and told later, in one entry for many.
        if progress.system is None or reason in WITHOUT_RECEIPT:
            self._roll_up(progress, reason)
            envelope = self._signed(progress, error, reason, item, None)
            return Refused(reason=reason, envelope=envelope, retry_after_s=error.retry_after_s)
        try:
            logged = await self.log.append(
                refuse_draft(progress, item, reason, _claims(progress, item, reason))
            )
        except AccessLogError as failure:
            _log.error("not_logged", kind=type(failure).__name__)
            return Refused(reason=Reason.LOG_UNAVAILABLE, envelope=None, retry_after_s=1.0)
        progress.note_durable(item)
        envelope = self._signed(progress, error, reason, item, logged)
        return Refused(reason=reason, envelope=envelope, retry_after_s=error.retry_after_s)

    async def flush(self, now_ms: int) -> None:
        """Append what has been rolled up for longer than one window."""
        due = [
            key
            for key, rolled in self._rolled.items()
            if now_ms - rolled.since_ms >= ROLL_UP_WINDOW_MS
        ]
        for key in due:
            # Out before the await: what is refused meanwhile begins a window of its own.
            rolled = self._rolled.pop(key)
            window_ms = min(now_ms - rolled.since_ms, MAX_WINDOW_MS)
            draft = rolled_up_draft(rolled.peer, rolled.reason, rolled.count, window_ms)
            logged = False
            try:
                await self.log.append(draft)
                logged = True
            finally:
                if not logged:
                    self._give_back(key, rolled)

    def _give_back(self, key: tuple[str, Reason], rolled: _Rolled) -> None:
        """Count again what could not be logged, together with what was refused meanwhile."""
        since = self._rolled.setdefault(key, rolled)
        if since is not rolled:
            since.count += rolled.count
            since.since_ms = rolled.since_ms

    def _affordable(self, progress: Progress, reason: Reason, now_s: float) -> Reason:
        """Return the reason, or `RATE_LIMITED` once a system's refusal budget is spent."""
        if progress.system is None or reason in WITHOUT_RECEIPT:
            return reason
        try:
            self._budget.charge(progress.system.system_id, now_s)
        except Refusal as error:
            return error.reason
        return reason

    def _roll_up(self, progress: Progress, reason: Reason) -> None:
        thumbprint = progress.call.peer.leaf_thumbprint
        # The certificate, not the address: addresses are shared, change, and belong in no log.
        peer = "none" if thumbprint is None else thumbprint.hex()[:32]
        key = (peer, reason)
        if key not in self._rolled and len(self._rolled) >= MAX_ROLLED_UP:
            peer, key = "others", ("others", reason)
        rolled = self._rolled.get(key)
        if rolled is None:
            since_ms = progress.now_ms
            self._rolled[key] = _Rolled(reason=reason, peer=peer, count=1, since_ms=since_ms)
        else:
            rolled.count += 1

    def _signed(
        self,
        progress: Progress,
        error: GatewayError,
        reason: Reason,
        item: int,
        logged: Logged | None,
    ) -> bytes | None:
        """Return the signed refusal; None for a peer that is no registered system."""
        if progress.system is None:
            return None
        text = TEXTS[reason]
        header = AnswerHeader(
            request_id=b"" if progress.header is None else progress.header.request_id,
            request_digest=progress.request_digest,
            item=item,
            sender=self.system_id,
            receiver=progress.system.system_id,
            issued_at_ms=progress.now_ms,
        )
        content = RefusalContent(
            header=header,
            reason=reason,
            side=text.side,
            message_zh=text.zh,
            message_en=text.en,
            retry_after_s=error.retry_after_s,
        )
        return build_refusal(self.signer, encode_refusal_body(content), logged)


def _claims(progress: Progress, item: int, reason: Reason) -> tuple[Claim, ...]:
    """Return what the refusal claims: nothing where the log has said that somebody holds it."""
    return () if reason is Reason.REPLAYED else progress.claims(item)
