"""The closed list of faults of the commerce simulator (docs/adapters/commerce.md, section 11)."""

from enum import StrEnum
from typing import Final

from adapters.simulators.spoil import Spoil


class Fault(StrEnum):
    """One way in which the department fails."""

    DATES_SWAPPED = "dates_swapped"
    UNKNOWN_STATE = "unknown_state"
    OUT_VAL_LEAK = "out_val_leak"
    REVOKED_NOT_CANCELLED = "revoked_not_cancelled"
    SCHEMA_DRIFT = "schema_drift"
    MISSING_FIELD = "missing_field"
    OTHER_ENTITY = "other_entity"
    EVERY_FIELD = "every_field"
    MANY_RECORDS = "many_records"
    NUMBER_CODE = "number_code"
    NAME_EMPTY = "name_empty"
    CHANGES_REPEATED = "changes_repeated"
    CURSOR_EXPIRED = "cursor_expired"
    WEBHOOK_BAD_SIGNATURE = "webhook_bad_signature"
    WEBHOOK_DUPLICATE = "webhook_duplicate"
    WEBHOOK_OLD_TIMESTAMP = "webhook_old_timestamp"
    CLOCK_SKEW = "clock_skew"
    RATE_LIMITED = "rate_limited"
    SERVER_ERROR = "server_error"
    OVERSIZED_BODY = "oversized_body"
    HANG = "hang"
    HALF_BODY = "half_body"
    HTML_PAGE = "html_page"
    GBK_BODY = "gbk_body"
    EMPTY_BODY = "empty_body"
    REDIRECT = "redirect"


SPOILS: Final = {
    Fault.HANG: Spoil.HANG,
    Fault.HALF_BODY: Spoil.HALF_BODY,
    Fault.HTML_PAGE: Spoil.HTML_PAGE,
    Fault.GBK_BODY: Spoil.GBK_BODY,
    Fault.EMPTY_BODY: Spoil.EMPTY_BODY,
    Fault.REDIRECT: Spoil.REDIRECT,
}
"""Faults below the dialect."""
