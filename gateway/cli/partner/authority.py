"""An operator's own small certificate authority, kept in a folder (0700).

    authority.crt    its certificate, PEM: the anchor of everybody who relies on it
    authority.key    its key, encrypted
    authority.pass   the passphrase; whoever wants it elsewhere moves it and links it back
    authority.json   number of the last CRL and what was revoked

It binds keys inside one installation and replaces no licensed CA (docs/trust.md, section 7).
INVARIANT: what a CRL counts is written before the CRL is given out.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final

from certs.algorithms import load_private_key
from certs.authority import Authority, TlsPurpose
from certs.authority_state import encode_authority_state, parse_authority_state
from certs.certificate import PEM_LABEL, Certificate, parse_certificate
from certs.naming import SubjectName
from certs.pem import encode_pem, parse_single
from certs.registry_file import KeyPurpose
from certs.revocation import Crl, parse_crl
from certs.signing_request import SigningRequest
from gateway.cli.ending import Ended, ExitCode
from gateway.cli.passphrase import draw_passphrase
from gateway.credentials import load_credential
from hutong.client.private_files import write_private


class CertifiedUsage(StrEnum):
    """What a certificate is for; a key has one usage."""

    TLS_SERVER = "tls-server"
    TLS_CLIENT = "tls-client"
    ENVELOPE = "envelope"
    OFFICER = "officer"
    RECORD = "record"


_TLS: Final = {
    CertifiedUsage.TLS_SERVER: TlsPurpose.SERVER,
    CertifiedUsage.TLS_CLIENT: TlsPurpose.CLIENT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be certified: the request proves the key, everything else is the operator's."""

    request: SigningRequest
    usage: CertifiedUsage
    subject: SubjectName
    hosts: tuple[str, ...]
    lifetime: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorityFolder:
    """An authority on disk."""

    folder: Path

    def create(self, name: str, at: datetime, lifetime: timedelta) -> Certificate:
        """Make a new root.

        Raises:
            NotWritten: a file of it exists already.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        root = Authority.create(SubjectName(common_name=name), at=at, lifetime=lifetime)
        passphrase = draw_passphrase()
        write_private(self._passphrase, passphrase + b"\n")
        write_private(self._key, root.encode_key(passphrase))
        write_private(self._state, encode_authority_state(root.state))
        write_private(self._certificate, encode_pem(root.certificate.der, PEM_LABEL))
        return root.certificate

    def issue(self, wanted: Wanted, at: datetime) -> Certificate:
        """Return a certificate for a request.

        Raises:
            CertsError, ConfigError, OSError: the authority cannot be opened.
            Ended: the certificate would outlive the authority.
        """
        authority = self._load()
        if at + wanted.lifetime > authority.certificate.not_after:
            ends = authority.certificate.not_after.date()
            raise Ended(ExitCode.NO, f"the authority ends on {ends}: fewer --days")
        purpose = _TLS.get(wanted.usage)
        if purpose is not None:
            return authority.issue_tls(
                wanted.subject,
                wanted.request,
                purpose,
                at=at,
                lifetime=wanted.lifetime,
                hosts=wanted.hosts,
            )
        usage = KeyPurpose(wanted.usage)
        return authority.issue_signing(
            wanted.subject, wanted.request, usage, at=at, lifetime=wanted.lifetime
        )

    def publish(self, at: datetime, until: datetime) -> tuple[Certificate, Crl]:
        """Return the anchor and a new CRL.

        Raises:
            CertsError, ConfigError, OSError: the authority cannot be opened.
        """
        authority = self._load()
        crl = authority.crl(at=at, next_update=until)
        fresh = self._state.with_name(f".{self._state.name}.new")
        fresh.unlink(missing_ok=True)
        write_private(fresh, encode_authority_state(authority.state))
        fresh.replace(self._state)
        return authority.certificate, parse_crl(crl)

    def _load(self) -> Authority:
        der = parse_single(self._certificate.read_bytes(), PEM_LABEL)
        key = load_private_key(self._key.read_bytes(), load_credential(self._passphrase))
        state = parse_authority_state(self._state.read_bytes())
        return Authority(parse_certificate(der), key, state)

    @property
    def _certificate(self) -> Path:
        return self.folder / "authority.crt"

    @property
    def _key(self) -> Path:
        return self.folder / "authority.key"

    @property
    def _passphrase(self) -> Path:
        return self.folder / "authority.pass"

    @property
    def _state(self) -> Path:
        return self.folder / "authority.json"
