"""HTTP to one department: deadline, retry, breaker, limits, hedging; nothing of its dialect.

One question takes one place and passes the breaker once, however many calls it takes; each call
keeps the pace (docs/operations/resilience.md). Knows no field and no meaning of a body. Every
failure becomes `DepartmentFailed` with a closed reason. Redirects are not followed, cookies not
kept, proxies of the environment not read, bodies not decompressed.
INVARIANT: no exception and no diagnostic carries a body, a header, a path or an address.
"""

import asyncio
import logging
import random
import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from adapters.breaker import Breaker
from adapters.causes import Cause
from adapters.errors import AdapterMisconfigured, DepartmentFailed, NotSent
from adapters.guard import RESERVE_S, Guard
from adapters.hedge import Hedging, race
from adapters.limits import TransportLimits
from adapters.pace import Pace
from adapters.port import Indeterminate
from adapters.tls import build_client_tls

__all__ = ["RESERVE_S", "DepartmentTransport", "HttpAnswer", "HttpCall", "TransportLimits"]

_LOG: Final = logging.getLogger(__name__)

_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_READ_BLOCK: Final = 64 * 1024
# RFC 9110 15.6: the department, or what stands before it, cannot answer now.
_UNAVAILABLE: Final = frozenset({502, 503, 504})
_TOO_MANY: Final = 429
# RFC 6585 4, RFC 9110 15.6.4: statuses by which a department itself may say it took nothing.
_REFUSING: Final = frozenset({_TOO_MANY, 503})
_SERVER_ERROR: Final = 500
_NOT_MODIFIED: Final = 304
_ACCEPTED: Final = 202
_REDIRECT: Final = range(300, 400)
_RETRIABLE: Final = frozenset({Indeterminate.PROVIDER_UNAVAILABLE, Indeterminate.PROVIDER_FAULT})


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpCall:
    """One question as bytes."""

    method: str
    path: str = field(repr=False)
    body: bytes | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(repr=False)
    expect: str
    """Content type the answer must have, e.g. `application/json`."""
    keep_fault: bool = False
    """Return the body of a status 500 (SOAP 1.1 section 6.2) instead of failing."""
    keep_unmodified: bool = False
    """Return a status 304 (RFC 9110 15.4.5), which has no body, instead of failing."""
    keep_accepted: bool = False
    """Return a status 202 (RFC 9110 15.3.3) without its body, which may be empty."""
    told_refusal: Callable[[bytes], None] | None = field(default=None, repr=False)
    """Told the body of a 429 or 503 of the expected type; the call fails all the same."""
    idempotent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAnswer:
    """One answer as bytes, its type as expected; a 304, or a 202 kept as such, has neither."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class DepartmentTransport:
    """One department's HTTP face; belongs to the event loop it is first used in."""

    def __init__(
        self,
        *,
        department: str,
        base_url: str,
        limits: TransportLimits | None = None,
        tls: ssl.SSLContext | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep what is needed; nothing is opened before the first call.

        Raises:
            AdapterMisconfigured: The address is no origin, or plain HTTP off the loopback.
        """
        self._department = department
        self._origin = _require_origin(base_url)
        self._limits = limits or TransportLimits()
        secure = self._origin.startswith("https:")
        # Plain HTTP on the loopback has no use for one, and reading authorities takes a while.
        self._tls = build_client_tls() if tls is None and secure else tls
        self._closed = False
        self._clock = clock
        self._guard = Guard(self._limits, clock)
        self._pace = Pace(self._limits, clock)
        self._hedging = Hedging()
        self._session: aiohttp.ClientSession | None = None

    @property
    def breaker(self) -> Breaker:
        """The breaker, to be looked at by health."""
        return self._guard.breaker

    @property
    def attempts(self) -> int:
        """Calls of one question, for dialects that repeat it in words of their own."""
        return self._limits.attempts

    async def fetch(self, call: HttpCall, deadline: float) -> HttpAnswer:
        """Send one question and return its answer.

        Statuses 1xx, 2xx and 4xx except 429 are returned, and 304 where it was asked for: their
        meaning belongs to the dialect.

        Raises:
            DepartmentFailed: TIMEOUT, UNAVAILABLE, MALFORMED, FAULT or QUOTA.
        """
        attempts = self.attempts if call.idempotent else 1
        return await self._guard.run(lambda ends: self._ask(call, ends, attempts), deadline)

    async def close(self) -> None:
        """Close every connection; nothing is sent any more."""
        self._closed = True
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _ask(self, call: HttpCall, ends: float, attempts: int) -> HttpAnswer:
        """Call up to so many times."""
        attempt = 1
        while True:
            try:
                return await self._call(call, ends)
            except DepartmentFailed as failed:
                pause = self._pause(attempt)
                if attempt == attempts or not self._may_repeat(failed, ends - pause):
                    _LOG.warning(
                        "department %s: %s, attempt %d", self._department, failed.reason, attempt
                    )
                    raise
            attempt += 1
            await asyncio.sleep(pause)

    def _may_repeat(self, failed: DepartmentFailed, ends: float) -> bool:
        # Enough others failed meanwhile, or this is the probe, which is one call. Or it could not
        # end in time: nobody would wait for what it costs the department.
        if self._guard.breaker.is_open or self._clock() + self._pace.wait_s >= ends:
            return False
        again = failed.reason in _RETRIABLE and not failed.final
        return again and not isinstance(failed, NotSent)

    def _pause(self, attempt: int) -> float:
        # Full jitter: callers that failed together must not come back together.
        return random.uniform(0, self._limits.backoff_s * 2 ** (attempt - 1))  # noqa: S311 - spreads load, guards nothing

    async def _call(self, call: HttpCall, ends: float) -> HttpAnswer:
        """Call once, or twice where the section allows it and the first call takes long."""
        await self._pace.keep(ends)
        if not (self._limits.hedging and call.idempotent):
            return await self._send_within(call, ends)
        self._hedging.earn()
        delay_s = self._hedging.delay_s
        if delay_s is None:
            return await self._timed(call, ends)
        return await race(
            lambda: self._timed(call, ends), lambda: self._second(call, ends), delay_s
        )

    async def _second(self, call: HttpCall, ends: float) -> HttpAnswer:
        """Call a second time, where place, pace and budget allow it at once.

        Raises:
            NotSent: PROVIDER_UNAVAILABLE: they do not.
        """
        # Never waited for: it is to save time, and must take none from first calls.
        if self._guard.breaker.is_open or self._pace.wait_s or not self._guard.places.has_free:
            raise NotSent(Indeterminate.PROVIDER_UNAVAILABLE, cause=Cause.RATE_LIMITED)
        if not self._hedging.spend():
            raise NotSent(Indeterminate.PROVIDER_UNAVAILABLE, cause=Cause.RATE_LIMITED)
        async with self._guard.places.at_once():
            self._pace.take()
            return await self._timed(call, ends)

    async def _timed(self, call: HttpCall, ends: float) -> HttpAnswer:
        """Call and note how long that took."""
        began = self._clock()
        try:
            answer = await self._send_within(call, ends)
        except asyncio.CancelledError:
            # The other one came first: it would have taken this long at least.
            self._hedging.note(self._clock() - began)
            raise
        self._hedging.note(self._clock() - began)
        return answer

    async def _send_within(self, call: HttpCall, ends: float) -> HttpAnswer:
        try:
            async with asyncio.timeout(ends - self._clock()):
                return await self._send(call)
        except TimeoutError:
            raise _failed(Indeterminate.PROVIDER_TIMEOUT, Cause.ANSWER_LATE) from None
        except aiohttp.ClientPayloadError:
            # from None here and below: the causes quote addresses, headers and bytes.
            raise _failed(Indeterminate.PROVIDER_MALFORMED, Cause.BODY_CUT_SHORT) from None
        except (aiohttp.ClientResponseError, aiohttp.http.HttpProcessingError):
            raise _failed(Indeterminate.PROVIDER_MALFORMED, Cause.HTTP_BROKEN) from None
        except (aiohttp.ClientError, OSError):
            raise _failed(Indeterminate.PROVIDER_UNAVAILABLE, Cause.CONNECTION_FAILED) from None

    async def _send(self, call: HttpCall) -> HttpAnswer:
        """Send a call once; what wraps calls on their way (adapters.national) does so here."""
        # No compression asked for: a small body that grows without bound is refused by its header.
        headers = {"Accept": call.expect, "Accept-Encoding": "identity", **call.headers}
        async with self._open_session().request(
            call.method,
            self._origin + call.path,
            data=call.body,
            headers=headers,
            allow_redirects=False,
        ) as response:
            if response.status == _NOT_MODIFIED and call.keep_unmodified:
                return HttpAnswer(status=_NOT_MODIFIED, headers=response.headers, body=b"")
            if response.status == _ACCEPTED and call.keep_accepted:
                return HttpAnswer(status=_ACCEPTED, headers=response.headers, body=b"")
            if call.told_refusal is not None and response.status in _REFUSING:
                await self._tell_refusal(response, call.expect, call.told_refusal)
            require_status(response.status, keep_fault=call.keep_fault)
            _require_type(response, call.expect)
            body = await self._read_bounded(response)
            return HttpAnswer(status=response.status, headers=response.headers, body=body)

    async def _tell_refusal(
        self, response: aiohttp.ClientResponse, expect: str, tell: Callable[[bytes], None]
    ) -> None:
        # Handed over, not raised: an exception carries no body. What cannot be read says nothing.
        with suppress(DepartmentFailed, aiohttp.ClientError, aiohttp.http.HttpProcessingError):
            _require_type(response, expect)
            tell(await self._read_bounded(response))

    async def _read_bounded(self, response: aiohttp.ClientResponse) -> bytes:
        # The declared size spares reading; the size read is the one that counts.
        declared = response.content_length
        if declared is not None and declared > self._limits.max_body:
            raise _failed(Indeterminate.PROVIDER_MALFORMED, Cause.BODY_TOO_LARGE)
        body = bytearray()
        async for block in response.content.iter_chunked(_READ_BLOCK):
            body += block
            if len(body) > self._limits.max_body:
                raise _failed(Indeterminate.PROVIDER_MALFORMED, Cause.BODY_TOO_LARGE)
        if not body:
            raise _failed(Indeterminate.PROVIDER_MALFORMED, Cause.BODY_EMPTY)
        return bytes(body)

    def _open_session(self) -> aiohttp.ClientSession:
        if self._closed:
            # A call may come out of its pause after the end: its session nobody would close.
            raise NotSent(Indeterminate.PROVIDER_UNAVAILABLE)
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=self._limits.concurrency, ssl=True if self._tls is None else self._tls
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._limits.connect_s),
                trust_env=False,
                auto_decompress=False,
            )
        return self._session


def _require_origin(base_url: str) -> str:
    try:
        parts = urlsplit(base_url)
        port = parts.port
    except ValueError:
        raise AdapterMisconfigured("a department's address cannot be read") from None
    plain_is_fine = parts.scheme == "http" and parts.hostname in _LOOPBACK
    # Credentials in an address end up in logs, and a path would be glued to every call's own.
    if not parts.hostname or parts.username or parts.query or parts.path.strip("/") or port == 0:
        raise AdapterMisconfigured("a department's address must be scheme, host and port")
    if parts.scheme != "https" and not plain_is_fine:
        raise AdapterMisconfigured("a department off the loopback needs https")
    return f"{parts.scheme}://{parts.netloc}"


def require_status(status: int, *, keep_fault: bool) -> None:
    """Let pass the statuses whose meaning belongs to the dialect.

    Raises:
        DepartmentFailed: QUOTA, UNAVAILABLE, MALFORMED or FAULT.
    """
    if status == _TOO_MANY:
        raise _failed(Indeterminate.PROVIDER_QUOTA, Cause.RATE_LIMITED)
    if status in _UNAVAILABLE:
        raise _failed(Indeterminate.PROVIDER_UNAVAILABLE, Cause.STATUS_UNAVAILABLE)
    if status in _REDIRECT:
        # A login page stands where the service was; where it leads is nobody's business.
        raise _failed(Indeterminate.PROVIDER_MALFORMED, Cause.REDIRECTED)
    if status == _SERVER_ERROR and keep_fault:
        return
    if status >= _SERVER_ERROR:
        raise _failed(Indeterminate.PROVIDER_FAULT, Cause.STATUS_FAULT)


def _require_type(response: aiohttp.ClientResponse, expected: str) -> None:
    encoded = response.headers.get("Content-Encoding", "identity").lower()
    charset = (response.charset or "utf-8").lower()
    if response.content_type != expected or encoded != "identity" or charset != "utf-8":
        raise _failed(Indeterminate.PROVIDER_MALFORMED, Cause.MEDIA_TYPE)


def _failed(reason: Indeterminate, cause: Cause) -> DepartmentFailed:
    return DepartmentFailed(reason, cause=cause)
