"""Certification requests (PKCS#10, RFC 2986): a public key with proof that its holder asked.

INVARIANT: a request is only handed out after its own signature verified.
INVARIANT: of the request only the key is used; names and extensions in it decide nothing.
"""

from dataclasses import dataclass
from typing import Final

from asn1crypto import core, csr

from certs.der import (
    PARSE_ERRORS,
    SIGNATURE_IDENTIFIERS,
    encode_sequence,
    encode_signed,
    split_signed,
    verify_signed,
)
from certs.errors import CertificateReason, CertificateRefused
from certs.naming import SubjectName, build_name
from certs.pem import encode_pem, parse_single
from certs.private_key import PrivateKey
from certs.public_key import PublicKey, parse_public_key
from certs.signature_format import P256_ORDER, SM2_ORDER, encode_der_signature
from certs.suites import Suite

PEM_LABEL: Final = "CERTIFICATE REQUEST"
MAX_REQUEST: Final = 16 * 1024

# Certificates carry signatures on curves as DER, Ed25519 as it is.
_ORDERS: Final = {Suite.ES256: P256_ORDER, Suite.SM2SM3: SM2_ORDER}


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningRequest:
    """A request whose holder proved possession of the private key; made only by parsing."""

    der: bytes
    public_key: PublicKey


def parse_signing_request(encoded: bytes) -> SigningRequest:
    """Read a request, DER or PEM, and verify its proof of possession.

    Raises:
        CertificateRefused: MALFORMED or WEAK_ALGORITHM.
        SignatureInvalid: the key did not sign the request.
        AlgorithmUnavailable: SM2 on a machine without it.
    """
    der = parse_single(encoded, PEM_LABEL)
    if len(der) > MAX_REQUEST:
        raise CertificateRefused(CertificateReason.MALFORMED, "request too long")
    signed = split_signed(der)
    try:
        request = csr.CertificationRequest.load(der, strict=True)
        body = request["certification_request_info"]
        version = body["version"].native
        spki = bytes(body["subject_pk_info"].dump())
        canonical = bytes(request.dump(force=True))
    except PARSE_ERRORS as cause:
        raise CertificateRefused(CertificateReason.MALFORMED, "request") from cause
    if version != "v1" or canonical != der:
        raise CertificateRefused(CertificateReason.MALFORMED, "spelling of the request")
    # Proof of possession: else one could have somebody's key certified as one's own.
    public_key = parse_public_key(spki)
    verify_signed(signed, public_key)
    return SigningRequest(der=der, public_key=public_key)


def build_signing_request(private_key: PrivateKey, subject: SubjectName) -> bytes:
    """Return a request for a key, as PEM."""
    body = encode_sequence(
        bytes(core.Integer(0).dump()),
        bytes(build_name(subject, sandbox=False).dump()),
        private_key.public_key.spki,
        # RFC 2986 4.1: attributes are a set with tag [0]; ours is empty.
        bytes.fromhex("a000"),
    )
    return encode_pem(sign_der(body, private_key), PEM_LABEL)


def sign_der(to_be_signed: bytes, private_key: PrivateKey) -> bytes:
    """Return a signed object in the spelling of certificates."""
    identifier = SIGNATURE_IDENTIFIERS[private_key.public_key.algorithm]
    raw = private_key.sign(to_be_signed)
    order = _ORDERS.get(private_key.suite)
    signature = raw if order is None else encode_der_signature(raw, order)
    return encode_signed(to_be_signed, identifier, signature)
