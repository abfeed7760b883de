"""Enrols a newcomer in a sandbox: own keys, certification requests, certificates, registry, case.

The newcomer's side makes keys and asks; the authority's side believes nothing but the proof of
possession in each request. The running gateway takes the new registry up by itself.

INVARIANT: a private key leaves the newcomer's side only encrypted, into his identity directory.
INVARIANT: the registry is written last, so that a seat is taken only by an enrolment that is whole.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from adapters.port import Subject, SubjectType
from adapters.simulators.population import Planted, planted
from certs.algorithms import PrivateKey, Suite, generate_private_key
from certs.authority import Authority, TlsPurpose
from certs.certificate import Certificate, parse_certificate
from certs.errors import CertsError
from certs.naming import SubjectName
from certs.pem import parse_single
from certs.registry_file import (
    KeyPurpose,
    KeyRecord,
    KeyState,
    OrganisationKind,
    OrganisationRecord,
    RegistryDocument,
    SystemClass,
    SystemRecord,
    SystemRole,
)
from certs.signing_request import build_signing_request, parse_signing_request
from certs.trust_directory import load_trust_directory, store_trust_directory
from certs.trust_material import TrustMaterial
from gateway.access_log.note import encode_verifier_key
from gateway.catalog.problems import PolicyRefused
from gateway.cli.agreement_hints import hints_of
from gateway.cli.room import find_obstacle
from gateway.cli.sandbox.authority import LIFETIME, load_authority
from gateway.cli.sandbox.folders import Folders, load_address
from gateway.cli.sandbox.partners import note_identity
from gateway.cli.sandbox.seats import MATTER, NEWCOMER, SEATS, seat_system
from gateway.cli.sandbox.simulated import PREFIXES
from gateway.cli.sandbox.world import DIVISION, ED25519_BYTES
from gateway.cli.told import CommandReason, Told
from gateway.config import Config, load_config
from gateway.credentials import ConfigError, load_credential
from gateway.policy.bundle import Bundle
from gateway.policy.delivery import open_delivery
from gateway.policy.ports import CaseRecord, CaseState, Relation
from gateway.policy.ports_sqlite import require_key
from gateway.wiring import load_policy
from hutong.client import (
    IdentityMaterial,
    IdentityRefused,
    KeyPair,
    NotWritten,
    write_identity,
)
from hutong.client.identity_file import IdentityFile
from hutong.client.identity_writer import remove_identity
from signing.errors import SigningError

_UNREADABLE: Final = (CertsError, SigningError, ConfigError, PolicyRefused, OSError)
"""What reading a file of a sandbox is refused with; anything else is a fault of ours."""
SUBJECT_OF_SEAT: Final = "ordinary_graduate"
"""The planted person whose case every newcomer handles (docs/population.md)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """What a newcomer needs to ask his first question."""

    identity: Path
    system_id: str
    case_number: str
    person: Planted
    agreements: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Office:
    """The authority's side of an enrolment."""

    authority: Authority
    at: datetime

    def certify(self, usage: KeyPurpose, request: bytes) -> Certificate:
        """Issue a certificate for a request whose proof of possession holds."""
        proven = parse_signing_request(request)
        subject = SubjectName(common_name=f"sandbox {usage}", organisation=NEWCOMER)
        since = self.at - timedelta(minutes=30)
        if usage is KeyPurpose.TLS:
            return self.authority.issue_tls(
                subject, proven, TlsPurpose.CLIENT, at=since, lifetime=LIFETIME
            )
        return self.authority.issue_signing(subject, proven, usage, at=since, lifetime=LIFETIME)


@dataclass(frozen=True, slots=True, kw_only=True)
class _World:
    """What an enrolment reads of a sandbox."""

    address: str
    config: Config
    bundle: Bundle
    office: _Office
    trusted: TrustMaterial
    tls_authority: Certificate
    gateway_envelope: Certificate
    log_key: str
    record_certificates: dict[str, tuple[Certificate, ...]]
    """By USCC of the provider."""


