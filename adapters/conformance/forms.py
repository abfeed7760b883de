"""Whether a value has the form of its catalog type."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

from adapters.effects.families import Family, family_of
from adapters.errors import AdapterError
from adapters.mapping.identifiers import parse_resident_id, parse_uscc
from signing.encoding import JsonValue

_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_MONTH: Final = re.compile(r"[0-9]{4}(0[1-9]|1[0-2])", re.ASCII)
_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?", re.ASCII)
_LENGTH: Final = re.compile(r"str(?:[0-9]+-)?(?P<most>[0-9]+)", re.ASCII)
_DIVISION: Final = re.compile(r"[1-9][0-9]{5}", re.ASCII)
# No code of a department is as long; a text under the name of a code is.
_LONGEST_CODE: Final = 64
_PATTERN: Final = "re:"


def has_form(catalog_type: str, value: JsonValue) -> bool:
    """Tell whether a disclosed value, a text or a list of texts, has the form of its type."""
    family = family_of(catalog_type)
    if family is Family.LIST:
        return isinstance(value, list | tuple)
    if not isinstance(value, str) or not value:
        return False
    if catalog_type.startswith(_PATTERN):
        return re.fullmatch(catalog_type.removeprefix(_PATTERN), value) is not None
    return _FORMS.get(family, _is_text)(catalog_type, value)


def _is_text(catalog_type: str, value: str) -> bool:
    match = _LENGTH.fullmatch(catalog_type)
    return match is None or len(value) <= int(match["most"])


def _is_day(_: str, value: str) -> bool:
    if not _DAY.fullmatch(value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def _is_resident_id(_: str, value: str) -> bool:
    return _is_read_as(parse_resident_id, value)


def _is_code(_: str, value: str) -> bool:
    return len(value) <= _LONGEST_CODE


def _is_credit_code(_: str, value: str) -> bool:
    return _is_read_as(lambda text: parse_uscc(text).code, value)


def _is_read_as(read: Callable[[str], str], value: str) -> bool:
    try:
        return read(value) == value
    except AdapterError:
        return False


_FORMS: Final[Mapping[Family, Callable[[str, str], bool]]] = {
    Family.RESIDENT_ID: _is_resident_id,
    Family.CREDIT_CODE: _is_credit_code,
    Family.CODE: _is_code,
    Family.DIVISION: lambda _, value: _DIVISION.fullmatch(value) is not None,
    Family.DAY: _is_day,
    Family.MONTH: lambda _, value: _MONTH.fullmatch(value) is not None,
    Family.NUMBER: lambda _, value: _NUMBER.fullmatch(value) is not None,
    Family.TRUTH: lambda _, value: value in {"true", "false"},
}
