"""Signs and verifies envelopes: one enveloped signature over the whole document.

INVARIANT: only the registered certificate is believed; the one a message carries is compared.
"""

from base64 import b64decode
from binascii import Error
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from signxml.algorithms import (
    CanonicalizationMethod,
    DigestAlgorithm,
    SignatureConstructionMethod,
    SignatureMethod,
)
from signxml.exceptions import SignXMLException
from signxml.signer import XMLSigner
from signxml.verifier import SignatureConfiguration, XMLVerifier

from adapters.simulators.bank.refusals import Refused
from adapters.simulators.bank.schemas import DSIG

_C14N: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
_ENVELOPED: Final = f"{DSIG}enveloped-signature"
_SHAPE: Final = (
    "Signature/SignedInfo/CanonicalizationMethod",
    "Signature/SignedInfo/SignatureMethod",
    "Signature/SignedInfo/Reference/Transforms/Transform",
    "Signature/SignedInfo/Reference/Transforms/Transform",
    "Signature/SignedInfo/Reference/DigestMethod",
    "Signature/SignedInfo/Reference/DigestValue",
    "Signature/SignatureValue",
    "Signature/KeyInfo/X509Data/X509Certificate",
)
"""The leaves of the one form of signature that is taken, in order."""
_ALGORITHMS: Final = (
    _C14N,
    SignatureMethod.ECDSA_SHA256.value,
    _ENVELOPED,
    _C14N,
    DigestAlgorithm.SHA256.value,
)
_EXPECTED: Final = SignatureConfiguration(
    location="./",
    expect_references=1,
    signature_methods=frozenset({SignatureMethod.ECDSA_SHA256}),
    digest_algorithms=frozenset({DigestAlgorithm.SHA256}),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """A signing key and its certificate."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


def sign(envelope: etree._Element, signer: Signer) -> etree._Element:
    """Sign an envelope; the signature becomes its last child."""
    return _xml_signer(SignatureConstructionMethod.enveloped).sign(
        envelope, key=signer.key, cert=[signer.certificate]
    )


def sign_apart(document: etree._Element, signer: Signer) -> etree._Element:
    """Sign a Document inside a ds:Object: what a wrapping attack carries along."""
    return _xml_signer(SignatureConstructionMethod.enveloping).sign(
        document, key=signer.key, cert=[signer.certificate]
    )


def require_signature(envelope: etree._Element, certificate: x509.Certificate) -> None:
    """Demand the signature of this certificate over the whole envelope.

    Raises:
        Refused: SIG01.
    """
    # The form first: what else is referenced could verify and say nothing of the envelope.
    found = envelope.findall(f".//{{{DSIG}}}Signature")
    if len(found) != 1 or found[0].getparent() is not envelope or not _is_expected(found[0]):
        raise Refused("SIG01")
    if not _carries(found[0], certificate):
        raise Refused("SIG01")
    try:
        XMLVerifier().verify(envelope, x509_cert=certificate, expect_config=_EXPECTED)
    # Also what lxml says of a signature its schema does not know, and cryptography of odd texts.
    except (SignXMLException, etree.LxmlError, ValueError, TypeError) as cause:
        raise Refused("SIG01") from cause


def _xml_signer(method: SignatureConstructionMethod) -> XMLSigner:
    return XMLSigner(
        method=method,
        signature_algorithm=SignatureMethod.ECDSA_SHA256,
        digest_algorithm=DigestAlgorithm.SHA256,
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )


def _is_expected(signature: etree._Element) -> bool:
    shape = tuple(_path(leaf) for leaf in signature.iter() if not len(leaf))
    algorithms = tuple(
        found.attrib["Algorithm"] for found in signature.iter() if "Algorithm" in found.attrib
    )
    references = [dict(found.attrib) for found in signature.iter(f"{{{DSIG}}}Reference")]
    return shape == _SHAPE and algorithms == _ALGORITHMS and references == [{"URI": ""}]


def _path(leaf: etree._Element) -> str:
    names = [etree.QName(leaf).localname]
    for parent in leaf.iterancestors():
        names.append(etree.QName(parent).localname)
        if names[-1] == "Signature":
            break
    return "/".join(reversed(names))


def _carries(signature: etree._Element, certificate: x509.Certificate) -> bool:
    text = "".join((signature.findtext(f".//{{{DSIG}}}X509Certificate") or "").split())
    try:
        return b64decode(text, validate=True) == certificate.public_bytes(Encoding.DER)
    except (Error, ValueError):  # also raised for a text beyond ASCII
        return False
