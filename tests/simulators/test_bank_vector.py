"""The published vector is what the manual says, for the front and for software that is not ours."""

import base64
import hashlib
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from lxml import etree

from adapters.simulators.bank.refusals import Refused
from adapters.simulators.bank.signature import require_signature
from tests.simulators.bank_client import DSIG, judge

VECTORS = Path(__file__).parent / "vectors"
MANUAL = Path(__file__).resolve().parents[2] / "docs" / "adapters" / "bank.md"
BODY = (VECTORS / "bank_request.xml").read_bytes()
CERTIFICATE = x509.load_pem_x509_certificate((VECTORS / "bank_signer.pem").read_bytes())


def test_the_front_takes_the_vector() -> None:
    """Valid by both schemas, signed by the certificate beside it."""
    require_signature(judge(BODY), CERTIFICATE)


def test_the_values_of_the_manual_are_those_of_the_vector() -> None:
    """DigestValue and the SHA-256 of the canonical SignedInfo stand in the manual."""
    root = etree.fromstring(BODY)
    info = root.find(f".//{{{DSIG}}}SignedInfo")
    digest = root.findtext(f".//{{{DSIG}}}DigestValue") or ""
    assert info is not None
    canonical = etree.tostring(info, method="c14n", exclusive=True)

    root.remove(root[2])
    whole = etree.tostring(root, method="c14n", exclusive=True)

    assert base64.b64encode(hashlib.sha256(whole).digest()).decode() == digest
    manual = MANUAL.read_text()
    assert digest in manual
    assert hashlib.sha256(canonical).hexdigest() in manual


def test_the_signature_value_is_two_halves_over_the_signed_info() -> None:
    """64 octets, verified without any XML signature library."""
    root = etree.fromstring(BODY)
    info = root.find(f".//{{{DSIG}}}SignedInfo")
    value = base64.b64decode(root.findtext(f".//{{{DSIG}}}SignatureValue") or "")
    key = CERTIFICATE.public_key()
    assert info is not None
    assert isinstance(key, ec.EllipticCurvePublicKey)

    halves = (int.from_bytes(value[:32], "big"), int.from_bytes(value[32:], "big"))
    canonical = etree.tostring(info, method="c14n", exclusive=True)

    assert len(value) == 64
    key.verify(encode_dss_signature(*halves), canonical, ec.ECDSA(hashes.SHA256()))


# Digits of texts and attributes: those of the XML declaration and of X509Data are the syntax.
DIGITS = [
    at
    for at, octet in enumerate(BODY)
    if at > 50 and chr(octet).isdigit() and b"X509" not in BODY[at - 3 : at + 3]
]


@pytest.mark.parametrize("at", DIGITS[::13])
def test_a_changed_octet_of_the_vector_is_refused(at: int) -> None:
    """A digit anywhere in the message, the signature or the certificate becomes another one."""
    other = b"1" if BODY[at : at + 1] == b"0" else b"0"
    changed = etree.fromstring(BODY[:at] + other + BODY[at + 1 :])

    with pytest.raises(Refused):
        require_signature(changed, CERTIFICATE)
