"""The public security adapter against the simulator: packages, and every fault's outcome."""

import asyncio
import hashlib
import logging
import time
from dataclasses import replace

import pytest

from adapters.breaker import Verdict
from adapters.kinds.public_security.package import MAX_RECORDS
from adapters.port import (
    DatasetShape,
    Indeterminate,
    Record,
    Untold,
)
from adapters.records import RecordSource
from adapters.simulators.population import person_at, photo_of
from adapters.transport import TransportLimits
from tests.adapters.asking import CLEAR, IS_TRUE, read_outcome
from tests.adapters.patient import only_waiting_counts
from tests.adapters.public_security.asking import (
    CORE,
    DEATH,
    HOUSEHOLD,
    IDENTITY,
    OFFICER,
    PHOTO,
    VERIFY,
    Asking,
    build_adapter,
)
from tests.adapters.simulated import Simulator

pytestmark = [pytest.mark.integration, pytest.mark.slow]


async def test_questions_asked_at_once_travel_in_one_package(asking: Asking) -> None:
    """One secret and one package for many people of one officer."""
    before = asking.simulator.received()

    outcomes = await asking.fetch_many(20)

    assert all(isinstance(outcome, Record) for outcome in outcomes)
    assert asking.simulator.received() == before + 2


async def test_a_full_package_is_answered(asking: Asking) -> None:
    """500 records with everything the register adds stay within our bounds."""
    person = asking.simulator.person("ordinary_graduate")
    query = asking.query(CORE, person.named, {"sex": CLEAR}, seconds=20)
    before = asking.simulator.received()

    outcomes = await asyncio.gather(*map(asking.adapter.fetch, [query] * MAX_RECORDS))

    assert all(isinstance(outcome, Record) for outcome in outcomes)
    assert asking.simulator.received() <= before + 3


async def test_two_officers_never_share_a_package(asking: Asking) -> None:
    """Each call is one officer's, traceable to him."""
    person = asking.simulator.person("ordinary_graduate")
    queries = [asking.query(CORE, person.named, {"sex": CLEAR}) for _ in range(2)]
    queries[1] = replace(queries[1], end_user=replace(OFFICER, name="钱经办"))
    before = asking.simulator.received()

    outcomes = await asyncio.gather(*map(asking.adapter.fetch, queries))

    assert all(isinstance(outcome, Record) for outcome in outcomes)
    assert asking.simulator.received() == before + 3


async def test_records_out_of_order_reach_their_own_askers(asking: Asking) -> None:
    """Numbers decide, not places."""
    asking.simulator.set_fault("out_of_order")

    outcomes = await asking.fetch_many(10)

    assert all(isinstance(outcome, Record) for outcome in outcomes)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("partial_records", Indeterminate.PROVIDER_TIMEOUT),
        ("missing_record", Indeterminate.PROVIDER_MALFORMED),
        ("duplicate_record", Indeterminate.PROVIDER_MALFORMED),
    ],
)
async def test_a_package_that_fails_in_part_fails_for_those_only(
    asking: Asking, fault: str, reason: Indeterminate
) -> None:
    """The others get their records."""
    asking.simulator.set_fault(fault)

    outcomes = await asking.fetch_many(10)

    untold = [outcome for outcome in outcomes if isinstance(outcome, Untold)]
    assert 1 <= len(untold) <= 5
    assert {outcome.reason for outcome in untold} == {reason}
    assert len(outcomes) - len(untold) >= 5


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("soap_fault", Indeterminate.PROVIDER_FAULT),
        ("head_not_ok", Indeterminate.PROVIDER_UNAVAILABLE),
        ("clock_skew", Indeterminate.PROVIDER_FAULT),
        ("entity_bomb", Indeterminate.PROVIDER_MALFORMED),
        ("entity_bomb_inner", Indeterminate.PROVIDER_MALFORMED),
        ("external_entity", Indeterminate.PROVIDER_MALFORMED),
        ("external_entity_inner", Indeterminate.PROVIDER_MALFORMED),
        ("other_person", Indeterminate.SUBJECT_MISMATCH),
        ("other_request", Indeterminate.PROVIDER_UNPROVEN),
        ("gbk_body", Indeterminate.PROVIDER_MALFORMED),
        ("html_page", Indeterminate.PROVIDER_MALFORMED),
        ("half_body", Indeterminate.PROVIDER_MALFORMED),
        ("empty_body", Indeterminate.PROVIDER_MALFORMED),
        ("oversized_body", Indeterminate.PROVIDER_MALFORMED),
        ("server_error", Indeterminate.PROVIDER_UNAVAILABLE),
    ],
)
@pytest.mark.parametrize("with_secret", [True, False])
async def test_each_fault_is_untold_for_its_own_reason(
    asking: Asking,
    caplog: pytest.LogCaptureFixture,
    fault: str,
    reason: Indeterminate,
    *,
    with_secret: bool,
) -> None:
    """Never an exception, never a value, never a person or officer in the diagnostics."""
    caplog.set_level(logging.DEBUG)
    person = asking.simulator.person("ordinary_graduate")
    if with_secret:
        await asking.fetch(CORE, person, {"sex": CLEAR})
    asking.simulator.set_fault(fault)

    outcome, _ = await asking.fetch(CORE, person, {"registered_address": CLEAR})

    assert outcome == Untold(reason=reason)
    for canary in (*person.named, OFFICER.identifier, OFFICER.name, IDENTITY.app_key):
        assert canary not in caplog.text


