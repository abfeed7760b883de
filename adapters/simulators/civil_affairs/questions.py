"""Reads what is asked: the services and the members of `biz_content` (the manual, 3.3)."""

import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from adapters.simulators.population.identity import is_identity_number

PAGE_LIMIT: Final = 100
"""Rows of one page at most."""
_NAME_LIMIT: Final = 60
_CODE_LIMIT: Final = 64
_START_DIGITS: Final = 6


class Service(StrEnum):
    """One service; the value stands in the path."""

    MARRIAGE_ONE = "marriage_one"
    MARRIAGE_BOTH = "marriage_both"
    MARRIAGE_RECORD = "marriage_record"
    CREMATION = "cremation"
    LOW_INCOME = "low_income"
    ADOPTION = "adoption"
    NEEDY_CHILD = "needy_child"


# Name and number members, in pairs: the person asked about first.
_ASKED: Final = {
    Service.MARRIAGE_ONE: (("name_man", "cert_num_man"),),
    Service.MARRIAGE_BOTH: (("name_man", "cert_num_man"), ("name_woman", "cert_num_woman")),
    Service.MARRIAGE_RECORD: (("name_man", "cert_num_man"),),
    Service.CREMATION: (("name", "id_card"),),
    Service.LOW_INCOME: (("name", "id_card"),),
    Service.ADOPTION: (("baby_name", "baby_cert_num"),),
    Service.NEEDY_CHILD: (("child_name", "child_idcard"),),
}
VERIFYING: Final = frozenset({Service.MARRIAGE_ONE, Service.MARRIAGE_BOTH})
"""Services that answer `result`; the others answer `rows` by page."""


class BadQuestion(Exception):
    """`biz_content` is not what the service takes: inner code 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Who is asked about, as (name, number), and which page."""

    asked: tuple[tuple[str, str], ...] = field(repr=False)
    start: int
    limit: int


def parse_question(service: Service, biz_content: str) -> Question:
    """Read the members of a question.

    Raises:
        BadQuestion: for anything but exactly the documented members.
    """
    pairs = _ASKED[service]
    expected = {member for pair in pairs for member in pair} | {"item_code", "case_no"}
    if service not in VERIFYING:
        expected |= {"start", "limit"}
    members = _parse_members(biz_content, expected)
    _require_length(members["item_code"], _CODE_LIMIT)
    _require_length(members["case_no"], _CODE_LIMIT)
    for name, number in pairs:
        _require_length(members[name], _NAME_LIMIT)
        if not is_identity_number(members[number]):
            raise BadQuestion
    return Question(
        asked=tuple((members[name], members[number]) for name, number in pairs),
        start=_parse_number(members.get("start", "0"), 10**_START_DIGITS - 1),
        limit=_parse_number(members.get("limit", "1"), PAGE_LIMIT, least=1),
    )


def _parse_members(biz_content: str, expected: set[str]) -> dict[str, str]:
    try:
        parsed = json.loads(biz_content)
    except (ValueError, RecursionError) as cause:
        raise BadQuestion from cause
    # Exactly these members: a typing error must not become a wider question.
    if not isinstance(parsed, dict) or parsed.keys() != expected:
        raise BadQuestion
    if not all(isinstance(value, str) for value in parsed.values()):
        raise BadQuestion
    return parsed


def _require_length(text: str, most: int) -> None:
    if not 0 < len(text) <= most:
        raise BadQuestion


def _parse_number(text: str, most: int, *, least: int = 0) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _START_DIGITS):
        raise BadQuestion
    number = int(text)
    # One spelling per number: no leading zeros.
    if str(number) != text or not least <= number <= most:
        raise BadQuestion
    return number
