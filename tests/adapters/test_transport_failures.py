"""The transport: each failure has one closed reason, and nothing outlasts a deadline."""

import asyncio
import time
from collections.abc import Callable

import pytest
from aiohttp import web

from adapters.errors import AdapterMisconfigured, DepartmentFailed
from adapters.port import Indeterminate
from adapters.transport import DepartmentTransport, HttpCall, TransportLimits
from tests.adapters.calling import AGAIN, CALL, Start, reason_of, within


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (302, Indeterminate.PROVIDER_MALFORMED),
        (429, Indeterminate.PROVIDER_QUOTA),
        (500, Indeterminate.PROVIDER_FAULT),
        (502, Indeterminate.PROVIDER_UNAVAILABLE),
        (503, Indeterminate.PROVIDER_UNAVAILABLE),
        (504, Indeterminate.PROVIDER_UNAVAILABLE),
    ],
)
async def test_a_status_that_is_no_answer_has_its_reason(
    start: Start, status: int, reason: Indeterminate
) -> None:
    """Busy, broken, over quota and moved to a login page are four different things."""

    async def answer(_: web.Request) -> web.Response:
        return web.json_response({}, status=status, headers={"Location": "http://127.0.0.1:9/"})

    transport = await start(answer)

    assert await reason_of(transport.fetch(CALL, within(5))) is reason


@pytest.mark.parametrize(
    "response",
    [
        lambda: web.Response(text="<html></html>", content_type="text/html"),
        lambda: web.Response(body=b"", content_type="application/json"),
        lambda: web.Response(body=b"{}", headers={"Content-Type": "application/json; charset=gbk"}),
        lambda: web.Response(
            body=b"{}", content_type="application/json", headers={"Content-Encoding": "gzip"}
        ),
        lambda: web.Response(body=b" " * 5000, content_type="application/json"),
    ],
    ids=["html", "empty", "gbk", "gzip", "oversized"],
)
async def test_a_body_of_another_kind_is_malformed(
    start: Start, response: Callable[[], web.Response]
) -> None:
    """Type, charset, coding and size are judged before a parser sees the body."""

    async def answer(_: web.Request) -> web.Response:
        return response()

    transport = await start(answer, TransportLimits(max_body=4096))

    assert await reason_of(transport.fetch(CALL, within(5))) is Indeterminate.PROVIDER_MALFORMED


async def test_a_body_without_a_declared_size_is_bounded_too(start: Start) -> None:
    """A department that streams for ever is cut off at the limit."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        try:
            while True:
                await response.write(b" " * 1024)
        except ConnectionResetError:
            return response

    transport = await start(answer, TransportLimits(max_body=64 * 1024))

    assert await reason_of(transport.fetch(CALL, within(5))) is Indeterminate.PROVIDER_MALFORMED


async def test_half_a_body_is_malformed(start: Start) -> None:
    """A body shorter than declared is no answer."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(
            headers={"Content-Type": "application/json", "Content-Length": "100"}
        )
        await response.prepare(request)
        await response.write(b"{")
        assert request.transport is not None
        request.transport.close()
        return response

    transport = await start(answer)

    assert await reason_of(transport.fetch(CALL, within(5))) is Indeterminate.PROVIDER_MALFORMED


async def test_a_department_that_hangs_costs_no_more_than_the_deadline(start: Start) -> None:
    """The call ends before the deadline, so that there is time left to answer."""

    async def answer(_: web.Request) -> web.Response:
        await asyncio.sleep(30)
        return web.json_response({})

    transport = await start(answer)
    deadline = within(0.2)

    reason = await reason_of(transport.fetch(AGAIN, deadline))

    assert reason is Indeterminate.PROVIDER_TIMEOUT
    assert time.monotonic() < deadline