@pytest.mark.parametrize("attempts", [1, 2])
async def test_attempts_are_those_of_the_section(
    asking: Asking, source: RecordSource, attempts: int
) -> None:
    """Also where the adapter repeats in words of its own; and an open breaker is not pressed."""
    limits = TransportLimits(attempts=attempts, breaker_failures=attempts, breaker_open_s=60)
    adapter = build_adapter(asking.simulator, source, limits=limits)
    person = asking.simulator.person("ordinary_graduate")
    await adapter.fetch(asking.query(CORE, person.named, {"sex": CLEAR}))
    asking.simulator.set_fault("server_error")
    before = asking.simulator.received()

    outcomes = [
        await adapter.fetch(asking.query(CORE, person.named, {"sex": CLEAR})) for _ in range(2)
    ]
    await adapter.close()

    assert outcomes == [Untold(reason=Indeterminate.PROVIDER_UNAVAILABLE)] * 2
    assert asking.simulator.received() == before + attempts


async def test_an_open_breaker_is_told_without_a_pause(
    asking: Asking, source: RecordSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What our own limits keep back is not tried again."""
    adapter = build_adapter(asking.simulator, source, limits=TransportLimits(breaker_failures=1))
    breaker = adapter._transport.breaker
    breaker.settle(breaker.require_passage(), Verdict.FAILS)
    calls = []
    fetch = adapter._secrets.fetch

    async def counted(now_ms: int, deadline: float) -> str:
        calls.append(now_ms)
        return await fetch(now_ms, deadline)

    monkeypatch.setattr(adapter._secrets, "fetch", counted)
    person = asking.simulator.person("ordinary_graduate")

    outcome = await adapter.fetch(asking.query(CORE, person.named, {"sex": CLEAR}))
    await adapter.close()

    assert outcome == Untold(reason=Indeterminate.PROVIDER_UNAVAILABLE)
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("shape", "name"),
    [
        (VERIFY, "name_match"),
        (CORE, "sex"),
        (HOUSEHOLD, "member_count"),
        (DEATH, "is_cancelled"),
        (PHOTO, "same_person"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
async def test_a_mandatory_member_silently_emptied_is_malformed(
    asking: Asking, shape: DatasetShape, name: str
) -> None:
    """Whatever was asked, also where another member is the one that is empty."""
    person = asking.simulator.person_at(0)
    digest = hashlib.sha256(photo_of(person_at(1, 0))).hexdigest()
    asking.simulator.set_fault("empty_mandatory")
    effect = CLEAR if name in {"sex", "member_count"} else IS_TRUE

    outcome, _ = await asking.fetch(shape, person, {name: effect}, {"photo_digest": digest})

    assert outcome == Untold(reason=Indeterminate.PROVIDER_MALFORMED)


async def test_a_department_that_hangs_is_left_before_the_deadline(asking: Asking) -> None:
    """There is time left to sign and log."""
    person = asking.simulator.person("ordinary_graduate")
    asking.simulator.set_fault("hang")
    with only_waiting_counts(asyncio.get_running_loop()):
        query = asking.query(CORE, person.named, {"sex": CLEAR}, seconds=0.5)
        outcome = await asking.adapter.fetch(query)
        left_at = time.monotonic()

    assert outcome == Untold(reason=Indeterminate.PROVIDER_TIMEOUT)
    assert left_at < query.deadline


async def test_an_expired_secret_is_renewed_once(asking: Asking) -> None:
    """The asker does not notice."""
    person = asking.simulator.person("ordinary_graduate")
    await asking.fetch(CORE, person, {"sex": CLEAR})
    asking.simulator.set_fault("secret_expired", 1)

    outcome, _ = await asking.fetch(CORE, person, {"sex": CLEAR})

    assert isinstance(outcome, Record)


async def test_a_secret_that_is_never_good_is_renewed_once_only(asking: Asking) -> None:
    """Page 1.3: a new key, the call again, and no third one: it is we who are refused."""
    person = asking.simulator.person("ordinary_graduate")
    await asking.fetch(CORE, person, {"sex": CLEAR})
    asking.simulator.set_fault("secret_expired")
    before = asking.simulator.received()

    outcome, _ = await asking.fetch(CORE, person, {"sex": CLEAR})

    assert outcome == Untold(reason=Indeterminate.PROVIDER_FAULT)
    assert asking.simulator.received() == before + 3


async def test_a_secret_that_ends_between_packages_is_renewed(asking: Asking) -> None:
    """Whoever asks next does not notice either."""
    await asking.fetch_many(3)
    asking.simulator.set_fault("secret_expired", 1, after=1)

    outcomes = await asking.fetch_many(3) + await asking.fetch_many(3)

    assert all(isinstance(outcome, Record) for outcome in outcomes)


@pytest.mark.parametrize("fault", ["soap_fault", "head_not_ok", "server_error"])
async def test_one_passing_failure_is_not_noticed(asking: Asking, fault: str) -> None:
    """The question is put again with a new id."""
    person = asking.simulator.person("ordinary_graduate")
    await asking.fetch(CORE, person, {"sex": CLEAR})
    asking.simulator.set_fault(fault, 1)

    outcome, _ = await asking.fetch(CORE, person, {"sex": CLEAR})

    assert isinstance(outcome, Record)


async def test_a_name_with_private_use_characters_is_still_his(asking: Asking) -> None:
    """The register spells a rare character in its own way; that is no other person."""
    person = asking.simulator.person("ordinary_graduate")
    asking.simulator.set_fault("private_use_name")

    outcome, _ = await asking.fetch(CORE, person, {"sex": CLEAR})

    assert isinstance(outcome, Record)


@pytest.mark.parametrize("shape", [VERIFY, CORE, HOUSEHOLD, DEATH], ids=lambda shape: shape.name)
async def test_what_was_not_granted_never_stands_in_the_record(
    asking: Asking, shape: DatasetShape
) -> None:
    """The register sends everything it has; one field leaves."""
    granted = {"ps.household@1": "kinship_ok", "ps.death_cancel@1": "is_cancelled"}
    name = granted.get(shape.name, "deceased" if shape is VERIFY else "person_state")
    effect = CLEAR if shape is CORE else IS_TRUE
    person = asking.simulator.person("ordinary_graduate")
    asking.simulator.set_fault("every_field")
    query = asking.query(shape, person.named, {name: effect})

    outcome = await asking.adapter.fetch(query)

    record = read_outcome(query, outcome)
    assert [disclosure.name for disclosure in record.disclosures] == [name]


async def test_a_wrong_key_is_a_fault(simulator: Simulator, source: RecordSource) -> None:
    """The platform does not know us; health says so too."""
    adapter = build_adapter(simulator, source, replace(IDENTITY, app_key="wrong"))
    person = simulator.person("ordinary_graduate")
    query = Asking(simulator, adapter).query(CORE, person.named, {"sex": CLEAR})

    outcome = await adapter.fetch(query)
    health = await adapter.examine_health()
    await adapter.close()

    assert outcome == Untold(reason=Indeterminate.PROVIDER_FAULT)
    assert health.detail == "PROVIDER_FAULT"


async def test_a_system_job_needs_somebody_to_answer_for_it(
    simulator: Simulator, source: RecordSource
) -> None:
    """With a configured person it is asked, without one it is not."""
    person = simulator.person("ordinary_graduate")
    outcomes = []
    for identity in (IDENTITY, replace(IDENTITY, system_user=None)):
        adapter = build_adapter(simulator, source, identity)
        query = Asking(simulator, adapter).query(VERIFY, person.named, {"deceased": IS_TRUE})
        outcomes.append(await adapter.fetch(replace(query, end_user=None)))
        await adapter.close()

    assert isinstance(outcomes[0], Record)
    assert outcomes[1] == Untold(reason=Indeterminate.PROVIDER_NOT_CONNECTED)


async def test_health_is_the_secret(asking: Asking) -> None:
    """Reachable and known there, or why not, whatever secret is still kept."""
    good = await asking.adapter.examine_health()
    asking.simulator.set_fault("clock_skew")

    bad = await asking.adapter.examine_health()

    assert good.reachable
    assert (bad.reachable, bad.detail) == (False, "PROVIDER_FAULT")
