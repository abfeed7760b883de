"""Certificates of death over SOAP 1.1 with base64 messages (docs/adapters/health.md)."""

from adapters.kinds.health.adapter import DATASETS, HealthAdapter
from adapters.kinds.health.identity import HealthIdentity
from adapters.kinds.health.kind import KIND

__all__ = ["DATASETS", "KIND", "HealthAdapter", "HealthIdentity"]
