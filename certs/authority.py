"""A small certificate authority for the sandbox and for enrolment.

It issues short-lived certificates and CRLs, with any of the three suites. It is no replacement for
a licensed CA (电子认证服务机构): its certificates bind keys inside one deployment.
Knows no files and no wall clock; what must survive a restart is in `AuthorityState`.
INVARIANT: a certificate is issued for a key whose holder proved possession, or that we made.
INVARIANT: serial numbers are 127 random bits, so nobody can predict the bytes we will sign
(CA/Browser Forum BR 7.1 asks for 64).
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from asn1crypto import algos, core, crl, keys, x509

from certs.certificate import Certificate, KeyUsage, parse_certificate
from certs.der import SIGNATURE_IDENTIFIERS
from certs.errors import CertificateReason, CertificateRefused
from certs.naming import (
    CLIENT_AUTH,
    LOOPBACK,
    SERVER_AUTH,
    TIME_STAMPING,
    Profile,
    SubjectName,
    build_extensions,
    build_name,
)
from certs.private_key import PrivateKey, generate_private_key
from certs.public_key import PublicKey
from certs.registry_file import KeyPurpose
from certs.signing_request import SigningRequest, sign_der
from certs.suites import Suite

AUTHORITY_LIFETIME: Final = timedelta(days=30)
LEAF_LIFETIME: Final = timedelta(days=7)
CRL_LIFETIME: Final = timedelta(days=1)
# Clocks of two machines differ: a certificate is good a little before it was made.
BACKDATE: Final = timedelta(minutes=5)

_SERIAL_BYTES: Final = 16
# RFC 5280 4.1.2.5: UTCTime until 2049, GeneralizedTime from 2050.
_FIRST_GENERALIZED: Final = 2050


class TlsPurpose(StrEnum):
    """Which side of a TLS connection a certificate is for."""

    SERVER = "server"
    CLIENT = "client"
    BOTH = "both"


class RevocationReason(StrEnum):
    """Why a certificate is revoked (RFC 5280 5.3.1)."""

    UNSPECIFIED = "unspecified"
    KEY_COMPROMISE = "key_compromise"
    AFFILIATION_CHANGED = "affiliation_changed"
    SUPERSEDED = "superseded"
    CESSATION_OF_OPERATION = "cessation_of_operation"


_TLS_PURPOSES: Final = {
    TlsPurpose.SERVER: (SERVER_AUTH,),
    TlsPurpose.CLIENT: (CLIENT_AUTH,),
    TlsPurpose.BOTH: (SERVER_AUTH, CLIENT_AUTH),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """One revoked certificate."""

    at: datetime
    reason: RevocationReason


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorityState:
    """What an authority must remember; the CRL number never goes back."""

    crl_number: int = 0
    revoked: Mapping[int, Revocation] = field(default_factory=dict)


class Authority:
    """Issues and revokes under one key."""

    __slots__ = ("_crl_number", "_private_key", "_revoked", "certificate")

    def __init__(
        self,
        certificate: Certificate,
        private_key: PrivateKey,
        state: AuthorityState = AuthorityState(),
    ) -> None:
        """Take up an authority where it was left.

        Raises:
            CertificateRefused: WRONG_USAGE when certificate and key do not belong together.
        """
        # A mix-up here would show only at partners, as certificates and CRLs that nobody can
        # verify.
        if certificate.spki != private_key.public_key.spki or not certificate.is_authority:
            raise CertificateRefused(CertificateReason.WRONG_USAGE, "not an authority's key")
        self.certificate = certificate
        self._private_key = private_key
        self._revoked = dict(state.revoked)
        self._crl_number = state.crl_number

    @classmethod
    def create(
        cls,
        subject: SubjectName,
        *,
        at: datetime,
        suite: Suite = Suite.ES256,
        lifetime: timedelta = AUTHORITY_LIFETIME,
        sandbox: bool = False,
    ) -> "Authority":
        """Make a new root with a new key; a sandbox root says so in its name.

        Raises:
            AlgorithmUnavailable: SM2 on a machine without it.
        """
        private_key = generate_private_key(suite)
        name = build_name(subject, sandbox=sandbox)
        # RFC 5280 4.2.1.9: length 0 lets nobody below pass the right to certify on.
        profile = Profile(
            usage=frozenset({KeyUsage.KEY_CERT_SIGN, KeyUsage.CRL_SIGN}), path_length=0
        )
        issue = _Issue(name=name, public_key=private_key.public_key, profile=profile)
        certificate = _sign_certificate(issue, name, private_key, at, lifetime)
        return cls(certificate, private_key)

    @property
    def state(self) -> AuthorityState:
        """Return what has to be kept."""
        return AuthorityState(crl_number=self._crl_number, revoked=dict(self._revoked))

    @property
    def private_key(self) -> PrivateKey:
        """Return the key, so that it can be stored."""
        return self._private_key

    def issue_tls(
        self,
        subject: SubjectName,
        key: PublicKey | SigningRequest,
        purpose: TlsPurpose,
        *,
        at: datetime,
        lifetime: timedelta = LEAF_LIFETIME,
        hosts: tuple[str, ...] = LOOPBACK,
    ) -> Certificate:
        """Issue a certificate for one side of TLS; hosts default to loopback."""
        profile = Profile(
            usage=frozenset({KeyUsage.DIGITAL_SIGNATURE}),
            purposes=_TLS_PURPOSES[purpose],
            hosts=hosts,
        )
        return self._issue(subject, key, profile, at, lifetime)

    def issue_signing(
        self,
        subject: SubjectName,
        key: PublicKey | SigningRequest,
        usage: KeyPurpose,
        *,
        at: datetime,
        lifetime: timedelta = LEAF_LIFETIME,
    ) -> Certificate:
        """Issue a certificate for any registered usage but TLS.

        Raises:
            CertificateRefused: WRONG_USAGE for TLS.
        """
        if usage is KeyPurpose.TLS:
            raise CertificateRefused(CertificateReason.WRONG_USAGE, "use issue_tls")
        profile = Profile(
            usage=frozenset({KeyUsage.DIGITAL_SIGNATURE, KeyUsage.NON_REPUDIATION}),
            purposes=(TIME_STAMPING,) if usage is KeyPurpose.TSA else (),
        )
        return self._issue(subject, key, profile, at, lifetime)

    def encode_key(self, passphrase: bytes) -> bytes:
        """Return the private key as encrypted PKCS#8, to take the authority up again later."""
        return self._private_key.encode_pkcs8(passphrase)

    def revoke(self, serial: int, *, at: datetime, reason: RevocationReason) -> None:
        """Revoke a certificate from a time on; a second call changes nothing."""
        # The first date stands: a later one would bless signatures already known to be bad.
        self._revoked.setdefault(serial, Revocation(at=at, reason=reason))

    def crl(self, *, at: datetime, next_update: datetime | None = None) -> bytes:
        """Return a complete CRL as DER, with the next number."""
        # Raised before signing: a number that was lost is harmless, one given twice is not.
        self._crl_number += 1
        key_id = _key_id(self._private_key.public_key)
        body = crl.TbsCertList(
            {
                "version": "v2",
                "signature": _signature_algorithm(self._private_key),
                "issuer": x509.Name.load(self.certificate.subject_name),
                "this_update": _time(at),
                "next_update": _time(next_update or at + CRL_LIFETIME),
                "crl_extensions": [
                    {
                        "extn_id": "authority_key_identifier",
                        "extn_value": x509.AuthorityKeyIdentifier({"key_identifier": key_id}),
                    },
                    {"extn_id": "crl_number", "extn_value": core.Integer(self._crl_number)},
                ],
            }
        )
        # RFC 5280 5.1.2.6: without revocations the list is absent, not empty.
        if self._revoked:
            body["revoked_certificates"] = [
                _crl_entry(serial, revocation) for serial, revocation in self._revoked.items()
            ]
        return sign_der(bytes(body.dump()), self._private_key)

    def _issue(
        self,
        subject: SubjectName,
        key: PublicKey | SigningRequest,
        profile: Profile,
        at: datetime,
        lifetime: timedelta,
    ) -> Certificate:
        issue = _Issue(
            # Inherited, not asked for: nothing under a sandbox root can come out without the mark.
            name=build_name(subject, sandbox=self.certificate.is_sandbox),
            public_key=key.public_key if isinstance(key, SigningRequest) else key,
            profile=profile,
        )
        issuer = x509.Name.load(self.certificate.subject_name)
        return _sign_certificate(issue, issuer, self._private_key, at, lifetime)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Issue:
    """Whom and what a certificate is for."""

    name: x509.Name
    public_key: PublicKey
    profile: Profile


