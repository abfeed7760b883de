"""The education adapter against a department that breaks its own interface in small ways."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from adapters.kinds.education import ClientIdentity, EducationAdapter
from adapters.port import (
    DatasetName,
    Indeterminate,
    NotFound,
    Outcome,
    Subject,
    SubjectType,
    Untold,
)
from adapters.records import RecordSource
from adapters.transport import DepartmentTransport, TransportLimits
from certs.algorithms import Suite, generate_private_key
from signing.encoding import JsonValue
from signing.signer import FileSigner
from tests.adapters.asking import CLEAR, IS_TRUE, NOW_MS, disclosed, query_of, shape_of

PERSON = "370102198203150024"
NAME = "李明"
NUMBER = "104221200405000123"
RECORD: dict[str, JsonValue] = {
    "zjhm": PERSON,
    "xm": NAME,
    "zsbh": NUMBER,
    "yxdm": "10422",
    "yxmc": "示例大学",
    "ccdm": "21",
    "byrq": "20040701",
    "bjyjl": "毕业",
    "zt": "有效",
}
SUBJECT = Subject(type=SubjectType.RESIDENT_ID, identifier=PERSON, full_name=NAME)
DIPLOMA = shape_of(
    "edu.diploma@1", {"institution_name": "str100", "graduation_date": "date", "verified": "pred"}
)
TOKEN = {"access_token": "t", "token_type": "Bearer", "expires_in": 600}
JOB = "/api/v1/jobs/" + "0" * 32


class Department:
    """A department that answers as told."""

    def __init__(self) -> None:
        """Answer a token and nothing else yet."""
        self.token: Mapping[str, object] = TOKEN
        self.pause_s = 0.0
        self.answers: list[web.Response | Callable[[web.Request], web.Response]] = []

    def answer(self, status: int, body: Mapping[str, JsonValue], **headers: str) -> None:
        """Add an answer that echoes the request id."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}

        def build(request: web.Request) -> web.Response:
            echo = {"X-Request-Id": request.headers["X-Request-Id"]}
            return web.json_response(dict(body), status=status, headers={**echo, **named})

        self.answers.append(build)

    async def respond(self, request: web.Request) -> web.Response:
        """Answer a call."""
        if request.path == "/oauth2/token":
            return web.json_response(dict(self.token))
        await asyncio.sleep(self.pause_s)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer if isinstance(answer, web.Response) else answer(request)


Ask = Callable[..., Awaitable[Outcome]]


@pytest.fixture
def department() -> Department:
    """Give a department."""
    return Department()


