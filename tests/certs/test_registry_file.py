"""The registry file: strict, without contradictions, and its lookups."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from certs.algorithms import Suite, generate_private_key
from certs.authority import Authority, TlsPurpose
from certs.certificate import Certificate
from certs.chain import require_current
from certs.errors import CertificateReason, CertificateRefused
from certs.identity import Registry, require_tls_system
from certs.naming import SubjectName
from certs.registry_file import (
    KeyPurpose,
    KeyRecord,
    KeyState,
    RegistryDocument,
    encode_registry,
    parse_registry,
    require_consistent,
)
from certs.strict_json import JsonObject, parse_json_object
from certs.trust_material import TrustMaterial
from certs.trust_store import build_snapshot

Declare = Callable[..., KeyRecord]
Document = Callable[..., RegistryDocument]
Material = Callable[..., TrustMaterial]
Edit = Callable[[JsonObject], None]


@pytest.fixture
def registered(
    declare: Declare, document: Document, tls_leaf: Certificate, envelope_leaf: Certificate
) -> RegistryDocument:
    """Return a registry with a TLS key and an envelope key."""
    return document(declare(KeyPurpose.TLS, tls_leaf), declare(KeyPurpose.ENVELOPE, envelope_leaf))


@pytest.fixture
def registry(registered: RegistryDocument, material: Material) -> Registry:
    """Return the same, judged against the anchors."""
    return build_snapshot(material(registered)).registry


def refusal(content: bytes) -> CertificateReason:
    """Return why a file is refused."""
    with pytest.raises(CertificateRefused) as caught:
        parse_registry(content)
    return caught.value.reason


def contradiction(document: RegistryDocument) -> CertificateReason:
    """Return why a document is refused."""
    with pytest.raises(CertificateRefused) as caught:
        require_consistent(document)
    return caught.value.reason


def test_written_registry_is_the_one_read(registered: RegistryDocument) -> None:
    """Reading is the inverse of writing."""
    assert registered == parse_registry(encode_registry(registered))


def edited(registered: RegistryDocument, path: tuple[str | int, ...], value: object) -> bytes:
    """Return the file with one place changed."""
    whole = json.loads(encode_registry(registered))
    place = whole
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return json.dumps(whole).encode()


ORGANISATION: tuple[str | int, ...] = ("organisations", 0)
SYSTEM = (*ORGANISATION, "systems", 0)
KEY = (*SYSTEM, "keys", 0)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("extra",), 1),
        (("format",), "hutong-registry/2"),
        (("organisations",), {}),
        (("organisations",), [1]),
        (("organisations",), [None] * 10_001),
        ((*ORGANISATION, "extra"), 1),
        ((*ORGANISATION, "uscc"), "11370000mb2dem0105"),
        ((*ORGANISATION, "uscc"), "11370000MB2DEM0105\n"),
        ((*ORGANISATION, "uscc"), "1137000OMB2DEM0105"),
        ((*ORGANISATION, "name_zh"), ""),
        ((*ORGANISATION, "name_en"), "line\nbreak"),
        ((*ORGANISATION, "kind"), "club"),
        ((*SYSTEM, "slug"), "Gateway"),
        ((*SYSTEM, "slug"), "a/b"),
        ((*SYSTEM, "class"), "carrier_pigeon"),
        ((*SYSTEM, "roles"), ["gateway", "gateway"]),
        ((*SYSTEM, "roles"), ["king"]),
        ((*SYSTEM, "roles"), [1]),
        ((*KEY, "extra"), 1),
        ((*KEY, "usage"), "everything"),
        ((*KEY, "usage"), "officer"),
        ((*KEY, "suite"), "EdDSA"),
        ((*KEY, "keyid"), "0" * 32),
        ((*KEY, "state"), "maybe"),
        ((*KEY, "state"), True),
        ((*KEY, "certificate"), "AAAA"),
        ((*KEY, "certificate"), "AAB="),
        ((*KEY, "certificate"), "AAA"),
        ((*KEY, "certificate"), "AA AA"),
        ((*KEY, "not_before"), "2026-11-23"),
        ((*KEY, "not_before"), "2026-11-23T00:00:00+00:00"),
        ((*KEY, "not_before"), "2026-13-23T00:00:00Z"),
        ((*KEY, "not_after"), 1_800_000_000),
    ],
)
def test_other_value_is_malformed(
    registered: RegistryDocument, path: tuple[str | int, ...], value: object
) -> None:
    """Each member has one spelling, and there are no others."""
    assert CertificateReason.MALFORMED is refusal(edited(registered, path, value))


@pytest.mark.parametrize("name", ["uscc", "keys", "systems", "kind"])
def test_missing_member_is_malformed(registered: RegistryDocument, name: str) -> None:
    """No member has a default."""
    whole = json.loads(encode_registry(registered))
    del whole["organisations"][0][name]

    assert CertificateReason.MALFORMED is refusal(json.dumps(whole).encode())


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b'{"a":1,"a":1}', b'{"a":1.0}', b'{"a":NaN}', b"\xff", b"[" * 100_000, b"{}x"],
)
def test_other_json_is_malformed(content: bytes) -> None:
    """Repeated names, fractions and what is no object are refused."""
    with pytest.raises(CertificateRefused) as caught:
        parse_json_object(content, 200_000)

    assert CertificateReason.MALFORMED is caught.value.reason


def test_long_file_is_refused_unread() -> None:
    """A file beyond its limit is not parsed."""
    with pytest.raises(CertificateRefused):
        parse_json_object(b" " * 11, 10)


def test_one_key_under_two_usages_is_refused(
    declare: Declare, document: Document, authority: Authority, subject: SubjectName, at: datetime
) -> None:
    """A key that signs envelopes cannot also open TLS, even under another certificate."""
    key = generate_private_key(Suite.ES256).public_key
    tls = authority.issue_tls(subject, key, TlsPurpose.CLIENT, at=at)
    envelope = authority.issue_signing(subject, key, KeyPurpose.ENVELOPE, at=at)

    found = document(declare(KeyPurpose.TLS, tls), declare(KeyPurpose.ENVELOPE, envelope))

    assert CertificateReason.KEY_REUSED is contradiction(found)


def test_one_key_of_organisation_and_system_is_refused(
    declare: Declare, document: Document, envelope_leaf: Certificate
) -> None:
    """An organisation and its system do not share a key."""
    found = document(
        declare(KeyPurpose.ENVELOPE, envelope_leaf),
        own=(declare(KeyPurpose.OFFICER, envelope_leaf),),
    )

    assert CertificateReason.KEY_REUSED is contradiction(found)


def test_certificate_of_another_organisation_is_refused(
    declare: Declare, document: Document, envelope_leaf: Certificate
) -> None:
    """A certificate that names an organisation is registered under that one only."""
    found = document(declare(KeyPurpose.ENVELOPE, envelope_leaf), uscc="12370000MB2DEM0106")

    assert CertificateReason.WRONG_ORGANISATION is contradiction(found)


def test_certificate_without_organisation_may_be_registered(
    declare: Declare, document: Document, authority: Authority, at: datetime
) -> None:
    """Not every CA writes the code into its certificates; the registry decides."""
    key = generate_private_key(Suite.ES256).public_key
    plain = authority.issue_signing(SubjectName(common_name="x"), key, KeyPurpose.ENVELOPE, at=at)

    require_consistent(document(declare(KeyPurpose.ENVELOPE, plain)))


def test_organisation_that_stands_twice_is_refused(registered: RegistryDocument) -> None:
    """One organisation has one entry."""
    twice = RegistryDocument(organisations=registered.organisations * 2)

    assert CertificateReason.MALFORMED is contradiction(twice)


def test_system_that_stands_twice_is_refused(registered: RegistryDocument) -> None:
    """One system has one entry."""
    whole = json.loads(encode_registry(registered))
    bare = {**whole["organisations"][0]["systems"][0], "keys": []}
    whole["organisations"][0]["systems"] = [bare, bare]

    assert CertificateReason.MALFORMED is refusal(json.dumps(whole).encode())


def test_system_key_does_not_speak_for_the_organisation(
    declare: Declare, document: Document, tls_leaf: Certificate
) -> None:
    """An organisation has no TLS key; its systems have."""
    found = document(own=(declare(KeyPurpose.TLS, tls_leaf),))

    assert CertificateReason.MALFORMED is contradiction(found)


def test_weak_key_is_not_registered(registered: RegistryDocument) -> None:
    """A suite that does not exist is refused with the certificate it stands beside."""
    content = edited(registered, (*KEY, "suite"), "RS256")

    assert CertificateReason.MALFORMED is refusal(content)


def test_system_is_found_by_its_tls_certificate(
    registry: Registry, tls_leaf: Certificate, uscc: str, at: datetime
) -> None:
    """The channel's certificate names the system, and nothing else does."""
    system = registry.system_by_tls_thumbprint(tls_leaf.thumbprint_sha256)

    assert system is not None
    assert f"{uscc}/gateway" == system.system_id
    assert system is registry.system(f"{uscc}/gateway")
    assert system is require_tls_system(registry, tls_leaf.thumbprint_sha256, at)
    assert registry.organisation(uscc) is system.organisation


