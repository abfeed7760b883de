"""Builds one provider node from its configuration, starts it and ends it.

INVARIANT: a node starts only with keys that its own trust store registers for it, each for its one
usage: whatever it signed otherwise nobody would believe, and its department would not know why.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

import grpc
import structlog
from aiohttp import web

from adapters.errors import AdapterMisconfigured
from adapters.kind import KeyFiles
from adapters.port import KeepsCopy, ProviderAdapter
from adapters.registry import build_adapter
from certs.certificate import parse_certificate
from certs.errors import CertsError
from certs.identity import SystemId
from certs.pem import parse_pem
from certs.registry_file import KeyPurpose
from certs.trust_store import TrustSnapshot, TrustStore
from gateway.catalog.problems import PolicyRefused
from gateway.clock import Clock, SystemClock
from gateway.credentials import ConfigError, load_credential
from gateway.node.config import NodeConfig
from gateway.node.judging import Holding, Judge
from gateway.node.metrics import NodeMetrics
from gateway.node.server import build_node_handlers, build_node_health
from gateway.node.serving import Node
from gateway.policy.bundle import Bundle
from gateway.rpc.health import Health, Part
from gateway.rpc.server import TlsMaterial, build_server, credentials
from gateway.trust import moment
from gateway.wiring import (
    CERTIFICATE,
    describe_means,
    load_policy,
    load_signer,
    load_tls,
    load_trust,
    stamp_of,
)
from signing.errors import SigningError
from signing.record import Custody

REFUSALS: Final = (
    ConfigError,
    AdapterMisconfigured,
    PolicyRefused,
    CertsError,
    SigningError,
    OSError,
    ValueError,
)
"""What an operator has to mend; each text names the setting or the file."""
HOUSEKEEPING_S: Final = 1.0
DRAIN_S: Final = 10.0
SECRET_BYTES: Final = 32
_log: Final = structlog.get_logger("node")


@dataclass(slots=True, kw_only=True)
class RunningNode:
    """A built node: ports bound by `start`, everything ended by `stop`."""

    config: NodeConfig
    node: Node
    trust: TrustStore
    server: grpc.aio.Server
    health: Health
    metrics: NodeMetrics
    port: int = 0
    health_port: int = 0
    _house: asyncio.Task[None] | None = None
    _runner: web.AppRunner | None = None
    _stamp: frozenset[tuple[str, int, int]] = field(default_factory=frozenset)
    _changed_tls: TlsMaterial | None = None

    async def start(self) -> None:
        """Bind both ports and begin to serve.

        Raises:
            ConfigError: an address cannot be bound.
        """
        serving = credentials(self._load_tls(), self._take_changed_tls)
        try:
            self.port = self.server.add_secure_port(self.config.listen, serving)
        except RuntimeError as error:
            raise ConfigError(f"listen: {self.config.listen} cannot be bound") from error
        await self.server.start()
        self._runner = web.AppRunner(build_node_health(self.health, self.metrics))
        await self._runner.setup()
        host, _, port = self.config.health_listen.rpartition(":")
        try:
            await web.TCPSite(self._runner, host.strip("[]"), int(port)).start()
        except OSError as error:
            text = f"health_listen: {self.config.health_listen} cannot be bound"
            raise ConfigError(text) from error
        addresses = [each for each in self._runner.addresses if isinstance(each, tuple)]
        self.health_port = int(addresses[0][1])
        # Before anybody asks: a copy that is not there yet tells of nobody that he is not in it.
        if isinstance(self.node.adapter, KeepsCopy):
            self.node.adapter.begin()
        self._stamp = self._look()
        self._house = asyncio.create_task(self._keep_house())

    async def stop(self) -> None:
        """Refuse new calls, let those under way end, close everything."""
        await self.server.stop(DRAIN_S)
        if self._house is not None:
            self._house.cancel()
            await asyncio.gather(self._house, return_exceptions=True)
        if self._runner is not None:
            await self._runner.cleanup()
        await self.node.adapter.close()

    async def _keep_house(self) -> None:
        """Take up trust and certificates that changed, once a second."""
        while True:
            await asyncio.sleep(HOUSEKEEPING_S)
            # Whatever stops one turn, the next is tried: a housekeeper that dies takes reloading
            # revocations with it, and nobody would notice.
            turn = asyncio.to_thread(self._reload_what_changed)
            (ended,) = await asyncio.gather(turn, return_exceptions=True)
            if ended is not None:
                _log.warning("housekeeping", kind=type(ended).__name__)

    def _reload_what_changed(self) -> None:
        stamp = self._look()
        if stamp == self._stamp:
            return
        # Noted before loading: what is refused is reported once and not every second.
        self._stamp = stamp
        report = self.trust.reload()
        if report.reason is not None:
            _log.error("trust_kept", reason=report.reason, detail=report.detail)
        try:
            self._changed_tls = self._load_tls()
        except (ConfigError, CertsError, SigningError, OSError) as error:
            _log.error("tls_kept", kind=type(error).__name__)

    def _look(self) -> frozenset[tuple[str, int, int]]:
        return stamp_of(self.config.trust) | stamp_of(self.config.tls.key.parent)

    def _load_tls(self) -> TlsMaterial:
        return load_tls(self.config.tls, self.trust.snapshot.tls_roots_pem)

    def _take_changed_tls(self) -> TlsMaterial | None:
        changed, self._changed_tls = self._changed_tls, None
        return changed


def build_node(config: NodeConfig, clock: Clock | None = None) -> RunningNode:
    """Build every part of a node; binds no port.

    Raises:
        what `REFUSALS` lists.
    """
    chosen, metrics = clock or SystemClock(), NodeMetrics()
    trust, bundle = load_trust(config), load_policy(config)
    require_own_keys(config, trust.snapshot)
    adapter = load_adapter(config, bundle, chosen)
    holding = Holding(
        system_id=SystemId(config.system_id),
        gateways=frozenset(config.gateways),
        trust=trust,
        bundle=bundle,
        datasets=frozenset(map(str, adapter.datasets)),
        pseudonym_secret=load_secret(config),
    )
    signer = load_signer(config.envelope_signer)
    node = Node(
        judge=Judge(holding, chosen),
        adapter=adapter,
        signer=signer,
        clock=chosen,
        metrics=metrics,
        in_flight=config.limits.in_flight,
    )
    return RunningNode(
        config=config,
        node=node,
        trust=trust,
        server=build_server(build_node_handlers(node), config.limits),
        health=Health(_describe_parts(trust, adapter, chosen), metrics),
        metrics=metrics,
    )


def load_adapter(config: NodeConfig, bundle: Bundle, clock: Clock) -> ProviderAdapter:
    """Return the department's adapter, with the department's own key.

    Raises:
        AdapterMisconfigured: the section cannot work, or is of another department than the node.
    """
    means = describe_means(bundle.catalog, bundle.matters, clock, custody=Custody.PROVIDER_NODE)
    adapter = build_adapter(config.kind, config.section, means)
    if adapter.organisation != config.system_id.partition("/")[0]:
        text = f"the catalog gives {config.kind} to {adapter.organisation}"
        raise AdapterMisconfigured(f"system_id: {text}")
    return adapter


def load_secret(config: NodeConfig) -> bytes | None:
    """Return the root of pseudonym keys, where there is one.

    Raises:
        ConfigError: it has not 32 bytes.
    """
    if config.pseudonym_secret_file is None:
        return None
    secret = load_credential(config.pseudonym_secret_file)
    if len(secret) != SECRET_BYTES:
        raise ConfigError(f"pseudonym_secret_file: holds no {SECRET_BYTES} bytes")
    return secret


def require_own_keys(config: NodeConfig, snapshot: TrustSnapshot) -> None:
    """Require that the trust store registers this node's keys, each for its one usage.

    Raises:
        ConfigError: it does not, or it knows none of the gateways.
    """
    system = snapshot.registry.system(config.system_id)
    keys = {
        "envelope_signer": (KeyPurpose.ENVELOPE, load_signer(config.envelope_signer).keyid),
        "tls": (KeyPurpose.TLS, _keyid_of(config.tls)),
        f"department.{config.kind}.record_key": (
            KeyPurpose.RECORD,
            load_signer(config.section.record_key).keyid,
        ),
    }
    for setting, (usage, keyid) in keys.items():
        if system is None or keyid not in system.keys_for(usage):
            text = f"the trust store has no {usage} key {keyid} of {config.system_id}"
            raise ConfigError(f"{setting}: {text}")
    for gateway in config.gateways:
        if snapshot.registry.system(gateway) is None:
            raise ConfigError(f"gateways: {gateway} is not in the trust store")


def find_node_problems(config: NodeConfig) -> Iterator[tuple[str, str]]:
    """Yield what `hutong provide` would refuse, by part; each judged by what builds it."""
    parts: dict[str, Callable[[], object]] = {
        "trust": lambda: load_trust(config),
        "keys": lambda: require_own_keys(config, load_trust(config).snapshot),
        "tls": lambda: load_tls(config.tls, b""),
        "policy": lambda: load_policy(config),
        "department": lambda: load_adapter(config, load_policy(config), SystemClock()),
        "pseudonym_secret_file": lambda: load_secret(config),
    }
    for name, load in parts.items():
        try:
            load()
        except REFUSALS as error:
            yield name, str(error)


def _keyid_of(files: KeyFiles) -> str:
    if files.certificate is None:
        raise ConfigError("tls.certificate: missing")
    blocks = parse_pem(files.certificate.read_bytes(), frozenset({CERTIFICATE}))
    return parse_certificate(blocks[0][1]).public_key.keyid


def _describe_parts(trust: TrustStore, adapter: ProviderAdapter, clock: Clock) -> dict[str, Part]:
    async def look_at_trust() -> str | None:
        return None if moment(clock.now_ms()) < trust.snapshot.expires_at else "expired"

    async def look_at_department() -> str | None:
        found = await adapter.examine_health()
        return None if found.reachable else found.detail

    return {
        "trust": Part(look=look_at_trust, essential=True),
        "department": Part(look=look_at_department, essential=False),
    }
