"""What the head of a package must say about who asks and why (manual, section 3.1).

The police trace every look to a person, his unit and a reason; a call without them is refused.
"""

import hmac
import re
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from adapters.simulators.population.identity import is_identity_number
from adapters.simulators.public_security.apps import App
from adapters.simulators.public_security.envelope import Call
from adapters.simulators.public_security.package import Members, PackageRefused
from adapters.simulators.two_step_key import WINDOW_MS
from adapters.simulators.virtual_clock import BEIJING

_CODE: Final = re.compile(r"[0-9A-Za-z]{1,20}")
_CODES: Final = ("QQBWDM", "SJLYXTDM", "QQRDWDM", "QQYWLXDM", "QQYWXTDM")
_NAMES: Final = ("QQBWMC", "SJLYXTMC", "QQRXM", "QQRDWMC", "QQYWLXMC", "QQYWXTMC")
_NAME_LIMIT: Final = 60
_REASON: Final = range(4, 201)


def require_account(call: Call, app: App) -> None:
    """Compare user and password with the registration.

    Raises:
        PackageRefused: 23.
    """
    same_user = hmac.compare_digest(call.user.encode(), app.user.encode())
    same_password = hmac.compare_digest(call.password.encode(), app.password.encode())
    if not (same_user and same_password):
        raise PackageRefused("23")


def require_head(head: Members, now_ms: int) -> None:
    """Judge the head.

    Raises:
        PackageRefused: 20 for a form, 22 for the person or the reason, 24 for the time.
    """
    if not _is_uuid(head["FWQQBH"]):
        raise PackageRefused("20")
    if not all(_CODE.fullmatch(head[name]) for name in _CODES):
        raise PackageRefused("20")
    if not all(0 < len(head[name]) <= _NAME_LIMIT for name in _NAMES):
        raise PackageRefused("20")
    if not is_identity_number(head["QQRGMSFHM"]) or not is_reason(head["CXSY"]):
        raise PackageRefused("22")
    sent_ms = _sent_ms(head["FSSJ"])
    if sent_ms is None or abs(sent_ms - now_ms) > WINDOW_MS:
        raise PackageRefused("24")


def is_reason(text: str) -> bool:
    """Tell whether a text says why somebody is looked up: no test, no digits, no repetition."""
    bare = text.strip()
    if len(bare) not in _REASON or bare.isdigit() or len(set(bare)) == 1:
        return False
    return "测试" not in bare


def _sent_ms(text: str) -> int | None:
    try:
        sent = datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=BEIJING)
    except ValueError:
        return None
    # strptime takes fewer digits than fourteen; the text must come back the same.
    if f"{sent:%Y%m%d%H%M%S}" != text:
        return None
    return int(sent.astimezone(UTC).timestamp() * 1000)


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
