"""The order of effects: its spelling, its laws, and the kernels of what applies them."""

import itertools
import random
import re
from collections import defaultdict
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.effects import FieldContext, apply_effect
from adapters.port import Effect, EffectKind, FieldName, FieldShape, Grant
from gateway.catalog.problems import PolicyReason
from gateway.policy.effects import (
    ANY_PREDICATE,
    STEPS,
    WITHHOLD,
    applies_to,
    format_effect,
    is_at_most,
    meet,
    parse_effect,
    shortest_length,
)
from gateway.policy.errors import EffectRefused
from gateway.policy.predicates import PREDICATES
from tests.policy import reference

TEXTS = (
    "明文",
    "掩码(6,4)",
    "掩码(4,4)",
    "掩码(3,4)",
    "掩码(1,0)",
    "掩码(0,0)",
    "概化(月)",
    "概化(年)",
    "概化(十年)",
    "概化(县)",
    "概化(市)",
    "概化(千元)",
    "化名",
    "核对(相符)",
    "判断",
    "判断(是)",
    "判断(满6个月)",
    "判断(满12个月)",
    "判断(满18周岁)",
    "判断(健在)",
    "判断(在保)",
    "判断(类别)",
    "不予提供",
)
TODAY = date(2026, 11, 23)
VALUES = 20_000
EFFECTS = st.sampled_from([parse_effect(text) for text in TEXTS])


def with_check_digit(digits: str) -> str:
    """Return a resident number with its check digit (GB 11643, ISO 7064 MOD 11-2)."""
    total = sum(int(digit) * pow(2, 17 - at, 11) for at, digit in enumerate(digits))
    return digits + "10X98765432"[total % 11]


def draw_values(field_type: str) -> list[str]:
    """Return 20,000 values of a catalog type."""
    rng = random.Random(1)  # noqa: S311 - repeatable, not secret
    days = [date(1926, 1, 1) + timedelta(days=rng.randrange(36_500)) for _ in range(VALUES)]
    match field_type:
        case "date":
            return [day.isoformat() for day in days]
        case "cid18":
            return [
                with_check_digit(
                    f"{rng.choice(('370102', '370103', '370202', '371102'))}{day:%Y%m%d}"
                    f"{rng.randrange(40):03}"
                )
                for day in days
            ]
        case "str60":
            return ["".join(rng.choices("李王张明华", k=rng.randint(2, 4))) for _ in days]
        case "code:GB/T2260":
            return [f"37{rng.randint(1, 16):02}{rng.randint(0, 30):02}" for _ in days]
        case "int":
            return [str(rng.randrange(40)) for _ in days]
        case _:
            return [f"{rng.randrange(900_000) / 100:.2f}" for _ in days]


@pytest.mark.parametrize("text", TEXTS)
def test_each_effect_has_one_spelling(text: str) -> None:
    """Parsing and formatting are inverse."""
    assert format_effect(parse_effect(text)) == text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("判断(满N个月)", PolicyReason.THRESHOLD_OPEN),
        ("判断(满个月)", PolicyReason.THRESHOLD_OPEN),
        ("判断(满{claim}周岁)", PolicyReason.THRESHOLD_OPEN),
        ("判断(满06个月)", PolicyReason.THRESHOLD_OPEN),
        ("判断(满６个月)", PolicyReason.THRESHOLD_OPEN),
        ("掩码(3, 4)", PolicyReason.EFFECT_MALFORMED),
        ("掩码（3,4）", PolicyReason.EFFECT_MALFORMED),
        ("掩码(03,4)", PolicyReason.EFFECT_MALFORMED),
        ("掩码(-1,4)", PolicyReason.EFFECT_MALFORMED),
        ("掩码(3)", PolicyReason.EFFECT_MALFORMED),
        ("概化(日)", PolicyReason.EFFECT_MALFORMED),
        ("核对", PolicyReason.EFFECT_MALFORMED),
        ("判断(有钱)", PolicyReason.EFFECT_MALFORMED),
        ("明文 ", PolicyReason.EFFECT_MALFORMED),
        ("CLEAR", PolicyReason.EFFECT_MALFORMED),
        ("全件", PolicyReason.EFFECT_MALFORMED),
        ("", PolicyReason.EFFECT_MALFORMED),
    ],
)
def test_another_spelling_is_no_effect(text: str, reason: PolicyReason) -> None:
    """Other spellings are refused; a threshold left open has a reason of its own."""
    with pytest.raises(EffectRefused) as refused:
        parse_effect(text)

    assert refused.value.reason is reason


def test_the_steps_and_predicates_all_have_a_spelling() -> None:
    """Nothing an adapter may be asked lacks words."""
    for step in STEPS.values():
        effect = Effect(kind=EffectKind.GENERALISE, parameters=(step,))
        assert parse_effect(format_effect(effect)) == effect
    for predicate in PREDICATES:
        parameters = (predicate.id, "7") if "N" in predicate.words else (predicate.id,)
        effect = Effect(kind=EffectKind.PREDICATE, parameters=parameters)
        assert parse_effect(format_effect(effect)) == effect


