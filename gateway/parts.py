"""What the path is built from, handed in once by `app`: ports and values, no globals."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from adapters.port import DatasetName, ProviderAdapter
from certs.identity import SystemId
from certs.trust_store import TrustStore
from gateway.clock import Clock
from gateway.compute.port import Compute
from gateway.exits import Exits
from gateway.model import EntryDraft, Logged
from gateway.quota import BurstLimiter, InFlight
from gateway.replay import ReplayGuard
from gateway.rooms import Rooms
from signing.signer import Signer

if TYPE_CHECKING:
    import asyncio


class Log(Protocol):
    """The access log, as far as the path needs it."""

    async def append(self, draft: EntryDraft) -> Logged:
        """Return once the entry is durable; raises what `gateway.access_log.errors` lists."""
        ...

    def begin(self, draft: EntryDraft) -> "asyncio.Future[Logged]":
        """Return what becomes of the entry; raises and fails as `append`."""
        ...


class Observer(Protocol):
    """Who counts what happened; the core knows no metrics library."""

    def asked(self, provider: str, outcome: str, seconds: float) -> None:
        """Count one question to a department."""
        ...

    def turned_away(self, provider: str) -> None:
        """Count one question that found the department's room full."""
        ...

    def distrusted(self, provider: str, cause: str, count: int) -> None:
        """Count what was dropped or discarded."""
        ...

    def doubted(self, problem: str) -> None:
        """Count one doubt about a subject's identifier that refuses nothing."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Everything the path works with."""

    system_id: SystemId
    clock: Clock
    trust: TrustStore
    signer: Signer
    compute: Compute
    log: Log
    exits: Exits
    replay: ReplayGuard
    in_flight: InFlight
    rooms: Rooms
    limiter: BurstLimiter
    adapters: Mapping[DatasetName, ProviderAdapter] = field(repr=False)
    observer: Observer
    at_nodes: frozenset[DatasetName] = frozenset()
    """The datasets whose departments hold their own key; nobody else's record of them is taken."""
