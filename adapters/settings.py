"""How each department is reached: sections of a configuration, checked in form and nothing opened.

Used by the gateway for what it embeds, and by a provider node for its department.
INVARIANT: no secret stands here, only the names of files that hold one.
"""

from pathlib import Path
from typing import Annotated, Final, TypeVar

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

    education: Connected[EducationConfig] | None = None
    public_security: Connected[PublicSecurityConfig] | None = None
    hrss: Connected[HrssConfig] | None = None

    @property
    def is_any_remote(self) -> bool:
        """Whether a department is asked at a node of its own."""
        return any(isinstance(getattr(self, each), NodeSection) for each in type(self).model_fields)