def test_the_order_is_the_reference_order_pair_by_pair() -> None:
    """Every pair of the reference's list compares as the reference says, and meets so."""
    listed = [text for text in TEXTS if any(text in chain for chain in reference.CHAINS)]
    for x, y in itertools.product([*listed, "不予提供"], repeat=2):
        assert is_at_most(parse_effect(x), parse_effect(y)) == reference.at_most(x, y), (x, y)
        assert format_effect(meet(parse_effect(x), parse_effect(y))) == reference.meet(x, y)


@given(x=EFFECTS, y=EFFECTS, z=EFFECTS)
def test_the_order_is_a_partial_order(x: Effect, y: Effect, z: Effect) -> None:
    """Reflexive, antisymmetric, transitive."""
    assert is_at_most(x, x)
    assert not (is_at_most(x, y) and is_at_most(y, x)) or x == y
    assert not (is_at_most(x, y) and is_at_most(y, z)) or is_at_most(x, z)


@given(x=EFFECTS, y=EFFECTS)
def test_a_meet_is_below_both_and_commutes(x: Effect, y: Effect) -> None:
    """The meet tells at most as much as either."""
    assert meet(x, y) == meet(y, x)
    assert is_at_most(meet(x, y), x)
    assert meet(x, WITHHOLD) == WITHHOLD


@pytest.mark.parametrize(
    "field_type", ["date", "cid18", "str60", "code:GB/T2260", "int", "dec10.2"]
)
def test_every_declared_order_is_an_inclusion_of_kernels(field_type: str) -> None:
    """For each x <= y: values equal under y are equal under x, on 20,000 values."""
    field = FieldName("birth_date" if field_type == "date" else "value")
    shape = FieldShape(name=field, type=field_type)
    context = FieldContext(shape=shape, today=TODAY, claimed=draw_values(field_type)[0])
    effects = [
        effect
        for effect in map(parse_effect, TEXTS)
        if applies_to(effect, "zz.test", field, field_type)
        and effect not in {ANY_PREDICATE, WITHHOLD}
    ]
    drawn = draw_values(field_type)
    values = sorted(set(drawn))  # 20,000 draws, each distinct value once
    images = {
        effect: [
            apply_effect(Grant(field=field, effect=effect, pseudonym_key=bytes(32)), context, value)
            for value in values
        ]
        for effect in effects
    }

    assert len(drawn) == VALUES
    assert len(effects) >= 3
    for x, y in itertools.product(effects, repeat=2):
        if is_at_most(x, y):
            seen: dict[object, set[object]] = defaultdict(set)
            for under_x, under_y in zip(images[x], images[y], strict=True):
                seen[under_y].add(under_x)
            assert all(len(images_of_x) == 1 for images_of_x in seen.values()), (x, y)


def test_a_predicate_of_age_is_not_below_a_year() -> None:
    """满18周岁 cannot be computed from a year: it needs the value, or a ceiling of its own."""
    adult, year = parse_effect("判断(满18周岁)"), parse_effect("概化(年)")

    assert not is_at_most(adult, year)
    assert not is_at_most(year, adult)
    assert meet(adult, year) == WITHHOLD


def test_a_category_needs_a_ceiling_of_its_own_name() -> None:
    """The bare 判断 does not admit the whole code."""
    assert not is_at_most(parse_effect("判断(类别)"), ANY_PREDICATE)


@pytest.mark.parametrize(
    ("text", "field_type", "applicable"),
    [
        ("掩码(3,4)", "cid18", True),
        ("掩码(14,4)", "cid18", False),
        ("掩码(1,1)", "str60", False),
        ("掩码(1,0)", "pred", False),
        ("掩码(0,0)", "list", False),
        ("概化(年)", "cid18", False),
        ("概化(县)", "str200", True),
        ("概化(千元)", "int", False),
        ("判断(满12个月)", "date", False),
        ("判断(类别)", "str60", False),
        ("判断(类别)", "list(str)", True),
        ("明文", "pred", False),
        ("核对(相符)", "b64", False),
    ],
)
def test_an_effect_applies_only_where_it_has_a_meaning(
    text: str, field_type: str, *, applicable: bool
) -> None:
    """A mask never shows a whole value of its type; a predicate needs its type."""
    assert applies_to(parse_effect(text), "zz.test", "value", field_type) == applicable


@pytest.mark.parametrize(
    ("field_type", "value"),
    [
        (r"re:\d{17,18}", "1" * 17),
        (r"re:\d{16,19}", "1" * 16),
        (r"re:\d{12}", "1" * 12),
        (r"re:\d{5}", "1" * 5),
        (r"re:\d{6}", "1" * 6),
        (r"re:[CTZ]?\d{10}[0-9SEZ]\d{5}", "1" * 16),
        (r"re:B?[JL]\d{6}-\d{4}-\d{6}", "J370102-2019-000123"),
    ],
)
def test_the_shortest_value_of_a_pattern_is_as_stated(field_type: str, value: str) -> None:
    """The stated length matches the pattern, and one less does not."""
    pattern = field_type.removeprefix("re:")
    assert re.fullmatch(pattern, value)
    assert len(value) == shortest_length(field_type)
    assert not re.fullmatch(pattern, value[1:])
