"""Why an answer of a department told nothing, closer than the reason a requester is given.

A closed list for those who run a department's end. No requester and no entry of the log sees it:
a reason says what he may do next, a cause what has to be mended, and where.
INVARIANT: a cause is a word of this list; neither it nor its detail is taken from an answer.
"""

from enum import StrEnum, unique


@unique
class Cause(StrEnum):
    """What went wrong between us and a department; names never change their meaning."""

    # The connection and HTTP.
    CONNECTION_FAILED = "CONNECTION_FAILED"
    ANSWER_LATE = "ANSWER_LATE"
    BREAKER_OPEN = "BREAKER_OPEN"
    HTTP_BROKEN = "HTTP_BROKEN"
    BODY_CUT_SHORT = "BODY_CUT_SHORT"
    BODY_EMPTY = "BODY_EMPTY"
    BODY_TOO_LARGE = "BODY_TOO_LARGE"
    MEDIA_TYPE = "MEDIA_TYPE"
    REDIRECTED = "REDIRECTED"
    STATUS_UNAVAILABLE = "STATUS_UNAVAILABLE"
    STATUS_FAULT = "STATUS_FAULT"
    RATE_LIMITED = "RATE_LIMITED"
    # The form of a message.
    NOT_UTF8 = "NOT_UTF8"
    NOT_JSON = "NOT_JSON"
    NOT_XML = "NOT_XML"
    XML_DOCUMENT_TYPE = "XML_DOCUMENT_TYPE"
    NOT_SOAP = "NOT_SOAP"
    NOT_BASE64 = "NOT_BASE64"
    MEMBER_FORM = "MEMBER_FORM"
    DATE_FORM = "DATE_FORM"
    IDENTIFIER_FORM = "IDENTIFIER_FORM"
    RECORD_COUNT = "RECORD_COUNT"
    RECORD_MISSING = "RECORD_MISSING"
    RECORDS_CONTRADICT = "RECORDS_CONTRADICT"
    FORM = "FORM"
    # What a message says.
    IDENTITY_REFUSED = "IDENTITY_REFUSED"
    TOKEN_REFUSED = "TOKEN_REFUSED"  # noqa: S105  a word of the list, no token
    CLOCK_APART = "CLOCK_APART"
    OTHER_PERSON = "OTHER_PERSON"
    OTHER_REQUEST = "OTHER_REQUEST"
    CODE_UNKNOWN = "CODE_UNKNOWN"
    CODE_BUSY = "CODE_BUSY"
    CODE_REFUSED = "CODE_REFUSED"
