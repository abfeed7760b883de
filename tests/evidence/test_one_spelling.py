"""Canonical JSON and depth: the parts of the one accepted spelling no entry of ours reaches."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.evidence import Malformed
from hutong.evidence.spelling import (
    MAX_JSON_DEPTH,
    MAX_JSON_INTEGER,
    JsonValue,
    encode_canonical_json,
    parse_json,
)

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
_SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-MAX_JSON_INTEGER, MAX_JSON_INTEGER), _TEXT
)
_VALUES: st.SearchStrategy[JsonValue] = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_TEXT, inner, max_size=3)),
    max_leaves=6,
)


def test_names_sort_by_utf_16_code_units() -> None:
    """The sample of RFC 8785 3.2.3, in which a pair of surrogates sorts before U+FB33."""
    names = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]

    written = encode_canonical_json(dict.fromkeys(names, 0))

    assert list(parse_json_names(written)) == [
        "\r",
        "1",
        "\u0080",
        "\u00f6",
        "\u20ac",
        "\U0001f600",
        "\ufb33",
    ]


def parse_json_names(raw: bytes) -> dict[str, JsonValue]:
    """The members of an object, in the order they stand."""
    value = parse_json(raw.decode(), "sample")
    assert isinstance(value, dict)
    return value


def test_strings_escape_as_the_standard_says() -> None:
    """RFC 8785 3.2.2.2: the short escapes, lower-case hexadecimal, and nothing else."""
    written = encode_canonical_json('\u20ac$\x0f\nA\'B"\\\\"/\x7f\u2028')

    assert written == '"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/\x7f\u2028"'.encode()


@given(_VALUES)
def test_canonical_json_is_read_as_it_was_written(value: JsonValue) -> None:
    """Writing and reading are inverses, and writing again changes nothing."""
    written = encode_canonical_json(value)

    again = parse_json(written.decode(), "sample")

    assert again == value
    assert encode_canonical_json(again) == written


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_nesting_is_bounded(opening: str, closing: str) -> None:
    """Eight levels are read, nine are not."""
    deep = opening * MAX_JSON_DEPTH + "1" + closing * MAX_JSON_DEPTH

    assert parse_json(deep, "sample")
    with pytest.raises(Malformed, match="deeper"):
        parse_json(opening + deep + closing, "sample")


def test_brackets_inside_strings_are_no_nesting() -> None:
    """Only the structure counts."""
    text = '["[[[[[[[[[[", "\\"[[[[", {"{": "}"}]'

    assert parse_json(text, "sample") == ["[[[[[[[[[[", '"[[[[', {"{": "}"}]


@pytest.mark.parametrize(
    "text", ["1.0", "1e3", "-0.0", "NaN", "Infinity", "9007199254740992", '{"a":1,"a":1}', "01"]
)
def test_other_numbers_and_repeated_names_are_malformed(text: str) -> None:
    """What other readers would read differently is refused."""
    with pytest.raises(Malformed):
        parse_json(text, "sample")
