"""Configuration of a provider node: one YAML file with strict keys, like the gateway's."""

from pathlib import Path
from typing import Final

from pydantic import Field, model_validator

from adapters.settings import DepartmentConfig, DepartmentsConfig
from gateway.config import ADDRESS, ConnectionLimits
from gateway.credentials import KeyConfig, Section

GATEWAY: Final = r"^[0-9A-Z]{18}/[a-z0-9-]{1,40}$"


class NodeLimitConfig(ConnectionLimits):
    """Limits of one node."""

    in_flight: int = Field(default=256, ge=1, le=65_536)


class NodeConfig(Section):
    """Everything `hutong provide` needs to know."""

    system_id: str = Field(pattern=r"^[0-9A-Z]{18}/provider$")
    listen: str = Field(default="127.0.0.1:7444", pattern=ADDRESS)
    health_listen: str = Field(default="127.0.0.1:7481", pattern=ADDRESS)
    trust: Path
    gateways: tuple[str, ...] = Field(min_length=1, max_length=64)
    """Systems whose queries are judged at all."""
    policy: Path
    policy_digest: str = Field(pattern=r"^[0-9a-f]{64}$")
    policy_start_date: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$")
    envelope_signer: KeyConfig
    tls: KeyConfig
    department: DepartmentsConfig
    """Exactly one section, the same as where the department is embedded."""
    pseudonym_secret_file: Path | None = None
    limits: NodeLimitConfig = NodeLimitConfig()
    sandbox: bool = False

    @model_validator(mode="after")
    def _one_department(self) -> "NodeConfig":
        # One key signs for one department, and a node that asked another node would have none.
        if len(self._sections()) != 1 or self.department.is_any_remote:
            raise ValueError("department: exactly one section, and no node")
        return self

    @property
    def kind(self) -> str:
        """Which kind of department it is."""
        return self._sections()[0][0]

    @property
    def section(self) -> DepartmentConfig:
        """How the department is reached."""
        return self._sections()[0][1]

    def _sections(self) -> list[tuple[str, DepartmentConfig]]:
        named = ((name, getattr(self.department, name)) for name in DepartmentsConfig.model_fields)
        return [(name, each) for name, each in named if each is not None]
