"""CRLs and OCSP answers: genuine, fresh, for the right issuer."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from asn1crypto import crl as asn1_crl
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from certs.algorithms import Suite
from certs.authority import Authority, RevocationReason
from certs.certificate import Certificate, parse_certificate
from certs.der import encode_signed
from certs.errors import (
    AlgorithmUnavailable,
    CertificateReason,
    CertificateRefused,
)
from certs.naming import SubjectName
from certs.revocation import (
    DEFAULT_GRACE,
    MAX_CRL,
    RevocationStore,
    build_revocation_store,
    parse_crl,
)

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = timedelta(days=1)
NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "foreign")])
KEY = ec.generate_private_key(ec.SECP256R1())

CrlBuilder = x509.CertificateRevocationListBuilder


def certificate(
    key: ec.EllipticCurvePrivateKey,
    *extensions: x509.ExtensionType,
    name: x509.Name = NAME,
    start: datetime = NOW - 2 * DAY,
    days: int = 32,
) -> x509.Certificate:
    """Return a certificate under the foreign root's key."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(NAME)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + days * DAY)
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=True)
    return builder.sign(KEY, hashes.SHA256())


def ours(foreign: x509.Certificate) -> Certificate:
    """Return our view of a foreign certificate."""
    return parse_certificate(foreign.public_bytes(serialization.Encoding.DER))


ROOT = certificate(KEY, x509.BasicConstraints(ca=True, path_length=None))
SUBJECT = certificate(ec.generate_private_key(ec.SECP256R1()), name=x509.Name([]))


def crl_bytes(change: Callable[[CrlBuilder], CrlBuilder] = lambda builder: builder) -> bytes:
    """Return a CRL of the foreign root."""
    builder = CrlBuilder().issuer_name(NAME).last_update(NOW).next_update(NOW + DAY)
    return change(builder).sign(KEY, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def store_of(*crls: bytes, grace: timedelta = DEFAULT_GRACE) -> RevocationStore:
    """Return a store with CRLs of the foreign root."""
    return build_revocation_store([parse_crl(crl) for crl in crls], [ours(ROOT)], {}, grace)


def numbered(number: int) -> Callable[[CrlBuilder], CrlBuilder]:
    """Return a change that numbers a CRL."""
    return lambda builder: builder.add_extension(x509.CRLNumber(number), critical=False)


def malformed(encoded: bytes) -> bool:
    """Return whether bytes are refused as a CRL."""
    with pytest.raises(CertificateRefused) as caught:
        parse_crl(encoded)
    return caught.value.reason is CertificateReason.MALFORMED


@pytest.mark.parametrize("suite", list(Suite))
def test_crl_of_each_suite_is_genuine(suite: Suite, at: datetime) -> None:
    """CRLs signed with P-256, Ed25519 and SM2 are verified alike."""
    authority = Authority.create(SubjectName(common_name="r"), at=at, suite=suite)
    authority.revoke(7, at=at, reason=RevocationReason.UNSPECIFIED)
    authority.revoke(8, at=at, reason=RevocationReason.SUPERSEDED)

    crl = parse_crl(authority.crl(at=at))
    store = build_revocation_store([crl], [authority.certificate], {})

    assert {7: at, 8: at} == store.crls[authority.certificate.public_key.thumbprint].revoked


def test_another_library_reads_our_crl(authority: Authority, at: datetime) -> None:
    """A foreign reader finds number, dates, entry and signature in a CRL of ours."""
    authority.revoke(7, at=at, reason=RevocationReason.KEY_COMPROMISE)
    root = x509.load_der_x509_certificate(authority.certificate.der)

    found = x509.load_der_x509_crl(authority.crl(at=at))
    entry = found.get_revoked_certificate_by_serial_number(7)

    assert found.is_signature_valid(root.public_key())  # type: ignore[arg-type]  # the root is P-256
    assert entry is not None
    assert at == entry.revocation_date_utc


def test_evidence_lasts_until_next_update_and_grace() -> None:
    """Revocation is known until nextUpdate and the stated grace."""
    evidence = store_of(crl_bytes(), grace=timedelta(minutes=5)).evidence(ours(SUBJECT), ours(ROOT))

    assert NOW + DAY + timedelta(minutes=5) == evidence.known_until
    assert evidence.revoked_at is None


def test_no_crl_is_no_evidence() -> None:
    """Without a CRL nothing is known."""
    assert store_of().evidence(ours(SUBJECT), ours(ROOT)).known_until is None


def test_crl_made_after_expiry_tells_nothing() -> None:
    """An issuer may drop expired certificates, so absence from a later CRL proves nothing."""
    expired = ours(certificate(KEY, name=x509.Name([]), days=1))

    assert store_of(crl_bytes()).evidence(expired, ours(ROOT)).known_until is None


def test_newest_crl_counts() -> None:
    """Of several CRLs of one issuer the one with the highest number is used, in any order."""
    old, new = crl_bytes(numbered(1)), crl_bytes(numbered(2))
    key = ours(ROOT).public_key.thumbprint

    assert store_of(old, new).crls[key].number == 2
    assert store_of(new, old).crls[key].number == 2


def test_serial_that_stands_twice_counts_from_the_first_date() -> None:
    """Two entries for one serial number are read to the safe side."""

    def twice(builder: CrlBuilder) -> CrlBuilder:
        for day in (3, 1, 2):
            entry = x509.RevokedCertificateBuilder().serial_number(5)
            builder = builder.add_revoked_certificate(
                entry.revocation_date(NOW - day * DAY).build()
            )
        return builder

    assert parse_crl(crl_bytes(twice)).revoked == {5: NOW - 3 * DAY}


def test_crl_of_a_stranger_is_refused() -> None:
    """A CRL that no known issuer signed refuses the whole store."""
    stranger = ours(certificate(ec.generate_private_key(ec.SECP256R1())))

    with pytest.raises(CertificateRefused) as caught:
        build_revocation_store([parse_crl(crl_bytes())], [stranger], {})

    assert CertificateReason.NO_CHAIN is caught.value.reason


def test_crl_of_an_issuer_without_the_bit_is_refused() -> None:
    """An issuer that may not sign CRLs did not sign one."""
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )

    with pytest.raises(CertificateRefused):
        build_revocation_store([parse_crl(crl_bytes())], [ours(certificate(KEY, usage))], {})


