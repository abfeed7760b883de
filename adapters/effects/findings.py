"""COMPARE 核对 and PREDICATE 判断: a finding instead of a value, and PSEUDONYM 化名.

INVARIANT: INDETERMINATE is never turned into NO; what cannot be read is INDETERMINATE.
"""

import base64
import hmac
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Final

from adapters.effects.families import Family, RawValue, parse_count, require_scalar
from adapters.errors import AnswerMalformed, EffectNotApplicable
from adapters.mapping.dates import encode_day, parse_day, parse_month
from adapters.mapping.identifiers import (
    IdentifierKind,
    examine,
    parse_resident_id,
    parse_uscc,
)
from adapters.mapping.names import compare_names, fold_width, has_unreadable
from adapters.port import Finding

# 16 of the 32 bytes: no collision is expected below 2^64 subjects (RFC 2104 5 permits half).
_PSEUDONYM_BYTES: Final = 16
_PSEUDONYM_KEY_BYTES: Final = 32
_PSEUDONYM_TAG: Final = b"hutong/pseudonym/v1\x00"


def pseudonym(value: RawValue, family: Family, key: bytes | None) -> str:
    """Return a stable stand-in for a value: HMAC-SHA-256, 16 bytes, base64url.

    Raises:
        EffectNotApplicable: No key of 32 bytes, or a type that is no text.
    """
    if key is None or len(key) != _PSEUDONYM_KEY_BYTES:
        raise EffectNotApplicable("a pseudonym needs a key of 32 bytes")
    if family in {Family.OPAQUE, Family.LIST, Family.FINDING, Family.TRUTH}:
        raise EffectNotApplicable("a pseudonym stands for one text")
    try:
        text = _normalise(require_scalar(value), family)
    except AnswerMalformed:
        raise EffectNotApplicable("the value has another form than its type") from None
    # The key is of one provider, requester and matter: two of them cannot join their pseudonyms.
    digest = hmac.digest(key, _PSEUDONYM_TAG + text.encode("utf-8"), "sha256")
    return base64.urlsafe_b64encode(digest[:_PSEUDONYM_BYTES]).rstrip(b"=").decode("ascii")


def compare(
    claimed: str | None,
    held: RawValue | None,
    family: Family,
    identifier: IdentifierKind | None = None,
) -> Finding:
    """Return whether the claimed value agrees with the held one after normalisation.

    Nothing claimed is NOT_APPLICABLE: there was nothing to compare, which is no disagreement. A
    claim that has not the form of its type is ERROR: the asker's input, not the subject's value. A
    held value that is absent or has another form than its type is INDETERMINATE. What the
    department compared itself is taken as it said.

    Raises:
        EffectNotApplicable: A list, a photo or a map.
    """
    if isinstance(held, Finding):
        return held
    if family is Family.FINDING and held is None:
        return Finding.INDETERMINATE
    if isinstance(held, tuple) or family in {Family.OPAQUE, Family.LIST, Family.FINDING}:
        raise EffectNotApplicable("only one text can be compared")
    if claimed is None:
        return Finding.NOT_APPLICABLE
    return _compare_texts(claimed, held, family, identifier)


def _compare_texts(
    claimed: str, held: str | None, family: Family, identifier: IdentifierKind | None
) -> Finding:
    try:
        # The claim first: a malformed one is ERROR whether a record exists or not, so it probes
        # nothing.
        wanted = _spell(claimed, family, identifier)
    except AnswerMalformed:
        return Finding.ERROR
    if held is None:
        return Finding.INDETERMINATE
    if family is Family.TEXT and identifier is None:
        found = compare_names(claimed, held)
        # An unreadable character of the asker's choice would tell which of the others are right.
        hidden = found is Finding.NO and has_unreadable(claimed)
        return Finding.INDETERMINATE if hidden else found
    try:
        return Finding.YES if wanted == _spell(held, family, identifier) else Finding.NO
    except AnswerMalformed:
        return Finding.INDETERMINATE


def _spell(text: str, family: Family, identifier: IdentifierKind | None) -> str:
    return _normalise(text, family) if identifier is None else examine(identifier, text).require()


def _normalise(text: str, family: Family) -> str:
    folded = fold_width(text)
    rule = _NORMAL.get(family)
    return rule(folded) if rule else folded.upper()


