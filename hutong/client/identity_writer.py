"""Writes identity directories, for enrolment and the sandbox: one spelling for both sides.

INVARIANT: keys are written encrypted, under a fresh random passphrase each, readable by this user
only; nothing that lies at a path already is overwritten.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from certs.algorithms import PrivateKey
from certs.certificate import PEM_LABEL, Certificate
from certs.pem import encode_pem
from hutong.client.errors import IdentityRefused
from hutong.client.identity_file import (
    FILE_NAME,
    AgreementHint,
    GatewayEntry,
    IdentityFile,
    KeyFiles,
    PinnedCertificate,
    RecordSigner,
    encode_identity,
)
from hutong.client.private_files import write_private
from hutong.client.reasons import ClientReason

_PASSPHRASE_BYTES: Final = 32
_OWNER_ONLY: Final = 0o700


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPair:
    """A private key and its certificate, with the intermediates that lead to the anchor."""

    private_key: PrivateKey = field(repr=False)
    certificate: Certificate
    intermediates: tuple[Certificate, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityMaterial:
    """Everything an identity directory holds."""

    system_id: str
    gateway_id: str
    address: str
    tls_server_name: str | None
    tls: KeyPair
    tls_authorities: tuple[Certificate, ...]
    envelope: KeyPair
    officer: KeyPair | None
    gateway_certificates: tuple[Certificate, ...]
    log_key: str
    record_certificates: Mapping[str, tuple[Certificate, ...]]
    """By USCC of the provider."""
    agreements: tuple[AgreementHint, ...] = ()


def write_identity(directory: Path, material: IdentityMaterial) -> IdentityFile:
    """Write a new identity directory (0700) and return what its `identity.json` says.

    Raises:
        NotWritten: a file of it exists already.
        IdentityRefused: a part cannot be spelled.
    """
    directory.mkdir(mode=_OWNER_ONLY, parents=True, exist_ok=True)
    officer = material.officer
    written = IdentityFile(
        system_id=material.system_id,
        gateway=GatewayEntry(
            system_id=material.gateway_id,
            address=material.address,
            tls_server_name=material.tls_server_name,
            envelope_keys=_write_pins(directory, "gateway", material.gateway_certificates),
            log_key=material.log_key,
        ),
        tls=_write_pair(directory, "tls", material.tls),
        tls_authority=_write_public(directory, "authority.pem", material.tls_authorities),
        envelope=_write_pair(directory, "envelope", material.envelope),
        officer=None if officer is None else _write_pair(directory, "officer", officer),
        record_signers=tuple(
            RecordSigner(
                provider=provider, keys=_write_pins(directory, f"record-{provider}", certificates)
            )
            for provider, certificates in sorted(material.record_certificates.items())
        ),
        agreements=material.agreements,
    )
    # Last: a directory without it is unfinished, and is never loaded half-written.
    write_private(directory / FILE_NAME, encode_identity(written))
    return written


def _write_pair(directory: Path, name: str, pair: KeyPair) -> KeyFiles:
    if pair.certificate.spki != pair.private_key.public_key.spki:
        raise IdentityRefused(
            ClientReason.IDENTITY_INCONSISTENT, f"{name}: the certificate is of another key"
        )
    # One passphrase per key: handing one to another process opens nothing else.
    passphrase = secrets.token_hex(_PASSPHRASE_BYTES).encode("ascii")
    files = KeyFiles(
        certificate=_write_public(
            directory, f"{name}.pem", (pair.certificate, *pair.intermediates)
        ),
        key=f"{name}.key",
        passphrase=f"{name}.passphrase",
    )
    write_private(directory / files.key, pair.private_key.encode_pkcs8(passphrase))
    write_private(directory / files.passphrase, passphrase + b"\n")
    return files


def _write_pins(
    directory: Path, name: str, certificates: tuple[Certificate, ...]
) -> tuple[PinnedCertificate, ...]:
    return tuple(
        PinnedCertificate(
            keyid=each.public_key.keyid,
            certificate=_write_public(
                directory, f"{name}-{each.public_key.keyid[:8]}.pem", (each,)
            ),
        )
        for each in certificates
    )


def _write_public(directory: Path, name: str, certificates: tuple[Certificate, ...]) -> str:
    content = b"".join(encode_pem(each.der, PEM_LABEL) for each in certificates)
    # 0600 as well: a certificate is no secret, yet nobody else has a reason to read the directory.
    write_private(directory / name, content)
    return name
