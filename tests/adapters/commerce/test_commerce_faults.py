"""The commerce adapter against the simulator: every fault of the page has its outcome."""

import asyncio
import logging
import re
import time
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.kinds.commerce import ApiKey
from adapters.limits import TransportLimits
from adapters.port import Indeterminate, Record, Untold
from adapters.records import RecordSource
from tests.adapters.asking import read_outcome
from tests.adapters.commerce.asking import (
    ALL_ENTERPRISE,
    ENTERPRISE,
    KEY,
    Asking,
    build_adapter,
    company,
    natural,
    truth,
)
from tests.adapters.patient import only_waiting_counts
from tests.adapters.simulated import Person

pytestmark = [pytest.mark.integration, pytest.mark.slow]

PAGE = (Path(__file__).parents[3] / "docs" / "adapters" / "commerce.md").read_text("utf-8")
MALFORMED = Indeterminate.PROVIDER_MALFORMED
MISMATCH = Indeterminate.SUBJECT_MISMATCH
UNTOLD = {
    "out_val_leak": {"verify": MALFORMED},
    "schema_drift": dict.fromkeys(
        ("enterprise", "verify", "positions", "trader"), Indeterminate.PROVIDER_FAULT
    ),
    "missing_field": dict.fromkeys(("enterprise", "verify", "positions", "trader"), MALFORMED),
    "other_entity": dict.fromkeys(("enterprise", "verify", "positions", "trader"), MISMATCH),
    "many_records": dict.fromkeys(("enterprise", "positions", "trader"), MALFORMED),
    "number_code": dict.fromkeys(("enterprise", "verify", "positions", "trader"), MALFORMED),
    "name_empty": dict.fromkeys(("enterprise", "positions", "trader"), MALFORMED),
    "clock_skew": {"enterprise": Indeterminate.PROVIDER_FAULT},
    "rate_limited": {"enterprise": Indeterminate.PROVIDER_QUOTA},
    "server_error": {"enterprise": Indeterminate.PROVIDER_UNAVAILABLE},
    "oversized_body": dict.fromkeys(("enterprise", "positions"), MALFORMED),
    "half_body": dict.fromkeys(("enterprise", "positions"), MALFORMED),
    "html_page": dict.fromkeys(("enterprise", "positions"), MALFORMED),
    "gbk_body": dict.fromkeys(("enterprise", "positions"), MALFORMED),
    "empty_body": dict.fromkeys(("enterprise", "positions"), MALFORMED),
    "redirect": dict.fromkeys(("enterprise", "verify", "positions", "trader"), MALFORMED),
}
"""Fault → question → why it is untold."""
TOLD_ELSEWHERE = {"dates_swapped", "unknown_state", "revoked_not_cancelled", "every_field", "hang"}
"""Faults with a test of their own below."""
NOT_ASKED = {
    "changes_repeated",
    "cursor_expired",
    "webhook_bad_signature",
    "webhook_duplicate",
    "webhook_old_timestamp",
}
"""Faults of the change feed and of webhooks, which the adapter does not use."""


async def ask(asking: Asking, question: str, person: Person) -> tuple[object, object]:
    """Ask one of the questions this adapter has."""
    match question:
        case "verify":
            return await asking.verify(person, truth(person))
        case "positions":
            return await asking.positions(person)
        case "trader":
            trader = asking.simulator.person("sole_trader")
            return await asking.fetch(ENTERPRISE, company(trader), ALL_ENTERPRISE)
        case _:
            return await asking.fetch(ENTERPRISE, company(person), ALL_ENTERPRISE)


def test_every_fault_of_the_page_has_a_test() -> None:
    """None is forgotten, and none is made up."""
    table = PAGE[PAGE.index("故障名（封闭枚举）") :]
    names = set(re.findall(r"^\| `([a-z_]+)` \|", table, re.MULTILINE))

    assert names == set(UNTOLD) | TOLD_ELSEWHERE | NOT_ASKED


