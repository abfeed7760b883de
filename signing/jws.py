"""Writes compact JWS (RFC 7515 7.1) with a `Signer`, wherever its key lives.

Knows no claim. Records and both kinds of assertion are written here and nowhere else.
"""

import base64
from typing import Final

from certs.algorithms import Suite
from signing.encoding import JsonValue, b64url_encode, encode_json
from signing.signer import Signer

JOSE_SUITES: Final = frozenset({Suite.ES256, Suite.EDDSA})
"""Suites with a registered JWS algorithm (RFC 7518 3.4, RFC 8037 3.1); SM2 has none."""


def sign_jws(signer: Signer, header: dict[str, JsonValue], payload: dict[str, JsonValue]) -> str:
    """Return header, payload and signature in compact form.

    The signatures of both suites are the 64 raw bytes that JWS wants.
    """
    # Not canonical JSON: JWS signs the text as it travels, and nobody writes it a second time.
    protected = b64url_encode(encode_json(header))
    signing_input = f"{protected}.{b64url_encode(encode_json(payload))}"
    return f"{signing_input}.{b64url_encode(signer.sign(signing_input.encode('ascii')))}"


def signer_header(signer: Signer, jwt_type: str) -> dict[str, JsonValue]:
    """Return the header for a signer: algorithm, key id, explicit type (RFC 8725 3.11)."""
    return {"alg": signer.suite.value, "kid": signer.keyid, "typ": jwt_type}


def certificate_chain(signer: Signer) -> dict[str, JsonValue]:
    """Return `x5c` for verifiers that do not know our registry; nothing where there is none."""
    if not signer.certificate_der:
        return {}
    # RFC 7515 4.1.6: standard base64, not base64url.
    return {"x5c": [base64.b64encode(signer.certificate_der).decode("ascii")]}
