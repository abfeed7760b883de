"""Generation 2: a signed form and a signed result (docs/adapters/national.md, 5).

Two success codes lie in one another, "1" outside and "0" inside; an answer counts with both.
INVARIANT: nothing of an answer is read before its signature and its request id are right.
"""

import hmac
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode

from multidict import CIMultiDict

from adapters.errors import AnswerMalformed, DepartmentFailed
from adapters.mapping.dates import second_of_ms
from adapters.mapping.documents import parse_json_object, require_objects, require_text
from adapters.national.dialect import JSON, NOT_CARRIED, PlatformRefused, Send
from adapters.national.signature import Mac, sign_call, signature_of
from adapters.port import Indeterminate
from adapters.transport import HttpAnswer, HttpCall, require_status
from signing.encoding import JsonValue, encode_canonical_json

_PATH: Final = "/gateway/rest"
_OUTER_OK: Final = "1"
_INNER_OK: Final = "0"
_NO_ANSWER: Final = "9"
_PLATFORM_OK: Final = 200
_NOT_MODIFIED: Final = 304
_STATUS: Final = re.compile(r"[2-5][0-9]{2}", re.ASCII)
_HEADER: Final = "header."
# RFC 9110 5.1 and 5.5: a name is a token; a value that broke its line would start another header.
_NAME: Final = re.compile(r"[a-z0-9-]{1,64}", re.ASCII)
_VALUE: Final = re.compile(r"[ -~]{0,1024}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation2:
    """Signs each call with the application key itself."""

    app_key: str = field(repr=False)
    access_key: str = field(repr=False)
    mac: Mac
    now_ms: Callable[[], int]

    async def carry(self, call: HttpCall, sid: str, send: Send) -> HttpAnswer:
        """Carry a call; see `Dialect.carry`."""
        now_ms, request_id = self.now_ms(), str(uuid.uuid4())
        form = {
            "access_key": self.access_key,
            "format": "json",
            "request_id": request_id,
            "timestamp": second_of_ms(now_ms),
            "version": "1.0",
            "biz_content": encode_canonical_json(_content(call)).decode("utf-8"),
        }
        form["sign"] = signature_of(self.app_key, form_text(form), self.mac)
        proof = sign_call(sid, self.app_key, now_ms, prefix="gjzwfwpt", mac=self.mac)
        answer = await send(
            HttpCall(
                method="POST",
                path=_PATH,
                body=urlencode(form).encode("ascii"),
                headers={"Content-Type": "application/x-www-form-urlencoded", **proof},
                expect=JSON,
                idempotent=call.idempotent,
            )
        )
        return _unwrap(call, self._open(answer, request_id))

    def _open(self, answer: HttpAnswer, request_id: str) -> Mapping[str, JsonValue]:
        """Return `biz_data` once it is proven to be the answer to this request."""
        reply = parse_json_object(answer.body)
        code = require_text(reply, "code")
        if answer.status != _PLATFORM_OK or code != _OUTER_OK:
            # Whatever lies inside: outside it is refused, and a refusal is not signed.
            raise PlatformRefused(code)
        business = reply.get("biz_data")
        if not isinstance(business, dict):
            raise AnswerMalformed("answer without biz_data")
        told = require_text(reply, "request_id")
        text = told + code + encode_canonical_json(business).decode("utf-8")
        expected = signature_of(self.app_key, text, self.mac)
        # As text and in constant time: another base64 spelling is another signature.
        shown = require_text(reply, "sign").encode("utf-8")
        if not hmac.compare_digest(expected.encode("ascii"), shown):
            raise AnswerMalformed("signature of an answer")
        if told != request_id:
            raise AnswerMalformed("answer to another request")
        return business


def form_text(form: Mapping[str, str]) -> str:
    """Return what the form's signature covers: all but itself, by name, before it is encoded."""
    return "&".join(f"{name}={form[name]}" for name in sorted(form) if name != "sign")


def _content(call: HttpCall) -> dict[str, JsonValue]:
    headers: dict[str, JsonValue] = {
        _HEADER + name.lower(): text
        for name, text in {"Accept": call.expect, **call.headers}.items()
        if name.lower() not in NOT_CARRIED
    }
    body = b"" if call.body is None else call.body
    return {"method": call.method, "path": call.path, "body": body.decode("utf-8"), **headers}


def _unwrap(call: HttpCall, business: Mapping[str, JsonValue]) -> HttpAnswer:
    inner = require_text(business, "code")
    if inner == _NO_ANSWER:
        raise DepartmentFailed(Indeterminate.PROVIDER_UNAVAILABLE)
    if inner != _INNER_OK:
        # The platform took the form and not what lies in it: asked again, it would not either.
        raise DepartmentFailed(Indeterminate.PROVIDER_FAULT, final=True)
    (result,) = require_objects(business, "result", at_most=1)
    told = require_text(result, "status")
    if not _STATUS.fullmatch(told):
        raise AnswerMalformed("status of the department's answer")
    status, headers = int(told), _headers(result)
    if status == _NOT_MODIFIED and call.keep_unmodified:
        return HttpAnswer(status=status, headers=headers, body=b"")
    require_status(status, keep_fault=call.keep_fault)
    body = require_text(result, "body").encode("utf-8")
    if not body or not _is_of(headers.get("Content-Type", ""), call.expect):
        raise AnswerMalformed("type of the department's answer")
    return HttpAnswer(status=status, headers=headers, body=body)


def _headers(result: Mapping[str, JsonValue]) -> Mapping[str, str]:
    headers: CIMultiDict[str] = CIMultiDict()
    for name in result:
        if not name.startswith(_HEADER):
            continue
        bare, text = name.removeprefix(_HEADER), require_text(result, name)
        if not _NAME.fullmatch(bare) or not _VALUE.fullmatch(text):
            raise AnswerMalformed("header of the department's answer")
        headers[bare] = text
    return headers


def _is_of(content_type: str, expected: str) -> bool:
    media, _, parameter = content_type.lower().partition(";")
    return media.strip() == expected and parameter.strip() in {"", "charset=utf-8"}
