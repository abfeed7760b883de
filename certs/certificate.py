"""An X.509 certificate as we look at it: exact bytes, key, validity, usage (RFC 5280 4.1).

Also reads certificates with SM2 keys, and certificates whose names cannot be decoded.
Knows no trust: a `Certificate` is only what somebody wrote.
INVARIANT: names are compared as bytes; a name that cannot be displayed decides nothing.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from asn1crypto import core, x509

from certs.der import PARSE_ERRORS, SignedObject, split_signed
from certs.errors import CertificateReason, CertificateRefused
from certs.pem import parse_single
from certs.public_key import PublicKey, parse_public_key

PEM_LABEL: Final = "CERTIFICATE"
# Certificates of Chinese CAs stay below 4 KiB; the limit leaves room for long policy texts.
MAX_CERTIFICATE: Final = 64 * 1024

# Sandbox subjects carry these words; production refuses every certificate that shows them.
SANDBOX_MARK: Final = "HUTONG SANDBOX"

# ETSI EN 319 412-1 5.1.4: national trade register, country, identifier. In China the register's
# identifier is the unified social credit code.
ORGANISATION_PREFIX: Final = "NTRCN-"

# X.690 11.7 and 11.8: seconds present, no fraction, Zulu.
_TIME: Final = re.compile(rb"[0-9]{12}Z|[0-9]{14}Z")

# What this package reads or may ignore: RFC 5280 4.2.1.1 to 4.2.1.6 and 4.2.1.12. A critical
# extension that is not here makes a certificate unusable in a chain.
_UNDERSTOOD: Final = frozenset(
    {
        "key_usage",
        "basic_constraints",
        "extended_key_usage",
        "subject_alt_name",
        "issuer_alt_name",
        "certificate_policies",
        "key_identifier",
        "authority_key_identifier",
    }
)

# Narrows what an authority may certify, and is not evaluated here: its presence refuses.
_ENFORCED: Final = frozenset({"name_constraints"})


class KeyUsage(StrEnum):
    """A bit of the key usage extension (RFC 5280 4.2.1.3)."""

    DIGITAL_SIGNATURE = "digital_signature"
    NON_REPUDIATION = "non_repudiation"
    KEY_ENCIPHERMENT = "key_encipherment"
    DATA_ENCIPHERMENT = "data_encipherment"
    KEY_AGREEMENT = "key_agreement"
    KEY_CERT_SIGN = "key_cert_sign"
    CRL_SIGN = "crl_sign"
    ENCIPHER_ONLY = "encipher_only"
    DECIPHER_ONLY = "decipher_only"


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What one certificate says, without any judgement.

    Names are DER. `key_usage` and `eku` are absent where the extension is; `eku` holds dotted
    object identifiers. `unknown_critical` names critical extensions we do not understand.
    """

    der: bytes = field(repr=False)
    thumbprint_sha256: bytes
    spki: bytes = field(repr=False)
    serial: int
    not_before: datetime
    not_after: datetime
    subject_name: bytes = field(repr=False)
    issuer_name: bytes = field(repr=False)
    subject_organisation: str | None
    issuer_organisation: str | None
    subject_text: str
    key_usage: frozenset[KeyUsage] | None
    eku: frozenset[str] | None
    is_authority: bool
    path_length: int | None
    subject_key_id: bytes | None
    authority_key_id: bytes | None
    unknown_critical: frozenset[str]
    signed: SignedObject = field(repr=False)
    accepted_key: PublicKey | None = field(repr=False)

    @property
    def public_key(self) -> PublicKey:
        """Return the key.

        Raises:
            CertificateRefused: WEAK_ALGORITHM when its kind or size is not accepted.
        """
        if self.accepted_key is None:
            raise CertificateRefused(CertificateReason.WEAK_ALGORITHM, "key of the certificate")
        return self.accepted_key

    @property
    def is_sandbox(self) -> bool:
        """Return whether subject or issuer carries the mark of a sandbox."""
        # Looked for in the bytes: a name that cannot be decoded must not hide the mark.
        mark = SANDBOX_MARK.encode("ascii")
        return mark in self.subject_name or mark in self.issuer_name


def parse_certificate(encoded: bytes) -> Certificate:
    """Read one certificate, DER or PEM.

    Raises:
        CertificateRefused: MALFORMED.
    """
    der = parse_single(encoded, PEM_LABEL)
    if len(der) > MAX_CERTIFICATE:
        raise CertificateRefused(CertificateReason.MALFORMED, "certificate too long")
    # The frame is read strictly by us, the fields leniently by a library: real certificates break
    # strict readers inside extensions that we never look at.
    signed = split_signed(der)
    try:
        body = x509.Certificate.load(der, strict=True)["tbs_certificate"]
        return _read(der, signed, body)
    except PARSE_ERRORS as cause:
        raise CertificateRefused(CertificateReason.MALFORMED, "certificate") from cause


