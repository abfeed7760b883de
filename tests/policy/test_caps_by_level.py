"""Caps by the officer's level, and rules that spare matters or roles."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from adapters.port import DatasetName, EffectKind, FieldName
from certs.identity import SystemId
from gateway.catalog.problems import PolicyReason, PolicyRefused
from gateway.policy import Bundle, DecisionInput, RuleCode
from gateway.policy.explain import explain_decision
from gateway.policy.vocabulary import UNKNOWN, FactValue
from tests.policy.conftest import LoadSmall
from tests.policy.writing import AT_MS, BASIS, SYSTEM, USCC, Tree, agreement, restrictions

FACTS: Mapping[str, FactValue] = {
    "case_state": "open",
    "case_matter_agrees": True,
    "case_organisation_agrees": True,
    "subject_is_applicant": True,
    "subject_is_party": True,
    "subject_kind": "person",
    "age": 60,
    "guardian": False,
    "protected": False,
    "staff_level": "county",
    "division_agrees": True,
    "consent": True,
}
M8 = DecisionInput(
    agreement="XY-2026-801",
    organisation=USCC,
    system=SystemId(f"{USCC}/card"),
    role="经办",
    matter="M8",
    facts=FACTS,
    dataset=DatasetName("ps.person_core@1"),
    fields=(FieldName("full_name"), FieldName("registered_address")),
    at_ms=AT_MS,
    legal_basis="社会保险经办条例第六条",
)


def _decided(
    bundle: Bundle, question: DecisionInput, **changed: FactValue
) -> list[tuple[str, str]]:
    decision = bundle.decide(replace(question, facts={**question.facts, **changed}))
    return [(each.effect_text, each.rule_id) for each in decision.fields]


@pytest.mark.parametrize(
    ("level", "name", "address"),
    [
        ("province", ("明文", ""), ("明文", "")),
        ("county", ("明文", ""), ("明文", "")),
        ("township", ("不予提供", "CJ-02"), ("概化(县)", "")),
        ("village", ("不予提供", "CJ-02"), ("不予提供", "CJ-01")),
        (UNKNOWN, ("不予提供", "CJ-02"), ("不予提供", "CJ-01")),
    ],
)
def test_who_sits_further_down_sees_less(
    sandbox: Bundle, level: FactValue, name: tuple[str, str], address: tuple[str, str]
) -> None:
    """domain.md 4: a village sees findings, a township masks as well, a county decides."""
    told = _decided(sandbox, M8, staff_level=level)

    assert [told[0][0], told[1][0]] == [name[0], address[0]]
    # Which of two caps is named may be either; that one is, where one moved the field.
    assert bool(told[0][1]) == bool(name[1])
    assert bool(told[1][1]) == bool(address[1])


@pytest.mark.parametrize("agrees", [False, UNKNOWN])
def test_an_officer_of_another_division_gets_nothing(sandbox: Bundle, agrees: FactValue) -> None:
    """Neither where his division is another nor where it cannot be told."""
    retirement = replace(
        M8,
        agreement="XY-2026-201",
        system=SystemId(f"{USCC}/retirement"),
        matter="M2",
        legal_basis="社会保险法第五十七条",
    )

    assert _decided(sandbox, retirement)[0] == ("掩码(1,0)", "")
    assert _decided(sandbox, retirement, division_agrees=agrees) == [("不予提供", "JZ-03")] * 2


def test_transfer_and_system_jobs_cross_divisions(sandbox: Bundle) -> None:
    """M11 is between areas by nature; a job has no officer and gets findings alone."""
    transfer = replace(
        M8,
        agreement="XY-2026-1102",
        system=SystemId(f"{USCC}/transfer"),
        matter="M11",
        dataset=DatasetName("hr.contribution_record@1"),
        fields=(FieldName("months_paid"),),
        legal_basis=sandbox.rows["XY-2026-1102"].agreement.basis[0],
    )
    job = replace(
        M8,
        agreement="XY-2026-101",
        system=SystemId(f"{USCC}/recertification"),
        role="系统",
        matter="M1",
        dataset=DatasetName("ps.person_verify@1"),
        fields=(FieldName("deceased"),),
        legal_basis=sandbox.rows["XY-2026-101"].agreement.basis[0],
    )

    assert _decided(sandbox, transfer, division_agrees=False) == [("明文", "")]
    told = _decided(sandbox, job, division_agrees=UNKNOWN, staff_level=UNKNOWN)
    assert told == [("判断(是)", "")]


def test_no_officer_below_the_county_gets_more_than_his_level(sandbox: Bundle) -> None:
    """Over every agreement there is, with everything else in its favour."""
    admitted = {
        "village": {EffectKind.PREDICATE, EffectKind.WITHHOLD},
        "township": set(EffectKind) - {EffectKind.CLEAR, EffectKind.PSEUDONYM},
    }
    for row in sandbox.rows.values():
        for level, kinds in admitted.items():
            question = replace(
                M8,
                agreement=row.agreement.number,
                organisation=row.agreement.organisation,
                system=row.agreement.system,
                role=min(row.agreement.roles),
                matter=min(row.agreement.matters),
                dataset=row.agreement.dataset,
                fields=tuple(row.agreement.cells),
                legal_basis=row.agreement.basis[0],
                facts={**FACTS, "staff_level": level, "in_investigation": True, "mandate": True},
            )
            decision = sandbox.decide(question)
            assert decision.agreement is not None
            assert {each.effect.kind for each in decision.fields} <= kinds


def test_a_cap_that_withholds_is_named_to_reviewers(sandbox: Bundle) -> None:
    """As a cap by level, which is no conditional ceiling."""
    village = replace(M8, facts={**FACTS, "staff_level": "village"})

    first, *_ = explain_decision(sandbox, sandbox.decide(village))

    assert sandbox.decide(village).fields[0].rule is RuleCode.CEILING
    assert "层级上限 CJ-0" in first.text_zh
    assert "cap by level CJ-0" in first.text_en


def _capping(**cap: object) -> Tree:
    rule = {"编号": "CJ-9", "说明": "测试", "字段": "*", "当": "条件2", "至多": "判断", **cap}
    return {**restrictions(), "层级上限": [rule]}


def test_an_agreement_over_a_spared_matter_and_another_is_not_spared(load_small: LoadSmall) -> None:
    """Else a matter would be freed of the rule by standing beside M2."""
    lowering = _capping(除外={"事项": ["M2"]})
    both = load_small(restrictions=lowering, agreements=[agreement(事项=["M1", "M2"])])
    question = DecisionInput(
        agreement="XY-T-001",
        organisation=USCC,
        system=SystemId(SYSTEM),
        role="经办",
        matter="M2",
        facts={"fact_0": True, "fact_2": True, "fact_5": False},
        dataset=DatasetName("zz.test@1"),
        fields=(FieldName("full_name"),),
        at_ms=AT_MS,
        legal_basis=BASIS,
    )

    assert both.decide(question).fields[0].effect.kind is EffectKind.WITHHOLD
    alone = load_small(restrictions=lowering, agreements=[agreement()])
    assert alone.decide(question).fields[0].effect.kind is EffectKind.MASK


@pytest.mark.parametrize(
    ("cap", "reason"),
    [
        ({"至多": "明文"}, PolicyReason.EFFECT_MALFORMED),
        ({"至多": "判断(是)"}, PolicyReason.EFFECT_MALFORMED),
        ({"除外": {"机构": ["甲"]}}, PolicyReason.UNKNOWN_MEMBER),
        ({"除外": {"事项": ["M2", "M99"]}}, PolicyReason.UNKNOWN_MATTER),
        ({"除外": {"角色": ["经办人"]}}, PolicyReason.UNKNOWN_ROLE),
        ({"除外": {"事项": ["M2"], "角色": ["M2"]}}, PolicyReason.UNKNOWN_ROLE),
        ({"除外": {}}, PolicyReason.MEMBER_MISSING),
        ({"除外": {"事项": []}}, PolicyReason.MEMBER_MISSING),
        ({"除外": {"事项": ["M2"], "角色": []}}, PolicyReason.MEMBER_MISSING),
        ({"当": "无此条件"}, PolicyReason.UNKNOWN_CONDITION),
    ],
)
def test_a_malformed_cap_is_no_bundle(
    load_small: LoadSmall, cap: dict[str, object], reason: PolicyReason
) -> None:
    """With its place, so that an author finds it."""
    with pytest.raises(PolicyRefused) as refused:
        load_small(restrictions=_capping(**cap), agreements=[agreement()])

    assert [problem.reason for problem in refused.value.problems] == [reason]
