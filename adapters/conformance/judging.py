"""Compares what came back with what each planted person is.

Knows no kind: a kind's rules are in its adapter, which has judged the answer before.
INVARIANT: what is found names fields, never their values.
"""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from adapters.conformance.asking import Told
from adapters.conformance.deviations import Deviation, Found
from adapters.conformance.endpoint import Offered
from adapters.conformance.forms import has_form
from adapters.conformance.sample import Planted, Role
from adapters.effects.families import Family, family_of
from adapters.port import FieldShape, Finding, Indeterminate, Lacking, NotFound, Record, Untold
from signing.encoding import JsonValue
from signing.errors import RecordRefused

_D = Deviation
_UNTOLD: Final[Mapping[Indeterminate, Deviation]] = MappingProxyType(
    {
        Indeterminate.PENDING: _D.JOB_UNFINISHED,
        Indeterminate.SUBJECT_UNRESOLVED: _D.SUBJECT_UNRESOLVED,
        Indeterminate.QUESTION_REJECTED: _D.QUESTION_REJECTED,
    }
)
_OPEN_FINDINGS: Final = frozenset({Finding.INDETERMINATE.value, Finding.ERROR.value})


def judge(person: Planted, offered: Offered, told: Told) -> list[Found]:
    """Return everything that is not as it should be for this person."""
    return list(_JUDGES[person.role](person, offered, told))


def explain_untold(told: Told) -> Found | None:
    """Return why nothing was told, None where something was."""
    match told.outcome:
        case Untold() as untold if untold.cause is not None:
            return Found(code=untold.cause, detail=untold.detail)
        case Untold() as untold:
            code = _UNTOLD.get(untold.reason, _D.NOT_TOLD)
            return Found(code=code, detail=untold.reason.value if code is _D.NOT_TOLD else "")
        case Lacking() as lacking:
            return Found(code=_D.SAMPLE_LACKS, detail=lacking.value)
        case RecordRefused() as refused:
            return Found(code=_D.RECORD_UNPROVEN, detail=refused.reason.value)
        case _:
            return None


def _judge_known(person: Planted, offered: Offered, told: Told) -> Iterator[Found]:
    untold = explain_untold(told)
    if untold is not None:
        yield untold
    elif isinstance(told.outcome, NotFound):
        yield Found(code=_D.KNOWN_NOT_FOUND)
    else:
        for shape in offered.shape.fields:
            if shape.name in offered.fields:
                yield from _judge_field(person, shape, told.claims.get(shape.name))


def _judge_field(
    person: Planted, shape: FieldShape, claim: Mapping[str, JsonValue] | None
) -> Iterator[Found]:
    content = None if claim is None else claim.get("value", claim.get("finding"))
    expected = person.expect.get(shape.name)
    if shape.name in person.lacks:
        if content is not None:
            yield Found(code=_D.FIELD_DIFFERS, detail=shape.name)
    elif claim is None:
        yield Found(code=_D.FIELD_ABSENT, detail=shape.name)
    elif expected is not None and content != expected:
        yield Found(code=_D.FIELD_DIFFERS, detail=shape.name)
    elif family_of(shape.type) is Family.FINDING:
        if content in _OPEN_FINDINGS and expected is None:
            yield Found(code=_D.FINDING_UNTOLD, detail=shape.name)
    elif not has_form(shape.type, content):
        yield Found(code=_D.FIELD_FORM, detail=shape.name)


def _judge_unknown(person: Planted, _: Offered, told: Told) -> Iterator[Found]:
    untold = explain_untold(told)
    if untold is not None:
        yield untold
    elif person.expect:
        # Findings that say themselves that nothing is there, as of an account nobody holds.
        yield from _judge_expected(person, told)
    elif isinstance(told.outcome, Record):
        yield Found(code=_D.UNKNOWN_FOUND)


def _judge_other_name(person: Planted, offered: Offered, told: Told) -> Iterator[Found]:
    outcome = told.outcome
    if isinstance(outcome, Untold) and outcome.reason is Indeterminate.SUBJECT_UNRESOLVED:
        return
    if isinstance(outcome, Untold) and outcome.reason is Indeterminate.SUBJECT_MISMATCH:
        # The adapter saw the holder's record come back for somebody of another name.
        yield Found(code=_D.OTHER_NAME_ANSWERED)
    elif isinstance(outcome, NotFound):
        if not offered.names_unseen:
            yield Found(code=_D.OTHER_NAME_NOT_FOUND)
    elif (untold := explain_untold(told)) is not None:
        yield untold
    else:
        given = sorted(name for name, claim in told.claims.items() if claim.get("value"))
        if given:
            yield Found(code=_D.OTHER_NAME_ANSWERED, detail=" ".join(given))
        yield from _judge_expected(person, told)


def _judge_two_people(person: Planted, offered: Offered, told: Told) -> Iterator[Found]:
    outcome = told.outcome
    if isinstance(outcome, Untold) and outcome.reason is Indeterminate.SUBJECT_UNRESOLVED:
        return
    if isinstance(outcome, NotFound):
        yield Found(code=_D.TWO_PEOPLE_NOT_FOUND)
    elif isinstance(outcome, Record) and not person.expect:
        # Whose record it is cannot be seen from it alone.
        yield Found(code=_D.SAMPLE_INCOMPLETE, detail="expect")
    else:
        yield from _judge_known(person, offered, told)


def _judge_expected(person: Planted, told: Told) -> Iterator[Found]:
    for name, expected in person.expect.items():
        claim = told.claims.get(name, {})
        if claim.get("value", claim.get("finding")) != expected:
            yield Found(code=_D.FIELD_DIFFERS, detail=name)


_Judge = Callable[[Planted, Offered, Told], Iterator[Found]]
_JUDGES: Final[Mapping[Role, _Judge]] = MappingProxyType(
    {
        Role.KNOWN: _judge_known,
        Role.FIFTEEN_DIGITS: _judge_known,
        Role.UNKNOWN: _judge_unknown,
        Role.OTHER_NAME: _judge_other_name,
        Role.TWO_PEOPLE: _judge_two_people,
    }
)
