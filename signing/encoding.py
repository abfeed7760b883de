"""One accepted spelling for everything that is signed or hashed: DSSE, base64url, JSON, digests.

Knows no key and no message of the exchange.
INVARIANT: each `parse_` accepts exactly what its `encode_` writes or, for foreign JSON, refuses
every text that two parsers may read differently.
"""

import binascii
import hashlib
import json
import re
from dataclasses import dataclass
from typing import Final, NoReturn, TypeAlias

from signing.errors import Malformed

JsonValue: TypeAlias = "bool | int | str | list[JsonValue] | dict[str, JsonValue] | None"

MAX_PAYLOAD_TYPE: Final = 128
"""Bytes; envelope.proto, `SignedEnvelope.payload_type`."""
MAX_SAFE_INTEGER: Final = 2**53 - 1
"""RFC 8785 3.2.2.3 and RFC 7493 2.2: larger integers do not survive an ECMAScript parser."""
SALT_LENGTH: Final = 32
"""Bytes of the salt of a commitment (envelope.proto, `RequestHeader.commitment_salt`)."""

# DSSE counts bytes; a printable ASCII type has as many bytes as characters in every language.
_PAYLOAD_TYPE: Final = re.compile(r"[\x21-\x7e]{1,128}")
_MEMBER: Final = re.compile(r"[a-z][a-z_]{0,31}")
# A tag and a zero byte: no digest made for one purpose can be shown for another.
_SUBJECT_TAG: Final = b"hutong/subject/v1\x00"
_REQUEST_ID_LENGTH: Final = 16
# The longest plain spelling of an integer whose absolute value is below 2^53: sign, 16 digits.
_MAX_INTEGER_TEXT: Final = 17


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonLimits:
    """How much JSON is read before it is refused."""

    max_bytes: int
    max_depth: int = 8
    """Nested arrays and objects; 8 as for signed protobuf."""


def require_payload_type(payload_type: str) -> str:
    """Return the payload type when it is printable ASCII of 1 to 128 characters.

    Raises:
        Malformed: it is not.
    """
    if _PAYLOAD_TYPE.fullmatch(payload_type) is None:
        raise Malformed("payload type: 1 to 128 printable ASCII characters")
    return payload_type


def pae(payload_type: str, payload: bytes) -> bytes:
    """Return the pre-authentication encoding (DSSE 1.0.2, protocol.md, "Signature Definition").

    Sample: `DSSEv1 29 http://example.com/HelloWorld 11 hello world`.

    Raises:
        Malformed: the payload type is not printable ASCII of 1 to 128 characters.
    """
    kind = require_payload_type(payload_type).encode("ascii")
    # Both lengths are signed: no byte can move between type and payload and keep the signature.
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def b64url_encode(octets: bytes) -> str:
    """Write bytes as base64url without padding (RFC 7515 section 2)."""
    return (
        binascii.b2a_base64(octets, newline=False).rstrip(b"=").translate(_TO_URL).decode("ascii")
    )


_TO_URL: Final = bytes.maketrans(b"+/", b"-_")
# What the other alphabet spells, and padding, becomes a foreign character.
_FROM_URL: Final = bytes.maketrans(b"-_+/=", b"+/!!!")
# RFC 4648 3.5: what ends a text of each length whose left-over bits, 4 or 2, are zero.
_LAST: Final = {
    0: frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
    1: frozenset(""),  # no bytes have this length
    2: frozenset("AQgw"),
    3: frozenset("AEIMQUYcgkosw048"),
}
_PADDING: Final = (b"", b"", b"==", b"=")


def parse_b64url(text: str) -> bytes:
    """Read base64url without padding in its one spelling.

    Raises:
        Malformed: padding, a foreign character, a left-over bit, or a length no bytes have.
    """
    left_over = len(text) % 4
    # Left-over bits may differ from zero: many texts for one signature, and one record many ids.
    if text and text[-1] not in _LAST[left_over]:
        raise Malformed("base64url: not the one spelling")
    try:
        raw = text.encode("ascii").translate(_FROM_URL)
        return binascii.a2b_base64(raw + _PADDING[left_over], strict_mode=True)
    except ValueError:
        # from None: the cause would carry the text itself, which may hold personal data.
        raise Malformed("base64url: foreign character or length") from None


def parse_json_strict(source: str | bytes, limits: JsonLimits) -> JsonValue:
    """Read JSON that every parser reads alike (RFC 7493, "I-JSON", and without fractions).

    Raises:
        Malformed: too large, too deep, not UTF-8, a name twice in one object, a number that is not
            a plain integer below 2^53 in size, a lone surrogate, or no JSON at all.
    """
    text = _decode_bounded(source, limits.max_bytes).strip(_JSON_SPACE)
    value: JsonValue
    try:
        value, end = _DECODER.raw_decode(text)
    except (ValueError, RecursionError):
        # from None: the cause would carry the document.
        raise Malformed("JSON: syntax") from None
    if end != len(text):
        raise Malformed("JSON: syntax")
    # Counted first, brackets in strings included: nearly every text is shallow and pays no walk.
    if text.count("[") + text.count("{") > limits.max_depth:
        _require_depth(value, limits.max_depth)
    # RFC 8259 8.2: what a parser does with half of a surrogate pair is unpredictable.
    if "\\u" in text:
        encode_json(value)  # refuses a lone surrogate, which only an escape can spell
    return value


