"""The bank adapter against the front: messages that go wrong, and every fault's outcome."""

import asyncio
import logging
import re
import ssl
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509

from adapters.kinds.bank.documents import MAX_ITEMS
from adapters.limits import TransportLimits
from adapters.port import BreakerState, Indeterminate, Record, Untold
from adapters.records import RecordSource
from adapters.simulators.population import Quirk, account_of, planted_index
from tests.adapters.bank.asking import (
    ALL_CARD,
    ALL_PAYMENT,
    ALL_VERIFY,
    CARD,
    PAYMENT,
    PEOPLE,
    VERIFY,
    Asking,
    build_adapter,
    claims_of,
    identity_of,
    load_signer,
)
from tests.adapters.bank.test_bank_messages import question
from tests.adapters.patient import only_waiting_counts
from tests.adapters.simulated import Simulator

pytestmark = [pytest.mark.integration, pytest.mark.slow]

MANUAL = (Path(__file__).resolve().parents[3] / "docs" / "adapters" / "bank.md").read_text("utf-8")
PENSIONER = PEOPLE.person(planted_index(Quirk.ORDINARY_PENSIONER))
GRADUATE = PEOPLE.person(planted_index(Quirk.ORDINARY_GRADUATE))
ORDINARY = [PEOPLE.person(index) for index in range(208, 218)]

UNTOLD: Mapping[str, Indeterminate] = {
    "missing_orgnl_id": Indeterminate.PROVIDER_MALFORMED,
    "duplicate_report": Indeterminate.PROVIDER_MALFORMED,
    "signature_wrong": Indeterminate.PROVIDER_UNPROVEN,
    "signature_other_key": Indeterminate.PROVIDER_UNPROVEN,
    # The envelope's schema is judged first, and wants one.
    "signature_missing": Indeterminate.PROVIDER_MALFORMED,
    "signature_wrapped": Indeterminate.PROVIDER_UNPROVEN,
    "item_busy": Indeterminate.PROVIDER_TIMEOUT,
    "busy": Indeterminate.PROVIDER_UNAVAILABLE,
    "quota": Indeterminate.PROVIDER_QUOTA,
    "other_request": Indeterminate.PROVIDER_UNPROVEN,
    "other_person": Indeterminate.SUBJECT_MISMATCH,
    "entity_bomb": Indeterminate.PROVIDER_MALFORMED,
    "external_entity": Indeterminate.PROVIDER_MALFORMED,
    "gbk_body": Indeterminate.PROVIDER_MALFORMED,
    "html_page": Indeterminate.PROVIDER_MALFORMED,
    "half_body": Indeterminate.PROVIDER_MALFORMED,
    "empty_body": Indeterminate.PROVIDER_MALFORMED,
    "server_error": Indeterminate.PROVIDER_UNAVAILABLE,
    "redirect": Indeterminate.PROVIDER_MALFORMED,
    "oversized_body": Indeterminate.PROVIDER_MALFORMED,
}
"""Fault → why nothing can be told, of a single question."""
APART = {
    *("missing_report", "out_of_order", "duplicate_msg_id", "account_closed", "account_blocked"),
    *("item_quota", "slow_reply", "late_accept", "late_answer", "hang"),
}
"""Faults with a test of their own below, or in `test_bank_later`."""


def test_every_fault_of_the_manual_is_met() -> None:
    """None is left out, and none is invented."""
    part = MANUAL[
        MANUAL.index("| 名 | 现象 |") : MANUAL.index("`account_closed` 与 `account_blocked`")
    ]

    assert set(re.findall(r"^\| `([a-z_]+)` \|", part, re.MULTILINE)) == {*UNTOLD, *APART}


