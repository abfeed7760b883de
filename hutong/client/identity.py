"""An identity as loaded: keys that sign, keys that are believed, and where the gateway is.

The keys of the gateway and of the source departments are pinned: whoever delivers the enrolment
bundle decides whom this system believes, and nothing inside a message adds to that. A pinned
certificate is believed within its own dates only.
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Final

from certs.algorithms import PrivateKey, load_private_key
from certs.certificate import MAX_CERTIFICATE, PEM_LABEL, Certificate, parse_certificate
from certs.chain import Standing
from certs.errors import AlgorithmUnavailable, CertificateRefused, KeyUnreadable
from certs.identity import RegisteredKey
from certs.pem import encode_pem, is_pem, parse_pem
from certs.registry_file import KeyPurpose
from certs.suites import ALGORITHMS
from hutong.client.errors import IdentityRefused
from hutong.client.identity_file import (
    FILE_NAME,
    MAX_IDENTITY,
    AgreementHint,
    GatewayEntry,
    IdentityFile,
    KeyFiles,
    PinnedCertificate,
    parse_identity,
)
from hutong.client.officer import Officer, Staff
from hutong.client.private_files import Passphrases, load_private
from hutong.client.reasons import ClientReason
from hutong.client.trusted_files import load_trusted
from hutong.evidence import EvidenceError, LogKey, parse_log_key
from signing.errors import SigningError
from signing.signer import FileSigner, Signer

_R: Final = ClientReason

# A chain of five certificates in PEM, which takes four characters for three bytes.
_MAX_PUBLIC: Final = 10 * MAX_CERTIFICATE

KeysById = Mapping[str, RegisteredKey]


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsIdentity:
    """What mutual TLS needs, as PEM."""

    authority: bytes = field(repr=False)
    chain: bytes = field(repr=False)
    private_key: bytes = field(repr=False)
    thumbprint: bytes
    """SHA-256 of the leaf: what the gateway has registered."""
    not_before: datetime
    not_after: datetime
    """UTC; outside of these the handshake fails, and says no more than that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who this system is and whom it believes."""

    system_id: str
    gateway_id: str
    address: str
    tls_server_name: str | None
    tls: TlsIdentity = field(repr=False)
    signer: Signer = field(repr=False)
    officer_signer: Signer | None = field(repr=False)
    gateway_keys: KeysById = field(repr=False)
    record_keys: Mapping[str, KeysById] = field(repr=False)
    """By USCC of the provider, then by key id."""
    log_key: LogKey
    agreements: tuple[AgreementHint, ...] = field(repr=False)

    def officer(self, staff: Staff) -> Officer:
        """Return an officer whose assertions this identity's own officer key signs.

        Raises:
            IdentityRefused: the identity holds no officer key, as is due outside of sandboxes.
        """
        if self.officer_signer is None:
            raise IdentityRefused(_R.OFFICER_KEY_ABSENT)
        return Officer(signer=self.officer_signer, staff=staff)


def load_identity(directory: Path) -> Identity:
    """Load an identity directory: `identity.json` and the files it names.

    Raises:
        IdentityRefused: a file is missing, malformed, or of another key; a secret is readable, or
            a public file writable, by others; a TLS server name is given for an address outside
            loopback. The text names the file.
    """
    written = parse_identity(load_trusted(directory, FILE_NAME, MAX_IDENTITY))
    passphrases = Passphrases(directory)
    gateway = written.gateway
    _require_loopback_for_override(gateway)
    try:
        log_key = parse_log_key(gateway.log_key)
    except EvidenceError as cause:
        raise IdentityRefused(_R.IDENTITY_MALFORMED, f"{FILE_NAME}: log_key") from cause
    # Public parts first: what is wrong with them is told without opening a key.
    gateway_keys = _pinned(directory, gateway.envelope_keys, gateway.system_id, KeyPurpose.ENVELOPE)
    record_keys = {
        each.provider: _pinned(directory, each.keys, each.provider, KeyPurpose.RECORD)
        for each in written.record_signers
    }
    officer = written.officer
    return Identity(
        system_id=written.system_id,
        gateway_id=gateway.system_id,
        address=gateway.address,
        tls_server_name=gateway.tls_server_name,
        tls=_load_tls(directory, written, passphrases),
        signer=_load_signer(directory, written.envelope, passphrases),
        officer_signer=None if officer is None else _load_signer(directory, officer, passphrases),
        gateway_keys=gateway_keys,
        record_keys=MappingProxyType(record_keys),
        log_key=log_key,
        agreements=written.agreements,
    )


def pinned_key(certificate: Certificate, owner: str, usage: KeyPurpose) -> RegisteredKey:
    """Return the key of a certificate that an enrolment bundle vouches for.

    Raises:
        IdentityRefused: the key is of a kind or size that signs nothing here.
    """
    try:
        key = certificate.public_key
        suite = key.suite
    except CertificateRefused as cause:
        raise IdentityRefused(_R.IDENTITY_KEY_UNUSABLE, f"{usage}: kind of key") from cause
    return RegisteredKey(
        owner=owner,
        organisation=owner.partition("/")[0],
        usage=usage,
        suite=suite,
        keyid=key.keyid,
        certificate=certificate,
        public_key=key,
        # No revocation reaches a partner: its own dates bound a pin, a new bundle replaces it.
        standing=Standing(
            not_before=certificate.not_before,
            not_after=certificate.not_after,
            algorithm_until=ALGORITHMS[key.algorithm].accepted_until,
            known_until=certificate.not_after,
            revoked_at=None,
            store_until=certificate.not_after,
        ),
    )


def is_loopback(address: str) -> bool:
    """Return whether `host:port` names this machine."""
    host = address.rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _require_loopback_for_override(gateway: GatewayEntry) -> None:
    # A bundle that renames the server could hand the channel to another machine of the same CA.
    if gateway.tls_server_name is not None and not is_loopback(gateway.address):
        raise IdentityRefused(
            _R.IDENTITY_MALFORMED, f"{FILE_NAME}: tls_server_name is for loopback only"
        )


def _load_tls(directory: Path, written: IdentityFile, passphrases: Passphrases) -> TlsIdentity:
    chain = load_trusted(directory, written.tls.certificate, _MAX_PUBLIC)
    leaf = _load_leaf(directory, written.tls.certificate)
    authority = _load_authority(directory, written.tls_authority)
    key = _load_key(directory, written.tls, passphrases)
    # grpc would only say that the handshake failed; here the file is named.
    if leaf.spki != key.public_key.spki:
        raise IdentityRefused(
            _R.IDENTITY_INCONSISTENT, f"{written.tls.certificate}: of another key"
        )
    return TlsIdentity(
        authority=authority,
        chain=chain if is_pem(chain) else encode_pem(chain, PEM_LABEL),
        private_key=key.encode_pkcs8(None),  # in memory only: grpc takes no passphrase
        thumbprint=leaf.thumbprint_sha256,
        not_before=leaf.not_before,
        not_after=leaf.not_after,
    )


def _load_authority(directory: Path, name: str) -> bytes:
    content = load_trusted(directory, name, _MAX_PUBLIC)
    # grpc would take anything, and every handshake would fail with a reason that misleads.
    try:
        for _label, der in parse_pem(content, frozenset({PEM_LABEL})):
            parse_certificate(der)
    except CertificateRefused as cause:
        raise IdentityRefused(
            _R.IDENTITY_MALFORMED, f"{name}: no certificates in PEM, or text beside them"
        ) from cause
    return content


def _load_signer(directory: Path, files: KeyFiles, passphrases: Passphrases) -> Signer:
    leaf = _load_leaf(directory, files.certificate)
    try:
        return FileSigner.of(_load_key(directory, files, passphrases), leaf.der)
    except SigningError as cause:
        raise IdentityRefused(
            _R.IDENTITY_INCONSISTENT, f"{files.certificate}: of another key"
        ) from cause


def _load_key(directory: Path, files: KeyFiles, passphrases: Passphrases) -> PrivateKey:
    encrypted = load_private(directory / files.key)
    try:
        return load_private_key(encrypted, passphrases.load(files.passphrase))
    except (KeyUnreadable, CertificateRefused, AlgorithmUnavailable):
        # from None: nothing read from a key file may reach a traceback.
        raise IdentityRefused(_R.IDENTITY_KEY_UNUSABLE, files.key) from None


def _pinned(
    directory: Path, pins: tuple[PinnedCertificate, ...], owner: str, usage: KeyPurpose
) -> KeysById:
    keys: dict[str, RegisteredKey] = {}
    for pin in pins:
        key = pinned_key(_load_leaf(directory, pin.certificate), owner, usage)
        # The id is stated twice so that a swapped or half-copied file is noticed at loading.
        if key.keyid != pin.keyid:
            raise IdentityRefused(_R.IDENTITY_INCONSISTENT, f"{pin.certificate}: of another key id")
        keys[key.keyid] = key
    return MappingProxyType(keys)


def _load_leaf(directory: Path, name: str) -> Certificate:
    content = load_trusted(directory, name, _MAX_PUBLIC)
    try:
        blocks = parse_pem(content, frozenset({PEM_LABEL})) if is_pem(content) else None
        return parse_certificate(content if blocks is None else blocks[0][1])
    except CertificateRefused as cause:
        raise IdentityRefused(_R.IDENTITY_MALFORMED, f"{name}: no certificate") from cause
