"""From configuration to parts: keys opened, departments named, nothing started.

Each function turns one section of the configuration into one value; `app` strings them together.
"""

import contextlib
import os
import sqlite3
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Final, Protocol

from adapters.kind import KeyFiles, Means, NodeLink
from adapters.kinds.hrss import HrssAdapter
from adapters.port import DatasetName, ProviderAdapter
from adapters.provider_node import RemoteAdapter
from adapters.registry import AdapterRegistry
from certs.certificate import parse_certificate
from certs.identity import SystemId
from certs.pem import parse_pem, parse_single
from certs.trust_store import TrustStore, load_trust_store
from gateway.access_log.epochs import EpochKeys
from gateway.catalog import Catalog
from gateway.child import load_form
from gateway.clock import Clock
from gateway.compute.apart import ComputeApart
from gateway.compute.department import ApartDepartment
from gateway.compute.here import ComputeHere
from gateway.compute.protocol import PACKAGE, Begin
from gateway.config import Config
from gateway.credentials import ConfigError, load_credential
from gateway.policy.bundle import Bundle, load_bundle
from gateway.policy.ports_sqlite import SqliteRegisters
from gateway.rpc.server import TlsMaterial
from signing.record import Custody
from signing.signer import FileSigner, Signer, load_key_file

CERTIFICATE: Final = "CERTIFICATE"


class TrustSettings(Protocol):
    """Where the trust store lies, whoever reads it."""

    @property
    def trust(self) -> Path:
        """Its folder."""
        ...

    @property
    def sandbox(self) -> bool:
        """Whether the keys are a sandbox's."""
        ...


class PolicySettings(Protocol):
    """Where the policy bundle lies, and which it must be."""

    @property
    def policy(self) -> Path:
        """Its folder."""
        ...

    @property
    def policy_digest(self) -> str:
        """SHA-256 of what it must compile to, in hexadecimal."""
        ...

    @property
    def policy_start_date(self) -> str:
        """The day 启动日 stands for, ISO 8601."""
        ...


def load_signer(config: KeyFiles) -> FileSigner:
    """Return the signer of a key file.

    Raises:
        ConfigError: the passphrase cannot be read.
        KeyFileRefused: the key file is open to others, or the passphrase is wrong.
    """
    certificate = b""
    if config.certificate is not None:
        certificate = parse_single(config.certificate.read_bytes(), CERTIFICATE)
    return FileSigner.load(config.key, load_credential(config.passphrase_file), certificate)


def load_epoch_keys(config: Config) -> EpochKeys:
    """Return the keys under which subjects, cases and officers become search tokens.

    Raises:
        ConfigError: the passphrase cannot be read.
        EpochKeyError: the file cannot be used.
    """
    passphrase = load_credential(config.log.epoch_passphrase_file)
    return EpochKeys.load(config.log.epoch_keys, origin=config.log.origin, passphrase=passphrase)


def load_tls(config: KeyFiles, roots: bytes) -> TlsMaterial:
    """Return what the server presents; `roots` are the anchors clients must chain to.

    Raises:
        ConfigError: no certificate is configured, or it is of another key.
        CertificateRefused: it cannot be read.
    """
    if config.certificate is None:
        raise ConfigError("tls.certificate: missing")
    chain = config.certificate.read_bytes()
    key = load_key_file(config.key, load_credential(config.passphrase_file))
    # grpc would take any pair and bind, and every handshake would fail without a word why.
    leaf = parse_certificate(parse_pem(chain, frozenset({CERTIFICATE}))[0][1])
    if leaf.spki != key.public_key.spki:
        raise ConfigError("tls.certificate: of another key than tls.key")
    return TlsMaterial(private_key=key.encode_pkcs8(None), certificate_chain=chain, roots=roots)


def load_trust(config: TrustSettings) -> TrustStore:
    """Return the store of whom to believe.

    Raises:
        ConfigError: it believes a sandbox, and this process is of none.
        CertificateRefused: it cannot be read, or contradicts itself.
    """
    trust = load_trust_store(config.trust)
    # Its keys lie on developers' machines: whoever holds one could be any department.
    if trust.snapshot.has_sandbox_anchor and not config.sandbox:
        raise ConfigError("trust: holds a sandbox anchor, which serves no real exchange")
    return trust


def require_own_origin(config: Config) -> None:
    """Refuse to write a real log under a sandbox's name.

    Raises:
        ConfigError: that is what the configuration says.
    """
    if config.log.origin.startswith("sandbox.invalid/") and not config.sandbox:
        raise ConfigError("log.origin: a sandbox origin serves no real exchange")


