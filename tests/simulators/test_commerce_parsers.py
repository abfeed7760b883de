"""Whatever arrives at the commerce simulator is answered in its own dialect."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.simulators.commerce.changes import Feed
from adapters.simulators.commerce.faults import Fault
from adapters.simulators.commerce.questions import CHECKS, COMMON, parse_question
from adapters.simulators.commerce.refusals import Refused
from adapters.simulators.commerce.register import Register
from adapters.simulators.faults import FaultBoard
from adapters.simulators.population import Population
from adapters.simulators.population.employers import find_by_code, find_by_name
from tests.simulators.commerce_client import BASE, CommerceClient

FEED = Feed(Register(people=Population(seed=1, size=10), board=FaultBoard(Fault)))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(body=st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_question_is_read_or_refused(body: bytes) -> None:
    """Nothing but 4000 comes out of the parser."""
    with suppress(Refused):
        parse_question(body, COMMON, CHECKS)


@given(values=st.fixed_dictionaries({name: st.text() for name in (*COMMON, *CHECKS)}))
def test_any_texts_under_the_right_names_are_read_or_refused(values: dict[str, str]) -> None:
    """What is read can be written again in UTF-8."""
    with suppress(Refused):
        parsed = parse_question(json.dumps(values).encode(), COMMON, CHECKS)
        json.dumps(parsed, ensure_ascii=False).encode()


@pytest.mark.parametrize("body", [b"[" * 16_000, b'{"a":' * 3_000])
def test_deep_nesting_is_refused(body: bytes) -> None:
    """A stack is not a place to be filled by strangers."""
    with pytest.raises(Refused):
        parse_question(body, COMMON)


@given(cursor=st.text() | st.binary(max_size=12).map(bytes.hex))
def test_any_cursor_that_is_not_ours_is_refused(cursor: str) -> None:
    """Guessing finds no place in the feed."""
    with pytest.raises(Refused, match="4000"):
        FEED.page(cursor, 5)


@given(text=st.text())
def test_any_text_is_searched_for(text: str) -> None:
    """A code or a name of nobody is nobody's, whatever stands in it."""
    assert find_by_code(1, text) is None
    assert find_by_name(1, text) is None


@pytest.mark.parametrize("name", ["X-Cm-Key", "X-Cm-Date", "X-Cm-Digest", "X-Cm-Signature"])
def test_headers_of_another_encoding_are_refused(registry: CommerceClient, name: str) -> None:
    """Octets that are no UTF-8 are a wrong signature and nothing worse."""
    headers = registry.headers("POST", BASE, b"{}")
    sent = {key.encode(): value.encode() for key, value in headers.items()}

    answer = registry.http.post(
        f"{registry.url}{BASE}", content=b"{}", headers={**sent, name.encode(): b"\xff\xfe"}
    )

    assert (answer.status_code, answer.json()["code"]) == (401, "4010")
