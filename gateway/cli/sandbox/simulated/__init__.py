"""The simulated departments of a sandbox, one module each; the table below is all there is."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from gateway.cli.sandbox.simulated.bank import BANK
from gateway.cli.sandbox.simulated.civil_affairs import CIVIL_AFFAIRS
from gateway.cli.sandbox.simulated.commerce import COMMERCE
from gateway.cli.sandbox.simulated.department import (
    Addresses,
    Department,
    Setting,
    key_setting,
)
from gateway.cli.sandbox.simulated.education import EDUCATION
from gateway.cli.sandbox.simulated.health import HEALTH
from gateway.cli.sandbox.simulated.public_security import PUBLIC_SECURITY
from gateway.cli.sandbox.simulated.tax import TAX

__all__ = ["PREFIXES", "SIMULATED", "Addresses", "Department", "Setting", "key_setting"]

SIMULATED: Final[Mapping[str, Department]] = MappingProxyType(
    {
        "bank": BANK,
        "civil_affairs": CIVIL_AFFAIRS,
        "commerce": COMMERCE,
        "education": EDUCATION,
        "health": HEALTH,
        "public_security": PUBLIC_SECURITY,
        "tax": TAX,
    }
)
"""By kind, which names the simulator's module and the section of the configuration as well."""
PREFIXES: Final[Mapping[str, str]] = MappingProxyType(
    {**{name: each.prefix for name, each in SIMULATED.items()}, "hrss": "hr."}
)
"""Of the datasets of each connected department, HRSS's own tables included."""
