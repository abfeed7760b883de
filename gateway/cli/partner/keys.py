"""Keys as files: `STEM.key` encrypted, `STEM.pass` its passphrase, `STEM.csr` the request for a CA.

INVARIANT: nothing is written over, and a key never leaves the machine it was made on: a request
does, and a certificate comes back.
"""

from pathlib import Path

from certs.algorithms import Suite, generate_private_key
from certs.certificate import PEM_LABEL, parse_certificate
from certs.naming import SubjectName
from certs.pem import parse_single
from certs.signing_request import build_signing_request
from gateway.cli.passphrase import draw_passphrase
from gateway.credentials import load_credential
from hutong.client import KeyPair
from hutong.client.private_files import write_private
from signing.signer import load_key_file, write_key_file


def make_key(stem: Path, suite: Suite, subject: SubjectName) -> Path:
    """Make `STEM.key` (encrypted), `STEM.pass` and `STEM.csr`; return the request.

    Raises:
        NotWritten, KeyFileRefused: a file of it exists already.
        AlgorithmUnavailable: SM2 on a machine without it.
    """
    key = generate_private_key(suite)
    passphrase = draw_passphrase()
    stem.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(_beside(stem, "pass"), passphrase + b"\n")
    write_key_file(_beside(stem, "key"), key, passphrase)
    request = _beside(stem, "csr")
    write_private(request, build_signing_request(key, subject))
    return request


def _beside(stem: Path, ending: str) -> Path:
    """Return a name with an ending; a dot in the stem is part of it."""
    return stem.with_name(f"{stem.name}.{ending}")


def load_pair(stem: Path) -> KeyPair:
    """Return the key `STEM.key` with its certificate `STEM.crt`.

    Raises:
        CertsError, SigningError, ConfigError, OSError: one of the files cannot be used.
    """
    der = parse_single(_beside(stem, "crt").read_bytes(), PEM_LABEL)
    key = load_key_file(_beside(stem, "key"), load_credential(_beside(stem, "pass")))
    return KeyPair(private_key=key, certificate=parse_certificate(der))
