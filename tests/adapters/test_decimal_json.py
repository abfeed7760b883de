"""JSON with amounts: as strict as JSON without, and no fraction is rounded."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.errors import AnswerMalformed
from adapters.mapping.decimals import parse_decimal_object


def test_amounts_are_exact() -> None:
    """A tenth stays a tenth, and the largest integer that every parser reads alike is read."""
    content = b'{"a":0.1,"b":[-37.5500,100],"c":9007199254740991,"d":{"e":null,"f":true}}'

    read = parse_decimal_object(content)

    assert read == {
        "a": Decimal("0.1"),
        "b": [Decimal("-37.5500"), 100],
        "c": 9007199254740991,
        "d": {"e": None, "f": True},
    }
    assert isinstance(read["a"], Decimal)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"1.5",
        b'{"a":1} {}',
        b'{"a":1,"a":1}',
        b'{"a":[{"b":0.5,"b":0.5}]}',
        b'{"a":1e3}',
        b'{"a":1.5e3}',
        b'{"a":1e400}',
        b'{"a":NaN}',
        b'{"a":-Infinity}',
        b'{"a":0.123456789}',
        b'{"a":12345678901234567.5}',
        b'{"a":9007199254740992}',
        b'{"a":-9007199254740992}',
        b'{"a":' + b"9" * 5000 + b"}",
        b'{"a":"\\ud800"}',
        b'{"\\udfff":1}',
        b'{"a":' * 17 + b"1" + b"}" * 17,
        b'{"a":' + b"[" * 100_000,
        b'{"a":"\x00"}',
        '{"a":"赵明"}'.encode("gbk"),
        '{"a":1}'.encode("utf-16"),
    ],
)
def test_what_two_parsers_read_differently_is_malformed(body: bytes) -> None:
    """Each refuses, and the error quotes nothing."""
    with pytest.raises(AnswerMalformed) as caught:
        parse_decimal_object(body)

    assert "赵" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_pair_of_surrogates_is_one_character() -> None:
    """An escaped character beyond the first plane is whole."""
    assert parse_decimal_object(b'{"a":"\\ud842\\udfb7"}') == {"a": "\U00020bb7"}


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_malformed(body: bytes) -> None:
    """No bytes raise anything else."""
    try:
        parse_decimal_object(body)
    except AnswerMalformed:
        return