@pytest.fixture
async def adapter(department: Department, source: RecordSource) -> AsyncIterator[EducationAdapter]:
    """Give an adapter of that department."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", department.respond)
    async with TestServer(app) as server:
        adapter = EducationAdapter(
            source=source,
            datasets=frozenset({DIPLOMA.name}),
            transport=DepartmentTransport(
                department="education",
                base_url=str(server.make_url("/")).rstrip("/"),
                limits=TransportLimits(breaker_failures=2, fair_s=0.1),
            ),
            identity=ClientIdentity(
                client_id="hrss-gateway",
                issuer="https://edu.invalid",
                signer=FileSigner.of(generate_private_key(Suite.ES256)),
            ),
            now_ms=lambda: NOW_MS,
        )
        yield adapter
        await adapter.close()


@pytest.fixture
def ask(adapter: EducationAdapter) -> Ask:
    """Give a way to ask about the person."""

    async def fetch(claims: Mapping[str, str] | None = None, seconds: float = 3) -> Outcome:
        grants = {"institution_name": CLEAR, "verified": IS_TRUE}
        return await adapter.fetch(query_of(DIPLOMA, (PERSON, NAME), grants, claims, seconds))

    return fetch


MALFORMED = Untold(reason=Indeterminate.PROVIDER_MALFORMED)
FAULT = Untold(reason=Indeterminate.PROVIDER_FAULT)
QUOTA = Untold(reason=Indeterminate.PROVIDER_QUOTA)
UNAVAILABLE = Untold(reason=Indeterminate.PROVIDER_UNAVAILABLE)
CLAIM = {"certificate_no": NUMBER}


@pytest.mark.parametrize(
    ("status", "body", "claims", "expected"),
    [
        (200, {"result": "MATCH"}, CLAIM, MALFORMED),
        (200, {"result": "MATCH", "record": RECORD}, {}, MALFORMED),
        (200, {"result": "FOUND", "records": [RECORD]}, CLAIM, MALFORMED),
        (200, {"result": "FOUND", "records": []}, {}, MALFORMED),
        (200, {"result": "FOUND", "records": [RECORD] * 11}, {}, MALFORMED),
        (200, {"result": "FOUND", "records": ["x"]}, {}, MALFORMED),
        (200, {"result": 1}, {}, MALFORMED),
        (200, {}, {}, MALFORMED),
        (200, {"result": "FOUND", "records": [{**RECORD, "byrq": "soon"}]}, {}, MALFORMED),
        (200, {"result": "FOUND", "records": [{**RECORD, "yxmc": 7}]}, {}, MALFORMED),
        (202, {"result": "PENDING"}, {}, MALFORMED),
        (400, {"code": "EDU-4000"}, {}, FAULT),
        (403, {"code": "EDU-4030"}, {}, FAULT),
        (404, {"code": "EDU-4041"}, {}, FAULT),
        (410, {"code": "EDU-4100"}, {}, FAULT),
        (401, {"code": "EDU-4010"}, {}, FAULT),
        (429, {"code": "EDU-4290"}, {}, QUOTA),
        (500, {"code": "EDU-5000"}, {}, FAULT),
        (503, {"code": "EDU-5000"}, {}, UNAVAILABLE),
        (404, {}, {}, FAULT),
        (413, {"code": "EDU-4130"}, {}, FAULT),
    ],
)
async def test_an_answer_outside_the_interface_is_untold(
    department: Department,
    ask: Ask,
    status: int,
    body: dict[str, JsonValue],
    claims: dict[str, str],
    expected: Untold,
) -> None:
    """Only the department's own "no record" is not found."""
    department.answer(status, body)

    assert await ask(claims) == expected


@pytest.mark.parametrize(
    "change",
    [{"zjhm": "371711196809124454"}, {"zjhm": "nobody"}, {"xm": "王芳"}, {"zsbh": NUMBER[::-1]}],
)
async def test_a_record_of_another_person_or_certificate_is_a_mismatch(
    department: Department, ask: Ask, change: dict[str, JsonValue]
) -> None:
    """What was answered must be what was asked about."""
    department.answer(200, {"result": "MATCH", "record": {**RECORD, **change}})

    assert await ask(CLAIM) == Untold(reason=Indeterminate.SUBJECT_MISMATCH)


async def test_one_foreign_record_among_the_persons_own_is_a_mismatch(
    department: Department, ask: Ask
) -> None:
    """None of them is believed then."""
    foreign = {**RECORD, "zjhm": "371711196809124454"}
    department.answer(200, {"result": "FOUND", "records": [RECORD, foreign]})

    assert await ask() == Untold(reason=Indeterminate.SUBJECT_MISMATCH)


async def test_an_answer_to_another_request_proves_nothing(
    department: Department, ask: Ask
) -> None:
    """The request id must come back."""
    department.answer(200, {"result": "MATCH", "record": RECORD}, X_Request_Id="other")

    assert await ask(CLAIM) == Untold(reason=Indeterminate.PROVIDER_UNPROVEN)


async def test_not_found_is_the_departments_own_code(department: Department, ask: Ask) -> None:
    """404 with EDU-4040."""
    department.answer(404, {"code": "EDU-4040"})

    assert isinstance(await ask(), NotFound)


@pytest.mark.parametrize(
    "token",
    [
        {},
        {**TOKEN, "token_type": "MAC"},
        {**TOKEN, "expires_in": "600"},
        {**TOKEN, "expires_in": 0},
        {**TOKEN, "access_token": "line\nbreak"},
    ],
)
async def test_a_token_answer_of_another_form_is_malformed(
    department: Department, adapter: EducationAdapter, ask: Ask, token: dict[str, object]
) -> None:
    """RFC 6749 section 5.1; a token goes into a header."""
    department.token = token

    assert await ask() == MALFORMED
    assert (await adapter.examine_health()).detail == "PROVIDER_MALFORMED"


