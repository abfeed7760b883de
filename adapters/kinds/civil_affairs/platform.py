"""The envelope of the platform's second generation: three signatures, two layers of success.

Knows no dataset (docs/adapters/civil_affairs.md, section 3).
INVARIANT: every call and every retry draws a new `rid` and `request_id`.
INVARIANT: nothing of an answer is used before its signature and its `request_id` are proven.
"""

import base64
import hmac
import json
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from adapters.causes import Cause
from adapters.errors import AnswerMalformed, DepartmentFailed
from adapters.kinds.civil_affairs.codes import (
    INNER_FAILURES,
    INNER_OK,
    INNER_STATUS_OK,
    OUTER_CAUSES,
    OUTER_FAILURES,
    OUTER_OK,
)
from adapters.mapping.dates import second_of_ms
from adapters.mapping.documents import parse_json_object, require_text
from adapters.port import Indeterminate
from signing.encoding import JsonValue

Business = Mapping[str, JsonValue]
"""`biz_data` of an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformIdentity:
    """What the platform registered for us (docs/adapters/civil_affairs.md 3.1)."""

    sid: str
    access_key: str = field(repr=False)
    app_key: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedCall:
    """One question, ready to be sent."""

    request_id: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A listed code of one of the two layers instead of an answer."""

    code: str
    inner: bool

    @property
    def reason(self) -> Indeterminate:
        """Why it cannot be told."""
        return (INNER_FAILURES if self.inner else OUTER_FAILURES)[self.code]

    @property
    def cause(self) -> Cause | None:
        """Whose side it lies on; None where the reason says it."""
        return None if self.inner else OUTER_CAUSES.get(self.code, Cause.CODE_REFUSED)


def sign_call(identity: PlatformIdentity, question: Mapping[str, str], now_ms: int) -> SignedCall:
    """Return a question with both of its signatures."""
    request_id = str(uuid.uuid4())
    rid, rtime = secrets.token_hex(16), str(now_ms)
    form = {
        "access_key": identity.access_key,
        "biz_content": json.dumps(dict(question), ensure_ascii=False, separators=(",", ":")),
        "format": "json",
        "request_id": request_id,
        "timestamp": second_of_ms(now_ms),
        "version": "1.0",
    }
    signed = {**form, "sign": signature_of(identity.app_key, form_text(form))}
    return SignedCall(
        request_id=request_id,
        headers={
            "Content-Type": "application/x-www-form-urlencoded",
            "gjzwfwpt_sid": identity.sid,
            "gjzwfwpt_rid": rid,
            "gjzwfwpt_rtime": rtime,
            "gjzwfwpt_sign": signature_of(identity.app_key, identity.sid + rid + rtime),
        },
        body=urlencode(signed).encode("ascii"),
    )


def read_reply(identity: PlatformIdentity, request_id: str, body: bytes) -> Business | Refused:
    """Return the business part of an answer, or the listed code it was refused with.

    Raises:
        AnswerMalformed: Another form than the interface says, or a code it does not list.
        DepartmentFailed: PROVIDER_UNPROVEN when it is not signed, or answers another call.
    """
    members = parse_json_object(body)
    code = require_text(members, "code")
    if code != OUTER_OK:
        # Refusals are not signed: whoever forges one keeps an answer away, as by cutting the wire.
        return _refused(code, OUTER_FAILURES, inner=False)
    answered, business = require_text(members, "request_id"), members.get("biz_data")
    if not isinstance(business, dict):
        raise AnswerMalformed("answer without biz_data")
    expected = signature_of(identity.app_key, answered + code + canonical_text(business))
    proven = hmac.compare_digest(expected.encode(), require_text(members, "sign").encode())
    # A late answer to another question is signed as well as ours.
    if not proven or answered != request_id:
        raise DepartmentFailed(Indeterminate.PROVIDER_UNPROVEN)
    inner = require_text(business, "code")
    if inner != INNER_OK:
        return _refused(inner, INNER_FAILURES, inner=True)
    if require_text(business, "status") != INNER_STATUS_OK:
        raise AnswerMalformed("the register's code and status disagree")
    return business


def _refused(code: str, listed: Mapping[str, Indeterminate], *, inner: bool) -> Refused:
    if code not in listed:
        raise AnswerMalformed("a code the interface does not list")
    return Refused(code=code, inner=inner)


def form_text(form: Mapping[str, str]) -> str:
    """Return what the signature of a body stands over: `name=value` by name, joined by `&`."""
    return "&".join(f"{name}={form[name]}" for name in sorted(form))


def canonical_text(value: JsonValue) -> str:
    """Return the one spelling of `biz_data` that is signed (docs/adapters/civil_affairs.md 3.2).

    By code points and not, as RFC 8785 has it, by UTF-16 units: the platform's rule, not ours.
    """
    try:
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise AnswerMalformed("biz_data holds half a character") from None  # cause: the text
    return text


def signature_of(key: str, text: str) -> str:
    """Return base64(HMAC-SHA256(key, text)), both as UTF-8."""
    digest = hmac.digest(key.encode("utf-8"), text.encode("utf-8"), "sha256")
    return base64.b64encode(digest).decode("ascii")
