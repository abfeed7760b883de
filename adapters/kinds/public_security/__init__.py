"""Population register over SOAP 1.1 behind the share gateway (docs/adapters/public_security.md)."""

from adapters.kinds.public_security.adapter import DATASETS, PublicSecurityAdapter
from adapters.kinds.public_security.identity import ServiceIdentity
from adapters.kinds.public_security.kind import KIND

__all__ = ["DATASETS", "KIND", "PublicSecurityAdapter", "ServiceIdentity"]
