"""The last step of every dialect: what becomes of a raw record, and of what went wrong."""

from collections.abc import Mapping

import pytest

from adapters.errors import AnswerMalformed, DepartmentFailed
from adapters.port import Effect, EffectKind, FieldName, Indeterminate, Untold
from adapters.records import RawRecord, RecordSource, settle
from signing.record import WITHHELD
from tests.adapters.asking import (
    CLEAR,
    query_of,
    read_outcome,
    shape_of,
)

COUNTY = Effect(kind=EffectKind.GENERALISE, parameters=("county",))
SHAPE = shape_of("zz.test@1", {"address": "str200", "sex": "code", "photo": "b64"})
GRANTS = {"address": COUNTY, "sex": CLEAR, "photo": CLEAR}
QUERY = query_of(SHAPE, ("370102195603159016", "王守仁"), GRANTS)


async def _held(raw: Mapping[str, str]) -> RawRecord:
    return {FieldName(name): value for name, value in raw.items()}


async def _raising(error: Exception) -> RawRecord:
    raise error


async def test_an_effect_that_cannot_be_applied_is_said_and_told_from_no_value(
    source: RecordSource,
) -> None:
    """An address without a county is withheld, a photo that is not there is left out."""
    outcome = await settle(source, QUERY, _held({"address": "文化东路1号", "sex": "1"}))

    told = {each.name: each.value for each in read_outcome(QUERY, outcome).disclosures}
    assert told == {"address": WITHHELD, "sex": {"effect": "CLEAR", "value": "1"}}


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (TimeoutError(), Indeterminate.PROVIDER_TIMEOUT),
        (DepartmentFailed(Indeterminate.PROVIDER_QUOTA), Indeterminate.PROVIDER_QUOTA),
        (AnswerMalformed("x"), Indeterminate.PROVIDER_MALFORMED),
    ],
)
async def test_a_foreseen_fault_is_untold(
    source: RecordSource, error: Exception, reason: Indeterminate
) -> None:
    """Each has its reason; none is an exception."""
    assert await settle(source, QUERY, _raising(error)) == Untold(reason=reason)


async def test_a_mistake_of_an_adapter_is_not_taken_for_the_departments(
    source: RecordSource,
) -> None:
    """It passes: the exchange has the one broad place, and answers PROVIDER_FAULT."""
    with pytest.raises(ZeroDivisionError):
        await settle(source, QUERY, _raising(ZeroDivisionError()))
