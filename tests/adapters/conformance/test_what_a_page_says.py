"""Where the page of a kind says something else than most: absence, names, copies."""

from adapters.conformance import Patience
from adapters.records import RawRecord
from signing.encoding import JsonValue
from tests.adapters.conformance.scripted import (
    GOOD,
    KNOWN,
    OTHER,
    PEOPLE,
    Asked,
    CopyingAdapter,
    StuckAdapter,
    behave,
    codes_of,
    endpoint_of,
    report_of,
    sample_of,
)


def _everybody(asked: Asked) -> RawRecord | None:
    behave(asked)
    return GOOD


def _any_name(asked: Asked) -> RawRecord | None:
    return GOOD if asked.identifier == KNOWN and asked.trusted else behave(asked)


def _name_as_none(asked: Asked) -> RawRecord | None:
    return None if asked.name == OTHER and asked.trusted else behave(asked)


def _expecting(due: dict[str, JsonValue]) -> list[dict[str, JsonValue]]:
    return [PEOPLE[0], {**PEOPLE[1], "expect": due}, PEOPLE[2]]


async def test_findings_that_are_due_of_nobody_are_compared() -> None:
    """Some departments tell an absent subject by findings; others of them are no pass."""
    due: dict[str, JsonValue] = {"death_date": "2022-01-29", "has_record": "YES"}
    other: dict[str, JsonValue] = {**due, "has_record": "NO"}
    right = _expecting(due)
    wrong = _expecting(other)

    passed = await report_of(endpoint_of(_everybody), sample_of(right))
    failed = await report_of(endpoint_of(_everybody), sample_of(wrong))
    absent = await report_of(endpoint_of(), sample_of(right))

    assert "unknown" not in codes_of(passed)
    assert codes_of(failed)["unknown"] == {"FIELD_DIFFERS"}
    assert codes_of(absent)["unknown"] == {"FIELD_DIFFERS"}


async def test_another_name_is_nobody_where_the_page_says_so_and_only_as_nobody() -> None:
    """The kind says it, so that no sample can; a record is still somebody else's."""
    unseen = endpoint_of(_name_as_none, names_unseen=True)
    given = endpoint_of(_any_name, names_unseen=True)

    assert codes_of(await report_of(unseen)) == {}
    assert codes_of(await report_of(given)) == {"other_name": {"OTHER_NAME_ANSWERED"}}
    told = codes_of(await report_of(endpoint_of(_name_as_none)))
    assert told == {"other_name": {"OTHER_NAME_NOT_FOUND"}}


async def test_a_copy_is_begun_and_waited_for_before_health_is_told() -> None:
    """As a gateway begins it; a copy that is not whole yet is no end that is away."""
    report = await report_of(endpoint_of(adapter=CopyingAdapter))
    stuck = endpoint_of(adapter=StuckAdapter)
    never = await report_of(stuck, patience=Patience(answer_s=0.5))

    assert codes_of(report) == {}
    assert codes_of(never) == {"health": {"HEALTH_REFUSED"}}
