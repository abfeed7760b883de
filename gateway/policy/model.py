"""The values of a compiled policy and of a decision.

Knows nothing of YAML or CEL. All are immutable; a decision holds no value of a person.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from adapters.port import DatasetName, Effect, EffectKind, FieldName
from certs.identity import SystemId
from certs.quick import quickly_made
from gateway.policy.vocabulary import Facts

SYSTEM_ROLE = "系统"
"""The role of jobs that carry no officer assertion (decisions.md, JWT)."""


class RuleCode(StrEnum):
    """Which step of policy.md 3.3 decided a field; internal: requesters see one code."""

    GRANTED = "R0"
    AGREEMENT = "R1"
    PRECONDITION = "R2"
    NO_CELL = "R3"
    CEILING = "R4"
    PROHIBITION = "R5"
    QUOTA = "R6"
    NOT_APPLICABLE = "R7"


class QuotaKind(StrEnum):
    """What a quota counts (policy.md 6)."""

    PER_CASE_AND_SUBJECT = "PER_CASE_AND_SUBJECT"
    PER_DAY = "PER_DAY"
    PER_SECOND = "PER_SECOND"
    COMPARE_ATTEMPTS = "COMPARE_ATTEMPTS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """One charge to make before release: keyed by the agreement, and by `field` where it is set."""

    kind: QuotaKind
    limit: int
    cost: int
    field: FieldName | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One rung of a ladder; `condition` None is 否则."""

    condition: str | None
    effect: Effect
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What an agreement grants of one field: rungs from high to low, the last without condition."""

    field: FieldName
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Restriction:
    """What lowers fields while its condition is not false.

    A conditional ceiling has a `ceiling`, a cap has `kinds`, a prohibition has neither.
    """

    number: str
    title: str
    dataset: DatasetName | None
    """None covers every dataset."""
    fields: frozenset[str] | None
    """None covers every field."""
    condition: str
    ceiling: Effect | None = None
    kinds: frozenset[EffectKind] | None = None
    """Of a cap: the kinds a rung may have. What is clearer is passed over, down the ladder."""
    spared_matters: frozenset[str] = frozenset()
    spared_roles: frozenset[str] = frozenset()

    def spares(self, agreement: "Agreement") -> bool:
        """Whether an agreement is exempt: all its matters are spared, or all its roles."""
        # All of them: an agreement over a spared matter and another one must not escape by it.
        return agreement.matters <= self.spared_matters or agreement.roles <= self.spared_roles

    def covers(self, dataset: str, field: str) -> bool:
        """Whether it speaks about a field."""
        return self.dataset in {None, dataset} and (self.fields is None or field in self.fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """One agreement as compiled."""

    number: str
    title: str
    organisation: str
    system: SystemId
    dataset: DatasetName
    provider: str
    basis: tuple[str, ...]
    owner: str
    matters: frozenset[str]
    roles: frozenset[str]
    valid_from: str
    """First day in force, ISO 8601, in China."""
    valid_until: str
    """First day no longer in force."""
    from_ms: int
    until_ms: int
    suspended: bool
    preconditions: tuple[str, ...]
    limits: Mapping[QuotaKind, int]
    delete_after_days: int
    tell_not_found: bool
    cells: Mapping[FieldName, Cell]


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionInput:
    """One question, as far as policy needs it: no identifier of the subject, no case number."""

    agreement: str
    organisation: str
    system: SystemId
    role: str
    matter: str
    facts: Facts
    dataset: DatasetName
    fields: tuple[FieldName, ...]
    at_ms: int
    legal_basis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldDecision:
    """What becomes of one field."""

    field: FieldName
    effect: Effect
    effect_text: str
    rule: RuleCode
    rule_id: str
    """Name of the condition, ceiling or prohibition that decided; else empty."""

    @property
    def released(self) -> bool:
        """Whether anything of the field may leave."""
        return self.rule is RuleCode.GRANTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One decision per field asked, in the order asked, and what the exchange needs beside it."""

    fields: tuple[FieldDecision, ...]
    policy_digest: bytes
    agreement: Agreement | None
    """None where no agreement applies (R1)."""
    basis_index: int | None
    quotas: tuple[Quota, ...]
    delete_after_days: int
    tell_not_found: bool

    released: tuple[FieldDecision, ...]
    """The fields of which something may leave."""
    rules: tuple[str, ...]
    """Per field asked which rule decided, as the log commits to it: `field:rule:rule_id`."""
