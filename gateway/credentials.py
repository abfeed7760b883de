"""Own keys and secrets as the configuration names them, and how the files that hold them are read.

Apart from the rest of the configuration, because the process that holds the log's key loads this
and nothing that knows of departments; so a key is named here, and theirs in `adapters.settings`.
"""

import stat
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

MAX_CREDENTIAL_BYTES: Final = 4_096


class ConfigError(Exception):
    """The configuration cannot be used; the text names the setting, never a secret."""


class Section(BaseModel):
    """A part of the configuration; a key nobody knows is refused."""

    # A misspelt limit would otherwise be the default in silence.
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class KeyConfig(Section):
    """A private key: its encrypted file, its certificate.

    And the file that holds its passphrase.
    """

    key: Path
    passphrase_file: Path
    certificate: Path | None = None


class LogConfig(Section):
    """Where the access log lies and who signs its checkpoints."""

    database: Path
    epoch_keys: Path
    epoch_passphrase_file: Path
    origin: str = Field(min_length=1, max_length=200)
    signer: KeyConfig
    disk_reserve_bytes: int = Field(default=2 << 30, ge=0)
    process: bool | None = None
    """Whether a process of its own writes; not said: where the machine has a second core."""


def load_credential(path: Path) -> bytes:
    """Return the secret in a credential file without its line end.

    Raises:
        ConfigError: the file is missing, too long, or readable by others.
    """
    try:
        state = path.stat()
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read credential {path.name}") from error
    if state.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError(f"credential {path.name} is readable by others: chmod 600")
    if not 0 < len(content) <= MAX_CREDENTIAL_BYTES:
        raise ConfigError(f"credential {path.name} has a wrong length")
    # Editors end a file with a line; a space may belong to the passphrase.
    return content.rstrip(b"\r\n")
