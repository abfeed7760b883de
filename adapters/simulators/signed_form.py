"""Judges a call of the national platform, generation 2 (civil_affairs.md 3.1, 3.5; national.md 5).

INVARIANT: a request id is spent only by a request whose header signature is right.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Generic, Protocol, TypeVar
from urllib.parse import parse_qsl
from uuid import UUID

from adapters.simulators.form_signing import form_text
from adapters.simulators.keyed_hash import Mac, is_signed
from adapters.simulators.virtual_clock import BEIJING

WINDOW_MS: Final = 300_000
"""How far the sender's time may lie from ours, either way."""
_TEXT_LIMIT: Final = 64
_MILLISECOND_DIGITS: Final = 13
_SECOND_DIGITS: Final = 14
_HEADERS: Final = ("gjzwfwpt_sid", "gjzwfwpt_rid", "gjzwfwpt_rtime", "gjzwfwpt_sign")
_FORM: Final = frozenset(
    {"access_key", "format", "request_id", "sign", "timestamp", "version", "biz_content"}
)


class PlatformRefused(Exception):
    """The platform refuses a call; the code is one of section 3.5."""

    def __init__(self, code: str, request_id: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.request_id = request_id


class Registered(Protocol):
    """A requester as the platform knows it."""

    @property
    def access_key(self) -> str:
        """What names it in the form."""
        ...

    @property
    def app_key(self) -> str:
        """The key it signs with."""
        ...


A = TypeVar("A", bound=Registered)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[A]):
    """A call that may be answered."""

    app: A
    request_id: str
    biz_content: str = field(repr=False)


@dataclass(slots=True, kw_only=True)
class Platform(Generic[A]):
    """Registered requesters and the request ids they have spent."""

    apps: dict[str, A]
    mac_of: Callable[[A], Mac] = lambda _: Mac.SHA256
    spent: dict[tuple[str, str], int] = field(default_factory=dict, repr=False)

    def require_call(self, headers: Mapping[str, str], body: bytes, now_ms: int) -> Call[A]:
        """Judge headers and form in the documented order.

        Raises:
            PlatformRefused: E-101 to E-109, the first that applies.
        """
        app = self._require_headers(headers, now_ms)
        form = _parse_form(body)
        request_id = form["request_id"]
        if form["access_key"] != app.access_key:
            raise PlatformRefused("E-108", request_id)
        if not is_signed(app.app_key, form_text(form), form["sign"], self.mac_of(app)):
            raise PlatformRefused("E-107", request_id)
        sent = _parse_timestamp(form["timestamp"], request_id)
        if abs(sent - now_ms) > WINDOW_MS:
            raise PlatformRefused("E-109", request_id)
        return Call(app=app, request_id=request_id, biz_content=form["biz_content"])

    def _require_headers(self, headers: Mapping[str, str], now_ms: int) -> A:
        sid, rid, rtime, signature = (headers.get(name, "") for name in _HEADERS)
        if not all(_is_token(text) for text in (sid, rid, signature)):
            raise PlatformRefused("E-105")
        if not _is_digits(rtime, _MILLISECOND_DIGITS):
            raise PlatformRefused("E-105")
        app = self.apps.get(sid)
        if app is None:
            raise PlatformRefused("E-106")
        if abs(int(rtime) - now_ms) > WINDOW_MS:
            raise PlatformRefused("E-102")
        if not is_signed(app.app_key, sid + rid + rtime, signature, self.mac_of(app)):
            raise PlatformRefused("E-101")
        self._spend(sid, rid, now_ms)
        return app

    def _spend(self, sid: str, rid: str, now_ms: int) -> None:
        oldest = now_ms - 2 * WINDOW_MS
        # Insertion order is time order; beyond two windows a replay fails by its time.
        while self.spent and next(iter(self.spent.values())) < oldest:
            self.spent.pop(next(iter(self.spent)))
        if (sid, rid) in self.spent:
            raise PlatformRefused("E-103")
        self.spent[sid, rid] = now_ms


def _parse_form(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            body.decode("utf-8"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=len(_FORM),
        )
    except ValueError as cause:
        raise PlatformRefused("E-108") from cause
    form = dict(pairs)
    # Exactly these, once each: a repeated one would leave open which was signed.
    if len(pairs) != len(_FORM) or form.keys() != _FORM:
        raise PlatformRefused("E-108")
    if not _is_uuid(form["request_id"]):
        raise PlatformRefused("E-108")
    fixed = form["format"] == "json" and form["version"] == "1.0"
    if not fixed or not _is_digits(form["timestamp"], _SECOND_DIGITS):
        raise PlatformRefused("E-108", form["request_id"])
    return form


def _parse_timestamp(text: str, request_id: str) -> int:
    """Read Beijing time as UTC milliseconds."""
    try:
        sent = datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=BEIJING)
    except ValueError as cause:
        raise PlatformRefused("E-108", request_id) from cause
    epoch = datetime.fromtimestamp(0, BEIJING)
    return (sent - epoch) // timedelta(milliseconds=1)


def _is_token(text: str) -> bool:
    return 0 < len(text) <= _TEXT_LIMIT and all("!" <= character <= "~" for character in text)


def _is_digits(text: str, length: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) == length


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
