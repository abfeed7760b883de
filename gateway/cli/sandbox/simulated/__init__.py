"""The simulated departments of a sandbox, one module each; the table below is all there is."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from gateway.cli.sandbox.simulated.department import Department, Setting, key_setting
from gateway.cli.sandbox.simulated.education import EDUCATION
from gateway.cli.sandbox.simulated.public_security import PUBLIC_SECURITY
from gateway.cli.sandbox.simulated.tax import TAX

__all__ = ["PREFIXES", "SIMULATED", "Department", "Setting", "key_setting"]

SIMULATED: Final[Mapping[str, Department]] = MappingProxyType(
    {
        "education": EDUCATION,
        "public_security": PUBLIC_SECURITY,
        "tax": TAX,
    }
)
"""By kind, which names the simulator's module and the section of the configuration as well."""
PREFIXES: Final[Mapping[str, str]] = MappingProxyType(
    {**{name: each.prefix for name, each in SIMULATED.items()}, "hrss": "hr."}
)
"""Of the datasets of each connected department, HRSS's own tables included."""
