"""The scanner of signed protobuf: one spelling per meaning."""

import re

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet
from hypothesis import given
from hypothesis import strategies as st

from hutong.accesslog.v1.accesslog_pb2 import GetInclusionProofRequest
from hutong.envelope.v1.envelope_pb2 import RequestHeader
from hutong.exchange.v1.exchange_pb2 import ExchangeStatement, SubjectType
from signing.errors import Malformed
from signing.wire import MAX_BYTES, FieldSchema, parse_signed, require_canonical

Classes = dict[str, type[Message]]

_RANGES = {
    FieldDescriptor.TYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_SINT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_SFIXED32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.TYPE_FIXED32: (0, 2**32 - 1),
    FieldDescriptor.TYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_SINT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_SFIXED64: (-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_UINT64: (0, 2**64 - 1),
    FieldDescriptor.TYPE_FIXED64: (0, 2**64 - 1),
}


def _scalar(draw: st.DrawFn, schema: FieldSchema) -> object:
    if schema.enum_type is not None:
        return draw(st.sampled_from([value.number for value in schema.enum_type.values]))
    if schema.type == FieldDescriptor.TYPE_BOOL:
        return draw(st.booleans())
    if schema.type == FieldDescriptor.TYPE_STRING:
        return draw(st.text(st.characters(exclude_categories=["Cs"]), max_size=5))
    if schema.type == FieldDescriptor.TYPE_BYTES:
        return draw(st.binary(max_size=5))
    return draw(st.integers(*_RANGES[schema.type]))


@st.composite
def messages(draw: st.DrawFn, message_class: type[Message], depth: int = 3) -> Message:
    """Draw a message of any schema, a few fields set."""
    message = message_class()
    fields = {schema.number: schema for schema in message.DESCRIPTOR.fields}
    for number in draw(st.sets(st.sampled_from(sorted(fields)), max_size=6)):
        schema = fields[number]
        if schema.message_type is not None:
            if depth == 0:
                continue
            inner = draw(messages(type(_empty(message, schema)), depth - 1))
            if schema.is_repeated:
                getattr(message, schema.name).append(inner)
            else:
                getattr(message, schema.name).CopyFrom(inner)
        elif schema.is_repeated:
            getattr(message, schema.name).extend([_scalar(draw, schema) for _ in range(2)])
        else:
            setattr(message, schema.name, _scalar(draw, schema))
    return message


def _empty(message: Message, schema: FieldSchema) -> Message:
    blank = type(message)()
    if schema.is_repeated:
        added: Message = getattr(blank, schema.name).add()
        return added
    single: Message = getattr(blank, schema.name)
    return single


def _knows_everything(message: Message) -> bool:
    return not UnknownFieldSet(message) and all(
        _knows_everything(inner)
        for schema, value in message.ListFields()
        if schema.message_type is not None
        for inner in (value if schema.is_repeated else [value])
    )


@pytest.fixture
def statement() -> bytes:
    """Give the bytes of a typical statement."""
    message = ExchangeStatement()
    header = message.header
    header.request_id = bytes(range(16))
    header.sender = "11370000MB2DEM0105/retirement"
    header.receiver = "11370000MB2DEM0105/gateway"
    header.method = "/x/Exchange"
    header.issue_time.seconds = 1_795_000_000
    header.issue_time.nanos = 123_000_000
    header.expire_time.seconds = 1_795_000_300
    header.commitment_salt = bytes(range(32))
    message.purpose.matter = "M2"
    message.purpose.case_number = "BJ-2026-0001"
    message.purpose.officer_assertion = "e" * 9
    message.subject.type = SubjectType.SUBJECT_TYPE_RESIDENT_ID
    message.subject.identifier = "11010519491231002X"
    message.query.agreement = "HT-2026-017"
    message.query.dataset = "edu.diploma@1"
    message.query.fields.extend(["degree_level", "status", "degree_level"])
    return message.SerializeToString(deterministic=True)


@given(st.data())
def test_what_the_library_writes_is_accepted(classes: Classes, data: st.DataObject) -> None:
    """Every message in deterministic form passes the scanner and is read back equal."""
    name = data.draw(st.sampled_from(["Every", "Choice"]))
    message = data.draw(messages(classes[name]))

    encoded = message.SerializeToString(deterministic=True)

    assert parse_signed(encoded, classes[name]) == message


@given(st.data())
def test_whatever_is_accepted_is_the_one_spelling(classes: Classes, data: st.DataObject) -> None:
    """Bytes near a message either are refused or serialise to themselves with nothing unknown."""
    message = data.draw(messages(classes["Every"]))
    octets = bytearray(message.SerializeToString(deterministic=True) + b"\x00")
    for _ in range(data.draw(st.integers(1, 3))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    mutated = bytes(octets[: data.draw(st.integers(0, len(octets)))])

    _require_one_spelling_or_refusal(mutated, classes["Every"])


@given(st.data())
def test_what_is_found_without_the_scanner_is_what_it_accepts(
    classes: Classes, data: st.DataObject
) -> None:
    """Bytes near a message are parsed if and only if the scanner accepts them."""
    message = data.draw(messages(classes["Flat"]))
    octets = bytearray(message.SerializeToString(deterministic=True))
    for _ in range(data.draw(st.integers(0, 2))):
        place = data.draw(st.integers(0, len(octets)))
        end = place + data.draw(st.integers(0, 1))
        octets[place:end] = data.draw(st.binary(max_size=2))

    _require_same_judgement(bytes(octets), classes["Flat"])


@pytest.mark.parametrize(
    "octets",
    [
        "b00407",  # one_colour = 7, which has no name
        "ba0402" + "0107",  # many_colour = [1, 7]
        "8201" + "03" + "b00407",  # one_every.one_colour = 7
        "8a01" + "03" + "b00401" + "8a01" + "03" + "b00407",  # the second of many_every
        "f83f01",  # field 1023, which the library would keep and write again
        "8201" + "03" + "f83f01",  # the same one message deeper
    ],
)
def test_what_the_library_keeps_as_it_stood_is_left_to_the_scanner(
    classes: Classes, octets: str
) -> None:
    """Values without a name and unknown fields are written again to the same bytes: refused."""
    carried = bytes.fromhex(octets)
    kept = classes["Flat"].FromString(carried)
    assert kept.SerializeToString(deterministic=True) == carried

    with pytest.raises(Malformed):
        parse_signed(carried, classes["Flat"])


@given(st.binary(max_size=24))
def test_random_bytes_are_refused_or_the_one_spelling(classes: Classes, octets: bytes) -> None:
    """The scanner never passes bytes that mean something else when written again."""
    _require_one_spelling_or_refusal(octets, classes["Every"])
    _require_same_judgement(octets, classes["Flat"])


@pytest.mark.slow
def test_every_single_byte_change_of_a_statement_is_refused_or_canonical(statement: bytes) -> None:
    """All 255 other values at each of its places."""
    for place in range(len(statement)):
        for octet in range(256):
            mutated = statement[:place] + bytes([octet]) + statement[place + 1 :]
            _require_one_spelling_or_refusal(mutated, ExchangeStatement)


def test_every_cut_of_a_statement_is_refused_or_canonical(statement: bytes) -> None:
    """A truncated statement passes at field borders only."""
    for length in range(len(statement)):
        _require_one_spelling_or_refusal(statement[:length], ExchangeStatement)


def _require_same_judgement(octets: bytes, message_class: type[Message]) -> None:
    try:
        require_canonical(octets, message_class.DESCRIPTOR)
    except Malformed as refusal:
        with pytest.raises(Malformed, match=re.escape(str(refusal))):
            parse_signed(octets, message_class)
    else:
        assert parse_signed(octets, message_class) == message_class.FromString(octets)


def _require_one_spelling_or_refusal(octets: bytes, message_class: type[Message]) -> None:
    try:
        message = parse_signed(octets, message_class)
    except Malformed:
        return
    assert message.SerializeToString(deterministic=True) == octets
    assert _knows_everything(message)


@pytest.mark.parametrize(
    ("octets", "rule"),
    [
        ("120161" + "0a0161", "out of order"),
        ("0a0161" + "0a0162", "twice"),
        ("08ff80808080808080808001", "unknown, or wrong wire type"),
        ("888000" + "01", "not minimal"),
        ("a006" + "01", "unknown"),
        ("0800", "unknown, or wrong wire type"),
        ("0b0c", "unknown, or wrong wire type"),
        ("00", "field 0"),
        ("0a", "cut off"),
        ("0a02" + "61", "longer than its message"),
        ("0a8100" + "61", "not minimal"),
        ("0affffffffffffffffff7f", "not minimal"),
        ("0affffffffffffffffffff01", "cut off"),
        ("0a80", "cut off"),
        ("120" + "2c080", "not UTF-8"),
        ("1203eda080", "not UTF-8"),
        ("0a00", "default written out"),
    ],
)
def test_other_spellings_of_a_header_are_refused(octets: str, rule: str) -> None:
    """Each rule of the module, on RequestHeader (1 bytes, 2 string)."""
    with pytest.raises(Malformed, match=rule):
        require_canonical(bytes.fromhex(octets), RequestHeader.DESCRIPTOR)


@pytest.mark.parametrize(
    ("octets", "rule"),
    [
        ("0800", "default written out"),
        ("0802", "outside its type"),
        ("1080808080" + "08", "outside its type"),
        ("2080808080" + "10", "outside its type"),
        ("3080808080" + "10", "outside its type"),
        ("5100000000", "wrong wire type"),
        ("4500000000", "default written out"),
        ("45000000", "cut off"),
        ("490000000000000000", "default written out"),
        ("aa0100", "empty packed list"),
        ("aa010102", "outside its type"),
        ("aa010101" + "aa010101", "twice"),
        ("a80101", "wrong wire type"),
        ("aa010180", "cut off"),
        ("e2010501" + "00000000", "packed list cut off"),
        ("b00402", "outside its type"),
        ("ba040102", "outside its type"),
    ],
)
def test_other_spellings_of_scalars_are_refused(classes: Classes, octets: str, rule: str) -> None:
    """Bools, 32-bit numbers, enums, fixed and packed fields have one spelling each."""
    with pytest.raises(Malformed, match=rule):
        require_canonical(bytes.fromhex(octets), classes["Every"].DESCRIPTOR)


def test_negative_numbers_are_ten_bytes(classes: Classes) -> None:
    """A negative int32 or enum value is sign-extended, and nothing shorter."""
    message = classes["Every"](one_int32=-1, one_colour=-5)

    encoded = message.SerializeToString(deterministic=True)

    require_canonical(encoded, classes["Every"].DESCRIPTOR)
    with pytest.raises(Malformed, match="outside its type"):
        require_canonical(bytes.fromhex("10ffffffff0f"), classes["Every"].DESCRIPTOR)


def test_two_members_of_a_oneof_are_refused(classes: Classes) -> None:
    """The library would keep the last; we keep none."""
    both = bytes.fromhex("0a0161" + "1001")

    with pytest.raises(Malformed, match="second member"):
        require_canonical(both, classes["Choice"].DESCRIPTOR)


def test_members_of_two_oneofs_are_accepted(classes: Classes) -> None:
    """Each oneof is counted by itself, and a member may carry its default."""
    require_canonical(bytes.fromhex("0a00" + "1a00"), classes["Choice"].DESCRIPTOR)


def test_empty_messages_are_accepted_where_presence_is_explicit() -> None:
    """An empty timestamp is present and has no bytes."""
    require_canonical(bytes.fromhex("2a00"), RequestHeader.DESCRIPTOR)
    require_canonical(b"", RequestHeader.DESCRIPTOR)


def test_repeated_timestamp_is_refused() -> None:
    """The library would merge two; we accept one."""
    with pytest.raises(Malformed, match="twice"):
        require_canonical(bytes.fromhex("2a00" + "2a00"), RequestHeader.DESCRIPTOR)


def test_depth_of_nine_is_refused_and_eight_accepted(classes: Classes) -> None:
    """The outermost message counts as the first."""
    nested = b""
    for _ in range(7):
        nested = b"\x82\x01" + bytes([len(nested)]) + nested

    require_canonical(nested, classes["Every"].DESCRIPTOR)
    with pytest.raises(Malformed, match="too deep"):
        require_canonical(b"\x82\x01" + bytes([len(nested)]) + nested, classes["Every"].DESCRIPTOR)


def test_size_bound_is_inclusive() -> None:
    """65,536 bytes pass, one more does not; a caller may set a smaller bound."""
    filler = b"\x0a\xfc\xff\x03" + bytes(MAX_BYTES - 4)

    require_canonical(filler, RequestHeader.DESCRIPTOR)
    with pytest.raises(Malformed, match="too large"):
        require_canonical(filler + b"\x00", RequestHeader.DESCRIPTOR)
    with pytest.raises(Malformed, match="too large"):
        parse_signed(b"\x0a\x01a", RequestHeader, max_bytes=2)


@pytest.mark.parametrize("name", ["WithFloat", "WithMap", "WithUnpacked"])
def test_schema_without_a_signed_spelling_is_a_programming_error(
    classes: Classes, name: str
) -> None:
    """Fractions, maps and unpacked lists are refused at the schema, every time."""
    descriptor = classes[name].DESCRIPTOR

    for _ in range(2):
        with pytest.raises(TypeError):
            require_canonical(b"", descriptor)
        with pytest.raises(TypeError):
            parse_signed(b"", classes[name])


def test_unsigned_numbers_of_64_bits_are_accepted() -> None:
    """The largest index has ten bytes."""
    message = GetInclusionProofRequest(index=2**64 - 1, tree_size=2**63)

    assert parse_signed(message.SerializeToString(), GetInclusionProofRequest) == message


def test_parser_that_refuses_what_the_scanner_accepts_is_malformed(
    classes: Classes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Should the two ever differ, the bytes are refused."""
    monkeypatch.setattr("signing.wire.require_canonical", lambda *_args, **_kw: None)

    with pytest.raises(Malformed, match="parser"):
        parse_signed(b"\x0a", classes["Choice"])
