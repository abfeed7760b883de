"""The door of this package: one grant and one raw value in, one disclosure out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import assert_never

from adapters.effects.families import Family, RawValue, family_of, require_scalar
from adapters.effects.findings import compare, decide_predicate, pseudonym
from adapters.effects.mask import generalise, mask
from adapters.errors import EffectNotApplicable
from adapters.mapping.identifiers import IdentifierKind
from adapters.port import Effect, EffectKind, FieldShape, Finding, Grant
from certs.quick import quickly_made


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """What leaves of one field: a coarse value or a finding, never both."""

    effect: EffectKind
    value: str | tuple[str, ...] | None = field(default=None, repr=False)
    finding: Finding | None = None

    def encode_claim(self, granted: Effect) -> Mapping[str, str | Sequence[str]]:
        """Return the value of the disclosure, e.g. `{"effect": "MASK(1,0)", "value": "李*"}`.

        The effect stands there with its parameters, so that a clearer one than granted shows.
        """
        if self.finding is not None:
            return {"effect": granted.code, "finding": self.finding.value}
        return {"effect": granted.code, "value": "" if self.value is None else self.value}


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class FieldContext:
    """What an effect may look at beside the value: the field's shape, the claim, the day."""

    shape: FieldShape
    identifier: IdentifierKind | None = None
    """Which identifier the field holds, so that two spellings of one compare as one."""
    claimed: str | None = field(default=None, repr=False)
    today: date


def apply_effect(grant: Grant, context: FieldContext, value: RawValue | None) -> Disclosure | None:
    """Return what leaves of one value, None where the department has no value.

    Raises:
        EffectNotApplicable: The field is withheld.
    """
    family = family_of(context.shape.type)
    kind, parameters = grant.effect.kind, grant.effect.parameters
    match kind:
        case EffectKind.COMPARE:
            found = compare(context.claimed, value, family, context.identifier)
            return Disclosure(effect=kind, finding=found)
        case EffectKind.PREDICATE:
            return _predicate(parameters, family, value, context.today)
        case EffectKind.WITHHOLD:
            raise EffectNotApplicable("withheld by grant")
        case EffectKind.CLEAR | EffectKind.MASK | EffectKind.GENERALISE | EffectKind.PSEUDONYM:
            if value is None or (isinstance(value, Finding) and family is not Family.FINDING):
                # The department compared and did not give the value.
                return None
            return Disclosure(effect=kind, value=_coarsen(grant, family, value))
        case _:
            assert_never(kind)


def apply_when_not_found(grant: Grant, context: FieldContext) -> Disclosure | None:
    """Return what leaves of one field when the department holds no record of the subject.

    A predicate finds what the catalog says. A comparison finds NO, because disagreeing and not
    held are one answer to the asker (policy.md 3.4), unless nothing was claimed or the catalog says
    NOT_APPLICABLE. Values are absent.

    Raises:
        EffectNotApplicable: The field is withheld.
    """
    kind = grant.effect.kind
    if kind is EffectKind.PREDICATE:
        # The effect is applied to nothing first, so that an unknown predicate is withheld here too.
        _predicate(grant.effect.parameters, family_of(context.shape.type), None, context.today)
        return Disclosure(effect=kind, finding=context.shape.when_absent)
    if kind is EffectKind.COMPARE:
        return Disclosure(effect=kind, finding=_compare_when_not_found(context))
    if kind is EffectKind.WITHHOLD:
        raise EffectNotApplicable("withheld by grant")
    return None


def _compare_when_not_found(context: FieldContext) -> Finding:
    family, absent = family_of(context.shape.type), context.shape.when_absent
    found = compare(context.claimed, None, family, context.identifier)
    if found is not Finding.INDETERMINATE:
        return found
    return absent if family is Family.FINDING or absent is Finding.NOT_APPLICABLE else Finding.NO


def _predicate(
    parameters: tuple[str, ...], family: Family, value: RawValue | None, today: date
) -> Disclosure | None:
    if parameters == ("category",):
        # A code that is itself a conclusion (decisions.md: reason-valued fields, bands).
        if family not in {Family.CODE, Family.LIST} or isinstance(value, Finding):
            raise EffectNotApplicable("only a code is a category")
        return None if value is None else Disclosure(effect=EffectKind.PREDICATE, value=value)
    finding = decide_predicate(value, parameters, today)
    return Disclosure(effect=EffectKind.PREDICATE, finding=finding)


def _coarsen(grant: Grant, family: Family, value: RawValue) -> str | tuple[str, ...]:
    kind, parameters = grant.effect.kind, grant.effect.parameters
    if kind is EffectKind.CLEAR:
        if isinstance(value, Finding) or family is Family.FINDING or parameters:
            raise EffectNotApplicable("a finding is no value")
        return value
    if kind is EffectKind.PSEUDONYM:
        if parameters:
            raise EffectNotApplicable("a pseudonym takes no parameters")
        return pseudonym(value, family, grant.pseudonym_key)
    coarse = mask if kind is EffectKind.MASK else generalise
    return coarse(require_scalar(value), family, parameters)