@pytest.mark.parametrize(
    ("fault", "question", "reason"),
    [(fault, *each) for fault, questions in UNTOLD.items() for each in questions.items()],
)
async def test_each_fault_is_untold_for_its_own_reason(
    asking: Asking,
    caplog: pytest.LogCaptureFixture,
    fault: str,
    question: str,
    reason: Indeterminate,
) -> None:
    """Never an exception, never a value, never a "no", nobody in the diagnostics."""
    caplog.set_level(logging.DEBUG)
    person = asking.simulator.person("legal_rep_changed")
    asking.simulator.set_fault(fault)

    outcome, _ = await ask(asking, question, person)

    assert outcome == Untold(reason=reason)
    for value in (person.full_name, person.identifier, *truth(person).values()):
        assert value not in caplog.text
    assert company(person).identifier not in caplog.text


@pytest.mark.parametrize("question", ["enterprise", "trader"])
async def test_dates_in_the_other_spelling_are_the_same_days(asking: Asking, question: str) -> None:
    """No member has a spelling of its own."""
    person = asking.simulator.person("ordinary_employee")
    _, plain = await ask(asking, question, person)
    asking.simulator.set_fault("dates_swapped")

    _, swapped = await ask(asking, question, person)

    assert swapped == plain


async def test_an_unknown_state_costs_its_own_field_and_is_never_no(asking: Asking) -> None:
    """Everything else is told; whether he is in business is an error that counts as one."""
    person = asking.simulator.person("legal_rep_changed")
    _, before = await ask(asking, "enterprise", person)
    asking.simulator.set_fault("unknown_state")

    _, told = await ask(asking, "enterprise", person)
    _, positions = await ask(asking, "positions", person)
    _, verified = await ask(asking, "verify", person)

    assert isinstance(before, dict)
    assert told == {name: value for name, value in before.items() if name != "reg_state"}
    assert positions == {"has_active_entity": "ERROR"}
    assert verified == {"all_match": "YES", "mismatched_keys": []}


async def test_revoked_is_told_as_revoked_and_never_as_cancelled(asking: Asking) -> None:
    """The entity exists; whether it does business cannot be told."""
    person = asking.simulator.person("legal_rep_changed")
    asking.simulator.set_fault("revoked_not_cancelled")

    _, told = await ask(asking, "enterprise", person)
    _, positions = await ask(asking, "positions", person)

    assert isinstance(told, dict)
    assert isinstance(positions, dict)
    assert told["reg_state"] == "吊销"
    assert positions["has_active_entity"] == "INDETERMINATE"


@pytest.mark.parametrize("question", ["enterprise", "verify", "positions", "trader"])
async def test_members_nobody_asked_for_are_dropped(asking: Asking, question: str) -> None:
    """The register sends a home address and whatever else; what is told is the same."""
    person = asking.simulator.person("legal_rep_changed")
    _, plain = await ask(asking, question, person)
    asking.simulator.set_fault("every_field")

    outcome, told = await ask(asking, question, person)

    assert isinstance(outcome, Record)
    assert told == plain


async def test_the_register_sends_numbers_and_none_of_them_is_in_the_record(
    asking: Asking,
) -> None:
    """Over-return: identity number, telephone and home of the representative stay behind."""
    person = asking.simulator.person("legal_rep_changed")
    asking.simulator.set_fault("every_field")
    query = asking.query(ENTERPRISE, company(person), ALL_ENTERPRISE)

    outcome = await asking.adapter.fetch(query)

    record = read_outcome(query, outcome)
    shown = repr([disclosure.value for disclosure in record.disclosures])
    home = person.text("public_security", "person_core", "registered_address")
    phone = person.text("commerce", "enterprise", "phone")
    for leaked in (person.identifier, home, phone):
        assert leaked not in shown
    assert "legal_rep_id" not in {disclosure.name for disclosure in record.disclosures}


