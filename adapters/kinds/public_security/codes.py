"""What each code of the population register means; all there are.

Knows no message. The lists stand in docs/adapters/public_security.md 1.3, 3.2 and 3.3.
INVARIANT: what stands in no table here is never read as NO and never told.
"""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from adapters.port import Finding, Indeterminate

KEY_UNKNOWN: Final = "E-104"
TRY_AGAIN: Final = frozenset({"-1", "E-103", KEY_UNKNOWN})
"""Platform codes after which the same question may be put again with a new request id."""
PLATFORM_CODES: Final = TRY_AGAIN | {"E-101", "E-102", "E-105", "E-106"}
"""All codes of the platform; E-102 tells operators that a clock is wrong."""

HEAD_OK: Final = "10"
HEAD_CODES: Final[Mapping[str, Indeterminate]] = MappingProxyType(
    {
        "20": Indeterminate.PROVIDER_FAULT,
        "21": Indeterminate.PROVIDER_FAULT,
        # The officer or the call reason: the requester's organisation stated them.
        "22": Indeterminate.QUESTION_REJECTED,
        "23": Indeterminate.PROVIDER_FAULT,
        "24": Indeterminate.PROVIDER_FAULT,
        "25": Indeterminate.PROVIDER_FAULT,
        "30": Indeterminate.PROVIDER_UNAVAILABLE,
    }
)
"""What each head code means for every record of the package; `10` means: look at the records."""

RECORD_OK: Final = "10"
RECORD_ABSENT: Final = "11"
RECORD_FINDINGS: Final[Mapping[str, Finding]] = MappingProxyType({"12": Finding.ERROR})
"""What a record code means for the dataset's predicates."""
RECORD_FAILURES: Final[Mapping[str, Indeterminate]] = MappingProxyType(
    {
        # Name and number disagree, or two people bear the number: nothing of either is provided,
        # which is neither "no value" nor "no".
        "13": Indeterminate.SUBJECT_UNRESOLVED,
        "14": Indeterminate.SUBJECT_UNRESOLVED,
        "15": Indeterminate.PROVIDER_TIMEOUT,
    }
)
PORTRAIT_FINDINGS: Final[Mapping[str, Finding]] = MappingProxyType(
    {
        **RECORD_FINDINGS,
        # Nothing is on file to compare with, as of a child without an identity card.
        "17": Finding.INDETERMINATE,
        # No portrait was taken under this digest, or too long ago: the asker's claim is none.
        "19": Finding.ERROR,
    }
)
"""The same for the comparison of portraits, which alone can get the codes from 16."""
PORTRAIT_FAILURES: Final[Mapping[str, Indeterminate]] = MappingProxyType(
    {
        **RECORD_FAILURES,
        # The consent stands in the case the requester named.
        "16": Indeterminate.QUESTION_REJECTED,
        # The version is ours: no requester could mend it.
        "18": Indeterminate.PROVIDER_FAULT,
    }
)

YES_NO: Final[Mapping[str, Finding]] = MappingProxyType({"1": Finding.YES, "0": Finding.NO})
RELATION: Final[Mapping[str, Finding]] = MappingProxyType(
    {"1": Finding.YES, "0": Finding.NO, "9": Finding.INDETERMINATE}
)

# What each code of the register is in the catalog; an unlisted code is no value.
PERSON_STATES: Final = MappingProxyType({"0": "正常", "1": "注销", "2": "迁出", "3": "注销"})
CANCEL_REASONS: Final = MappingProxyType({"1": "死亡", "2": "出国定居", "9": "其他"})
SEXES: Final = MappingProxyType({code: code for code in ("0", "1", "2", "9")})


class Band(StrEnum):
    """How alike two portraits are, as the catalog tells it."""

    HIGH = "high"
    MID = "mid"
    LOW = "low"


TEMPLATE_VERSION: Final = "RX-2024-1"
"""The version of the portrait templates this interface speaks of: `MBBB`."""

BANDS: Final = ((Decimal(80), Band.HIGH), (Decimal(60), Band.MID), (Decimal(0), Band.LOW))
"""The least score of each band, the highest band first."""

PORTRAITS: Final[Mapping[tuple[str, Band], Finding]] = MappingProxyType(
    {
        ("1", Band.HIGH): Finding.YES,
        # Said to be the same and not very alike: a person has to look.
        ("1", Band.MID): Finding.INDETERMINATE,
        ("1", Band.LOW): Finding.INDETERMINATE,
        # Said to be another and rather alike: nobody is turned away for that.
        ("0", Band.HIGH): Finding.INDETERMINATE,
        ("0", Band.MID): Finding.INDETERMINATE,
        ("0", Band.LOW): Finding.NO,
        ("9", Band.HIGH): Finding.INDETERMINATE,
        ("9", Band.MID): Finding.INDETERMINATE,
        ("9", Band.LOW): Finding.INDETERMINATE,
    }
)
"""Verdict and band → whether it is the same person; a verdict that stands nowhere tells nothing."""
