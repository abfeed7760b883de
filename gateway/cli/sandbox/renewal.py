"""Certifies the keys of a sandbox anew, and publishes trust anew, when it is taken up again.

Certificates live a week; keys stay, so that pinned key ids, passphrases and the log's key do too.
INVARIANT: files are replaced by key and before the registry, so that a renewal cut short is done
again by the next start.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from certs.authority import Authority, AuthorityState, TlsPurpose
from certs.certificate import PEM_LABEL, Certificate, parse_certificate
from certs.naming import SERVER_AUTH, SubjectName
from certs.pem import encode_pem, parse_pem
from certs.registry_file import (
    KeyPurpose,
    KeyRecord,
    OrganisationRecord,
    RegistryDocument,
    SystemRecord,
)
from certs.revocation import parse_crl
from certs.trust_directory import load_trust_directory, store_trust_directory
from certs.trust_material import TrustMaterial
from gateway.cli.sandbox.authority import LIFETIME, load_authority
from gateway.cli.sandbox.folders import Folders
from gateway.cli.sandbox.partners import identities_of

MARGIN: Final = timedelta(days=1)
"""Certificates with less life than this are renewed: a sandbox runs for an afternoon."""
BACKDATED: Final = timedelta(minutes=30)
"""A client whose clock is behind by a little still accepts what was just issued."""
_PEM_FILES: Final = ("*.crt", "*.pem")


def renew(folders: Folders, at: datetime) -> None:
    """Publish trust anew; where a certificate has less than a day left, certify all keys anew."""
    material = load_trust_directory(folders.trust)
    authority = load_authority(
        folders.authority, AuthorityState(crl_number=max(crl.number for crl in material.crls))
    )
    if min(key.not_after for key in _keys(material.registry)) < at + MARGIN:
        material = certify_anew(folders, material, at)
    fresh = replace(
        material,
        sequence=material.sequence + 1,
        issued_at=at - timedelta(minutes=1),
        expires_at=at + LIFETIME,
        crls=(parse_crl(authority.crl(at=at, next_update=at + LIFETIME)),),
    )
    store_trust_directory(fresh, folders.trust)


def certify_anew(folders: Folders, material: TrustMaterial, at: datetime) -> TrustMaterial:
    """Return trust with a new certificate for every key, after putting them into all files."""
    registry = _certified(material.registry, load_authority(folders.authority), at)
    fresh = {key.certificate.spki: key.certificate for key in _keys(registry)}
    for folder in (folders.root, *identities_of(folders)):
        _replace_certificates(folder, fresh)
    return replace(material, registry=registry)


def _keys(registry: RegistryDocument) -> Iterator[KeyRecord]:
    for organisation in registry.organisations:
        yield from organisation.keys
        for system in organisation.systems:
            yield from system.keys


def _certified(registry: RegistryDocument, authority: Authority, at: datetime) -> RegistryDocument:
    """Return the registry with a new certificate for every key in it."""

    def organisation(record: OrganisationRecord) -> OrganisationRecord:
        issue = _Issue(authority=authority, organisation=record.uscc, at=at)
        return replace(
            record,
            keys=tuple(map(issue.again, record.keys)),
            systems=tuple(system(issue, each) for each in record.systems),
        )

    def system(issue: "_Issue", record: SystemRecord) -> SystemRecord:
        return replace(record, keys=tuple(map(issue.again, record.keys)))

    return RegistryDocument(
        organisations=tuple(organisation(each) for each in registry.organisations)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Issue:
    """Certifies keys of one organisation that are certified already."""

    authority: Authority
    organisation: str
    at: datetime

    def again(self, record: KeyRecord) -> KeyRecord:
        """Return a key's record with a certificate that begins now."""
        name = SubjectName(common_name=f"sandbox {record.usage}", organisation=self.organisation)
        key, since = record.certificate.public_key, self.at - BACKDATED
        if record.usage is KeyPurpose.TLS:
            # A gateway has a certificate for each side of TLS; each stays what it was.
            serves = SERVER_AUTH in (record.certificate.eku or frozenset())
            purpose = TlsPurpose.SERVER if serves else TlsPurpose.CLIENT
            issued = self.authority.issue_tls(name, key, purpose, at=since, lifetime=LIFETIME)
        else:
            issued = self.authority.issue_signing(
                name, key, record.usage, at=since, lifetime=LIFETIME
            )
        return replace(
            record,
            certificate=issued,
            not_before=issued.not_before,
            not_after=issued.not_after,
        )


def _replace_certificates(folder: Path, fresh: Mapping[bytes, Certificate]) -> None:
    """Put new certificates where old ones of the same keys lie."""
    for pattern in _PEM_FILES:
        for path in folder.rglob(pattern):
            blocks = parse_pem(path.read_bytes(), frozenset({PEM_LABEL}))
            old = [parse_certificate(der) for _, der in blocks]
            new = [fresh.get(each.spki, each) for each in old]
            if new != old:
                path.write_bytes(b"".join(encode_pem(each.der, PEM_LABEL) for each in new))