def test_crl_of_a_namesake_with_another_key_id_is_refused() -> None:
    """A CRL names its key where two authorities share a name."""

    def named(builder: CrlBuilder) -> CrlBuilder:
        return builder.add_extension(
            x509.AuthorityKeyIdentifier(b"mine", None, None), critical=False
        )

    other = ours(certificate(KEY, x509.SubjectKeyIdentifier(b"other")))

    with pytest.raises(CertificateRefused):
        build_revocation_store([parse_crl(crl_bytes(named))], [other], {})


@pytest.mark.parametrize(
    "extension",
    [
        x509.DeltaCRLIndicator(1),
        x509.IssuingDistributionPoint(
            full_name=[x509.UniformResourceIdentifier("ldap://ca.invalid")],
            relative_name=None,
            only_contains_user_certs=True,
            only_contains_ca_certs=False,
            only_some_reasons=None,
            indirect_crl=False,
            only_contains_attribute_certs=False,
        ),
    ],
    ids=["delta", "partial"],
)
@pytest.mark.parametrize("critical", [True, False])
def test_partial_crl_is_refused(extension: x509.ExtensionType, *, critical: bool) -> None:
    """A CRL that does not speak of everything cannot prove that nothing is revoked."""
    assert malformed(crl_bytes(lambda builder: builder.add_extension(extension, critical=critical)))


def test_crl_entry_of_another_issuer_is_refused() -> None:
    """An indirect CRL is refused by its entries as well."""

    def indirect(builder: CrlBuilder) -> CrlBuilder:
        names = x509.CertificateIssuer([x509.DirectoryName(NAME)])
        entry = x509.RevokedCertificateBuilder().serial_number(5).revocation_date(NOW)
        return builder.add_revoked_certificate(entry.add_extension(names, critical=True).build())

    assert malformed(crl_bytes(indirect))


@pytest.mark.parametrize(
    "encoded",
    [
        b"",
        crl_bytes() + b"\x00",
        crl_bytes().replace(
            b"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02",
            b"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03",
            1,
        ),
        bytes.fromhex("3009300030000302007f"),
        encode_signed(b"\x30\x00", b"\x30\x00", b"s"),
        bytes(MAX_CRL + 1),
        crl_bytes()[:6] + b"\x05\x00" + crl_bytes()[8:],
    ],
    ids=[
        "empty",
        "trailing",
        "algorithms differ",
        "no value",
        "no content",
        "too long",
        "wrong type",
    ],
)
def test_malformed_crl_is_refused(encoded: bytes) -> None:
    """What is not one complete CRL is refused."""
    assert malformed(encoded)


def test_crl_without_next_update_is_refused() -> None:
    """A CRL that never gets stale is refused."""
    whole = asn1_crl.CertificateList.load(crl_bytes())
    del whole["tbs_cert_list"]["next_update"]

    with pytest.raises(CertificateRefused, match="nextUpdate"):
        parse_crl(whole.dump(force=True))


def test_crl_that_this_machine_cannot_verify_is_of_a_stranger(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where SM2 is missing, an SM2 CRL proves nothing."""

    def missing(*_: bytes) -> None:
        raise AlgorithmUnavailable("none")

    monkeypatch.setattr("certs.revocation.verify_signed", missing)

    with pytest.raises(CertificateRefused):
        store_of(crl_bytes())
