"""Puts a call to the department behind the platform, and returns what it answers, unread."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import aiohttp

from adapters.simulators.national.apps import App

_TIME_S: Final = 30.0
_NOT_CARRIED: Final = frozenset(
    {"connection", "content-length", "host", "keep-alive", "te", "trailer", "transfer-encoding"}
)
_OURS: Final = ("gjgxjhpt_", "gjzwfwpt_")


class NoAnswer(Exception):
    """The department does not answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What the department is asked."""

    method: str
    path: str = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What it answered."""

    status: int
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def content_type(self) -> str:
        """Its type as it was sent."""
        found = [text for name, text in self.headers if name.lower() == "content-type"]
        return found[0] if found else "application/octet-stream"


async def forward(app: App, call: Call) -> Answer:
    """Ask the department of a requester.

    Raises:
        NoAnswer: it cannot be reached, is too slow or breaks off.
    """
    # A session for each call: a department that is restarted between two tests is found again.
    try:
        async with (
            aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=_TIME_S),
                auto_decompress=False,
                trust_env=False,
                cookie_jar=aiohttp.DummyCookieJar(),
            ) as session,
            session.request(
                call.method,
                app.target + call.path,
                data=call.body or None,
                headers=carried(call.headers),
                allow_redirects=False,
                skip_auto_headers=("User-Agent", "Content-Type", "Accept", "Accept-Encoding"),
            ) as reply,
        ):
            return Answer(
                status=reply.status,
                headers=carried(reply.headers.items()),
                body=await reply.read(),
            )
    except (aiohttp.ClientError, TimeoutError, OSError) as cause:
        raise NoAnswer from cause


def carried(headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Keep what goes from end to end and is not the platform's own."""
    return tuple(
        (name, text)
        for name, text in headers
        if name.lower() not in _NOT_CARRIED and not name.lower().startswith(_OURS)
    )
