"""OCSP answers from files: genuine, fresh, from the issuer or the responder it named."""

from datetime import UTC, datetime, timedelta

import pytest
from asn1crypto import ocsp as asn1_ocsp
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from certs.authority import Authority
from certs.certificate import Certificate, parse_certificate
from certs.errors import CertificateReason, CertificateRefused, SignatureInvalid
from certs.ocsp import MAX_RESPONSE, index_answers, verify_ocsp_response
from certs.revocation import DEFAULT_GRACE, build_revocation_store, parse_crl

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = timedelta(days=1)
NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "foreign")])
KEY = ec.generate_private_key(ec.SECP256R1())


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


def crl_bytes() -> bytes:
    """Return an empty CRL of the foreign root."""
    builder = x509.CertificateRevocationListBuilder().issuer_name(NAME)
    signed = builder.last_update(NOW).next_update(NOW + DAY).sign(KEY, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.DER)


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
