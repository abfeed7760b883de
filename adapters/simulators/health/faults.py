"""The closed list of faults of the health simulator (its manual, section 8)."""

from enum import StrEnum
from typing import Final

from adapters.simulators.spoil import Spoil


class Fault(StrEnum):
    """One way in which the department fails."""

    SOAP_FAULT = "soap_fault"
    NOT_SUCCESS = "not_success"
    UNKNOWN_CODE = "unknown_code"
    CLOCK_SKEW = "clock_skew"
    SEVERAL_ROWS = "several_rows"
    TWO_VALID_ROWS = "two_valid_rows"
    ONLY_VOID = "only_void"
    BAD_DATE = "bad_date"
    OTHER_PERSON = "other_person"
    MIXED_PERSONS = "mixed_persons"
    MANY_ROWS = "many_rows"
    EVERY_FIELD = "every_field"
    BAD_BASE64 = "bad_base64"
    GBK_TEXT = "gbk_text"
    ENTITY_BOMB = "entity_bomb"
    ENTITY_BOMB_INNER = "entity_bomb_inner"
    EXTERNAL_ENTITY = "external_entity"
    EXTERNAL_ENTITY_INNER = "external_entity_inner"
    HTML_PAGE = "html_page"
    HALF_BODY = "half_body"
    EMPTY_BODY = "empty_body"
    HANG = "hang"
    SERVER_ERROR = "server_error"
    OVERSIZED_BODY = "oversized_body"


SPOILS: Final = {
    Fault.HTML_PAGE: Spoil.HTML_PAGE,
    Fault.HALF_BODY: Spoil.HALF_BODY,
    Fault.EMPTY_BODY: Spoil.EMPTY_BODY,
    Fault.HANG: Spoil.HANG,
    Fault.SERVER_ERROR: Spoil.SERVER_ERROR,
}
"""Faults below the dialect."""