def open_registers(config: Config) -> SqliteRegisters:
    """Return the registers of cases, consents, protected people and guardians.

    Raises:
        ConfigError: the file cannot be opened, or the key cannot be read.
        ValueError: the key has not 32 bytes.
    """
    key = load_credential(config.registers_key_file)
    try:
        return SqliteRegisters.open(config.registers, key)
    except (sqlite3.Error, OSError) as error:
        raise ConfigError(f"registers: {config.registers}: {error}") from error


def load_policy(config: PolicySettings) -> Bundle:
    """Return the bundle whose digest the configuration pins.

    Raises:
        ConfigError: the start date is none.
        PolicyRefused: with every problem found.
    """
    try:
        start_date = date.fromisoformat(config.policy_start_date)
    except ValueError as error:
        raise ConfigError(f"policy_start_date: {error}") from error
    return load_bundle(
        config.policy,
        start_date,
        pinned=bytes.fromhex(config.policy_digest),
    )


def stamp_of(folder: Path) -> frozenset[tuple[str, int, int]]:
    """Return what changes with any file below a folder; reading them all each second would cost."""
    found = set()
    for path in folder.rglob("*"):
        # A file may be renamed between the listing and the look; its new name counts next time.
        with contextlib.suppress(FileNotFoundError):
            state = path.stat()
            found.add((str(path), state.st_mtime_ns, state.st_size))
    return frozenset(found)


def want_process(said: bool | None) -> bool:  # noqa: FBT001 - as the configuration says it
    """Say whether another process is to be started; not said: where there is a core for it."""
    return len(os.sched_getaffinity(0)) > 1 if said is None else said


def build_compute(
    config: Config, signer: Signer, registry: AdapterRegistry, observe: Callable[[bool], None]
) -> ComputeHere | ComputeApart:
    """Return who computes: a second process where the machine has a core for it."""
    here = ComputeHere(signer)
    if not want_process(config.compute_process):
        return here
    own = [each for each in registry.adapters if isinstance(each, HrssAdapter)]
    begin = Begin(
        config=config.model_dump_json(),
        organisation=own[0].organisation if own else "",
        datasets=tuple(sorted(own[0].datasets)) if own else (),
        keyids=(signer.keyid, *(each.keyid for each in own)),
        form=load_form(PACKAGE),
    )
    return ComputeApart(here, begin, observe)


def connect(
    registry: AdapterRegistry, compute: ComputeHere | ComputeApart
) -> Mapping[DatasetName, ProviderAdapter]:
    """Return the adapters by dataset; the one whose tables lie here asks where it is computed."""
    if isinstance(compute, ComputeHere):
        return registry.by_dataset
    return {
        dataset: ApartDepartment(adapter, compute) if isinstance(adapter, HrssAdapter) else adapter
        for dataset, adapter in registry.by_dataset.items()
    }


def describe_link(config: Config, find_trust: Callable[[], TrustStore]) -> NodeLink | None:
    """Return who this gateway is towards provider nodes; None where it asks none.

    Raises:
        as `find_trust`, which is called for a gateway that asks one.
        ConfigError, KeyFileRefused: the envelope key cannot be opened.
    """
    if not config.departments.is_any_remote:
        return None
    trust = find_trust()

    def load_client_tls(files: KeyFiles) -> tuple[bytes, bytes]:
        material = load_tls(files, b"")
        return material.private_key, material.certificate_chain

    return NodeLink(
        gateway=SystemId(config.system_id),
        signer=load_signer(config.envelope_signer),
        snapshot=lambda: trust.snapshot,
        load_tls=load_client_tls,
    )


def list_at_nodes(registry: AdapterRegistry) -> frozenset[DatasetName]:
    """Return the datasets whose records departments sign at nodes of their own."""
    remote = (each for each in registry.adapters if isinstance(each, RemoteAdapter))
    return frozenset(name for each in remote for name in each.datasets)


def describe_means(
    catalog: Catalog,
    matters: Mapping[str, str],
    clock: Clock,
    *,
    link: NodeLink | None = None,
    custody: Custody = Custody.EMBEDDED,
) -> Means:
    """Return what the adapters of this process share."""
    return Means(
        link=link,
        custody=custody,
        providers={name: each.provider for name, each in catalog.datasets.items()},
        matters=matters,
        now_ms=clock.now_ms,
        load_secret=load_credential,
        load_signer=load_signer,
    )
