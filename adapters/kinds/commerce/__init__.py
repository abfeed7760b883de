"""Enterprises, sole traders and positions over signed REST (docs/adapters/commerce.md)."""

from adapters.kinds.commerce.adapter import DATASETS, CommerceAdapter
from adapters.kinds.commerce.kind import KIND
from adapters.kinds.commerce.signature import ApiKey

__all__ = ["DATASETS", "KIND", "ApiKey", "CommerceAdapter"]
