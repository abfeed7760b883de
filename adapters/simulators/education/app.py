"""The HTTP face of the education department: routes, tokens, answers."""

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final, assert_never
from uuid import UUID

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from adapters.simulators.education.faults import SPOILS, Fault
from adapters.simulators.education.jobs import KEPT_MS, Jobs
from adapters.simulators.education.questions import parse_question
from adapters.simulators.education.refusals import Refused, json_answer, refusal
from adapters.simulators.education.register import (
    NUMBER_MEMBERS,
    Found,
    Kind,
    Mismatch,
    Missing,
    Outcome,
    Register,
)
from adapters.simulators.education.token_endpoint import TokenEndpoint
from adapters.simulators.education.tokens import TokenMint
from adapters.simulators.faults import FaultBoard
from adapters.simulators.loopback import record_into, refuse_strangers
from adapters.simulators.recorder import Recorder
from adapters.simulators.spoil import OVERSIZED, spoil
from adapters.simulators.virtual_clock import VirtualClock

if TYPE_CHECKING:
    from adapters.simulators.education.shapes import Members

BODY_LIMIT: Final = 16 * 1024
"""Octets of a request (docs/adapters/education.md, section 1)."""

_PATHS: Final = {
    "diplomas": Kind.DIPLOMA,
    "degrees": Kind.DEGREE,
    "enrolments": Kind.ENROLMENT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Department:
    """Everything the face needs."""

    register: Register
    jobs: Jobs
    mint: TokenMint
    tokens: TokenEndpoint
    board: FaultBoard[Fault]
    clock: VirtualClock
    recorder: Recorder


def build_face(department: Department) -> web.Application:
    """Wire the routes."""
    face = web.Application(
        client_max_size=BODY_LIMIT,
        middlewares=[
            refuse_strangers,
            _answer_refusals,
            record_into(department.recorder, department.clock),
            _strike(department.board),
        ],
    )
    face.add_routes(
        [
            web.post("/oauth2/token", department.tokens.answer),
            web.get("/.well-known/jwks.json", _Pages(department).jwks),
            *_data_routes(_Pages(department)),
        ]
    )
    return face


def _data_routes(pages: "_Pages") -> list[web.RouteDef]:
    certificates = "{kind:diplomas|degrees}"
    return [
        web.post(f"/api/v1/{certificates}/verify", pages.verify),
        web.post("/api/v1/{kind:diplomas|degrees|enrolments}/query", pages.query),
        web.get(f"/api/v1/{certificates}/by-code/{{code}}", pages.query_by_code),
        web.get("/api/v1/jobs/{job}", pages.poll),
    ]


@web.middleware
async def _answer_refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn refusals into the department's JSON and echo the request id."""
    try:
        answer = await handler(request)
    except Refused as refused:
        answer = refusal(refused)
    except web.HTTPRequestEntityTooLarge:
        answer = refusal(Refused("EDU-4130"))
    except web.HTTPNotFound:
        answer = refusal(Refused("EDU-4041"))
    # A half-sent answer has its headers out already.
    if not answer.prepared and "X-Request-Id" in request.headers:
        answer.headers["X-Request-Id"] = request.headers["X-Request-Id"]
    return answer


def _strike(board: FaultBoard[Fault]) -> Middleware:
    """Build the middleware that lets the faults of the data interface strike."""

    @web.middleware
    async def strike(request: web.Request, handler: Handler) -> web.StreamResponse:
        # Token and key pages have faults of their own.
        if not request.path.startswith("/api/"):
            return await handler(request)
        if board.strikes(Fault.RATE_LIMITED):
            raise Refused("EDU-4290", {"Retry-After": "2"})
        if board.strikes(Fault.SERVER_ERROR):
            raise Refused("EDU-5000")
        if board.strikes(Fault.OVERSIZED_BODY):
            return json_answer({"result": "FOUND", "padding": "x" * OVERSIZED})
        struck = board.take(among=SPOILS.keys())
        return await (spoil(request, handler, SPOILS[struck]) if struck else handler(request))

    return strike


class _Pages:
    """The answers of the data interface."""

    def __init__(self, department: Department) -> None:
        self._department = department

    async def jwks(self, _request: web.Request) -> web.Response:
        """Publish the key that verifies tokens."""
        return web.json_response(self._department.mint.jwks())

    async def verify(self, request: web.Request) -> web.Response:
        """Compare name, number and certificate number."""
        kind, client_id = self._admit(request)
        question = parse_question(await _body(request), NUMBER_MEMBERS[kind])
        outcome = self._department.register.verify(kind, question)
        return self._answer(client_id, outcome, verifying=True)

    async def query(self, request: web.Request) -> web.Response:
        """Find the records of a person."""
        kind, client_id = self._admit(request)
        question = parse_question(await _body(request), None)
        outcome = self._department.register.query(kind, question)
        return self._answer(client_id, outcome, verifying=False)

    async def query_by_code(self, request: web.Request) -> web.Response:
        """Find the record of an online verification code."""
        kind, _ = self._admit(request)
        today = f"{self._department.clock.local():%Y%m%d}"
        found = self._department.register.query_by_code(kind, request.match_info["code"], today)
        return _tagged(request, _write_outcome(found, verifying=False))

    async def poll(self, request: web.Request) -> web.Response:
        """Tell whether a verification by hand is done."""
        client_id = self._require_token(request)[0]
        job_id = request.match_info["job"]
        job = self._department.jobs.find(job_id, client_id)
        if job is None:
            raise Refused("EDU-4041")
        now_ms = self._department.clock.now_ms()
        if now_ms > job.ready_ms + KEPT_MS:
            raise Refused("EDU-4100")
        # Asked on every poll, so that the fault can begin and end while a job waits.
        slow = self._department.board.strikes(Fault.SLOW_POLL)
        if slow or now_ms < job.ready_ms:
            return _pending(job_id, max(job.ready_ms - now_ms, 1000))
        return _tagged(request, _write_outcome(job.outcome, verifying=job.verifying))

    def _admit(self, request: web.Request) -> tuple[Kind, str]:
        """Demand a request id and a token whose scope covers the register."""
        kind = _PATHS[request.match_info["kind"]]
        client_id, scope = self._require_token(request)
        if kind.value not in scope:
            raise Refused("EDU-4030")
        return kind, client_id

    def _require_token(self, request: web.Request) -> tuple[str, frozenset[str]]:
        # First, so that every answer can be matched with its request.
        if not _is_uuid(request.headers.get("X-Request-Id", "")):
            raise Refused("EDU-4000")
        if self._department.board.strikes(Fault.JWKS_ROTATED):
            self._department.mint.rotate()
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        now_s = self._department.clock.now_ms() // 1000
        known = self._department.mint.recognise(token, now_s) if scheme == "Bearer" else None
        if known is None:
            raise Refused("EDU-4010", {"WWW-Authenticate": 'Bearer error="invalid_token"'})
        return known

    def _answer(self, client_id: str, outcome: Outcome, *, verifying: bool) -> web.Response:
        # What is not in the register needs no clerk.
        if isinstance(outcome, Missing) or not outcome.by_hand:
            return _write_outcome(outcome, verifying=verifying)
        jobs = self._department.jobs
        now_ms = self._department.clock.now_ms()
        job_id = jobs.begin(client_id, outcome, now_ms, verifying=verifying)
        return _pending(job_id, jobs.delay_ms)


def _write_outcome(outcome: Outcome, *, verifying: bool) -> web.Response:
    body: dict[str, str | Members | list[Members] | list[str]]
    match outcome:
        case Found(records=records) if verifying:
            body = {"result": "MATCH", "record": records[0]}
        case Found(records=records):
            body = {"result": "FOUND", "records": list(records)}
        case Mismatch(members=members):
            body = {"result": "MISMATCH", "byzx": list(members)}
        case Missing(expired=expired):
            raise Refused("EDU-4100" if expired else "EDU-4040")
        case _:
            assert_never(outcome)
    return web.Response(
        body=json.dumps(body, ensure_ascii=False).encode(),
        headers={"Content-Type": "application/json; charset=utf-8"},
    )


def _tagged(request: web.Request, answer: web.Response) -> web.Response:
    """Add the entity tag; answer 304 to who has this answer already (RFC 9110, 13.1.2)."""
    body = answer.body if isinstance(answer.body, bytes) else b""
    tag = f'"{sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if request.headers.get("If-None-Match") == tag:
        return web.Response(status=304, headers=headers)
    answer.headers.update(headers)
    return answer


def _pending(job_id: str, left_ms: int) -> web.Response:
    # Rounded up: who comes back at the named second finds it done.
    seconds = max(-(-left_ms // 1000), 1)
    headers = {"Location": f"/api/v1/jobs/{job_id}", "Retry-After": str(seconds)}
    return json_answer({"result": "PENDING"}, 202, headers)


async def _body(request: web.Request) -> bytes:
    if request.content_type != "application/json":
        raise Refused("EDU-4000")
    return await request.read()


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
