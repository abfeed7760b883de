"""Takes keys out of use: their state in the registry becomes `revoked`, and stays there.

The registry and not a CRL, because it holds keys of any CA, and counts from the next call on.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from certs.registry_file import KeyRecord, KeyState, OrganisationRecord, RegistryDocument
from certs.trust_directory import load_trust_directory
from gateway.cli.ending import Ended, ExitCode
from gateway.cli.partner.directory import changing, store


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoking:
    """Whose keys are revoked, and which: those named, or every one."""

    uscc: str
    slug: str
    """Empty for the organisation: its own keys and those of all its systems."""
    keyids: frozenset[str]
    thumbprints: frozenset[str]
    """SHA-256 of certificates, lower-case hex."""
    whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokedKey:
    """A key that is revoked now."""

    owner: str
    usage: str
    keyid: str
    thumbprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoked:
    """What stands in the trust directory afterwards."""

    sequence: int
    keys: tuple[RevokedKey, ...]


def revoke(folder: Path, revoking: Revoking, at: datetime) -> Revoked:
    """Revoke registered keys; what is revoked already stays so, and nothing is written for it.

    Raises:
        CertificateRefused: the directory is not good.
        Ended: no such organisation, system or key is registered; nothing was written.
    """
    with changing(folder):
        held = load_trust_directory(folder)
        found = tuple(_list_meant(held.registry, revoking))
        _require_all(found, revoking)
        changed = {key.certificate.spki for _, key in found if key.state is not KeyState.REVOKED}
        if changed:
            organisations = tuple(_without(each, changed) for each in held.registry.organisations)
            registry = RegistryDocument(organisations=organisations)
            held = store(folder, replace(held, registry=registry), at)
    return Revoked(sequence=held.sequence, keys=tuple(_told(*each) for each in found))


def _list_meant(registry: RegistryDocument, revoking: Revoking) -> list[tuple[str, KeyRecord]]:
    """Return the keys that are meant, each with its owner."""
    keys: list[tuple[str, KeyRecord]] = []
    for organisation in registry.organisations:
        if organisation.uscc != revoking.uscc:
            continue
        if not revoking.slug:
            keys += [(organisation.uscc, key) for key in organisation.keys]
        for system in organisation.systems:
            if revoking.slug in ("", system.slug):
                keys += [(f"{organisation.uscc}/{system.slug}", key) for key in system.keys]
    return [each for each in keys if revoking.whole or _names(revoking, each[1])]


def _names(revoking: Revoking, key: KeyRecord) -> bool:
    certificate = key.certificate
    return (
        certificate.public_key.keyid in revoking.keyids
        or certificate.thumbprint_sha256.hex() in revoking.thumbprints
    )


def _require_all(found: Sequence[tuple[str, KeyRecord]], revoking: Revoking) -> None:
    """Refuse to revoke by halves: a key id that is misspelt would stay in use unnoticed."""
    certificates = [key.certificate for _, key in found]
    unknown = revoking.keyids - {each.public_key.keyid for each in certificates}
    unknown |= revoking.thumbprints - {each.thumbprint_sha256.hex() for each in certificates}
    owner = "/".join(filter(None, (revoking.uscc, revoking.slug)))
    if unknown:
        text = f"not registered for {owner}: {', '.join(sorted(unknown))}; nothing was revoked"
        raise Ended(ExitCode.NO, text)
    if not found:
        raise Ended(ExitCode.NO, f"no key is registered for {owner}")


def _without(organisation: OrganisationRecord, revoked: set[bytes]) -> OrganisationRecord:
    def changed(keys: tuple[KeyRecord, ...]) -> tuple[KeyRecord, ...]:
        return tuple(
            replace(key, state=KeyState.REVOKED) if key.certificate.spki in revoked else key
            for key in keys
        )

    return replace(
        organisation,
        keys=changed(organisation.keys),
        systems=tuple(
            replace(system, keys=changed(system.keys)) for system in organisation.systems
        ),
    )


def _told(owner: str, key: KeyRecord) -> RevokedKey:
    return RevokedKey(
        owner=owner,
        usage=key.usage.value,
        keyid=key.certificate.public_key.keyid,
        thumbprint=key.certificate.thumbprint_sha256.hex(),
    )
