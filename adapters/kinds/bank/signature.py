"""The signature over an envelope: XML-DSig, one form only (docs/adapters/bank.md, section 3).

How a letter is verified, in this order:
1. the signature has exactly the elements, attributes and algorithms agreed on, once in the letter;
2. the certificate beside it is the registered one, octet for octet; trust comes from nowhere else;
3. digest and signature hold under the registered certificate;
4. what is read on is the tree the verification returns, never the one that came in.
"""

import base64
import binascii
import logging
from collections.abc import Iterator
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, utils
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
from signxml.verifier import SignatureConfiguration, VerifyResult, XMLVerifier

from adapters.errors import AdapterMisconfigured, DepartmentFailed
from adapters.port import Indeterminate
from certs.algorithms import Suite
from signing.signer import Signer

# It writes each canonical text, people's names included, where debugging is switched on.
logging.getLogger("signxml").setLevel(logging.INFO)

DS: Final = "http://www.w3.org/2000/09/xmldsig#"
SIGNATURE_TAG: Final = f"{{{DS}}}Signature"
_EXCLUSIVE: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
_HALF: Final = 32
_FORM: Final = (
    (0, "Signature", None),
    (1, "SignedInfo", None),
    (2, "CanonicalizationMethod", ("Algorithm", _EXCLUSIVE)),
    (2, "SignatureMethod", ("Algorithm", "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256")),
    (2, "Reference", ("URI", "")),
    (3, "Transforms", None),
    (4, "Transform", ("Algorithm", f"{DS}enveloped-signature")),
    (4, "Transform", ("Algorithm", _EXCLUSIVE)),
    (3, "DigestMethod", ("Algorithm", "http://www.w3.org/2001/04/xmlenc#sha256")),
    (3, "DigestValue", None),
    (1, "SignatureValue", None),
    (1, "KeyInfo", None),
    (2, "X509Data", None),
    (3, "X509Certificate", None),
)
"""Depth, name and the one attribute of each element, in document order."""


class _Key:
    """A signer in the shape signxml takes keys in."""

    key_size = 8 * _HALF

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    def sign(self, message: bytes, signature_algorithm: ec.ECDSA) -> bytes:
        """Return the signature as DER, which signxml turns back into two numbers."""
        # Named by signxml's call; the suite of the key is the one it can be (see `require_es256`).
        del signature_algorithm
        pair = self._signer.sign(message)
        halves = (int.from_bytes(pair[:_HALF], "big"), int.from_bytes(pair[_HALF:], "big"))
        return utils.encode_dss_signature(*halves)


def require_es256(signer: Signer) -> x509.Certificate:
    """Return the certificate of a signer the banks take.

    Raises:
        AdapterMisconfigured: Another suite than ES256, or no certificate.
    """
    if signer.suite is not Suite.ES256 or not signer.certificate_der:
        raise AdapterMisconfigured("banks take ES256 signatures with a certificate")
    return x509.load_der_x509_certificate(signer.certificate_der)


def sign_letter(letter: etree._Element, signer: Signer, certificate: x509.Certificate) -> bytes:
    """Return a letter with its signature as last child, as octets."""
    tool = XMLSigner(
        method=SignatureConstructionMethod.enveloped,
        signature_algorithm=SignatureMethod.ECDSA_SHA256,
        digest_algorithm=DigestAlgorithm.SHA256,
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
    signed = tool.sign(letter, key=_Key(signer), cert=[certificate])  # type: ignore[arg-type]  # signxml calls `sign` and `key_size` alone, and its type names key classes only
    return etree.tostring(signed, xml_declaration=True, encoding="UTF-8")


def verify_letter(letter: etree._Element, registered: x509.Certificate) -> etree._Element:
    """Return the signed tree of a letter, without its signature.

    Raises:
        DepartmentFailed: PROVIDER_UNPROVEN.
    """
    signatures = list(letter.iter(SIGNATURE_TAG))
    if len(signatures) != 1 or signatures[0] is not letter[-1]:
        raise DepartmentFailed(Indeterminate.PROVIDER_UNPROVEN)
    if tuple(_form(signatures[0], 0)) != _FORM:
        # Also any wrapping: what is signed is the whole letter, or nothing.
        raise DepartmentFailed(Indeterminate.PROVIDER_UNPROVEN)
    if _octets(signatures[0], "X509Certificate") != registered.public_bytes(Encoding.DER):
        raise DepartmentFailed(Indeterminate.PROVIDER_UNPROVEN)
    # signxml reads over characters that are no base64: one signature would have many spellings.
    if len(_octets(signatures[0], "SignatureValue")) != 2 * _HALF:
        raise DepartmentFailed(Indeterminate.PROVIDER_UNPROVEN)
    config = SignatureConfiguration(
        location="./",
        signature_methods=frozenset({SignatureMethod.ECDSA_SHA256}),
        digest_algorithms=frozenset({DigestAlgorithm.SHA256}),
        # The registration ends a certificate, not its date (section 3).
        verification_time=registered.not_valid_before_utc,
    )
    try:
        result = XMLVerifier().verify(
            letter, x509_cert=registered, expect_config=config, validate_schema=False
        )
    except (SignXMLException, ValueError, etree.LxmlError):
        # from None: the cause quotes the letter.
        raise DepartmentFailed(Indeterminate.PROVIDER_UNPROVEN) from None
    if not isinstance(result, VerifyResult) or result.signed_xml is None:
        raise DepartmentFailed(Indeterminate.PROVIDER_UNPROVEN)
    return result.signed_xml


def _form(element: etree._Element, depth: int) -> Iterator[tuple[int, str, object]]:
    """Yield what an element and all in it are; another namespace or attribute fits nowhere."""
    attributes = tuple(element.attrib.items())
    name = etree.QName(element)
    one = attributes[0] if len(attributes) == 1 else (attributes or None)
    yield depth, name.localname if name.namespace == DS else "", one
    for child in element:
        yield from _form(child, depth + 1)


def _octets(signature: etree._Element, name: str) -> bytes:
    text = signature.findtext(f".//{{{DS}}}{name}") or ""
    try:
        # Base64 in XML is broken into lines (xs:base64Binary): blanks carry nothing.
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return b""
