"""How each department is reached: sections of a configuration, checked in form and nothing opened.

Used by the gateway for what it embeds; a provider node is to use the same for its department.
INVARIANT: no secret stands here, only the names of files that hold one.
"""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


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


class NationalServiceConfig(Section):
    """Which calls of a department go under which registered id of the platform."""

    path: Annotated[str, Field(pattern=r"^/([!-~]*/)?$")]
    """What the paths of these calls begin with; the longest that fits decides."""
    sid: Annotated[str, Field(pattern=r"^[!-~]{1,64}$")]


class NationalConfig(Section):
    """How the national share platform is reached (docs/adapters/national.md)."""

    generation: Literal[1, 2]
    base_url: str
    app_key_file: Path
    access_key_file: Path | None = None
    """Generation 2 only."""
    mac: Literal["sha256", "sm3"] = "sha256"
    services: Annotated[tuple[NationalServiceConfig, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _require_its_generation(self) -> Self:
        if (self.generation == 2) != (self.access_key_file is not None):  # noqa: PLR2004 - it is a name
            raise ValueError("access_key_file belongs to generation 2, and only there")
        paths = [service.path for service in self.services]
        if len(set(paths)) < len(paths):
            raise ValueError("two services have one path")
        return self


class RestConfig(DepartmentConfig):
    """A department with a REST interface: reached at its address, or through the platform."""

    base_url: str | None = None
    through: NationalConfig | None = None

    @model_validator(mode="after")
    def _require_one_way(self) -> Self:
        # An address that is configured and never called would be taken for the way that is used.
        if (self.base_url is None) == (self.through is None):
            raise ValueError("either base_url or through")
        return self


class EducationConfig(RestConfig):
    """How the education department is reached."""

    issuer: str
    client_id: str
    client_key: KeyConfig


class PublicSecurityConfig(DepartmentConfig):
    """How the public security department is reached."""

    base_url: str
    sid: str
    app_key_file: Path
    user: str
    password_file: Path
    ministry: tuple[str, str]
    origin_system: tuple[str, str]
    business_system: tuple[str, str]
    system_user_file: Path | None = None
    """JSON naming the person who answers for system jobs; readable by this user only."""


class HealthConfig(DepartmentConfig):
    """How the health department is reached."""

    base_url: str
    app_id: str
    app_key_file: Path
    org_code: str
    org_name: str


class HrssConfig(DepartmentConfig):
    """Where HRSS's own tables lie."""

    database: Path


class DepartmentsConfig(Section):
    """Departments that are connected, by kind; absent means not connected."""

    education: EducationConfig | None = None
    public_security: PublicSecurityConfig | None = None
    health: HealthConfig | None = None
    hrss: HrssConfig | None = None
