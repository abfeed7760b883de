"""Messages of the platform: published vectors, both layers of success, hostile answers."""

import json
import uuid
from collections.abc import Mapping
from urllib.parse import parse_qsl

import pytest

from adapters.errors import AnswerMalformed, DepartmentFailed
from adapters.kinds.civil_affairs.live import LiveCheck
from adapters.kinds.civil_affairs.platform import (
    PlatformIdentity,
    Refused,
    canonical_text,
    form_text,
    read_reply,
    sign_call,
    signature_of,
)
from adapters.port import Indeterminate
from adapters.transport import DepartmentTransport
from signing.encoding import JsonValue
from tests.adapters.asking import NOW_MS

APP_KEY = "demo-app-key-0001"
IDENTITY = PlatformIdentity(sid="s_demo_0001", access_key="hrss-access-0001", app_key=APP_KEY)
REQUEST = "7f1c0b52-6d0e-4a3c-9a52-0c7f6a9d1e11"
QUESTION = {
    "name_man": "王守仁",
    "cert_num_man": "370102195603159016",
    "item_code": "M4",
    "case_no": "case-0001",
}
NO_MATCH: dict[str, JsonValue] = {
    "code": "0",
    "result": [{"op_date": "", "op_type": "", "op_type_desc": "匹配不成功"}],
    "status": "success",
}


def test_the_published_signature_of_a_head_is_reproduced() -> None:
    """The page's first vector."""
    text = "s_demo_0001hrss-demo-rid1767225600000"

    assert signature_of(APP_KEY, text) == "YOKkiNGUVdbxkuyn3mnw7lz58ipEiW5WH/KB5S7JunY="


def test_the_published_signature_of_a_body_is_reproduced() -> None:
    """The page's second vector: names in order, values before they are percent-encoded."""
    form = {
        "version": "1.0",
        "timestamp": "20260101080000",
        "request_id": REQUEST,
        "format": "json",
        "biz_content": json.dumps(QUESTION, ensure_ascii=False, separators=(",", ":")),
        "access_key": "hrss-access-0001",
    }

    signature = signature_of(APP_KEY, form_text(form))

    assert signature == "Dw2xbXheR3kkeN1MIYPHUa3UlOANkEPaTEE+Zu8nr+o="


def test_the_published_signature_of_an_answer_is_reproduced() -> None:
    """The page's third vector, of a success that found nothing."""
    signature = signature_of(APP_KEY, REQUEST + "1" + canonical_text(NO_MATCH))

    assert signature == "pcbVwgVT7BgNiJ4kZhGtxEEZBWgZUd80rWCXDsSYz10="


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        # By code points: UTF-16 units would put the second name first.
        ({"\U00020bb7": "", "\uff01": ""}, '{"\uff01":"","\U00020bb7":""}'),
        ({"a": ["b", "a"], "A": None}, '{"A":null,"a":["b","a"]}'),
        (
            {"x": '"\\/\b\f\n\r\t\x00\x1f\x7f\u2028'},
            '{"x":"\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\x7f\u2028"}',
        ),
    ],
)
def test_an_answer_has_one_spelling(value: dict[str, JsonValue], expected: str) -> None:
    """The page's rule, and not that of RFC 8785."""
    assert canonical_text(value) == expected


def test_half_a_character_is_malformed() -> None:
    """Nothing can be signed over it."""
    with pytest.raises(AnswerMalformed):
        canonical_text({"x": "\ud800"})


def test_a_question_carries_both_signatures_and_the_time_in_china() -> None:
    """Seven members, signed as they were before the form was encoded."""
    call = sign_call(IDENTITY, QUESTION, NOW_MS)

    form = dict(parse_qsl(call.body.decode("ascii"), strict_parsing=True))
    signature = form.pop("sign")
    assert set(form) == {
        "access_key",
        "biz_content",
        "format",
        "request_id",
        "timestamp",
        "version",
    }
    assert signature == signature_of(APP_KEY, form_text(form))
    assert json.loads(form["biz_content"]) == QUESTION
    assert form["timestamp"] == "20261123160000"
    assert form["request_id"] == call.request_id == str(uuid.UUID(call.request_id))
    head = call.headers
    assert head["gjzwfwpt_rtime"] == str(NOW_MS)
    assert head["gjzwfwpt_sign"] == signature_of(
        APP_KEY, head["gjzwfwpt_sid"] + head["gjzwfwpt_rid"] + head["gjzwfwpt_rtime"]
    )


def test_no_two_calls_share_an_id() -> None:
    """The platform takes each once, and a late answer is known by it."""
    calls = [sign_call(IDENTITY, QUESTION, NOW_MS) for _ in range(100)]

    assert len({call.request_id for call in calls}) == 100
    assert len({call.headers["gjzwfwpt_rid"] for call in calls}) == 100


def test_nothing_of_a_question_stands_in_its_repr() -> None:
    """A trace may show it."""
    call = sign_call(IDENTITY, QUESTION, NOW_MS)

    for secret in ("王守仁", "370102195603159016", APP_KEY, "hrss-access-0001"):
        assert secret not in repr(call) + repr(IDENTITY)


