"""Effects: their one spelling, the order "tells at most as much", and the meet of two.

Knows nothing of values: `adapters.effects` applies effects, where the source's key is.

INVARIANT: x <= y is stated only where x can be computed from y (policy.md 3.3: kernel(y) is
contained in kernel(x)), or where it is declared: a pseudonym below the value, a predicate below the
bare `判断` that stands as a ceiling only. Whatever is not stated is incomparable, and the meet of
incomparables is nothing.
"""

import re
from enum import StrEnum
from functools import lru_cache
from typing import Final

from adapters.port import Effect, EffectKind
from gateway.catalog.problems import PolicyReason
from gateway.policy.errors import EffectRefused
from gateway.policy.predicates import CATEGORY_ID, PREDICATES, PREDICATES_BY_ID, is_applicable

CLEAR: Final = Effect(kind=EffectKind.CLEAR)
PSEUDONYM: Final = Effect(kind=EffectKind.PSEUDONYM)
COMPARE: Final = Effect(kind=EffectKind.COMPARE)
ANY_PREDICATE: Final = Effect(kind=EffectKind.PREDICATE)
"""Bare `判断`: a ceiling that admits whichever finding an agreement fixes; never a cell."""
WITHHOLD: Final = Effect(kind=EffectKind.WITHHOLD)

_BARE: Final = {
    "明文": CLEAR,
    "化名": PSEUDONYM,
    "核对(相符)": COMPARE,
    "判断": ANY_PREDICATE,
    "不予提供": WITHHOLD,
}
STEPS: Final = {
    "月": "month",
    "年": "year",
    "十年": "decade",
    "县": "county",
    "市": "city",
    "千元": "thousand",
}
_STEP_WORDS: Final = {step: words for words, step in STEPS.items()}
_CHAINS: Final = (("month", "year", "decade"), ("county", "city"), ("thousand",))
"""From finer to coarser: each can be computed from the one before it."""

_NUMBER: Final = r"(0|[1-9][0-9]{0,3})"
_MASK: Final = re.compile(rf"掩码\({_NUMBER},{_NUMBER}\)")
_GENERALISE: Final = re.compile(r"概化\((.+)\)")
_PREDICATE: Final = re.compile(r"判断\((.+)\)")


class DocumentEffect(StrEnum):
    """Effects of sealed documents (decisions.md, Names); a mask would break the seal."""

    FULL = "全件"
    EXTRACT = "摘录"
    ATTEST = "验真"
    WITHHOLD = "不予提供"


# An agreement has tens of cells and a bundle few spellings; what was refused is not remembered.
@lru_cache(maxsize=4096)
def parse_effect(text: str) -> Effect:
    """Parse an effect in its one spelling, e.g. `掩码(3,4)`.

    Raises:
        EffectRefused: THRESHOLD_OPEN where a predicate's number is left to the caller, else
        EFFECT_MALFORMED.
    """
    if text in _BARE:
        return _BARE[text]
    if mask := _MASK.fullmatch(text):
        return Effect(kind=EffectKind.MASK, parameters=(mask[1], mask[2]))
    if (coarse := _GENERALISE.fullmatch(text)) and coarse[1] in STEPS:
        return Effect(kind=EffectKind.GENERALISE, parameters=(STEPS[coarse[1]],))
    if predicate := _PREDICATE.fullmatch(text):
        return _parse_predicate(predicate[1], text)
    raise EffectRefused(PolicyReason.EFFECT_MALFORMED, text)


def _parse_predicate(words: str, text: str) -> Effect:
    for predicate in PREDICATES:
        before, threshold, after = predicate.words.partition("N")
        if not threshold:
            if words == predicate.words:
                return Effect(kind=EffectKind.PREDICATE, parameters=(predicate.id,))
        elif words.startswith(before) and words.endswith(after):
            number = words[len(before) : len(words) - len(after)]
            # An open threshold answers "at least how many" by halving: 17 questions for 100,000
            # values.
            if not re.fullmatch(_NUMBER, number):
                raise EffectRefused(PolicyReason.THRESHOLD_OPEN, text)
            return Effect(kind=EffectKind.PREDICATE, parameters=(predicate.id, number))
    raise EffectRefused(PolicyReason.EFFECT_MALFORMED, text)


