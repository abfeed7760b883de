"""Strict YAML: one spelling, no surprise of type, no bomb."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.catalog.document import (
    MAX_CHARACTERS,
    parse_document,
    require_integer,
    require_list,
    require_map,
    require_text,
    require_texts,
)
from gateway.catalog.problems import PolicyReason, PolicyRefused

R = PolicyReason
BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: 1\na: 2\n", R.DUPLICATE_KEY),
        ("a: {b: 1, b: 2}\n", R.DUPLICATE_KEY),
        (BOMB, R.ALIAS_USED),
        ("a: &x 1\nb: *x\n", R.ALIAS_USED),
        ("a: !!python/object/apply:os.system [id]\n", R.WRONG_SHAPE),
        ("a: !own 1\n", R.WRONG_SHAPE),
        ("a: !!binary aGk=\n", R.WRONG_SHAPE),
        ("[" * 20 + "]" * 20, R.WRONG_SHAPE),
        ("? [a]\n: 1\n", R.WRONG_SHAPE),
        ("a: [1\n", R.NOT_YAML),
        ("a: b: c\n", R.NOT_YAML),
        ("", R.NOT_YAML),
        ("--- 1\n--- 2\n", R.NOT_YAML),
        ("a: \x00\n", R.NOT_YAML),
        ("x" * (MAX_CHARACTERS + 1), R.TOO_LARGE),
    ],
)
def test_a_document_with_two_readings_is_refused(text: str, reason: PolicyReason) -> None:
    """Duplicates, aliases, tags, depth, broken syntax, several documents, size."""
    with pytest.raises(PolicyRefused) as refused:
        parse_document(text, "x.yaml")

    assert refused.value.reasons == {reason}


def test_scalars_stay_text_until_asked() -> None:
    """`no`, `1e3`, a date and `~` keep their letters."""
    node = parse_document("[no, 1e3, 2026-01-01, ~, 0x1F, 'y']", "x.yaml")

    assert require_texts(node) == ("no", "1e3", "2026-01-01", "~", "0x1F", "y")


@pytest.mark.parametrize("text", ["1_000", "+7", "٣", "01", "-1", "1.0", "0x10", "9" * 16, "''"])
def test_a_number_has_one_spelling(text: str) -> None:
    """What `int()` would accept is not enough."""
    with pytest.raises(PolicyRefused) as refused:
        require_integer(parse_document(text, "x.yaml"))

    assert refused.value.reasons == {R.WRONG_SHAPE}


def test_a_number_is_read() -> None:
    """Plain decimals."""
    assert require_integer(parse_document("20000", "x.yaml")) == 20_000


def test_shapes_are_told_apart_with_their_position() -> None:
    """Each reader names the line and column of what it did not expect."""
    node = parse_document("a: [x]\nb: {c: d}\n", "x.yaml")
    members = require_map(node, ("a", "b"))

    for reader, name, line in ((require_text, "a", 1), (require_list, "b", 2)):
        with pytest.raises(PolicyRefused) as refused:
            reader(members[name])
        position = refused.value.problems[0].position
        assert (position.file, position.line, position.column) == ("x.yaml", line, 4)
    with pytest.raises(PolicyRefused):
        require_map(members["a"], ())


def test_a_list_with_a_repeated_item_is_refused() -> None:
    """A matter named twice is a slip."""
    with pytest.raises(PolicyRefused) as refused:
        require_texts(parse_document("[M1, M1]", "x.yaml"))

    assert refused.value.reasons == {R.DUPLICATE_KEY}


@given(text=st.text(max_size=60))
def test_whatever_is_written_is_read_or_refused(text: str) -> None:
    """No other exception leaves the reader."""
    with suppress(PolicyRefused):
        parse_document(text, "x.yaml")
