"""Enrols a newcomer in a sandbox: own keys, certification requests, certificates, registry, case.

The newcomer's side makes keys and asks; the authority's side believes nothing but the proof of
possession in each request. The running gateway takes the new registry up by itself.

INVARIANT: a private key leaves the newcomer's side only encrypted, into his identity directory.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from adapters.port import Subject, SubjectType
from adapters.simulators.population import Planted, planted
from certs.algorithms import PrivateKey, Suite, generate_private_key
from certs.authority import Authority, TlsPurpose
from certs.certificate import Certificate, parse_certificate
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
from gateway.access_log.note import encode_verifier_key
from gateway.cli.agreement_hints import hints_of
from gateway.cli.ending import Ended, ExitCode
from gateway.cli.sandbox.authority import LIFETIME, load_authority
from gateway.cli.sandbox.folders import Folders, load_address
from gateway.cli.sandbox.partners import note_identity
from gateway.cli.sandbox.seats import MATTER, NEWCOMER, SEATS, seat_system
from gateway.cli.sandbox.world import CONNECTED, DIVISION, ED25519_BYTES
from gateway.config import Config, load_config, load_credential
from gateway.policy.bundle import Bundle
from gateway.policy.delivery import open_delivery
from gateway.policy.ports import CaseRecord, CaseState, Relation
from gateway.wiring import load_policy
from hutong.client import IdentityMaterial, KeyPair, write_identity

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


def enrol(slug: str, folders: Folders, identity: Path, at: datetime) -> Enrolled:
    """Enrol a newcomer in one of the seats of a running sandbox.

    Raises:
        Ended: no such seat, the seat is taken, or no sandbox runs in the folder.
    """
    if slug not in SEATS:
        raise Ended(ExitCode.USAGE, f"seats are {', '.join(SEATS)}")
    address = load_address(folders)
    config = load_config(folders.config)
    bundle = load_policy(config)
    office = _Office(authority=load_authority(folders.authority), at=at)
    pairs = {
        usage: _certified(office, usage)
        for usage in (KeyPurpose.TLS, KeyPurpose.ENVELOPE, KeyPurpose.OFFICER)
    }
    _register(folders, slug, pairs, at)
    person, case_number = _open_case(config, slug)
    system_id = seat_system(slug)
    write_identity(identity, _material(folders, config, bundle, (system_id, address), pairs))
    note_identity(folders, identity)
    return Enrolled(
        identity=identity,
        system_id=system_id,
        case_number=case_number,
        person=person,
        agreements=tuple(each.number for each in bundle.list_agreements(system_id)),
    )


def _certified(office: _Office, usage: KeyPurpose) -> KeyPair:
    """Make a key, prove its possession, and return it with its certificate."""
    key: PrivateKey = generate_private_key(Suite.ES256)
    subject = SubjectName(common_name=f"newcomer {usage}", organisation=NEWCOMER)
    certificate = office.certify(usage, build_signing_request(key, subject))
    return KeyPair(private_key=key, certificate=certificate)


def _register(folders: Folders, slug: str, pairs: dict[KeyPurpose, KeyPair], at: datetime) -> None:
    """Write the trust directory anew, one sequence number higher."""
    material = load_trust_directory(folders.trust)
    known = {each.uscc: each for each in material.registry.organisations}
    organisation = known.get(NEWCOMER) or OrganisationRecord(
        uscc=NEWCOMER,
        name_zh="新接入单位（模拟）",
        name_en="Simulated newcomer",
        kind=OrganisationKind.DEPARTMENT,
        keys=(),
        systems=(),
    )
    if any(system.slug == slug for system in organisation.systems):
        raise Ended(ExitCode.NO, f"the seat {slug} is taken")
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
    grown = replace(material, sequence=material.sequence + 1, issued_at=at, registry=registry)
    store_trust_directory(grown, folders.trust)


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
    """Open a case of the newcomer's organisation for a planted person."""
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
    key = load_credential(config.registers_key_file)
    with open_delivery(config.registers, key) as delivery:
        delivery.add_case(number, case, ((subject, Relation.APPLICANT),))
    return person, number


def _material(
    folders: Folders,
    config: Config,
    bundle: Bundle,
    named: tuple[str, str],
    pairs: dict[KeyPurpose, KeyPair],
) -> IdentityMaterial:
    """Return the enrolment bundle: own keys, and whose signatures to believe."""
    system_id, address = named
    log = _load(folders.gateway / "log.crt")
    providers = {
        department: next(
            dataset.provider
            for name, dataset in bundle.catalog.datasets.items()
            if name.startswith(prefix)
        )
        for prefix, department in CONNECTED.items()
    }
    return IdentityMaterial(
        system_id=system_id,
        gateway_id=config.system_id,
        address=address,
        tls_server_name="localhost",
        tls=pairs[KeyPurpose.TLS],
        tls_authorities=(_load(folders.authority / "authority.crt"),),
        envelope=pairs[KeyPurpose.ENVELOPE],
        officer=pairs[KeyPurpose.OFFICER],
        gateway_certificates=(_load(folders.gateway / "envelope.crt"),),
        log_key=encode_verifier_key(config.log.origin, log.public_key.spki[-ED25519_BYTES:]),
        record_certificates={
            provider: (_load(folders.departments / department / "record.crt"),)
            for department, provider in providers.items()
        },
        agreements=hints_of(bundle, system_id),
    )


def _load(path: Path) -> Certificate:
    return parse_certificate(parse_single(path.read_bytes(), "CERTIFICATE"))
