"""The closed list of faults of the platform (docs/adapters/national.md, section 9)."""

from enum import StrEnum
from typing import Final

from adapters.simulators.spoil import Spoil


class Fault(StrEnum):
    """One way in which the platform fails."""

    PLATFORM_FAILED = "platform_failed"
    SECRET_EXPIRED = "secret_expired"  # noqa: S105 - the name of a fault
    BAD_SECRET = "bad_secret"  # noqa: S105 - the same
    NOT_AUTHORISED = "not_authorised"
    CLOCK_SKEW = "clock_skew"
    UNKNOWN_CODE = "unknown_code"
    NO_MARK = "no_mark"
    WRONG_RID = "wrong_rid"
    REWRAPPED_BODY = "rewrapped_body"
    INNER_FAILED = "inner_failed"
    OUTER_FAILED = "outer_failed"
    BAD_SIGN = "bad_sign"
    TWO_RESULTS = "two_results"
    HANG = "hang"
    SERVER_ERROR = "server_error"
    HALF_BODY = "half_body"
    HTML_PAGE = "html_page"
    GBK_BODY = "gbk_body"
    EMPTY_BODY = "empty_body"
    REDIRECT = "redirect"


SPOILS: Final = {
    Fault.HANG: Spoil.HANG,
    Fault.SERVER_ERROR: Spoil.SERVER_ERROR,
    Fault.HALF_BODY: Spoil.HALF_BODY,
    Fault.HTML_PAGE: Spoil.HTML_PAGE,
    Fault.GBK_BODY: Spoil.GBK_BODY,
    Fault.EMPTY_BODY: Spoil.EMPTY_BODY,
    Fault.REDIRECT: Spoil.REDIRECT,
}
"""Faults below the dialect."""