def _read(der: bytes, signed: SignedObject, body: x509.TbsCertificate) -> Certificate:
    if body["signature"].dump() != signed.algorithm:
        # RFC 5280 4.1.1.2: both algorithm fields are the same.
        raise CertificateRefused(CertificateReason.MALFORMED, "signature algorithms differ")
    extensions, unknown = read_extensions(body["extensions"])
    # RFC 5280 4.2.1.10 asks for critical; who forgets it shall not widen what we trust.
    unknown |= _ENFORCED & extensions.keys()
    constraints = extensions.get("basic_constraints")
    usage = extensions.get("key_usage")
    purposes = extensions.get("extended_key_usage")
    authority = extensions.get("authority_key_identifier")
    spki = bytes(body["subject_public_key_info"].dump())
    return Certificate(
        der=der,
        thumbprint_sha256=hashlib.sha256(der).digest(),
        spki=spki,
        serial=int(body["serial_number"].native),
        not_before=read_time(body["validity"]["not_before"]),
        not_after=read_time(body["validity"]["not_after"]),
        subject_name=bytes(body["subject"].dump()),
        issuer_name=bytes(body["issuer"].dump()),
        subject_organisation=_organisation(body["subject"]),
        issuer_organisation=_organisation(body["issuer"]),
        subject_text=_display(body["subject"]),
        key_usage=None if usage is None else frozenset(KeyUsage(bit) for bit in usage.native),
        eku=None if purposes is None else frozenset(purpose.dotted for purpose in purposes),
        is_authority=constraints is not None and bool(constraints["ca"].native),
        path_length=None if constraints is None else constraints["path_len_constraint"].native,
        subject_key_id=_native(extensions.get("key_identifier")),
        authority_key_id=None if authority is None else authority["key_identifier"].native,
        unknown_critical=unknown,
        signed=signed,
        accepted_key=_accepted_key(spki),
    )


def read_extensions(
    extensions: x509.Extensions, understood: frozenset[str] = _UNDERSTOOD
) -> tuple[Mapping[str, core.Asn1Value], frozenset[str]]:
    """Return extensions by name, and the names of critical ones outside `understood`.

    Raises:
        CertificateRefused: MALFORMED when one stands twice (RFC 5280 4.2).
    """
    found: dict[str, core.Asn1Value] = {}
    unknown: set[str] = set()
    for extension in extensions or ():
        name = str(extension["extn_id"].native)
        # One reader would take the first and another the last: a CA bit could hide in the second.
        if name in found:
            raise CertificateRefused(CertificateReason.MALFORMED, "extension stands twice")
        readable = name in understood
        # One that is not ours may be in any form: its bytes are never decoded.
        found[name] = extension["extn_value"].parsed if readable else extension["extn_value"]
        if not readable and extension["critical"].native:
            unknown.add(name)
    return found, frozenset(unknown)


def read_time(value: core.Asn1Value) -> datetime:
    """Return a time that is spelled as DER demands.

    Raises:
        CertificateRefused: MALFORMED.
    """
    chosen = value.chosen if isinstance(value, core.Choice) else value
    # The library also accepts offsets and missing seconds, which RFC 5280 4.1.2.5 forbids.
    if not _TIME.fullmatch(chosen.contents):
        raise CertificateRefused(CertificateReason.MALFORMED, "time")
    moment: datetime = chosen.native
    return moment


def _native(value: core.Asn1Value | None) -> bytes | None:
    return None if value is None else value.native


def _accepted_key(spki: bytes) -> PublicKey | None:
    try:
        return parse_public_key(spki)
    except CertificateRefused as refusal:
        # Still read, so that reports can name it; every use of the key refuses.
        if refusal.reason is CertificateReason.WEAK_ALGORITHM:
            return None
        raise


def _attributes(name: x509.Name) -> list[tuple[str, str]]:
    readable = []
    for relative in name.chosen:
        for attribute in relative:
            try:
                readable.append((str(attribute["type"].dotted), str(attribute["value"].native)))
            except PARSE_ERRORS:
                # A name that cannot be displayed decides nothing: real certificates hold
                # attributes in the wrong alphabet.
                readable.append(("", "?"))
    return readable


def _organisation(name: x509.Name) -> str | None:
    for kind, value in _attributes(name):
        if kind == "2.5.4.97":
            return value.removeprefix(ORGANISATION_PREFIX)
    return None


def _display(name: x509.Name) -> str:
    return ", ".join(value for _, value in _attributes(name))