def enrol(slug: str, folders: Folders, identity: Path, at: datetime) -> Enrolled:
    """Enrol a newcomer in one of the seats of a running sandbox.

    Raises:
        Told: SEAT_UNKNOWN, SEAT_TAKEN, SANDBOX_NOT_RUNNING, SANDBOX_UNREADABLE,
            IDENTITY_FOLDER_IN_USE; then the seat is as free as before, and no identity is written.
    """
    if slug not in SEATS:
        raise Told(CommandReason.SEAT_UNKNOWN, ", ".join(SEATS))
    world = _load_world(folders, at)
    _require_free(world.trusted, slug)
    _require_room(identity)
    with _unusable(folders.root, CertsError, SigningError):
        pairs = {
            usage: _certified(world.office, usage)
            for usage in (KeyPurpose.TLS, KeyPurpose.ENVELOPE, KeyPurpose.OFFICER)
        }
    system_id = seat_system(slug)
    written = _write(identity, _material(world, system_id, pairs))
    with contextlib.ExitStack() as failing:
        # Without the seat the keys are nobody's, and their folder is wanted by the next attempt.
        failing.callback(remove_identity, identity, written)
        person, case_number = _open_case(world.config, slug)
        with _unusable(folders.root, OSError):
            note_identity(folders, identity)
        _store(folders, world.trusted, _registered(world.trusted, slug, pairs, at))
        failing.pop_all()
    return Enrolled(
        identity=identity,
        system_id=system_id,
        case_number=case_number,
        person=person,
        agreements=tuple(each.number for each in world.bundle.list_agreements(system_id)),
    )


def _load_world(folders: Folders, at: datetime) -> _World:
    """Read everything an enrolment needs before any of it is used.

    Raises:
        Told: SANDBOX_NOT_RUNNING, SANDBOX_UNREADABLE.
    """
    address = load_address(folders)
    with _unusable(folders.root, *_UNREADABLE):
        config = load_config(folders.config)
        bundle = load_policy(config)
        log = _load(folders.gateway / "log.crt")
        return _World(
            address=address,
            config=config,
            bundle=bundle,
            office=_Office(authority=load_authority(folders.authority), at=at),
            trusted=load_trust_directory(folders.trust),
            tls_authority=_load(folders.authority / "authority.crt"),
            gateway_envelope=_load(folders.gateway / "envelope.crt"),
            log_key=encode_verifier_key(config.log.origin, log.public_key.spki[-ED25519_BYTES:]),
            record_certificates={
                next(
                    dataset.provider
                    for name, dataset in bundle.catalog.datasets.items()
                    if name.startswith(prefix)
                ): (_load(folders.departments / department / "record.crt"),)
                for department, prefix in PREFIXES.items()
            },
        )


@contextlib.contextmanager
def _unusable(where: Path, *faults: type[Exception]) -> Iterator[None]:
    """Turn the faults of one step into the reason, with the file at fault or the place meant.

    Raises:
        Told: SANDBOX_UNREADABLE.
    """
    try:
        yield
    except faults as error:
        named = error.filename if isinstance(error, OSError) else None
        detail = f"{named or where} ({type(error).__name__})"
        raise Told(CommandReason.SANDBOX_UNREADABLE, detail) from error


def _write(identity: Path, material: IdentityMaterial) -> IdentityFile:
    """Write the identity directory.

    Raises:
        Told: IDENTITY_FOLDER_IN_USE; SANDBOX_UNREADABLE where what the sandbox says of itself
            cannot be spelled.
    """
    try:
        with _unusable(identity, IdentityRefused):
            return write_identity(identity, material)
    except (NotWritten, OSError) as error:
        raise Told(CommandReason.IDENTITY_FOLDER_IN_USE, str(identity)) from error


def _store(folders: Folders, before: TrustMaterial, after: TrustMaterial) -> None:
    """Write the registry, or leave it as it was as far as the disk lets.

    Raises:
        Told: SANDBOX_UNREADABLE.
    """
    with _unusable(folders.trust, OSError):
        try:
            store_trust_directory(after, folders.trust)
        except OSError:
            # Half of it may be there: the registry, and not yet the manifest that makes it count.
            with contextlib.suppress(OSError):
                store_trust_directory(before, folders.trust)
            raise


def _certified(office: _Office, usage: KeyPurpose) -> KeyPair:
    """Make a key, prove its possession, and return it with its certificate."""
    key: PrivateKey = generate_private_key(Suite.ES256)
    subject = SubjectName(common_name=f"newcomer {usage}", organisation=NEWCOMER)
    certificate = office.certify(usage, build_signing_request(key, subject))
    return KeyPair(private_key=key, certificate=certificate)


