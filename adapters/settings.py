"""How each department is reached: sections of a configuration, checked in form and nothing opened.

Used by the gateway for what it embeds; a provider node is to use the same for its department.
INVARIANT: no secret stands here, only the names of files that hold one.
"""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class Section(BaseModel):
    """A part of a configuration; a key nobody knows is refused."""

    # A misspelt limit would otherwise be the default in silence.
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class KeyConfig(Section):
    """A private key: its encrypted file, its certificate.

    And the file that holds its passphrase.
    """

    key: Path
    passphrase_file: Path
    certificate: Path | None = None


class DepartmentConfig(Section):
    """What every department has: the key that signs its records."""

    record_key: KeyConfig


class LimitsConfig(Section):
    """What one department may take of us, and we of it (docs/operations/resilience.md)."""

    concurrency: int = Field(default=32, ge=1, le=4_096)
    queue: int = Field(default=224, ge=0, le=65_536)
    per_second: float | None = Field(default=None, gt=0, le=100_000)
    burst: int = Field(default=1, ge=1, le=10_000)
    attempts: int = Field(default=3, ge=1, le=5)
    connect_s: float = Field(default=2.0, gt=0, le=60)
    patience_s: float | None = Field(default=None, gt=0, le=60)
    breaker_failures: int = Field(default=8, ge=1, le=1_000)
    breaker_open_s: float = Field(default=5.0, gt=0, le=600)
    hedging: bool = False


class HttpDepartmentConfig(DepartmentConfig):
    """What every department has that is reached over HTTP."""

    base_url: str
    limits: LimitsConfig = LimitsConfig()


class EducationConfig(HttpDepartmentConfig):
    """How the education department is reached."""

    issuer: str
    client_id: str
    client_key: KeyConfig


class PublicSecurityConfig(HttpDepartmentConfig):
    """How the public security department is reached."""

    sid: str
    app_key_file: Path
    user: str
    password_file: Path
    ministry: tuple[str, str]
    origin_system: tuple[str, str]
    business_system: tuple[str, str]
    system_user_file: Path | None = None
    """JSON naming the person who answers for system jobs; readable by this user only."""


class HrssConfig(DepartmentConfig):
    """Where HRSS's own tables lie."""

    database: Path


class DepartmentsConfig(Section):
    """Departments that are connected, by kind; absent means not connected."""

    education: EducationConfig | None = None
    public_security: PublicSecurityConfig | None = None
    hrss: HrssConfig | None = None
