"""The file that says which organisations, systems and keys are registered.

    {"format": "hutong-registry/1",
     "organisations": [
       {"uscc": "11370000MB2DEM0105", "name_zh": "…", "name_en": "…", "kind": "department",
        "keys": [KEY, …],
        "systems": [{"slug": "gateway", "class": "grpc", "roles": ["gateway"], "keys": [KEY, …]}]}
     ]}
    KEY = {"usage": "tls", "suite": "ES256", "certificate": "<base64 of DER>",
           "keyid": "<32 hex digits>", "state": "active",
           "not_before": "2026-11-23T00:00:00Z", "not_after": "2027-11-23T00:00:00Z"}

Knows no anchors: what is read here is declared, not yet trusted.
INVARIANT: one public key stands in the file once, so no key has two usages or two owners.
INVARIANT: suite, key id and organisation follow from the certificate; the file only repeats them.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeVar

from certs.certificate import Certificate, parse_certificate
from certs.errors import CertificateReason, CertificateRefused
from certs.strict_json import (
    JsonObject,
    JsonValue,
    as_object,
    encode_json,
    encode_time,
    malformed,
    parse_json_object,
    require_names,
    take_list,
    take_text,
    take_time,
)

FORMAT: Final = "hutong-registry/1"
# A province has some thousand organisations; each entry takes about 10 KiB with its certificates.
MAX_REGISTRY: Final = 64 * 1024 * 1024
_MAX_ORGANISATIONS: Final = 10_000
_MAX_SYSTEMS: Final = 256
_MAX_KEYS: Final = 64
_MAX_ROLES: Final = 8

# GB 32100-2015 4.1: the alphabet of the unified social credit code. The check character is not
# enforced, because some lawful codes fail it.
_USCC: Final = re.compile(r"[0-9A-HJ-NP-RTUW-Y]{18}", re.ASCII)
_SLUG: Final = re.compile(r"[a-z][a-z0-9-]{0,62}", re.ASCII)
_NAME: Final = re.compile(r"[^\x00-\x1f\x7f]{1,200}")
_WORD: Final = re.compile(r"[a-z_]{1,32}", re.ASCII)
_SUITE: Final = re.compile(r"[A-Za-z0-9]{1,16}", re.ASCII)
_BASE64: Final = re.compile(r"[A-Za-z0-9+/=]{1,90000}", re.ASCII)
_KEYID: Final = re.compile(r"[0-9a-f]{32}", re.ASCII)
_FORMAT: Final = re.compile(re.escape(FORMAT))


class KeyPurpose(StrEnum):
    """The one usage of a registered key."""

    TLS = "tls"
    ENVELOPE = "envelope"
    OFFICER = "officer"
    RECORD = "record"
    POLICY = "policy"
    LOG = "log"
    SEAL = "seal"
    TSA = "tsa"


class KeyState(StrEnum):
    """Whether the registry lets a key be used."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    REVOKED = "revoked"


class OrganisationKind(StrEnum):
    """What an organisation is."""

    DEPARTMENT = "department"
    PUBLIC_INSTITUTION = "public_institution"
    ENTERPRISE = "enterprise"


class SystemClass(StrEnum):
    """How a system reaches the gateway."""

    GRPC = "grpc"
    HMAC = "hmac"
    PROVIDER_NODE = "provider_node"


class SystemRole(StrEnum):
    """What a system does in an exchange."""

    REQUESTER = "requester"
    PROVIDER = "provider"
    GATEWAY = "gateway"