def _sign_certificate(
    issue: _Issue,
    issuer: x509.Name,
    signing_key: PrivateKey,
    at: datetime,
    lifetime: timedelta,
) -> Certificate:
    body = x509.TbsCertificate(
        {
            "version": "v3",
            "serial_number": _new_serial(),
            "signature": _signature_algorithm(signing_key),
            "issuer": issuer,
            "validity": {"not_before": _time(at - BACKDATE), "not_after": _time(at + lifetime)},
            "subject": issue.name,
            "subject_public_key_info": keys.PublicKeyInfo.load(issue.public_key.spki),
            "extensions": build_extensions(
                issue.profile, _key_id(issue.public_key), _key_id(signing_key.public_key)
            ),
        }
    )
    # Read back by the strict reader: we issue nothing that we would not accept ourselves.
    return parse_certificate(sign_der(bytes(body.dump()), signing_key))


def _new_serial() -> int:
    # RFC 5280 4.1.2.2: positive, at most 20 octets. The top bit stays clear, the next is set.
    number = int.from_bytes(secrets.token_bytes(_SERIAL_BYTES), "big")
    return number >> 1 | 1 << (8 * _SERIAL_BYTES - 2)


def _key_id(public_key: PublicKey) -> bytes:
    # RFC 7093 section 2 method 1: 160 bits of SHA-256 over the key's bits.
    bits = keys.PublicKeyInfo.load(public_key.spki)["public_key"].contents[1:]
    return hashlib.sha256(bits).digest()[:20]


def _signature_algorithm(private_key: PrivateKey) -> algos.SignedDigestAlgorithm:
    identifier = SIGNATURE_IDENTIFIERS[private_key.public_key.algorithm]
    return algos.SignedDigestAlgorithm.load(identifier)


def _time(moment: datetime) -> x509.Time:
    # RFC 5280 4.1.2.5: times in certificates carry no fraction of a second.
    whole = moment.replace(microsecond=0)
    kind = "utc_time" if whole.year < _FIRST_GENERALIZED else "general_time"
    return x509.Time(name=kind, value=whole)


def _crl_entry(serial: int, revocation: Revocation) -> crl.RevokedCertificate:
    entry = crl.RevokedCertificate(
        {"user_certificate": serial, "revocation_date": _time(revocation.at)}
    )
    # RFC 5280 5.3.1: the reason `unspecified` should be left out.
    if revocation.reason is not RevocationReason.UNSPECIFIED:
        entry["crl_entry_extensions"] = [
            {"extn_id": "crl_reason", "extn_value": crl.CRLReason(revocation.reason.value)}
        ]
    return entry
