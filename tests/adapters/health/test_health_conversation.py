"""How often the health department is asked, and what its statuses mean, against a script."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib.resources import files

import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer
from lxml import etree

from adapters.kinds.health.identity import signature_of
from adapters.port import Finding, Indeterminate, NotFound, Outcome, ProviderAdapter, Untold
from adapters.records import RecordSource
from tests.adapters.asking import NOW_MS, query_of
from tests.adapters.health.asking import ALL, DEATH, IDENTITY, build_adapter
from tests.adapters.health.wire import encoded, enveloped, replied
from tests.adapters.patient import only_waiting_counts

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
async def _asked(script: Script, source: RecordSource) -> AsyncIterator[ProviderAdapter]:
    app = web.Application()
    app.router.add_post("/ws/medicalCertificate", script.answer)
    async with TestServer(app) as server:
        adapter = build_adapter(str(server.make_url("/")), lambda: NOW_MS, source)
        yield adapter
        await adapter.close()


async def _fetch(script: Script, source: RecordSource) -> Outcome:
    async with _asked(script, source) as adapter:
        return await adapter.fetch(query_of(DEATH, SUBJECT, ALL))


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


async def test_an_unlisted_code_is_not_repeated_in_diagnostics(
    source: RecordSource, caplog: pytest.LogCaptureFixture
) -> None:
    """It is the department's text, and may be anybody's name."""
    caplog.set_level(logging.DEBUG)

    outcome = await _fetch(Script([_xml(fault(SUBJECT[1]), 500)]), source)

    assert outcome == Untold(reason=Indeterminate.PROVIDER_FAULT)
    assert "another code" in caplog.text
    assert SUBJECT[1] not in caplog.text


async def test_nobody_is_asked_again_who_could_not_answer_in_time(source: RecordSource) -> None:
    """The third call would leave when nobody waits any more: it is told at once that it is busy."""
    script = Script([_xml(said("8"))])

    async with _asked(script, source) as adapter:
        with only_waiting_counts(asyncio.get_running_loop()):
            outcome = await adapter.fetch(query_of(DEATH, SUBJECT, ALL, seconds=0.12))

    assert outcome == Untold(reason=Indeterminate.PROVIDER_UNAVAILABLE)
    assert len(script.proofs) == 2


@pytest.mark.parametrize(("room", "is_read"), [(0, True), (-1, False)])
async def test_an_answer_larger_than_the_page_allows_is_left(
    source: RecordSource, room: int, *, is_read: bool
) -> None:
    """64 KiB are read, one octet more is not, whatever it says."""
    padded = FOUND_NOTHING + b" " * (64 * 1024 - len(FOUND_NOTHING) - room)

    outcome = await _fetch(Script([_xml(padded)]), source)

    malformed = Untold(reason=Indeterminate.PROVIDER_MALFORMED)
    assert isinstance(outcome, NotFound) if is_read else outcome == malformed


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
