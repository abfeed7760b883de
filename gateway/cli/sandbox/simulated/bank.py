"""The simulated front of the banks: TLS on both sides, signed messages on both sides.

The banks have an authority of their own: what they accept is no business of the registry's.
"""

import hashlib
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from certs.algorithms import PrivateKey, Suite, generate_private_key
from certs.authority import Authority, TlsPurpose
from certs.certificate import PEM_LABEL, Certificate, parse_certificate
from certs.naming import SubjectName
from certs.pem import encode_pem, parse_single
from certs.registry_file import KeyPurpose
from gateway.cli.passphrase import draw_passphrase
from gateway.cli.sandbox.authority import MadeKey, write_private
from gateway.cli.sandbox.simulated.department import Department, Setting
from gateway.clock import SystemClock
from gateway.trust import moment
from signing.signer import write_key_file

_PARTY: Final = "11370000MB2DEM0105"
_FRONT: Final = "91370000MA3DEM0931"
_FOLDER: Final = "bank-front"
_YEAR: Final = timedelta(days=365)
"""Life of these certificates: they are enrolled once, and taken up again with the sandbox."""
_CARDS: Final[list[str]] = ["621700"]
"""Issuer of every card of the population."""
_Issued = tuple[PrivateKey, Certificate]


def _register(folder: Path, _client: MadeKey) -> None:
    place = folder / _FOLDER
    place.mkdir(mode=0o700)
    now_ms = SystemClock().now_ms()
    at = moment(now_ms - now_ms % 1000)
    authority = Authority.create(
        SubjectName(common_name="Sandbox Banks"), at=at, lifetime=_YEAR, sandbox=True
    )
    (place / "ca.pem").write_bytes(encode_pem(authority.certificate.der, PEM_LABEL))
    _make(place, "server", _tls(authority, _FRONT, TlsPurpose.SERVER, at), guarded=False)
    _make(place, "bank_sign", _signing(authority, _FRONT, at), guarded=False)
    _make(place, "client", _tls(authority, _PARTY, TlsPurpose.CLIENT, at), guarded=True)
    _make(place, "client_sign", _signing(authority, _PARTY, at), guarded=True)
    tls = parse_certificate(parse_single((place / "client.pem").read_bytes(), PEM_LABEL))
    caller = {
        "id": _PARTY,
        "tls_sha256": hashlib.sha256(tls.der).hexdigest(),
        "signing_certificate": (place / "client_sign.pem").read_text("ascii"),
    }
    write_private(place / "callers.json", json.dumps({"callers": [caller]}).encode())


def _arguments(folder: Path) -> tuple[str, ...]:
    place = folder / _FOLDER
    return (
        *("--tls-cert", str(place / "server.pem"), "--tls-key", str(place / "server.key")),
        *("--tls-client-ca", str(place / "ca.pem")),
        *("--sign-cert", str(place / "bank_sign.pem"), "--sign-key", str(place / "bank_sign.key")),
        *("--callers", str(place / "callers.json")),
    )


def _section(folder: Path, _client: MadeKey) -> dict[str, Setting]:
    place = folder / _FOLDER
    return {
        "party": _PARTY,
        "front": _FRONT,
        "tls_key": _key_setting(place, "client"),
        "tls_trust": str(place / "ca.pem"),
        "signing_key": _key_setting(place, "client_sign"),
        "bank_certificate": str(place / "bank_sign.pem"),
        "card_prefixes": _CARDS,
    }


def _tls(authority: Authority, party: str, purpose: TlsPurpose, at: datetime) -> _Issued:
    key = generate_private_key(Suite.ES256)
    subject = SubjectName(common_name=f"sandbox banks {purpose}", organisation=party)
    made = authority.issue_tls(subject, key.public_key, purpose, at=at, lifetime=_YEAR)
    return key, made


def _signing(authority: Authority, party: str, at: datetime) -> _Issued:
    key = generate_private_key(Suite.ES256)
    subject = SubjectName(common_name="sandbox banks messages", organisation=party)
    usage = KeyPurpose.ENVELOPE
    return key, authority.issue_signing(subject, key.public_key, usage, at=at, lifetime=_YEAR)


def _make(place: Path, name: str, issued: _Issued, *, guarded: bool) -> None:
    """Write a key and its certificate; ours is encrypted, the simulator opens none that is."""
    key, certificate = issued
    (place / f"{name}.pem").write_bytes(encode_pem(certificate.der, PEM_LABEL))
    if not guarded:
        write_private(place / f"{name}.key", key.encode_pkcs8(None))
        return
    passphrase = draw_passphrase()
    write_private(place / f"{name}.pass", passphrase + b"\n")
    write_key_file(place / f"{name}.key", key, passphrase)


def _key_setting(place: Path, name: str) -> dict[str, Setting]:
    return {
        "key": str(place / f"{name}.key"),
        "passphrase_file": str(place / f"{name}.pass"),
        "certificate": str(place / f"{name}.pem"),
    }


BANK: Final = Department(
    prefix="bk.", scheme="https", register=_register, arguments=_arguments, section=_section
)
