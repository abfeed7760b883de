"""Strict spellings: payload types, base64url, JSON, digests."""

import base64
import contextlib
import hashlib
import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signing.encoding import (
    MAX_SAFE_INTEGER,
    JsonLimits,
    JsonValue,
    b64url_encode,
    commitment,
    encode_canonical_json,
    pae,
    parse_b64url,
    parse_json_strict,
    subject_digest,
)
from signing.errors import Malformed

LIMITS = JsonLimits(max_bytes=1024, max_depth=4)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
values: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers(-MAX_SAFE_INTEGER, MAX_SAFE_INTEGER) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


def test_pae_is_the_published_one() -> None:
    """The example of DSSE's protocol.md is reproduced byte for byte."""
    encoded = pae("http://example.com/HelloWorld", b"hello world")

    assert encoded == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


def test_pae_of_an_empty_payload_ends_in_a_space() -> None:
    """An empty body is length 0, a space and nothing."""
    assert pae("a/b", b"") == b"DSSEv1 3 a/b 0 "


@pytest.mark.parametrize(
    "payload_type", ["", "a b", "a\n", "a\x00", "x" * 129, "政务/类型", "application/é"]
)
def test_payload_type_that_is_not_printable_ascii_is_refused(payload_type: str) -> None:
    """Characters and bytes of an accepted payload type are equal in number."""
    with pytest.raises(Malformed):
        pae(payload_type, b"")


def test_payload_type_of_128_characters_is_accepted() -> None:
    """The bound is inclusive."""
    assert pae("x" * 128, b"").startswith(b"DSSEv1 128 xxx")


@given(st.binary(max_size=100))
def test_base64url_is_its_own_inverse_and_equals_the_library(octets: bytes) -> None:
    """What is written is read back, and equals RFC 7515's spelling of the standard library."""
    text = b64url_encode(octets)

    assert text == base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
    assert parse_b64url(text) == octets


@pytest.mark.parametrize(
    "text", ["YQ==", "YQ=", "A", "AAAAA", "Y+", "Y/", "YR", "YWJ", " YQ", "YQ\n", "Y!Q", "é", "YQ~"]
)
def test_base64url_in_another_spelling_is_refused(text: str) -> None:
    """Padding, foreign alphabets, white space, impossible lengths, left-over bits."""
    with pytest.raises(Malformed):
        parse_b64url(text)


@pytest.mark.parametrize("begun", ["", "Y", "YW", "YWJ"])
def test_base64url_is_accepted_only_as_it_is_written(begun: str) -> None:
    """Of every two last characters in ASCII those are read that the same bytes are written as."""
    for ending in itertools.product(map(chr, range(128)), repeat=2):
        text = begun + "".join(ending)
        with contextlib.suppress(Malformed):
            assert b64url_encode(parse_b64url(text)) == text


@given(values)
def test_canonical_json_is_read_back(value: JsonValue) -> None:
    """Encode and parse are inverses, and encoding again changes nothing."""
    encoded = encode_canonical_json(value)

    read = parse_json_strict(encoded, JsonLimits(max_bytes=1 << 16, max_depth=64))

    assert read == value
    assert encode_canonical_json(read) == encoded


def test_canonical_json_orders_names_by_utf16_units() -> None:
    """RFC 8785 3.2.3's own example order, where code points would order otherwise."""
    last = "\ufb33"
    members: JsonValue = {"€": 1, "\r": 2, last: 3, "1": 4, "😀": 5, "\x80": 6, "ö": 7}

    encoded = encode_canonical_json(members)

    assert list(json.loads(encoded)) == ["\r", "1", "\x80", "ö", "€", "😀", last]


def test_canonical_json_escapes_as_rfc_8785_3_2_2_2() -> None:
    """The RFC's sample string keeps its short escapes and lower-case hexadecimal."""
    encoded = encode_canonical_json('€$\x0f\nA\'B"\\\\"/\x7f')

    assert encoded == '"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/\x7f"'.encode()


