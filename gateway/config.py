"""Configuration: one YAML file with strict keys, every limit with a safe default.

The only reader of the environment: `HUTONG_CONFIG` names the file when the command line does not.
No secret stands in the file; passphrases come from credential files it names, readable by this user
only. `describe` prints the settings in force at start.
"""

import os
from pathlib import Path
from typing import Final, TypeVar

import yaml
from pydantic import BaseModel, Field, ValidationError

from adapters.settings import DepartmentsConfig
from gateway.credentials import ConfigError, KeyConfig, LogConfig, Section

TLS_SUITES: Final = (
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-AES256-GCM-SHA384"
)
"""AEAD only, for TLS 1.2; TLS 1.3 has no others. grpcio takes them from the environment alone."""
S = TypeVar("S", bound=Section)

ADDRESS: Final = r"^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}$"
"""`host:port`, an IPv6 host in brackets."""


class ConnectionLimits(Section):
    """Limits of a server's connections."""

    streams_per_connection: int = Field(default=256, ge=1, le=4_096)
    connection_age_s: int = Field(default=600, ge=10)


class LimitConfig(ConnectionLimits):
    """Limits of one gateway process."""

    in_flight: int = Field(default=1_024, ge=1, le=65_536)
    in_flight_per_system: int = Field(default=512, ge=1, le=65_536)
    in_flight_per_department: int = Field(default=256, ge=1, le=65_536)
    calls_per_second_per_system: float = Field(default=2_000.0, gt=0)
    burst_per_system: int = Field(default=4_000, ge=1)
    kept_answer_bytes: int = Field(default=64 << 20, ge=0)

    @property
    def room(self) -> int:
        """Exchanges that may wait for one department."""
        # At most half of what the gateway, and one system, may have under way: whatever was
        # configured, one department that hangs leaves as much to the others.
        half = min(self.in_flight, self.in_flight_per_system) // 2
        return max(1, min(self.in_flight_per_department, half))


class Config(Section):
    """Everything `hutong serve` needs to know."""

    system_id: str = Field(pattern=r"^[0-9A-Z]{18}/[a-z0-9-]{1,40}$")
    listen: str = Field(default="127.0.0.1:7443", pattern=ADDRESS)
    health_listen: str = Field(default="127.0.0.1:7480", pattern=ADDRESS)
    trust: Path
    policy: Path
    policy_digest: str = Field(pattern=r"^[0-9a-f]{64}$")
    policy_start_date: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$")
    registers: Path
    registers_key_file: Path
    envelope_signer: KeyConfig
    tls: KeyConfig
    pseudonym_secret_file: Path
    log: LogConfig
    limits: LimitConfig = LimitConfig()
    departments: DepartmentsConfig = DepartmentsConfig()
    compute_process: bool | None = None
    """Whether a second process computes; not said: where the machine has a second core."""
    sandbox: bool = False


def load_config(path: Path) -> Config:
    """Return the configuration of a gateway in a file; paths in it are relative to the file.

    Raises:
        ConfigError: the file cannot be read, a key is unknown, or a value is out of range.
    """
    return load_settings(path, Config)


def load_settings(path: Path, form: type[S]) -> S:
    """Return the settings in a file; paths in them are relative to the file.

    Raises:
        ConfigError: the file cannot be read, a key is unknown, or a value is out of range.
    """
    try:
        # The safe loader: a tag in the file could otherwise build any Python object.
        raw = yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader)
        config = form.model_validate(raw)
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {path.name}: {type(error).__name__}") from error
    except ValidationError as error:
        places = ", ".join(
            f"{'.'.join(map(str, each['loc']))}: {each['msg']}"
            # Without the input: a secret put under the wrong key must not reach the console.
            for each in error.errors(include_input=False, include_url=False)
        )
        raise ConfigError(places) from error
    return _anchored(config, path.parent)


def _anchored(config: S, folder: Path) -> S:
    """Return the configuration with every relative path resolved against the folder of its file."""

    def anchor(value: object) -> object:
        if isinstance(value, Path):
            return value if value.is_absolute() else folder / value
        if isinstance(value, BaseModel):
            return value.model_copy(
                update={name: anchor(getattr(value, name)) for name in type(value).model_fields}
            )
        return value

    return type(config).model_validate(anchor(config))


def config_path_from_environment() -> Path | None:
    """Return the file that `HUTONG_CONFIG` names."""
    value = os.environ.get("HUTONG_CONFIG")
    return Path(value) if value else None


def prepare_environment() -> None:
    """Set what grpcio reads from the environment only; call before grpc is imported."""
    os.environ.setdefault("GRPC_SSL_CIPHER_SUITES", TLS_SUITES)
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")


def describe(config: Section) -> str:
    """Return the settings in force as YAML; paths and limits only, no secret."""
    text: str = yaml.safe_dump(config.model_dump(mode="json"), allow_unicode=True, sort_keys=True)
    return text
