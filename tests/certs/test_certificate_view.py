"""What a certificate says, read strictly and without judging it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from hypothesis import given
from hypothesis import strategies as st

from certs.algorithms import PrivateKey, Suite, generate_private_key
from certs.authority import Authority, TlsPurpose
from certs.certificate import Certificate, KeyUsage, parse_certificate
from certs.der import encode_signed, split_signed, verify_identified, verify_signed
from certs.errors import CertificateReason, CertificateRefused, CertsError, SignatureInvalid
from certs.naming import SubjectName
from certs.pem import MAX_BYTES, encode_pem, parse_pem

FOREIGN_KEY = ec.generate_private_key(ec.SECP256R1())
FOREIGN_NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "foreign")])
START = datetime(2026, 11, 23, tzinfo=UTC)

Refused = Callable[[bytes], CertificateReason]


def foreign(
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey = FOREIGN_KEY,
    *,
    pss: padding.PSS | None = None,
    name: x509.Name = FOREIGN_NAME,
    extensions: tuple[x509.ExtensionType, ...] = (),
    end: datetime = START + timedelta(days=30),
) -> bytes:
    """Return a self-signed certificate that another library made."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(START)
        .not_valid_after(end)
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=True)
    signed = builder.sign(key, hashes.SHA256(), rsa_padding=pss)
    return signed.public_bytes(serialization.Encoding.DER)


DAMAGED = foreign(
    extensions=(
        x509.BasicConstraints(ca=True, path_length=1),
        x509.SubjectKeyIdentifier(b"12345678"),
        x509.AuthorityKeyIdentifier(b"12345678", None, None),
        x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.CLIENT_AUTH]),
    )
)


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPrivateKey:
    """Return an RSA key of the least accepted size."""
    return rsa.generate_private_key(65537, 3072)


@pytest.fixture
def refused() -> Refused:
    """Return the reason for which bytes are no certificate."""

    def reason(encoded: bytes) -> CertificateReason:
        with pytest.raises(CertificateRefused) as caught:
            parse_certificate(encoded)
        return caught.value.reason

    return reason


@pytest.mark.parametrize("suite", list(Suite))
def test_certificate_of_each_suite_is_read(suite: Suite, at: datetime) -> None:
    """Certificates with P-256, Ed25519 and SM2 keys are read and verified alike."""
    root = Authority.create(SubjectName(common_name="根"), at=at, suite=suite).certificate

    verify_signed(root.signed, root.public_key)

    assert suite is root.public_key.suite
    assert "根" in root.subject_text
    assert root.is_authority
    assert frozenset({KeyUsage.KEY_CERT_SIGN, KeyUsage.CRL_SIGN}) == root.key_usage


def test_foreign_reader_agrees_about_the_fields(tls_leaf: Certificate, uscc: str) -> None:
    """Another library reads the same values from the same bytes."""
    other = x509.load_der_x509_certificate(tls_leaf.der)

    assert other.serial_number == tls_leaf.serial
    assert other.not_valid_before_utc == tls_leaf.not_before
    assert other.not_valid_after_utc == tls_leaf.not_after
    assert other.fingerprint(hashes.SHA256()) == tls_leaf.thumbprint_sha256
    assert other.tbs_certificate_bytes == tls_leaf.signed.to_be_signed
    assert other.signature == tls_leaf.signed.signature
    assert uscc == tls_leaf.subject_organisation
    assert tls_leaf.issuer_organisation is None


def test_pem_and_der_are_one_certificate(tls_leaf: Certificate) -> None:
    """The armour changes nothing."""
    assert tls_leaf == parse_certificate(encode_pem(tls_leaf.der, "CERTIFICATE"))


def test_certificate_without_extensions_is_read() -> None:
    """Absent extensions are absent, not empty."""
    found = parse_certificate(foreign())

    assert (
        found.key_usage,
        found.eku,
        found.path_length,
        found.is_authority,
    ) == (None, None, None, False)


def test_year_after_2049_is_read() -> None:
    """GeneralizedTime is read as well as UTCTime."""
    end = datetime(2055, 1, 1, tzinfo=UTC)

    assert end == parse_certificate(foreign(end=end)).not_after


def test_weak_key_is_shown_and_not_given_out() -> None:
    """A P-384 certificate can be looked at; its key cannot be used."""
    found = parse_certificate(foreign(ec.generate_private_key(ec.SECP384R1())))

    with pytest.raises(CertificateRefused) as caught:
        _ = found.public_key

    assert CertificateReason.WEAK_ALGORITHM is caught.value.reason


