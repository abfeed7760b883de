"""Steps 1 to 5: what must hold before anything is decided, once per call.

One function per step, in the order and with the numbers of `gateway.exchange`; each notes in
`Progress` what it has proven.
"""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic

from certs.identity import RegisteredSystem
from certs.trust_store import TrustSnapshot
from gateway.errors import Reason, Refusal
from gateway.officer import Officer, require_officer
from gateway.parts import Parts
from gateway.progress import LEEWAY_MS, Progress
from gateway.replay import First, Twin, request_key
from gateway.statement.request import M, parse_header, parse_payload
from gateway.statement.values import Header, Statement
from gateway.trust import parse_call, require_channel, require_envelope

MAX_LIFE_MS: Final = 300_000
"""Longest life of a request (envelope.proto, `RequestHeader.expire_time`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[M]):
    """A kind of question: the message that is signed and how its statement is read."""

    message_class: type[M]
    parse: Callable[[M, Header, int], Statement]


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope(Generic[M]):
    """What steps 1 to 3 have proven: this system sent this message, now, to us."""

    system: RegisteredSystem
    snapshot: TrustSnapshot
    header: Header
    message: M
    twin: Twin | None
    """Set when the same request is or was executed by another call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What steps 1 to 5 have proven: a statement, and the officer it is made for."""

    system: RegisteredSystem
    snapshot: TrustSnapshot
    statement: Statement
    officer: Officer | None
    """None for system jobs."""
    twin: Twin | None


def open_question(parts: Parts, progress: Progress, kind: Kind[M]) -> Question:
    """Walk steps 1 to 5.

    Raises:
        Refusal: any reason of these steps.
        Fault: `TRUST_UNAVAILABLE`, `CLOCK_BACKWARDS`.
    """
    opened = open_envelope(parts, progress, kind.message_class)
    statement = kind.parse(opened.message, opened.header, progress.now_ms)  # 4 statement
    officer = require_officer(opened.snapshot, opened.system, statement, parts.system_id, progress)
    return Question(
        system=opened.system,
        snapshot=opened.snapshot,
        statement=statement,
        officer=officer,
        twin=opened.twin,
    )


def open_envelope(parts: Parts, progress: Progress, message_class: type[M]) -> Envelope[M]:
    """Walk steps 1 to 3.

    Raises:
        Refusal: any reason of these steps.
        Fault: `TRUST_UNAVAILABLE`, `CLOCK_BACKWARDS`.
    """
    # One snapshot for the whole call: a reload meanwhile cannot mix two states of trust.
    snapshot = parts.trust.snapshot
    system = open_channel(parts, progress, snapshot)  # 1 channel
    payload = _require_envelope(progress, system)  # 2 envelope
    message = parse_payload(payload, message_class)
    header = _require_binding(parts, progress, system, message)  # 3 binding
    # Taken last: a misdirected or stale copy must not use up the id of an honest request.
    twin = _claim(parts, progress, header)
    return Envelope(system=system, snapshot=snapshot, header=header, message=message, twin=twin)


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


def _require_envelope(progress: Progress, system: RegisteredSystem) -> bytes:
    """Step 2: the carried bytes are signed by that system, with a key that is current now."""
    call = progress.call
    verified = require_envelope(parse_call(call), system, call.payload_type, progress.now_ms)
    progress.keyid = verified.signer.keyid
    progress.payload = verified.payload
    progress.request_digest = hashlib.sha256(verified.payload).digest()
    return verified.payload


def _require_binding(
    parts: Parts, progress: Progress, system: RegisteredSystem, message: M
) -> Header:
    """Step 3, first half: signer = channel, meant for us and this method, and fresh."""
    header = parse_header(message)
    progress.header = header
    if header.sender != system.system_id:
        raise Refusal(Reason.SENDER_MISMATCH)
    if header.receiver != parts.system_id:
        raise Refusal(Reason.RECEIVER_MISMATCH)
    if header.method != progress.call.method:
        raise Refusal(Reason.METHOD_MISMATCH)
    # A life of years would outlive every memory of request ids.
    if not 0 < header.expires_at_ms - header.issued_at_ms <= MAX_LIFE_MS:
        raise Refusal(Reason.LIFE_TOO_LONG)
    if header.issued_at_ms > progress.now_ms + LEEWAY_MS:
        raise Refusal(Reason.NOT_YET_VALID)
    if header.expires_at_ms + LEEWAY_MS <= progress.now_ms:
        raise Refusal(Reason.EXPIRED)
    return header


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
