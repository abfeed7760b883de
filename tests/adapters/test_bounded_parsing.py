"""Parsing of department answers: bounded, strict in charset, without document types."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.errors import AnswerMalformed
from adapters.mapping import documents
from adapters.mapping.dates import encode_day, parse_day, parse_month
from adapters.mapping.documents import MAX_ELEMENTS, parse_json_list, parse_json_object, parse_xml
from adapters.mapping.identifiers import (
    parse_degree_number,
    parse_diploma_number,
    parse_resident_id,
    parse_uscc,
)
from adapters.mapping.names import compare_names, has_private_use, normalise_name, split_characters
from adapters.port import Finding

BOMB = b"""<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;&b;">]><a>&c;</a>"""
OUTSIDE = b"""<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hostname">]><a>&b;</a>"""


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xc0\xee\xc3\xf7",
        "<a>李明</a>".encode("gb18030"),
        b"<a>\x00</a>",
        BOMB,
        OUTSIDE,
        b"<a><b></a>",
        b"<a>&unknown;</a>",
        b'<?xml version="1.0" encoding="GBK"?><a/>',
        b"<?xml nothing?><a/>",
        b"<a>" * 20 + b"</a>" * 20,
        b"<a>" + b"<b/>" * 40_001 + b"</a>",
        "<a/>".encode("utf-16"),
    ],
)
def test_xml_that_is_not_plain_is_malformed(body: bytes) -> None:
    """Charset, document type, depth and size each refuse, and the error quotes nothing."""
    with pytest.raises(AnswerMalformed) as caught:
        parse_xml(body)

    assert "李" not in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        b"<a>" + b"<b/>" * 100_000 + b"</a>",
        b"<a " + b" ".join(b'a%d=""' % number for number in range(100_000)) + b"/>",
    ],
)
def test_large_xml_is_refused_before_a_tree_is_built(
    monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    """The tree is what takes the room: no parser is reached."""
    monkeypatch.delattr(documents, "etree")

    with pytest.raises(AnswerMalformed):
        parse_xml(body)


def test_as_many_elements_as_are_allowed_are_read() -> None:
    """With start and end each, and base64 in them."""
    inner = b"<b>QQ==</b>" * (MAX_ELEMENTS - 1)

    assert len(parse_xml(b"<a>" + inner + b"</a>")) == MAX_ELEMENTS - 1


def test_plain_xml_is_read_with_private_use_characters_kept() -> None:
    """What only its author can read is kept as it is."""
    root = parse_xml('<?xml version="1.0" encoding="UTF-8"?><a><!-- c -->李\ue863</a>'.encode())

    assert root.text == "李\ue863"


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_malformed(body: bytes) -> None:
    """No bytes raise anything else."""
    for parse in (parse_xml, parse_json_object, parse_json_list):
        try:
            parse(body)
        except AnswerMalformed:
            continue


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b'{"a":1,"a":2}',
        b'{"a":1e400}',
        b'{"a":NaN}',
        b'{"a":1.5}',
        b"[" * 5000,
        b'{"a":' * 20 + b"1" + b"}" * 20,
        '{"a":"李明"}'.encode("gbk"),
    ],
)
def test_json_that_two_parsers_read_differently_is_malformed(body: bytes) -> None:
    """Duplicate names, fractions, depth and foreign charsets refuse."""
    with pytest.raises(AnswerMalformed):
        parse_json_object(body)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("37010219560315002x", "37010219560315002X"),
        ("371711196809124454", "371711196809124454"),
        ("130503670401001", "130503196704010016"),
        (" 370102198203150024 ", "370102198203150024"),
    ],
)
def test_a_resident_number_is_read_in_both_generations(text: str, expected: str) -> None:
    """15 digits widen to 18; region codes are never judged."""
    assert parse_resident_id(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "370102198203150025",
        "370102198213150024",
        "37010219820315002",
        "٣70102198203150024",
        "130503671301001",
        "070102198203150024",
    ],
)
def test_a_wrong_resident_number_is_refused_without_quoting_it(text: str) -> None:
    """Form, birth date and check character each refuse."""
    with pytest.raises(AnswerMalformed) as caught:
        parse_resident_id(text)

    assert not text or text not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "agrees"),
    [
        ("91370100MA3FAKE04Q", True),
        ("92370102MA3GEKE74B", True),
        ("11370000MB2DEM0105", True),
        ("52370000MJD000011X", True),
        ("91370100ma3fake041", False),
    ],
)
def test_a_credit_code_with_a_wrong_check_character_is_a_warning(
    text: str, *, agrees: bool
) -> None:
    """Some lawful codes fail their check character, so it never refuses."""
    assert parse_uscc(text).check_agrees is agrees


@pytest.mark.parametrize("text", ["", "91370100MA3FAKE04I", "91370100MA3FAKE0"])
def test_a_text_that_is_no_credit_code_is_refused(text: str) -> None:
    """Length and alphabet do refuse."""
    with pytest.raises(AnswerMalformed):
        parse_uscc(text)


@pytest.mark.parametrize("text", ["104221200405000123", "10422120020500012"])
def test_diploma_numbers_have_17_or_18_digits(text: str) -> None:
    """Both layouts are read."""
    assert parse_diploma_number(text) == text


@pytest.mark.parametrize(
    "text", ["1042242004000123", "10422420040S0123"[:10] + "S00123", "Z1042242004000123"]
)
def test_degree_numbers_have_letters_where_the_rule_puts_them(text: str) -> None:
    """Prefix and second-degree letter are read."""
    assert parse_degree_number(text) == text


@pytest.mark.parametrize("text", ["X1042242004000123", "1042242004", ""])
def test_other_certificate_numbers_are_refused(text: str) -> None:
    """Neither rule admits them."""
    for parse in (parse_degree_number, parse_diploma_number):
        with pytest.raises(AnswerMalformed):
            parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "20040701",
        "2004-07-01",
        "2004-7-1",
        "2004/07/01",
        "2004.7.1",
        "2004年7月1日",
        "20040701083000",
        "1088611200000",
    ],
)
def test_a_day_is_read_in_every_spelling(text: str) -> None:
    """All departments' spellings of one day are one day in China."""
    assert encode_day(text) == "2004-07-01"


@pytest.mark.parametrize("text", ["", "2004-13-01", "20040230", "07/01/2004", "2004", "٢٠٠٤٠٧٠١"])
def test_a_text_that_is_no_day_is_refused(text: str) -> None:
    """No calendar has it, or no department writes so."""
    with pytest.raises(AnswerMalformed):
        parse_day(text)


@pytest.mark.parametrize("text", ["202601", "2026-01", "2026年01月"])
def test_a_month_is_read_in_every_spelling(text: str) -> None:
    """One month, three spellings."""
    assert parse_month(text) == "202601"


@pytest.mark.parametrize("text", ["202613", "2026", "20261"])
def test_a_text_that_is_no_month_is_refused(text: str) -> None:
    """There are twelve."""
    with pytest.raises(AnswerMalformed):
        parse_month(text)


@given(st.text())
def test_a_name_is_itself_however_often_it_is_normalised(text: str) -> None:
    """Normalising is idempotent, and a name always agrees with itself."""
    assert compare_names(text, text) is Finding.YES
    assert compare_names(normalise_name(text), text) is Finding.YES
    assert "".join(split_characters(text)) == text


def test_private_use_characters_are_seen() -> None:
    """A register's own character is flagged; an Ext-B ideograph is an ordinary character."""
    assert has_private_use("李\ue863")
    assert not has_private_use("\U00020bb7野")
