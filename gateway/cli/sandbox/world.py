"""Builds a sandbox in a folder: keys, registry, policy, departments' files, configuration."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

from adapters.port import PROVIDER_SLUG
from certs.algorithms import Suite
from certs.authority import TlsPurpose
from certs.registry_file import (
    KeyPurpose,
    KeyRecord,
    OrganisationKind,
    OrganisationRecord,
    RegistryDocument,
    SystemClass,
    SystemRecord,
    SystemRole,
)
from certs.revocation import parse_crl
from certs.sm2.health import examine_sm2
from certs.trust_directory import store_trust_directory
from certs.trust_material import TrustMaterial
from gateway.access_log.note import encode_verifier_key
from gateway.cli.sandbox.authority import MadeKey, SandboxAuthority, store_authority
from gateway.cli.sandbox.folders import Folders
from gateway.cli.sandbox.provinces import HOME, Province
from gateway.cli.sandbox.seats import NEWCOMER
from gateway.cli.sandbox.simulated import SIMULATED
from gateway.policy.bundle import Bundle, load_bundle

GATEWAY_SLUG: Final = "gateway"
CLIENT_TLS: Final = "node-tls"
"""The gateway's key towards provider nodes."""
ED25519_BYTES: Final = 32
"""A raw public key (RFC 8032 5.1.5), which ends its SubjectPublicKeyInfo."""
DIVISION: Final = "370102"
"""GB/T 2260 code of the county that accepts every case of the sandbox."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Partner:
    """One requesting system and its keys."""

    system_id: str
    tls: MadeKey
    envelope: MadeKey


@dataclass(slots=True, kw_only=True)
class World:
    """Everything made before anything runs."""

    province: Province
    folders: Folders
    authority: SandboxAuthority
    bundle: Bundle
    bundle_path: Path
    start_date: date
    gateway_keys: Mapping[str, MadeKey] = field(repr=False)
    record_keys: Mapping[str, MadeKey] = field(repr=False)
    """By name of the department."""
    officers: dict[str, MadeKey] = field(repr=False)
    """By USCC of the organisation."""
    partners: dict[str, Partner] = field(repr=False)
    client_key: MadeKey = field(repr=False)
    node_keys: Mapping[str, Mapping[str, MadeKey]] = field(default_factory=dict, repr=False)
    """TLS and envelope key of each department's node, by its name; none where all are embedded."""
    sequence: int = 1

    @property
    def log_vkey(self) -> str:
        """The log's public key as partners receive it."""
        spki = self.gateway_keys["log"].key.public_key.spki
        return encode_verifier_key(self.province.origin, spki[-ED25519_BYTES:])

    def provider_of(self, department: str) -> str:
        """Return the USCC of a connected department."""
        prefix, datasets = self.province.departments[department], self.bundle.catalog.datasets
        return next(each.provider for name, each in datasets.items() if name.startswith(prefix))


def build_world(
    root: Path,
    at: datetime,
    systems: frozenset[str] | None = None,
    *,
    remote: bool = False,
    province: Province = HOME,
) -> World:
    """Make all keys and files of a sandbox; starts nothing.

    `systems` names the requesting systems that get keys, None all that an agreement names;
    `remote` gives every department a node of its own.
    """
    folders = Folders(root=root)
    folders.make()
    authority = SandboxAuthority.create(at)
    store_authority(authority.authority, folders.authority)
    start_date = at.astimezone(UTC).date()
    path = province.make_bundle(folders.policy)
    bundle = load_bundle(path, start_date)
    world = World(
        province=province,
        folders=folders,
        authority=authority,
        bundle=bundle,
        bundle_path=path,
        start_date=start_date,
        gateway_keys=_gateway_keys(province, authority, folders),
        record_keys={},
        officers={},
        partners={},
        client_key=authority.signing(
            folders.departments / "client", province.hrss, KeyPurpose.ENVELOPE, Suite.ES256
        ),
    )
    world.record_keys = {
        name: authority.signing(
            folders.departments / name,
            world.provider_of(name),
            KeyPurpose.RECORD,
            _record_suite(name),
        )
        for name in province.departments
    }
    if remote:
        world.node_keys = {name: _node_keys(world, name) for name in province.departments}
        # Gateways are servers to partners and clients to nodes: two certificates, two keys.
        client = authority.tls(folders.gateway, province.hrss, TlsPurpose.CLIENT, CLIENT_TLS)
        world.gateway_keys = {**world.gateway_keys, CLIENT_TLS: client}
    every = {row.agreement.system for row in bundle.rows.values()}
    # Newcomers make their own keys when they enrol.
    named = {system for system in every if not system.startswith(f"{NEWCOMER}/")}
    for system in sorted(named if systems is None else named & systems):
        add_partner(world, system)
    store_trust(world, at)
    folders.log_key.write_text(world.log_vkey + "\n", "utf-8")
    return world


