"""Effects: what comes out is coarser than what went in, and never the clear value instead."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.effects import Disclosure, FieldContext, apply_effect, apply_when_not_found
from adapters.effects.families import RawValue
from adapters.errors import EffectNotApplicable
from adapters.port import Effect, EffectKind, FieldName, FieldShape, Finding, Grant
from tests.adapters.asking import shape_of

TODAY = date(2026, 11, 23)
ID = "370102198203150024"
KEY = bytes(range(32))


def apply(
    effect: Effect,
    catalog_type: str,
    value: RawValue | None,
    claimed: str | None = None,
    key: bytes | None = None,
) -> Disclosure | None:
    """Apply one effect to one value of a field."""
    shape = shape_of("x.y@1", {"f": catalog_type}).fields[0]
    context = FieldContext(shape=shape, claimed=claimed, today=TODAY)
    return apply_effect(
        Grant(field=FieldName("f"), effect=effect, pseudonym_key=key), context, value
    )


def value_of(
    kind: EffectKind, parameters: tuple[str, ...], catalog_type: str, value: RawValue
) -> str:
    """Return the value an effect leaves."""
    out = apply(Effect(kind=kind, parameters=parameters), catalog_type, value, key=KEY)
    assert out is not None
    assert isinstance(out.value, str)
    return out.value


def finding_of(
    parameters: tuple[str, ...], catalog_type: str, value: RawValue | None
) -> Finding | None:
    """Return what a predicate finds."""
    out = apply(Effect(kind=EffectKind.PREDICATE, parameters=parameters), catalog_type, value)
    assert out is not None
    return out.finding


def compared(catalog_type: str, claimed: str | None, held: RawValue | None) -> Finding | None:
    """Return what a comparison finds."""
    out = apply(Effect(kind=EffectKind.COMPARE), catalog_type, held, claimed)
    assert out is not None
    return out.finding


texts = st.text(
    alphabet=st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="*"), min_size=1
)
counts = st.integers(min_value=0, max_value=20)


@given(texts, counts, counts)
def test_mask_never_equals_the_clear_value(text: str, front: int, back: int) -> None:
    """A masked text differs from the text, however short it is."""
    masked = value_of(EffectKind.MASK, (str(front), str(back)), "text", text)

    assert masked != text
    assert "*" in masked


@given(texts, counts, counts)
def test_mask_of_a_finer_mask_is_the_mask(text: str, front: int, back: int) -> None:
    """A mask can be computed from every finer mask: (m, n) of (m + 1, n + 1)."""
    finer = value_of(EffectKind.MASK, (str(front + 1), str(back + 1)), "text", text)

    masked = value_of(EffectKind.MASK, (str(front), str(back)), "text", text)

    if "*" in finer.strip("*") or not finer.startswith("*"):
        assert value_of(EffectKind.MASK, (str(front), str(back)), "text", finer) == masked


@given(
    st.text(alphabet="甲乙丙", min_size=2, max_size=4),
    st.text(alphabet="甲乙丙", min_size=2, max_size=4),
)
def test_equal_under_the_mask_means_equal_bytes(first: str, second: str) -> None:
    """Two names with one surname and one length are the same text after the mask."""
    same = first[0] == second[0] and len(first) == len(second)

    masked = [value_of(EffectKind.MASK, ("1", "0"), "str60", name) for name in (first, second)]

    assert (masked[0] == masked[1]) is same


@pytest.mark.parametrize(
    ("value", "parameters", "catalog_type", "expected"),
    [
        ("李明", ("1", "0"), "str60", "李*"),
        ("买买提·吐尔逊", ("1", "0"), "str60", "买******"),
        ("买买提\uff0e吐尔逊", ("4", "0"), "str60", "买买提·***"),
        ("\U00020bb7野\ue863", ("1", "0"), "str60", "\U00020bb7**"),
        ("葛\U000e0100城", ("1", "0"), "str60", "葛\U000e0100*"),
        ("王", ("1", "0"), "str60", "*"),
        (ID, ("4", "4"), "cid18", "3701**********0024"),
        ("12345", ("3", "4"), "str20", "*****"),
        ("3", ("0", "0"), "int", "*"),
        ("02", ("0", "0"), "code:GB/T4761", "**"),
    ],
)
def test_mask_hides_what_it_should(
    value: str, parameters: tuple[str, ...], catalog_type: str, expected: str
) -> None:
    """A mask keeps the characters it names; a variation selector stays with its ideograph."""
    assert value_of(EffectKind.MASK, parameters, catalog_type, value) == expected


@pytest.mark.parametrize(
    ("value", "level", "catalog_type", "expected"),
    [
        ("1982-03-15", "year", "date", "1982"),
        ("1982-03-15", "month", "date", "1982-03"),
        ("1982-03-15", "decade", "date", "1980s"),
        ("2026-01-08T10:20:00", "month", "ts", "2026-01"),
        ("201603", "year", r"re:\d{6}", "2016"),
        ("201603", "decade", r"re:\d{6}", "2010s"),
        ("370102", "county", "code:GB/T2260", "370102"),
        ("370102", "city", "code:GB/T2260", "370100"),
        ("山东省济南市历下区解放路1号", "county", "str200", "山东省济南市历下区"),
        ("山东省济南市市中区经七路9号2单元", "county", "str200", "山东省济南市市中区"),
        ("山东省菏泽市单县某某镇某某村", "county", "str200", "山东省菏泽市单县"),
        ("山东省威海市荣成市某街", "county", "str200", "山东省威海市荣成市"),
        ("山东省济南市历下区解放路1号", "city", "str200", "山东省济南市"),
        ("3120.50", "thousand", "dec10.2", "3000"),
        ("-120.50", "thousand", "dec10.2", "-1000"),
        ("0.00", "thousand", "dec10.2", "0"),
    ],
)
def test_generalise_gives_the_coarser_value(
    value: str, level: str, catalog_type: str, expected: str
) -> None:
    """Days, months, divisions, addresses and amounts each have their levels."""
    assert value_of(EffectKind.GENERALISE, (level,), catalog_type, value) == expected


@pytest.mark.parametrize("amount", ["1e9999", "-1e4301", "9" * 40, "1e-9999", "NaN", "Infinity"])
def test_an_amount_no_department_means_is_withheld(amount: str) -> None:
    """A number of thousands of digits is withheld before anything spells it."""
    with pytest.raises(EffectNotApplicable):
        value_of(EffectKind.GENERALISE, ("thousand",), "dec10.2", amount)


@given(st.dates(min_value=date(1880, 1, 1)))
def test_each_level_of_a_day_is_computed_from_the_finer_one(day: date) -> None:
    """Month tells the year, the year tells the decade (policy.md 3.6)."""
    month, year, decade = (
        value_of(EffectKind.GENERALISE, (level,), "date", day.isoformat())
        for level in ("month", "year", "decade")
    )

    assert month.startswith(year)
    assert decade == f"{year[:3]}0s"
    assert str(day.day).zfill(2) not in month[7:]


@given(texts.filter(lambda text: not text.startswith(("北京", "山东"))))
def test_an_address_that_cannot_be_read_never_leaves_whole(text: str) -> None:
    """The county of a text is a beginning of it, or the field is withheld."""
    try:
        county = value_of(EffectKind.GENERALISE, ("county",), "str200", text)
    except EffectNotApplicable:
        return

    assert text.startswith(county)
    assert county[-1] in "区县市旗"


@pytest.mark.parametrize(
    ("effect", "catalog_type", "value"),
    [
        (Effect(kind=EffectKind.MASK, parameters=("1",)), "str60", "李明"),
        (Effect(kind=EffectKind.MASK, parameters=("1", "٣")), "str60", "李明"),
        (Effect(kind=EffectKind.MASK, parameters=("4", "0")), "date", "1982-03-15"),
        (Effect(kind=EffectKind.MASK, parameters=("1", "0")), "list", ("甲乙",)),
        (Effect(kind=EffectKind.MASK, parameters=("0", "0")), "b64", "AAAA"),
        (Effect(kind=EffectKind.GENERALISE, parameters=("week",)), "date", "1982-03-15"),
        (Effect(kind=EffectKind.GENERALISE, parameters=()), "date", "1982-03-15"),
        (Effect(kind=EffectKind.GENERALISE, parameters=("year",)), "date", "unknown"),
        (Effect(kind=EffectKind.GENERALISE, parameters=("county",)), "str200", "历下小区"),
        (Effect(kind=EffectKind.GENERALISE, parameters=("county",)), "str200", "济南市阳光小区"),
        (Effect(kind=EffectKind.GENERALISE, parameters=("city",)), "code:GB/T2260", "37"),
        (Effect(kind=EffectKind.GENERALISE, parameters=("thousand",)), "dec10.2", "NaN"),
        (Effect(kind=EffectKind.PSEUDONYM), "cid18", ID),
        (Effect(kind=EffectKind.PREDICATE), "pred", Finding.YES),
        (Effect(kind=EffectKind.PREDICATE, parameters=("no_such",)), "pred", Finding.YES),
        (Effect(kind=EffectKind.PREDICATE, parameters=("at_least",)), "int", "3"),
        (Effect(kind=EffectKind.PREDICATE, parameters=("at_least", "-1")), "int", "3"),
        (Effect(kind=EffectKind.PREDICATE, parameters=("at_least", "1")), "pred", Finding.YES),
        (Effect(kind=EffectKind.PREDICATE, parameters=("is_true", "1")), "bool", "true"),
        (Effect(kind=EffectKind.PREDICATE, parameters=("category",)), "str60", "李明"),
        (Effect(kind=EffectKind.COMPARE), "list", ("甲",)),
        (Effect(kind=EffectKind.WITHHOLD), "str60", "李明"),
        (Effect(kind=EffectKind.CLEAR), "pred", Finding.YES),
        (Effect(kind=EffectKind.CLEAR), "unheard_of", "李明"),
        (Effect(kind=EffectKind.CLEAR, parameters=("1",)), "str60", "李明"),
    ],
)
def test_an_effect_that_cannot_be_applied_withholds(
    effect: Effect, catalog_type: str, value: RawValue
) -> None:
    """Nothing ever falls back to the clear value."""
    with pytest.raises(EffectNotApplicable) as caught:
        apply(effect, catalog_type, value)

    assert not isinstance(value, str) or value not in str(caught.value)


def test_a_pseudonym_is_stable_and_depends_on_the_key() -> None:
    """One key gives one stand-in for both spellings of a number; another key another."""
    first = value_of(EffectKind.PSEUDONYM, (), "cid18", ID)

    again = value_of(EffectKind.PSEUDONYM, (), "cid18", "\uff13\uff170102198203150024")
    out = apply(Effect(kind=EffectKind.PSEUDONYM), "cid18", ID, key=bytes(32))

    assert first == again
    assert len(first) == 22
    assert out is not None
    assert out.value != first


@pytest.mark.parametrize(
    ("catalog_type", "claimed", "held", "expected"),
    [
        ("str60", "李明", "李明", Finding.YES),
        ("str60", "买买提•吐尔逊", "买买提·吐尔逊", Finding.YES),
        ("str60", "买买提\uff0e吐尔逊", "买买提・吐尔逊", Finding.YES),
        ("str60", "\uff2c\uff29 Ming", "li ming", Finding.YES),
        ("str60", "李明", "李鸣", Finding.NO),
        ("str60", "李䶮", "李\ue863", Finding.INDETERMINATE),
        ("str60", "张䶮", "李\ue863", Finding.NO),
        ("cid18", "130503670401001", "130503196704010016", Finding.YES),
        ("cid18", "13050319670401001\uff16", "130503196704010016", Finding.YES),
        ("cid18", "130503196704010017", "130503196704010016", Finding.ERROR),
        ("date", "2004年7月1日", "2004-07-01", Finding.YES),
        ("date", "20040701", "2004-07-02", Finding.NO),
        ("date", "yesterday", "2004-07-01", Finding.ERROR),
        ("date", "20040701", "unknown", Finding.INDETERMINATE),
        ("dec10.2", "3120.5", "3120.50", Finding.YES),
        ("int", "10", "1E1", Finding.YES),
        ("bool", "TRUE", "true", Finding.YES),
        ("bool", "yes", "true", Finding.ERROR),
        ("code", "a1", "A1", Finding.YES),
        ("str60", None, "李明", Finding.NOT_APPLICABLE),
        ("str60", "李明", None, Finding.INDETERMINATE),
        ("str60", "李明", Finding.NO, Finding.NO),
        ("pred", None, None, Finding.INDETERMINATE),
    ],
)
def test_comparison_finds_five_values(
    catalog_type: str, claimed: str | None, held: RawValue | None, expected: Finding
) -> None:
    """Spelling never decides; what cannot be read is never NO."""
    assert compared(catalog_type, claimed, held) is expected


@pytest.mark.parametrize(
    ("parameters", "catalog_type", "value", "expected"),
    [
        (("is_true",), "pred", Finding.NOT_APPLICABLE, Finding.NOT_APPLICABLE),
        (("is_true",), "bool", "true", Finding.YES),
        (("is_true",), "bool", "false", Finding.NO),
        (("is_true",), "bool", "maybe", Finding.INDETERMINATE),
        (("is_true",), "pred", None, Finding.INDETERMINATE),
        (("at_least", "12"), "int", "12", Finding.YES),
        (("at_least", "12"), "int", "11", Finding.NO),
        (("at_least", "12"), "pred", "216", Finding.YES),
        (("at_least", "12"), "pred", Finding.INDETERMINATE, Finding.INDETERMINATE),
        (("age_at_least", "60"), "date", "1966-11-23", Finding.YES),
        (("age_at_least", "60"), "date", "1966-11-24", Finding.NO),
        (("age_at_least", "60"), "date", "2030-01-01", Finding.INDETERMINATE),
        (("alive",), "code", "正常", Finding.YES),
        (("alive",), "code", "注销", Finding.INDETERMINATE),
        (("alive",), "code", "迁出", Finding.INDETERMINATE),
        (("alive",), "code", "?", Finding.INDETERMINATE),
        (("insured",), "code", "参保", Finding.YES),
        (("insured",), "code", "中断", Finding.NO),
        (("insured",), "code", "终止", Finding.NO),
        (("insured",), "code", "领取", Finding.NOT_APPLICABLE),
    ],
)
def test_each_predicate_has_one_meaning(
    parameters: tuple[str, ...], catalog_type: str, value: RawValue | None, expected: Finding
) -> None:
    """The table of predicates is what the policy's table says."""
    assert finding_of(parameters, catalog_type, value) is expected