def test_malformed_key_is_malformed(refused: Refused) -> None:
    """A certificate whose point lies on no curve is refused."""
    der = foreign()
    point = FOREIGN_KEY.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )

    assert CertificateReason.MALFORMED is refused(der.replace(point[:-1], point[:-2] + b"\x00"))


def test_name_that_cannot_be_displayed_decides_nothing(tls_leaf: Certificate) -> None:
    """A subject in the wrong alphabet is still a readable certificate."""
    broken = tls_leaf.der.replace(b"gateway", b"gate\xff\xff\xff")

    found = parse_certificate(broken)

    assert "?" in found.subject_text


@pytest.mark.parametrize("cut", [0, 1, 2, 5, 100, -1])
def test_cut_off_certificate_is_malformed(
    cut: int, tls_leaf: Certificate, refused: Refused
) -> None:
    """A certificate that ends early is refused."""
    assert CertificateReason.MALFORMED is refused(tls_leaf.der[:cut])


@pytest.mark.parametrize(
    "change",
    [
        lambda der: der + b"\x00",
        lambda der: b"\x31" + der[1:],
        lambda der: b"\x30\x83\x00" + der[2:],
        lambda der: b"\x30\x80" + der[4:] + b"\x00\x00",
        lambda der: b"\x30\x85\x00\x00\x00" + der[2:],
        lambda der: der + bytes(70_000),
    ],
    ids=["trailing", "set", "padded length", "indefinite", "five length bytes", "too long"],
)
def test_other_frame_is_malformed(
    change: Callable[[bytes], bytes], tls_leaf: Certificate, refused: Refused
) -> None:
    """Only the definite shortest length frames a certificate."""
    assert CertificateReason.MALFORMED is refused(change(tls_leaf.der))


def test_frame_with_other_content_is_malformed(refused: Refused) -> None:
    """Three well-framed parts that hold no certificate are refused."""
    assert CertificateReason.MALFORMED is refused(encode_signed(b"\x30\x00", b"\x30\x00", b"s"))


@pytest.mark.parametrize(
    "der",
    [
        encode_signed(b"\x30\x00", b"\x30\x00", b"")[:-1] + b"\x01",
        bytes.fromhex("3007300030000302"),
    ],
)
def test_signature_with_unused_bits_is_malformed(der: bytes) -> None:
    """A signature value is whole bytes and present."""
    with pytest.raises(CertificateRefused):
        split_signed(der)


def test_differing_algorithm_fields_are_malformed(tls_leaf: Certificate, refused: Refused) -> None:
    """The algorithm inside and outside the signed part is the same."""
    signed = tls_leaf.signed
    other = encode_signed(signed.to_be_signed, bytes.fromhex("300506032b6570"), signed.signature)

    assert CertificateReason.MALFORMED is refused(other)


def test_extension_that_stands_twice_is_malformed(tls_leaf: Certificate, refused: Refused) -> None:
    """One extension has one meaning."""
    whole = asn1_x509.Certificate.load(tls_leaf.der)
    whole["tbs_certificate"]["extensions"].append(whole["tbs_certificate"]["extensions"][0])

    assert CertificateReason.MALFORMED is refused(whole.dump(force=True))


def test_time_without_seconds_is_malformed(tls_leaf: Certificate, refused: Refused) -> None:
    """A validity in another spelling is refused."""
    spelled = tls_leaf.not_after.strftime("%y%m%d%H%M%SZ").encode()
    other = spelled[:-3] + b"+08"

    assert CertificateReason.MALFORMED is refused(tls_leaf.der.replace(spelled, other))


def test_name_constraints_are_not_ignored() -> None:
    """A constraint we do not evaluate is reported, critical or not."""
    constraints = x509.NameConstraints([x509.DNSName("example.invalid")], None)

    found = parse_certificate(foreign(extensions=(constraints,)))

    assert {"name_constraints"} == found.unknown_critical


def test_sandbox_is_recognised_by_name(at: datetime, subject: SubjectName) -> None:
    """Root and leaf of a sandbox both show it."""
    root = Authority.create(SubjectName(common_name="r"), at=at, sandbox=True)
    key = generate_private_key(Suite.ES256).public_key

    leaf = root.issue_tls(subject, key, TlsPurpose.CLIENT, at=at)

    assert root.certificate.is_sandbox
    assert leaf.is_sandbox


