"""Every code of civil affairs and what it means to us (docs/adapters/civil_affairs.md 2 to 4).

INVARIANT: a code that is not listed is never NO: the answer that holds it is not of this interface,
and whoever reads it raises `AnswerMalformed`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, TypeVar

from adapters.causes import Cause
from adapters.errors import AnswerMalformed
from adapters.port import Finding, Indeterminate

Meaning = TypeVar("Meaning")

# Two layers, two conventions: the platform says "1" where the register behind it says "0".
OUTER_OK: Final = "1"
INNER_OK: Final = "0"
INNER_STATUS_OK: Final = "success"

OUTER_FAILURES: Final[Mapping[str, Indeterminate]] = MappingProxyType(
    dict.fromkeys(
        (
            *("-1", "E-101", "E-102", "E-103", "E-105", "E-106"),
            *("E-107", "E-108", "E-109", "E-110"),
        ),
        Indeterminate.PROVIDER_FAULT,
    )
)
"""What refuses before the register is asked: configuration, clock, or the platform itself."""
OUTER_CAUSES: Final[Mapping[str, Cause]] = MappingProxyType(
    {
        "-1": Cause.CODE_BUSY,
        "E-101": Cause.IDENTITY_REFUSED,
        "E-102": Cause.CLOCK_APART,
        "E-106": Cause.IDENTITY_REFUSED,
        "E-107": Cause.IDENTITY_REFUSED,
        # Also a form of another shape, which ours is not: what is left is the access key.
        "E-108": Cause.IDENTITY_REFUSED,
        "E-109": Cause.CLOCK_APART,
    }
)
"""Whose side a refusal lies on, for those who run the department's end."""
INNER_FAILURES: Final[Mapping[str, Indeterminate]] = MappingProxyType(
    {"1": Indeterminate.QUESTION_REJECTED, "9": Indeterminate.PROVIDER_UNAVAILABLE}
)
OUTER_AGAIN: Final = frozenset({"-1", "E-103"})
"""After these the same question may be put again with a new request id."""
INNER_AGAIN: Final = frozenset({"9"})
CLOCK_CODES: Final = frozenset({"E-102", "E-109"})
"""Ours and the platform's clock disagree: an operator has to look."""

SQLSTATES: Final[Mapping[str, Indeterminate]] = MappingProxyType(
    {
        "55P03": Indeterminate.PROVIDER_TIMEOUT,  # a locked view, past our lock_timeout
        "57014": Indeterminate.PROVIDER_TIMEOUT,  # past our statement_timeout
        "25006": Indeterminate.PROVIDER_FAULT,
        "28000": Indeterminate.PROVIDER_FAULT,
        "28P01": Indeterminate.PROVIDER_FAULT,
        "42501": Indeterminate.PROVIDER_FAULT,  # SELECT was taken away
        "42703": Indeterminate.PROVIDER_FAULT,  # a column is no longer there
        "42P01": Indeterminate.PROVIDER_FAULT,  # nor is the view
        "53300": Indeterminate.PROVIDER_UNAVAILABLE,  # more than four connections
    }
)
"""Any other state: the database cannot serve us now."""

NO_MATCH: Final = "匹配不成功"
"""`op_type_desc` of a success that found nothing: which of nobody, another name, or no such couple
it was is not told, and none of them is single."""

OPERATIONS: Final[Mapping[str, str]] = MappingProxyType(
    {"1": "结婚", "2": "离婚", "3": "补领", "4": "补领", "5": "撤销"}
)
MARRYING: Final = frozenset({"1", "3"})
"""Operations after which the two are married."""
REGISTRATION_STATES: Final[Mapping[str, Finding]] = MappingProxyType(
    {"1": Finding.YES, "0": Finding.NO}
)
"""`reg_state`: whether a registration is the last of both."""
# 10 (never married) is not listed: a register of events cannot know it, and never says so.
MARITAL: Final[Mapping[str, str]] = MappingProxyType(
    {code: code for code in ("20", "22", "30", "40", "90")}
)

CATEGORIES: Final[Mapping[str, str]] = MappingProxyType({"1": "低保", "2": "特困", "3": "低边"})
# Whether who falls in the dates of a line receives: suspended is neither yes nor no.
ASSIST_STATES: Final[Mapping[str, Finding]] = MappingProxyType(
    {"1": Finding.YES, "2": Finding.INDETERMINATE, "3": Finding.NO}
)

ADOPTED: Final = "1"
CHILD_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {ADOPTED: "收养", "2": "孤儿", "3": "事实无人抚养"}
)
CHILD_OPERATIONS: Final[Mapping[str, bool]] = MappingProxyType({"1": True, "2": False})
"""`op_type` of a child: whether what is registered is in force from that day."""

ROW_STATES: Final[Mapping[str, bool]] = MappingProxyType({"1": True, "0": False})
"""`row_state`: whether a row of a view is in force."""


def look_up(table: Mapping[str, Meaning], code: str, what: str) -> Meaning:
    """Return what a code means.

    Raises:
        AnswerMalformed: The code is empty or not listed.
    """
    meaning = table.get(code)
    if meaning is None:
        raise AnswerMalformed(what)
    return meaning


def find_couple(op_type: str, reg_state: str) -> Finding:
    """Return whether the last registration of two people makes them a couple now.

    Raises:
        AnswerMalformed: A code is not listed.
    """
    look_up(OPERATIONS, op_type, "op_type")
    lasting = look_up(REGISTRATION_STATES, reg_state, "reg_state")
    return lasting if op_type in MARRYING else Finding.NO


def reason_of_sqlstate(state: str | None) -> Indeterminate:
    """Return why the database could not be read."""
    return SQLSTATES.get(state or "", Indeterminate.PROVIDER_UNAVAILABLE)
