"""The tax department: packages of questions dropped by SFTP, answered later."""

from adapters.kinds.tax.adapter import TaxAdapter
from adapters.kinds.tax.kind import KIND

__all__ = ["KIND", "TaxAdapter"]
