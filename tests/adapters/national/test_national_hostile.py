"""A platform of generation 2 that holds the key and breaks the page in one place each."""

import json
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import parse_qsl

import pytest

from adapters.errors import AnswerMalformed, DepartmentFailed
from adapters.national.dialect import PlatformRefused, Send
from adapters.national.generation2 import Generation2
from adapters.national.signature import Mac, signature_of
from adapters.port import Indeterminate
from adapters.transport import HttpAnswer, HttpCall
from tests.adapters.national.riding import ACCESS_KEY, APP_KEY

CALL = HttpCall(
    method="POST",
    path="/api/v1/diplomas/query",
    body='{"xm":"王守仁"}'.encode(),
    headers={"Content-Type": "application/json", "Content-Length": "20"},
    expect="application/json",
    idempotent=True,
)
RESULT = {
    "status": "200",
    "body": '{"result":"FOUND"}',
    "header.content-type": "application/json; charset=utf-8",
    "header.etag": '"1"',
}
Reply = dict[str, object]
Change = Callable[[Reply], object]


def _platform(change: Change, sent: list[dict[str, str]], *, signed_after: bool = True) -> Send:
    """Return a platform that changes its reply before or after it signs it."""

    async def send(call: HttpCall) -> HttpAnswer:
        assert call.body is not None
        form = dict(parse_qsl(call.body.decode(), strict_parsing=True))
        sent.append(form)
        business: Reply = {"code": "0", "status": "success", "result": [dict(RESULT)]}
        reply: Reply = {"code": "1", "msg": "", "biz_data": business}
        reply["request_id"] = form["request_id"]
        if signed_after:
            change(reply)
        text = json.dumps(
            reply["biz_data"], sort_keys=True, separators=(",", ":"), ensure_ascii=False
        )
        told = f"{reply['request_id']}{reply['code']}{text}"
        reply["sign"] = signature_of(APP_KEY, told)
        if not signed_after:
            change(reply)
        return HttpAnswer(status=200, headers={}, body=json.dumps(reply).encode())

    return send


async def _carried(change: Change, call: HttpCall = CALL, *, after: bool = True) -> HttpAnswer:
    dialect = Generation2(
        app_key=APP_KEY, access_key=ACCESS_KEY, mac=Mac.SHA256, now_ms=lambda: 1_795_420_800_000
    )
    return await dialect.carry(call, "s_1", _platform(change, [], signed_after=after))


def _business(reply: Reply) -> Reply:
    business = reply["biz_data"]
    assert isinstance(business, dict)
    return business


def _result(reply: Reply) -> Reply:
    results = _business(reply)["result"]
    assert isinstance(results, list)
    result: Reply = results[0]
    return result


def _set(name: str, value: object) -> Change:
    return lambda reply: _result(reply).update({name: value})


async def test_a_good_reply_is_the_departments_answer() -> None:
    """Status, body, and headers whatever their case."""
    answer = await _carried(lambda _: None)

    assert (answer.status, answer.body) == (200, b'{"result":"FOUND"}')
    assert answer.headers["ETag"] == '"1"'


async def test_the_form_holds_the_call_and_nothing_of_the_connection() -> None:
    """Every value a text, names of headers in lower case."""
    sent: list[dict[str, str]] = []
    dialect = Generation2(
        app_key=APP_KEY, access_key=ACCESS_KEY, mac=Mac.SHA256, now_ms=lambda: 1_767_225_600_000
    )

    await dialect.carry(CALL, "s_1", _platform(lambda _: None, sent))

    assert json.loads(sent[0]["biz_content"]) == {
        "method": "POST",
        "path": "/api/v1/diplomas/query",
        "body": '{"xm":"王守仁"}',
        "header.accept": "application/json",
        "header.content-type": "application/json",
    }
    assert sent[0]["timestamp"] == "20260101080000"


@pytest.mark.parametrize(
    "change",
    [
        lambda reply: reply.pop("biz_data") and reply.update(biz_data=None),
        lambda reply: _business(reply).update(result=[]),
        lambda reply: _business(reply).update(result=[RESULT, RESULT]),
        lambda reply: _business(reply).update(result="text"),
        _set("status", "20"),
        _set("status", "2000"),
        _set("status", "\uff12\uff10\uff10"),
        _set("status", 200),
        _set("body", ""),
        _set("body", {"code": "0", "data": {}}),
        _set("header.content-type", "text/html"),
        _set("header.content-type", "application/json; charset=gbk"),
        _set("header.content-type", "application/jsonp"),
        _set("header.X-Upper", "name"),
        _set("header.x-broken", "two\r\nSet-Cookie: x"),
        _set("header.x-number", 1),
        lambda reply: reply.update(request_id="7f1c0b52-6d0e-4a3c-9a52-0c7f6a9d1e11"),
        lambda reply: reply.update(request_id=1),
    ],
)
async def test_a_reply_of_another_form_is_malformed(change: Change) -> None:
    """Though its signature is right."""
    with pytest.raises(AnswerMalformed):
        await _carried(change)


@pytest.mark.parametrize(
    "change",
    [
        _set("body", '{"result":"NONE"}'),
        lambda reply: reply.update(sign=""),
        lambda reply: reply.update(sign=f"{reply['sign']} "),
    ],
)
async def test_what_was_changed_after_signing_is_malformed(change: Change) -> None:
    """On the way, by whoever."""
    with pytest.raises(AnswerMalformed):
        await _carried(change, after=False)


@pytest.mark.parametrize(
    ("change", "reason", "final"),
    [
        (
            lambda reply: _business(reply).update(code="9"),
            Indeterminate.PROVIDER_UNAVAILABLE,
            False,
        ),
        (lambda reply: _business(reply).update(code="1"), Indeterminate.PROVIDER_FAULT, True),
        (lambda reply: _business(reply).update(code="00"), Indeterminate.PROVIDER_FAULT, True),
        (_set("status", "429"), Indeterminate.PROVIDER_QUOTA, False),
        (_set("status", "503"), Indeterminate.PROVIDER_UNAVAILABLE, False),
        (_set("status", "500"), Indeterminate.PROVIDER_FAULT, False),
        (_set("status", "302"), Indeterminate.PROVIDER_MALFORMED, False),
        (_set("status", "304"), Indeterminate.PROVIDER_MALFORMED, False),
    ],
)
async def test_a_failure_inside_a_success_is_one(
    change: Change, reason: Indeterminate, *, final: bool
) -> None:
    """Though a good result lies beside it."""
    with pytest.raises(DepartmentFailed) as failed:
        await _carried(change)

    assert (failed.value.reason, failed.value.final) == (reason, final)


@pytest.mark.parametrize("code", ["0", "-1", "E-101", "01", ""])
async def test_a_failure_outside_is_one_whatever_lies_inside(code: str) -> None:
    """Signed as well as it may be."""
    with pytest.raises(PlatformRefused):
        await _carried(lambda reply: reply.update(code=code))


async def test_a_304_is_read_where_it_was_asked_for() -> None:
    """It has no body and needs no type."""

    def change(reply: Reply) -> None:
        _result(reply).clear()
        _result(reply).update({"status": "304", "body": "", "header.etag": '"1"'})

    answer = await _carried(change, replace(CALL, keep_unmodified=True))

    assert (answer.status, answer.body, answer.headers["etag"]) == (304, b"", '"1"')
