"""Keys and certificates of a sandbox: made per start under 0700, never committed, named SANDBOX.

`serve` refuses a trust store with such an anchor unless its configuration says `sandbox: true`.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from certs.algorithms import PrivateKey, Suite, generate_private_key, load_private_key
from certs.authority import Authority, AuthorityState, TlsPurpose
from certs.certificate import PEM_LABEL, Certificate, parse_certificate
from certs.naming import SubjectName
from certs.pem import encode_pem, parse_single
from certs.registry_file import KeyPurpose, KeyRecord, KeyState
from gateway.cli.passphrase import draw_passphrase
from gateway.credentials import load_credential
from signing.signer import FileSigner, write_key_file

LIFETIME: Final = timedelta(days=7)
"""Longest life of a sandbox certificate; a sandbox lives for an afternoon."""
ROOT_LIFETIME: Final = timedelta(days=366)
"""Life of a sandbox root: a little longer than the agreements, which begin with the sandbox."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeKey:
    """One key with its certificate, as files and as registry record."""

    name: str
    key: PrivateKey = field(repr=False)
    certificate: Certificate
    record: KeyRecord
    folder: Path

    @property
    def signer(self) -> FileSigner:
        """The key as a signer of this process."""
        return FileSigner.of(self.key, self.certificate.der)

    @property
    def key_path(self) -> Path:
        """The encrypted key file."""
        return self.folder / f"{self.name}.key"

    @property
    def passphrase_path(self) -> Path:
        """The credential file with its passphrase."""
        return self.folder / f"{self.name}.pass"

    @property
    def certificate_path(self) -> Path:
        """The certificate, PEM."""
        return self.folder / f"{self.name}.crt"


class SandboxAuthority:
    """Issues what a sandbox needs."""

    def __init__(self, authority: Authority, at: datetime) -> None:
        self.authority = authority
        self._at = at

    @classmethod
    def create(cls, at: datetime) -> "SandboxAuthority":
        """Make a root that says HUTONG SANDBOX in its name."""
        subject = SubjectName(common_name="Sandbox Root")
        # An hour back: a client whose clock is behind by a little still accepts it.
        since = at - timedelta(hours=1)
        root = Authority.create(subject, at=since, lifetime=ROOT_LIFETIME, sandbox=True)
        return cls(root, at)

    def tls(
        self, folder: Path, organisation: str, purpose: TlsPurpose, name: str = "tls"
    ) -> MadeKey:
        """Make a TLS key of one side."""
        key = generate_private_key(Suite.ES256)
        certificate = self.authority.issue_tls(
            SubjectName(common_name=f"sandbox {name}", organisation=organisation),
            key.public_key,
            purpose,
            at=self._start,
            lifetime=LIFETIME,
        )
        return self._made(folder, name, key, certificate, KeyPurpose.TLS)

    def signing(
        self, folder: Path, organisation: str, usage: KeyPurpose, suite: Suite = Suite.ES256
    ) -> MadeKey:
        """Make a signing key of one usage."""
        key = generate_private_key(suite)
        certificate = self.authority.issue_signing(
            SubjectName(common_name=f"sandbox {usage}", organisation=organisation),
            key.public_key,
            usage,
            at=self._start,
            lifetime=LIFETIME,
        )
        return self._made(folder, usage.value, key, certificate, usage)

    @property
    def _start(self) -> datetime:
        return self._at - timedelta(minutes=30)

    def _made(
        self, folder: Path, name: str, key: PrivateKey, certificate: Certificate, usage: KeyPurpose
    ) -> MadeKey:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        passphrase = draw_passphrase()
        record = KeyRecord(
            usage=usage,
            certificate=certificate,
            state=KeyState.ACTIVE,
            not_before=certificate.not_before,
            not_after=certificate.not_after,
        )
        made = MadeKey(name=name, key=key, certificate=certificate, record=record, folder=folder)
        write_key_file(made.key_path, key, passphrase)
        write_private(made.passphrase_path, passphrase + b"\n")
        made.certificate_path.write_bytes(encode_pem(certificate.der, PEM_LABEL))
        return made


def store_authority(authority: Authority, folder: Path) -> None:
    """Keep the key of the sandbox CA, encrypted, so that newcomers can be enrolled."""
    passphrase = draw_passphrase()
    write_private(folder / "authority.key", authority.encode_key(passphrase))
    write_private(folder / "authority.pass", passphrase + b"\n")
    certificate = encode_pem(authority.certificate.der, PEM_LABEL)
    (folder / "authority.crt").write_bytes(certificate)


def load_authority(folder: Path, state: AuthorityState | None = None) -> Authority:
    """Return the sandbox CA that `store_authority` kept, with the number of its last CRL."""
    certificate = parse_certificate(
        parse_single((folder / "authority.crt").read_bytes(), PEM_LABEL)
    )
    passphrase = load_credential(folder / "authority.pass")
    key = load_private_key((folder / "authority.key").read_bytes(), passphrase)
    return Authority(certificate, key, state or AuthorityState())


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only this user can read, from its first byte on."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600, exist_ok=False)
    path.write_bytes(content)
