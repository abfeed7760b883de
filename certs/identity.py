"""Who is who: organisations, their systems, and the keys each may use.

Built once from a registry file and the anchors of the same trust store, then only read.
Knows no message: which key is meant follows from the channel, never from what was sent.
INVARIANT: a key id is looked up among the keys of one owner and one usage only.
INVARIANT: a registered key is not yet a good key: `certs.chain.require_current` judges the time.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import NewType, Protocol

from certs.certificate import Certificate
from certs.chain import Standing, require_current
from certs.errors import CertificateReason, CertificateRefused
from certs.public_key import PublicKey
from certs.registry_file import (
    KeyPurpose,
    OrganisationKind,
    SystemClass,
    SystemRole,
)
from certs.suites import Suite

SystemId = NewType("SystemId", str)


class VerifyingKey(Protocol):
    """What a signature is judged by: a key, whose it is, and what it may sign."""

    @property
    def organisation(self) -> str:
        """USCC of the organisation the key belongs to."""
        ...

    @property
    def usage(self) -> KeyPurpose:
        """The one thing the key may sign."""
        ...

    @property
    def suite(self) -> Suite:
        """The one suite it signs with."""
        ...

    @property
    def keyid(self) -> str:
        """First 16 bytes of SHA-256 over the SubjectPublicKeyInfo, in lower-case hexadecimal."""
        ...

    @property
    def public_key(self) -> PublicKey:
        """The key itself."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BareKey:
    """A registered key without its certificate: enough to judge a signature, not to stand."""

    organisation: str
    usage: KeyPurpose
    suite: Suite
    keyid: str
    public_key: PublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredKey:
    """A key of one owner for one usage, with the standing its certificate has.

    `owner` is the system id, or the USCC for a key of the organisation itself.
    """

    owner: str
    organisation: str
    usage: KeyPurpose
    suite: Suite
    keyid: str
    certificate: Certificate
    public_key: PublicKey
    standing: Standing = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredOrganisation:
    """An organisation and the keys that speak for it."""

    uscc: str
    name_zh: str
    name_en: str
    kind: OrganisationKind
    keys: tuple[RegisteredKey, ...] = field(repr=False)

    def keys_for(self, usage: KeyPurpose) -> Mapping[str, RegisteredKey]:
        """Return the keys of one usage by key id."""
        return _by_keyid(self.keys, usage)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredSystem:
    """A system of an organisation, and its keys."""

    system_id: SystemId
    organisation: RegisteredOrganisation
    system_class: SystemClass
    roles: frozenset[SystemRole]
    keys: tuple[RegisteredKey, ...] = field(repr=False)

    def keys_for(self, usage: KeyPurpose) -> Mapping[str, RegisteredKey]:
        """Return the keys of one usage by key id."""
        return _by_keyid(self.keys, usage)

    @property
    def envelope_keys(self) -> tuple[RegisteredKey, ...]:
        """The keys this system signs envelopes with."""
        return tuple(key for key in self.keys if key.usage is KeyPurpose.ENVELOPE)

    def envelope_key(self, keyid: str) -> RegisteredKey | None:
        """Return this system's envelope key of that id, if it has one."""
        # A system has a handful of keys: a loop over them is faster than building an index.
        for key in self.keys:
            if key.usage is KeyPurpose.ENVELOPE and key.keyid == keyid:
                return key
        return None

    def tls_key(self, thumbprint_sha256: bytes) -> RegisteredKey | None:
        """Return this system's TLS key whose certificate has that SHA-256, if it has one."""
        for key in self.keys:
            matches = key.certificate.thumbprint_sha256 == thumbprint_sha256
            if key.usage is KeyPurpose.TLS and matches:
                return key
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """All registered organisations and systems; immutable, swapped whole."""

    organisations: Mapping[str, RegisteredOrganisation]
    systems: Mapping[str, RegisteredSystem]
    _by_thumbprint: Mapping[bytes, RegisteredSystem] = field(repr=False)
    _officer_keys: Mapping[str, Mapping[str, RegisteredKey]] = field(repr=False)
    """By organisation, then by key id; each call asks for some, so they are sorted out once."""
    _record_keys: Mapping[str, Mapping[str, RegisteredKey]] = field(repr=False)

    def organisation(self, uscc: str) -> RegisteredOrganisation | None:
        """Return the organisation of a USCC, if registered."""
        return self.organisations.get(uscc)

    def system(self, system_id: str) -> RegisteredSystem | None:
        """Return the system of an id, if registered."""
        return self.systems.get(system_id)

    def system_by_tls_thumbprint(self, sha256: bytes) -> RegisteredSystem | None:
        """Return the system whose TLS certificate has that SHA-256, if registered."""
        return self._by_thumbprint.get(sha256)

    def officer_keys(self, organisation: str) -> Mapping[str, RegisteredKey]:
        """Return the keys an organisation signs officer identities with, by key id."""
        # Unknown and keyless give the same answer: either way no signature can be judged.
        return self._officer_keys.get(organisation, _NONE)

    def record_keys(self, system_id: str) -> Mapping[str, RegisteredKey]:
        """Return the keys a system signs records with, by key id."""
        return self._record_keys.get(system_id, _NONE)

    def all_keys(self) -> Iterator[RegisteredKey]:
        """Return every registered key, for health pages and expiry reports."""
        for organisation in self.organisations.values():
            yield from organisation.keys
        for system in self.systems.values():
            yield from system.keys


_NONE: Mapping[str, RegisteredKey] = MappingProxyType({})


def require_tls_system(registry: Registry, sha256: bytes, at: datetime) -> RegisteredSystem:
    """Return the system behind a TLS leaf whose certificate holds at the given time.

    Raises:
        CertificateRefused: NOT_REGISTERED, or as `certs.chain.require_current`.
    """
    system = registry.system_by_tls_thumbprint(sha256)
    key = None if system is None else system.tls_key(sha256)
    # Looked up by the whole certificate, not by its names: any CA we trust could copy a name.
    if system is None or key is None:
        raise CertificateRefused(CertificateReason.NOT_REGISTERED)
    require_current(key, at)
    return system


def build_registry(
    organisations: tuple[RegisteredOrganisation, ...], systems: tuple[RegisteredSystem, ...]
) -> Registry:
    """Index organisations and systems whose keys are judged already."""
    # The registry file holds each public key once, so no certificate can name two systems.
    by_thumbprint = {
        key.certificate.thumbprint_sha256: system
        for system in systems
        for key in system.keys
        if key.usage is KeyPurpose.TLS
    }
    return Registry(
        organisations=MappingProxyType({item.uscc: item for item in organisations}),
        systems=MappingProxyType({str(item.system_id): item for item in systems}),
        _by_thumbprint=MappingProxyType(by_thumbprint),
        _officer_keys={each.uscc: each.keys_for(KeyPurpose.OFFICER) for each in organisations},
        _record_keys={str(each.system_id): each.keys_for(KeyPurpose.RECORD) for each in systems},
    )


def _by_keyid(keys: tuple[RegisteredKey, ...], usage: KeyPurpose) -> Mapping[str, RegisteredKey]:
    return MappingProxyType({key.keyid: key for key in keys if key.usage is usage})