@pytest.mark.parametrize(
    "value",
    [1.5, 2**53, -(2**53), b"x", {1: 2}, "\ud800", ["\udfff"], {"\ud800": 1}, (1,), object()],
)
def test_values_without_a_canonical_form_are_refused(value: JsonValue) -> None:
    """Floats, large integers, other types and lone surrogates have none."""
    with pytest.raises(Malformed):
        encode_canonical_json(value)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ('{"a":1,"a":2}', "twice"),
        ('{"x":{"a":1,"\\u0061":2}}', "twice"),
        ("NaN", "not a plain integer"),
        ("[Infinity]", "not a plain integer"),
        ("-Infinity", "not a plain integer"),
        ("1e400", "not a plain integer"),
        ("1.0", "not a plain integer"),
        ("1E2", "not a plain integer"),
        ("-0", "out of range"),
        ("9007199254740992", "out of range"),
        ("-9007199254740992", "out of range"),
        ("1" * 5000, "out of range|too large"),
        ("01", "syntax"),
        ("+1", "syntax"),
        ("1 2", "syntax"),
        ("", "syntax"),
        ("[1,]", "syntax"),
        ("'a'", "syntax"),
        ('"\t"', "syntax"),
        ("\ufeff1", "syntax"),
        ('"\\ud800"', "surrogate"),
        ('{"\\udc00":1}', "surrogate"),
        ("[[[[[1]]]]]", "too deep"),
        ('{"a":{"a":[{"a":{}}]}}', "too deep"),
        ('"' + "x" * 1100 + '"', "too large"),
    ],
)
def test_json_two_parsers_could_read_differently_is_refused(text: str, rule: str) -> None:
    """Each spelling is refused, as text and as bytes, with the rule it breaks."""
    for source in (text, text.encode("utf-8")):
        with pytest.raises(Malformed, match=rule):
            parse_json_strict(source, LIMITS)


@pytest.mark.parametrize("source", [b"\xff", b'"\xed\xa0\x80"', b'"\xc0\x80"', '"\ud800"'])
def test_json_that_is_not_utf8_is_refused(source: str | bytes) -> None:
    """Encoded surrogates and overlong forms are no UTF-8."""
    with pytest.raises(Malformed, match="UTF-8"):
        parse_json_strict(source, LIMITS)


def test_json_nested_beyond_the_stack_is_refused() -> None:
    """100,000 brackets neither crash nor hang."""
    with pytest.raises(Malformed):
        parse_json_strict("[" * 100_000, JsonLimits(max_bytes=1 << 20))


def test_json_with_many_brackets_but_little_depth_is_read() -> None:
    """Depth is counted, not brackets."""
    assert parse_json_strict("[[],[],[],[],[],[],[]]", LIMITS) == [[], [], [], [], [], [], []]


def test_json_with_escaped_text_is_read() -> None:
    """A paired surrogate escape is one character."""
    assert parse_json_strict('"\\ud83d\\ude00"', LIMITS) == "😀"


def test_refusals_do_not_repeat_what_they_refuse() -> None:
    """Neither the text nor the cause of a refusal carries the document."""
    with pytest.raises(Malformed) as refused:
        parse_json_strict('{"name": "李某某"', LIMITS)

    assert "李" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


def test_subject_digest_is_the_documented_hash() -> None:
    """The hash is spelt out here once more, by hand."""
    request_id = bytes(range(16))

    digest = subject_digest(request_id, "RESIDENT_ID", "11010519491231002X")

    assert digest == hashlib.sha256(
        b"hutong/subject/v1\x00" + request_id + b"\x00\x0bRESIDENT_ID\x00\x1211010519491231002X"
    ).digest()  # fmt: skip


def test_subject_digest_separates_type_and_identifier() -> None:
    """Moving a character from the type to the identifier changes the digest."""
    request_id = bytes(16)

    assert subject_digest(request_id, "AB", "C") != subject_digest(request_id, "A", "BC")


@pytest.mark.parametrize(
    ("request_id", "identifier"), [(bytes(15), "x"), (bytes(17), "x"), (bytes(16), "x" * 65_536)]
)
def test_subject_digest_of_other_sizes_is_refused(request_id: bytes, identifier: str) -> None:
    """The request id has 16 bytes; a text fits its 16-bit length."""
    with pytest.raises(Malformed):
        subject_digest(request_id, "USCC", identifier)


def test_commitment_is_the_documented_hash() -> None:
    """Tag, zero byte, salt, value."""
    salt = bytes(range(32))

    digest = commitment("request", salt, b"payload")

    assert (
        digest == hashlib.sha256(b"hutong/commitment/request/v1\x00" + salt + b"payload").digest()
    )


@pytest.mark.parametrize(
    ("member", "salt"),
    [("", bytes(32)), ("a/b", bytes(32)), ("A", bytes(32)), ("a", bytes(31)), ("a", bytes(33))],
)
def test_commitment_with_another_member_or_salt_is_refused(member: str, salt: bytes) -> None:
    """A member that could forge a tag and a salt of another length are refused."""
    with pytest.raises(Malformed):
        commitment(member, salt, b"")
