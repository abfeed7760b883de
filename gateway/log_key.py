"""The key of the access log, from where the configuration says it lies.

A module of its own: the process that writes the log loads little else of the gateway.
"""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gateway.access_log.note import Ed25519LogSigner
from gateway.access_log.protocol import PACKAGE, Begin
from gateway.child import load_form
from gateway.credentials import ConfigError, KeyConfig, LogConfig, load_credential
from signing.signer import load_key_file


def load_log_signer(config: KeyConfig) -> Ed25519LogSigner:
    """Return the key that signs checkpoints.

    Raises:
        ConfigError: it is no Ed25519 key.
        KeyFileRefused: the key file is open to others, or the passphrase is wrong.
    """
    # Unencrypted PKCS#8 in memory only.
    pem = load_key_file(config.key, load_credential(config.passphrase_file)).encode_pkcs8(None)
    key = load_pem_private_key(pem, password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigError("log.signer: checkpoints are signed with Ed25519")
    return Ed25519LogSigner(key)


def describe_log(config: LogConfig) -> Begin:
    """Return what the process is told that writes this log; the key itself is not in it."""
    return Begin(
        database=str(config.database.absolute()),
        origin=config.origin,
        signer=config.signer.model_dump_json(),
        form=load_form(PACKAGE),
    )
