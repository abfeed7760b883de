"""How each department is reached: sections of a configuration, checked in form and nothing opened.

Used by the gateway for what it embeds; a provider node is to use the same for its department.
INVARIANT: no secret stands here, only the names of files that hold one.
"""

from pathlib import Path

from pydantic import BaseModel, ConfigDict


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


class EducationConfig(DepartmentConfig):
    """How the education department is reached."""

    base_url: str
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


class HrssConfig(DepartmentConfig):
    """Where HRSS's own tables lie."""

    database: Path


class TaxConfig(DepartmentConfig):
    """How the tax department is reached."""

    base_url: str
    """`sftp://host:port`."""
    host_key: str
    """The department's public key, one line of OpenSSH's form; no other is believed."""
    user: str
    login_key: KeyConfig
    client_no: str
    supplier: str
    sign_key_file: Path


class DepartmentsConfig(Section):
    """Departments that are connected, by kind; absent means not connected."""

    education: EducationConfig | None = None
    public_security: PublicSecurityConfig | None = None
    hrss: HrssConfig | None = None
    tax: TaxConfig | None = None
