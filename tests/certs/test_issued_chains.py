"""Chains of the embedded authority, judged by us and by two other libraries."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import PolicyBuilder, Store
from pyhanko_certvalidator import CertificateValidator, ValidationContext
from pyhanko_certvalidator.errors import RevokedError

from certs.algorithms import PublicKey, Suite, generate_private_key
from certs.authority import Authority, RevocationReason, TlsPurpose
from certs.certificate import Certificate
from certs.chain import SIGNING, TIME_STAMPING, TLS_CLIENT, KeyUsagePolicy, verify_chain
from certs.errors import CertificateReason, CertificateRefused
from certs.naming import SubjectName
from certs.registry_file import KeyPurpose, RegistryDocument
from certs.revocation import parse_crl
from certs.trust_material import TrustMaterial
from certs.trust_store import TrustSnapshot, build_snapshot

Trusting = Callable[[Authority, datetime], TrustSnapshot]


@pytest.fixture
def trusting() -> Trusting:
    """Return a maker of snapshots that trust one authority."""

    def make(authority: Authority, at: datetime) -> TrustSnapshot:
        return build_snapshot(
            TrustMaterial(
                sequence=1,
                issued_at=at,
                expires_at=at + timedelta(days=30),
                anchors=(authority.certificate,),
                crls=(parse_crl(authority.crl(at=at)),),
                registry=RegistryDocument(organisations=()),
            )
        )

    return make


@pytest.fixture
def public_key() -> PublicKey:
    """Return the public half of a fresh P-256 key."""
    return generate_private_key(Suite.ES256).public_key


def foreign_verdict(leaf: Certificate, authority: Authority, at: datetime) -> bool:
    """Return whether a library with revocation accepts a signing certificate of ours."""
    context = ValidationContext(
        trust_roots=[asn1_x509.Certificate.load(authority.certificate.der)],
        moment=at + timedelta(minutes=1),
        crls=[authority.crl(at=at)],
        revocation_mode="require",
        allow_fetching=False,
    )
    validator = CertificateValidator(
        asn1_x509.Certificate.load(leaf.der), validation_context=context
    )
    try:
        asyncio.run(validator.async_validate_path())
    except RevokedError:
        return False
    return True


def test_web_verifier_accepts_our_server_certificate(
    authority: Authority, subject: SubjectName, public_key: PublicKey, at: datetime
) -> None:
    """A TLS certificate of the embedded authority satisfies a strict web verifier."""
    leaf = authority.issue_tls(subject, public_key, TlsPurpose.SERVER, at=at)
    anchor = x509.load_der_x509_certificate(authority.certificate.der)
    policy = PolicyBuilder().store(Store([anchor])).time(at)

    chain = policy.build_server_verifier(x509.DNSName("localhost")).verify(
        x509.load_der_x509_certificate(leaf.der), []
    )

    assert len(chain) == 2


def test_validator_with_revocation_agrees(
    authority: Authority, subject: SubjectName, public_key: PublicKey, at: datetime
) -> None:
    """Another path validator accepts our leaf with our CRL, and refuses it once revoked."""
    leaf = authority.issue_signing(subject, public_key, KeyPurpose.ENVELOPE, at=at)

    before = foreign_verdict(leaf, authority, at)
    authority.revoke(leaf.serial, at=at, reason=RevocationReason.KEY_COMPROMISE)
    after = foreign_verdict(leaf, authority, at)

    assert (before, after) == (True, False)


@pytest.mark.parametrize("suite", list(Suite))
def test_chain_of_each_suite_holds(
    suite: Suite, trusting: Trusting, subject: SubjectName, at: datetime
) -> None:
    """Chains and CRLs with P-256, Ed25519 and SM2 are verified alike."""
    authority = Authority.create(SubjectName(common_name="r"), at=at, suite=suite)
    key = generate_private_key(suite).public_key
    leaf = authority.issue_signing(subject, key, KeyPurpose.ENVELOPE, at=at)

    found = verify_chain(leaf, (), trusting(authority, at), at, SIGNING)

    assert (leaf, authority.certificate) == found.path


def test_time_stamping_certificate_holds(
    authority: Authority,
    trusting: Trusting,
    subject: SubjectName,
    public_key: PublicKey,
    at: datetime,
) -> None:
    """A certificate whose one purpose is time stamping stamps time."""
    leaf = authority.issue_signing(subject, public_key, KeyPurpose.TSA, at=at)

    found = verify_chain(leaf, (), trusting(authority, at), at, TIME_STAMPING)

    assert leaf is found.certificate


def test_second_purpose_is_too_many_where_one_stands_alone(
    authority: Authority,
    trusting: Trusting,
    subject: SubjectName,
    public_key: PublicKey,
    at: datetime,
) -> None:
    """Where a usage demands its purpose alone, a second one refuses."""
    alone = KeyUsagePolicy(
        name="alone",
        any_of=TLS_CLIENT.any_of,
        purposes=frozenset({ExtendedKeyUsageOID.CLIENT_AUTH.dotted_string}),
        only=True,
    )
    leaf = authority.issue_tls(subject, public_key, TlsPurpose.BOTH, at=at)

    with pytest.raises(CertificateRefused) as caught:
        verify_chain(leaf, (), trusting(authority, at), at, alone)

    assert CertificateReason.WRONG_USAGE is caught.value.reason


def test_key_identifiers_that_differ_are_no_link(
    authority: Authority,
    trusting: Trusting,
    subject: SubjectName,
    public_key: PublicKey,
    at: datetime,
) -> None:
    """Two authorities of one name are told apart by their key identifiers."""
    namesake = Authority.create(SubjectName(common_name="Test root"), at=at)
    leaf = authority.issue_signing(subject, public_key, KeyPurpose.ENVELOPE, at=at)

    with pytest.raises(CertificateRefused) as caught:
        verify_chain(leaf, (), trusting(namesake, at), at, SIGNING)

    assert CertificateReason.NO_CHAIN is caught.value.reason


def test_holds_are_not_offered() -> None:
    """A certificate is revoked or it is not: a hold that ends would rewrite the past."""
    assert "certificate_hold" not in set(RevocationReason)
