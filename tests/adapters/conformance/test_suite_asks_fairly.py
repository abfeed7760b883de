"""What a run does beside judging answers: it comes back, measures, proves, spoils, listens."""

import time
from pathlib import Path

from adapters.conformance import Case, Conclusion, Patience, State
from adapters.errors import DepartmentFailed
from adapters.port import Indeterminate
from adapters.records import RawRecord
from adapters.surplus import note_surplus
from certs.algorithms import Suite, generate_private_key
from signing.signer import FileSigner
from tests.adapters.conformance.scripted import (
    KNOWN,
    PEOPLE,
    UNKNOWN,
    Asked,
    behave,
    codes_of,
    endpoint_of,
    report_of,
)


async def test_a_job_is_come_back_for_as_a_requester_does() -> None:
    """By a question with an id of its own that names the first one, until the job is done."""
    begun: list[bytes] = []

    def at_work(asked: Asked) -> RawRecord | None:
        told = behave(asked)
        if told is None or len(begun) > 2:
            return told
        begun.append(asked.request_id)
        if len(begun) > 1:
            assert asked.continues == begun[0]
            assert len(set(begun)) == len(begun)
        raise DepartmentFailed(Indeterminate.PENDING, retry_after_s=0.0)

    report = await report_of(endpoint_of(at_work))

    assert codes_of(report) == {}
    assert len(begun) == 3


async def test_a_slow_answer_is_a_warning() -> None:
    """Half of the time there is leaves little for a bad day."""

    def slow(asked: Asked) -> RawRecord | None:
        told = behave(asked)
        if asked.count == 1:
            time.sleep(0.3)
        return told

    report = await report_of(endpoint_of(slow), patience=Patience(answer_s=0.5, job_s=1.0))

    assert codes_of(report)["known"] == {"ANSWER_SLOW"}
    assert report.conclusion is Conclusion.PASSED


async def test_a_record_signed_by_another_key_is_the_gateways_mistake() -> None:
    """Whoever reads the report is not sent to look for it on his side."""
    stranger = FileSigner.of(generate_private_key(Suite.ES256))

    report = await report_of(endpoint_of(source_key=stranger))

    assert codes_of(report)["known"] == {"RECORD_UNPROVEN"}


async def test_a_file_that_is_no_credential_is_passed_over() -> None:
    """Refused for its form before anybody is asked: nothing is learnt of the department."""
    end = endpoint_of(demands={Path("system-user"): b"{}"})

    report = await report_of(end)

    credentials = {each.about: each.state for each in report.tried if each.case is Case.CREDENTIAL}
    assert credentials == {"app_key_file": State.PASSED, "system-user": State.SKIPPED}


async def test_a_file_that_is_loaded_twice_is_tried_once() -> None:
    """Each wrong try may cost a locked account."""
    report = await report_of(endpoint_of(demands={Path("app-key"): b"the-true-secret"}))

    credentials = [each.about for each in report.tried if each.case is Case.CREDENTIAL]
    assert credentials == ["app_key_file"]


async def test_surplus_is_told_by_name_and_never_by_what_looks_like_a_value() -> None:
    """A member may be named by somebody's number; that is not repeated."""

    def talkative(asked: Asked) -> RawRecord | None:
        told = behave(asked)
        if told is not None:
            note_surplus(["SWRQ", "BLH", KNOWN, "王守仁"], {"SWRQ"})
        return told

    report = await report_of(endpoint_of(talkative))

    (surplus,) = [each for each in report.tried if each.case is Case.SURPLUS]
    assert surplus.found[0].detail == "(other) BLH"
    assert surplus.state is State.WARNED


def test_the_people_of_these_tests_are_three() -> None:
    """The scripts above count questions by it."""
    assert [each["id"] for each in PEOPLE] == [KNOWN, UNKNOWN, KNOWN]
