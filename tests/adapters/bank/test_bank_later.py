"""Answers that come later, and how often an account may be checked a day."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.errors import DepartmentFailed, NotSent
from adapters.kinds.bank.mailing import Kept, Mailing, Message, Waiting
from adapters.kinds.bank.quota import A_DAY, AccountQuota
from adapters.port import Indeterminate, Query, Record, SubjectType, Untold
from adapters.records import RecordSource
from adapters.simulators.population import Quirk, account_of, planted_index
from certs.identity import SystemId
from tests.adapters.asking import NOW_MS, disclosed, query_of
from tests.adapters.bank.asking import (
    ALL_CARD,
    ALL_VERIFY,
    CARD,
    PEOPLE,
    VERIFY,
    Asking,
    build_adapter,
    claims_of,
)
from tests.adapters.bank.test_bank_messages import question

PENSIONER = PEOPLE.person(planted_index(Quirk.ORDINARY_PENSIONER))
ACCOUNT = account_of(PENSIONER)
DAY_MS = 24 * 3600 * 1000
QUERY = query_of(VERIFY, (PENSIONER.id_number, PENSIONER.full_name), ALL_VERIFY, {})
ENDED = Untold(reason=Indeterminate.PROVIDER_QUOTA)


def verification(asking: Asking, seconds: float = 8.0) -> Query:
    """Return the question of these tests."""
    subject = (PENSIONER.id_number, PENSIONER.full_name)
    return asking.query(VERIFY, subject, ALL_VERIFY, claims_of(ACCOUNT), seconds)


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds, which no event tells."""
    for _ in range(5_000):
        if holds():
            return
        await asyncio.sleep(0.001)
    pytest.fail("it never held")


def waiting_for(query: Query) -> Waiting:
    """Return a question under way."""
    asked = question("bk.account_verify", ACCOUNT.account_no)
    return Waiting(
        question=asked,
        query=query,
        message=Message(operation=asked.operation),
        answer=asyncio.get_running_loop().create_future(),
    )


@pytest.mark.integration
@pytest.mark.slow
async def test_a_later_answer_is_waited_for(asking: Asking) -> None:
    """202, then the report: who has time does not notice."""
    asking.simulator.set_fault("slow_reply", 1)

    outcome = await asking.adapter.fetch(verification(asking))

    assert isinstance(outcome, Record)


@pytest.mark.integration
@pytest.mark.slow
async def test_who_cannot_wait_comes_back_for_the_same_check(asking: Asking) -> None:
    """PENDING with a time; what was begun is finished, and the account checked once."""
    asking.simulator.set_fault("slow_reply", 1)
    begun = verification(asking, seconds=0.6)
    first = await asking.adapter.fetch(begun)
    again = replace(verification(asking), request_id=bytes(16), pending_request_id=begun.request_id)

    second = await asking.adapter.fetch(again)

    assert first == Untold(reason=Indeterminate.PENDING, retry_after_s=2.0)
    assert disclosed(again, second)["account_usable"] == "YES"
    for _ in range(A_DAY - 1):
        assert isinstance(await asking.adapter.fetch(verification(asking)), Record)
    assert await asking.adapter.fetch(verification(asking)) == ENDED


@pytest.mark.integration
@pytest.mark.slow
@pytest.mark.parametrize("first_id", [True, False])
async def test_who_comes_back_too_early_is_told_to_wait_again(
    asking: Asking, *, first_id: bool
) -> None:
    """Under either id he knows the answer is still his; then it is kept no longer."""
    asking.simulator.set_fault("slow_reply", 1)
    begun = verification(asking, seconds=0.6)
    await asking.adapter.fetch(begun)
    early = replace(
        verification(asking, seconds=0.1),
        request_id=bytes(16),
        pending_request_id=begun.request_id,
    )

    told = await asking.adapter.fetch(early)
    known = begun.request_id if first_id else early.request_id
    late = replace(verification(asking), request_id=bytes([1] * 16), pending_request_id=known)
    outcome = await asking.adapter.fetch(late)

    assert told == Untold(reason=Indeterminate.PENDING, retry_after_s=2.0)
    assert isinstance(outcome, Record)
    assert asking.adapter._kept.find(late) is None