@pytest.mark.parametrize(
    "headers",
    [
        {"Location": "http://127.0.0.1:9/api/v1/jobs/" + "0" * 32, "Retry_After": "1"},
        {"Location": "/api/v1/jobs/../../oauth2/token", "Retry_After": "1"},
        {"Location": JOB, "Retry_After": "soon"},
        {"Location": JOB, "Retry_After": "0"},
        {"Location": JOB},
    ],
)
async def test_a_job_elsewhere_is_not_followed(
    department: Department, ask: Ask, headers: dict[str, str]
) -> None:
    """Only an own job path and a plain number of seconds."""
    department.answer(202, {"result": "PENDING"}, **headers)

    assert await ask() == MALFORMED


async def test_a_job_is_polled_within_the_deadline(department: Department, ask: Ask) -> None:
    """Where there is time to wait, the asker gets his answer at once."""
    department.answer(202, {"result": "PENDING"}, Location=JOB, Retry_After="1")
    department.answer(200, {"result": "FOUND", "records": [RECORD]})

    outcome = await ask()

    assert not isinstance(outcome, Untold)


@pytest.mark.parametrize("status", [404, 410])
async def test_a_job_that_is_gone_is_a_fault(department: Department, ask: Ask, status: int) -> None:
    """The department lost what it had just begun."""
    department.answer(202, {"result": "PENDING"}, Location=JOB, Retry_After="1")
    department.answer(status, {"code": "EDU-4041"})

    assert await ask() == FAULT


async def test_a_resumed_job_that_is_gone_is_asked_anew(
    department: Department, adapter: EducationAdapter
) -> None:
    """Finished jobs are kept for a day only."""
    query = query_of(DIPLOMA, (PERSON, NAME), {"institution_name": CLEAR}, seconds=0.5)
    department.answer(202, {"result": "PENDING"}, Location=JOB, Retry_After="5")
    department.answer(410, {"code": "EDU-4100"})
    department.answer(200, {"result": "FOUND", "records": [RECORD]})
    again = replace(query, pending_request_id=query.request_id, deadline=query.deadline + 5)

    pending = await adapter.fetch(query)
    outcome = await adapter.fetch(again)

    assert pending == Untold(reason=Indeterminate.PENDING, retry_after_s=5.0)
    assert disclosed(again, outcome) == {"institution_name": "示例大学"}


async def test_a_token_refused_twice_is_a_fault(department: Department, ask: Ask) -> None:
    """One renewal, no loop."""
    department.answer(401, {"code": "EDU-4010"})

    assert await ask() == FAULT


async def test_a_department_that_hangs_is_spared_after_a_while(
    department: Department, adapter: EducationAdapter, ask: Ask
) -> None:
    """Timeouts open the breaker, and health says so."""
    department.answer(404, {"code": "EDU-4040"})
    await ask()
    department.pause_s = 2.0

    # Far above `fair_s`: on a busy machine a part of the time is gone before the question is sent.
    outcomes = [await ask(seconds=0.8) for _ in range(3)]

    assert outcomes == [
        Untold(reason=Indeterminate.PROVIDER_TIMEOUT),
        Untold(reason=Indeterminate.PROVIDER_TIMEOUT),
        Untold(reason=Indeterminate.PROVIDER_UNAVAILABLE),
    ]
    assert (await adapter.examine_health()).detail == "BREAKER_OPEN"


async def test_other_subjects_and_datasets_are_not_asked_about(
    department: Department, adapter: EducationAdapter
) -> None:
    """Diplomas of organisations are no question, and another version is not served."""
    query = query_of(DIPLOMA, (PERSON, NAME), {"institution_name": CLEAR})
    organisation = Subject(type=SubjectType.USCC, identifier="91370100MA3FAKE04Q")
    later = replace(DIPLOMA, name=DatasetName("edu.diploma@2"))

    outcome = await adapter.fetch(replace(query, subject=organisation))
    other = await adapter.fetch(replace(query, dataset=later))

    assert outcome == Untold(reason=Indeterminate.QUESTION_REJECTED)
    assert other == Untold(reason=Indeterminate.PROVIDER_NOT_CONNECTED)
    assert not department.answers
    assert adapter.organisation
