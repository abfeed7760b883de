"""OCSP responses that somebody delivered as files (RFC 6960); nothing is asked of a responder.

INVARIANT: an answer counts only if the issuer signed it, or a responder certificate that the same
issuer signed for this purpose and that was valid when the answer was made.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from asn1crypto import core, keys, ocsp

from certs.certificate import Certificate, parse_certificate, read_extensions, read_time
from certs.der import PARSE_ERRORS, verify_identified, verify_signed
from certs.errors import CertificateReason, CertificateRefused
from certs.public_key import PublicKey

MAX_RESPONSE: Final = 64 * 1024
_MAX_CERTIFICATES: Final = 4
_MAX_ANSWERS: Final = 64
_OCSP_SIGNING: Final = "1.3.6.1.5.5.7.3.9"


@dataclass(frozen=True, slots=True, kw_only=True)
class OcspStatus:
    """What a genuine answer says about one certificate."""

    serial: int
    this_update: datetime
    next_update: datetime
    revoked_at: datetime | None


def verify_ocsp_response(der: bytes, issuer: Certificate) -> tuple[OcspStatus, ...]:
    """Return what a response says about certificates of an issuer.

    Answers `unknown` and answers about other issuers are left out.

    Raises:
        CertificateRefused: MALFORMED, NO_CHAIN or WEAK_ALGORITHM.
        SignatureInvalid: neither the issuer nor its responder signed it.
        AlgorithmUnavailable: SM2 on a machine without it.
    """
    if len(der) > MAX_RESPONSE:
        raise _malformed("OCSP response too long")
    try:
        basic = _read_basic(der)
        body = basic["tbs_response_data"]
        produced = read_time(body["produced_at"])
        key = _signer(basic["certs"], issuer, produced)
        verify_identified(
            bytes(basic["signature_algorithm"].dump()),
            bytes(basic["signature"].native),
            bytes(body.dump()),
            key,
        )
        return _read_answers(body, issuer)
    except PARSE_ERRORS as cause:
        raise _malformed("OCSP response") from cause


def index_answers(
    responses: Iterable[bytes], issuers: Iterable[Certificate]
) -> Mapping[tuple[bytes, int], OcspStatus]:
    """Return the newest answer for each (issuer key thumbprint, serial number).

    Raises:
        CertificateRefused: NO_CHAIN when a response speaks for none of the issuers.
    """
    newest: dict[tuple[bytes, int], OcspStatus] = {}
    candidates = tuple(issuers)
    for der in responses:
        issuer = _issuer_of(der, candidates)
        for answer in verify_ocsp_response(der, issuer):
            place = (issuer.public_key.thumbprint, answer.serial)
            held = newest.get(place)
            # Files come in any order; an old "good" must not outlive a newer "revoked".
            if held is None or answer.this_update > held.this_update:
                newest[place] = answer
    return newest


def _issuer_of(der: bytes, issuers: tuple[Certificate, ...]) -> Certificate:
    try:
        answers = _read_basic(der)["tbs_response_data"]["responses"]
        for issuer in issuers:
            if any(_speaks_for(answer["cert_id"], issuer) for answer in answers):
                return issuer
    except PARSE_ERRORS as cause:
        raise _malformed("OCSP response") from cause
    raise CertificateRefused(CertificateReason.NO_CHAIN, "OCSP response of an unknown issuer")


def _read_basic(der: bytes) -> ocsp.BasicOCSPResponse:
    response = ocsp.OCSPResponse.load(der, strict=True)
    if response["response_status"].native != "successful":
        raise _malformed("OCSP response is no answer")
    basic = response["response_bytes"]["response"].parsed
    if len(basic["tbs_response_data"]["responses"]) > _MAX_ANSWERS:
        raise _malformed("too many OCSP answers")
    return basic


def _signer(carried: core.SequenceOf, issuer: Certificate, produced: datetime) -> PublicKey:
    # RFC 6960 4.2.2.2: the issuer itself, or a responder it certified for this alone.
    certificates = list(carried or ())
    if len(certificates) > _MAX_CERTIFICATES:
        raise _malformed("too many certificates")
    for item in certificates:
        responder = parse_certificate(bytes(item.dump()))
        # Some responders send their issuer along; it proves nothing about itself.
        if responder.thumbprint_sha256 == issuer.thumbprint_sha256:
            continue
        named = responder.issuer_name == issuer.subject_name
        if not named or _OCSP_SIGNING not in (responder.eku or frozenset()):
            raise CertificateRefused(CertificateReason.WRONG_USAGE, "OCSP responder")
        # Its own revocation is not asked (RFC 6960 4.2.2.2.1): there would be no end of asking.
        verify_signed(responder.signed, issuer.public_key)
        # At the time of the answer: a responder's certificate may well lapse before its answers do.
        if not responder.not_before <= produced <= responder.not_after:
            raise CertificateRefused(CertificateReason.EXPIRED, "OCSP responder")
        return responder.public_key
    return issuer.public_key


def _read_answers(body: ocsp.ResponseData, issuer: Certificate) -> tuple[OcspStatus, ...]:
    _, unknown = read_extensions(body["response_extensions"], frozenset({"nonce"}))
    if unknown:
        raise _malformed("critical OCSP extension")
    return tuple(
        _read_answer(answer)
        for answer in body["responses"]
        # `unknown` is left out: it says no more than no answer, and no answer refuses.
        if _speaks_for(answer["cert_id"], issuer) and answer["cert_status"].name != "unknown"
    )


def _read_answer(answer: ocsp.SingleResponse) -> OcspStatus:
    _, unknown = read_extensions(answer["single_extensions"], frozenset())
    if unknown or answer["next_update"].native is None:
        # RFC 6960 4.2.2.1: without nextUpdate newer information is always to be had.
        raise _malformed("OCSP answer")
    status = answer["cert_status"]
    revoked = status.name == "revoked"
    return OcspStatus(
        serial=int(answer["cert_id"]["serial_number"].native),
        this_update=read_time(answer["this_update"]),
        next_update=read_time(answer["next_update"]),
        revoked_at=read_time(status.chosen["revocation_time"]) if revoked else None,
    )


def _speaks_for(cert_id: ocsp.CertId, issuer: Certificate) -> bool:
    algorithm = str(cert_id["hash_algorithm"]["algorithm"].native)
    if algorithm not in {"sha1", "sha256"}:
        return False
    bits = keys.PublicKeyInfo.load(issuer.spki)["public_key"].contents[1:]
    # SHA-1 only finds the issuer here (RFC 5019 2.1.1); the signature decides.
    name = hashlib.new(algorithm, issuer.subject_name, usedforsecurity=False).digest()
    key = hashlib.new(algorithm, bits, usedforsecurity=False).digest()
    carried = (bytes(cert_id["issuer_name_hash"].native), bytes(cert_id["issuer_key_hash"].native))
    return carried == (name, key)


def _malformed(what: str) -> CertificateRefused:
    return CertificateRefused(CertificateReason.MALFORMED, what)