@pytest.mark.integration
@pytest.mark.slow
@pytest.mark.parametrize("accepted", [True, False])
async def test_who_is_cut_off_comes_back_for_the_same_check(
    asking: Asking, *, accepted: bool
) -> None:
    """Before or after the front accepted it: the check was begun, and is found again."""
    asking.simulator.set_fault("slow_reply", 1)
    begun = verification(asking)
    waiting = asyncio.create_task(asking.adapter.fetch(begun))
    running = asking.adapter._mailing._running
    await until(lambda: bool(running))
    message = next(iter(running.values()))
    await until(lambda: message.questions[0].accepted if accepted else message.sent)
    waiting.cancel()
    await asyncio.wait([waiting])
    await until(lambda: message.questions[0].accepted)
    again = replace(verification(asking), request_id=bytes(16), pending_request_id=begun.request_id)
    posted = asking.simulator.received()

    outcome = await asking.adapter.fetch(again)

    assert disclosed(again, outcome)["account_usable"] == "YES"
    # Fetched, not sent.
    assert asking.simulator.received() == posted + 1
    for _ in range(A_DAY - 1):
        assert isinstance(await asking.adapter.fetch(verification(asking)), Record)


@pytest.mark.integration
@pytest.mark.slow
async def test_nothing_is_fetched_while_nobody_waits(asking: Asking) -> None:
    """The front keeps the report; a poll would cost everybody a request of twenty a second."""
    asking.simulator.set_fault("slow_reply", 1)
    begun = verification(asking, seconds=0.6)
    await asking.adapter.fetch(begun)
    sent = asking.simulator.received()

    await asyncio.sleep(2.5)

    assert asking.simulator.received() == sent


@pytest.mark.integration
@pytest.mark.slow
@pytest.mark.parametrize("fault", ["signature_wrong", "gbk_body", "missing_orgnl_id", "hang"])
async def test_what_may_have_been_counted_is_counted_here(asking: Asking, fault: str) -> None:
    """A check whose answer is unproven, malformed or late was made all the same."""
    # A bank that hangs has made none, but nobody here can know.
    asking.simulator.set_fault(fault)
    for _ in range(A_DAY):
        outcome = await asking.adapter.fetch(verification(asking, seconds=0.6))
        assert isinstance(outcome, Untold)
        assert outcome != ENDED
    asking.simulator.reset()
    before = asking.simulator.received()

    assert await asking.adapter.fetch(verification(asking)) == ENDED
    assert asking.simulator.received() == before


@pytest.mark.integration
@pytest.mark.slow
async def test_a_later_answer_that_is_forged_is_unproven(asking: Asking) -> None:
    """Later is no excuse."""
    asking.simulator.set_fault("slow_reply", 1)
    asking.simulator.set_fault("signature_wrong")

    outcome = await asking.adapter.fetch(verification(asking))

    assert outcome == Untold(reason=Indeterminate.PROVIDER_UNPROVEN)


@pytest.mark.integration
@pytest.mark.slow
async def test_closing_leaves_nobody_waiting(asking: Asking) -> None:
    """Who still waits for a later answer is told that there is none."""
    asking.simulator.set_fault("slow_reply", 1)
    waiting = asyncio.create_task(asking.adapter.fetch(verification(asking)))
    await asyncio.sleep(0.4)

    await asking.adapter.close()

    assert await waiting == Untold(reason=Indeterminate.PROVIDER_FAULT)


