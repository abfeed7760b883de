"""Decides a question against a compiled bundle: steps 1 to 6 and 8 of policy.md 3.3.

Step 7 (quota) and step 9 (log, release) are the exchange's; the quotas to charge are values here.
Step 8 is proven at compile time: an effect with no meaning for a field's type is no cell.

INVARIANT: every field asked gets exactly one decision; plans and decisions are kept by (agreement,
system, role, matter, dataset, outcomes; fields, basis) and never by the subject, so they can
neither leak nor go stale in a bundle.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from adapters.port import DatasetName, EffectKind, FieldName
from gateway.policy.conditions import ConditionEngine
from gateway.policy.errors import QuestionInvalid
from gateway.policy.model import (
    Agreement,
    Decision,
    DecisionInput,
    FieldDecision,
    Quota,
    QuotaKind,
    RuleCode,
)
from gateway.policy.table import Plan, Row, build_plan, withhold
from gateway.policy.vocabulary import Facts, Outcome, select_known

COMPARE_ATTEMPTS: Final = 3
"""Comparisons of one field per case and subject (policy.md 3.4)."""
MAX_PLANS: Final = 20_000
"""Plans kept; a bundle of 500 agreements used 1,500 in measurement."""

MAX_DECISIONS: Final = 8_192
"""Decisions kept, about 1 KiB each; systems ask for the same fields again and again."""

PlanKey = tuple[str, str, str, str, DatasetName, tuple[Outcome, ...]]
DecisionKey = tuple[PlanKey, tuple[FieldName, ...], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleSeal:
    """What stands on every decision of a bundle: its digest, and the time it ceases to decide."""

    digest: bytes
    until_ms: int


class Decider:
    """The decision table of one bundle."""

    def __init__(
        self,
        rows: Mapping[str, Row],
        engine: ConditionEngine,
        seal: BundleSeal,
    ) -> None:
        self._seal = seal
        self._rows = rows
        self._engine = engine
        self._plans: dict[PlanKey, Plan] = {}
        self._decisions: dict[DecisionKey, Decision] = {}

    def decide(self, question: DecisionInput) -> Decision:
        """Decide each field asked.

        Raises:
            QuestionInvalid: no field is named.
        """
        # Omitting the fields must never mean all of them (AIP-157 read the other way round).
        if not question.fields:
            raise QuestionInvalid("a question names at least one field")
        row = self.find_row(question)
        if row is None:
            return self._refuse(question)
        outcomes = self.evaluate(row, question.facts)
        plan_key = (
            question.agreement,
            question.system,
            question.role,
            question.matter,
            question.dataset,
            outcomes,
        )
        key = (plan_key, question.fields, question.legal_basis)
        decision = self._decisions.get(key)
        if decision is None:
            decision = self._build(question, row, self._find_plan(plan_key, row, outcomes))
            # Names of the catalog's making only: of his own a requester could think up any number.
            if row.agreement.cells.keys() >= set(question.fields):
                if len(self._decisions) >= MAX_DECISIONS:
                    self._decisions.clear()
                self._decisions[key] = decision
        return decision

    def _build(self, question: DecisionInput, row: Row, plan: Plan) -> Decision:
        agreement = row.agreement
        fields = tuple(plan.find(name) for name in question.fields)
        return Decision(
            fields=fields,
            policy_digest=self._seal.digest,
            agreement=agreement,
            # An index and not the text: the log holds no words a requester may choose.
            basis_index=agreement.basis.index(question.legal_basis),
            quotas=_list_quotas(agreement, fields),
            delete_after_days=agreement.delete_after_days,
            tell_not_found=agreement.tell_not_found,
            released=tuple(field for field in fields if field.released),
            rules=_spell_rules(fields),
        )

    def find_row(self, question: DecisionInput) -> Row | None:
        """Return the row of the agreement a question is asked under, None where it does not apply.

        Absent, expired, suspended and foreign look alike: a stranger learns of no agreement.
        """
        row = self._rows.get(question.agreement)
        expired = question.at_ms >= self._seal.until_ms
        if row is None or expired or not is_in_force(row.agreement, question):
            return None
        return row

    def evaluate(self, row: Row, facts: Facts) -> tuple[Outcome, ...]:
        """Return the outcome of each condition of a row."""
        return self._engine.evaluate(row.conditions, select_known(facts, row.facts))

    def _find_plan(self, key: PlanKey, row: Row, outcomes: tuple[Outcome, ...]) -> Plan:
        plan = self._plans.get(key)
        if plan is None:
            # Outcomes are few per agreement; the bound is against a bundle nobody foresaw.
            if len(self._plans) >= MAX_PLANS:
                self._plans.clear()
            plan = build_plan(row, dict(zip(row.conditions, outcomes, strict=True)))
            self._plans[key] = plan
        return plan

    def _refuse(self, question: DecisionInput) -> Decision:
        fields = tuple(withhold(name, RuleCode.AGREEMENT) for name in question.fields)
        return Decision(
            fields=fields,
            policy_digest=self._seal.digest,
            agreement=None,
            basis_index=None,
            quotas=(),
            delete_after_days=0,
            tell_not_found=False,
            released=(),
            rules=_spell_rules(fields),
        )


def is_in_force(agreement: Agreement, question: DecisionInput) -> bool:
    """Whether an agreement covers a question (step 1 of policy.md 3.3, and the legal basis)."""
    return (
        agreement.from_ms <= question.at_ms < agreement.until_ms
        and not agreement.suspended
        and question.organisation == agreement.organisation
        and question.system == agreement.system
        and question.role in agreement.roles
        and question.matter in agreement.matters
        and question.dataset == agreement.dataset
        and question.legal_basis in agreement.basis
    )


def _spell_rules(fields: tuple[FieldDecision, ...]) -> tuple[str, ...]:
    return tuple(f"{each.field}:{each.rule}:{each.rule_id}" for each in fields)


def _list_quotas(agreement: Agreement, fields: tuple[FieldDecision, ...]) -> tuple[Quota, ...]:
    quotas = _list_fixed_quotas(tuple(agreement.limits.items()), len(fields))
    compared = [decided.field for decided in fields if decided.effect.kind is EffectKind.COMPARE]
    if not compared:
        return quotas
    return quotas + tuple(
        Quota(kind=QuotaKind.COMPARE_ATTEMPTS, limit=COMPARE_ATTEMPTS, cost=1, field=name)
        for name in compared
    )


@lru_cache(maxsize=4_096)
def _list_fixed_quotas(limits: tuple[tuple[QuotaKind, int], ...], fields: int) -> tuple[Quota, ...]:
    costs = {
        QuotaKind.PER_CASE_AND_SUBJECT: 1,
        QuotaKind.PER_DAY: fields,  # subjects times fields (policy.md 6)
        QuotaKind.PER_SECOND: 1,
    }
    return tuple(Quota(kind=kind, limit=limit, cost=costs[kind]) for kind, limit in limits)
