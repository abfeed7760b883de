"""The two-step key of the share platform against a foreign client and openssl's vectors."""

import base64
import hashlib
import hmac
from uuid import uuid4

import pytest

from adapters.simulators.keyed_hash import sign_text
from adapters.simulators.two_step_key import encrypt_secret
from tests.simulators.police_client import APP_KEY, SID, PoliceClient, decrypt
from tests.simulators.simulator_process import Running

SECRET = "Zm9ydHktdHdvLWJ5dGVzLW9mLXN5bnRoZXRpYy1rZXk="
ENCRYPTED = (
    "AAECAwQFBgcICQoLDA0OD7uBW1Uj7yfbGZ6NzMym/ZzNsRUD5tOPOGLG98k1xx0uHUmPevoOV2UGrr1zoKJKPw=="
)


def test_the_signature_is_that_of_the_published_vector() -> None:
    """Vectors of domain.md 2.1 and of the manual, computed with openssl."""
    text = "s_demo_0001hrss-demo-rid1767225600000"

    assert sign_text(APP_KEY, text) == "YOKkiNGUVdbxkuyn3mnw7lz58ipEiW5WH/KB5S7JunY="
    assert sign_text(SECRET, text) == "d164P7BthB92fhdtuVw+fW77jX6+B8ehtzvt5ZbOzBY="


def test_the_encrypted_secret_is_that_of_the_vector() -> None:
    """What openssl encrypted is what the platform sends."""
    assert encrypt_secret(APP_KEY, SECRET, bytes(range(16))) == ENCRYPTED
    assert decrypt(APP_KEY, ENCRYPTED) == SECRET


def test_a_secret_lives_half_an_hour(police: PoliceClient, public_security: Running) -> None:
    """44 characters, and an end 30 minutes from now."""
    before = public_security.now_ms()

    answer = police.refresh()

    assert answer["code"] == "0"
    assert isinstance(answer["data"], dict)
    assert len(police.key) == 44
    assert 0 <= int(answer["data"]["secretEndTime"]) - before - 1_800_000 < 5_000


def test_each_refresh_gives_another_secret(police: PoliceClient) -> None:
    """A secret is never given twice."""
    police.refresh()
    first = police.key
    police.refresh()

    assert police.key != first


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"gjgxjhpt_sign": "AAAA"}, "E-101"),
        ({"gjgxjhpt_rtime": "1767225600000"}, "E-102"),
        ({"gjgxjhpt_rtime": "1"}, "E-105"),
        ({"gjgxjhpt_rid": ""}, "E-105"),
        ({"gjgxjhpt_sid": "s_unknown"}, "E-106"),
    ],
)
def test_a_wrong_value_has_its_own_code(
    police: PoliceClient, changed: dict[str, str], code: str
) -> None:
    """Signature, time, form and registration are told apart."""
    answer = police.refresh(**changed)

    assert (answer["code"], answer["data"]) == (code, None)


@pytest.mark.parametrize("off_ms", [-301_000, 301_000])
def test_a_time_beyond_five_minutes_is_refused(police: PoliceClient, off_ms: int) -> None:
    """Either way, with a right signature."""
    rtime, rid = str(police.now_ms() + off_ms), uuid4().hex
    digest = hmac.digest(APP_KEY.encode(), f"{SID}{rid}{rtime}".encode(), hashlib.sha256)

    answer = police.refresh(
        gjgxjhpt_rid=rid,
        gjgxjhpt_rtime=rtime,
        gjgxjhpt_sign=base64.b64encode(digest).decode(),
    )

    assert answer["code"] == "E-102"


def test_a_request_id_is_good_once(police: PoliceClient) -> None:
    """The same four values again are a replay."""
    values = police.credentials(APP_KEY)

    assert police.refresh(**values)["code"] == "0"
    assert police.refresh(**values)["code"] == "E-103"


def test_a_wrong_signature_spends_no_request_id(police: PoliceClient) -> None:
    """A stranger cannot spend somebody's id."""
    values = police.credentials(APP_KEY)
    police.refresh(**{**values, "gjgxjhpt_sign": "AAAA"})

    assert police.refresh(**values)["code"] == "0"


def test_a_missing_member_is_refused(police: PoliceClient) -> None:
    """Exactly four members."""
    bodies: list[dict[str, str] | list[str]] = [
        {},
        {**police.credentials(APP_KEY), "more": "1"},
        [],
    ]
    for body in bodies:
        answer = police.http.post(f"{police.url}/gjgxjhpt/secret", json=body)
        assert answer.json()["code"] == "E-105"
