"""The listener of the face: HTTP over TLS with a client certificate, and nothing that decides.

INVARIANT: the peer is the leaf certificate that TLS has proven; no header names anybody.
"""

import asyncio
import hashlib
import json
import ssl
import time
from collections.abc import Mapping
from typing import Final

from aiohttp import web

from gateway.config import TLS_SUITES
from gateway.credentials import ConfigError, KeyConfig, load_credential
from gateway.errors import Reason
from gateway.legacy.exchange import MAX_BODY, LegacyCall, LegacyExchange
from gateway.legacy.told import Members, tell_answer, tell_refusal, tell_secret
from gateway.metrics import Metrics
from gateway.outcome import Outcome, Refused
from gateway.progress import Peer

BODY_S: Final = 8.0
"""How long a caller may take over its body; a broken call ends within 10 s (decisions.md)."""
_SECRET: Final = "LegacySecret"  # noqa: S105 - the name of a method
_ASK: Final = "LegacyExchange"


def build_context(tls: KeyConfig, roots: bytes) -> ssl.SSLContext:
    """Return the server's side of TLS: our certificate, and whose clients may connect.

    Raises:
        ConfigError: the files hold no usable key and certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(TLS_SUITES)
    context.verify_mode = ssl.CERT_REQUIRED
    try:
        context.load_verify_locations(cadata=roots.decode("ascii"))
        context.load_cert_chain(
            str(tls.certificate), tls.key, password=load_credential(tls.passphrase_file)
        )
    except (ssl.SSLError, OSError, ValueError) as error:
        raise ConfigError("tls: not usable for the legacy face") from error
    return context


class LegacyFace:
    """Serves generation 1 and counts what calls end with."""

    def __init__(self, exchange: LegacyExchange, metrics: Metrics) -> None:
        self._exchange = exchange
        self._metrics = metrics
        self._runner: web.AppRunner | None = None
        self._context: ssl.SSLContext | None = None
        self.port = 0

    def renew(self, context: ssl.SSLContext) -> None:
        """Use this certificate and these roots from the next handshake on."""
        self._context = context

    async def start(self, listen: str, context: ssl.SSLContext) -> None:
        """Bind and serve.

        Raises:
            ConfigError: the address cannot be bound.
        """
        app = web.Application(client_max_size=MAX_BODY)
        app.add_routes(
            [
                web.post("/gjgxjhpt/secret", self._refresh),
                web.post("/gjgxjhpt/rest/{service}", self._ask),
            ]
        )
        self._context = context
        # Called in each handshake, also of a client that names no server: the one place where
        # what has changed since can take the place of what the socket was opened with.
        context.sni_callback = self._hand_over
        # No access log: departments' clients put what they like into paths and headers.
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        host, _, port = listen.rpartition(":")
        try:
            await web.TCPSite(
                self._runner, host.strip("[]"), int(port), ssl_context=context
            ).start()
        except OSError as error:
            raise ConfigError(f"legacy.listen: {listen} cannot be bound") from error
        self.port = int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Stop listening and end every connection."""
        if self._runner is not None:
            await self._runner.cleanup()

    def _hand_over(
        self, handshake: ssl.SSLObject, _name: str | None, _opened: ssl.SSLContext
    ) -> None:
        if self._context is not None:
            handshake.context = self._context

    async def _refresh(self, request: web.Request) -> web.Response:
        started = time.monotonic()
        body = await _read(request)
        values = _members(body) if isinstance(body, bytes) else {}
        call = LegacyCall(peer=_peer(request), values=values, service="", body=b"")
        outcome = await self._exchange.refresh(call)
        self._count(_SECRET, started, outcome)
        if isinstance(outcome, Refused):
            return _json(tell_refusal(outcome), call)
        return _json(tell_secret(outcome), call)

    async def _ask(self, request: web.Request) -> web.Response:
        started = time.monotonic()
        body = await _read(request)
        call = LegacyCall(
            peer=_peer(request),
            values=request.headers,
            service=request.match_info["service"],
            body=body if isinstance(body, bytes) else b"",
        )
        outcome: Outcome
        if isinstance(body, Reason):
            # As at the other door: what cannot be read is nobody's statement.
            outcome = Refused(reason=body, envelope=None)
        else:
            outcome = await self._exchange.ask(call)
        self._count(_ASK, started, outcome)
        if isinstance(outcome, Refused):
            return _json(tell_refusal(outcome), call)
        return _json(tell_answer(outcome), call)

    def _count(self, method: str, started: float, outcome: Outcome) -> None:
        ended, reason = "answered", ""
        if isinstance(outcome, Refused):
            ended, reason = "refused", outcome.reason.value
        self._metrics.exchange_total.of(method, ended, reason).inc()
        self._metrics.exchange_seconds.of(method).observe(time.monotonic() - started)


async def _read(request: web.Request) -> bytes | Reason:
    """Return the body, or why there is none."""
    try:
        async with asyncio.timeout(BODY_S):
            return await request.read()
    except web.HTTPRequestEntityTooLarge:
        return Reason.MESSAGE_TOO_LARGE
    except TimeoutError:
        return Reason.MESSAGE_MISSING


def _members(body: bytes) -> Mapping[str, str]:
    """Return the texts of a JSON object; nothing where it is none, and then the proof fails."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    texts = content.items() if isinstance(content, dict) else ()
    return {name: text for name, text in texts if isinstance(text, str)}


def _peer(request: web.Request) -> Peer:
    transport = request.transport
    tls = None if transport is None else transport.get_extra_info("ssl_object")
    leaf = None if tls is None else tls.getpeercert(binary_form=True)
    return Peer(
        leaf_thumbprint=None if leaf is None else hashlib.sha256(leaf).digest(),
        address=request.remote or "",
    )


def _json(members: Members, call: LegacyCall) -> web.Response:
    rid = call.values.get("gjgxjhpt_rid", "")
    marks = {"gjgxjhpt_code": str(members["code"])}
    # What was no id is not sent back in a header.
    if rid.isascii() and rid.isprintable():
        marks["gjgxjhpt_rid"] = rid[:64]
    return web.Response(
        body=json.dumps(members, ensure_ascii=False).encode(),
        headers={"Content-Type": "application/json; charset=utf-8", **marks},
    )