def test_rsa_pss_certificate_verifies(rsa_key: rsa.RSAPrivateKey) -> None:
    """A CA with RSA-PSS and 3072 bits is read and verified."""
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    found = parse_certificate(foreign(rsa_key, pss=pss))

    verify_signed(found.signed, found.public_key)

    with pytest.raises(SignatureInvalid):
        verify_identified(
            found.signed.algorithm, bytes(384), found.signed.to_be_signed, found.public_key
        )


@pytest.mark.parametrize(
    "pss",
    [
        None,
        padding.PSS(padding.MGF1(hashes.SHA256()), 20),
        padding.PSS(padding.MGF1(hashes.SHA512()), 32),
    ],
    ids=["PKCS#1 v1.5", "short salt", "other mask"],
)
def test_other_rsa_signature_is_weak(rsa_key: rsa.RSAPrivateKey, pss: padding.PSS | None) -> None:
    """RSA without PSS, or with unusual parameters, is refused."""
    found = parse_certificate(foreign(rsa_key, pss=pss))

    with pytest.raises(CertificateRefused) as caught:
        verify_signed(found.signed, found.public_key)

    assert CertificateReason.WEAK_ALGORITHM is caught.value.reason


def test_rsa_pss_without_parameters_is_malformed(rsa_key: rsa.RSAPrivateKey) -> None:
    """Parameters that cannot be read are refused."""
    found = parse_certificate(foreign(rsa_key))

    with pytest.raises(CertificateRefused):
        verify_identified(
            bytes.fromhex("300d06092a864886f70d01010a3000")[:-2] + b"\x05\x00",
            found.signed.signature,
            found.signed.to_be_signed,
            found.public_key,
        )


def test_unknown_signature_algorithm_is_weak(tls_leaf: Certificate) -> None:
    """ECDSA with SHA-1 is not in the table."""
    sha1 = bytes.fromhex("300906072a8648ce3d0401")

    with pytest.raises(CertificateRefused) as caught:
        verify_identified(sha1, b"", b"", tls_leaf.public_key)

    assert CertificateReason.WEAK_ALGORITHM is caught.value.reason


def test_algorithm_of_another_key_is_no_signature(envelope_key: PrivateKey) -> None:
    """A P-256 key cannot have made an Ed25519 signature."""
    ed25519 = bytes.fromhex("300506032b6570")

    with pytest.raises(SignatureInvalid):
        verify_identified(ed25519, bytes(64), b"", envelope_key.public_key)


@given(position=st.integers(0, 2000), value=st.integers(0, 255))
def test_damage_is_refused_or_read_and_never_crashes(position: int, value: int) -> None:
    """Whatever stands in one byte, only our own errors leave the parser."""
    damaged = bytearray(DAMAGED)
    damaged[position % len(damaged)] = value

    try:
        found = parse_certificate(bytes(damaged))
    except CertsError:
        return

    assert bytes(damaged) == found.der


@pytest.mark.parametrize(
    "text",
    [
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\nrest",
        b"-----BEGIN CERTIFICATE-----\nAAA\n-----END CERTIFICATE-----\n",
        b"-----BEGIN CERTIFICATE-----\nAAB=\n-----END CERTIFICATE-----\n",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END OTHER-----\n",
        b"-----BEGIN OTHER-----\nAAAA\n-----END OTHER-----\n",
        b"-----BEGIN CERTIFICATE-----\nAA!A\n-----END CERTIFICATE-----\n",
        b"",
        b" " * (MAX_BYTES + 1),
    ],
    ids=["rest", "short", "loose bits", "other end", "other label", "alphabet", "empty", "long"],
)
def test_other_armour_is_malformed(text: bytes) -> None:
    """PEM has one accepted spelling."""
    with pytest.raises(CertificateRefused) as caught:
        parse_pem(text, frozenset({"CERTIFICATE"}))

    assert CertificateReason.MALFORMED is caught.value.reason


def test_two_blocks_are_not_one_certificate(tls_leaf: Certificate, refused: Refused) -> None:
    """Where one certificate is expected, a bundle is refused."""
    assert CertificateReason.MALFORMED is refused(encode_pem(tls_leaf.der, "CERTIFICATE") * 2)
