"""A register that answers as told, and the questions it is asked."""

from collections.abc import Mapping
from dataclasses import replace

from aiohttp import web

from adapters.port import Effect, Query, Subject, SubjectType
from tests.adapters.asking import CLEAR, query_of
from tests.adapters.commerce.asking import (
    ACTIVE,
    ALL_VERIFY,
    CODE,
    COMPANY,
    ENTERPRISE,
    HOLDER,
    POSITIONS,
    TRADER,
    VERIFY,
)

VECTOR_MS = 1_793_491_200_000
"""20261101T000000Z."""
TRADER_SUBJECT = Subject(type=SubjectType.USCC, identifier=TRADER)
NAME = {"name": CLEAR}


class Register:
    """A register that answers as told and remembers what it was asked."""

    def __init__(self) -> None:
        """Answer nothing yet."""
        self.asked: list[tuple[str, str, bytes, Mapping[str, str]]] = []
        self.answers: list[web.Response] = []

    def answer(self, body: Mapping[str, object], status: int = 200) -> None:
        """Add an answer."""
        self.answers.append(web.json_response(dict(body), status=status))

    async def respond(self, request: web.Request) -> web.Response:
        """Answer a call."""
        content = await request.read()
        self.asked.append((request.method, request.path_qs, content, dict(request.headers)))
        return self.answers.pop(0)


def enterprise_query(subject: Subject = COMPANY, grants: Mapping[str, Effect] = NAME) -> Query:
    """Return the question of the page's vector."""
    query = query_of(ENTERPRISE, (subject.identifier, None), grants)
    return replace(
        query, subject=subject, matter="M5", case_number="case-0001", issued_at_ms=VECTOR_MS
    )


def verify_query(claims: Mapping[str, str], name: str | None = None) -> Query:
    """Return a question that verifies some claims."""
    query = query_of(VERIFY, (CODE, name), ALL_VERIFY, claims)
    return replace(query, subject=replace(COMPANY, full_name=name))


def reply(*records: object, code: str = "2000") -> dict[str, object]:
    """Return a body."""
    return {"code": code, "msg": "成功", "data": list(records)}


def positions_query(name: str | None = HOLDER.full_name) -> Query:
    """Return the question for a person's positions."""
    query = query_of(POSITIONS, (HOLDER.identifier, name), ACTIVE)
    return replace(query, subject=replace(HOLDER, full_name=name))
