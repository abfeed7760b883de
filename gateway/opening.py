"""Steps 1 to 5: what must hold before anything is decided, once per call.

One function per step, in the order and with the numbers of `gateway.exchange`; each notes in
`Progress` what it has proven.
"""

import hashlib
import time
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from certs.identity import RegisteredSystem
from certs.quick import quickly_made
from certs.trust_store import TrustSnapshot
from gateway.compute.port import Opened, OpenJob
from gateway.errors import Reason, Refusal
from gateway.officer import Officer, require_officer
from gateway.parts import Parts
from gateway.progress import LEEWAY_MS, Progress
from gateway.replay import First, Twin, request_key
from gateway.statement.identifiers import doubts_about
from gateway.statement.kinds import QuestionKind
from gateway.statement.request import M, parse_header, parse_payload
from gateway.statement.values import Header, Statement
from gateway.trust import require_channel, require_signer

T = TypeVar("T")

MAX_LIFE_MS: Final = 300_000
"""Longest life of a request (envelope.proto, `RequestHeader.expire_time`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope(Generic[M]):
    """What steps 1 to 3 have proven: this system sent this message, now, to us."""

    system: RegisteredSystem
    snapshot: TrustSnapshot
    message: M
    twin: Twin | None
    """Set when the same request is or was executed by another call."""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What steps 1 to 5 have proven: a statement, and the officer it is made for."""

    system: RegisteredSystem
    snapshot: TrustSnapshot
    statement: Statement
    officer: Officer | None
    """None for system jobs."""
    twin: Twin | None


async def open_question(parts: Parts, progress: Progress, kind: QuestionKind) -> Question:
    """Walk steps 1 to 5.

    Raises:
        Refusal: any reason of these steps.
        Fault: `TRUST_UNAVAILABLE`, `CLOCK_BACKWARDS`.
    """
    # One snapshot for the whole call: a reload meanwhile cannot mix two states of trust.
    snapshot = parts.trust.snapshot
    system = open_channel(parts, progress, snapshot)  # 1 channel
    opened = await _require_envelope(parts, progress, snapshot, system, kind)  # 2 envelope
    header = _reached(opened, opened.header)
    _require_binding(parts, progress, system, header)  # 3 binding
    twin = _claim(parts, progress, header)
    statement = _reached(opened, opened.statement)  # 4 statement
    for problem in doubts_about(statement.subject, progress.now_ms):
        parts.observer.doubted(problem)
    return Question(
        system=system,
        snapshot=snapshot,
        statement=statement,
        officer=_officer(progress, snapshot, system, opened, statement),  # 5 officer
        twin=twin,
    )


async def open_envelope(parts: Parts, progress: Progress, message_class: type[M]) -> Envelope[M]:
    """Walk steps 1 to 3, for messages that are no question about a subject.

    Raises:
        Refusal: any reason of these steps.
        Fault: `TRUST_UNAVAILABLE`, `CLOCK_BACKWARDS`.
    """
    snapshot = parts.trust.snapshot
    system = open_channel(parts, progress, snapshot)  # 1 channel
    opened = await _require_envelope(parts, progress, snapshot, system, None)  # 2 envelope
    message = parse_payload(opened.payload, message_class)
    header = parse_header(message)
    _require_binding(parts, progress, system, header)  # 3 binding
    return Envelope(
        system=system,
        snapshot=snapshot,
        message=message,
        twin=_claim(parts, progress, header),
    )


def open_channel(parts: Parts, progress: Progress, snapshot: TrustSnapshot) -> RegisteredSystem:
    """Step 1: the channel is a registered system's, current now, and within its limits."""
    progress.now_ms = parts.clock.now_ms()
    system = require_channel(snapshot, progress.call.peer.leaf_thumbprint, progress.now_ms)
    progress.system = system
    # Once the caller is known and before any signature is computed for him.
    parts.limiter.charge(system.system_id, time.monotonic())
    parts.in_flight.enter_system(system.system_id)
    # Set after counting in: the exit must not count out a call that was refused one line above.
    progress.counted_in = True
    return system


async def _require_envelope(
    parts: Parts,
    progress: Progress,
    snapshot: TrustSnapshot,
    system: RegisteredSystem,
    kind: QuestionKind | None,
) -> Opened:
    """Step 2: the carried bytes are signed by that system, with a key that is current now.

    What the payload says is read in the same go, and judged when its step is reached.
    """
    call, organisation = progress.call, system.organisation.uscc
    thumbprint = call.peer.leaf_thumbprint
    if thumbprint is None:
        raise AssertionError  # step 1 has passed
    opened = await parts.compute.open(
        OpenJob(
            body=call.body,
            payload_type=call.payload_type,
            keys=system.envelope_keys,
            kind=kind,
            officer_keys=snapshot.registry.officer_keys(organisation),
            organisation=organisation,
            audience=parts.system_id,
            thumbprint=thumbprint,
            now_ms=progress.now_ms,
        )
    )
    require_signer(system, opened.keyid, progress.now_ms)
    progress.keyid = opened.keyid
    progress.payload = opened.payload
    progress.request_digest = hashlib.sha256(opened.payload).digest()
    return opened


def _reached(opened: Opened, part: T | None) -> T:
    """Return a part of what was signed, at the step that judges it."""
    if part is not None:
        return part
    if opened.refusal is None:
        raise AssertionError  # whatever is missing was refused
    raise opened.refusal


def _officer(
    progress: Progress,
    snapshot: TrustSnapshot,
    system: RegisteredSystem,
    opened: Opened,
    statement: Statement,
) -> Officer | None:
    """Step 5: asserted by the system's organisation, for this statement; None for a system job."""
    if statement.purpose.officer_assertion is None:
        return None
    asserted = _reached(opened, opened.asserted)
    keys = snapshot.registry.officer_keys(system.organisation.uscc)
    return require_officer(keys, asserted.keyid, asserted.claims, statement, progress.now_ms)


def _require_binding(
    parts: Parts, progress: Progress, system: RegisteredSystem, header: Header
) -> None:
    """Step 3, first half: signer = channel, meant for us and this method, and fresh."""
    progress.header = header
    if header.sender != system.system_id:
        raise Refusal(Reason.SENDER_MISMATCH)
    if header.receiver != parts.system_id:
        raise Refusal(Reason.RECEIVER_MISMATCH)
    if header.method != progress.call.method:
        raise Refusal(Reason.METHOD_MISMATCH)
    require_fresh(header, progress.now_ms)


def require_fresh(header: Header, now_ms: int) -> None:
    """Require that a request lives at a time, and no longer than requests may.

    Raises:
        Refusal: `LIFE_TOO_LONG`, `NOT_YET_VALID`, `EXPIRED`.
    """
    # A life of years would outlive every memory of request ids.
    if not 0 < header.expires_at_ms - header.issued_at_ms <= MAX_LIFE_MS:
        raise Refusal(Reason.LIFE_TOO_LONG)
    if header.issued_at_ms > now_ms + LEEWAY_MS:
        raise Refusal(Reason.NOT_YET_VALID)
    if header.expires_at_ms + LEEWAY_MS <= now_ms:
        raise Refusal(Reason.EXPIRED)


def _claim(parts: Parts, progress: Progress, header: Header) -> Twin | None:
    """Step 3, second half: the request id is new, or stands for the same bytes."""
    standing = parts.replay.claim(
        request_key(header.sender, header.request_id),
        progress.request_digest,
        header.expires_at_ms + LEEWAY_MS,
        progress.now_ms,
    )
    if isinstance(standing, First):
        progress.first = standing
        return None
    return standing
