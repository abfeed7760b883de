"""Keys and certificates of a gateway, a department and a partner, made once per run."""

import base64
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from certs.authority import Authority, TlsPurpose
from certs.certificate import PEM_LABEL, Certificate
from certs.naming import SubjectName
from certs.pem import encode_pem
from certs.private_key import PrivateKey, generate_private_key
from certs.public_key import PublicKey
from certs.registry_file import KeyPurpose
from certs.suites import Suite
from hutong.client import AgreementHint, IdentityMaterial, KeyPair, write_identity
from hutong.client.clock import system_clock
from signing.signer import FileSigner, Signer

GATEWAY = "11370000MB2DEM0105/gateway"
PARTNER = "11370000MB2DEM0105/retirement"
PROVIDER = "11370000MB2DEM0202"
ORIGIN = "sandbox.invalid/hutong/log"
PERSON = "11010519491231002X"  # the sample number of GB 11643-1999 itself


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everybody's keys, and the time it is."""

    now_ms: int
    authority: Authority
    gateway: Signer
    gateway_certificate: Certificate
    stranger: Signer
    record: Signer
    record_certificate: Certificate
    officer: Signer
    log_private: Ed25519PrivateKey
    server_key: bytes
    server_chain: bytes
    authority_pem: bytes
    tls: KeyPair
    envelope: KeyPair
    officer_pair: KeyPair

    @property
    def subject(self) -> SubjectName:
        """The name in every leaf certificate."""
        return SubjectName(common_name="test", organisation="11370000MB2DEM0105")

    @property
    def record_key(self) -> PublicKey:
        """The department's public key."""
        return self.record_certificate.public_key

    @property
    def log_key(self) -> str:
        """The log's verifier key (C2SP signed-note)."""
        typed = b"\x01" + self.log_private.public_key().public_bytes_raw()
        return f"{ORIGIN}+{self.key_id.hex()}+{base64.b64encode(typed).decode()}"

    @property
    def key_id(self) -> bytes:
        """The first four bytes of SHA-256 over name, line end, type and key."""
        typed = b"\x01" + self.log_private.public_key().public_bytes_raw()
        return hashlib.sha256(ORIGIN.encode() + b"\n" + typed).digest()[:4]

    def sign_note(self, size: int, root: bytes, origin: str = ORIGIN) -> bytes:
        """Sign a tree head as C2SP checkpoint."""
        text = f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"
        signature = base64.b64encode(self.key_id + self.log_private.sign(text.encode())).decode()
        return f"{text}\n\u2014 {origin} {signature}\n".encode()

    def material(self, address: str = "127.0.0.1:1") -> IdentityMaterial:
        """Return what the partner's identity directory holds."""
        return IdentityMaterial(
            system_id=PARTNER,
            gateway_id=GATEWAY,
            address=address,
            tls_server_name="localhost",
            tls=self.tls,
            tls_authorities=(self.authority.certificate,),
            envelope=self.envelope,
            officer=self.officer_pair,
            gateway_certificates=(self.gateway_certificate,),
            log_key=self.log_key,
            record_certificates={PROVIDER: (self.record_certificate,)},
            agreements=(
                AgreementHint(
                    number="A-2026-001",
                    dataset="mca.marriage@1",
                    matters=("M2",),
                    legal_basis="社会保险法第七十四条",
                ),
            ),
        )

    def write(self, directory: Path, address: str = "127.0.0.1:1") -> None:
        """Write the partner's identity directory."""
        write_identity(directory, self.material(address))


def build_world() -> World:
    """Make every key; certificates hold around the machine's time, because TLS looks at that."""
    now_ms = system_clock()
    at = datetime.fromtimestamp(now_ms / 1000, UTC) - timedelta(minutes=1)
    authority = Authority.create(SubjectName(common_name="root"), at=at, sandbox=True)
    server = generate_private_key(Suite.ES256)
    name = SubjectName(common_name="test", organisation="11370000MB2DEM0105")
    chain = authority.issue_tls(name, server.public_key, TlsPurpose.SERVER, at=at)

    def pair(usage: KeyPurpose, suite: Suite = Suite.ES256) -> tuple[PrivateKey, Certificate]:
        key = generate_private_key(suite)
        return key, authority.issue_signing(name, key.public_key, usage, at=at)

    gateway, gateway_certificate = pair(KeyPurpose.ENVELOPE)
    record, record_certificate = pair(KeyPurpose.RECORD, Suite.EDDSA)
    officer, officer_certificate = pair(KeyPurpose.OFFICER)
    envelope, envelope_certificate = pair(KeyPurpose.ENVELOPE)
    tls = generate_private_key(Suite.ES256)
    tls_certificate = authority.issue_tls(name, tls.public_key, TlsPurpose.CLIENT, at=at)
    return World(
        now_ms=now_ms,
        authority=authority,
        gateway=FileSigner.of(gateway),
        gateway_certificate=gateway_certificate,
        stranger=FileSigner.of(generate_private_key(Suite.ES256)),
        record=FileSigner.of(record),
        record_certificate=record_certificate,
        officer=FileSigner.of(officer),
        log_private=Ed25519PrivateKey.generate(),
        server_key=server.encode_pkcs8(None),
        server_chain=encode_pem(chain.der, PEM_LABEL),
        authority_pem=encode_pem(authority.certificate.der, PEM_LABEL),
        tls=KeyPair(private_key=tls, certificate=tls_certificate),
        envelope=KeyPair(private_key=envelope, certificate=envelope_certificate),
        officer_pair=KeyPair(private_key=officer, certificate=officer_certificate),
    )
