"""The population service as its WSDL beside this module describes it."""

from collections.abc import Mapping
from typing import Final

from adapters.national.causes import platform_failure
from adapters.soap import PlatformFault, SoapService

POPULATION: Final = SoapService(
    package="adapters.kinds.public_security",
    wsdl="population.wsdl",
    namespace="http://webservice.com",
    binding="PopulationBinding",
    header="tongtechheader",
)


def parameters_of(package: str, user: str, password: str) -> Mapping[str, str]:
    """Return the parameters of every operation (docs/adapters/public_security.md, section 2)."""
    return {"in0": package, "in1": user, "in2": password}


def require_no_fault(reply: str | PlatformFault) -> str:
    """Return the message text of a reply that is no fault.

    Raises:
        DepartmentFailed: PROVIDER_FAULT.
    """
    if isinstance(reply, PlatformFault):
        raise platform_failure(reply.code)
    return reply
