"""What each code of the tax department means: records, packages, members (docs/adapters/tax.md).

INVARIANT: a code that stands in no table is never NO: it is INDETERMINATE, no value, or malformed
where the manual closes the list.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from adapters.port import Finding, Indeterminate

HELD: Final = "0000"
ABSENT: Final = "1001"
EMPTY: Final = "1003"
"""Person and name agree, and nothing is recorded of what was asked."""
RECORD_FAILURES: Final[Mapping[str, Indeterminate]] = MappingProxyType(
    {
        # Another name, or two people of one number: nothing of either is told.
        "1002": Indeterminate.SUBJECT_UNRESOLVED,
        "1004": Indeterminate.SUBJECT_UNRESOLVED,
        "1005": Indeterminate.QUESTION_REJECTED,
        "1006": Indeterminate.PROVIDER_FAULT,
    }
)
"""Section 6: codes of a record that tell nothing; the list is closed."""

ACCEPTED: Final = "00000000"
REFUSALS: Final[Mapping[str, bool]] = MappingProxyType(
    {
        "90000001": False,
        "90000002": False,
        "90000003": False,
        "90000004": True,
        "90000005": True,
        "90000006": False,
        "90000007": False,
        "90000008": False,
        "99999999": True,
    }
)
"""Section 5: codes of a refused package, and whether the same package may be put once more."""
UNREADABLE: Final = frozenset({"90000001", "90000004", "90000008"})
"""Refusals of what could not be read: they repeat nothing of the request but its `tranSeq`."""

YES_NO: Final[Mapping[str, Finding]] = MappingProxyType({"Y": Finding.YES, "N": Finding.NO})
"""`QSBZ` and `XWQYBZ`; another code is INDETERMINATE."""
INSURANCE_KINDS: Final = frozenset({"110", "170", "210", "310", "410"})
PAID: Final = "1"
REFUNDED: Final = "3"
WAGES: Final = "0101"
INCOME_ITEMS: Final = frozenset({WAGES, "0400"})
INCOME_BANDS: Final = frozenset({"B1", "B2", "B3", "B4", "B5"})
CREDIT_GRADES: Final = frozenset({"A", "B", "M", "C", "D"})
TAXPAYER_STATE: Final = re.compile(r"[0-9]{2}")
"""States are passed on as they are, also those the manual does not list (section 6.3)."""
SOLE_TRADER: Final = "92"
"""First digits of those who are not graded (GB 32100, 5.2)."""
