"""The embedded authority: what it issues, to whom, and what it refuses."""

from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from certs.algorithms import PrivateKey, Suite, generate_private_key
from certs.authority import (
    BACKDATE,
    LEAF_LIFETIME,
    Authority,
    RevocationReason,
    TlsPurpose,
)
from certs.authority_state import encode_authority_state, parse_authority_state
from certs.certificate import KeyUsage, parse_certificate
from certs.der import encode_signed, split_signed
from certs.errors import CertificateReason, CertificateRefused, CertsError, SignatureInvalid
from certs.naming import SubjectName
from certs.pem import encode_pem, parse_single
from certs.registry_file import KeyPurpose
from certs.revocation import parse_crl
from certs.signing_request import (
    MAX_REQUEST,
    PEM_LABEL,
    build_signing_request,
    parse_signing_request,
)


@pytest.fixture
def request_der(envelope_key: PrivateKey, subject: SubjectName) -> bytes:
    """Return a certification request of ours."""
    return parse_single(build_signing_request(envelope_key, subject), PEM_LABEL)


@pytest.mark.parametrize("suite", list(Suite))
def test_request_proves_possession(suite: Suite, subject: SubjectName) -> None:
    """A request of each suite hands out the key that signed it."""
    private_key = generate_private_key(suite)

    found = parse_signing_request(build_signing_request(private_key, subject))

    assert private_key.public_key == found.public_key


def test_request_of_another_library_is_read(at: datetime, authority: Authority) -> None:
    """A foreign request is accepted, and only its key counts."""
    key = ed25519.Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "I am the root")])
    foreign = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, None)
    pem = foreign.public_bytes(serialization.Encoding.PEM)

    issued = authority.issue_signing(
        SubjectName(common_name="partner"), parse_signing_request(pem), KeyPurpose.RECORD, at=at
    )

    assert "root" not in issued.subject_text
    assert Suite.EDDSA is issued.public_key.suite


def test_another_library_reads_our_request(request_der: bytes, uscc: str) -> None:
    """A foreign reader finds our request genuine."""
    found = x509.load_der_x509_csr(request_der)

    assert found.is_signature_valid
    assert uscc in found.subject.rfc4514_string()


def test_request_signed_by_another_key_is_refused(request_der: bytes, authority: Authority) -> None:
    """Who does not hold the key gets no certificate for it."""
    signed = split_signed(request_der)
    raw = authority.private_key.sign(signed.to_be_signed)
    stolen = split_signed(
        parse_single(
            build_signing_request(authority.private_key, SubjectName(common_name="x")), PEM_LABEL
        )
    )

    with pytest.raises(SignatureInvalid):
        parse_signing_request(
            encode_signed(signed.to_be_signed, signed.algorithm, stolen.signature)
        )
    assert len(raw) == 64


def test_request_with_weak_key_is_refused() -> None:
    """A P-384 request is refused."""
    key = ec.generate_private_key(ec.SECP384R1())
    foreign = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    der = foreign.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)

    with pytest.raises(CertificateRefused) as caught:
        parse_signing_request(der)

    assert CertificateReason.WEAK_ALGORITHM is caught.value.reason


@pytest.mark.parametrize("what", ["empty", "trailing", "long", "version", "content"])
def test_malformed_request_is_refused(what: str, request_der: bytes) -> None:
    """A request has one spelling."""
    body = split_signed(request_der)
    version = body.to_be_signed.replace(b"\x02\x01\x00", b"\x02\x01\x01", 1)
    offers = {
        "empty": b"",
        "trailing": request_der + b"\x00",
        "long": bytes(MAX_REQUEST + 1),
        "version": encode_signed(version, body.algorithm, body.signature),
        "content": encode_signed(b"\x30\x00", b"\x30\x00", b"s"),
    }

    with pytest.raises(CertsError) as caught:
        parse_signing_request(offers[what])

    assert "MALFORMED" in str(caught.value)


def test_leaf_is_short_lived_and_backdated(
    authority: Authority, subject: SubjectName, envelope_key: PrivateKey, at: datetime
) -> None:
    """By default a certificate lasts a week and is good a little before it was made."""
    leaf = authority.issue_signing(
        subject, envelope_key.public_key, KeyPurpose.ENVELOPE, at=at + timedelta(microseconds=7)
    )

    assert at - BACKDATE == leaf.not_before
    assert at + LEAF_LIFETIME == leaf.not_after


@pytest.mark.parametrize(
    ("purpose", "count"), [(TlsPurpose.SERVER, 1), (TlsPurpose.CLIENT, 1), (TlsPurpose.BOTH, 2)]
)
def test_tls_certificate_names_its_side(
    purpose: TlsPurpose,
    count: int,
    authority: Authority,
    subject: SubjectName,
    envelope_key: PrivateKey,
    at: datetime,
) -> None:
    """A TLS certificate is for its side only, and for loopback unless told otherwise."""
    leaf = authority.issue_tls(subject, envelope_key.public_key, purpose, at=at)
    names = x509.load_der_x509_certificate(leaf.der).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )

    assert leaf.eku is not None
    assert count == len(leaf.eku)
    assert names.value.get_values_for_type(x509.DNSName) == ["localhost"]
    assert len(names.value.get_values_for_type(x509.IPAddress)) == 2