def encode_canonical_json(value: JsonValue) -> bytes:
    """Write a value as RFC 8785 does; numbers are integers below 2^53 in size.

    Raises:
        Malformed: a float, a larger integer, a lone surrogate, or any other type.
    """
    return encode_json(_ordered(value))


def encode_json(value: JsonValue) -> bytes:
    """Write a value on one line with its names in the order given: for what nobody re-encodes.

    Raises:
        Malformed: a lone surrogate.
    """
    try:
        return _ENCODER.encode(value).encode("utf-8")
    except UnicodeEncodeError:
        # from None: the cause would carry the text.
        raise Malformed("JSON: lone surrogate") from None


def _decode_bounded(source: str | bytes, max_bytes: int) -> str:
    try:
        if isinstance(source, bytes):
            # Too long is not decoded at all: the refusal costs nothing.
            size, text = len(source), source.decode("utf-8") if len(source) <= max_bytes else ""
        else:
            size, text = len(source.encode("utf-8")), source
    except UnicodeError:
        # from None: the cause would carry the document.
        raise Malformed("JSON: not UTF-8") from None
    if size > max_bytes:
        raise Malformed("JSON: too large")
    return text


def _object_without_repeats(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Malformed("JSON: a name stands twice in one object")
    return members


def _plain_integer(text: str) -> int:
    # Measured before it is converted (CVE-2020-10735). RFC 8785 writes minus zero as 0, so `-0`
    # would be a second spelling.
    if len(text) <= _MAX_INTEGER_TEXT and text != "-0":
        number = int(text)
        if -MAX_SAFE_INTEGER <= number <= MAX_SAFE_INTEGER:
            return number
    raise Malformed("JSON: integer out of range")


def _refuse_number(_text: str) -> NoReturn:
    raise Malformed("JSON: a number that is not a plain integer")


# RFC 8259 2; `raw_decode` is the C scanner without a search for white space around the text.
_JSON_SPACE: Final = " \t\n\r"
# The hooks are called per object and number only.
_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object_without_repeats,
    parse_int=_plain_integer,
    parse_float=_refuse_number,
    parse_constant=_refuse_number,
)
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False)


def _require_depth(value: JsonValue, depth: int) -> None:
    if isinstance(value, list | dict):
        if depth == 0:
            raise Malformed("JSON: too deep")
        for member in value.values() if isinstance(value, dict) else value:
            _require_depth(member, depth - 1)


def _ordered(value: JsonValue) -> JsonValue:
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return value
    if isinstance(value, int):
        if -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER:
            return value
        raise Malformed("JSON: integer out of range")
    if isinstance(value, list):
        return [_ordered(element) for element in value]
    if isinstance(value, dict):
        return {name: _ordered(value[name]) for name in _sorted_names(value)}
    raise Malformed("JSON: a type that has no canonical form")


def _sorted_names(members: dict[str, JsonValue]) -> list[str]:
    """Order names by UTF-16 code units (RFC 8785 3.2.3); ASCII sorts so by itself."""
    try:
        is_ascii = "".join(members).isascii()
    except TypeError:
        # from None: the cause adds nothing but our own line.
        raise Malformed("JSON: a name is not a string") from None
    return sorted(members) if is_ascii else sorted(members, key=_utf16)


def _utf16(name: str) -> bytes:
    return name.encode("utf-16-be", "surrogatepass")


def subject_digest(request_id: bytes, subject_type: str, identifier: str) -> bytes:
    """Bind an assertion or a record to one subject of one request without naming it.

    SHA-256 over `hutong/subject/v1`, a zero byte, the 16 bytes of the request id, and the type and
    the normalised identifier, each after its length in bytes as 16 bits, big-endian.

    Raises:
        Malformed: the request id is not 16 bytes, or a text is longer than 65,535 bytes.
    """
    if len(request_id) != _REQUEST_ID_LENGTH:
        raise Malformed("request id: 16 bytes")
    return hashlib.sha256(
        # The lengths keep ("ab", "c") and ("a", "bc") apart, the request id keeps two requests
        # about one person unlinkable to whoever does not know the person.
        _SUBJECT_TAG + request_id + _prefixed(subject_type) + _prefixed(identifier)
    ).digest()


def _prefixed(text: str) -> bytes:
    octets = text.encode("utf-8")
    if len(octets) >= 1 << 16:
        raise Malformed("subject: a text longer than 65,535 bytes")
    return len(octets).to_bytes(2, "big") + octets


def commitment(member: str, salt: bytes, value: bytes) -> bytes:
    """Commit to the value of one member of a log entry.

    SHA-256 over `hutong/commitment/<member>/v1`, a zero byte, 32 bytes of salt, and the value.

    Raises:
        Malformed: the member is no entry member name, or the salt is not 32 bytes.
    """
    if _MEMBER.fullmatch(member) is None:
        raise Malformed("commitment: member name")
    if len(salt) != SALT_LENGTH:
        raise Malformed("commitment: salt of 32 bytes")
    tag = f"hutong/commitment/{member}/v1".encode("ascii")
    return hashlib.sha256(tag + b"\x00" + salt + value).digest()
