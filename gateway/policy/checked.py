"""Reads the checked expression of a condition and admits the subset we evaluate ourselves.

Reads `cel.expr.CheckedExpr` (CEL specification, checked.proto and syntax.proto) as the compiler
serialises it. The subset: facts, constants (bool, int, string), comparisons, `&&`, `||`, `!`, and
`in` over a list of constants. No macros, no functions, no arithmetic, no member access: nothing
that can fail, run long, or read a clock.

INVARIANT: a node of the result is of the subset; everything else was refused here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from gateway.catalog.problems import PolicyReason
from gateway.policy.errors import ConditionRefused

Value = bool | int | str

COMPARISONS: Final = frozenset({"_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_"})
CONNECTIVES: Final = frozenset({"_&&_", "_||_"})
NEGATION: Final = "!_"
MEMBERSHIP: Final = "@in"
MAX_DEPTH: Final = 16
"""Nesting of one condition; the deepest of the sandbox has 4."""

# Field numbers of google.protobuf.Any, CheckedExpr, Expr, Constant, Expr.Call, Expr.Ident,
# Expr.CreateList.
_ANY_VALUE: Final = 2
_CHECKED_EXPR: Final = 4
_EXPR_ID: Final = 2
_EXPR_CONSTANT: Final = 3
_EXPR_IDENTIFIER: Final = 4
_EXPR_CALL: Final = 6
_EXPR_LIST: Final = 7
_CONSTANT_BOOL: Final = 2
_CONSTANT_INT: Final = 3
_CONSTANT_STRING: Final = 6
_CALL_TARGET: Final = 1
_CALL_FUNCTION: Final = 2
_CALL_ARGUMENTS: Final = 3
_IDENTIFIER_NAME: Final = 1
_LIST_ELEMENTS: Final = 1

_WIRE_VARINT: Final = 0
_WIRE_LENGTH: Final = 2
_CONTINUATION: Final = 0x80
_SIGN_BIT: Final = 1 << 63


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant:
    """A literal."""

    value: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A name of the vocabulary."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """The list of constants on the right of `in`."""

    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """An operator of the subset over its operands."""

    operator: str
    operands: tuple["Expression", ...]


Expression = Constant | Fact | Members | Call


def parse_checked(serialized: bytes) -> Expression:
    """Parse a serialised checked expression (an `Any` around a `CheckedExpr`).

    Raises:
        ConditionRefused: CONDITION_OUTSIDE_SUBSET.
    """
    return _parse_node(_only(_only(serialized, _ANY_VALUE), _CHECKED_EXPR), MAX_DEPTH)


def list_facts(expression: Expression) -> frozenset[str]:
    """Return the facts an expression names."""
    match expression:
        case Fact(name=name):
            return frozenset({name})
        case Call(operands=operands):
            names: set[str] = set()
            for operand in operands:
                names |= list_facts(operand)
            return frozenset(names)
        case _:
            return frozenset()


def _parse_node(node: bytes, depth: int) -> Expression:
    kinds = [(number, value) for number, value in _scan(node) if number != _EXPR_ID]
    if depth == 0 or len(kinds) != 1:
        raise _outside("nested too deep or empty")
    number, value = kinds[0]
    if isinstance(value, bytes):
        if number == _EXPR_CONSTANT:
            return Constant(value=_parse_constant(value))
        if number == _EXPR_IDENTIFIER:
            return Fact(name=_only(value, _IDENTIFIER_NAME).decode())
        if number == _EXPR_CALL:
            return _parse_call(value, depth)
        if number == _EXPR_LIST:
            return _parse_members(value, depth)
    raise _outside("macro, member access or message")


def _parse_call(value: bytes, depth: int) -> Expression:
    parts = list(_scan(value))
    # A target means a method, and methods are functions somebody else defines.
    if any(number == _CALL_TARGET for number, _ in parts):
        raise _outside("method call")
    operator = _only(value, _CALL_FUNCTION).decode()
    operands = tuple(
        _parse_node(part, depth - 1)
        for number, part in parts
        if number == _CALL_ARGUMENTS and isinstance(part, bytes)
    )
    _require_operator(operator, operands)
    return Call(operator=operator, operands=operands)


def _require_operator(operator: str, operands: tuple[Expression, ...]) -> None:
    if operator == MEMBERSHIP:
        if not isinstance(operands[1], Members):
            raise _outside("`in` needs a list of constants")
        return
    if operator not in COMPARISONS | CONNECTIVES | {NEGATION}:
        raise _outside(f"operator or function {operator}")
    if any(isinstance(operand, Members) for operand in operands):
        raise _outside("a list outside `in`")


def _parse_members(value: bytes, depth: int) -> Members:
    values: list[Value] = []
    for number, part in _scan(value):
        node = _parse_node(part, depth - 1) if isinstance(part, bytes) else None
        if number != _LIST_ELEMENTS or not isinstance(node, Constant):
            raise _outside("a list with something else than constants")
        values.append(node.value)
    return Members(values=tuple(values))


def _parse_constant(value: bytes) -> Value:
    parts = list(_scan(value))
    if len(parts) == 1:
        number, part = parts[0]
        if number == _CONSTANT_BOOL and isinstance(part, int):
            return bool(part)
        if number == _CONSTANT_INT and isinstance(part, int):
            return part - 2 * _SIGN_BIT if part & _SIGN_BIT else part
        if number == _CONSTANT_STRING and isinstance(part, bytes):
            return part.decode()
    raise _outside("a literal that is not bool, int or string")


def _only(message: bytes, wanted: int) -> bytes:
    found = [value for number, value in _scan(message) if number == wanted]
    if len(found) != 1 or not isinstance(found[0], bytes):
        raise _outside("unexpected structure")
    return found[0]


def _scan(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield field number and value of a protobuf message of varints and length-delimited fields."""
    at = 0
    while at < len(message):
        key, at = _read_varint(message, at)
        number, wire = key >> 3, key & 7
        size_or_value, at = _read_varint(message, at)
        if wire == _WIRE_VARINT:
            yield number, size_or_value
        elif wire == _WIRE_LENGTH and at + size_or_value <= len(message):
            yield number, message[at : at + size_or_value]
            at += size_or_value
        else:
            # Doubles are 64-bit fields: they end here, before anybody compares fractions.
            raise _outside("unexpected wire type")


def _read_varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(message):
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < _CONTINUATION:
            return value, at
        shift += 7
    raise _outside("truncated")


def _outside(what: str) -> ConditionRefused:
    return ConditionRefused(PolicyReason.CONDITION_OUTSIDE_SUBSET, what)