def add_partner(world: World, system_id: str) -> Partner:
    """Make the keys of one requesting system, and of its organisation where it has none yet."""
    organisation, _, slug = system_id.partition("/")
    folder = world.folders.root / "keys" / organisation
    if organisation not in world.officers:
        world.officers[organisation] = world.authority.signing(
            folder, organisation, KeyPurpose.OFFICER
        )
    partner = Partner(
        system_id=system_id,
        tls=world.authority.tls(folder / slug, organisation, TlsPurpose.CLIENT),
        envelope=world.authority.signing(folder / slug, organisation, KeyPurpose.ENVELOPE),
    )
    world.partners[system_id] = partner
    return partner


def store_trust(world: World, at: datetime) -> None:
    """Write the trust directory anew, one sequence number higher."""
    authority = world.authority.authority
    material = TrustMaterial(
        sequence=world.sequence,
        issued_at=at - timedelta(minutes=1),
        expires_at=at + timedelta(days=7),
        anchors=(authority.certificate,),
        crls=(parse_crl(authority.crl(at=at, next_update=at + timedelta(days=7))),),
        registry=_registry(world),
    )
    world.sequence += 1
    store_trust_directory(material, world.folders.trust)


def _gateway_keys(
    province: Province, authority: SandboxAuthority, folders: Folders
) -> dict[str, MadeKey]:
    return {
        "tls": authority.tls(folders.gateway, province.hrss, TlsPurpose.SERVER),
        "envelope": authority.signing(folders.gateway, province.hrss, KeyPurpose.ENVELOPE),
        "log": authority.signing(folders.gateway, province.hrss, KeyPurpose.LOG, Suite.EDDSA),
    }


def _record_suite(name: str) -> Suite:
    department = SIMULATED.get(name)
    # A machine without SM2 shows everything else; the health port says what it lacks.
    if department is not None and department.sm2_only and examine_sm2().available:
        return Suite.SM2SM3
    return Suite.ES256


def _node_keys(world: World, name: str) -> dict[str, MadeKey]:
    folder, organisation = world.folders.departments / name, world.provider_of(name)
    return {
        "tls": world.authority.tls(folder, organisation, TlsPurpose.SERVER),
        "envelope": world.authority.signing(folder, organisation, KeyPurpose.ENVELOPE),
    }


def _registry(world: World) -> RegistryDocument:
    """Declare every organisation that has a key."""
    systems: dict[str, list[SystemRecord]] = {}
    gateway = tuple(key.record for key in world.gateway_keys.values())
    systems[world.province.hrss] = [_system(GATEWAY_SLUG, SystemRole.GATEWAY, gateway)]
    for name, key in world.record_keys.items():
        own = tuple(each.record for each in world.node_keys.get(name, {}).values())
        record = _system(PROVIDER_SLUG, SystemRole.PROVIDER, (key.record, *own))
        systems.setdefault(world.provider_of(name), []).append(record)
    for partner in world.partners.values():
        organisation, _, slug = partner.system_id.partition("/")
        keys = (partner.tls.record, partner.envelope.record)
        record = _system(slug, SystemRole.REQUESTER, keys)
        systems.setdefault(organisation, []).append(record)
    return RegistryDocument(
        organisations=tuple(
            _organisation(world, uscc, tuple(own)) for uscc, own in sorted(systems.items())
        )
    )


def _organisation(world: World, uscc: str, systems: tuple[SystemRecord, ...]) -> OrganisationRecord:
    officer = world.officers.get(uscc)
    return OrganisationRecord(
        uscc=uscc,
        name_zh=world.bundle.catalog.providers.get(uscc, f"模拟单位 {uscc}"),
        name_en=f"Simulated organisation {uscc}",
        kind=OrganisationKind.DEPARTMENT,
        keys=() if officer is None else (officer.record,),
        systems=systems,
    )


def _system(slug: str, role: SystemRole, keys: tuple[KeyRecord, ...]) -> SystemRecord:
    is_node = role is SystemRole.PROVIDER and len(keys) > 1
    kind = SystemClass.PROVIDER_NODE if is_node else SystemClass.GRPC
    return SystemRecord(slug=slug, system_class=kind, roles=frozenset({role}), keys=keys)
