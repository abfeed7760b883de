"""Says in Chinese and English why a field is or would be released as it is.

`explain_question` is for requesters: it never consults facts of the subject, and says where the
answer depends on them. `explain_decision` is for reviewers inside the gateway: it names the rule
that decided, which for a prohibition already tells something about the subject.

INVARIANT: a sentence names rules, bases and owners; never a value, an identifier or a case number.
"""

from collections.abc import Callable
from dataclasses import dataclass

from adapters.port import Effect, FieldName
from gateway.policy.bundle import Bundle
from gateway.policy.model import (
    Agreement,
    Decision,
    DecisionInput,
    FieldDecision,
    RuleCode,
)
from gateway.policy.table import Row, build_plan, withhold
from gateway.policy.vocabulary import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldExplanation:
    """Why one field would be released as it would."""

    field: FieldName
    effect: Effect
    effect_text: str
    depends_on_subject: bool
    text_zh: str
    text_en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    zh: str
    en: str


def explain_question(bundle: Bundle, question: DecisionInput) -> tuple[FieldExplanation, ...]:
    """Explain what would be released if every condition on the subject held.

    Conditions that name no fact of the subject are evaluated over the facts given.
    """
    row = bundle.decider.find_row(question)
    if row is None:
        return tuple(
            _explain(bundle, None, withhold(name, RuleCode.AGREEMENT), depends=False)
            for name in question.fields
        )
    plan = build_plan(row, _assume_best(bundle, row, question))
    return tuple(
        _explain(
            bundle,
            row.agreement,
            plan.find(name),
            depends=_depends_on_subject(bundle, row, name),
        )
        for name in question.fields
    )


def explain_decision(bundle: Bundle, decision: Decision) -> tuple[FieldExplanation, ...]:
    """Explain a decision that was made; for reviewers."""
    return tuple(
        _explain(bundle, decision.agreement, field, depends=False) for field in decision.fields
    )


def _assume_best(bundle: Bundle, row: Row, question: DecisionInput) -> dict[str, Outcome]:
    lowering = {item.condition for item in row.lowering}
    known = dict(zip(row.conditions, bundle.decider.evaluate(row, question.facts), strict=True))
    # Facts of the subject are overruled even when given: an explanation must not become an answer.
    for name in row.conditions:
        if bundle.conditions[name].depends_on_subject:
            known[name] = Outcome.FALSE if name in lowering else Outcome.TRUE
    return known


def _depends_on_subject(bundle: Bundle, row: Row, field: str) -> bool:
    cell = row.agreement.cells.get(FieldName(field))
    if cell is None:
        return False
    names = [*row.agreement.preconditions]
    names += [step.condition for step in cell.steps if step.condition is not None]
    names += [item.condition for item in row.lowering if item.covers(row.agreement.dataset, field)]
    return any(bundle.conditions[name].depends_on_subject for name in names)


def _explain(
    bundle: Bundle, agreement: Agreement | None, decided: FieldDecision, *, depends: bool
) -> FieldExplanation:
    said = _SENTENCES[decided.rule](bundle, agreement, decided)
    title = _title(bundle, agreement, decided.field)
    tail_zh = "是否如此还取决于当事人的情况。" if depends else ""
    tail_en = " This depends on the subject." if depends else ""
    return FieldExplanation(
        field=decided.field,
        effect=decided.effect,
        effect_text=decided.effect_text,
        depends_on_subject=depends,
        text_zh=f"“{title}”{said.zh}{tail_zh}",
        text_en=f"{decided.field} {said.en}{tail_en}",
    )


def _title(bundle: Bundle, agreement: Agreement | None, field: FieldName) -> str:
    dataset = None if agreement is None else bundle.catalog.find(agreement.dataset)
    found = None if dataset is None else dataset.find_field(field)
    return field if found is None else found.title_zh


def _source(agreement: Agreement | None) -> _Said:
    if agreement is None:
        return _Said(zh="", en="")
    return _Said(
        zh=f"（协议 {agreement.number}，依据：{'、'.join(agreement.basis)}，"
        f"责任人：{agreement.owner}）",
        en=f" (agreement {agreement.number}, basis: {', '.join(agreement.basis)}, "
        f"owner: {agreement.owner})",
    )


def _say_granted(_: Bundle, agreement: Agreement | None, decided: FieldDecision) -> _Said:
    source = _source(agreement)
    return _Said(
        zh=f"以“{decided.effect_text}”提供{source.zh}。",
        en=f"is released as {decided.effect_text}{source.en}.",
    )


def _say_agreement(_: Bundle, __: Agreement | None, ___: FieldDecision) -> _Said:
    return _Said(
        zh="不予提供：没有适用的协议。请核对协议编号、有效期、系统、角色、事项、数据集和依据。",
        en="is withheld: no agreement applies. Compare number, validity, system, role, matter, "
        "dataset and legal basis.",
    )


def _say_precondition(bundle: Bundle, agreement: Agreement | None, decided: FieldDecision) -> _Said:
    condition = bundle.conditions[decided.rule_id]
    owner, source = condition.owner, _source(agreement)
    return _Said(
        zh=f"不予提供：前提“{condition.name}”未满足或无法确认，由{owner}负责{source.zh}。",
        en=f"is withheld: it is not established that {condition.explanation_en}; "
        f"ask {owner}{source.en}.",
    )


def _say_no_cell(_: Bundle, agreement: Agreement | None, __: FieldDecision) -> _Said:
    source = _source(agreement)
    return _Said(
        zh=f"不予提供：协议没有列这一项{source.zh}。",
        en=f"is withheld: the agreement has no cell for it{source.en}.",
    )


def _say_ceiling(bundle: Bundle, agreement: Agreement | None, decided: FieldDecision) -> _Said:
    source = _source(agreement)
    by_zh, by_en = "协议的阶梯", "the ladder"
    if decided.rule_id:
        row = None if agreement is None else bundle.rows.get(agreement.number)
        capped = row is not None and decided.rule_id in {cap.number for cap in row.caps}
        by_zh = f"{'层级上限' if capped else '条件上限'} {decided.rule_id}"
        by_en = f"{'cap by level' if capped else 'conditional ceiling'} {decided.rule_id}"
    return _Said(
        zh=f"不予提供：{by_zh}在此情形下不予提供{source.zh}。",
        en=f"is withheld: {by_en} gives nothing here{source.en}.",
    )


def _say_prohibition(_: Bundle, agreement: Agreement | None, decided: FieldDecision) -> _Said:
    source = _source(agreement)
    return _Said(
        zh=f"不予提供：适用禁止事项 {decided.rule_id}，或无法排除{source.zh}。",
        en=f"is withheld: prohibition {decided.rule_id} applies or cannot be ruled out{source.en}.",
    )


def _say_other(_: Bundle, agreement: Agreement | None, __: FieldDecision) -> _Said:
    source = _source(agreement)
    return _Said(zh=f"不予提供{source.zh}。", en=f"is withheld{source.en}.")


_SENTENCES: dict[RuleCode, Callable[[Bundle, Agreement | None, FieldDecision], _Said]] = {
    RuleCode.GRANTED: _say_granted,
    RuleCode.AGREEMENT: _say_agreement,
    RuleCode.PRECONDITION: _say_precondition,
    RuleCode.NO_CELL: _say_no_cell,
    RuleCode.CEILING: _say_ceiling,
    RuleCode.PROHIBITION: _say_prohibition,
    RuleCode.QUOTA: _say_other,
    RuleCode.NOT_APPLICABLE: _say_other,
}