def test_signing_certificate_is_not_issued_for_tls(
    authority: Authority, subject: SubjectName, envelope_key: PrivateKey, at: datetime
) -> None:
    """TLS certificates have their own way."""
    with pytest.raises(CertificateRefused):
        authority.issue_signing(subject, envelope_key.public_key, KeyPurpose.TLS, at=at)


def test_signing_certificate_signs_and_certifies_nobody(
    authority: Authority, subject: SubjectName, envelope_key: PrivateKey, at: datetime
) -> None:
    """A leaf is no authority."""
    leaf = authority.issue_signing(subject, envelope_key.public_key, KeyPurpose.SEAL, at=at)

    assert frozenset({KeyUsage.DIGITAL_SIGNATURE, KeyUsage.NON_REPUDIATION}) == leaf.key_usage
    assert not leaf.is_authority


def test_serial_numbers_are_long_and_differ(
    authority: Authority, subject: SubjectName, envelope_key: PrivateKey, at: datetime
) -> None:
    """Serial numbers are positive, of 127 bits, and never the same."""
    serials = {
        authority.issue_signing(subject, envelope_key.public_key, KeyPurpose.LOG, at=at).serial
        for _ in range(8)
    }

    assert len(serials) == 8
    assert {127} == {serial.bit_length() for serial in serials}


def test_certificate_beyond_2049_is_issued(at: datetime) -> None:
    """A long-lived root uses the other time form."""
    root = Authority.create(
        SubjectName(common_name="r"), at=at, lifetime=timedelta(days=10_000)
    ).certificate

    assert at + timedelta(days=10_000) == parse_certificate(root.der).not_after


def test_authority_is_taken_up_where_it_was_left(authority: Authority, at: datetime) -> None:
    """After a restart revocations stand and CRL numbers go on."""
    authority.revoke(5, at=at, reason=RevocationReason.SUPERSEDED)
    authority.revoke(5, at=at + timedelta(days=1), reason=RevocationReason.UNSPECIFIED)
    first = parse_crl(authority.crl(at=at))

    again = Authority(authority.certificate, authority.private_key, authority.state)
    second = parse_crl(again.crl(at=at, next_update=at + timedelta(hours=1)))

    assert (first.number, second.number) == (1, 2)
    assert {5: at} == second.revoked
    assert at + timedelta(hours=1) == second.next_update


def test_authority_needs_its_own_key(authority: Authority, envelope_key: PrivateKey) -> None:
    """A certificate and a stranger's key make no authority."""
    with pytest.raises(CertificateRefused) as caught:
        Authority(authority.certificate, envelope_key)

    assert CertificateReason.WRONG_USAGE is caught.value.reason


def test_leaf_makes_no_authority(
    authority: Authority, subject: SubjectName, envelope_key: PrivateKey, at: datetime
) -> None:
    """Who holds a leaf issues nothing."""
    leaf = authority.issue_signing(subject, envelope_key.public_key, KeyPurpose.SEAL, at=at)

    with pytest.raises(CertificateRefused):
        Authority(leaf, envelope_key)


def test_request_may_come_as_pem(request_der: bytes, envelope_key: PrivateKey) -> None:
    """The armour changes nothing."""
    found = parse_signing_request(encode_pem(request_der, PEM_LABEL))

    assert envelope_key.public_key == found.public_key


def test_state_survives_its_file(authority: Authority, at: datetime) -> None:
    """Reading the state file is the inverse of writing it."""
    for serial, reason in enumerate(RevocationReason, start=1):
        authority.revoke(serial << 100, at=at, reason=reason)
    authority.crl(at=at)

    assert authority.state == parse_authority_state(encode_authority_state(authority.state))


REVOKED = '{"serial": "5f", "at": "2026-11-23T12:00:00Z", "reason": "superseded"}'


@pytest.mark.parametrize(
    "revoked",
    [
        REVOKED + "," + REVOKED,
        REVOKED.replace("5f", "05f"),
        REVOKED.replace("5f", "5F"),
        REVOKED.replace("superseded", "whim"),
        REVOKED.replace("reason", "cause"),
        "1",
    ],
)
def test_malformed_state_is_refused(revoked: str) -> None:
    """A state file has one spelling for each revocation."""
    content = f'{{"format": "hutong-authority/1", "crl_number": 3, "revoked": [{revoked}]}}'

    with pytest.raises(CertificateRefused) as caught:
        parse_authority_state(content.encode())

    assert CertificateReason.MALFORMED is caught.value.reason