def _normalise_number(text: str) -> str:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise AnswerMalformed("number") from None
    if not number.is_finite():
        raise AnswerMalformed("number")
    # Adding 0 turns -0 into 0; 1.50 and 1.5 are one number.
    return str(number.normalize() + 0)


def _normalise_truth(text: str) -> str:
    if text.lower() not in {"true", "false"}:
        raise AnswerMalformed("truth value")
    return text.lower()


_NORMAL: Final[Mapping[Family, Callable[[str], str]]] = {
    Family.RESIDENT_ID: parse_resident_id,
    Family.CREDIT_CODE: lambda text: parse_uscc(text).code,
    Family.DAY: encode_day,
    Family.MONTH: parse_month,
    Family.NUMBER: _normalise_number,
    Family.TRUTH: _normalise_truth,
}

Predicate = Callable[[RawValue, tuple[str, ...], date], Finding]
"""Value, parameters after the id, and the day it is in China when the question was asked."""


def decide_predicate(value: RawValue | None, parameters: tuple[str, ...], today: date) -> Finding:
    """Return the finding of the predicate named by the first parameter.

    The ids and their meaning are the closed list of docs and policy (gateway.policy.predicates).

    Raises:
        EffectNotApplicable: Unknown id, wrong parameters, or a value of another kind.
    """
    rule = PREDICATES.get(parameters[0]) if parameters else None
    if rule is None:
        raise EffectNotApplicable("unknown predicate")
    if value is None:
        return Finding.INDETERMINATE
    try:
        return rule(value, parameters[1:], today)
    except AnswerMalformed:
        return Finding.INDETERMINATE


def _finding(*, holds: bool) -> Finding:
    return Finding.YES if holds else Finding.NO


def _is_true(value: RawValue, parameters: tuple[str, ...], _: date) -> Finding:
    _require_no_parameters(parameters)
    if isinstance(value, Finding):
        return value
    return _finding(holds=_normalise_truth(require_scalar(value)) == "true")


def _at_least(value: RawValue, parameters: tuple[str, ...], _: date) -> Finding:
    threshold = parse_count(_require_one_parameter(parameters))
    if isinstance(value, Finding):
        # A department that knows no amount may still know that it cannot tell.
        if value in {Finding.YES, Finding.NO}:
            raise EffectNotApplicable("a threshold needs a number")
        return value
    return _finding(holds=Decimal(_normalise_number(require_scalar(value))) >= threshold)


def _age_at_least(value: RawValue, parameters: tuple[str, ...], today: date) -> Finding:
    years = parse_count(_require_one_parameter(parameters))
    born = parse_day(require_scalar(value))
    if born > today:
        raise AnswerMalformed("born in the future")
    # Reached on the birthday itself; who was born on 29 February: on 1 March of common years.
    age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    return _finding(holds=age >= years)


# A cancelled registration is not always a death, and who moved away may live elsewhere.
_ALIVE: Final = {
    "正常": Finding.YES,
    "注销": Finding.INDETERMINATE,
    "迁出": Finding.INDETERMINATE,
}
# Who draws a pension is past being insured: neither yes nor no.
_INSURED: Final = {
    "参保": Finding.YES,
    "中断": Finding.NO,
    "终止": Finding.NO,
    "领取": Finding.NOT_APPLICABLE,
}


def _by_table(table: Mapping[str, Finding]) -> Predicate:
    def decide(value: RawValue, parameters: tuple[str, ...], _: date) -> Finding:
        _require_no_parameters(parameters)
        return table.get(require_scalar(value), Finding.INDETERMINATE)

    return decide


def _require_no_parameters(parameters: tuple[str, ...]) -> None:
    if parameters:
        raise EffectNotApplicable("takes no parameters")


def _require_one_parameter(parameters: tuple[str, ...]) -> str:
    if len(parameters) != 1:
        raise EffectNotApplicable("takes one parameter")
    return parameters[0]


PREDICATES: Final[Mapping[str, Predicate]] = {
    "is_true": _is_true,
    "at_least": _at_least,
    "age_at_least": _age_at_least,
    "alive": _by_table(_ALIVE),
    "insured": _by_table(_INSURED),
}
