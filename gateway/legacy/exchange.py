"""From a call of generation 1 to the path, and through it: no step is passed over.

1  channel     as everybody's (`gateway.opening.open_channel`)
proof       form, registered id of that very system, time, signature (docs/adapters/national.md)
statement   what its service asks of the subject named, signed with the key registered for it
2  … 5         over those bytes, as everybody's (`open_behind_channel`); no officer
6  … 12        as everybody's (`gateway.exchange.Exchange.answer_query`)
"""

import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from adapters.port import Subject
from certs.identity import RegisteredSystem
from gateway.errors import Reason, Refusal
from gateway.exchange import Exchange
from gateway.legacy.proof import (
    WINDOW_MS,
    Proof,
    give_secret,
    parse_proof,
    request_id_of,
    require_fresh,
    require_key_signed,
    require_secret_signed,
)
from gateway.legacy.services import Legacy, LegacyService, LegacySystem
from gateway.opening import MAX_LIFE_MS, open_behind_channel, open_channel
from gateway.outcome import Answered, Outcome
from gateway.parts import Parts
from gateway.progress import Call, Origin, Peer, Progress
from gateway.replay import First, request_key
from gateway.statement.kinds import QuestionKind
from gateway.statement.legacy import EXCHANGE_TYPE, sign_statement
from gateway.statement.values import Header, Purpose
from signing.encoding import JsonLimits, encode_canonical_json, parse_json_strict
from signing.errors import Malformed

METHOD: Final = "/hutong.exchange.v1.ExchangeService/Exchange"
PATIENCE_S: Final = 15.0
"""The dialect names no deadline: as long as a caller over gRPC who names none has."""
MAX_BODY: Final = 16 * 1024
_MEMBERS: Final = frozenset({"zjhm", "xm", "bjbh"})
_LIMITS: Final = JsonLimits(max_bytes=MAX_BODY, max_depth=4)


@dataclass(frozen=True, slots=True, kw_only=True)
class LegacyCall:
    """One call as it came; `service` is empty where a secret is asked for."""

    peer: Peer
    values: Mapping[str, str] = field(repr=False)
    service: str
    body: bytes = field(repr=False)


