"""Ends that answer wrongly in ways no simulator does: each is named for what it does."""

from collections.abc import Callable

import pytest

from adapters.causes import Cause
from adapters.conformance import Case, Conclusion, Patience, State
from adapters.errors import DepartmentFailed
from adapters.port import AdapterHealth, FieldName, Finding, Indeterminate, Lacking
from adapters.records import RawRecord
from signing.encoding import JsonValue
from tests.adapters.conformance.scripted import (
    GOOD,
    KNOWN,
    OTHER,
    PEOPLE,
    UNRESOLVED,
    Asked,
    ScriptedAdapter,
    behave,
    codes_of,
    endpoint_of,
    report_of,
    sample_of,
)

Change = Callable[[ScriptedAdapter], None]
DAY, RECORD = FieldName("death_date"), FieldName("has_record")
TWO = {**PEOPLE[0], "is": "two_people"}


def _failing(reason: Indeterminate, cause: Cause | None = None) -> DepartmentFailed:
    return DepartmentFailed(reason, cause=cause)


async def test_an_end_that_does_everything_right_passes() -> None:
    """Every case was tried, and nothing was found."""
    report = await report_of(endpoint_of())

    assert codes_of(report) == {}
    assert report.conclusion is Conclusion.PASSED
    assert [each.case.value for each in report.tried] == [
        "health",
        "known",
        "unknown",
        "other_name",
        "repeated",
        "together",
        "surplus",
        "credential",
    ]
    # This kind never says which members it drops, so nothing is said of them.
    assert report.tried[6].state is State.SKIPPED


def _empty(asked: Asked) -> RawRecord | None:
    behave(asked)
    return None


def _everybody(asked: Asked) -> RawRecord | None:
    behave(asked)
    return GOOD


def _any_name(asked: Asked) -> RawRecord | None:
    return GOOD if asked.identifier == KNOWN and asked.trusted else behave(asked)


def _name_as_none(asked: Asked) -> RawRecord | None:
    return None if asked.name == OTHER and asked.trusted else behave(asked)


def _holder(asked: Asked) -> RawRecord | None:
    if asked.name == OTHER and asked.trusted:
        raise _failing(Indeterminate.SUBJECT_MISMATCH, Cause.OTHER_PERSON)
    return behave(asked)


def _without_day(asked: Asked) -> RawRecord | None:
    return {RECORD: Finding.YES} if behave(asked) else None


def _american_day(asked: Asked) -> RawRecord | None:
    return {**GOOD, DAY: "01/29/2022"} if behave(asked) else None


def _impossible_day(asked: Asked) -> RawRecord | None:
    return {**GOOD, DAY: "2022-02-30"} if behave(asked) else None


def _unsure(asked: Asked) -> RawRecord | None:
    return {**GOOD, RECORD: Finding.INDETERMINATE} if behave(asked) else None


def _open_door(asked: Asked) -> RawRecord | None:
    asked.trusted = True
    return behave(asked)


def _vague_refusal(asked: Asked) -> RawRecord | None:
    if not asked.trusted:
        raise _failing(Indeterminate.PROVIDER_FAULT, Cause.CODE_REFUSED)
    return behave(asked)


def _page_for_a_stranger(asked: Asked) -> RawRecord | None:
    if not asked.trusted:
        raise _failing(Indeterminate.PROVIDER_MALFORMED, Cause.MEDIA_TYPE)
    return behave(asked)


def _another_day_each_time(asked: Asked) -> RawRecord | None:
    # The first three questions are the three people, each alone.
    day = "2022-01-29" if asked.count <= 3 else "2022-01-30"
    return {**GOOD, DAY: day} if behave(asked) else None


def _another_day_once(asked: Asked) -> RawRecord | None:
    # The second of the two times it is asked again.
    day = "2022-01-30" if asked.count == 5 else "2022-01-29"
    return {**GOOD, DAY: day} if behave(asked) else None


def _busy_for_a_stranger(asked: Asked) -> RawRecord | None:
    if not asked.trusted:
        raise _failing(Indeterminate.PROVIDER_FAULT, Cause.CODE_BUSY)
    return behave(asked)


def _tired(asked: Asked) -> RawRecord | None:
    # The fourth and fifth are the repeated question; after them all are asked at once.
    if asked.count > 5:
        raise _failing(Indeterminate.PROVIDER_UNAVAILABLE, Cause.CODE_BUSY)
    return behave(asked)


def _never_done(asked: Asked) -> RawRecord | None:
    behave(asked)
    raise DepartmentFailed(Indeterminate.PENDING, retry_after_s=0.0)


def _rejecting(asked: Asked) -> RawRecord | None:
    behave(asked)
    raise _failing(Indeterminate.QUESTION_REJECTED)


def _silent(asked: Asked) -> RawRecord | None:
    behave(asked)
    raise _failing(Indeterminate.PROVIDER_FAULT)


