"""The closed list of faults of the REST face (docs/adapters/civil_affairs.md, section 5)."""

from enum import StrEnum
from typing import Final

from adapters.simulators.spoil import Spoil


class Fault(StrEnum):
    """One way in which the department fails."""

    PLATFORM_FAILED = "platform_failed"
    CLOCK_SKEW = "clock_skew"
    REGISTER_BUSY = "register_busy"
    NO_MATCH = "no_match"
    OTHER_PERSON = "other_person"
    OTHER_REQUEST = "other_request"
    BAD_SIGN = "bad_sign"
    OLD_NUMBERS = "old_numbers"
    NAME_VARIANTS = "name_variants"
    EMPTY_FIELD = "empty_field"
    UNKNOWN_CODE = "unknown_code"
    MANY_ROWS = "many_rows"
    COUNT_MISMATCH = "count_mismatch"
    PAGE_REPEATS = "page_repeats"
    EVERY_FIELD = "every_field"
    HANG = "hang"
    SERVER_ERROR = "server_error"
    HALF_BODY = "half_body"
    HTML_PAGE = "html_page"
    GBK_BODY = "gbk_body"
    EMPTY_BODY = "empty_body"
    OVERSIZED_BODY = "oversized_body"
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