@lru_cache(maxsize=4096)
def format_effect(effect: Effect) -> str:
    """Return the one spelling of an effect; the inverse of `parse_effect`."""
    match effect.kind:
        case EffectKind.MASK:
            return f"掩码({effect.parameters[0]},{effect.parameters[1]})"
        case EffectKind.GENERALISE:
            return f"概化({_STEP_WORDS[effect.parameters[0]]})"
        case EffectKind.PREDICATE if effect.parameters:
            words = PREDICATES_BY_ID[effect.parameters[0]].words
            return f"判断({words.replace('N', ''.join(effect.parameters[1:]))})"
        case _:
            return next(text for text, bare in _BARE.items() if bare == effect)


def is_grantable(effect: Effect) -> bool:
    """Whether an effect is spelled as cells spell theirs: its parameters whole, in range, no more.

    For effects that come from elsewhere than a compiled agreement.
    """
    if effect in {ANY_PREDICATE, WITHHOLD}:
        return False
    try:
        return parse_effect(format_effect(effect)) == effect
    except (EffectRefused, LookupError, StopIteration):
        # What has no spelling is none.
        return False


def is_at_most(x: Effect, y: Effect) -> bool:
    """Whether `x` tells at most as much as `y`."""
    if x == y or x.kind is EffectKind.WITHHOLD or y.kind is EffectKind.CLEAR:
        return True
    # Across kinds nothing is computable: a mask gives no year, a year no predicate of age.
    if x.kind is not y.kind:
        return False
    match x.kind:
        case EffectKind.MASK:
            return all(int(a) <= int(b) for a, b in zip(x.parameters, y.parameters, strict=True))
        case EffectKind.GENERALISE:
            return any(
                x.parameters[0] in chain[chain.index(y.parameters[0]) :]
                for chain in _CHAINS
                if y.parameters[0] in chain
            )
        case EffectKind.PREDICATE:
            # `category` tells a whole code: it needs a ceiling of its own name.
            return y == ANY_PREDICATE and x.parameters[0] != CATEGORY_ID
        case _:
            return False


def meet(x: Effect, y: Effect) -> Effect:
    """Return the lower of two comparable effects, and nothing of two incomparable ones."""
    if is_at_most(x, y):
        return x
    # Two effects that tell different things have no common part that could be released.
    return y if is_at_most(y, x) else WITHHOLD


def shortest_length(field_type: str) -> int:
    """Return the least number of characters a value of a catalog type has; 1 where none is stated.

    Two masks are comparable only on values longer than what they show, so a mask is applicable only
    to types whose shortest value is longer.
    """
    if field_type in {"cid18", "uscc18"}:
        return 18
    if field_type.startswith("str"):
        return 2  # a name or title has two characters at least
    return _SHORTEST_PATTERNS.get(field_type, 1)


_SHORTEST_PATTERNS: Final = {
    r"re:\d{17,18}": 17,
    r"re:\d{16,19}": 16,
    r"re:\d{12}": 12,
    r"re:\d{5}": 5,
    r"re:\d{6}": 6,
    r"re:[CTZ]?\d{10}[0-9SEZ]\d{5}": 16,
    r"re:B?[JL]\d{6}-\d{4}-\d{6}": 19,
}


@lru_cache(maxsize=4096)
def applies_to(effect: Effect, dataset: str, field: str, field_type: str) -> bool:
    """Whether an effect has a meaning for a field; `dataset` without its version."""
    match effect.kind:
        case EffectKind.MASK:
            shown = sum(int(number) for number in effect.parameters)
            maskable = field_type not in {"pred", "bool", "b64", "map"}
            listed = field_type.startswith("list")
            return maskable and not listed and shown < shortest_length(field_type)
        case EffectKind.GENERALISE:
            return _can_generalise(effect.parameters[0], field_type)
        case EffectKind.PREDICATE if effect.parameters:
            return is_applicable(effect.parameters[0], dataset, field, field_type)
        case EffectKind.COMPARE | EffectKind.PSEUDONYM:
            return field_type not in {"pred", "bool", "b64", "map"}
        case EffectKind.CLEAR:
            return field_type != "pred"
        case _:
            return True


def _can_generalise(step: str, field_type: str) -> bool:
    if step in {"month", "year", "decade"}:
        return field_type in {"date", "ts", r"re:\d{6}"}
    if step in {"county", "city"}:
        return field_type in {"code:GB/T2260", "str200"}
    return field_type.startswith("dec")
