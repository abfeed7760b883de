"""How each department is reached: sections of a configuration, checked in form and nothing opened.

Used by the gateway for what it embeds, and by a provider node for its department.
INVARIANT: no secret stands here, only the names of files that hold one.
"""

from pathlib import Path
from typing import Annotated, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag


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


class BankConfig(HttpDepartmentConfig):
    """How the front of the banks is reached."""

    party: str
    """Our USCC as registered there."""
    front: str
    """The front's USCC."""
    tls_key: KeyConfig
    tls_trust: Path
    """PEM of the authorities its TLS certificate may come from."""
    signing_key: KeyConfig
    bank_certificate: Path
    """PEM of the one certificate it signs with."""
    card_prefixes: tuple[str, ...] = ()
    """Beginnings of account numbers that are card numbers, and so have a Luhn digit."""


class CommerceConfig(HttpDepartmentConfig):
    """How the commerce register is reached."""

    key_id: str
    secret_file: Path
    authcode_file: Path


class CivilAffairsConfig(HttpDepartmentConfig):
    """How civil affairs are reached: a live check, and a front-end database that is copied."""

    sid: str
    access_key_file: Path
    app_key_file: Path
    front_end: str | None = None
    """`host:port` of the front-end database; without it system jobs are asked live as well, and of
    cremations and assistance nothing is ever told to be absent."""
    front_end_database: str = "qzk"
    front_end_user: str | None = None
    front_end_password_file: Path | None = None
    front_end_ca_file: Path | None = None
    """Authority of the database's certificate; without it the system's, and on the loopback no
    encryption."""
    front_end_datasets: tuple[Literal["ca.assistance", "ca.cremation"], ...] = ("ca.cremation",)
    """What is copied for system jobs, and to prove absence to officers: no register of people is
    copied that neither of them needs."""
    front_end_interval_s: Annotated[float, Field(ge=1, le=300)] = 30.0


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


class HealthConfig(HttpDepartmentConfig):
    """How the health department is reached."""

    app_id: str
    app_key_file: Path
    org_code: str
    org_name: str


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


class NodeAddress(Section):
    """Where a department's own provider node answers, and how we show ourselves there.

    Whose certificates, envelopes and records are taken for the node's stands in the trust store,
    under `<USCC of the department>/provider`; so that revoking one there ends it here.
    """

    address: str = Field(pattern=r"^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}$")
    tls_server_name: str | None = None
    """The name in the node's certificate, where it is not the host of the address."""
    tls: KeyConfig
    """Our client key; registered for the gateway's system like the server's."""


class NodeSection(Section):
    """A department that applies effects and signs at its own node; we hold no key of it."""

    node: NodeAddress


EMBEDDED: Final = "embedded"
REMOTE: Final = "remote"


def _find_custody(value: object) -> str:
    """Say which of its two forms a department's section has."""
    is_remote = isinstance(value, NodeSection) or (isinstance(value, dict) and "node" in value)
    return REMOTE if is_remote else EMBEDDED


_Here = TypeVar("_Here", bound=DepartmentConfig)
Connected = Annotated[
    Annotated[_Here, Tag(EMBEDDED)] | Annotated[NodeSection, Tag(REMOTE)],
    # Told apart by one member, so that a mistake is named in the form that was meant.
    Discriminator(_find_custody),
]
"""A department whose adapter runs in the gateway, or at a node of its own."""


class DepartmentsConfig(Section):
    """Departments that are connected, by kind; absent means not connected."""

    bank: Connected[BankConfig] | None = None
    civil_affairs: Connected[CivilAffairsConfig] | None = None
    commerce: Connected[CommerceConfig] | None = None
    education: Connected[EducationConfig] | None = None
    health: Connected[HealthConfig] | None = None
    hrss: Connected[HrssConfig] | None = None
    public_security: Connected[PublicSecurityConfig] | None = None
    tax: Connected[TaxConfig] | None = None

    @property
    def is_any_remote(self) -> bool:
        """Whether a department is asked at a node of its own."""
        return any(isinstance(getattr(self, each), NodeSection) for each in type(self).model_fields)
