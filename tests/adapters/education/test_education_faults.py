"""The education adapter against the simulator: every fault has its outcome."""

import asyncio
import logging
import time
from dataclasses import replace

import pytest

from adapters.port import (
    DatasetShape,
    Indeterminate,
    Lacking,
    Record,
    Untold,
)
from tests.adapters.asking import (
    CLEAR,
    IS_TRUE,
    read_outcome,
)
from tests.adapters.education.asking import (
    DEGREE,
    DIPLOMA,
    ENROLMENT,
    Asking,
    claim,
)
from tests.adapters.patient import only_waiting_counts

pytestmark = [pytest.mark.integration, pytest.mark.slow]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("token_expired", Indeterminate.PROVIDER_FAULT),
        ("client_key_expired", Indeterminate.PROVIDER_FAULT),
        ("client_key_rotated", Indeterminate.PROVIDER_FAULT),
        ("rate_limited", Indeterminate.PROVIDER_QUOTA),
        ("server_error", Indeterminate.PROVIDER_UNAVAILABLE),
        ("half_body", Indeterminate.PROVIDER_MALFORMED),
        ("html_page", Indeterminate.PROVIDER_MALFORMED),
        ("gbk_body", Indeterminate.PROVIDER_MALFORMED),
        ("empty_body", Indeterminate.PROVIDER_MALFORMED),
        ("oversized_body", Indeterminate.PROVIDER_MALFORMED),
        ("redirect", Indeterminate.PROVIDER_MALFORMED),
        ("other_person", Indeterminate.SUBJECT_MISMATCH),
    ],
)
async def test_each_fault_is_untold_for_its_own_reason(
    asking: Asking, caplog: pytest.LogCaptureFixture, fault: str, reason: Indeterminate
) -> None:
    """Never an exception, never a value, never a person in the diagnostics."""
    caplog.set_level(logging.DEBUG)
    person = asking.simulator.person("ordinary_graduate")
    asking.simulator.set_fault(fault)

    outcome, _ = await asking.fetch(DIPLOMA, person, {"institution_name": CLEAR})

    assert outcome == Untold(reason=reason)
    assert person.full_name not in caplog.text
    assert person.identifier not in caplog.text


@pytest.mark.parametrize(
    ("shape", "dataset"), [(DIPLOMA, "diploma"), (DEGREE, "degree")], ids=["diploma", "degree"]
)
async def test_a_cancelled_certificate_does_not_verify(
    asking: Asking, shape: DatasetShape, dataset: str
) -> None:
    """MATCH it is, and none any more."""
    person = asking.simulator.person("ordinary_graduate")
    asking.simulator.set_fault("record_cancelled")

    _, told = await asking.fetch(shape, person, {"verified": IS_TRUE}, claim(person, dataset))

    assert told == {"verified": "NO"}


async def test_a_cancelled_enrolment_makes_no_student(asking: Asking) -> None:
    """Whatever its state of study says."""
    person = asking.simulator.person("student_enrolled")
    asking.simulator.set_fault("record_cancelled")

    _, told = await asking.fetch(ENROLMENT, person, {"is_enrolled": IS_TRUE})

    assert told == {"is_enrolled": "NO"}


async def test_a_degree_that_contradicts_itself_cannot_be_told(asking: Asking) -> None:
    """Not revoked, and since when it is: neither YES nor NO, and no value."""
    person = asking.simulator.person("ordinary_graduate")
    asking.simulator.set_fault("revocation_contradicts")

    _, told = await asking.fetch(
        DEGREE,
        person,
        {"verified": IS_TRUE, "revoked": IS_TRUE, "degree_level": CLEAR},
        claim(person, "degree"),
    )

    assert told == {"verified": "INDETERMINATE", "revoked": "INDETERMINATE", "degree_level": "4"}


@pytest.mark.parametrize(
    ("shape", "quirk", "name"),
    [
        (DIPLOMA, "ordinary_graduate", "institution_name"),
        (DEGREE, "ordinary_graduate", "granting_unit"),
        (ENROLMENT, "student_enrolled", "school_name"),
    ],
    ids=["diploma", "degree", "enrolment"],
)
async def test_a_mandatory_member_silently_emptied_is_malformed(
    asking: Asking, shape: DatasetShape, quirk: str, name: str
) -> None:
    """Also where another member is the one that is empty."""
    person = asking.simulator.person(quirk)
    asking.simulator.set_fault("empty_mandatory")

    outcome, _ = await asking.fetch(shape, person, {name: CLEAR})

    assert outcome == Untold(reason=Indeterminate.PROVIDER_MALFORMED)


async def test_every_body_fault_after_the_token_is_untold_too(asking: Asking) -> None:
    """The data interface is read as strictly as the token endpoint."""
    person = asking.simulator.person("ordinary_graduate")
    grants = {"institution_name": CLEAR}
    await asking.fetch(DIPLOMA, person, grants)

    outcomes = {}
    faults = ("half_body", "html_page", "gbk_body", "empty_body", "oversized_body", "redirect")
    for fault in (*faults, "many_records"):
        asking.simulator.set_fault(fault)
        outcomes[fault], _ = await asking.fetch(DIPLOMA, person, grants)
        asking.simulator.reset()

    malformed = Untold(reason=Indeterminate.PROVIDER_MALFORMED)
    assert outcomes == dict.fromkeys(outcomes, malformed)