# The keys of an organisation speak for it, those of a system for the machine alone.
ORGANISATION_PURPOSES: Final = frozenset(
    {KeyPurpose.OFFICER, KeyPurpose.POLICY, KeyPurpose.SEAL, KeyPurpose.TSA}
)
SYSTEM_PURPOSES: Final = frozenset(
    {KeyPurpose.TLS, KeyPurpose.ENVELOPE, KeyPurpose.RECORD, KeyPurpose.LOG, KeyPurpose.TSA}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRecord:
    """A declared key."""

    usage: KeyPurpose
    certificate: Certificate
    state: KeyState
    not_before: datetime
    not_after: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemRecord:
    """A declared system."""

    slug: str
    system_class: SystemClass
    roles: frozenset[SystemRole]
    keys: tuple[KeyRecord, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationRecord:
    """A declared organisation."""

    uscc: str
    name_zh: str
    name_en: str
    kind: OrganisationKind
    keys: tuple[KeyRecord, ...]
    systems: tuple[SystemRecord, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryDocument:
    """Everything the file declares."""

    organisations: tuple[OrganisationRecord, ...]


_E = TypeVar("_E", bound=StrEnum)


def parse_registry(content: bytes) -> RegistryDocument:
    """Read a registry file.

    Raises:
        CertificateRefused: MALFORMED, KEY_REUSED, WRONG_ORGANISATION, WEAK_ALGORITHM.
    """
    value = parse_json_object(content, MAX_REGISTRY)
    require_names(value, frozenset({"format", "organisations"}), "registry")
    take_text(value, "format", _FORMAT)
    elements = take_list(value, "organisations", _MAX_ORGANISATIONS)
    document = RegistryDocument(
        organisations=tuple(_parse_organisation(element) for element in elements)
    )
    require_consistent(document)
    return document


def encode_registry(document: RegistryDocument) -> bytes:
    """Write a registry file; `parse_registry` reads it back."""
    organisations: list[JsonValue] = [
        {
            "uscc": organisation.uscc,
            "name_zh": organisation.name_zh,
            "name_en": organisation.name_en,
            "kind": organisation.kind.value,
            "keys": [_key_as_json(key) for key in organisation.keys],
            "systems": [_system_as_json(system) for system in organisation.systems],
        }
        for organisation in document.organisations
    ]
    return encode_json({"format": FORMAT, "organisations": organisations})


def require_consistent(document: RegistryDocument) -> None:
    """Refuse a document that gives one name or one key twice, or a key to a stranger.

    Raises:
        CertificateRefused: MALFORMED, KEY_REUSED, WRONG_ORGANISATION.
    """
    codes = [organisation.uscc for organisation in document.organisations]
    if len(set(codes)) != len(codes):
        raise malformed("organisation stands twice")
    # One set for the whole file: with a key under two owners one could sign as the other, and under
    # two usages a TLS handshake could be made to yield an envelope's signature.
    seen: set[bytes] = set()
    for organisation in document.organisations:
        slugs = [system.slug for system in organisation.systems]
        if len(set(slugs)) != len(slugs):
            raise malformed("system stands twice")
        _require_purposes(organisation.keys, ORGANISATION_PURPOSES)
        keys = list(organisation.keys)
        for system in organisation.systems:
            _require_purposes(system.keys, SYSTEM_PURPOSES)
            keys += system.keys
        for key in keys:
            _require_owner(key.certificate, organisation.uscc)
            if key.certificate.spki in seen:
                raise CertificateRefused(CertificateReason.KEY_REUSED, _name(key))
            seen.add(key.certificate.spki)


def _require_purposes(keys: tuple[KeyRecord, ...], allowed: frozenset[KeyPurpose]) -> None:
    if any(key.usage not in allowed for key in keys):
        raise malformed("usage does not belong here")


def _require_owner(certificate: Certificate, uscc: str) -> None:
    named = certificate.subject_organisation
    # A certificate may be silent about its organisation; it may not name another.
    if named is not None and named != uscc:
        raise CertificateRefused(CertificateReason.WRONG_ORGANISATION, "certificate of another")


def _parse_organisation(value: JsonValue) -> OrganisationRecord:
    members = as_object(value, "organisation")
    names = frozenset({"uscc", "name_zh", "name_en", "kind", "keys", "systems"})
    require_names(members, names, "organisation")
    return OrganisationRecord(
        uscc=take_text(members, "uscc", _USCC),
        name_zh=take_text(members, "name_zh", _NAME),
        name_en=take_text(members, "name_en", _NAME),
        kind=_take_word(members, "kind", OrganisationKind),
        keys=_parse_keys(members),
        systems=tuple(
            _parse_system(element) for element in take_list(members, "systems", _MAX_SYSTEMS)
        ),
    )


def _parse_system(value: JsonValue) -> SystemRecord:
    members = as_object(value, "system")
    require_names(members, frozenset({"slug", "class", "roles", "keys"}), "system")
    roles = take_list(members, "roles", _MAX_ROLES)
    parsed = frozenset(_take_word({"role": role}, "role", SystemRole) for role in roles)
    if len(parsed) != len(roles):
        raise malformed("role stands twice")
    return SystemRecord(
        slug=take_text(members, "slug", _SLUG),
        system_class=_take_word(members, "class", SystemClass),
        roles=parsed,
        keys=_parse_keys(members),
    )


def _parse_keys(members: JsonObject) -> tuple[KeyRecord, ...]:
    return tuple(_parse_key(element) for element in take_list(members, "keys", _MAX_KEYS))


def _parse_key(value: JsonValue) -> KeyRecord:
    members = as_object(value, "key")
    names = {"usage", "suite", "certificate", "keyid", "state", "not_before", "not_after"}
    require_names(members, frozenset(names), "key")
    certificate = parse_certificate(_take_base64(members, "certificate"))
    public_key = certificate.public_key
    # Repeated for people who read the file; a difference means that one of the two was edited.
    if take_text(members, "suite", _SUITE) != public_key.suite:
        raise malformed("suite is not that of the certificate")
    if take_text(members, "keyid", _KEYID) != public_key.keyid:
        raise malformed("keyid is not that of the certificate")
    return KeyRecord(
        usage=_take_word(members, "usage", KeyPurpose),
        certificate=certificate,
        state=_take_word(members, "state", KeyState),
        not_before=take_time(members, "not_before"),
        not_after=take_time(members, "not_after"),
    )


def _take_word(members: JsonObject, name: str, words: type[_E]) -> _E:
    text = take_text(members, name, _WORD)
    try:
        return words(text)
    except ValueError as cause:
        raise malformed(name) from cause


def _take_base64(members: JsonObject, name: str) -> bytes:
    text = take_text(members, name, _BASE64)
    try:
        decoded = base64.b64decode(text, validate=True)
    except binascii.Error as cause:
        raise malformed(name) from cause
    if base64.b64encode(decoded).decode("ascii") != text:
        raise malformed(name)
    return decoded


def _system_as_json(system: SystemRecord) -> JsonValue:
    return {
        "slug": system.slug,
        "class": system.system_class.value,
        "roles": [role.value for role in sorted(system.roles)],
        "keys": [_key_as_json(key) for key in system.keys],
    }


def _key_as_json(key: KeyRecord) -> JsonValue:
    public_key = key.certificate.public_key
    return {
        "usage": key.usage.value,
        "suite": public_key.suite.value,
        "certificate": base64.b64encode(key.certificate.der).decode("ascii"),
        "keyid": public_key.keyid,
        "state": key.state.value,
        "not_before": encode_time(key.not_before),
        "not_after": encode_time(key.not_after),
    }


def _name(key: KeyRecord) -> str:
    return f"key {key.certificate.public_key.keyid} stands twice"
