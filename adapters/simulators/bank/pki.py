"""Makes the keys and certificates of a sandbox under a folder only its owner may enter."""

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from ipaddress import IPv4Address
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from adapters.simulators.bank.signature import Signer

REQUESTER: Final = "11370000MB2DEM0105"
"""The caller a sandbox registers."""
_LIFETIME: Final = timedelta(days=365)
_SERVER_NAMES: Final = (
    x509.IPAddress(IPv4Address("127.0.0.1")),
    x509.DNSName("localhost"),
    x509.DNSName("bank.sandbox.invalid"),
)


def make_pki(folder: Path, now: datetime) -> None:
    """Write keys, certificates and the registration file; the key of the CA is not kept.

    Raises:
        FileExistsError: something stands at `folder` already.
    """
    folder.mkdir(mode=0o700)
    authority = self_signed("CA", now)
    _write(folder / "ca.pem", _pem(authority.certificate))
    usages = {
        "server": [ExtendedKeyUsageOID.SERVER_AUTH],
        "client": [ExtendedKeyUsageOID.CLIENT_AUTH],
        "bank_sign": [],
        "client_sign": [],
    }
    made = {name: _issue(authority, name, usage, now) for name, usage in usages.items()}
    for name, signer in made.items():
        _write(folder / f"{name}.pem", _pem(signer.certificate))
        _write(folder / f"{name}.key", _private(signer.key))
    caller = {
        "id": REQUESTER,
        "tls_sha256": sha256(made["client"].certificate.public_bytes(Encoding.DER)).hexdigest(),
        "signing_certificate": _pem(made["client_sign"].certificate).decode(),
    }
    _write(folder / "callers.json", json.dumps({"callers": [caller]}).encode())


def self_signed(name: str, now: datetime) -> Signer:
    """Make a certificate authority, or a stranger nobody registered."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name(name)
    builder = _builder(subject, subject, key.public_key(), now).add_extension(
        x509.BasicConstraints(ca=True, path_length=0), critical=True
    )
    builder = builder.add_extension(_key_usage(ca=True), critical=True)
    return Signer(key=key, certificate=builder.sign(key, hashes.SHA256()))


def _issue(
    authority: Signer, name: str, usage: list[x509.ObjectIdentifier], now: datetime
) -> Signer:
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = authority.certificate.subject
    builder = _builder(_name(name), issuer, key.public_key(), now)
    builder = builder.add_extension(
        x509.BasicConstraints(ca=False, path_length=None), critical=True
    ).add_extension(_key_usage(ca=False), critical=True)
    builder = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()),
        critical=False,
    )
    if usage:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usage), critical=False)
    if name == "server":
        names = x509.SubjectAlternativeName(_SERVER_NAMES)
        builder = builder.add_extension(names, critical=False)
    return Signer(key=key, certificate=builder.sign(authority.key, hashes.SHA256()))


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        # A day earlier, for peers whose clock is a little behind.
        .not_valid_before(now.astimezone(UTC) - timedelta(days=1))
        .not_valid_after(now.astimezone(UTC) + _LIFETIME)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _key_usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        key_cert_sign=ca,
        crl_sign=ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "HUTONG SANDBOX"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"HUTONG SANDBOX bank {common}"),
        ]
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write(path: Path, content: bytes) -> None:
    # Readable by its owner from the first octet on.
    path.touch(mode=0o600, exist_ok=False)
    path.write_bytes(content)