@pytest.mark.parametrize("fault", UNTOLD)
async def test_each_fault_is_untold_for_its_own_reason(
    asking: Asking, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    """Never an exception, never a value, never a person or an account in the diagnostics."""
    caplog.set_level(logging.DEBUG)
    account = account_of(PENSIONER)
    asking.simulator.set_fault(fault)

    verified = await asking.verify(PENSIONER, account)
    card = await asking.fetch(CARD, PENSIONER, ALL_CARD)
    paid = await asking.fetch(PAYMENT, PENSIONER, ALL_PAYMENT)

    for told in (verified, card, paid):
        assert told.outcome == Untold(reason=UNTOLD[fault])
    for canary in (PENSIONER.id_number, PENSIONER.full_name, account.account_no, account.balance):
        assert canary not in caplog.text


@pytest.mark.parametrize(
    ("fault", "failing"),
    [("missing_report", {9}), ("duplicate_report", {0}), ("item_busy", {0, 2, 4, 6, 8})],
)
async def test_a_message_that_fails_in_part_fails_for_those_only(
    asking: Asking, fault: str, failing: set[int]
) -> None:
    """The others get their rows."""
    asking.simulator.set_fault(fault)
    reason = UNTOLD.get(fault, Indeterminate.PROVIDER_MALFORMED)

    told = await asyncio.gather(*(asking.verify(person, account_of(person)) for person in ORDINARY))

    untold = {index: one.outcome for index, one in enumerate(told) if not one.fields}
    assert untold == dict.fromkeys(failing, Untold(reason=reason))


async def test_rows_out_of_order_reach_their_own_askers(asking: Asking) -> None:
    """Numbers decide, not places."""
    asking.simulator.set_fault("out_of_order")

    told = await asyncio.gather(
        *(asking.fetch(CARD, one, ALL_CARD, claims_of(account_of(one))) for one in ORDINARY)
    )

    assert [one.fields["account_no"] for one in told] == ["YES"] * len(ORDINARY)


async def test_an_answer_that_was_given_before_is_unproven(asking: Asking) -> None:
    """The id of an answer is used once."""
    asking.simulator.set_fault("duplicate_msg_id")

    first = await asking.fetch(CARD, PENSIONER, ALL_CARD)
    second = await asking.fetch(CARD, PENSIONER, ALL_CARD)

    assert isinstance(first.outcome, Record)
    assert second.outcome == Untold(reason=Indeterminate.PROVIDER_UNPROVEN)


@pytest.mark.parametrize(
    ("fault", "reason", "code"),
    [("account_closed", "closed", "AC04"), ("account_blocked", "frozen", "AC06")],
)
async def test_an_account_that_cannot_be_used_says_why(
    asking: Asking, fault: str, reason: str, code: str
) -> None:
    """Closed and blocked are two reasons, of accounts and of returned payments."""
    asking.simulator.set_fault(fault)

    verified = await asking.verify(PENSIONER, account_of(PENSIONER))
    paid = await asking.fetch(PAYMENT, PENSIONER, ALL_PAYMENT)

    assert (verified.fields["account_usable"], verified.fields["reason"]) == ("NO", reason)
    assert (paid.fields["result_code"], paid.fields["return_reason"]) == ("退票", code)


@pytest.mark.parametrize(
    "fault", ["busy", "quota", "server_error", "html_page", "half_body", "empty_body", "redirect"]
)
async def test_one_passing_failure_is_not_noticed(asking: Asking, fault: str) -> None:
    """What was accepted is fetched, what was not is sent again as it is: never checked twice."""
    account = account_of(PENSIONER)
    asking.simulator.set_fault(fault, 1)

    told = await asking.verify(PENSIONER, account)

    assert told.fields["account_usable"] == "YES"
    for _ in range(3):
        assert (await asking.verify(PENSIONER, account)).fields
    exhausted = await asking.verify(PENSIONER, account)
    assert exhausted.outcome == Untold(reason=Indeterminate.PROVIDER_QUOTA)


@pytest.mark.parametrize("fault", ["late_accept", "late_answer"])
async def test_a_message_that_is_still_worked_on_is_no_second_check(
    asking: Asking, fault: str
) -> None:
    """504 from between, MSG01 from the front, the message taken after all: one check of four."""
    account = account_of(PENSIONER)
    asking.simulator.set_fault(fault, 1)

    told = await asking.verify(PENSIONER, account)
    await asyncio.sleep(0.5)
    others = [await asking.verify(PENSIONER, account) for _ in range(3)]

    assert told.fields["account_usable"] == "YES"
    assert [one.fields.get("account_usable") for one in others] == ["YES"] * 3


async def test_a_refusal_after_a_lost_message_gives_no_check_back(asking: Asking) -> None:
    """What was refused at last may have been accepted at first, and was."""
    account = account_of(PENSIONER)
    asking.simulator.set_fault("late_accept", 1)
    # Neither the lost message nor the look for its answer, but all that comes after.
    asking.simulator.set_fault("quota", after=2)
    subject = (PENSIONER.id_number, PENSIONER.full_name)
    query = asking.query(VERIFY, subject, ALL_VERIFY, claims_of(account), seconds=1.0)

    refused = await asking.adapter.fetch(query)
    asking.simulator.reset()
    others = [await asking.verify(PENSIONER, account) for _ in range(3)]
    before = asking.simulator.received()
    fifth = await asking.verify(PENSIONER, account)

    assert refused == Untold(reason=Indeterminate.PROVIDER_QUOTA)
    assert all(one.fields for one in others)
    assert fifth.outcome == Untold(reason=Indeterminate.PROVIDER_QUOTA)
    assert asking.simulator.received() == before


async def test_a_message_is_sent_as_often_as_is_configured(asking: Asking) -> None:
    """Who allows one call means one, of the message and of a busy row alike."""
    transport = asking.adapter._transport
    transport._limits = replace(transport._limits, attempts=1)
    before = asking.simulator.received()

    asking.simulator.set_fault("busy", 1)
    refused = await asking.fetch(CARD, PENSIONER, ALL_CARD)
    asking.simulator.set_fault("item_busy", 1)
    busy = await asking.fetch(CARD, PENSIONER, ALL_CARD)

    assert refused.outcome == Untold(reason=Indeterminate.PROVIDER_UNAVAILABLE)
    assert busy.outcome == Untold(reason=Indeterminate.PROVIDER_TIMEOUT)
    assert asking.simulator.received() == before + 2


async def test_a_message_sent_twice_is_answered_once(asking: Asking) -> None:
    """DUP01: somebody between repeated it; the answer to the first is fetched."""
    front, asked = asking.adapter._front, question("bk.sscard_account")
    sent = front._seal(asked.operation, [asked])
    deadline = time.monotonic() + 8.0

    answers = [await front._send(sent, deadline) for _ in range(2)]

    assert [answer.status for answer in answers] == [200, 200]
    assert answers[0].body == answers[1].body


@pytest.mark.parametrize("fault", ["signature_wrong", "other_request", "gbk_body", "other_person"])
async def test_an_answer_that_is_wrong_stays_wrong(asking: Asking, fault: str) -> None:
    """It is not asked for again: the account has been checked."""
    asking.simulator.set_fault(fault, 1)
    before = asking.simulator.received()

    told = await asking.verify(GRADUATE, account_of(GRADUATE))

    assert told.outcome == Untold(reason=UNTOLD[fault])
    assert asking.simulator.received() == before + 1


async def test_a_busy_row_of_a_query_is_asked_once_more(asking: Asking) -> None:
    """Reading twice changes nothing; verifying twice is two checks."""
    asking.simulator.set_fault("item_busy", 1)
    before = asking.simulator.received()

    read = await asking.fetch(CARD, PENSIONER, ALL_CARD)
    asking.simulator.set_fault("item_busy", 1)
    verified = await asking.verify(GRADUATE, account_of(GRADUATE))

    assert isinstance(read.outcome, Record)
    assert verified.outcome == Untold(reason=Indeterminate.PROVIDER_TIMEOUT)
    assert asking.simulator.received() == before + 3


async def test_a_department_that_hangs_is_left_before_the_deadline(asking: Asking) -> None:
    """There is time left to sign and log."""
    asking.simulator.set_fault("hang")
    subject = (PENSIONER.id_number, PENSIONER.full_name)
    with only_waiting_counts(asyncio.get_running_loop()):
        query = asking.query(CARD, subject, ALL_CARD, seconds=0.5)
        outcome = await asking.adapter.fetch(query)
        left_at = time.monotonic()

    assert outcome == Untold(reason=Indeterminate.PROVIDER_TIMEOUT)
    assert left_at < query.deadline


async def test_a_full_message_is_answered(asking: Asking) -> None:
    """With everything the banks add it stays within our bounds; one more opens the next."""
    subject = (PENSIONER.id_number, PENSIONER.full_name)
    query = asking.query(CARD, subject, ALL_CARD, seconds=20)
    before = asking.simulator.received()

    outcomes = await asyncio.gather(*map(asking.adapter.fetch, [query] * (MAX_ITEMS + 1)))

    assert all(isinstance(outcome, Record) for outcome in outcomes)
    assert asking.simulator.received() == before + 2


async def test_two_operations_never_share_a_message(asking: Asking) -> None:
    """Each has a document of its own."""
    before = asking.simulator.received()

    told = await asyncio.gather(
        asking.fetch(CARD, PENSIONER, ALL_CARD), asking.fetch(PAYMENT, PENSIONER, ALL_PAYMENT)
    )

    assert all(isinstance(one.outcome, Record) for one in told)
    assert asking.simulator.received() == before + 2


async def test_a_clock_that_is_wrong_is_a_fault(
    simulator: Simulator, source: RecordSource, pki: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """TIM01: operators read its code."""
    adapter = build_adapter(simulator, source, pki)
    adapter._front._now_ms = lambda: simulator.now_ms() - 400_000
    asking = Asking(simulator, adapter)

    told = await asking.fetch(CARD, PENSIONER, ALL_CARD)
    await adapter.close()

    assert told.outcome == Untold(reason=Indeterminate.PROVIDER_FAULT)
    assert "TIM01" in caplog.text


@pytest.mark.parametrize("what", ["front", "certificate", "party", "key"])
async def test_who_is_not_as_registered_is_not_believed(
    simulator: Simulator, source: RecordSource, pki: Path, what: str
) -> None:
    """On either side: another front, another signature, another caller."""
    identity = identity_of(pki)
    wrong = {
        # The request is refused there; the refusal is signed by another party than configured.
        "front": replace(identity, front="91370000MA3DEM094M"),
        "certificate": replace(
            identity,
            registered=x509.load_pem_x509_certificate((pki / "client_sign.pem").read_bytes()),
        ),
        "party": replace(identity, party="11370000MB2DEM0287"),
        "key": replace(identity, signer=load_signer(pki, "client")),
    }[what]
    adapter = build_adapter(simulator, source, pki, wrong)

    told = await Asking(simulator, adapter).fetch(CARD, PENSIONER, ALL_CARD)
    await adapter.close()

    unproven = what in {"front", "certificate", "party"}
    expected = Indeterminate.PROVIDER_UNPROVEN if unproven else Indeterminate.PROVIDER_FAULT
    assert told.outcome == Untold(reason=expected)


async def test_a_front_of_another_authority_is_not_spoken_to(
    simulator: Simulator, source: RecordSource, pki: Path
) -> None:
    """TLS ends it: nothing about anybody is sent."""
    strange = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    strange.load_verify_locations(cafile=pki / "client_sign.pem")
    strange.load_cert_chain(pki / "client.pem", pki / "client.key")
    adapter = build_adapter(simulator, source, pki, tls=strange)
    before = simulator.received()

    told = await Asking(simulator, adapter).fetch(CARD, PENSIONER, ALL_CARD)
    await adapter.close()

    assert told.outcome == Untold(reason=Indeterminate.PROVIDER_UNAVAILABLE)
    assert simulator.received() == before


@pytest.mark.parametrize(
    ("fault", "detail"),
    [("html_page", "PROVIDER_MALFORMED"), ("busy", "PROVIDER_UNAVAILABLE")],
)
async def test_health_is_an_answer_about_nobody(asking: Asking, fault: str, detail: str) -> None:
    """Reachable and known there, or why not; nobody is asked about."""
    good = await asking.adapter.examine_health()
    asking.simulator.set_fault(fault)

    bad = await asking.adapter.examine_health()

    assert (good.reachable, good.detail) == (True, "OK")
    assert (bad.reachable, bad.detail) == (False, detail)


async def test_health_is_the_fronts_own_word(
    simulator: Simulator, source: RecordSource, pki: Path
) -> None:
    """An answer somebody else signed proves nothing of the front."""
    other = x509.load_pem_x509_certificate((pki / "client_sign.pem").read_bytes())
    adapter = build_adapter(simulator, source, pki, replace(identity_of(pki), registered=other))

    health = await adapter.examine_health()
    await adapter.close()

    assert (health.reachable, health.detail) == (False, "PROVIDER_UNPROVEN")


async def test_a_front_that_is_gone_opens_the_breaker(asking: Asking) -> None:
    """Nobody waits for it any more, health included."""
    asking.simulator.set_fault("server_error")

    for _ in range(TransportLimits().breaker_failures):
        await asking.fetch(CARD, PENSIONER, ALL_CARD)
    before = asking.simulator.received()
    told = await asking.fetch(VERIFY, PENSIONER, ALL_VERIFY, claims_of(account_of(PENSIONER)))
    health = await asking.adapter.examine_health()

    assert asking.adapter.breaker_state is BreakerState.OPEN
    assert told.outcome == Untold(reason=Indeterminate.PROVIDER_UNAVAILABLE)
    assert health.detail == "BREAKER_OPEN"
    assert asking.simulator.received() == before