def reply(
    business: JsonValue, *, code: JsonValue = "1", key: str = APP_KEY, **changed: JsonValue
) -> bytes:
    """Return an answer, signed where it can be."""
    text = canonical_text(business)
    members: dict[str, JsonValue] = {
        "code": code,
        "msg": "成功",
        "request_id": REQUEST,
        "biz_data": business,
        **changed,
    }
    members.setdefault("sign", signature_of(key, f"{members['request_id']}{code}{text}"))
    return json.dumps(members, ensure_ascii=False).encode()


def test_both_layers_have_to_say_success() -> None:
    """Outer 1, inner 0."""
    assert read_reply(IDENTITY, REQUEST, reply(NO_MATCH)) == NO_MATCH


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (reply(None, code="-1"), Refused(code="-1", inner=False)),
        (reply(None, code="E-102", sign=""), Refused(code="E-102", inner=False)),
        (reply({"code": "1", "status": "fail"}), Refused(code="1", inner=True)),
        (reply({"code": "9", "status": "fail"}), Refused(code="9", inner=True)),
    ],
)
def test_a_refusal_tells_which_layer_refused(body: bytes, expected: Refused) -> None:
    """The inner 1 is a refusal, where the outer 1 is success."""
    assert read_reply(IDENTITY, REQUEST, body) == expected


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b'{"code": "1", "code": "1"}',
        b'{"code": 1}',
        b"{}",
        reply(NO_MATCH, code="0"),
        reply(NO_MATCH, code=""),
        reply(None, code="E-999"),
        reply(None),
        reply([]),
        reply(NO_MATCH, sign=None),
        reply(NO_MATCH, request_id=None),
        reply({**NO_MATCH, "code": "2"}),
        reply({**NO_MATCH, "code": 0}),
        reply({**NO_MATCH, "status": "fail"}),
        reply({**NO_MATCH, "status": None}),
        b'{"code":"1","x":' + b"[" * 100 + b"]" * 100 + b"}",
        '{"code":"1"}'.encode("utf-16"),
    ],
)
def test_an_answer_of_another_form_is_malformed(body: bytes) -> None:
    """Each member is judged before it is believed."""
    with pytest.raises(AnswerMalformed):
        read_reply(IDENTITY, REQUEST, body)


@pytest.mark.parametrize(
    "body",
    [
        reply(NO_MATCH, key="another-key"),
        reply(NO_MATCH, sign=""),
        reply(NO_MATCH, sign="签名"),
        reply(NO_MATCH, request_id="7f1c0b52-6d0e-4a3c-9a52-0c7f6a9d1e12"),
        reply({**NO_MATCH, "code": "9"}, key="another-key"),
    ],
)
def test_what_is_not_signed_for_this_question_is_unproven(body: bytes) -> None:
    """Also where the register refuses: its refusal is signed."""
    with pytest.raises(DepartmentFailed) as failed:
        read_reply(IDENTITY, REQUEST, body)

    assert failed.value.reason is Indeterminate.PROVIDER_UNPROVEN


def answering(business: Mapping[str, JsonValue]) -> LiveCheck:
    """Return a live check whose platform gives one business part, whatever is asked."""
    transport = DepartmentTransport(department="test", base_url="http://127.0.0.1:9")
    live = LiveCheck(transport, IDENTITY, lambda: NOW_MS)

    async def call(*_: object) -> Mapping[str, JsonValue]:
        return business

    vars(live)["_call"] = call
    return live


ROW: dict[str, JsonValue] = {"a": "b"}


@pytest.mark.parametrize(
    "business",
    [
        {},
        {"rows": None, "returncount": "0", "recordcount": "0"},
        {"rows": {}, "returncount": "0", "recordcount": "0"},
        {"rows": [], "returncount": "0"},
        {"rows": [], "returncount": "0", "recordcount": "1"},
        {"rows": [ROW], "returncount": "0", "recordcount": "0"},
        {"rows": [ROW], "returncount": "1", "recordcount": "2"},
        {"rows": [ROW], "returncount": 1, "recordcount": 1},
        {"rows": [ROW], "returncount": "01", "recordcount": "1"},
        {"rows": ["x"], "returncount": "1", "recordcount": "1"},
        {"rows": [ROW] * 101, "returncount": "101", "recordcount": "101"},
    ],
)
async def test_rows_that_cannot_be_counted_are_malformed(
    business: dict[str, JsonValue],
) -> None:
    """No row is only "not held" where the count says so too."""
    live = answering(business)

    with pytest.raises(AnswerMalformed):
        await live.fetch_rows("cremation", {}, 0)


async def test_rows_that_count_are_taken() -> None:
    """None, and some."""
    none = answering({"rows": [], "returncount": "0", "recordcount": "0"})
    some = answering({"rows": [ROW, ROW], "returncount": "2", "recordcount": "2"})

    assert await none.fetch_rows("cremation", {}, 0) == ()
    assert await some.fetch_rows("cremation", {}, 0) == (ROW, ROW)


@pytest.mark.parametrize("result", [None, [], {}, [ROW, ROW], ["x"]])
async def test_a_verification_has_one_result(result: JsonValue) -> None:
    """Two would be two answers."""
    live = answering({"result": result})

    with pytest.raises(AnswerMalformed):
        await live.fetch_result("marriage_one", {}, 0)


async def test_an_empty_question_that_is_answered_is_no_health() -> None:
    """Whoever answers everything is not the register."""
    live = answering({"rows": [], "returncount": "0", "recordcount": "0"})

    with pytest.raises(AnswerMalformed):
        await live.probe(0)