class LegacyExchange:
    """Answers calls of systems that sign nothing."""

    def __init__(self, parts: Parts, exchange: Exchange, legacy: Legacy) -> None:
        self._parts = parts
        self._exchange = exchange
        self._legacy = legacy

    async def refresh(self, asked: LegacyCall) -> Outcome:
        """Give a secret, as JSON in the envelope's place, or say why not."""

        async def walk(progress: Progress) -> Outcome:
            system = open_channel(self._parts, progress, self._parts.trust.snapshot)  # 1
            proof, caller = self._require_caller(asked, system, progress.now_ms)
            require_key_signed(caller, proof)
            self._spend(caller, proof, progress.now_ms)
            secret, ends_ms = give_secret(caller, progress.now_ms)
            members = {"secret": secret, "secretEndTime": str(ends_ms)}
            return Answered(envelope=encode_canonical_json(dict(members)))

        return await self._admitted(asked, walk)

    async def ask(self, asked: LegacyCall) -> Outcome:
        """Answer one question, or say why not."""

        async def walk(progress: Progress) -> Outcome:
            snapshot = self._parts.trust.snapshot
            system = open_channel(self._parts, progress, snapshot)  # 1
            proof, caller = self._require_caller(asked, system, progress.now_ms)
            require_secret_signed(caller, proof, progress.now_ms)
            service = self._legacy.services.get((caller.sid, asked.service))
            if service is None:
                raise Refusal(Reason.METHOD_MISMATCH)
            body = self._signed(caller, service, asked.body, proof, progress.now_ms)
            progress.call = replace(progress.call, body=body)
            question = await open_behind_channel(  # 2 to 5
                self._parts, progress, snapshot, system, QuestionKind.EXCHANGE
            )
            if question.twin is not None:
                raise AssertionError  # each statement has a salt of its own, so none has a twin
            return await self._exchange.answer_query(progress, question, 0)  # 6 to 12

        return await self._admitted(asked, walk)

    async def _admitted(
        self, asked: LegacyCall, walk: Callable[[Progress], Awaitable[Outcome]]
    ) -> Outcome:
        call = Call(
            method=METHOD,
            payload_type=EXCHANGE_TYPE,
            body=b"",
            peer=asked.peer,
            deadline=time.monotonic() + PATIENCE_S,
            origin=Origin.HMAC_WITHOUT_BODY,
            # A time five minutes ahead is taken, and stays takeable for ten.
            remembered_ms=2 * WINDOW_MS,
        )
        return await self._exchange.admitted(call, walk)

    def _require_caller(
        self, asked: LegacyCall, system: RegisteredSystem, now_ms: int
    ) -> tuple[Proof, LegacySystem]:
        """Return who calls: the registered id is that of the channel's own system.

        Raises:
            Refusal: `ENVELOPE_MALFORMED`, `SIGNER_UNKNOWN`, `EXPIRED`, `NOT_YET_VALID`.
        """
        proof = parse_proof(asked.values)
        caller = self._legacy.systems.get(proof.sid)
        # One code for both: a caller learns of no id but his own.
        if caller is None or caller.system_id != system.system_id:
            raise Refusal(Reason.SIGNER_UNKNOWN)
        require_fresh(proof, now_ms)
        return proof, caller

    def _spend(self, caller: LegacySystem, proof: Proof, now_ms: int) -> None:
        """Take the id of a call for a secret; it shares the ids of calls that ask.

        In memory only: repeated after a restart it yields a secret that only its system can read.
        """
        key = request_key(caller.system_id, request_id_of(caller, proof.rid))
        # Random, so that no two calls are the same bytes.
        standing = self._parts.replay.claim(
            key, secrets.token_bytes(32), now_ms + 2 * WINDOW_MS, now_ms
        )
        if not isinstance(standing, First):
            raise Refusal(Reason.REPLAYED)
        self._parts.replay.spend(standing)

    def _signed(
        self, caller: LegacySystem, service: LegacyService, body: bytes, proof: Proof, now_ms: int
    ) -> bytes:
        """Return the message that says what was read, signed with the key registered for it.

        Raises:
            Refusal: `STATEMENT_MALFORMED`.
        """
        members = _parse_content(body)
        header = Header(
            request_id=request_id_of(caller, proof.rid),
            sender=caller.system_id,
            receiver=self._parts.system_id,
            method=METHOD,
            issued_at_ms=now_ms,
            expires_at_ms=now_ms + MAX_LIFE_MS,
            commitment_salt=secrets.token_bytes(32),
            retries=None,
        )
        purpose = Purpose(
            matter=service.matter,
            legal_basis=service.legal_basis,
            case_number=members["bjbh"],
            officer_assertion=None,
        )
        subject = Subject(
            type=service.subject, identifier=members["zjhm"], full_name=members["xm"] or None
        )
        return sign_statement(caller.signer, header, purpose, subject, service.query)


def _parse_content(body: bytes) -> dict[str, str]:
    """Return `zjhm`, `xm` and `bjbh` of `{"zjhm": "…", "xm": "…", "bjbh": "…"}`."""
    try:
        members = parse_json_strict(body, _LIMITS)
    except Malformed as error:
        raise Refusal(Reason.STATEMENT_MALFORMED, diagnostics=error.what) from error
    if not isinstance(members, dict) or members.keys() != _MEMBERS:
        raise Refusal(Reason.STATEMENT_MALFORMED, diagnostics="members")
    texts = {name: text for name, text in members.items() if isinstance(text, str)}
    if texts.keys() != _MEMBERS:
        raise Refusal(Reason.STATEMENT_MALFORMED, diagnostics="member that is no text")
    return texts
