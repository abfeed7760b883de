"""`hutong log init`: the keys of a new log, where its configuration names them.

INVARIANT: no key is ever made over another: whoever lost one has to say so by moving it away.
"""

from pathlib import Path
from typing import Annotated, Final

import typer

from certs.algorithms import Suite, generate_private_key
from gateway.access_log.epochs import EpochKeys
from gateway.access_log.errors import AccessLogError
from gateway.access_log.note import encode_verifier_key, require_key_name
from gateway.cli.ending import Ended, ExitCode
from gateway.cli.passphrase import draw_passphrase
from gateway.config import load_config
from gateway.credentials import ConfigError, LogConfig, load_credential
from hutong.client import NotWritten
from hutong.client.private_files import write_private
from signing.errors import SigningError
from signing.signer import write_key_file

ED25519_BYTES: Final = 32
"""A raw public key (RFC 8032 5.1.5), which ends its SubjectPublicKeyInfo."""


def init(
    config: Annotated[Path, typer.Option("--config", help="Configuration of the gateway.")],
) -> None:
    """Make the log's signing key and the file of epoch keys; print the key partners receive."""
    try:
        log = load_config(config).log
        typer.echo(make_log_keys(log))
    except ConfigError as error:
        raise Ended(ExitCode.UNREADABLE, f"configuration: {error}") from error
    except (AccessLogError, SigningError, NotWritten, OSError) as error:
        raise Ended(ExitCode.UNREADABLE, f"log: {error}") from error


def make_log_keys(log: LogConfig) -> str:
    """Make what a new log needs and return its verifier key (C2SP signed-note, "vkey").

    Raises:
        Ended: a log, a signing key or epoch keys are there already.
        ConfigError, AccessLogError, SigningError, NotWritten, OSError: a file cannot be made.
    """
    origin = require_key_name(log.origin)
    begun = [each for each in (log.database, log.signer.key, log.epoch_keys) if each.exists()]
    if begun:
        raise Ended(ExitCode.NO, f"this log has begun: {begun[0]} is there")
    for path in (log.database, log.signer.key, log.epoch_keys):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = generate_private_key(Suite.EDDSA)
    epochs = _passphrase(log.epoch_passphrase_file)
    write_key_file(log.signer.key, key, _passphrase(log.signer.passphrase_file))
    EpochKeys.create(log.epoch_keys, origin=origin, passphrase=epochs)
    return encode_verifier_key(origin, key.public_key.spki[-ED25519_BYTES:])


def _passphrase(path: Path) -> bytes:
    """Return the passphrase in a credential file, which is made where there is none."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(path, draw_passphrase() + b"\n")
    return load_credential(path)
