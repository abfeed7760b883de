"""What both generations have in common: codes of the platform, and how a call is carried."""

import logging
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from adapters.errors import DepartmentFailed
from adapters.national.causes import PLATFORM_CAUSES, platform_failure
from adapters.port import Indeterminate
from adapters.transport import HttpAnswer, HttpCall

_LOG: Final = logging.getLogger(__name__)

JSON: Final = "application/json"
NOT_CARRIED: Final = frozenset(
    {"connection", "content-length", "host", "keep-alive", "te", "trailer", "transfer-encoding"}
)
"""Headers that belong to one connection (RFC 9110, 7.6.1), by their lower-case names."""

Send = Callable[[HttpCall], Awaitable[HttpAnswer]]
"""Sends one call to the platform, within the time its caller has left."""

_FAILED: Final = "-1"
_KEY_UNKNOWN: Final = "E-104"
# Refused before the department heard of the call: it may be put once more, with a new id.
_ONCE_MORE: Final = frozenset({"E-103", _KEY_UNKNOWN})


class Dialect(Protocol):
    """One generation of the platform."""

    async def carry(self, call: HttpCall, sid: str, send: Send) -> HttpAnswer:
        """Carry a call of the department under a registered id, once.

        Raises:
            PlatformRefused: the platform says that it did not carry it.
            DepartmentFailed: the platform or the department behind it fails.
            AnswerMalformed: what came is not this dialect.
        """
        ...


class PlatformRefused(Exception):
    """The platform says why it did not carry a call; `code` is its own, judged by `judge`."""

    def __init__(self, code: str) -> None:
        super().__init__("refused by the platform")
        self.code = code


def may_put_once_more(refused: PlatformRefused) -> bool:
    """Tell whether a call may be put again whatever it does: the department has not had it."""
    return refused.code in _ONCE_MORE


def is_key_unknown(refused: PlatformRefused) -> bool:
    """Tell whether the secret has ended or is none of the platform's."""
    return refused.code == _KEY_UNKNOWN


def judge(refused: PlatformRefused) -> DepartmentFailed:
    """Return what a refusal of the platform means to whoever asked."""
    # An unknown code is the platform's text and may say anything.
    known = refused.code if refused.code in PLATFORM_CAUSES else "another code"
    _LOG.warning("national platform: code %s", known)
    if refused.code == _FAILED:
        return platform_failure(_FAILED, Indeterminate.PROVIDER_UNAVAILABLE)
    # Not on the list, a wrong key, a wrong clock: asked again, it would be refused again.
    return platform_failure(refused.code, final=True)
