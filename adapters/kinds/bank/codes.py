"""What each code of the banks means; one table per message (docs/adapters/bank.md 4.2, 5, 6).

INVARIANT: a code that is not listed is never NO: of a verification it is INDETERMINATE, of a
message it is a fault.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from adapters.causes import Cause
from adapters.port import Finding, Indeterminate

_YES, _NO = Finding.YES, Finding.NO
_UNSURE, _NONE, _ERROR = Finding.INDETERMINATE, Finding.NOT_APPLICABLE, Finding.ERROR


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a verification found, in the fields of `bk.account_verify`."""

    name_match: Finding
    id_match: Finding
    account_usable: Finding
    reason: str | None = None
    counted: bool = True
    """Whether the bank counts it against the account's checks of the day."""


def _all(finding: Finding, *, counted: bool = True) -> Verdict:
    return Verdict(name_match=finding, id_match=finding, account_usable=finding, counted=counted)


def _holder(name_match: Finding, id_match: Finding) -> Verdict:
    # Of somebody else's account nothing is told, least of all whether it can be used.
    return Verdict(name_match=name_match, id_match=id_match, account_usable=_UNSURE)


def _unusable(reason: str) -> Verdict:
    return Verdict(name_match=_YES, id_match=_YES, account_usable=_NO, reason=reason)


VERIFIED: Final = Verdict(name_match=_YES, id_match=_YES, account_usable=_YES)
"""`Vrfctn` is true."""
UNKNOWN: Final = _all(_UNSURE)
"""A reason nobody agreed on."""
ASKERS_ERROR: Final = _all(_ERROR, counted=False)
"""A number that can be none: the asker's input, and nothing of the account."""
NOTHING_NAMED: Final = _all(_NONE, counted=False)
"""No account was named, so there is nothing to verify."""

REASONS: Final[Mapping[tuple[str, str], Verdict | Indeterminate]] = MappingProxyType(
    {
        ("Prtry", "ID_FORMAT"): ASKERS_ERROR,
        ("Prtry", "CARD_FORMAT"): ASKERS_ERROR,
        ("Prtry", "BANK_UNKNOWN"): ASKERS_ERROR,
        ("Prtry", "QUOTA"): Indeterminate.PROVIDER_QUOTA,
        ("Prtry", "BUSY"): Indeterminate.PROVIDER_TIMEOUT,
        ("Cd", "AC01"): Verdict(
            name_match=_NONE, id_match=_NONE, account_usable=_NO, reason="not_found"
        ),
        ("Prtry", "HOLDER_MISMATCH"): _holder(_NO, _NO),
        ("Prtry", "NAME_MISMATCH"): _holder(_NO, _YES),
        ("Prtry", "ID_MISMATCH"): _holder(_YES, _NO),
        ("Cd", "AC04"): _unusable("closed"),
        ("Cd", "AC06"): _unusable("frozen"),
        ("Prtry", "LOST"): _unusable("lost"),
        ("Prtry", "DORMANT"): _unusable("dormant"),
    }
)
"""`Rsn` of a `Vrfctn` that is false, by the form it is written in; in the bank's order."""

FOUND: Final = "FOUND"
NOT_FOUND: Final = "NONE"
BAD_INPUT: Final = "BAD_INPUT"
BUSY: Final = "BUSY"
QUERY_FAILURES: Final[Mapping[str, Indeterminate]] = MappingProxyType(
    {
        # Number and name disagree, or several people bear both: nothing of either is provided,
        # which is neither "no value" nor "no".
        "MISMATCH": Indeterminate.SUBJECT_UNRESOLVED,
        "AMBIGUOUS": Indeterminate.SUBJECT_UNRESOLVED,
        BUSY: Indeterminate.PROVIDER_TIMEOUT,
    }
)
"""`Cd` of a query that tells nothing of anybody."""

ACTIVATED: Final[Mapping[str, Finding]] = MappingProxyType({"true": _YES, "false": _NO})
RESULTS: Final[Mapping[str, str]] = MappingProxyType(
    {"ACSC": "成功", "RJCT": "退票", "PDNG": "处理中"}
)
RETURNED: Final = "RJCT"
"""The one `TxSts` that has a reason."""
RETURN_REASONS: Final = frozenset({"AC01", "AC04", "AC06", "BE01"})

UNKNOWN_MESSAGE: Final = "MSG01"
"""Nothing was accepted under the id that is fetched."""
USED_MESSAGE: Final = "DUP01"
"""The id was accepted before: its report can be fetched (status 409)."""
REJECTIONS: Final[Mapping[str, Indeterminate]] = MappingProxyType(
    {
        "LIM02": Indeterminate.PROVIDER_FAULT,
        "PTY01": Indeterminate.PROVIDER_FAULT,
        "BSY01": Indeterminate.PROVIDER_UNAVAILABLE,
        "QTA01": Indeterminate.PROVIDER_QUOTA,
        UNKNOWN_MESSAGE: Indeterminate.PROVIDER_FAULT,
        "MED01": Indeterminate.PROVIDER_FAULT,
        "XML01": Indeterminate.PROVIDER_FAULT,
        "XSD01": Indeterminate.PROVIDER_FAULT,
        "SIG01": Indeterminate.PROVIDER_FAULT,
        "HDR01": Indeterminate.PROVIDER_FAULT,
        # Tells operators that a clock is wrong.
        "TIM01": Indeterminate.PROVIDER_FAULT,
        "PRF01": Indeterminate.PROVIDER_FAULT,
        "LIM01": Indeterminate.PROVIDER_FAULT,
        USED_MESSAGE: Indeterminate.PROVIDER_FAULT,
    }
)
"""`Cd` of a message that was not accepted: ours to mend, never the requester's."""
REJECTION_CAUSES: Final[Mapping[str, Cause]] = MappingProxyType(
    {
        "PTY01": Cause.IDENTITY_REFUSED,
        "SIG01": Cause.IDENTITY_REFUSED,
        "TIM01": Cause.CLOCK_APART,
        "BSY01": Cause.CODE_BUSY,
        "QTA01": Cause.RATE_LIMITED,
    }
)
"""Whose side a rejection lies on; the others refuse the message."""
