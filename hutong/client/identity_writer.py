"""Writes identity directories, for enrolment and the sandbox: one spelling for both sides.

INVARIANT: keys are written encrypted, under a fresh random passphrase each, readable by this user
only; nothing that lies at a path already is overwritten. A directory is written whole, or nothing
of it stays.
"""

import contextlib
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from certs.algorithms import PrivateKey
from certs.certificate import PEM_LABEL, Certificate
from certs.pem import encode_pem
from hutong.client.errors import IdentityRefused, NotWritten
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
from hutong.client.trusted_files import others_may_write

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
        NotWritten: a file of it exists already, or the disk takes no more.
        IdentityRefused: a part cannot be spelled; IDENTITY_FILE_WRITABLE: the directory holds
            something already, and others may write it.
        OSError: the directory cannot be made, or is another user's.
    """
    directory.mkdir(mode=_OWNER_ONLY, parents=True, exist_ok=True)
    _require_own(directory)
    writing = _Writing(directory)
    with contextlib.ExitStack() as failing:
        # Half a directory would take the place of the one that is written after the mistake.
        failing.callback(writing.undo)
        written = _write_parts(writing, material)
        # Last: a directory without it is unfinished, and is never loaded half-written.
        writing.write(FILE_NAME, encode_identity(written))
        failing.pop_all()
    return written


def remove_identity(directory: Path, written: IdentityFile) -> None:
    """Remove the files of an identity directory that nobody is to use; the directory stays.

    What cannot be removed is left: who calls this has a fault of his own to tell.
    """
    pairs = (written.tls, written.envelope, written.officer)
    pins = (written.gateway.envelope_keys, *(each.keys for each in written.record_signers))
    _remove(
        directory,
        (
            # First: without it, what is left is no identity.
            FILE_NAME,
            written.tls_authority,
            *(
                name
                for each in pairs
                if each is not None
                for name in (each.certificate, each.key, each.passphrase)
            ),
            *(pin.certificate for each in pins for pin in each),
        ),
    )


class _Writing:
    """The files that one call writes, so that they can be taken back."""

    __slots__ = ("_directory", "_names")

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._names: list[str] = []

    def write(self, name: str, content: bytes) -> None:
        """Write a new file; one that was there before is never taken back.

        Raises:
            NotWritten: something lies at the path already, or the disk takes no more; what was
                begun of it `write_private` took back.
        """
        self._names.append(name)
        try:
            write_private(self._directory / name, content)
        except NotWritten:
            self._names.pop()
            raise

    def undo(self) -> None:
        """Remove what was written."""
        _remove(self._directory, self._names)


def _remove(directory: Path, names: Iterable[str]) -> None:
    for name in names:
        with contextlib.suppress(OSError):
            (directory / name).unlink(missing_ok=True)


def _require_own(directory: Path) -> None:
    """Take an empty directory over; one that holds something keeps its mode, or is refused.

    Raises:
        IdentityRefused: IDENTITY_FILE_WRITABLE.
        OSError: it cannot be listed, or is another user's.
    """
    if not any(directory.iterdir()):
        directory.chmod(_OWNER_ONLY)  # what others may write, loading refuses
    elif others_may_write(directory.stat()):
        raise IdentityRefused(ClientReason.IDENTITY_FILE_WRITABLE, str(directory))


def _write_parts(writing: _Writing, material: IdentityMaterial) -> IdentityFile:
    officer = material.officer
    return IdentityFile(
        system_id=material.system_id,
        gateway=GatewayEntry(
            system_id=material.gateway_id,
            address=material.address,
            tls_server_name=material.tls_server_name,
            envelope_keys=_write_pins(writing, "gateway", material.gateway_certificates),
            log_key=material.log_key,
        ),
        tls=_write_pair(writing, "tls", material.tls),
        tls_authority=_write_public(writing, "authority.pem", material.tls_authorities),
        envelope=_write_pair(writing, "envelope", material.envelope),
        officer=None if officer is None else _write_pair(writing, "officer", officer),
        record_signers=tuple(
            RecordSigner(
                provider=provider, keys=_write_pins(writing, f"record-{provider}", certificates)
            )
            for provider, certificates in sorted(material.record_certificates.items())
        ),
        agreements=material.agreements,
    )


def _write_pair(writing: _Writing, name: str, pair: KeyPair) -> KeyFiles:
    if pair.certificate.spki != pair.private_key.public_key.spki:
        raise IdentityRefused(
            ClientReason.IDENTITY_INCONSISTENT, f"{name}: the certificate is of another key"
        )
    # One passphrase per key: handing one to another process opens nothing else.
    passphrase = secrets.token_hex(_PASSPHRASE_BYTES).encode("ascii")
    files = KeyFiles(
        certificate=_write_public(writing, f"{name}.pem", (pair.certificate, *pair.intermediates)),
        key=f"{name}.key",
        passphrase=f"{name}.passphrase",
    )
    writing.write(files.key, pair.private_key.encode_pkcs8(passphrase))
    writing.write(files.passphrase, passphrase + b"\n")
    return files


def _write_pins(
    writing: _Writing, name: str, certificates: tuple[Certificate, ...]
) -> tuple[PinnedCertificate, ...]:
    return tuple(
        PinnedCertificate(
            keyid=each.public_key.keyid,
            certificate=_write_public(writing, f"{name}-{each.public_key.keyid[:8]}.pem", (each,)),
        )
        for each in certificates
    )


def _write_public(writing: _Writing, name: str, certificates: tuple[Certificate, ...]) -> str:
    content = b"".join(encode_pem(each.der, PEM_LABEL) for each in certificates)
    # 0600 as well: a certificate is no secret, yet nobody else has a reason to read the directory.
    writing.write(name, content)
    return name