def _unresolved(asked: Asked) -> RawRecord | None:
    if behave(asked):
        raise UNRESOLVED
    return None


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (_empty, {"known": {"KNOWN_NOT_FOUND"}}),
        (_everybody, {"unknown": {"UNKNOWN_FOUND"}}),
        (_any_name, {"other_name": {"OTHER_NAME_ANSWERED"}}),
        (_name_as_none, {"other_name": {"OTHER_NAME_NOT_FOUND"}}),
        (_holder, {"other_name": {"OTHER_NAME_ANSWERED"}}),
        (_without_day, {"known": {"FIELD_ABSENT"}}),
        (_american_day, {"known": {"FIELD_FORM"}}),
        (_impossible_day, {"known": {"FIELD_FORM"}}),
        (_unsure, {"known": {"FINDING_UNTOLD"}}),
        (_open_door, {"credential": {"CREDENTIAL_NOT_CHECKED"}}),
        (_vague_refusal, {"credential": {"REFUSAL_UNCLEAR"}}),
        (_page_for_a_stranger, {"credential": {"MEDIA_TYPE"}}),
        (
            _another_day_each_time,
            {"repeated": {"REPEAT_DIFFERS"}, "together": {"TOGETHER_DIFFERS"}},
        ),
        (_another_day_once, {"repeated": {"REPEAT_DIFFERS"}}),
        (_busy_for_a_stranger, {"credential": {"CODE_BUSY"}}),
        (_tired, {"together": {"TOGETHER_DIFFERS"}}),
        (_never_done, {"known": {"JOB_UNFINISHED"}, "unknown": {"JOB_UNFINISHED"}}),
        (_rejecting, {"known": {"QUESTION_REJECTED"}, "unknown": {"QUESTION_REJECTED"}}),
        (_silent, {"known": {"NOT_TOLD"}, "unknown": {"NOT_TOLD"}}),
        (_unresolved, {"known": {"SUBJECT_UNRESOLVED"}}),
    ],
    ids=lambda value: value.__name__.strip("_") if callable(value) else "",
)
async def test_each_wrong_answer_is_named(
    answer: Callable[[Asked], RawRecord | None], expected: dict[str, set[str]]
) -> None:
    """By its own code, in the case it is seen in, and by no other."""
    report = await report_of(endpoint_of(answer), patience=Patience(answer_s=2.0, job_s=0.1))

    assert codes_of(report) == expected


@pytest.mark.parametrize(
    ("detail", "code", "conclusion"),
    [
        ("PROVIDER_TIMEOUT", "HEALTH_SILENT", Conclusion.UNTOLD),
        ("PROVIDER_FAULT", "HEALTH_REFUSED", Conclusion.FAILED),
    ],
)
async def test_a_health_check_that_fails_is_told_apart_from_silence(
    detail: str, code: str, conclusion: Conclusion
) -> None:
    """Silence is no failure of the end: it may be the way there. Questions go on while they do."""

    def ill(adapter: ScriptedAdapter) -> None:
        adapter.health = AdapterHealth(reachable=False, detail=detail)

    report = await report_of(endpoint_of(change=ill))

    assert codes_of(report) == {"health": {code}}
    assert report.conclusion is conclusion
    assert len(report.tried) == 8


async def test_nobody_is_asked_after_health_and_the_first_question_failed() -> None:
    """An end that is down is not asked sixty times; wrong keys are not tried on it either."""

    def ill(adapter: ScriptedAdapter) -> None:
        adapter.health = AdapterHealth(reachable=False, detail="PROVIDER_FAULT")

    report = await report_of(endpoint_of(_silent, ill))

    assert [each.state for each in report.tried] == [
        State.FAILED,
        State.FAILED,
        State.SKIPPED,
        State.SKIPPED,
    ]


async def test_three_answers_that_do_not_come_are_enough() -> None:
    """Health may be served by something else than what answers questions."""
    asked: list[str] = []

    def away(question: Asked) -> RawRecord | None:
        asked.append(question.identifier)
        raise _failing(Indeterminate.PROVIDER_TIMEOUT, Cause.ANSWER_LATE)

    report = await report_of(endpoint_of(away), sample_of([*PEOPLE, *PEOPLE]))

    assert len(asked) == 3
    assert [each.state for each in report.tried[1:]] == [State.FAILED] * 3 + [State.SKIPPED] * 3


async def test_what_the_interface_demands_and_the_sample_lacks_is_the_samples() -> None:
    """Nothing is asked that the department would refuse for want of an officer."""

    def demanding(adapter: ScriptedAdapter) -> None:
        adapter.lacking = Lacking.OFFICER

    report = await report_of(endpoint_of(change=demanding))

    assert codes_of(report)["known"] == {"SAMPLE_LACKS"}
    assert report.conclusion is Conclusion.UNTOLD