def _require_free(material: TrustMaterial, slug: str) -> None:
    """Refuse a seat that somebody has.

    Raises:
        Told: SEAT_TAKEN.
    """
    taken = (
        system.slug
        for each in material.registry.organisations
        if each.uscc == NEWCOMER
        for system in each.systems
    )
    if slug in taken:
        raise Told(CommandReason.SEAT_TAKEN, slug)


def _require_room(identity: Path) -> None:
    """Make the folder of an identity before a seat is taken that could not be told about.

    Raises:
        Told: IDENTITY_FOLDER_IN_USE.
    """
    if find_obstacle(identity) is not None:
        raise Told(CommandReason.IDENTITY_FOLDER_IN_USE, str(identity))


def _registered(
    material: TrustMaterial, slug: str, pairs: dict[KeyPurpose, KeyPair], at: datetime
) -> TrustMaterial:
    """Return the trust directory with the newcomer in it, one sequence number higher."""
    known = {each.uscc: each for each in material.registry.organisations}
    organisation = known.get(NEWCOMER) or OrganisationRecord(
        uscc=NEWCOMER,
        name_zh="新接入单位（模拟）",
        name_en="Simulated newcomer",
        kind=OrganisationKind.DEPARTMENT,
        keys=(),
        systems=(),
    )
    record = SystemRecord(
        slug=slug,
        system_class=SystemClass.GRPC,
        roles=frozenset({SystemRole.REQUESTER}),
        keys=tuple(_record(usage, pairs) for usage in (KeyPurpose.TLS, KeyPurpose.ENVELOPE)),
    )
    known[NEWCOMER] = replace(
        organisation,
        keys=(*organisation.keys, _record(KeyPurpose.OFFICER, pairs)),
        systems=(*organisation.systems, record),
    )
    registry = RegistryDocument(organisations=tuple(known[uscc] for uscc in sorted(known)))
    return replace(material, sequence=material.sequence + 1, issued_at=at, registry=registry)


def _record(usage: KeyPurpose, pairs: dict[KeyPurpose, KeyPair]) -> KeyRecord:
    certificate = pairs[usage].certificate
    return KeyRecord(
        usage=usage,
        certificate=certificate,
        state=KeyState.ACTIVE,
        not_before=certificate.not_before,
        not_after=certificate.not_after,
    )


def _open_case(config: Config, slug: str) -> tuple[Planted, str]:
    """Open a case of the newcomer's organisation for a planted person.

    Raises:
        Told: SANDBOX_UNREADABLE.
    """
    person = next(each for each in planted() if each.name_of_case == SUBJECT_OF_SEAT)
    number = f"SB-{slug}-{person.index:06d}"
    subject = Subject(type=SubjectType.RESIDENT_ID, identifier=person.id_number)
    case = CaseRecord(
        state=CaseState.OPEN,
        matter=MATTER,
        organisation=NEWCOMER,
        division=DIVISION,
        relation=Relation.APPLICANT,
        in_investigation=False,
        special_grade=False,
    )
    with _unusable(config.registers_key_file, ConfigError, ValueError):
        key = load_credential(config.registers_key_file)
        require_key(key)
    # Opening a case once more replaces it: an enrolment that fails after this leaves nothing amiss.
    with (
        _unusable(config.registers, sqlite3.Error, OSError),
        open_delivery(config.registers, key) as delivery,
    ):
        delivery.add_case(number, case, ((subject, Relation.APPLICANT),))
    return person, number


def _material(world: _World, system_id: str, pairs: dict[KeyPurpose, KeyPair]) -> IdentityMaterial:
    """Return the enrolment bundle: own keys, and whose signatures to believe."""
    return IdentityMaterial(
        system_id=system_id,
        gateway_id=world.config.system_id,
        address=world.address,
        tls_server_name="localhost",
        tls=pairs[KeyPurpose.TLS],
        tls_authorities=(world.tls_authority,),
        envelope=pairs[KeyPurpose.ENVELOPE],
        officer=pairs[KeyPurpose.OFFICER],
        gateway_certificates=(world.gateway_envelope,),
        log_key=world.log_key,
        record_certificates=world.record_certificates,
        agreements=hints_of(world.bundle, system_id),
    )


def _load(path: Path) -> Certificate:
    return parse_certificate(parse_single(path.read_bytes(), "CERTIFICATE"))
