"""Synthetic drafts and logs for the tests of the access log."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.access_log.intake import QueueLimits
from gateway.access_log.log import AccessLog, LogOptions
from gateway.access_log.note import Ed25519LogSigner
from gateway.access_log.protocol import Begin
from gateway.clock import VirtualClock
from gateway.model import (
    Charge,
    Claim,
    Committed,
    EntryDraft,
    EntryKind,
    EntryValue,
    SearchColumns,
)

NOW_MS = 1_795_392_000_000
ORIGIN = "sandbox.invalid/hutong/log"
ORG = "11370000MB2DEM0105"
SYSTEM = f"{ORG}/retirement"
SUBJECT = b"\x51" * 16
OFFICER = b"\x52" * 16
CASE = b"\x53" * 16
SMALL_RESERVE = QueueLimits(reserve_bytes=0)


@dataclass(slots=True)
class LogHome:
    """A folder with one log, its key and its clock."""

    folder: Path
    key: Ed25519PrivateKey = field(
        default_factory=lambda: Ed25519PrivateKey.from_private_bytes(b"k" * 32)
    )
    clock: VirtualClock = field(default_factory=lambda: VirtualClock(NOW_MS))
    limits: QueueLimits = SMALL_RESERVE

    @property
    def file(self) -> Path:
        """Where the log is kept."""
        return self.folder / "log.db"

    def open(
        self, *, origin: str = ORIGIN, examine_all: bool = True, apart: Begin | None = None
    ) -> AccessLog:
        """Open the log."""
        return AccessLog.open(
            self.file,
            origin=origin,
            signer=Ed25519LogSigner(self.key),
            clock=self.clock,
            node="gw-1",
            options=LogOptions(limits=self.limits, examine_all=examine_all, apart=apart),
        )


def ask(
    request_id: bytes | None = None,
    *,
    claims: tuple[Claim, ...] = (),
    charges: tuple[Charge, ...] = (),
    subject: bytes = SUBJECT,
) -> EntryDraft:
    """An `ask` with everything in it."""
    chosen = os.urandom(16) if request_id is None else request_id
    return EntryDraft(
        kind=EntryKind.ASK,
        members=ask_members(chosen),
        committed=(
            Committed(member="request", value=b"payload", salt=b"s" * 32, detached=True),
            Committed(member="subject", value=subject),
            Committed(member="officer", value=OFFICER),
            Committed(member="case", value=CASE),
            Committed(member="rules", value=b"r-17\nr-18"),
        ),
        search=SearchColumns(
            request_id=chosen,
            org=ORG,
            system=SYSTEM,
            subject=subject,
            officer=OFFICER,
            case=CASE,
        ),
        claims=claims,
        charges=charges,
    )


def ask_members(request_id: bytes) -> dict[str, EntryValue]:
    """The members of an `ask` in clear."""
    return {
        "tx": request_id.hex(),
        "item": 0,
        "org": ORG,
        "system": SYSTEM,
        "cert": "cd" * 32,
        "method": "Exchange",
        "matter": "M1",
        "basis": 0,
        "agreement": "A-2026-001",
        "dataset": "edu.diploma@1",
        "fields": ("full_name", "graduated_on"),
        "granted": (("full_name", "MASK(1,0)"), ("graduated_on", "GENERALISE(year)")),
        "policy": "ee" * 32,
        "key": "aa" * 16,
        "charge": 1,
    }


def answer(ask_index: int, request_id: bytes) -> EntryDraft:
    """An `answer` to an `ask`."""
    return EntryDraft(
        kind=EntryKind.ANSWER,
        members={
            "tx": request_id.hex(),
            "item": 0,
            "ask": ask_index,
            "state": "ANSWERED",
            "values": 2,
            "ms": 12,
        },
        committed=(
            Committed(member="request", value=b"payload", salt=b"s" * 32, detached=True),
            Committed(member="answer", value=b"body", salt=b"a" * 32, detached=True),
        ),
        search=SearchColumns(request_id=request_id, org=ORG, system=SYSTEM),
    )


def refuse(reason: str = "SIGNATURE_INVALID", **more: EntryValue) -> EntryDraft:
    """A `refuse` of which nothing but the reason is known."""
    return EntryDraft(kind=EntryKind.REFUSE, members={"reason": reason} | more)


def claim(key: bytes, value: bytes = b"v", expires_ms: int = NOW_MS + 1_000) -> Claim:
    """A claim of the tests' space."""
    return Claim(space="request", key=key, value=value, expires_ms=expires_ms)


def charge(counter: bytes, cost: int, limit: int) -> Charge:
    """A charge on November."""
    return Charge(counter=counter, period="2026-11", cost=cost, limit=limit)
