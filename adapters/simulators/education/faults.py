"""The closed list of faults of the education simulator (docs/adapters/education.md, section 9)."""

from enum import StrEnum
from typing import Final

from adapters.simulators.spoil import Spoil


class Fault(StrEnum):
    """One way in which the department fails."""

    TOKENS_EXPIRED = "token_expired"
    JWKS_ROTATED = "jwks_rotated"
    CLIENT_KEY_EXPIRED = "client_key_expired"
    CLIENT_KEY_ROTATED = "client_key_rotated"
    RATE_LIMITED = "rate_limited"
    SLOW_POLL = "slow_poll"
    HANG = "hang"
    SERVER_ERROR = "server_error"
    HALF_BODY = "half_body"
    HTML_PAGE = "html_page"
    GBK_BODY = "gbk_body"
    EMPTY_BODY = "empty_body"
    OTHER_PERSON = "other_person"
    EVERY_FIELD = "every_field"
    DEGREE_REVOKED = "degree_revoked"
    REVOCATION_CONTRADICTS = "revocation_contradicts"
    RECORD_CANCELLED = "record_cancelled"
    EMPTY_MANDATORY = "empty_mandatory"
    OVERSIZED_BODY = "oversized_body"
    MANY_RECORDS = "many_records"
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
