"""The core of the running sandbox gateway with parts exchanged: clock, log, departments, registers.

Everything else is the real thing: keys, trust, policy, the access log on disk. The departments here
are spies behind the port, because what matters is what the core does with them.
"""

import asyncio
import dataclasses
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from adapters.port import (
    AdapterHealth,
    BreakerState,
    DatasetName,
    FieldName,
    Lacking,
    Outcome,
    ProviderAdapter,
    Query,
)
from adapters.records import RecordSource, build_outcome
from gateway.access_log.errors import AccessLogError
from gateway.app import Gateway
from gateway.clock import VirtualClock
from gateway.deciding import Deciding
from gateway.exchange import Exchange
from gateway.exits import Exits
from gateway.interrupted import Interrupted
from gateway.lookup import Lookup
from gateway.matter import Matter
from gateway.model import EntryDraft, EntryKind, Logged
from gateway.outcome import Answered, Refused
from gateway.outcome import Outcome as Ended
from gateway.parts import Log, Parts
from gateway.policy.facts import Registers
from gateway.progress import Call
from gateway.quota import BurstLimit, BurstLimiter, InFlight
from gateway.replay import ReplayGuard
from gateway.rooms import Rooms
from gateway.rpc.services import CODES
from gateway.statement.kinds import QuestionKind
from hutong.client import Identity
from hutong.client.requests import SignedRequest
from hutong.exchange.v1 import exchange_pb2
from signing.encoding import parse_b64url
from tests.gateway.asking import call_of, call_with

RAW: dict[str, str] = {
    "full_name": "王守仁",
    "sex": "1",
    "birth_date": "1956-03-15",
    "registered_address": "山东省济南市历下区文化东路1号",
    "person_state": "正常",
    "first_date": "1980-01-01",
    "state": "在保",
}
"""What the spies hold of everybody."""


PLENTY = BurstLimit(per_second=1e6, burst=1_000_000)


@dataclass(slots=True)
class LogDouble:
    """The real log, with a list of what happened and failures on demand."""

    real: Log
    events: list[str]
    failing: dict[EntryKind, AccessLogError] = field(default_factory=dict)
    drafts: list[EntryDraft] = field(default_factory=list)
    slow_to_tell: dict[EntryKind, float] = field(default_factory=dict)
    """Seconds between an entry being durable and its caller being told, by kind."""

    async def append(self, draft: EntryDraft) -> Logged:
        """Append, unless this kind is to fail."""
        failure = self.failing.get(draft.kind)
        if failure is not None:
            raise failure
        logged = await self.real.append(draft)
        self.events.append(draft.kind.value)
        self.drafts.append(draft)
        await asyncio.sleep(self.slow_to_tell.get(draft.kind, 0))
        return logged

    def begin(self, draft: EntryDraft) -> "asyncio.Future[Logged]":
        """Begin to append, unless this kind is to fail."""
        return asyncio.ensure_future(self.append(draft))

    def entries(self, kind: EntryKind) -> list[EntryDraft]:
        """Return the drafts of one kind that became durable."""
        return [draft for draft in self.drafts if draft.kind is kind]


Answering = Callable[[Query], "Outcome | asyncio.Future[Outcome]"]


@dataclass(slots=True)
class SpyAdapter:
    """A department that notes each question; honest unless `twist` answers instead."""

    source: RecordSource
    served: frozenset[DatasetName]
    events: list[str]
    raw: Mapping[str, str] | None = field(default_factory=lambda: dict(RAW))
    twist: "Callable[[SpyAdapter, Query], Outcome] | None" = None
    gate: asyncio.Event | None = None
    queries: list[Query] = field(default_factory=list)
    lacking: Lacking | None = None

    @property
    def organisation(self) -> str:
        """USCC of the department."""
        return self.source.organisation

    @property
    def datasets(self) -> frozenset[DatasetName]:
        """What it serves."""
        return self.served

    @property
    def breaker_state(self) -> BreakerState:
        """Let every question through."""
        return BreakerState.CLOSED

    def find_lacking(self, query: Query) -> Lacking | None:
        """Return what this department is set to miss."""
        del query
        return self.lacking

    async def fetch(self, query: Query) -> Outcome:
        """Note the question, wait at the gate if there is one, and answer."""
        self.events.append("fetch")
        self.queries.append(query)
        if self.gate is not None:
            await self.gate.wait()
        return self.honest(query) if self.twist is None else self.twist(self, query)

    def honest(self, query: Query) -> Outcome:
        """Answer as the department should."""
        raw = self.raw
        if raw is not None:
            names = {shape.name for shape in query.dataset.fields}
            held = {FieldName(name): value for name, value in raw.items() if name in names}
            return build_outcome(self.source, query, held)
        return build_outcome(self.source, query, None)

    async def examine_health(self) -> AdapterHealth:
        """Say that all is well."""
        return AdapterHealth(reachable=True, detail="ok")

    async def close(self) -> None:
        """Hold nothing."""


@dataclass(slots=True)
class Observed:
    """Counts in a list."""

    distrusted_causes: list[str] = field(default_factory=list)
    asked_outcomes: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    turned_away_from: list[str] = field(default_factory=list)

    def asked(self, provider: str, outcome: str, seconds: float) -> None:
        """Note what a department's answer came to."""
        del provider, seconds
        self.asked_outcomes.append(outcome)

    def turned_away(self, provider: str) -> None:
        """Note who was turned away."""
        self.turned_away_from.append(provider)

    def distrusted(self, provider: str, cause: str, count: int) -> None:
        """Note what was dropped."""
        del provider, count
        self.distrusted_causes.append(cause)

    def doubted(self, problem: str) -> None:
        """Note what was doubtful about a subject's identifier."""
        self.doubts.append(problem)


