"""CRLs and OCSP answers: genuine, fresh, for the right issuer."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from asn1crypto import crl as asn1_crl
from asn1crypto import ocsp as asn1_ocsp
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from certs.algorithms import Suite
from certs.authority import Authority, RevocationReason
from certs.certificate import Certificate, parse_certificate
from certs.der import encode_signed
from certs.errors import (
    AlgorithmUnavailable,
    CertificateReason,
    CertificateRefused,
    SignatureInvalid,
)
from certs.naming import SubjectName
from certs.ocsp import MAX_RESPONSE, index_answers, verify_ocsp_response
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


def answer_bytes(
    *,
    status: ocsp.OCSPCertStatus = ocsp.OCSPCertStatus.GOOD,
    next_update: datetime | None = NOW + DAY,
    responder: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] = (ROOT, KEY),
    carried: tuple[x509.Certificate, ...] = (),
    algorithm: hashes.HashAlgorithm | None = None,
    made: datetime = NOW,
) -> bytes:
    """Return an OCSP response about the subject."""
    revoked = status is ocsp.OCSPCertStatus.REVOKED
    builder = (
        ocsp.OCSPResponseBuilder()
        .add_response(
            cert=SUBJECT,
            issuer=ROOT,
            algorithm=algorithm or hashes.SHA256(),
            cert_status=status,
            this_update=made,
            next_update=next_update,
            revocation_time=NOW if revoked else None,
            revocation_reason=None,
        )
        .responder_id(ocsp.OCSPResponderEncoding.HASH, responder[0])
    )
    if carried:
        builder = builder.certificates(list(carried))
    return builder.sign(responder[1], hashes.SHA256()).public_bytes(serialization.Encoding.DER)


RESPONDER_KEY = ec.generate_private_key(ec.SECP256R1())
OCSP_PURPOSE = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING])
RESPONDER_NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "responder")])
# The other library dates a response by its own clock: this responder covers any of them.
LONG_AGO = datetime(2001, 1, 1, tzinfo=UTC)
RESPONDER = certificate(
    RESPONDER_KEY, OCSP_PURPOSE, name=RESPONDER_NAME, start=LONG_AGO, days=36_500
)


def ocsp_refusal(der: bytes) -> CertificateReason:
    """Return why a response is refused."""
    with pytest.raises(CertificateRefused) as caught:
        verify_ocsp_response(der, ours(ROOT))
    return caught.value.reason


@pytest.mark.parametrize("algorithm", [hashes.SHA1(), hashes.SHA256()])  # noqa: S303  # RFC 5019: it only names the issuer
def test_answer_of_the_issuer_is_evidence(algorithm: hashes.HashAlgorithm) -> None:
    """A good answer makes revocation known until its nextUpdate and the grace."""
    answers = index_answers([answer_bytes(algorithm=algorithm)], [ours(ROOT)])
    store = build_revocation_store([], [], answers)

    evidence = store.evidence(ours(SUBJECT), ours(ROOT))

    assert evidence.known_until == NOW + DAY + DEFAULT_GRACE
    assert evidence.revoked_at is None


def test_revoked_answer_beats_a_good_crl() -> None:
    """Whoever says revoked is believed."""
    revoked = answer_bytes(status=ocsp.OCSPCertStatus.REVOKED)
    answers = index_answers([revoked], [ours(ROOT)])
    store = build_revocation_store([parse_crl(crl_bytes())], [ours(ROOT)], answers)

    assert store.evidence(ours(SUBJECT), ours(ROOT)).revoked_at == NOW


def test_unknown_answer_is_no_evidence() -> None:
    """A responder that does not know says nothing."""
    unknown = answer_bytes(status=ocsp.OCSPCertStatus.UNKNOWN)

    assert verify_ocsp_response(unknown, ours(ROOT)) == ()


def test_newest_answer_counts() -> None:
    """Of two answers about one certificate the later is used, in any order."""
    old = answer_bytes(made=NOW - DAY)
    new = answer_bytes()
    place = (ours(ROOT).public_key.thumbprint, ours(SUBJECT).serial)

    assert index_answers([old, new], [ours(ROOT)])[place].this_update == NOW
    assert index_answers([new, old], [ours(ROOT)])[place].this_update == NOW


def test_answer_of_a_named_responder_is_evidence() -> None:
    """A responder that the issuer certified for this may answer; the issuer may stand beside."""
    der = answer_bytes(responder=(RESPONDER, RESPONDER_KEY), carried=(ROOT, RESPONDER))

    assert len(verify_ocsp_response(der, ours(ROOT))) == 1


def test_answer_of_a_stranger_is_no_evidence() -> None:
    """A response under any other key is refused."""
    with pytest.raises(SignatureInvalid):
        verify_ocsp_response(answer_bytes(responder=(RESPONDER, RESPONDER_KEY)), ours(ROOT))


def test_responder_without_the_purpose_is_refused() -> None:
    """Not every certificate of the issuer may answer for it."""
    plain = certificate(RESPONDER_KEY, name=RESPONDER_NAME)

    assert CertificateReason.WRONG_USAGE is ocsp_refusal(
        answer_bytes(responder=(plain, RESPONDER_KEY), carried=(plain,))
    )


def test_responder_that_had_expired_is_refused() -> None:
    """A responder answers only while its certificate is valid."""
    old = certificate(RESPONDER_KEY, OCSP_PURPOSE, name=RESPONDER_NAME, start=LONG_AGO, days=1)
    der = answer_bytes(responder=(old, RESPONDER_KEY), carried=(old,))

    assert CertificateReason.EXPIRED is ocsp_refusal(der)


def test_answer_without_next_update_is_refused() -> None:
    """An answer that never gets stale is refused."""
    assert CertificateReason.MALFORMED is ocsp_refusal(answer_bytes(next_update=None))


def test_response_of_an_unknown_issuer_is_refused(authority: Authority) -> None:
    """A response that speaks for none of our issuers refuses the store."""
    with pytest.raises(CertificateRefused) as caught:
        index_answers([answer_bytes()], [authority.certificate])

    assert CertificateReason.NO_CHAIN is caught.value.reason


def test_answer_that_hashes_otherwise_names_nobody() -> None:
    """An issuer named by another digest is not recognised."""
    with pytest.raises(CertificateRefused) as caught:
        index_answers([answer_bytes(algorithm=hashes.SHA512())], [ours(ROOT)])

    assert CertificateReason.NO_CHAIN is caught.value.reason


@pytest.mark.parametrize(
    "der",
    [
        b"",
        b"\x30\x00",
        bytes(MAX_RESPONSE + 1),
        ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER).public_bytes(
            serialization.Encoding.DER
        ),
        answer_bytes(carried=(ROOT,) * 5),
    ],
    ids=["empty", "no content", "too long", "no answer", "many certificates"],
)
def test_malformed_response_is_refused(der: bytes) -> None:
    """What is not one bounded answer is refused."""
    assert CertificateReason.MALFORMED is ocsp_refusal(der)


def test_response_with_many_answers_is_refused() -> None:
    """A response speaks of a bounded number of certificates."""
    whole = asn1_ocsp.OCSPResponse.load(answer_bytes())
    answers = whole["response_bytes"]["response"].parsed["tbs_response_data"]["responses"]
    for _ in range(64):
        answers.append(answers[0])

    assert CertificateReason.MALFORMED is ocsp_refusal(whole.dump(force=True))


def test_malformed_response_refuses_the_index() -> None:
    """A file that is no response refuses the store."""
    with pytest.raises(CertificateRefused):
        index_answers([b"\x30\x00"], [ours(ROOT)])


def test_critical_extension_of_a_response_is_refused() -> None:
    """What a response calls critical and we do not know refuses it."""
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.55555.1"), b"\x05\x00")
    builder = (
        ocsp.OCSPResponseBuilder()
        .add_response(
            cert=SUBJECT,
            issuer=ROOT,
            algorithm=hashes.SHA256(),
            cert_status=ocsp.OCSPCertStatus.GOOD,
            this_update=NOW,
            next_update=NOW + DAY,
            revocation_time=None,
            revocation_reason=None,
        )
        .responder_id(ocsp.OCSPResponderEncoding.HASH, ROOT)
        .add_extension(unknown, critical=True)
    )
    der = builder.sign(KEY, hashes.SHA256()).public_bytes(serialization.Encoding.DER)

    assert CertificateReason.MALFORMED is ocsp_refusal(der)


def test_crl_that_this_machine_cannot_verify_is_of_a_stranger(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where SM2 is missing, an SM2 CRL proves nothing."""

    def missing(*_: bytes) -> None:
        raise AlgorithmUnavailable("none")

    monkeypatch.setattr("certs.revocation.verify_signed", missing)

    with pytest.raises(CertificateRefused):
        store_of(crl_bytes())
