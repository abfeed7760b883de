"""Writes a trust directory: anchors and CRLs, and who is registered with which keys.

INVARIANT: a key is registered only if it may be relied on now, and none that was revoked.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from certs.certificate import Certificate
from certs.chain import require_current
from certs.errors import CertificateReason, CertificateRefused
from certs.registry_file import (
    SYSTEM_PURPOSES,
    KeyPurpose,
    KeyRecord,
    KeyState,
    OrganisationKind,
    OrganisationRecord,
    RegistryDocument,
    SystemClass,
    SystemRecord,
    SystemRole,
    encode_registry,
    parse_registry,
)
from certs.revocation import Crl
from certs.trust_directory import load_trust_directory
from certs.trust_material import TrustMaterial
from certs.trust_store import build_snapshot
from gateway.cli.ending import Ended, ExitCode
from gateway.cli.partner.directory import changing, store


@dataclass(frozen=True, slots=True, kw_only=True)
class Entering:
    """An organisation, one of its systems, and keys that are to be registered."""

    uscc: str
    name_zh: str
    name_en: str
    kind: OrganisationKind
    slug: str
    """Empty for keys of the organisation itself."""
    role: SystemRole | None
    keys: Mapping[KeyPurpose, Certificate]
    system_class: SystemClass = SystemClass.GRPC
    """Of a new system: how it reaches the gateway."""


def publish(
    folder: Path,
    anchors: tuple[Certificate, ...],
    crls: tuple[Crl, ...],
    at: datetime,
    until: datetime,
) -> TrustMaterial:
    """Add anchors, replace the CRLs of the same issuers, and put off when trust ends.

    Raises:
        CertificateRefused: the result is not good, or a CRL is older than the one held; nothing was
            written.
    """
    with changing(folder):
        held = _load(folder, at)
        _require_newer(held.crls, crls)
        issuers = {crl.issuer_name for crl in crls}
        material = replace(
            held,
            anchors=(*held.anchors, *(each for each in anchors if each not in held.anchors)),
            crls=(*(each for each in held.crls if each.issuer_name not in issuers), *crls),
            expires_at=until,
        )
        return store(folder, material, at)


def _require_newer(held: tuple[Crl, ...], crls: tuple[Crl, ...]) -> None:
    """Refuse what would take a revocation back (RFC 5280 5.2.3: numbers only rise).

    A gateway that serves would refuse it too, but one that starts has nothing to compare it with.
    """
    numbers = {crl.issuer_name: crl.number for crl in held}
    for crl in crls:
        if crl.number < numbers.get(crl.issuer_name, 0):
            raise CertificateRefused(CertificateReason.MALFORMED, "CRL number goes back")


def enter(folder: Path, entering: Entering, at: datetime) -> TrustMaterial:
    """Register keys, and organisation and system where they are new; keys that ended go.

    Raises:
        CertificateRefused: the result is not good, or a key may not be relied on.
        Ended: a name, kind or role is missing for what is new.
    """
    with changing(folder):
        held = load_trust_directory(folder)
        known = {each.uscc: each for each in held.registry.organisations}
        known[entering.uscc] = _entered(known.get(entering.uscc), entering, at)
        registry = RegistryDocument(organisations=tuple(known[uscc] for uscc in sorted(known)))
        # Read back: codes and names that the file's reader refuses are refused before they are
        # written.
        material = replace(held, registry=parse_registry(encode_registry(registry)))
        _require_reliable(material, entering, at)
        return store(folder, material, at)


def _entered(
    known: OrganisationRecord | None, entering: Entering, at: datetime
) -> OrganisationRecord:
    if known is None:
        if not entering.name_zh or not entering.name_en:
            raise Ended(ExitCode.USAGE, "a new organisation needs --name-zh and --name-en")
        known = OrganisationRecord(
            uscc=entering.uscc,
            name_zh=entering.name_zh,
            name_en=entering.name_en,
            kind=entering.kind,
            keys=(),
            systems=(),
        )
    own = bool(entering.slug)
    of_system = {usage for usage in entering.keys if own and usage in SYSTEM_PURPOSES}
    systems = {each.slug: each for each in known.systems}
    if own:
        system = _system(systems.get(entering.slug), entering)
        systems[entering.slug] = replace(
            system, keys=_grown(system.keys, _records(entering, of_system), at)
        )
    keys = _records(entering, entering.keys.keys() - of_system)
    return replace(known, keys=_grown(known.keys, keys, at), systems=tuple(systems.values()))


def _system(known: SystemRecord | None, entering: Entering) -> SystemRecord:
    if known is not None:
        return known
    if entering.role is None:
        raise Ended(ExitCode.USAGE, "a new system needs --role")
    return SystemRecord(
        slug=entering.slug,
        system_class=entering.system_class,
        roles=frozenset({entering.role}),
        keys=(),
    )


def _records(entering: Entering, usages: "set[KeyPurpose]") -> tuple[KeyRecord, ...]:
    return tuple(
        KeyRecord(
            usage=usage,
            certificate=certificate,
            state=KeyState.ACTIVE,
            not_before=certificate.not_before,
            not_after=certificate.not_after,
        )
        for usage, certificate in entering.keys.items()
        if usage in usages
    )


def _grown(
    held: tuple[KeyRecord, ...], added: tuple[KeyRecord, ...], at: datetime
) -> tuple[KeyRecord, ...]:
    """Return keys with those added; a key certified again stands once, a key that ended not."""
    again = {each.certificate.spki: each.usage for each in added}
    for each in held:
        # A new certificate makes no lost key a good one.
        if each.state is KeyState.REVOKED and each.certificate.spki in again:
            usage = again[each.certificate.spki]
            raise CertificateRefused(CertificateReason.REVOKED, f"key for {usage}")
    # Revoked ones stay beyond their end, or they could be registered anew from then on.
    kept = [
        each
        for each in held
        if each.certificate.spki not in again
        and (each.not_after > at or each.state is KeyState.REVOKED)
    ]
    return (*kept, *added)


def _require_reliable(material: TrustMaterial, entering: Entering, at: datetime) -> None:
    by_certificate = {
        each.certificate.thumbprint_sha256: each
        for each in build_snapshot(material).registry.all_keys()
    }
    for usage, certificate in entering.keys.items():
        try:
            require_current(by_certificate[certificate.thumbprint_sha256], at)
        except CertificateRefused as refused:
            raise CertificateRefused(refused.reason, f"key for {usage}") from refused


def _load(folder: Path, at: datetime) -> TrustMaterial:
    """Return what a trust directory holds; an empty beginning where there is none."""
    if folder.exists():
        return load_trust_directory(folder)
    return TrustMaterial(
        sequence=0,
        issued_at=at,
        expires_at=at + timedelta(days=1),
        anchors=(),
        registry=RegistryDocument(organisations=()),
    )
