"""Builds one gateway from its configuration, starts it and ends it; keys are read in `wiring`.

INVARIANT: nothing is served before the log has been re-derived, open asks have been closed as
interrupted, and the durable request ids of earlier processes are known.
"""

import asyncio
import contextlib
import sqlite3
import time
from dataclasses import dataclass, field
from typing import Final

import grpc
import structlog
from aiohttp import web

from adapters.registry import AdapterRegistry, build_registry
from certs.errors import CertsError
from certs.identity import SystemId
from certs.trust_store import TrustStore
from gateway.access_log.epochs import EpochKeys
from gateway.access_log.errors import AccessLogError
from gateway.access_log.intake import QueueLimits
from gateway.access_log.log import AccessLog, LogOptions
from gateway.clock import Clock, SystemClock
from gateway.compute.apart import ComputeApart
from gateway.compute.port import Compute
from gateway.config import Config
from gateway.credentials import ConfigError, load_credential
from gateway.deciding import Deciding
from gateway.errors import GatewayError
from gateway.exchange import Exchange
from gateway.exits import Exits
from gateway.interrupted import Interrupted, close_open_asks
from gateway.log_key import describe_log, load_log_signer
from gateway.looks import Looks
from gateway.lookup import Lookup
from gateway.matter import Matter
from gateway.metrics import Metrics, MetricsObserver
from gateway.model import EntryDraft, Logged
from gateway.parts import Parts
from gateway.policy.bundle import Bundle
from gateway.policy.facts import Registers
from gateway.policy.ports_sqlite import SqliteRegisters
from gateway.quota import BurstLimit, BurstLimiter, InFlight
from gateway.replay import SPACE, ReplayGuard
from gateway.rooms import Rooms
from gateway.rpc.admin import LookSocket, socket_beside
from gateway.rpc.departments import Departments
from gateway.rpc.health import Health, build_health_app
from gateway.rpc.health_parts import describe_parts
from gateway.rpc.server import TlsMaterial, add_reflection, build_server, credentials
from gateway.rpc.services import Services, build_handlers
from gateway.wiring import (
    build_compute,
    connect,
    describe_link,
    describe_means,
    list_at_nodes,
    load_epoch_keys,
    load_policy,
    load_signer,
    load_tls,
    load_trust,
    open_registers,
    require_own_origin,
    stamp_of,
    want_process,
)
from signing.errors import SigningError

TICK_S: Final = 60.0
"""A `tick` is appended when nothing was for this long (access-log.md (c))."""
HOUSEKEEPING_S: Final = 1.0
LAST_MS: Final = 2**53 - 1
"""A time behind every window: at the end, whatever was rolled up is logged."""
DRAIN_S: Final = 10.0
"""How long calls under way may take to end when the gateway stops."""
_log: Final = structlog.get_logger("app")


class TimedLog:
    """The access log, with the time until an entry is durable observed."""

    def __init__(self, log: AccessLog, metrics: Metrics) -> None:
        self._log = log
        self._seconds = metrics.log_append_seconds

    async def append(self, draft: EntryDraft) -> Logged:
        """Return once the entry is durable."""
        return await self.begin(draft)

    def begin(self, draft: EntryDraft) -> "asyncio.Future[Logged]":
        """Return what becomes of the entry."""
        started = time.monotonic()

        def observe(appending: "asyncio.Future[Logged]") -> None:
            # A refused or cancelled entry was never durable: its time says nothing of the disk.
            if not appending.cancelled() and appending.exception() is None:
                self._seconds.observe(time.monotonic() - started)

        appending = self._log.begin(draft)
        appending.add_done_callback(observe)
        return appending


