"""From configuration to parts: keys opened, departments named, nothing started.

Each function turns one section of the configuration into one value; `app` strings them together.
"""

import json
import os
import sqlite3
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Final

from adapters.kinds.education import ClientIdentity
from adapters.kinds.hrss import HrssAdapter
from adapters.kinds.public_security import ServiceIdentity
from adapters.port import DatasetName, EndUser, ProviderAdapter
from adapters.records import RecordSource
from adapters.registry import (
    AdapterRegistry,
    Department,
    EducationDepartment,
    HrssDepartment,
    HttpFace,
    PublicSecurityDepartment,
)
from certs.certificate import parse_certificate
from certs.pem import parse_pem, parse_single
from certs.trust_store import TrustStore, load_trust_store
from gateway.access_log.epochs import EpochKeys
from gateway.catalog import Catalog
from gateway.child import load_form
from gateway.compute.apart import ComputeApart
from gateway.compute.department import ApartDepartment
from gateway.compute.here import ComputeHere
from gateway.compute.protocol import PACKAGE, Begin
from gateway.config import (
    Config,
    ConfigError,
    DepartmentsConfig,
    EducationConfig,
    HrssConfig,
    KeyConfig,
    PublicSecurityConfig,
    load_credential,
)
from gateway.policy.bundle import Bundle, load_bundle
from gateway.policy.ports_sqlite import SqliteRegisters
from gateway.rpc.server import TlsMaterial
from signing.signer import FileSigner, Signer, load_key_file

CERTIFICATE: Final = "CERTIFICATE"


def load_signer(config: KeyConfig) -> FileSigner:
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


def load_tls(config: KeyConfig, roots: bytes) -> TlsMaterial:
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


def load_trust(config: Config) -> TrustStore:
    """Return the store of whom to believe.

    Raises:
        ConfigError: it believes a sandbox, and this gateway is none.
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


def load_policy(config: Config) -> Bundle:
    """Return the bundle whose digest the configuration pins.

    Raises:
        PolicyRefused: with every problem found.
    """
    return load_bundle(
        config.policy,
        date.fromisoformat(config.policy_start_date),
        pinned=bytes.fromhex(config.policy_digest),
    )


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


def load_departments(
    config: DepartmentsConfig, catalog: Catalog, matters: Mapping[str, str]
) -> list[Department]:
    """Return the departments this gateway is connected to."""
    departments: list[Department] = []
    if config.education is not None:
        departments.append(_education(config.education, catalog))
    if config.public_security is not None:
        departments.append(_public_security(config.public_security, catalog, matters))
    if config.hrss is not None:
        departments.append(_hrss(config.hrss, catalog))
    return departments


def _education(config: EducationConfig, catalog: Catalog) -> EducationDepartment:
    datasets = _served(catalog, "edu.")
    return EducationDepartment(
        source=_source(catalog, datasets, config.record_key),
        datasets=datasets,
        face=HttpFace(base_url=config.base_url),
        identity=ClientIdentity(
            client_id=config.client_id, issuer=config.issuer, signer=load_signer(config.client_key)
        ),
    )


def _public_security(
    config: PublicSecurityConfig, catalog: Catalog, matters: Mapping[str, str]
) -> PublicSecurityDepartment:
    # ps.photo_compare has no operation in the department's manual: it stays unconnected.
    datasets = _served(catalog, "ps.") - {DatasetName("ps.photo_compare@1")}
    return PublicSecurityDepartment(
        source=_source(catalog, datasets, config.record_key),
        datasets=datasets,
        face=HttpFace(base_url=config.base_url),
        identity=ServiceIdentity(
            sid=config.sid,
            app_key=load_credential(config.app_key_file).decode("utf-8"),
            user=config.user,
            password=load_credential(config.password_file).decode("utf-8"),
            ministry=config.ministry,
            origin_system=config.origin_system,
            business_system=config.business_system,
            matter_names=matters,
            system_user=_system_user(config.system_user_file),
        ),
    )


def _hrss(config: HrssConfig, catalog: Catalog) -> HrssDepartment:
    datasets = _served(catalog, "hr.")
    return load_hrss(config, _provider(catalog, datasets), datasets)


def load_hrss(
    config: HrssConfig, organisation: str, datasets: frozenset[DatasetName]
) -> HrssDepartment:
    """Return the department's own tables, with the key that signs their records."""
    return HrssDepartment(
        source=RecordSource(organisation=organisation, signer=load_signer(config.record_key)),
        datasets=datasets,
        database=config.database,
    )


def _system_user(path: Path | None) -> EndUser | None:
    if path is None:
        return None
    try:
        members = json.loads(load_credential(path))
        return EndUser(
            name=str(members["name"]),
            identifier=str(members["identifier"]),
            unit=str(members["unit"]),
            unit_code=str(members["unit_code"]),
            call_reason=str(members["call_reason"]),
        )
    except (ValueError, KeyError, TypeError):
        # from None: the cause would repeat what the file holds.
        raise ConfigError("public_security.system_user_file: not the expected JSON") from None


def _served(catalog: Catalog, prefix: str) -> frozenset[DatasetName]:
    return frozenset(name for name in catalog.datasets if name.startswith(prefix))


def _source(catalog: Catalog, datasets: frozenset[DatasetName], key: KeyConfig) -> RecordSource:
    return RecordSource(organisation=_provider(catalog, datasets), signer=load_signer(key))


def _provider(catalog: Catalog, datasets: frozenset[DatasetName]) -> str:
    providers = {catalog.datasets[name].provider for name in datasets}
    # One key signs for one department: two of them behind one source would share a signature.
    if len(providers) != 1:
        raise ConfigError("departments: datasets of one kind have one provider in the catalog")
    return providers.pop()
