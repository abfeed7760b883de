"""How often the health department is asked, and what its statuses mean, against a script."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib.resources import files

import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer
from lxml import etree

from adapters.kinds.health import HealthAdapter
from adapters.kinds.health.identity import signature_of
from adapters.port import Finding, Indeterminate, NotFound, Outcome, Untold
from adapters.records import RecordSource
from adapters.transport import DepartmentTransport
from tests.adapters.asking import NOW_MS, query_of
from tests.adapters.health.asking import ALL, DEATH, IDENTITY
from tests.adapters.health.wire import encoded, enveloped, replied

SUBJECT = ("370102195603159016", "王守仁")
ALIVE = encoded(
    "<MDEML><resultinfo><success>0</success><message>成功</message></resultinfo><body/></MDEML>".encode()
)


def said(success: str) -> bytes:
    """Return an answer that tells nothing but its code."""
    inner = f"<MDEML><resultinfo><success>{success}</success><message/></resultinfo></MDEML>"
    return enveloped(replied(f"<return>{encoded(inner.encode())}</return>"))


def fault(code: str) -> bytes:
    """Return a fault of the department."""
    return enveloped(
        "<s:Fault><faultcode>s:Client</faultcode><faultstring>x</faultstring>"
        f"<detail><code>{code}</code></detail></s:Fault>"
    )


FOUND_NOTHING = enveloped(replied(f"<return>{ALIVE}</return>"))


@dataclass(slots=True)
class Script:
    """Answers in turn, the last one for ever; keeps the headers it was called with."""

    answers: Sequence[tuple[int, bytes, str]]
    proofs: list[dict[str, str]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        """Take a call."""
        envelope = etree.fromstring(await request.read())
        self.proofs.append(
            {etree.QName(each).localname: each.text or "" for each in envelope[0][0]}
            | {"requestXml": envelope[1][0][0].text or ""}
        )
        status, body, kind = self.answers[min(len(self.proofs), len(self.answers)) - 1]
        return web.Response(status=status, body=body, content_type=kind)


@asynccontextmanager
async def _asked(script: Script, source: RecordSource) -> AsyncIterator[HealthAdapter]:
    app = web.Application()
    app.router.add_post("/ws/medicalCertificate", script.answer)
    async with TestServer(app) as server:
        adapter = HealthAdapter(
            source=source,
            datasets=frozenset({DEATH.name}),
            transport=DepartmentTransport(
                department="test", base_url=str(server.make_url("/")).rstrip("/")
            ),
            identity=IDENTITY,
            now_ms=lambda: NOW_MS,
        )
        yield adapter
        await adapter.close()


async def _fetch(script: Script, source: RecordSource, seconds: float = 5.0) -> Outcome:
    async with _asked(script, source) as adapter:
        return await adapter.fetch(query_of(DEATH, SUBJECT, ALL, seconds=seconds))


def _xml(body: bytes, status: int = 200) -> tuple[int, bytes, str]:
    return status, body, "text/xml"


@pytest.mark.parametrize(
    ("answer", "calls"),
    [
        (_xml(fault("HC-5000"), 500), 3),
        (_xml(fault("HC-4013"), 500), 2),
        (_xml(fault("HC-4011"), 500), 1),
        (_xml(said("8")), 3),
        (_xml(said("7")), 1),
        (_xml(said("6")), 1),
        (_xml(b"<a/>"), 1),
    ],
    ids=["server", "nonce", "signature", "busy", "quota", "name", "malformed"],
)
async def test_it_is_asked_as_often_as_the_page_says(
    source: RecordSource, answer: tuple[int, bytes, str], calls: int
) -> None:
    """Each time signed anew under a new nonce, with the same question."""
    script = Script([answer])

    outcome = await _fetch(script, source)

    assert isinstance(outcome, Untold)
    assert len(script.proofs) == calls
    assert len({proof["nonce"] for proof in script.proofs}) == calls
    assert len({proof["requestXml"] for proof in script.proofs}) == 1
    for proof in script.proofs:
        parts = [proof[name] for name in ("appId", "timestamp", "nonce")]
        text = "\n".join([*parts, "getSwyxzmInfo", proof["requestXml"]])
        assert proof["sign"] == signature_of(IDENTITY.app_key, text)


@pytest.mark.parametrize(
    "first", [fault("HC-5000"), fault("HC-4013"), said("8")], ids=["server", "nonce", "busy"]
)
async def test_what_passes_is_not_noticed(source: RecordSource, first: bytes) -> None:
    """The second call is answered."""
    script = Script([_xml(first), _xml(FOUND_NOTHING)])

    assert isinstance(await _fetch(script, source), NotFound)
    assert len(script.proofs) == 2


async def test_nobody_is_asked_again_who_could_not_answer_in_time(source: RecordSource) -> None:
    """A retry whose answer nobody waits for would be load alone."""
    script = Script([_xml(said("8"))])
    began = time.monotonic()

    outcome = await _fetch(script, source, seconds=0.06)

    assert outcome in (
        Untold(reason=Indeterminate.PROVIDER_UNAVAILABLE),
        Untold(reason=Indeterminate.PROVIDER_TIMEOUT),
    )
    assert len(script.proofs) <= 1
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((404, b"no", "text/plain"), Indeterminate.PROVIDER_MALFORMED),
        ((413, b"large", "text/plain"), Indeterminate.PROVIDER_MALFORMED),
        ((429, b"later", "text/plain"), Indeterminate.PROVIDER_QUOTA),
        ((500, b"broken", "text/plain"), Indeterminate.PROVIDER_MALFORMED),
        ((501, b"none", "text/plain"), Indeterminate.PROVIDER_FAULT),
        ((503, b"later", "text/plain"), Indeterminate.PROVIDER_UNAVAILABLE),
        ((302, b"", "text/xml"), Indeterminate.PROVIDER_MALFORMED),
        (_xml(FOUND_NOTHING, 500), Indeterminate.PROVIDER_MALFORMED),
        (_xml(FOUND_NOTHING, 404), Indeterminate.PROVIDER_MALFORMED),
        (_xml(fault("HC-4030"), 200), Indeterminate.PROVIDER_FAULT),
    ],
)
async def test_each_status_has_its_reason(
    source: RecordSource, answer: tuple[int, bytes, str], reason: Indeterminate
) -> None:
    """Nothing under the status of a failure is an answer, least of all "not found"."""
    assert await _fetch(Script([answer]), source) == Untold(reason=reason)


@pytest.mark.parametrize(
    ("answer", "reachable", "detail"),
    [
        (said("4"), True, "OK"),
        # It took a number that can be nobody's: what it says of others is worth as little.
        (FOUND_NOTHING, False, "PROVIDER_MALFORMED"),
        (said("2"), False, "PROVIDER_FAULT"),
        (said("8"), False, "PROVIDER_UNAVAILABLE"),
    ],
)
async def test_health_asks_about_nobody(
    source: RecordSource, answer: bytes, detail: str, *, reachable: bool
) -> None:
    """The refusal of that number is what proves the department well."""
    async with _asked(Script([_xml(answer)]), source) as adapter:
        health = await adapter.examine_health()

    assert (health.reachable, health.detail) == (reachable, detail)


def test_the_shape_of_these_tests_is_that_of_the_catalog() -> None:
    """Names, types and what a predicate finds of nobody, as shipped."""
    text = files("gateway").joinpath("bundle", "catalog.yaml").read_text("utf-8")
    fields = yaml.safe_load(text)["datasets"][DEATH.name]["fields"]

    shipped = {
        name: (each["type"], each.get("when_absent", Finding.INDETERMINATE))
        for name, each in fields.items()
    }

    assert {each.name: (each.type, each.when_absent) for each in DEATH.fields} == shipped