async def test_a_register_that_hangs_is_left_before_the_deadline(asking: Asking) -> None:
    """There is time left to sign and log."""
    person = asking.simulator.person("ordinary_employee")
    asking.simulator.set_fault("hang")
    with only_waiting_counts(asyncio.get_running_loop()):
        query = asking.query(ENTERPRISE, company(person), ALL_ENTERPRISE, seconds=0.5)
        outcome = await asking.adapter.fetch(query)
        left_at = time.monotonic()

    assert outcome == Untold(reason=Indeterminate.PROVIDER_TIMEOUT)
    assert left_at < query.deadline


async def test_one_passing_failure_is_not_noticed(asking: Asking) -> None:
    """A question that changes nothing is asked again; it is not asked for ever."""
    person = asking.simulator.person("ordinary_employee")
    asking.simulator.set_fault("server_error", 1)
    before = asking.simulator.received()

    outcome, _ = await ask(asking, "enterprise", person)

    assert isinstance(outcome, Record)
    assert asking.simulator.received() == before + 2


@pytest.mark.parametrize("fault", ["schema_drift", "clock_skew", "rate_limited", "redirect"])
async def test_what_a_repetition_would_not_mend_is_asked_once(asking: Asking, fault: str) -> None:
    """And a redirect is not followed."""
    person = asking.simulator.person("ordinary_employee")
    asking.simulator.set_fault(fault)
    before = asking.simulator.received()

    await ask(asking, "enterprise", person)

    assert asking.simulator.received() == before + 1


async def test_a_mismatched_answer_is_not_believed_the_second_time_either(asking: Asking) -> None:
    """The incident: the register mixes up two answers; each is dropped, the next good one told."""
    person = asking.simulator.person("legal_rep_changed")
    asking.simulator.set_fault("other_entity", 2)

    outcomes = [(await ask(asking, "positions", person))[0] for _ in range(3)]

    assert outcomes[:2] == [Untold(reason=MISMATCH)] * 2
    assert isinstance(outcomes[2], Record)


@pytest.mark.parametrize(
    "key",
    [
        replace(KEY, secret=b"another-secret-of-16"),
        replace(KEY, key_id="nobody"),
        replace(KEY, authcode="OTHER"),
    ],
    ids=["secret", "key", "authcode"],
)
async def test_a_key_the_register_does_not_know_is_a_fault(
    asking: Asking, source: RecordSource, key: ApiKey
) -> None:
    """401 and 403; neither tells anything of the subject."""
    person = asking.simulator.person("ordinary_employee")
    adapter = build_adapter(asking.simulator, source, key)

    outcome, _ = await ask(Asking(asking.simulator, adapter), "enterprise", person)
    health = await adapter.examine_health()
    await adapter.close()

    assert outcome == Untold(reason=Indeterminate.PROVIDER_FAULT)
    # The list of webhooks asks for no authorisation code.
    assert health.reachable is (key.authcode != KEY.authcode)


async def test_health_is_the_signed_call(asking: Asking) -> None:
    """Reachable and known there; otherwise by code, and not at all past an open breaker."""
    good = await asking.adapter.examine_health()
    asking.simulator.set_fault("clock_skew")
    skewed = await asking.adapter.examine_health()
    asking.simulator.reset()
    asking.simulator.set_fault("server_error")
    person = asking.simulator.person("ordinary_employee")
    for _ in range(TransportLimits().breaker_failures):
        await ask(asking, "enterprise", person)
    before = asking.simulator.received()
    broken = await asking.adapter.examine_health()

    assert (good.reachable, good.detail) == (True, "OK")
    assert (skewed.reachable, skewed.detail) == (False, "PROVIDER_FAULT")
    assert (broken.reachable, broken.detail) == (False, "BREAKER_OPEN")
    assert asking.simulator.received() == before


async def test_a_person_of_another_name_is_nobodys_positions(asking: Asking) -> None:
    """Number and name disagree: neither "none" nor "no"."""
    person = asking.simulator.person("legal_rep_changed")

    outcome, _ = await asking.positions(replace(person, full_name="某某某"))

    assert natural(person).full_name == person.full_name
    assert outcome == Untold(reason=Indeterminate.SUBJECT_UNRESOLVED)
