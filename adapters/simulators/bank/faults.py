"""The closed list of faults of the bank simulator (its manual, section 8)."""

from enum import StrEnum
from typing import Final

from adapters.simulators.spoil import Spoil


class Fault(StrEnum):
    """One way in which the front fails."""

    MISSING_ORGNL_ID = "missing_orgnl_id"
    MISSING_REPORT = "missing_report"
    DUPLICATE_REPORT = "duplicate_report"
    OUT_OF_ORDER = "out_of_order"
    DUPLICATE_MSG_ID = "duplicate_msg_id"
    SIGNATURE_WRONG = "signature_wrong"
    SIGNATURE_OTHER_KEY = "signature_other_key"
    SIGNATURE_MISSING = "signature_missing"
    SIGNATURE_WRAPPED = "signature_wrapped"
    ACCOUNT_CLOSED = "account_closed"
    ACCOUNT_BLOCKED = "account_blocked"
    ITEM_BUSY = "item_busy"
    ITEM_QUOTA = "item_quota"
    BUSY = "busy"
    QUOTA = "quota"
    OTHER_REQUEST = "other_request"
    OTHER_PERSON = "other_person"
    SLOW_REPLY = "slow_reply"
    LATE_ACCEPT = "late_accept"
    LATE_ANSWER = "late_answer"
    ENTITY_BOMB = "entity_bomb"
    EXTERNAL_ENTITY = "external_entity"
    GBK_BODY = "gbk_body"
    HTML_PAGE = "html_page"
    HALF_BODY = "half_body"
    EMPTY_BODY = "empty_body"
    HANG = "hang"
    SERVER_ERROR = "server_error"
    REDIRECT = "redirect"
    OVERSIZED_BODY = "oversized_body"


SPOILS: Final = {
    Fault.GBK_BODY: Spoil.GBK_BODY,
    Fault.HTML_PAGE: Spoil.HTML_PAGE,
    Fault.HALF_BODY: Spoil.HALF_BODY,
    Fault.EMPTY_BODY: Spoil.EMPTY_BODY,
    Fault.HANG: Spoil.HANG,
    Fault.SERVER_ERROR: Spoil.SERVER_ERROR,
    Fault.REDIRECT: Spoil.REDIRECT,
}
"""Faults below the dialect."""
