"""The closed list of faults of the public security simulator (its manual, section 5)."""

from enum import StrEnum
from typing import Final

from adapters.simulators.spoil import Spoil


class Fault(StrEnum):
    """One way in which the department fails."""

    SOAP_FAULT = "soap_fault"
    HEAD_NOT_OK = "head_not_ok"
    PARTIAL_RECORDS = "partial_records"
    OUT_OF_ORDER = "out_of_order"
    MISSING_RECORD = "missing_record"
    DUPLICATE_RECORD = "duplicate_record"
    PRIVATE_USE_NAME = "private_use_name"
    SECRETS_EXPIRED = "secret_expired"
    CLOCK_SKEW = "clock_skew"
    ENTITY_BOMB = "entity_bomb"
    ENTITY_BOMB_INNER = "entity_bomb_inner"
    EXTERNAL_ENTITY = "external_entity"
    EXTERNAL_ENTITY_INNER = "external_entity_inner"
    OTHER_PERSON = "other_person"
    OTHER_REQUEST = "other_request"
    EVERY_FIELD = "every_field"
    EMPTY_MANDATORY = "empty_mandatory"
    LOW_SCORE = "low_score"
    SCORE_MISSING = "score_missing"
    NO_PHOTO_ON_FILE = "no_photo_on_file"
    TEMPLATE_UNKNOWN = "template_unknown"
    CONSENT_REFUSED = "consent_refused"
    OTHER_PORTRAIT = "other_portrait"
    GBK_BODY = "gbk_body"
    HTML_PAGE = "html_page"
    HALF_BODY = "half_body"
    EMPTY_BODY = "empty_body"
    HANG = "hang"
    SERVER_ERROR = "server_error"
    OVERSIZED_BODY = "oversized_body"


SPOILS: Final = {
    Fault.GBK_BODY: Spoil.GBK_BODY,
    Fault.HTML_PAGE: Spoil.HTML_PAGE,
    Fault.HALF_BODY: Spoil.HALF_BODY,
    Fault.EMPTY_BODY: Spoil.EMPTY_BODY,
    Fault.HANG: Spoil.HANG,
    Fault.SERVER_ERROR: Spoil.SERVER_ERROR,
}
"""Faults below the dialect."""
