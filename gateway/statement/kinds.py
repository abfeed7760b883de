"""The kinds of question, and how the payload of each is read."""

from collections.abc import Callable
from enum import StrEnum
from functools import partial
from typing import assert_never

from gateway.statement.request import (
    EXCHANGE_STATEMENT,
    MATTER_STATEMENT,
    RESULT_STATEMENT,
    parse_exchange,
    parse_header,
    parse_matter,
    parse_payload,
    parse_result,
)
from gateway.statement.values import Header, Statement


class QuestionKind(StrEnum):
    """What a requester signs when it asks about a subject."""

    EXCHANGE = "EXCHANGE"
    MATTER = "MATTER"
    RESULT = "RESULT"


def parse_question(kind: QuestionKind, payload: bytes) -> tuple[Header, Callable[[int], Statement]]:
    """Return the header of a question, and what reads the rest at a time (UTC, milliseconds).

    Raises:
        Refusal: `STATEMENT_MALFORMED`; the second part besides `SUBJECT_INVALID`, `QUERY_INVALID`.
    """
    # In two parts, because the header is judged (step 3) before the statement (step 4).
    match kind:
        case QuestionKind.EXCHANGE:
            exchange = parse_payload(payload, EXCHANGE_STATEMENT)
            header = parse_header(exchange)
            return header, partial(parse_exchange, exchange, header)
        case QuestionKind.MATTER:
            matter = parse_payload(payload, MATTER_STATEMENT)
            header = parse_header(matter)
            return header, partial(parse_matter, matter, header)
        case QuestionKind.RESULT:
            result = parse_payload(payload, RESULT_STATEMENT)
            header = parse_header(result)
            return header, partial(parse_result, result, header)
        case _:
            assert_never(kind)
