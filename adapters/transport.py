"""HTTP to one department: deadline, retry, breaker, concurrency, size; nothing of its dialect.

Knows no field and no meaning of a body. Every failure becomes `DepartmentFailed` with a closed
reason. Redirects are not followed, cookies not kept, proxies of the environment not read, bodies
not decompressed.
INVARIANT: no exception and no diagnostic carries a body, a header, a path or an address.
"""

import asyncio
import logging
import random
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from adapters.causes import Cause
from adapters.errors import AdapterMisconfigured, DepartmentFailed
from adapters.port import BreakerState, Indeterminate

_LOG: Final = logging.getLogger(__name__)

# Seconds kept back of the deadline for effects, signature and log.
RESERVE_S: Final = 0.020
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_READ_BLOCK: Final = 64 * 1024
# RFC 9110 15.6: the department, or what stands before it, cannot answer now.
_UNAVAILABLE: Final = frozenset({502, 503, 504})
_TOO_MANY: Final = 429
_SERVER_ERROR: Final = 500
_NOT_MODIFIED: Final = 304
_REDIRECT: Final = range(300, 400)
# What says that the department itself is in trouble, rather than this one question.
_BREAKING: Final = frozenset(
    {
        Indeterminate.PROVIDER_TIMEOUT,
        Indeterminate.PROVIDER_UNAVAILABLE,
        Indeterminate.PROVIDER_FAULT,
    }
)
_RETRIABLE: Final = frozenset({Indeterminate.PROVIDER_UNAVAILABLE, Indeterminate.PROVIDER_FAULT})


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportLimits:
    """How much one department may take of us; the defaults are safe."""

    concurrency: int = 32
    """Calls in flight."""
    max_body: int = 4 * 1024 * 1024
    """Bytes of an answer; 500 records of public security with thumbnails take about 1 MiB."""
    attempts: int = 3
    """Calls of one idempotent question, the first included."""
    backoff_s: float = 0.05
    """Longest wait before the second attempt; doubles with each."""
    connect_s: float = 2.0
    fair_s: float = 1.0
    """A timeout after less than this says nothing of the department."""
    breaker_failures: int = 8
    """Failures in a row that open the breaker."""
    breaker_open_s: float = 5.0
    """How long it stays open before one probe may pass."""


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
    idempotent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAnswer:
    """One answer as bytes, its type already as expected; a status 304 has neither."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class Breaker:
    """Closed, open, half-open: stops asking a department that does not answer."""

    def __init__(self, limits: TransportLimits, clock: Callable[[], float]) -> None:
        self._limits = limits
        self._clock = clock
        self._failures = 0
        self._open_until: float | None = None
        self._probing = False

    @property
    def state(self) -> BreakerState:
        """What the next call would meet."""
        if self._open_until is None:
            return BreakerState.CLOSED
        return BreakerState.OPEN if self.is_open else BreakerState.HALF_OPEN

    @property
    def is_open(self) -> bool:
        """Whether the next call would be refused."""
        if self._open_until is None:
            return False
        return self._probing or self._clock() < self._open_until

    def require_passage(self) -> None:
        """Let a call through; after the open time exactly one probe.

        Raises:
            DepartmentFailed: PROVIDER_UNAVAILABLE while open.
        """
        if self.is_open:
            raise _failed(Indeterminate.PROVIDER_UNAVAILABLE, Cause.BREAKER_OPEN)
        self._probing = self._open_until is not None

    def record_success(self) -> None:
        """Close: the department answered."""
        self._failures, self._open_until, self._probing = 0, None, False

    def record_failure(self) -> None:
        """Count a failure, open at the limit or when the probe failed."""
        self._failures += 1
        # A failed probe opens at once: one asker has paid, eight need not.
        if self._probing or self._failures >= self._limits.breaker_failures:
            self._open_until = self._clock() + self._limits.breaker_open_s
        self._probing = False

    def record_nothing(self) -> None:
        """End a call that says nothing of the department: cancelled, or the asker had no time."""
        self._probing = False


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
        self._tls = tls
        self._clock = clock
        self._breaker = Breaker(self._limits, clock)
        self._places = asyncio.Semaphore(self._limits.concurrency)
        self._session: aiohttp.ClientSession | None = None

    @property
    def breaker(self) -> Breaker:
        """The breaker, to be looked at by health."""
        return self._breaker

    async def fetch(self, call: HttpCall, deadline: float) -> HttpAnswer:
        """Send one question and return its answer.

        Statuses 1xx, 2xx and 4xx except 429 are returned, and 304 where it was asked for: their
        meaning belongs to the dialect.

        Raises:
            DepartmentFailed: TIMEOUT, UNAVAILABLE, MALFORMED, FAULT or QUOTA.
        """
        attempts = self._limits.attempts if call.idempotent else 1
        attempt = 1
        while True:
            try:
                return await self._attempt(call, deadline)
            except DepartmentFailed as failed:
                pause = self._pause(attempt)
                # A retry that cannot end in time would cost the department a call nobody waits for.
                late = self._clock() + pause >= deadline - RESERVE_S
                if failed.reason not in _RETRIABLE or attempt == attempts or late:
                    _LOG.warning(
                        "department %s: %s, attempt %d", self._department, failed.reason, attempt
                    )
                    raise
            attempt += 1
            await asyncio.sleep(pause)

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _pause(self, attempt: int) -> float:
        # Full jitter: callers that failed together must not come back together.
        return random.uniform(0, self._limits.backoff_s * 2 ** (attempt - 1))  # noqa: S311 - spreads load, guards nothing

    async def _attempt(self, call: HttpCall, deadline: float) -> HttpAnswer:
        remaining = deadline - self._clock() - RESERVE_S
        if remaining <= 0:
            raise _failed(Indeterminate.PROVIDER_TIMEOUT, Cause.ANSWER_LATE)
        async with _Place(self._places, remaining):
            # After the wait for a place: the breaker may have opened meanwhile.
            self._breaker.require_passage()
            remaining = deadline - self._clock() - RESERVE_S
            try:
                answer = await self._send_within(call, remaining)
            except DepartmentFailed as failed:
                self._record(failed.reason, remaining)
                raise
            except asyncio.CancelledError:
                self._breaker.record_nothing()
                raise
        self._breaker.record_success()
        return answer

    def _record(self, reason: Indeterminate, remaining: float) -> None:
        # A department that refuses or mumbles is there; only silence and faults count against it.
        if reason not in _BREAKING:
            self._breaker.record_success()
        elif reason is Indeterminate.PROVIDER_TIMEOUT and remaining < self._limits.fair_s:
            # An asker in a hurry must not close the department to everybody else.
            self._breaker.record_nothing()
        else:
            self._breaker.record_failure()

    async def _send_within(self, call: HttpCall, remaining: float) -> HttpAnswer:
        try:
            async with asyncio.timeout(remaining):
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
            _require_status(response.status, keep_fault=call.keep_fault)
            _require_type(response, call.expect)
            body = await self._read_bounded(response)
            return HttpAnswer(status=response.status, headers=response.headers, body=body)

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
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=self._limits.concurrency, ssl=self._tls or True
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._limits.connect_s),
                trust_env=False,
                auto_decompress=False,
            )
        return self._session


class _Place:
    """A place among the calls in flight, waited for no longer than the deadline allows."""

    def __init__(self, places: asyncio.Semaphore, remaining: float) -> None:
        self._places = places
        self._remaining = remaining

    async def __aenter__(self) -> None:
        try:
            async with asyncio.timeout(self._remaining):
                await self._places.acquire()
        except TimeoutError:
            # Busy with our own calls, so not the breaker's business.
            raise DepartmentFailed(Indeterminate.PROVIDER_UNAVAILABLE) from None

    async def __aexit__(self, *_: object) -> None:
        self._places.release()


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


def _require_status(status: int, *, keep_fault: bool) -> None:
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