@dataclass(slots=True, kw_only=True)
class Core:
    """A core of its own over the parts of the running gateway."""

    gateway: Gateway
    clock: VirtualClock
    log: LogDouble
    spies: Mapping[str, SpyAdapter]
    events: list[str]
    parts: Parts
    deciding: Deciding
    exchange: Exchange
    matter: Matter
    lookup: Lookup
    observed: Observed

    @property
    def now_ms(self) -> int:
        """The time of this core."""
        return self.clock.now_ms()

    async def ask(
        self,
        identity: Identity,
        request: SignedRequest,
        *,
        method: str = "",
        patience_s: float = 10,
    ) -> Ended:
        """Ask one question."""
        call = call_of(identity, request, method=method, patience_s=patience_s)
        return await self.exchange.answer(call, QuestionKind.EXCHANGE)

    async def ask_bytes(self, identity: Identity, message: bytes) -> Ended:
        """Put given bytes to Exchange."""
        return await self.exchange.answer(call_with(identity, message), QuestionKind.EXCHANGE)

    async def ask_result(self, identity: Identity, request: SignedRequest) -> Ended:
        """Ask for a pending result."""
        call = call_of(identity, request, message_class=exchange_pb2.ResultStatement)
        return await self.exchange.answer(call, QuestionKind.RESULT)

    async def ask_matter(self, identity: Identity, request: SignedRequest) -> Ended:
        """Ask a whole matter."""
        call = call_of(identity, request, message_class=exchange_pb2.MatterStatement)
        return await self.put_matter(call)

    async def put_matter(self, call: Call) -> Ended:
        """Put a call of ExchangeMatter to the core."""
        return await self.matter.answer(call, QuestionKind.MATTER, CODES)

    async def put(self, call: Call, kind: QuestionKind) -> Ended:
        """Put any call to the core."""
        return await self.exchange.answer(call, kind)


def build_core(
    gateway: Gateway,
    sources: Mapping[str, RecordSource],
    *,
    registers: Registers | None = None,
    interrupted: Interrupted | None = None,
    refusals: BurstLimit = PLENTY,
    secret: bytes | None = None,
) -> Core:
    """Build a core with a spy for every dataset of the connected departments."""
    running = gateway.exchange._parts
    deciding = gateway.exchange._deciding
    events: list[str] = []
    log = LogDouble(running.log, events)
    spies, adapters = _spies(gateway, sources, events)
    observed = Observed()
    clock = VirtualClock(gateway.clock.now_ms())
    parts = dataclasses.replace(
        running,
        clock=clock,
        log=log,
        exits=Exits(
            log=log,
            signer=running.signer,
            system_id=running.system_id,
            _budget=BurstLimiter(refusals),
        ),
        replay=ReplayGuard(kept_bytes=1 << 20),
        in_flight=InFlight(512, 256),
        rooms=Rooms(256),
        limiter=BurstLimiter(PLENTY),
        adapters=adapters,
        observer=observed,
    )
    own = Deciding(
        deciding.bundle,
        registers or deciding._registers,
        deciding._tokeniser,
        secret or secrets.token_bytes(32),  # counters of its own: a core starts with fresh quotas
        interrupted or Interrupted(),
    )
    exchange = Exchange(parts, own)
    return Core(
        gateway=gateway,
        clock=clock,
        log=log,
        spies=spies,
        events=events,
        parts=parts,
        deciding=own,
        exchange=exchange,
        matter=Matter(parts=parts, exchange=exchange),
        lookup=Lookup(parts=parts, exchange=exchange, deciding=own, receipts=gateway.log),
        observed=observed,
    )


def _spies(
    gateway: Gateway, sources: Mapping[str, RecordSource], events: list[str]
) -> tuple[dict[str, SpyAdapter], dict[DatasetName, ProviderAdapter]]:
    catalog = gateway.exchange._deciding.bundle.catalog
    spies: dict[str, SpyAdapter] = {}
    adapters: dict[DatasetName, ProviderAdapter] = {}
    for prefix, source in sources.items():
        served = frozenset(name for name in catalog.datasets if name.startswith(prefix))
        spies[prefix] = SpyAdapter(source, served, events)
        adapters |= dict.fromkeys(served, spies[prefix])
    return spies, adapters


def body_of(outcome: Ended) -> exchange_pb2.AnswerBody:
    """Return the body of an answer."""
    assert isinstance(outcome, Answered), outcome
    answer = answer_of(outcome.envelope)
    return exchange_pb2.AnswerBody.FromString(answer.body)


def released_by(body: exchange_pb2.AnswerBody) -> set[str]:
    """Return the names disclosed in the record itself, whatever the body says."""
    parts = body.record.split("~")[1:-1]
    return {json.loads(parse_b64url(part))[1] for part in parts}


def answer_of(signed_envelope: bytes) -> exchange_pb2.Answer:
    """Return the answer inside an encoded envelope."""
    return exchange_pb2.Answer.FromString(_payload(signed_envelope))


def refusal_of(outcome: Refused) -> exchange_pb2.Refusal:
    """Return the signed refusal of an outcome."""
    assert outcome.envelope is not None
    return exchange_pb2.Refusal.FromString(_payload(outcome.envelope))


def _payload(signed_envelope: bytes) -> bytes:
    # Field 1 of `ExchangeResponse` is the envelope, so the wrapper reads it without another type.
    response = exchange_pb2.ExchangeResponse()
    response.answer.ParseFromString(signed_envelope)
    return response.answer.payload
