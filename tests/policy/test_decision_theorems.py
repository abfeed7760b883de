"""The theorems of policy.md 3.3, on the sandbox and on small bundles."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.effects import FieldContext, apply_effect
from adapters.port import DatasetName, FieldName, FieldShape, Grant
from certs.identity import SystemId
from gateway.policy import (
    UNKNOWN,
    Bundle,
    DecisionInput,
    FactValue,
    QuestionInvalid,
    RuleCode,
    decide,
    load_bundle,
)
from gateway.policy.effects import WITHHOLD, is_at_most, parse_effect
from gateway.policy.table import Row, build_plan
from gateway.policy.vocabulary import Outcome
from tests.policy import reference
from tests.policy.conftest import SANDBOX, LoadSmall
from tests.policy.writing import (
    AT_MS,
    BASIS,
    START,
    SYSTEM,
    USCC,
    Tree,
    agreement,
    conditions,
    granting,
    head,
    restrictions,
    write_bundle,
)

LETTERS = {Outcome.TRUE: "T", Outcome.FALSE: "F", Outcome.UNKNOWN: "!"}
LADDER = [{"当": "条件1", "给": "明文"}, {"当": "条件2", "给": "掩码(1,0)"}, {"否则": "不予提供"}]
LADDER_EXAMPLES = [
    {"名称": "甲", "条件": {"条件1": "是"}, "得": {"姓名": "明文"}},
    {"名称": "乙", "条件": {"条件2": "是"}, "得": {"姓名": "掩码(1,0)"}},
    {"名称": "丙", "得": {"姓名": "不予提供"}},
]


def ask(**changes: object) -> DecisionInput:
    """Return a question to the small bundle under which condition 0 holds."""
    facts: dict[str, FactValue] = {f"fact_{i}": i == 0 for i in range(6)}
    question = DecisionInput(
        agreement="XY-T-001",
        organisation=USCC,
        system=SystemId(SYSTEM),
        role="经办",
        matter="M2",
        facts=facts,
        dataset=DatasetName("zz.test@1"),
        fields=(FieldName("full_name"), FieldName("months")),
        at_ms=AT_MS,
        legal_basis=BASIS,
    )
    return replace(question, **changes)  # type: ignore[arg-type]  # names of the value


def list_vectors(row: Row) -> Iterator[dict[str, Outcome]]:
    """Yield all 3^k vectors of outcomes of a row."""
    for outcomes in itertools.product(Outcome, repeat=len(row.conditions)):
        yield dict(zip(row.conditions, outcomes, strict=True))


def test_every_vector_of_every_agreement_decides_as_the_reference_does(sandbox: Bundle) -> None:
    """All 3^k outcomes, each agreement, each field of its dataset: same effect, same rule."""
    lowering = yaml.safe_load((SANDBOX / "restrictions.yaml").read_text("utf-8"))
    written = {
        item["编号"]: item
        for path in (SANDBOX / "agreements").glob("*.yaml")
        for item in yaml.safe_load(path.read_text("utf-8"))
    }

    assert written.keys() == sandbox.rows.keys()
    for number, row in sandbox.rows.items():
        fields = sandbox.catalog.datasets[row.agreement.dataset].fields
        for outcomes in list_vectors(row):
            plan = build_plan(row, outcomes)
            letters = {name: LETTERS[outcome] for name, outcome in outcomes.items()}
            for field in fields:
                expected = reference.decide_field(
                    field.title_zh, written[number], lowering, field.ceiling_text, letters
                )
                found = plan.find(field.name)
                assert (found.effect_text, found.rule.value) == expected[:2]


def test_a_field_without_a_cell_is_never_released(sandbox: Bundle) -> None:
    """T1: whatever the outcomes, only fields with a cell are released."""
    for row in sandbox.rows.values():
        for outcomes in list_vectors(row):
            plan = build_plan(row, outcomes)
            for field in sandbox.catalog.datasets[row.agreement.dataset].fields:
                if field.name not in row.agreement.cells:
                    assert not plan.find(field.name).released


def test_a_prohibition_that_is_not_off_withholds_everything(sandbox: Bundle) -> None:
    """T2: a prohibition dominates every cell, when true and when unknown."""
    for row in sandbox.rows.values():
        for outcomes in list_vectors(row):
            prohibited = any(
                outcomes[item.condition] is not Outcome.FALSE for item in row.prohibitions
            )
            if prohibited:
                plan = build_plan(row, outcomes)
                assert not any(plan.find(name).released for name in row.agreement.cells)


def test_an_unknown_outcome_never_raises_a_field(sandbox: Bundle) -> None:
    """T5: replacing one outcome by unknown gives at most what it gave before."""
    for row in sandbox.rows.values():
        for outcomes in list_vectors(row):
            before = build_plan(row, outcomes)
            for name in row.conditions:
                after = build_plan(row, {**outcomes, name: Outcome.UNKNOWN})
                for field in row.agreement.cells:
                    assert is_at_most(after.find(field).effect, before.find(field).effect)


@pytest.mark.parametrize("kind", ["禁止", "条件上限"])
@pytest.mark.parametrize("ceiling", ["明文", "掩码(1,0)", "掩码(0,0)", "不予提供"])
def test_adding_a_restriction_never_raises_a_field(tmp_path: Path, kind: str, ceiling: str) -> None:
    """T4: with one more prohibition or conditional ceiling, every vector gives at most the same."""
    document = agreement(字段={"姓名": LADDER}, 例=LADDER_EXAMPLES)
    added: Tree = {"编号": "ZZ-9", "说明": "测试", "字段": "*", "当": "条件4"}
    lowering = restrictions()
    write_bundle(tmp_path, agreements=[document], restrictions=lowering)
    before = load_bundle(tmp_path, START).rows["XY-T-001"]
    lowering[kind].append({**added, "上限": ceiling} if kind == "条件上限" else added)
    write_bundle(tmp_path, agreements=[document], restrictions=lowering)
    after = load_bundle(tmp_path, START).rows["XY-T-001"]
    field = FieldName("full_name")

    for outcomes in list_vectors(after):
        lower = build_plan(after, outcomes).find(field).effect
        assert is_at_most(lower, build_plan(before, outcomes).find(field).effect)


def test_order_of_files_rules_and_keys_changes_no_digest(tmp_path: Path) -> None:
    """T3: the same agreements in another order give the same bundle and plan digest."""
    one, two = granting({"姓名": "明文"}), granting({"累计月数": "明文"}, 编号="XY-T-002")
    first = load_written(tmp_path, [one, two], conditions())
    flipped = {name: dict(reversed(list(part.items()))) for name, part in conditions().items()}
    turned = [dict(reversed(list(item.items()))) for item in (two, one)]
    second = load_written(tmp_path, turned, flipped)

    assert (first.digest, first.plan_digest) == (second.digest, second.plan_digest)


def test_renaming_changes_the_bundle_digest_and_not_the_plan(tmp_path: Path) -> None:
    """T3: other numbers and names of conditions decide the same."""
    first = load_written(tmp_path, [agreement()], conditions())
    renamed = conditions()
    renamed["条件"] = {f"新{name}": entry for name, entry in renamed["条件"].items()}
    lowering = restrictions()
    lowering["禁止"][0].update(编号="JZ-77", 当="新条件5")
    document = agreement(编号="XY-T-777", 前提=["新条件0"])
    write_bundle(
        tmp_path, agreements=[document], conditions=renamed, restrictions=lowering, head=head()
    )
    second = load_bundle(tmp_path, START)

    assert first.digest != second.digest
    assert first.plan_digest == second.plan_digest


def load_written(folder: Path, agreements: list[Tree], stated: Tree) -> Bundle:
    """Write and load."""
    write_bundle(folder, agreements=agreements, conditions=stated)
    return load_bundle(folder, START)


def test_one_changed_cell_changes_both_digests(tmp_path: Path) -> None:
    """A digest covers every effect."""
    first = load_written(tmp_path, [granting({"姓名": "明文"})], conditions())
    second = load_written(tmp_path, [granting({"姓名": "掩码(1,0)"})], conditions())

    assert first.digest != second.digest
    assert first.plan_digest != second.plan_digest


NAMES = st.text(alphabet="李王张明华芳伟", min_size=2, max_size=4)


@settings(max_examples=300, deadline=None)
@given(surname=st.sampled_from("李王张"), one=NAMES, other=NAMES)
def test_records_equal_under_the_effect_leave_equal_bytes(
    surname: str, one: str, other: str
) -> None:
    """T6: two names of one surname and length leave the same disclosure under 掩码(1,0)."""
    length = min(len(one), len(other))
    effect = parse_effect("掩码(1,0)")
    shape = FieldShape(name=FieldName("full_name"), type="str60")
    context = FieldContext(shape=shape, today=START)
    grant = Grant(field=FieldName("full_name"), effect=effect)

    left = apply_effect(grant, context, surname + one[:length])
    right = apply_effect(grant, context, surname + other[:length])

    assert left == right


def test_the_answer_depends_on_no_other_agreement(load_small: LoadSmall) -> None:
    """T7: a second, more generous agreement of the same system changes nothing."""
    alone = load_small(agreements=[agreement()]).decide(ask())
    generous = granting({"姓名": "明文", "累计月数": "明文"}, 编号="XY-T-002")
    beside = load_small(agreements=[agreement(), generous]).decide(ask())

    assert alone.fields == beside.fields


@pytest.mark.parametrize(
    "change",
    [
        {"agreement": "XY-T-999"},
        {"organisation": "11370000MB2DEM045P"},
        {"system": f"{USCC}/other"},
        {"role": "系统"},
        {"matter": "M1"},
        {"dataset": "zz.test@2"},
        {"legal_basis": "无依据"},
        {"at_ms": AT_MS + 400 * 86_400_000},
        {"at_ms": AT_MS - 40 * 86_400_000},
    ],
)
def test_whatever_the_agreement_does_not_name_is_withheld_as_r1(
    load_small: LoadSmall, change: dict[str, object]
) -> None:
    """Step 1: every field is withheld, no quota, no agreement."""
    decision = load_small().decide(ask(**change))

    assert {field.rule for field in decision.fields} == {RuleCode.AGREEMENT}
    assert all(field.effect == WITHHOLD for field in decision.fields)
    assert decision.agreement is None
    assert decision.quotas == ()


def test_the_last_day_counts_and_the_day_after_does_not(load_small: LoadSmall) -> None:
    """止 is the last day in force, in China."""
    bundle = load_small(agreements=[agreement(有效={"起": "2026-11-23", "止": "2026-11-23"})])
    midnight = AT_MS - 8 * 3_600_000

    released = [
        bool(bundle.decide(ask(at_ms=at)).released)
        for at in (midnight - 1, midnight, midnight + 86_399_999, midnight + 86_400_000)
    ]

    assert released == [False, True, True, False]


def test_an_expired_bundle_decides_nothing(load_small: LoadSmall) -> None:
    """A bundle past its expiry withholds as if no agreement were there."""
    short = {**head(), "到期": "启动日+1天"}
    bundle = load_small(head=short)

    assert bundle.decide(ask()).released
    assert not bundle.decide(ask(at_ms=AT_MS + 86_400_000)).released


def test_a_suspended_agreement_releases_nothing(load_small: LoadSmall) -> None:
    """暂停 is R1."""
    bundle = load_small(agreements=[agreement(状态="暂停")])

    assert not bundle.decide(ask()).released


def test_a_question_that_names_no_field_is_invalid(load_small: LoadSmall) -> None:
    """There is no way to say "all"."""
    with pytest.raises(QuestionInvalid):
        load_small().decide(ask(fields=()))


@pytest.mark.parametrize("value", [UNKNOWN, 1, "true", "是"])
def test_a_fact_of_another_type_closes(load_small: LoadSmall, value: FactValue) -> None:
    """A precondition over a fact that is missing or no boolean is R2."""
    facts: dict[str, FactValue] = {f"fact_{i}": False for i in range(6)} | {"fact_0": value}

    decision = load_small().decide(ask(facts=facts))

    assert [(field.rule, field.rule_id) for field in decision.fields] == [
        (RuleCode.PRECONDITION, "条件0")
    ] * 2


def test_quotas_count_fields_and_comparisons(load_small: LoadSmall) -> None:
    """The calendar counter costs one per field asked; a comparison has three attempts."""
    bundle = load_small(agreements=[granting({"姓名": "核对(相符)"})])

    charged = {
        (quota.kind.value, quota.limit, quota.cost, quota.field)
        for quota in bundle.decide(ask()).quotas
    }

    assert charged == {
        ("PER_CASE_AND_SUBJECT", 3, 1, None),
        ("PER_DAY", 1000, 2, None),
        ("PER_SECOND", 10, 1, None),
        ("COMPARE_ATTEMPTS", 3, 1, "full_name"),
    }


def test_names_a_requester_invents_are_not_remembered(load_small: LoadSmall) -> None:
    """What is kept for the next question is bounded by the agreement, not by who asks."""
    bundle = load_small()

    for number in range(50):
        bundle.decide(ask(fields=(FieldName(f"invented_{number}"),)))
    bundle.decide(ask(fields=(FieldName("full_name"),)))

    assert len(bundle.decider._decisions) == 1


def test_decisions_kept_are_bounded(load_small: LoadSmall, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound all are forgotten and worked out anew, with the same result."""
    bundle = load_small()
    monkeypatch.setattr(decide, "MAX_DECISIONS", 2)
    names = (FieldName("full_name"), FieldName("months"))
    asked = [names, names[:1], names[1:], names[::-1]]

    first = [bundle.decide(ask(fields=each)) for each in asked]
    again = [bundle.decide(ask(fields=each)) for each in asked]

    assert again == first
    assert len(bundle.decider._decisions) <= 2
