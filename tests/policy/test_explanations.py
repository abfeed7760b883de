"""Explanations: complete, in both languages, and without anything about the subject."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from adapters.port import DatasetName, EffectKind, FieldName
from certs.identity import SystemId
from gateway.policy import UNKNOWN, Bundle, DecisionInput, FactValue
from gateway.policy.explain import explain_decision, explain_question
from gateway.policy.table import build_plan
from gateway.policy.vocabulary import Outcome
from tests.policy.conftest import LoadSmall
from tests.policy.test_decision_theorems import ask
from tests.policy.writing import AT_MS, USCC, Tree, agreement

CASE_FACTS: dict[str, FactValue] = {
    "case_state": "open",
    "case_matter_agrees": True,
    "case_organisation_agrees": True,
    "special_grade": False,
    "staff_level": "county",
    "division_agrees": True,
}
SUBJECT_FACTS: dict[str, FactValue] = {
    "subject_is_applicant": True,
    "subject_kind": "person",
    "age": 60,
    "guardian": False,
    "protected": False,
}
QUESTION = DecisionInput(
    agreement="XY-2026-205",
    organisation=USCC,
    system=SystemId(f"{USCC}/retirement"),
    role="经办",
    matter="M2",
    facts=CASE_FACTS,
    dataset=DatasetName("edu.diploma@1"),
    fields=(FieldName("full_name"), FieldName("certificate_no"), FieldName("photo")),
    at_ms=AT_MS,
    legal_basis="社会保险法第五十七条",
)


def test_a_question_is_explained_as_if_the_subject_fitted(sandbox: Bundle) -> None:
    """Effects of the conditions known, assuming those of the subject; the rest is withheld."""
    name, certificate, photo = explain_question(sandbox, QUESTION)

    assert (name.effect_text, name.depends_on_subject) == ("掩码(1,0)", True)
    assert (certificate.effect.kind, certificate.effect_text) == (EffectKind.COMPARE, "核对(相符)")
    assert (photo.effect.kind, photo.depends_on_subject) == (EffectKind.WITHHOLD, False)
    assert "社会保险法第五十七条" in name.text_zh
    assert "省人社厅养老保险处" in name.text_zh
    assert "还取决于当事人" in name.text_zh
    assert "depends on the subject" in name.text_en


@pytest.mark.parametrize(
    "subject",
    [
        {},
        {"protected": True},
        {"age": 9},
        {"subject_is_applicant": False},
        {"protected": UNKNOWN, "age": UNKNOWN},
    ],
)
def test_facts_of_the_subject_change_no_explanation(
    sandbox: Bundle, subject: dict[str, FactValue]
) -> None:
    """Explain tells nothing about the subject, even when handed his facts."""
    told = explain_question(sandbox, replace(QUESTION, facts={**CASE_FACTS, **subject}))

    assert told == explain_question(sandbox, QUESTION)


LOWERING: dict[str, Tree] = {
    "禁止": {},
    "条件上限": {"目录": "zz.test@1", "字段": ["姓名"], "上限": "不予提供"},
    "层级上限": {"至多": "判断"},
}


@pytest.mark.parametrize("kind", LOWERING)
def test_a_restriction_that_depends_on_the_subject_tells_nothing_of_him(
    load_small: LoadSmall, kind: str
) -> None:
    """Of whatever kind: it counts as off, and the explanation says that it may not be."""
    rule = {"编号": "ZZ-9", "说明": "测试", "字段": "*", "当": "条件3", **LOWERING[kind]}
    lowering: Tree = {"禁止": [], "条件上限": [], "不得同出": [], kind: [rule]}
    bundle = load_small(restrictions=lowering, agreements=[agreement(前提=[])])
    asked = ask(facts={}, fields=(FieldName("full_name"),))

    (told,) = explain_question(bundle, asked)

    assert (told.effect_text, told.depends_on_subject) == ("掩码(1,0)", True)
    for value in (True, False):
        assert explain_question(bundle, replace(asked, facts={"fact_3": value})) == (told,)


def test_a_closed_case_is_explained_with_its_owner(sandbox: Bundle) -> None:
    """The precondition that fails is named, with who is in charge of it."""
    closed = replace(QUESTION, facts={**CASE_FACTS, "case_state": "closed"})

    (first, *_) = explain_question(sandbox, closed)

    assert "办件在办" in first.text_zh
    assert "行政审批与社保经办中心" in first.text_zh
    assert "the case is open" in first.text_en


def test_no_agreement_is_explained_without_naming_one(sandbox: Bundle) -> None:
    """A stranger learns what to compare, not what exists."""
    foreign = replace(QUESTION, system=SystemId(f"{USCC}/other"))

    told = explain_question(sandbox, foreign)

    assert all("没有适用的协议" in item.text_zh for item in told)
    assert not any("XY-" in item.text_zh or "养老" in item.text_zh for item in told)
    assert told == explain_question(sandbox, replace(foreign, agreement="XY-none"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, ("以“掩码(1,0)”提供", "is released as")),
        ({"protected": True}, ("禁止事项 JZ-02", "prohibition JZ-02")),
        ({"protected": UNKNOWN}, ("禁止事项 JZ-02", "cannot be ruled out")),
        ({"age": 9}, ("禁止事项 JZ-01", "prohibition JZ-01")),
        (
            {"subject_is_applicant": False},
            ("前提“查询对象是申请人”", "the subject is the applicant"),
        ),
    ],
)
def test_a_decision_is_explained_to_reviewers(
    sandbox: Bundle, change: dict[str, FactValue], words: tuple[str, str]
) -> None:
    """The rule that decided is named, with basis and owner, in both languages."""
    facts = {**CASE_FACTS, **SUBJECT_FACTS, **change}
    decision = sandbox.decide(replace(QUESTION, facts=facts))

    (first, *_) = explain_decision(sandbox, decision)

    assert words[0] in first.text_zh
    assert words[1] in first.text_en
    assert "责任人" in first.text_zh


def test_a_ladder_that_ends_in_nothing_is_explained(sandbox: Bundle) -> None:
    """R4 without a ceiling is the agreement's own ladder."""
    question = replace(
        QUESTION,
        agreement="XY-2026-111",
        system=SystemId(f"{USCC}/investigation"),
        role="核查",
        matter="M1",
        dataset=DatasetName("ps.death_cancel@1"),
        fields=(FieldName("death_date"),),
        legal_basis="社会保险经办条例第二十六条",
        facts={**CASE_FACTS, **SUBJECT_FACTS, "subject_is_party": True},
    )

    (told,) = explain_decision(sandbox, sandbox.decide(question))

    assert "协议的阶梯" in told.text_zh
    assert "the ladder gives nothing" in told.text_en


