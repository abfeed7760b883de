"""The one spelling of signed protobuf: judged before anything in it is believed.

Protobuf itself lets one meaning be spelt in many ways, and parsers differ in what they drop, keep
or repair. Whatever is signed here has one spelling (docs/signing-bytes.md has a refused sample of
each rule):

1. fields stand in ascending order of their numbers;
2. a singular field stands at most once, and of a oneof at most one member stands;
3. each varint has its shortest form and fits its type; a bool is 0 or 1; an enum value is named;
4. a field without explicit presence never carries its default, a packed list is never empty;
5. no unknown field, no wire type the schema does not give, no group;
6. strings are UTF-8; repeated scalars are packed;
7. at most 8 messages deep, and at most the given number of bytes.

The scanner holds bytes to these rules and names the one they break; it walks every byte in Python.
Nearly all messages are spelt right, and those are found without it: by a message that is written
again to the same bytes once unknown fields are gone, and all of whose enum values are named.

Knows descriptors, which are handed in, and no message by name.
INVARIANT: what the scanner accepts re-serialises (deterministically) to itself, and what does so,
knows every field and names every enum value is accepted by the scanner.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias, TypeVar

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError, Message

from signing.errors import Malformed

if TYPE_CHECKING:
    # The stubs know each descriptor class twice: as protobuf documents it, as upb implements it.
    from google._upb import _message as upb
    from google.protobuf.descriptor import EnumDescriptor

MessageSchema: TypeAlias = "Descriptor | upb.Descriptor"
FieldSchema: TypeAlias = "FieldDescriptor | upb.FieldDescriptor"
EnumSchema: TypeAlias = "EnumDescriptor | upb.EnumDescriptor"

MAX_DEPTH: Final = 8
"""Messages inside messages, the outermost counted (decisions.md, "The path, refined")."""
MAX_BYTES: Final = 65_536
"""envelope.proto, `SignedEnvelope.payload`."""

M = TypeVar("M", bound=Message)

# Protobuf encoding guide, "Message structure": the low three bits of a tag.
_VARINT: Final = 0
_FIXED64: Final = 1
_BYTES: Final = 2
_FIXED32: Final = 5
_CONTINUED: Final = 0x80
_MAX_VARINT: Final = 1 << 64
_MAX_VARINT_BYTES: Final = 10

_Judge = Callable[[int], bool]


class _Field(NamedTuple):
    """What may follow one tag. A tuple, because the scanner unpacks it once per field."""

    number: int
    wire_type: int
    repeated: bool
    explicit: bool
    """Whether the field has presence of its own, so that its default may be written."""
    oneof: int
    """A bit of its own per oneof; 0 outside of any."""
    text: bool
    table: "_Table | None"
    judge: _Judge | None
    """For varints: whether a value fits the type."""
    packed: int
    """Wire type of the elements of a packed list; -1 for everything else."""


_Table = dict[int, _Field]


def parse_signed(data: bytes, message_class: type[M], *, max_bytes: int = MAX_BYTES) -> M:
    """Parse one signed message that is in its one spelling.

    Raises:
        Malformed: the bytes are not the one accepted spelling of such a message.
        TypeError: the schema itself cannot be signed (map, group, float).
    """
    if len(data) <= max_bytes:
        message = _parse_as_written(data, message_class)
        if message is not None:
            return message
    require_canonical(data, message_class.DESCRIPTOR, max_bytes=max_bytes)
    try:
        # Only now: the parser drops and repairs in silence, and is not asked for a judgement.
        return message_class.FromString(data)
    except DecodeError as cause:
        raise Malformed("protobuf: the parser refuses what the scanner accepts") from cause


def _parse_as_written(data: bytes, message_class: type[M]) -> M | None:
    """Return a message that could not have been spelt otherwise; None: the scanner has to judge."""
    enums = _list_enums(message_class.DESCRIPTOR)
    if enums is None:
        return None
    try:
        message = message_class.FromString(data)
    except DecodeError:
        return None
    # The library keeps what it does not know, and would write it again as it stood.
    message.DiscardUnknownFields()
    as_written = message.SerializeToString(deterministic=True) == data
    return message if as_written and _are_named(message, enums) else None


def require_canonical(
    data: bytes, descriptor: MessageSchema, *, max_bytes: int = MAX_BYTES
) -> None:
    """Refuse every spelling of the message but one.

    Raises:
        Malformed: a rule of the module's list is broken; names the field number, never a value.
        TypeError: the schema itself cannot be signed (map, group, float).
    """
    if len(data) > max_bytes:
        raise Malformed("protobuf: too large")
    table = _TABLES.get(descriptor) or _compile(descriptor)
    _scan(data, 0, len(data), table, 1)


class _Enum(NamedTuple):
    """A field that holds a value of an enum, or a message with such a field somewhere in it."""

    name: str
    repeated: bool
    named: frozenset[int] | None
    """The values that have a name; None for a message."""
    inside: "tuple[_Enum, ...]"


def _are_named(message: Message, enums: Iterable[_Enum]) -> bool:
    """Say whether the values of these fields have names: the library keeps those that have none."""
    for each in enums:
        value = getattr(message, each.name)
        if each.named is not None:
            numbers: Iterable[int] = value if each.repeated else (value,)
            if not each.named.issuperset(numbers):
                return False
            continue
        inner: Iterable[Message] = value if each.repeated else (value,)
        if not all(_are_named(one, each.inside) for one in inner):
            return False
    return True


@lru_cache(maxsize=64)
def _list_enums(descriptor: MessageSchema) -> tuple[_Enum, ...] | None:
    """Return where the enums of a message are; None for one that may be deeper than allowed."""
    _compile(descriptor)  # refuses a schema that has no signed spelling
    return _enums_inside(descriptor, 1)


def _enums_inside(descriptor: MessageSchema, depth: int) -> tuple[_Enum, ...] | None:
    if depth > MAX_DEPTH:
        return None
    found: list[_Enum] = []
    for schema in descriptor.fields:
        if schema.enum_type is not None:
            named = frozenset(value.number for value in schema.enum_type.values)
            found.append(_Enum(schema.name, schema.is_repeated, named, ()))
        elif schema.message_type is not None:
            inside = _enums_inside(schema.message_type, depth + 1)
            if inside is None:
                return None
            if inside:
                found.append(_Enum(schema.name, schema.is_repeated, None, inside))
    return tuple(found)


def _scan(data: bytes, position: int, end: int, table: _Table, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise Malformed("protobuf: too deep")
    last = 0
    members = 0
    while position < end:
        # Nearly all tags and lengths take one byte; that case stands in line, here and below.
        tag = data[position]
        position += 1
        if tag >= _CONTINUED:
            tag, position = _read_varint(data, position - 1, end)
        # The tag holds number and wire type: one look answers both, and groups are in no table.
        field = table.get(tag)
        if field is None:
            raise Malformed(f"protobuf: field {tag >> 3}: unknown, or wrong wire type")
        number = field.number
        # Protobuf lets a packed list come in pieces and merges a message that stands twice:
        # refused.
        if number <= last and not (number == last and field.repeated and field.packed < 0):
            raise Malformed(f"protobuf: field {number}: out of order, or twice")
        last = number
        if field.oneof:
            if members & field.oneof:
                raise Malformed(f"protobuf: field {number}: second member of a oneof")
            members |= field.oneof
        position = _READERS[field.wire_type](data, position, end, field, depth)


def _read_length_delimited(data: bytes, position: int, end: int, field: _Field, depth: int) -> int:
    if position < end and data[position] < _CONTINUED:
        length, position = data[position], position + 1
    else:
        length, position = _read_varint(data, position, end)
    # Integers do not wrap here; a length of 2^64 - 1 is only too long.
    stop = position + length
    if stop > end:
        raise Malformed(f"protobuf: field {field.number}: longer than its message")
    if field.table is not None:
        _scan(data, position, stop, field.table, depth + 1)
    elif field.packed >= 0:
        _scan_packed(data, position, stop, field)
    elif not length and not field.explicit:
        raise Malformed(f"protobuf: field {field.number}: default written out")
    elif field.text:
        try:
            data[position:stop].decode("utf-8")
        except UnicodeDecodeError:
            # from None: the cause would carry the text.
            raise Malformed(f"protobuf: field {field.number}: not UTF-8") from None
    return stop


def _read_scalar_varint(data: bytes, position: int, end: int, field: _Field, _depth: int) -> int:
    value, position = _read_varint(data, position, end)
    if not value and not field.explicit:
        raise Malformed(f"protobuf: field {field.number}: default written out")
    _require_fit(value, field)
    return position


def _read_fixed(data: bytes, position: int, end: int, field: _Field, _depth: int) -> int:
    stop = position + _FIXED_LENGTHS[field.wire_type]
    if stop > end:
        raise Malformed("protobuf: cut off")
    if not field.explicit and not any(data[position:stop]):
        raise Malformed(f"protobuf: field {field.number}: default written out")
    return stop


_FIXED_LENGTHS: Final = {_FIXED64: 8, _FIXED32: 4}
_READERS: Final = {
    _VARINT: _read_scalar_varint,
    _FIXED64: _read_fixed,
    _BYTES: _read_length_delimited,
    _FIXED32: _read_fixed,
}


def _scan_packed(data: bytes, position: int, stop: int, field: _Field) -> None:
    if position == stop:
        raise Malformed(f"protobuf: field {field.number}: empty packed list")
    if field.packed != _VARINT:
        if (stop - position) % _FIXED_LENGTHS[field.packed]:
            raise Malformed(f"protobuf: field {field.number}: packed list cut off")
        return
    while position < stop:
        value, position = _read_varint(data, position, stop)
        _require_fit(value, field)


def _require_fit(value: int, field: _Field) -> None:
    if field.judge is not None and not field.judge(value):
        raise Malformed(f"protobuf: field {field.number}: value outside its type")


def _read_varint(data: bytes, position: int, end: int) -> tuple[int, int]:
    """Read the shortest spelling of a number below 2^64 (protobuf encoding guide, "Base 128")."""
    if position < end and data[position] < _CONTINUED:
        return data[position], position + 1  # nearly all lengths and values
    value = shift = 0
    limit = min(end, position + _MAX_VARINT_BYTES)
    while position < limit:
        octet = data[position]
        position += 1
        value |= (octet & 0x7F) << shift
        if octet < _CONTINUED:
            # A last group of zeros is padding; the tenth byte may carry no more than one bit.
            if (not octet and shift) or value >= _MAX_VARINT:
                raise Malformed("protobuf: varint not minimal")
            return value, position
        shift += 7
    raise Malformed("protobuf: varint cut off")


_TABLES: Final[dict[MessageSchema, _Table]] = {}


def _compile(descriptor: MessageSchema) -> _Table:
    """Turn a schema into a table from tag to rule, once per message type."""
    known = _TABLES.get(descriptor)
    if known is not None:
        return known
    if descriptor.GetOptions().map_entry:
        raise TypeError(f"{descriptor.full_name}: a map has no signed spelling")
    table: _Table = {}
    _TABLES[descriptor] = table  # before descending: a message may contain itself
    try:
        for schema in descriptor.fields:
            field = _compile_field(schema)
            # One tag per field: a scalar list in the unpacked form is no entry here, so it is
            # unknown.
            table[field.number << 3 | field.wire_type] = field
    except TypeError:
        del _TABLES[descriptor]
        raise
    return table


def _compile_field(schema: FieldSchema) -> _Field:
    element = _WIRE_TYPES.get(schema.type)
    if element is None:
        raise TypeError(f"{schema.full_name}: a group or fraction has no signed spelling")
    packed = schema.is_repeated and element != _BYTES
    # A schema that cannot be signed is our mistake and not a message's: no Malformed.
    if packed and not schema.is_packed:
        raise TypeError(f"{schema.full_name}: repeated scalars are signed packed")
    oneof = schema.containing_oneof
    return _Field(
        number=schema.number,
        wire_type=_BYTES if packed else element,
        repeated=schema.is_repeated,
        explicit=schema.has_presence or schema.is_repeated,
        oneof=0 if oneof is None else 1 << oneof.index,
        text=schema.type == FieldDescriptor.TYPE_STRING,
        table=None if schema.message_type is None else _compile(schema.message_type),
        judge=_judge_of(schema),
        packed=element if packed else -1,
    )


def _judge_of(schema: FieldSchema) -> _Judge | None:
    if schema.enum_type is not None:
        return _named(schema.enum_type)
    return _JUDGES.get(schema.type)


def _named(enum: EnumSchema) -> _Judge:
    # A negative number is written as its two's complement in 64 bits.
    return frozenset(value.number % _MAX_VARINT for value in enum.values).__contains__


def _fits_int32(value: int) -> bool:
    # Negative numbers are sign-extended to 64 bits (encoding guide, "Signed Integers").
    return value < 1 << 31 or value >= _MAX_VARINT - (1 << 31)


def _fits_32_bits(value: int) -> bool:
    return value < 1 << 32


def _is_bool(value: int) -> bool:
    return value <= 1


_JUDGES: Final[dict[int, _Judge]] = {
    FieldDescriptor.TYPE_BOOL: _is_bool,
    FieldDescriptor.TYPE_INT32: _fits_int32,
    FieldDescriptor.TYPE_UINT32: _fits_32_bits,
    FieldDescriptor.TYPE_SINT32: _fits_32_bits,
}
_WIRE_TYPES: Final[dict[int, int]] = {
    FieldDescriptor.TYPE_BOOL: _VARINT,
    FieldDescriptor.TYPE_ENUM: _VARINT,
    FieldDescriptor.TYPE_INT32: _VARINT,
    FieldDescriptor.TYPE_INT64: _VARINT,
    FieldDescriptor.TYPE_UINT32: _VARINT,
    FieldDescriptor.TYPE_UINT64: _VARINT,
    FieldDescriptor.TYPE_SINT32: _VARINT,
    FieldDescriptor.TYPE_SINT64: _VARINT,
    FieldDescriptor.TYPE_FIXED64: _FIXED64,
    FieldDescriptor.TYPE_SFIXED64: _FIXED64,
    FieldDescriptor.TYPE_FIXED32: _FIXED32,
    FieldDescriptor.TYPE_SFIXED32: _FIXED32,
    FieldDescriptor.TYPE_STRING: _BYTES,
    FieldDescriptor.TYPE_BYTES: _BYTES,
    FieldDescriptor.TYPE_MESSAGE: _BYTES,
}