async def test_the_officer_of_the_sample_is_named_to_the_department() -> None:
    """As a gateway names the one who asks."""
    named: list[str] = []

    def remember(asked: Asked) -> RawRecord | None:
        assert asked.officer is not None
        named.append(asked.officer.unit_code)
        return behave(asked)

    officer: dict[str, JsonValue] = {
        "name": "赵经办",
        "identifier": KNOWN,
        "unit": "示例市人社局",
        "unit_code": "11370100MB2DEM0011",
        "call_reason": "接口一致性检验",
    }
    await report_of(endpoint_of(remember), sample_of(officer=officer))

    assert set(named) == {"11370100MB2DEM0011"}


async def test_a_case_nobody_stands_for_is_no_pass() -> None:
    """What was not tried is not known."""
    report = await report_of(endpoint_of(), sample_of(PEOPLE[:1]))

    assert codes_of(report) == {
        "unknown": {"SAMPLE_INCOMPLETE"},
        "other_name": {"SAMPLE_INCOMPLETE"},
    }
    assert report.conclusion is Conclusion.UNTOLD


@pytest.mark.parametrize(
    ("person", "answer", "expected"),
    [
        (TWO, behave, {"SAMPLE_INCOMPLETE"}),
        ({**TWO, "expect": {"death_date": "2022-01-29"}}, behave, set()),
        ({**TWO, "expect": {"death_date": "2022-01-28"}}, behave, {"FIELD_DIFFERS"}),
        (TWO, _unresolved, set()),
        (TWO, _empty, {"TWO_PEOPLE_NOT_FOUND"}),
        (TWO, _silent, {"NOT_TOLD"}),
        ({**PEOPLE[0], "expect": {"death_date": "2022-01-28"}}, behave, {"FIELD_DIFFERS"}),
        ({**PEOPLE[0], "expect": {"has_record": "NO"}}, behave, {"FIELD_DIFFERS"}),
        ({**PEOPLE[0], "expect": {"has_record": "INDETERMINATE"}}, _unsure, set()),
        ({**PEOPLE[0], "lacks": ["death_date"]}, _without_day, set()),
        ({**PEOPLE[0], "lacks": ["death_date"]}, behave, {"FIELD_DIFFERS"}),
        ({**PEOPLE[2], "expect": {"has_record": "NO"}}, _any_name, {"FIELD_DIFFERS"}),
        ({**PEOPLE[1], "id": KNOWN}, _silent, {"NOT_TOLD"}),
    ],
)
async def test_what_the_sample_says_of_somebody_is_compared(
    person: dict[str, JsonValue],
    answer: Callable[[Asked], RawRecord | None],
    expected: set[str],
) -> None:
    """Values due, values lacking, and what may be said of two people of one number."""
    report = await report_of(endpoint_of(answer), sample_of([*PEOPLE, person]))

    about = "hc.death_certificate people[3]"
    found = {
        each.code.value
        for tried in report.tried
        if tried.about == about and tried.case not in {Case.REPEATED, Case.TOGETHER}
        for each in tried.found
    }
    assert found - {"OTHER_NAME_ANSWERED"} == expected


async def test_a_wrong_key_is_tried_on_somebody_the_end_tells_of() -> None:
    """Of whom it tells nothing anyway, its silence would not say that the key was looked at."""
    sample = sample_of([PEOPLE[2], *PEOPLE[:2]])

    report = await report_of(endpoint_of(_open_door), sample)

    assert codes_of(report) == {"credential": {"CREDENTIAL_NOT_CHECKED"}}


async def test_a_credential_that_opens_one_dataset_is_tried_on_that_one() -> None:
    """Answers elsewhere do not show that nobody looks at it."""
    asked: list[str] = []

    def answer(question: Asked) -> RawRecord | None:
        if not question.trusted:
            asked.append(question.dataset)
            if question.dataset == "hc.death_certificate@1":
                question.trusted = True
        return behave(question)

    sample = sample_of([*PEOPLE, *({**each, "dataset": "hc.second"} for each in PEOPLE)])

    report = await report_of(endpoint_of(answer), sample)

    assert codes_of(report) == {}
    assert asked == ["hc.death_certificate@1", "hc.second@1"]


async def test_an_organisation_needs_nobody_of_another_name() -> None:
    """It is asked about by its code, and some registers take no name."""
    organisations: list[dict[str, JsonValue]] = [
        {"is": role, "dataset": "hc.death_certificate", "type": "USCC", "id": code}
        for role, code in (("known", "11370000MB2DEM0105"), ("unknown", "11370000MB2DEM0287"))
    ]

    def answer(asked: Asked) -> RawRecord | None:
        behave(asked)
        return GOOD if asked.identifier == "11370000MB2DEM0105" else None

    report = await report_of(endpoint_of(answer), sample_of(organisations))

    assert codes_of(report) == {}
    assert Case.OTHER_NAME not in {each.case for each in report.tried}
