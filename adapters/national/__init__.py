"""The national share platform as a way to a department (docs/adapters/national.md)."""

from adapters.national.build import open_transport
from adapters.national.transport import NationalTransport

__all__ = ["NationalTransport", "open_transport"]