@pytest.mark.integration
@pytest.mark.slow
async def test_the_fifth_check_of_a_day_is_not_sent(asking: Asking) -> None:
    """The bank would refuse it; tomorrow is another day."""
    outcomes = [await asking.adapter.fetch(verification(asking)) for _ in range(A_DAY)]
    before = asking.simulator.received()

    fifth = await asking.adapter.fetch(verification(asking))
    after = asking.simulator.received()
    asking.simulator.admin("POST", "/clock", {"advance_ms": DAY_MS})
    tomorrow = await asking.adapter.fetch(verification(asking))

    assert all(isinstance(outcome, Record) for outcome in outcomes)
    assert fifth == ENDED
    assert after == before
    assert isinstance(tomorrow, Record)


@pytest.mark.integration
@pytest.mark.slow
async def test_after_a_restart_the_banks_own_count_decides(
    asking: Asking, source: RecordSource, pki: Path
) -> None:
    """It is asked once, and what it says is remembered."""
    for _ in range(A_DAY):
        await asking.adapter.fetch(verification(asking))
    again = Asking(asking.simulator, build_adapter(asking.simulator, source, pki))
    before = asking.simulator.received()

    outcomes = [await again.adapter.fetch(verification(again)) for _ in range(3)]
    await again.adapter.close()

    assert outcomes == [ENDED] * 3
    assert asking.simulator.received() == before + 1


@pytest.mark.integration
@pytest.mark.slow
async def test_a_quota_the_bank_ends_is_remembered(asking: Asking) -> None:
    """Somebody else may have checked the account."""
    asking.simulator.set_fault("item_quota")
    first = await asking.adapter.fetch(verification(asking))
    asking.simulator.reset()
    before = asking.simulator.received()

    second = await asking.adapter.fetch(verification(asking))
    card = await asking.fetch(CARD, PENSIONER, ALL_CARD)

    assert (first, second) == (ENDED, ENDED)
    assert isinstance(card.outcome, Record)
    assert asking.simulator.received() == before + 1


@pytest.mark.integration
@pytest.mark.slow
async def test_a_query_has_no_such_quota(asking: Asking) -> None:
    """The fault has it busy instead, which is time and not a count."""
    asking.simulator.set_fault("item_quota")

    told = await asking.fetch(CARD, PENSIONER, ALL_CARD)

    assert told.outcome == Untold(reason=Indeterminate.PROVIDER_TIMEOUT)


@pytest.mark.integration
@pytest.mark.slow
async def test_what_a_bank_does_not_count_is_not_counted_here(asking: Asking) -> None:
    """BANK_UNKNOWN is judged before the count."""
    claims = {**claims_of(ACCOUNT), "bank_code": "999999999999"}

    for _ in range(A_DAY + 1):
        told = await asking.fetch(VERIFY, PENSIONER, ALL_VERIFY, claims)
        assert told.fields["account_usable"] == "ERROR"

    assert isinstance(await asking.adapter.fetch(verification(asking)), Record)


@pytest.mark.integration
@pytest.mark.slow
async def test_what_was_not_accepted_is_not_counted_here(asking: Asking) -> None:
    """A front that takes no messages checks no account."""
    asking.simulator.set_fault("quota")
    refused = [
        await asking.adapter.fetch(verification(asking, seconds=0.9)) for _ in range(A_DAY + 1)
    ]
    asking.simulator.reset()

    outcomes = [await asking.adapter.fetch(verification(asking)) for _ in range(A_DAY)]

    assert refused == [ENDED] * (A_DAY + 1)
    assert all(isinstance(outcome, Record) for outcome in outcomes)


def test_an_account_has_four_checks_a_day() -> None:
    """In China's time, each account by itself."""
    quota = AccountQuota()
    # 23:59:59 of 2026-11-23 in China.
    late = NOW_MS + 8 * 3600 * 1000 - 1000

    assert [quota.charge("a", late) for _ in range(5)] == [True] * 4 + [False]
    assert quota.charge("b", late)
    assert quota.charge("a", late + 1000)


def test_what_was_not_counted_is_given_back_once() -> None:
    """Never below nothing, and never what the bank itself said."""
    quota = AccountQuota()
    for _ in range(A_DAY):
        quota.charge("a", NOW_MS)
    quota.release("a")
    quota.release("b")

    assert quota.charge("a", NOW_MS)
    assert not quota.charge("a", NOW_MS)
    quota.exhaust("b")
    quota.release("b")
    assert not quota.charge("b", NOW_MS)


