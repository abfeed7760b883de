"""Requests to the commerce simulator are signed, and the signature is the one of the manual."""

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from adapters.simulators.commerce.keys import BadRegistration, load_keys
from adapters.simulators.commerce.webhooks import sign_delivery
from tests.simulators.commerce_client import BASE, CHANGES, CommerceClient, answer_violates
from tests.simulators.simulator_process import Running

MANUAL = (Path(__file__).resolve().parents[2] / "docs" / "adapters" / "commerce.md").read_text()


def _manual(row: str) -> str:
    found = re.search(rf"^\| {row} \| `(.+)` \|$", MANUAL, re.MULTILINE)
    assert found is not None
    return found[1]


def test_the_vector_of_the_manual() -> None:
    """Digest and signature as an independent client computes them."""
    body = _manual("体（ASCII，无空格）").encode()
    client = CommerceClient(url="", now_ms=lambda: 0, secret=_manual("secret（ASCII）").encode())

    headers = client.headers("POST", BASE, body, _manual("`X-Cm-Date`"))

    assert headers["X-Cm-Digest"] == sha256(body).hexdigest() == _manual("`X-Cm-Digest`")
    assert headers["X-Cm-Signature"] == _manual("`X-Cm-Signature`")


def test_the_webhook_vector_of_the_manual() -> None:
    """A delivery's signature covers id, timestamp and body."""
    signed = sign_delivery(
        b"demo-webhook-secret-01", "cm-00000007", "1793491200", b'{"id":"cm-00000007"}'
    )

    assert f"`{signed}`" in MANUAL


Wrong = Callable[[CommerceClient], httpx.Response]
BODY = b'{"entname":"x","authcode":"HRSS-DEMO","sxbm":"M5","bjbh":"c"}'


def _signed_for(client: CommerceClient, method: str, path: str, body: bytes) -> dict[str, str]:
    return {k.replace("-", "_"): v for k, v in client.headers(method, path, body).items()}


WRONG: dict[str, Wrong] = {
    "unknown key": lambda client: client.send("POST", BASE, BODY, X_Cm_Key="nobody"),
    "another key": lambda client: client.send("POST", BASE, BODY, X_Cm_Key="another"),
    "wrong digest": lambda client: client.send("POST", BASE, BODY, X_Cm_Digest="0" * 64),
    "signature of another path": lambda client: client.send(
        "POST", BASE, BODY, **_signed_for(client, "POST", CHANGES, BODY)
    ),
    "signature of another method": lambda client: client.send(
        "POST", BASE, BODY, **_signed_for(client, "GET", BASE, BODY)
    ),
    "signature of another body": lambda client: client.send(
        "POST", BASE, BODY, **_signed_for(client, "POST", BASE, BODY + b" ")
    ),
    "signature without the query": lambda client: client.send(
        "GET", f"{CHANGES}?limit=5", **_signed_for(client, "GET", CHANGES, b"")
    ),
    "time of another form": lambda client: client.send(
        "POST", BASE, BODY, X_Cm_Date="2026-11-01T00:00:00Z"
    ),
    "another time": lambda client: client.send("POST", BASE, BODY, X_Cm_Date="20261101T000000Z"),
    "no signature": lambda client: client.send("POST", BASE, BODY, X_Cm_Signature=""),
}


@pytest.mark.parametrize("send", WRONG.values(), ids=WRONG.keys())
def test_what_is_not_signed_is_refused_without_saying_why(
    registry: CommerceClient, send: Wrong
) -> None:
    """Key, digest, method, path, query, time and body are all covered."""
    answer = send(registry)

    assert (answer.status_code, answer.json()["code"]) == (401, "4010")


def test_a_good_signature_of_another_time_is_refused(
    registry: CommerceClient, commerce: Running
) -> None:
    """Five minutes are let pass, more are not; a day of no calendar neither."""
    document = registry.document()
    now = commerce.now_ms()

    told = []
    for shift in (-290_000, 290_000, -320_000, 320_000):
        answer = replace(registry, now_ms=partial(int, now + shift)).send("POST", BASE, BODY)
        assert not answer_violates(document, answer)
        told.append(answer.json()["code"])
    headers = registry.headers("POST", BASE, BODY, "20261301T000000Z")
    answer = registry.http.post(
        f"{registry.url}{BASE}",
        content=BODY,
        headers={**headers, "Content-Type": "application/json"},
    )

    assert told == ["2004", "2004", "4011", "4011"]
    assert answer.json()["code"] == "4011"


def test_the_document_needs_no_key(registry: CommerceClient) -> None:
    """Whoever writes a client may read it."""
    assert registry.http.get(f"{registry.url}/openapi.json").status_code == 200


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"keys": [{}]}',
        '{"keys": [{"key_id": "a", "secret": "short", "authcode": "x"}]}',
        '{"keys": [{"key_id": "a b", "secret": "long-enough-secret", "authcode": "x"}]}',
        '{"keys": [{"key_id": "a", "secret": "long-enough-secret", "authcode": ""}]}',
    ],
)
def test_a_bad_registration_file_is_refused(tmp_path: Path, text: str) -> None:
    """No other shape, no short secret, no unusable id, no empty authcode."""
    path = tmp_path / "keys.json"
    path.write_text(text)

    with pytest.raises(BadRegistration):
        load_keys(path)
