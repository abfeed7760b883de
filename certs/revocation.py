"""What is known about revocation: CRLs (RFC 5280 5) and OCSP responses (RFC 6960), from files.

Knows no network: addresses inside certificates are never followed.
INVARIANT: no fresh evidence means unknown, and unknown refuses.
INVARIANT: evidence counts only under the signature of the issuer it speaks for.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final

from asn1crypto import crl as asn1_crl

from certs.certificate import Certificate, KeyUsage, read_extensions, read_time
from certs.der import PARSE_ERRORS, SignedObject, split_signed, verify_signed
from certs.errors import (
    AlgorithmUnavailable,
    CertificateReason,
    CertificateRefused,
    SignatureInvalid,
)
from certs.ocsp import OcspStatus
from certs.pem import parse_single

CRL_LABEL: Final = "X509 CRL"
MAX_CRL: Final = 16 * 1024 * 1024
# How long evidence is still taken after its nextUpdate, so that one late delivery stops nothing.
DEFAULT_GRACE: Final = timedelta(hours=1)

# RFC 5280 5.2 and 5.3: what a complete CRL may carry. A critical scope or delta is refused.
_UNDERSTOOD: Final = frozenset({"crl_number", "authority_key_identifier"})
# RFC 5280 5.2.4 and 5.2.5 ask for critical; who forgets it shall not narrow what is revoked.
_PARTIAL: Final = frozenset({"delta_crl_indicator", "issuing_distribution_point"})
_ENTRY_UNDERSTOOD: Final = frozenset({"crl_reason", "invalidity_date"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Crl:
    """What one complete CRL says; not yet whether it is genuine."""

    der: bytes = field(repr=False)
    issuer_name: bytes = field(repr=False)
    authority_key_id: bytes | None
    number: int
    this_update: datetime
    next_update: datetime
    revoked: Mapping[int, datetime] = field(repr=False)
    signed: SignedObject = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Until when it is known that a certificate is not revoked, or since when it is."""

    known_until: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationStore:
    """Genuine CRLs by the thumbprint of their issuer's key, and genuine OCSP answers."""

    crls: Mapping[bytes, Crl]
    answers: Mapping[tuple[bytes, int], OcspStatus]
    grace: timedelta = DEFAULT_GRACE

    def evidence(self, subject: Certificate, issuer: Certificate) -> Evidence:
        """Return what is known about a certificate of an issuer."""
        key = issuer.public_key.thumbprint
        known: list[datetime] = []
        revoked: list[datetime] = []
        crl = self.crls.get(key)
        # RFC 5280 3.3: an expired certificate may leave the CRL, so absence tells nothing then.
        if crl is not None and subject.not_after >= crl.this_update:
            known.append(crl.next_update + self.grace)
        # A stale list still revokes: age may take knowledge away, never a revocation.
        if crl is not None and subject.serial in crl.revoked:
            revoked.append(crl.revoked[subject.serial])
        # Either kind of evidence keeps the certificate known; either kind can revoke it.
        answer = self.answers.get((key, subject.serial))
        if answer is not None:
            known.append(answer.next_update + self.grace)
            if answer.revoked_at is not None:
                revoked.append(answer.revoked_at)
        return Evidence(known_until=max(known, default=None), revoked_at=min(revoked, default=None))


def parse_crl(encoded: bytes) -> Crl:
    """Read one complete CRL, DER or PEM.

    Raises:
        CertificateRefused: MALFORMED, also for a partial or delta CRL and a missing nextUpdate.
    """
    der = parse_single(encoded, CRL_LABEL)
    if len(der) > MAX_CRL:
        raise _malformed("CRL too long")
    signed = split_signed(der)
    try:
        body = asn1_crl.CertificateList.load(der, strict=True)["tbs_cert_list"]
        return _read(der, signed, body)
    except PARSE_ERRORS as cause:
        raise _malformed("CRL") from cause


def verify_crl(crl: Crl, issuers: Iterable[Certificate]) -> Certificate:
    """Return the certificate whose key signed the CRL and may do so (RFC 5280 6.3.3 f, g).

    Raises:
        CertificateRefused: NO_CHAIN when none of the issuers did.
    """
    for issuer in issuers:
        named = crl.authority_key_id
        if issuer.subject_name != crl.issuer_name or (
            named is not None and issuer.subject_key_id not in (None, named)
        ):
            continue
        # RFC 5280 6.3.3 (f): a key that may certify may not therefore revoke.
        if issuer.key_usage is not None and KeyUsage.CRL_SIGN not in issuer.key_usage:
            continue
        try:
            verify_signed(crl.signed, issuer.public_key)
        # An authority that changed its key has two certificates under one name: try the next.
        except (SignatureInvalid, CertificateRefused, AlgorithmUnavailable):
            continue
        return issuer
    raise CertificateRefused(CertificateReason.NO_CHAIN, "no known issuer signed the CRL")


def build_revocation_store(
    crls: Iterable[Crl],
    issuers: Iterable[Certificate],
    answers: Mapping[tuple[bytes, int], OcspStatus],
    grace: timedelta = DEFAULT_GRACE,
) -> RevocationStore:
    """Return a store of genuine CRLs, the newest of each issuer.

    Raises:
        CertificateRefused: NO_CHAIN for a CRL that no issuer signed.
    """
    # One CRL nobody signed refuses all: a forgotten file is better noticed than skipped.
    candidates = tuple(issuers)
    newest: dict[bytes, Crl] = {}
    for crl in crls:
        key = verify_crl(crl, candidates).public_key.thumbprint
        held = newest.get(key)
        # RFC 5280 5.2.3: the number decides; dates only break a tie.
        if held is None or (crl.number, crl.this_update) > (held.number, held.this_update):
            newest[key] = crl
    return RevocationStore(
        crls=MappingProxyType(newest), answers=MappingProxyType(dict(answers)), grace=grace
    )


def _read(der: bytes, signed: SignedObject, body: asn1_crl.TbsCertList) -> Crl:
    if body["signature"].dump() != signed.algorithm:
        raise _malformed("signature algorithms differ")
    if body["next_update"].native is None:
        # RFC 5280 5.1.2.5: conforming issuers state it; without it nothing ever gets stale.
        raise _malformed("nextUpdate")
    extensions, unknown = read_extensions(body["crl_extensions"], _UNDERSTOOD)
    if unknown or _PARTIAL & extensions.keys():
        raise _malformed("partial CRL")
    authority = extensions.get("authority_key_identifier")
    number = extensions.get("crl_number")
    return Crl(
        der=der,
        issuer_name=bytes(body["issuer"].dump()),
        authority_key_id=None if authority is None else authority["key_identifier"].native,
        number=0 if number is None else int(number.native),
        this_update=read_time(body["this_update"]),
        next_update=read_time(body["next_update"]),
        revoked=MappingProxyType(_read_entries(body["revoked_certificates"])),
        signed=signed,
    )


def _read_entries(entries: asn1_crl.RevokedCertificates) -> dict[int, datetime]:
    revoked: dict[int, datetime] = {}
    for entry in entries or ():
        _, unknown = read_extensions(entry["crl_entry_extensions"], _ENTRY_UNDERSTOOD)
        if unknown:
            raise _malformed("CRL of several issuers")
        serial = int(entry["user_certificate"].native)
        moment = read_time(entry["revocation_date"])
        # Standing twice, the earlier date counts: the later one would bless what came between.
        revoked[serial] = min(moment, revoked.get(serial, datetime.max.replace(tzinfo=UTC)))
    return revoked


def _malformed(what: str) -> CertificateRefused:
    return CertificateRefused(CertificateReason.MALFORMED, what)