def test_unregistered_certificate_is_nobody(
    registry: Registry, envelope_leaf: Certificate, at: datetime
) -> None:
    """A good certificate of a good issuer that is not registered opens nothing."""
    with pytest.raises(CertificateRefused) as caught:
        require_tls_system(registry, envelope_leaf.thumbprint_sha256, at)

    assert CertificateReason.NOT_REGISTERED is caught.value.reason
    assert registry.system("11370000MB2DEM0105/other") is None
    assert registry.organisation("12370000MB2DEM0106") is None


def test_key_id_is_looked_up_under_one_usage(
    registry: Registry, tls_leaf: Certificate, envelope_leaf: Certificate, uscc: str
) -> None:
    """The TLS key's id finds no envelope key, and the other way round."""
    system = registry.system(f"{uscc}/gateway")
    assert system is not None

    found = system.envelope_key(envelope_leaf.public_key.keyid)

    assert found is not None
    assert Suite.ES256 is found.suite
    assert system.system_id == found.owner
    assert uscc == found.organisation
    assert system.envelope_key(tls_leaf.public_key.keyid) is None
    assert system.tls_key(envelope_leaf.thumbprint_sha256) is None


@pytest.fixture
def own_certificates(
    authority: Authority, subject: SubjectName, at: datetime
) -> dict[KeyPurpose, Certificate]:
    """Return an officer and a record certificate."""
    return {
        usage: authority.issue_signing(
            subject, generate_private_key(Suite.EDDSA).public_key, usage, at=at
        )
        for usage in (KeyPurpose.OFFICER, KeyPurpose.RECORD)
    }