def test_agreements_of_a_system_are_listed_in_order(sandbox: Bundle) -> None:
    """And only its own."""
    own = sandbox.list_agreements(f"{USCC}/retirement")

    assert [item.number for item in own] == [f"XY-2026-20{n}" for n in range(1, 6)]
    assert sandbox.list_agreements(f"{USCC}/nobody") == ()


def test_the_recertification_jobs_get_predicates_only(sandbox: Bundle) -> None:
    """Every agreement for 系统 lists no other role and no effect above 判断."""
    jobs = [row.agreement for row in sandbox.rows.values() if "系统" in row.agreement.roles]

    assert {job.system.partition("/")[2] for job in jobs} == {"recertification", "payment"}
    assert all(job.roles == {"系统"} for job in jobs)
    assert all(
        step.effect.kind is EffectKind.PREDICATE
        for job in jobs
        for cell in job.cells.values()
        for step in cell.steps
    )


@pytest.mark.parametrize("outcome", [Outcome.FALSE, Outcome.UNKNOWN])
@pytest.mark.parametrize("number", ["XY-2026-801", "XY-2026-802", "XY-2026-803"])
def test_a_card_is_asked_for_in_ones_own_division(
    sandbox: Bundle, number: str, outcome: Outcome
) -> None:
    """M8 reaches down to the villages: an officer of another division gets nothing."""
    row = sandbox.rows[number]
    met = dict.fromkeys(row.agreement.preconditions, Outcome.TRUE)
    outcomes = dict.fromkeys(row.conditions, Outcome.FALSE) | met

    within = build_plan(row, outcomes)
    without = build_plan(row, outcomes | {"辖区内经办": outcome})

    assert all(within.find(name).released for name in row.agreement.cells)
    assert not any(without.find(name).released for name in row.agreement.cells)


def test_every_matter_has_an_agreement(sandbox: Bundle) -> None:
    """M1 to M14, each by at least one."""
    covered = {matter for row in sandbox.rows.values() for matter in row.agreement.matters}

    assert covered == set(sandbox.matters)
    assert len(covered) == 14


def test_an_expired_bundle_explains_nothing_as_released(sandbox: Bundle) -> None:
    """What every exchange would be refused is not promised either."""
    expiry = datetime(sandbox.expires.year, sandbox.expires.month, sandbox.expires.day, tzinfo=UTC)
    late = replace(QUESTION, at_ms=int(expiry.timestamp() * 1000))

    told = explain_question(sandbox, late)

    assert all(item.effect.kind is EffectKind.WITHHOLD for item in told)