@pytest.mark.parametrize(
    ("today", "expected"), [(date(2026, 2, 28), Finding.NO), (date(2026, 3, 1), Finding.YES)]
)
def test_who_was_born_on_a_leap_day_ages_on_the_first_of_march(
    today: date, expected: Finding
) -> None:
    """In a common year 29 February is reached on 1 March."""
    shape = shape_of("x.y@1", {"f": "date"}).fields[0]
    effect = Effect(kind=EffectKind.PREDICATE, parameters=("age_at_least", "18"))

    out = apply_effect(
        Grant(field=FieldName("f"), effect=effect),
        FieldContext(shape=shape, today=today),
        "2008-02-29",
    )

    assert out is not None
    assert out.finding is expected


def test_a_category_is_a_value() -> None:
    """A reason code that counts as a predicate is told as it stands."""
    effect = Effect(kind=EffectKind.PREDICATE, parameters=("category",))

    out = apply(effect, "code:closed/frozen", "closed")

    assert out is not None
    assert out.encode_claim(Effect(kind=EffectKind.PREDICATE, parameters=("category",))) == {
        "effect": "PREDICATE(category)",
        "value": "closed",
    }


@pytest.mark.parametrize(
    ("effect", "absent", "claimed", "expected"),
    [
        (EffectKind.PREDICATE, Finding.NO, None, Finding.NO),
        (EffectKind.PREDICATE, Finding.INDETERMINATE, None, Finding.INDETERMINATE),
        (EffectKind.COMPARE, Finding.INDETERMINATE, "true", Finding.NO),
        (EffectKind.COMPARE, Finding.NOT_APPLICABLE, "true", Finding.NOT_APPLICABLE),
        (EffectKind.COMPARE, Finding.INDETERMINATE, None, Finding.NOT_APPLICABLE),
        (EffectKind.CLEAR, Finding.INDETERMINATE, None, None),
    ],
)
def test_no_record_gives_the_finding_of_the_catalog(
    effect: EffectKind, absent: Finding, claimed: str | None, expected: Finding | None
) -> None:
    """Where nothing is held a predicate says what the catalog says, and values are absent."""
    shape = FieldShape(name=FieldName("f"), type="bool", when_absent=absent)
    parameters = ("is_true",) if effect is EffectKind.PREDICATE else ()
    grant = Grant(field=FieldName("f"), effect=Effect(kind=effect, parameters=parameters))

    out = apply_when_not_found(grant, FieldContext(shape=shape, claimed=claimed, today=TODAY))

    assert (out.finding if out else None) is expected


def test_an_unknown_predicate_is_withheld_without_a_record_too() -> None:
    """Whether a record exists makes no unknown predicate known."""
    shape = shape_of("x.y@1", {"f": "pred"}).fields[0]
    effect = Effect(kind=EffectKind.PREDICATE, parameters=("no_such",))

    with pytest.raises(EffectNotApplicable):
        apply_when_not_found(
            Grant(field=FieldName("f"), effect=effect), FieldContext(shape=shape, today=TODAY)
        )