@dataclass(slots=True, kw_only=True)
class Gateway:
    """A built gateway: ports bound by `start`, everything ended by `stop`."""

    config: Config
    server: grpc.aio.Server
    log: AccessLog
    trust: TrustStore
    exchange: Exchange
    exits: Exits
    registry: AdapterRegistry
    registers: SqliteRegisters
    clock: Clock
    metrics: Metrics
    health: Health
    departments: Departments
    looks: LookSocket
    interrupted: Interrupted
    compute: Compute
    port: int = 0
    health_port: int = 0
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _runner: web.AppRunner | None = None
    _trust_stamp: frozenset[tuple[str, int, int]] = frozenset()
    _changed_tls: TlsMaterial | None = None

    async def start(self) -> None:
        """Close what an earlier process left open, bind both ports, begin to serve.

        Raises:
            ConfigError: an address cannot be bound.
            LogRefused, LogCorrupted, LogUnavailable: the process that writes the log did not begin.
        """
        await self.log.start()
        # Before the port is bound: the first message may already retry an interrupted request.
        await close_open_asks(self.log, self.interrupted)
        if isinstance(self.compute, ComputeApart):
            self.compute.start()
        self.registry.begin()
        serving = credentials(self._load_tls(), self._take_changed_tls)
        try:
            self.port = self.server.add_secure_port(self.config.listen, serving)
        except RuntimeError as error:
            # grpc names no cause; a port in use is the commonest.
            raise ConfigError(f"listen: {self.config.listen} cannot be bound") from error
        await self.server.start()
        self._runner = web.AppRunner(build_health_app(self.health, self.metrics, self.departments))
        await self._runner.setup()
        host, _, port = self.config.health_listen.rpartition(":")
        site = web.TCPSite(self._runner, host, int(port))
        await site.start()
        self.health_port = _bound_port(self._runner)
        await self.looks.start()
        self._tasks.append(asyncio.create_task(self._keep_house()))

    async def stop(self) -> None:
        """Refuse new calls, let those under way end, close everything."""
        await self.server.stop(DRAIN_S)
        # The server cancels its handlers, not the walks behind them: each `ask` still gets its
        # `answer`.
        await self.exchange.drain()
        for task in self._tasks:
            task.cancel()
        # However a task ended, the rest is closed.
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with contextlib.suppress(AccessLogError):
            await self.exits.flush(LAST_MS)
        if self._runner is not None:
            await self._runner.cleanup()
        await self.looks.stop()
        if isinstance(self.compute, ComputeApart):
            await self.compute.stop()
        await self.registry.close()
        await self.log.stop()
        self.registers.close()

    async def _keep_house(self) -> None:
        """Flush rolled-up refusals, reload trust, write signs of life."""
        size, since = self.log.size, time.monotonic()
        while True:
            await asyncio.sleep(HOUSEKEEPING_S)
            # Whatever stops one turn, the next is tried: a housekeeper that dies takes reloading
            # revocations with it, and nobody would notice.
            try:
                await self.exits.flush(self.clock.now_ms())
                if self.log.size != size:
                    size, since = self.log.size, time.monotonic()
                elif time.monotonic() - since >= TICK_S:
                    await self.log.tick()
                await self._reload_what_changed()
            except (AccessLogError, GatewayError, OSError) as error:
                _log.warning("housekeeping", kind=type(error).__name__)
            self.metrics.log_size.set(self.log.size)
            self.metrics.log_process.set(self.log.process_id is not None)

    async def _reload_what_changed(self) -> None:
        stamp = await asyncio.to_thread(self._stamp)
        if stamp != self._trust_stamp:
            # Noted before loading: a store that is refused is reported once and not every second.
            self._trust_stamp = stamp
            await asyncio.to_thread(self._reload_trust)
            await asyncio.to_thread(self._reload_tls)

    def _stamp(self) -> frozenset[tuple[str, int, int]]:
        """Return what changes with the trust directory or the key files of TLS."""
        return stamp_of(self.config.trust) | stamp_of(self.config.tls.key.parent)

    def _reload_tls(self) -> None:
        try:
            self._changed_tls = self._load_tls()
        except (ConfigError, CertsError, SigningError, OSError) as error:
            # A key half written is read again with its next change; handshakes keep the old one.
            _log.error("tls_kept", kind=type(error).__name__)

    def _load_tls(self) -> TlsMaterial:
        return load_tls(self.config.tls, self.trust.snapshot.tls_roots_pem)

    def _take_changed_tls(self) -> TlsMaterial | None:
        """Return TLS material that is newer than what handshakes use, once."""
        changed, self._changed_tls = self._changed_tls, None
        return changed

    def _reload_trust(self) -> None:
        report = self.trust.reload()
        if report.reason is not None:
            _log.error("trust_kept", reason=report.reason, detail=report.detail)