async def test_nothing_is_sent_when_the_time_is_up(start: Start) -> None:
    """Less than the reserve before the deadline no call begins."""
    asked = 0

    async def answer(_: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        return web.json_response({})

    transport = await start(answer)

    assert await reason_of(transport.fetch(CALL, within(0.01))) is Indeterminate.PROVIDER_TIMEOUT
    assert asked == 0


@pytest.mark.parametrize(("call", "asked_in_all"), [(AGAIN, 2), (CALL, 1)])
async def test_only_an_idempotent_question_is_asked_again(
    start: Start, call: HttpCall, asked_in_all: int
) -> None:
    """One that is not idempotent may have been carried out although its answer was lost."""
    asked = 0

    async def answer(_: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        return web.json_response({}, status=503 if asked == 1 else 200)

    transport = await start(answer)

    try:
        status = (await transport.fetch(call, within(5))).status
    except DepartmentFailed:
        status = 503

    assert asked == asked_in_all
    assert status == (200 if asked_in_all == 2 else 503)


async def test_nobody_listening_is_unavailable() -> None:
    """A refused connection is told as such."""
    transport = DepartmentTransport(department="test", base_url="http://127.0.0.1:1")

    reason = await reason_of(transport.fetch(CALL, within(2)))
    await transport.close()

    assert reason is Indeterminate.PROVIDER_UNAVAILABLE


async def test_calls_in_flight_are_limited(start: Start) -> None:
    """One department never takes more of us than its places."""
    flying = most = 0

    async def answer(_: web.Request) -> web.Response:
        nonlocal flying, most
        flying += 1
        most = max(most, flying)
        await asyncio.sleep(0.01)
        flying -= 1
        return web.json_response({})

    transport = await start(answer, TransportLimits(concurrency=3))
    await asyncio.gather(*(transport.fetch(CALL, within(5)) for _ in range(20)))

    assert most == 3


async def test_who_gets_no_place_in_time_is_told_that_it_is_busy(start: Start) -> None:
    """Waiting for a place ends with the asker's deadline."""

    async def answer(_: web.Request) -> web.Response:
        await asyncio.sleep(0.5)
        return web.json_response({})

    transport = await start(answer, TransportLimits(concurrency=1))
    first = asyncio.create_task(transport.fetch(CALL, within(5)))
    await asyncio.sleep(0.05)

    reason = await reason_of(transport.fetch(CALL, within(0.1)))
    await first

    assert reason is Indeterminate.PROVIDER_UNAVAILABLE


async def test_cookies_are_not_kept(start: Start) -> None:
    """What one asker was given to remember is not told for the next."""
    seen: list[str | None] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Cookie"))
        response = web.json_response({})
        response.set_cookie("session", "1")
        return response

    transport = await start(answer)
    await transport.fetch(CALL, within(5))
    await transport.fetch(CALL, within(5))

    assert seen == [None, None]


async def test_an_open_breaker_spares_the_department(start: Start) -> None:
    """After enough failures nothing is sent for a while."""
    asked = 0

    async def answer(_: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        return web.json_response({}, status=503)

    transport = await start(answer, TransportLimits(breaker_failures=2, breaker_open_s=60))
    reasons = [await reason_of(transport.fetch(CALL, within(5))) for _ in range(5)]

    assert asked == 2
    assert set(reasons) == {Indeterminate.PROVIDER_UNAVAILABLE}
    assert transport.breaker.is_open


async def test_an_asker_in_a_hurry_opens_no_breaker(start: Start) -> None:
    """Timeouts of deadlines that no department could keep say nothing of it."""

    async def answer(_: web.Request) -> web.Response:
        await asyncio.sleep(0.2)
        return web.json_response({})

    transport = await start(answer, TransportLimits(breaker_failures=1))
    await reason_of(transport.fetch(CALL, within(0.05)))

    assert not transport.breaker.is_open


@pytest.mark.parametrize(
    "address",
    [
        "http://department.invalid",
        "ftp://127.0.0.1",
        "https://user:secret@department.invalid",
        "https://department.invalid/path",
        "https://department.invalid?x=1",
        "127.0.0.1:80",
        "https://[",
    ],
)
def test_an_address_that_cannot_be_safe_is_refused(address: str) -> None:
    """Plain HTTP only on the loopback; credentials and paths never in an address."""
    with pytest.raises(AdapterMisconfigured):
        DepartmentTransport(department="test", base_url=address)


async def test_a_call_that_comes_out_of_its_pause_after_the_end_is_not_sent(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would open connections that nobody closes any more."""
    calls: list[str] = []

    async def answer(_: web.Request) -> web.Response:
        calls.append("call")
        return web.Response(status=503)

    transport = await start(answer, TransportLimits())
    # Not by chance, for once.
    monkeypatch.setattr(transport, "_pause", lambda _: 0.2)
    asking = asyncio.create_task(transport.fetch(AGAIN, within(8)))
    await asyncio.sleep(0.1)
    await transport.close()

    with pytest.raises(DepartmentFailed) as caught:
        await asking

    assert caught.value.reason is Indeterminate.PROVIDER_UNAVAILABLE
    assert calls == ["call"]
    assert transport._session is None
