"""A job is continued by who began it, for the question it was begun for, and for nothing else."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from adapters.kinds.education.jobs import PendingJobs
from adapters.port import Query, SubjectType
from certs.identity import SystemId
from tests.adapters.asking import IS_TRUE, query_of
from tests.adapters.education.asking import DEGREE, DIPLOMA

PATH = "/v1/jobs/1"
NUMBER = {"certificate_no": "990191200405549684"}
BEGUN = query_of(DIPLOMA, ("370102198203159010", "李明哲"), {"verified": IS_TRUE}, NUMBER)
AGAIN = replace(BEGUN, request_id=bytes(16), pending_request_id=BEGUN.request_id)
Change = Callable[[Query], Query]


def _jobs(now: Callable[[], float] = lambda: 0.0) -> PendingJobs:
    jobs = PendingJobs(now)
    jobs.remember(BEGUN, PATH)
    return jobs


def test_the_same_question_goes_on() -> None:
    """Its own request id opens the job; without one, or with another, a new job is begun."""
    jobs = _jobs()

    assert jobs.find(AGAIN) == PATH
    assert jobs.find(replace(AGAIN, pending_request_id=None)) is None
    assert jobs.find(replace(AGAIN, pending_request_id=b"x" * 16)) is None


def test_a_query_of_a_matter_goes_on_by_itself() -> None:
    """Whichever item it was, GetResult asks for it alone."""
    jobs = PendingJobs(lambda: 0.0)
    jobs.remember(replace(BEGUN, item=3), PATH)

    assert jobs.find(AGAIN) == PATH


@pytest.mark.parametrize(
    "change",
    [
        lambda query: replace(query, audience=SystemId("11370000MB2DEM0105/title")),
        lambda query: replace(query, dataset=DEGREE),
        lambda query: replace(query, subject=replace(query.subject, full_name="李明")),
        lambda query: replace(
            query, subject=replace(query.subject, identifier="370102195603159016")
        ),
        lambda query: replace(query, claims={"certificate_no": "990191200405549685"}),
        lambda query: replace(query, claims={}),
        lambda query: replace(query, matter="M3"),
        lambda query: replace(query, case_number="BJ-2026-000002"),
        lambda query: replace(query, subject=replace(query.subject, type=SubjectType.USCC)),
    ],
)
def test_another_question_begins_anew(change: Change) -> None:
    """Another asker, dataset, person, number, matter or case is not told what this job finds."""
    assert _jobs().find(change(AGAIN)) is None


def test_who_lost_the_last_answer_comes_back_with_the_first_id() -> None:
    """A job is kept under the id that began it and under each that went on with it."""
    jobs = _jobs()
    jobs.remember(AGAIN, PATH)

    assert jobs.find(replace(AGAIN, request_id=b"y" * 16)) == PATH
    assert jobs.find(replace(AGAIN, pending_request_id=AGAIN.request_id)) == PATH


def test_a_job_is_forgotten_after_a_day() -> None:
    """As the department does itself."""
    now = [0.0]
    jobs = _jobs(lambda: now[0])
    now[0] = 24 * 3600.0

    assert jobs.find(AGAIN) is None
