"""Banks of social security cards, ISO 20022 over mutual TLS (docs/adapters/bank.md)."""

from adapters.kinds.bank.adapter import DATASETS, BankAdapter
from adapters.kinds.bank.front import FrontIdentity
from adapters.kinds.bank.kind import KIND

__all__ = ["DATASETS", "KIND", "BankAdapter", "FrontIdentity"]
