"""The outer form of a record whose key has no JWS algorithm: a DSSE envelope, written as text.

`<header>.<payload>.<signature>`, each in base64url. The payload is what an SD-JWT would sign, the
signature is over its pre-authentication encoding (DSSE 1.0.2). One verifier core, two outer forms.
INVARIANT: the header is signed by nobody, so it has one spelling and selects nothing: it repeats
the payload type, and the suite and id of the registered key.
"""

from certs.suites import Suite
from signing.encoding import JsonValue, b64url_encode, encode_json, pae
from signing.record_form import MANIFEST_TYPE
from signing.signer import Signer


def sign_manifest(signer: Signer, payload: dict[str, JsonValue]) -> str:
    """Return a disclosure manifest as text."""
    body = encode_json(payload)
    signature = signer.sign(pae(MANIFEST_TYPE, body))
    header = manifest_header(signer.suite, signer.keyid)
    return f"{header}.{b64url_encode(body)}.{b64url_encode(signature)}"


def manifest_header(suite: Suite, keyid: str) -> str:
    """Return the one header a manifest of this key may have."""
    return b64url_encode(encode_json({"alg": suite.value, "kid": keyid, "typ": MANIFEST_TYPE}))