def build_gateway(config: Config, clock: Clock | None = None) -> Gateway:
    """Build every part of a gateway; opens the log, binds no port.

    Raises:
        ConfigError, PolicyRefused, CertificateRefused, KeyFileRefused, LogRefused, LogCorrupted,
        EpochKeyError: what the operator has to mend, named.
    """
    metrics, chosen_clock = Metrics(), clock or SystemClock()
    trust = load_trust(config)
    bundle = load_policy(config)
    log = _open_log(config, chosen_clock)
    registers = open_registers(config)
    link = describe_link(config, lambda: trust)
    means = describe_means(bundle.catalog, bundle.matters, chosen_clock, link=link)
    registry = build_registry(config.departments, means)
    interrupted, keys = Interrupted(), load_epoch_keys(config)
    # Expired ones too: what was open when the process died may have been so for long.
    interrupted.load(log.live_claims(SPACE, 0))
    parts = _build_parts(config, trust, log, metrics, chosen_clock, registry)
    deciding = _build_deciding(config, bundle, registers, keys, interrupted)
    exchange = Exchange(parts, deciding)
    lookup = Lookup(parts=parts, exchange=exchange, deciding=deciding, receipts=log)
    departments = Departments(registry.adapters, metrics, parts.rooms)
    services = Services(
        parts=parts,
        exchange=exchange,
        matter=Matter(parts=parts, exchange=exchange),
        lookup=lookup,
        deciding=deciding,
        log=log,
        connected=frozenset(registry.by_dataset),
        departments=departments,
    )
    # The list of methods is no secret, but reflection parses what strangers send: sandbox only.
    others = (add_reflection,) if config.sandbox else ()
    server = build_server(build_handlers(services, metrics), config.limits, others=others)
    return Gateway(
        config=config,
        server=server,
        log=log,
        trust=trust,
        exchange=exchange,
        exits=parts.exits,
        registry=registry,
        registers=registers,
        clock=chosen_clock,
        metrics=metrics,
        interrupted=interrupted,
        compute=parts.compute,
        looks=_build_looks(config, log, keys, chosen_clock),
        departments=departments,
        health=Health(describe_parts(log, trust, registry, chosen_clock), metrics),
    )


def _open_log(config: Config, clock: Clock) -> AccessLog:
    require_own_origin(config)
    signer = load_log_signer(config.log.signer)
    try:
        return AccessLog.open(
            config.log.database,
            origin=config.log.origin,
            signer=signer,
            clock=clock,
            node=config.system_id,
            options=LogOptions(
                limits=QueueLimits(reserve_bytes=config.log.disk_reserve_bytes),
                apart=describe_log(config.log) if want_process(config.log.process) else None,
            ),
        )
    except sqlite3.Error as error:
        raise ConfigError(f"log.database: {config.log.database}: {error}") from error


def _build_parts(
    config: Config,
    trust: TrustStore,
    log: AccessLog,
    metrics: Metrics,
    clock: Clock,
    registry: AdapterRegistry,
) -> Parts:
    limits, timed = config.limits, TimedLog(log, metrics)
    signer = load_signer(config.envelope_signer)
    compute = build_compute(config, signer, registry, metrics.compute_process.set)
    replay = ReplayGuard(kept_bytes=limits.kept_answer_bytes)
    # A captured request must not become new by our restart.
    replay.load(log.live_claims(SPACE, clock.now_ms()))
    burst = BurstLimit(per_second=limits.calls_per_second_per_system, burst=limits.burst_per_system)
    system_id = SystemId(config.system_id)
    return Parts(
        system_id=system_id,
        clock=clock,
        trust=trust,
        signer=signer,
        compute=compute,
        log=timed,
        exits=Exits(log=timed, signer=signer, system_id=system_id),
        replay=replay,
        in_flight=InFlight(limits.in_flight, limits.in_flight_per_system),
        rooms=Rooms(limits.room),
        limiter=BurstLimiter(burst),
        adapters=connect(registry, compute),
        at_nodes=list_at_nodes(registry),
        observer=MetricsObserver(metrics),
    )


def _build_deciding(
    config: Config,
    bundle: Bundle,
    registers: SqliteRegisters,
    keys: EpochKeys,
    interrupted: Interrupted,
) -> Deciding:
    ports = Registers(cases=registers, consents=registers, protected=registers, guardians=registers)
    secret = load_credential(config.pseudonym_secret_file)
    return Deciding(bundle, ports, keys, secret, interrupted)


def _build_looks(config: Config, log: AccessLog, keys: EpochKeys, clock: Clock) -> LookSocket:
    # The same keys as the exchange's: two readers of that file would draw two keys for one quarter.
    looks = Looks(log=log, keys=keys, system_id=config.system_id, clock=clock)
    return LookSocket(socket_beside(config.log.database), looks)


def _bound_port(runner: web.AppRunner) -> int:
    """Return the port the system chose where the configuration says 0."""
    addresses = [address for address in runner.addresses if isinstance(address, tuple)]
    return int(addresses[0][1])
