"""The page's vectors, and the rules of its signatures and codes, read from the page."""

import re
from pathlib import Path

import pytest

from adapters.national.causes import PLATFORM_CAUSES
from adapters.national.generation2 import form_text
from adapters.national.secret import unwrap_secret
from adapters.national.signature import Mac, sign_call, signature_of

PAGE = (Path(__file__).parents[3] / "docs" / "adapters" / "national.md").read_text("utf-8")
KEY = "demo-app-key-0001"
VECTOR = re.compile(r"^\| `(sha256|sm3)` \| (?:`(.+)`|同上) \| `(\S{44})` \|$", re.MULTILINE)
_ROWS = VECTOR.findall(PAGE)
VECTORS = [
    (mac, text or _ROWS[number - 1][1], sign) for number, (mac, text, sign) in enumerate(_ROWS)
]


def test_the_page_has_each_vector_for_each_hash() -> None:
    """Four values, form and answer, with both: none was overlooked by the pattern."""
    assert len(VECTORS) == 6
    assert [mac for mac, _, _ in VECTORS] == ["sha256", "sm3"] * 3


@pytest.mark.parametrize(("mac", "text", "sign"), VECTORS)
def test_the_published_signatures_are_reproduced(mac: str, text: str, sign: str) -> None:
    """Computed by openssl, not by us."""
    assert signature_of(KEY, text, Mac(mac)) == sign


def test_the_published_form_is_written_as_published() -> None:
    """By name, without its signature, not percent-encoded."""
    text = next(text for _, text, _ in VECTORS if text.startswith("access_key="))
    form = dict(pair.split("=", 1) for pair in reversed(text.split("&")))

    assert form_text({"sign": "not covered", **form}) == text


def test_the_published_secret_is_unwrapped() -> None:
    """The same vector as on the page of public security."""
    (wrapped,) = re.findall(r"`(AAEC[A-Za-z0-9+/=]+)`", PAGE)
    (plain,) = re.findall(r"明文 `([A-Za-z0-9+/=]{44})`", PAGE)

    assert unwrap_secret(KEY, wrapped) == plain


def test_each_generation_names_its_values() -> None:
    """Its own prefix, its own id each time."""
    one, two = sign_call("s", KEY, 1, prefix="gjzwfwpt"), sign_call("s", KEY, 1)

    assert {name.partition("_")[0] for name in one} == {"gjzwfwpt"}
    assert {name.partition("_")[0] for name in two} == {"gjgxjhpt"}
    assert one["gjzwfwpt_rid"] != two["gjgxjhpt_rid"]


def test_every_code_of_the_page_is_known() -> None:
    """A code that is added to the page and not here would be told to nobody."""
    section = PAGE.split("\n## 6. ")[1].split("\n## ")[0]

    assert (
        set(re.findall(r"^\| `(-1|E-\d{3})` \|", section, re.MULTILINE)) == PLATFORM_CAUSES.keys()
    )