def test_officer_and_record_keys_are_kept_apart(
    declare: Declare,
    document: Document,
    material: Material,
    own_certificates: dict[KeyPurpose, Certificate],
    uscc: str,
) -> None:
    """Officer keys belong to the organisation, record keys to the system."""
    record, officer = (
        declare(usage, own_certificates[usage]) for usage in (KeyPurpose.RECORD, KeyPurpose.OFFICER)
    )
    registry = build_snapshot(material(document(record, own=(officer,)))).registry

    officers = list(registry.officer_keys(uscc))
    records = list(registry.record_keys(f"{uscc}/gateway"))

    assert [officer.certificate.public_key.keyid] == officers
    assert [record.certificate.public_key.keyid] == records
    assert registry.officer_keys("12370000MB2DEM0106") == {}
    assert registry.record_keys(f"{uscc}/other") == {}
    assert {*officers, *records} == {key.keyid for key in registry.all_keys()}


@pytest.mark.parametrize("state", [KeyState.SUSPENDED, KeyState.REVOKED])
def test_key_that_is_not_active_is_revoked(
    state: KeyState,
    declare: Declare,
    document: Document,
    material: Material,
    envelope_leaf: Certificate,
    at: datetime,
) -> None:
    """The registry can end a key whatever its certificate says."""
    found = document(declare(KeyPurpose.ENVELOPE, envelope_leaf, state))

    (key,) = build_snapshot(material(found)).registry.all_keys()

    with pytest.raises(CertificateRefused) as caught:
        require_current(key, at)
    assert CertificateReason.REVOKED is caught.value.reason


def test_registry_narrows_the_validity_of_a_certificate(
    registered: RegistryDocument, material: Material, at: datetime
) -> None:
    """A key is good only within the registry's own dates."""
    content = edited(registered, (*KEY, "not_after"), "2026-11-23T12:00:30Z")
    keys = build_snapshot(material(parse_registry(content))).registry.all_keys()
    tls = next(key for key in keys if key.usage is KeyPurpose.TLS)

    assert tls is require_current(tls, at)
    with pytest.raises(CertificateRefused) as caught:
        require_current(tls, at + timedelta(minutes=1))
    assert CertificateReason.EXPIRED is caught.value.reason


def test_certificate_for_something_else_is_refused_when_used(
    declare: Declare,
    document: Document,
    material: Material,
    envelope_leaf: Certificate,
    at: datetime,
) -> None:
    """A signing certificate registered for TLS loads and opens nothing."""
    registry = build_snapshot(material(document(declare(KeyPurpose.TLS, envelope_leaf)))).registry

    with pytest.raises(CertificateRefused) as caught:
        require_tls_system(registry, envelope_leaf.thumbprint_sha256, at)

    assert CertificateReason.WRONG_USAGE is caught.value.reason


def test_certificate_of_a_stranger_is_refused_when_used(
    declare: Declare, document: Document, material: Material, subject: SubjectName, at: datetime
) -> None:
    """A registered certificate without a path to an anchor opens nothing."""
    other = Authority.create(SubjectName(common_name="other"), at=at)
    key = generate_private_key(Suite.ES256).public_key
    leaf = other.issue_tls(subject, key, TlsPurpose.CLIENT, at=at)
    registry = build_snapshot(material(document(declare(KeyPurpose.TLS, leaf)))).registry

    with pytest.raises(CertificateRefused) as caught:
        require_tls_system(registry, leaf.thumbprint_sha256, at)

    assert CertificateReason.NO_CHAIN is caught.value.reason