def test_counting_is_bounded() -> None:
    """Beyond it the bank counts alone; what is counted stays so."""
    quota = AccountQuota(most=1)
    for _ in range(A_DAY):
        assert quota.charge("a", NOW_MS)

    assert all(quota.charge("b", NOW_MS) for _ in range(A_DAY + 1))
    assert not quota.charge("a", NOW_MS)


def test_no_account_number_is_kept_by_the_count() -> None:
    """Its memory holds digests under a key that dies with the process."""
    quota = AccountQuota()
    quota.charge(ACCOUNT.account_no, NOW_MS)

    assert ACCOUNT.account_no not in repr(vars(quota))


@pytest.mark.integration
@pytest.mark.slow
async def test_a_kept_answer_is_its_askers_alone(asking: Asking) -> None:
    """Another system, subject, claim or dataset finds nothing, and time ends it."""
    now = [0.0]
    kept = Kept(lambda: now[0])
    begun = verification(asking)
    waiting = waiting_for(begun)
    kept.remember(begun, waiting)
    again = replace(begun, pending_request_id=begun.request_id)

    strangers = [
        replace(again, audience=SystemId("11370000MB2DEM0105/other")),
        replace(again, subject=replace(again.subject, full_name="王小二")),
        replace(again, claims={**again.claims, "account_no": "6217001000000000011"}),
        replace(again, dataset=CARD),
        replace(again, matter="M3"),
        replace(again, case_number="BJ-2026-000002"),
        replace(again, subject=replace(again.subject, type=SubjectType.USCC)),
        replace(again, pending_request_id=bytes(16)),
        begun,
    ]

    assert kept.find(again) is waiting
    assert [kept.find(stranger) for stranger in strangers] == [None] * len(strangers)
    now[0] = 3600.0
    assert kept.find(again) is None
    kept.remember(begun, waiting)
    kept.wipe()
    assert kept.find(again) is None


async def test_what_nobody_comes_for_is_dropped_at_its_time() -> None:
    """Not only when the next question is kept."""
    kept = Kept(time.monotonic, life_s=0.05)
    kept.remember(QUERY, waiting_for(QUERY))

    await until(lambda: not kept._kept)


async def test_messages_under_way_are_bounded() -> None:
    """The oldest that nobody waits for makes room; where all are waited for, none does."""
    begun: list[Message] = []

    async def deliver(message: Message, present: Sequence[Waiting]) -> None:
        begun.append(message)
        for waiting in present:
            waiting.retry_after_s = 1.0
        await asyncio.Event().wait()

    async def post(account: str) -> Waiting:
        waiting = mailing.post(question("bk.account_verify", account), QUERY)
        await until(lambda: waiting.message in begun)
        return waiting

    mailing = Mailing(deliver, most=2)
    first, second = await post("1" * 16), await post("2" * 16)
    with first.attend(), second.attend(), pytest.raises(NotSent):
        await post("3" * 16)
    with first.attend():
        third = await post("3" * 16)

        assert not first.answer.done()
        assert isinstance(second.answer.exception(), DepartmentFailed)
        assert not third.answer.done()
    await mailing.close()


async def test_a_message_that_is_cancelled_is_joined_by_nobody() -> None:
    """Who asks next opens another."""

    async def deliver(_: Message, present: Sequence[Waiting]) -> None:
        for waiting in present:
            waiting.answer.set_result(None)

    mailing = Mailing(deliver)
    lost = mailing.post(question("bk.account_verify", ACCOUNT.account_no), QUERY)
    await asyncio.sleep(0)
    await mailing.close()

    assert isinstance(lost.answer.exception(), DepartmentFailed)
    later = mailing.post(question("bk.account_verify", ACCOUNT.account_no), QUERY)
    async with asyncio.timeout(5):
        assert await later.answer is None