async def test_a_department_that_hangs_is_left_before_the_deadline(asking: Asking) -> None:
    """There is time left to sign and log."""
    person = asking.simulator.person("ordinary_graduate")
    await asking.fetch(DIPLOMA, person, {"institution_name": CLEAR})
    asking.simulator.set_fault("hang")
    with only_waiting_counts(asyncio.get_running_loop()):
        query = asking.query(DIPLOMA, person, {"institution_name": CLEAR}, seconds=0.5)
        outcome = await asking.adapter.fetch(query)
        left_at = time.monotonic()

    assert outcome == Untold(reason=Indeterminate.PROVIDER_TIMEOUT)
    assert left_at < query.deadline


async def test_a_job_that_never_ends_stays_pending(asking: Asking) -> None:
    """The asker is told when to come back."""
    person = asking.simulator.person("diploma_before_2002")
    asking.simulator.set_fault("slow_poll")
    query = asking.query(DIPLOMA, person, {"verified": IS_TRUE}, claim(person), seconds=1.5)

    outcome = await asking.adapter.fetch(query)

    assert isinstance(outcome, Untold)
    assert outcome.reason is Indeterminate.PENDING


async def test_a_rotated_signing_key_costs_one_new_token(asking: Asking) -> None:
    """The old token is refused once; the asker does not notice."""
    person = asking.simulator.person("ordinary_graduate")
    await asking.fetch(DIPLOMA, person, {"institution_name": CLEAR})
    asking.simulator.set_fault("jwks_rotated", 1)

    outcome, _ = await asking.fetch(DIPLOMA, person, {"institution_name": CLEAR})

    assert isinstance(outcome, Record)


async def test_one_passing_failure_is_not_noticed(asking: Asking) -> None:
    """A question that changes nothing is asked again."""
    person = asking.simulator.person("ordinary_graduate")
    await asking.fetch(DIPLOMA, person, {"institution_name": CLEAR})
    asking.simulator.set_fault("server_error", 1)

    outcome, _ = await asking.fetch(DIPLOMA, person, {"institution_name": CLEAR})

    assert isinstance(outcome, Record)


async def test_what_was_not_granted_never_stands_in_the_record(asking: Asking) -> None:
    """The department sends everything it has; one field leaves."""
    person = asking.simulator.person("ordinary_graduate")
    asking.simulator.set_fault("every_field")
    query = asking.query(DIPLOMA, person, {"institution_name": CLEAR}, claim(person))

    outcome = await asking.adapter.fetch(query)

    record = read_outcome(query, outcome)
    assert [disclosure.name for disclosure in record.disclosures] == ["institution_name"]
    assert isinstance(outcome, Record)
    shown = repr(record.disclosures[0].value) + outcome.sd_jwt
    assert not [canary for canary in person.canaries if canary in shown]


async def test_a_revocation_is_seen_in_a_query_too(asking: Asking) -> None:
    """Without a number the state of the degree still stands in its record."""
    person = asking.simulator.person("ordinary_graduate")
    asking.simulator.set_fault("degree_revoked")

    _, told = await asking.fetch(
        DEGREE, person, {"verified": IS_TRUE, "revoked": IS_TRUE}, claim(person, "degree")
    )

    assert told == {"verified": "NO", "revoked": "YES"}


async def test_one_token_serves_many_askers(asking: Asking) -> None:
    """Concurrent questions wait for one token instead of fetching one each."""
    person = asking.simulator.person("ordinary_graduate")
    before = asking.simulator.received()
    queries = [asking.query(DIPLOMA, person, {"institution_name": CLEAR}) for _ in range(8)]

    outcomes = await asyncio.gather(*map(asking.adapter.fetch, queries))

    assert all(isinstance(outcome, Record) for outcome in outcomes)
    assert asking.simulator.received() == before + 9


async def test_health_is_the_token(asking: Asking) -> None:
    """Reachable and known there."""
    assert (await asking.adapter.examine_health()).reachable


async def test_health_tells_why_the_department_refuses_us(asking: Asking) -> None:
    """An expired key is a fault, by its code, whatever token is still kept."""
    await asking.adapter.examine_health()
    asking.simulator.set_fault("client_key_expired")

    health = await asking.adapter.examine_health()

    assert not health.reachable
    assert health.detail == "PROVIDER_FAULT"


async def test_without_a_name_the_department_is_not_asked(asking: Asking) -> None:
    """It would refuse the question."""
    person = asking.simulator.person("ordinary_graduate")
    query = asking.query(DIPLOMA, person, {"institution_name": CLEAR})
    before = asking.simulator.received()

    nameless = replace(query, subject=replace(query.subject, full_name=None))
    outcome = await asking.adapter.fetch(nameless)

    assert asking.adapter.find_lacking(nameless) is Lacking.SUBJECT_NAME
    assert asking.adapter.find_lacking(query) is None
    assert outcome == Untold(reason=Indeterminate.QUESTION_REJECTED)
    assert asking.simulator.received() == before
