"""What is counted and kept of questions to the banks, and how many are under way; no front."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace

import pytest

from adapters.errors import DepartmentFailed, NotSent
from adapters.kinds.bank.mailing import Kept, Mailing, Message, Waiting
from adapters.kinds.bank.quota import A_DAY, AccountQuota
from adapters.port import Query, SubjectType
from certs.identity import SystemId
from tests.adapters.asking import NOW_MS, query_of
from tests.adapters.bank.asking import ALL_VERIFY, CARD, VERIFY, claims_of
from tests.adapters.bank.test_bank_later import ACCOUNT, PENSIONER, until
from tests.adapters.bank.test_bank_messages import question

QUERY = query_of(VERIFY, (PENSIONER.id_number, PENSIONER.full_name), ALL_VERIFY, {})


def waiting_for(query: Query) -> Waiting:
    """Return a question under way."""
    asked = question("bk.account_verify", ACCOUNT.account_no)
    return Waiting(
        question=asked,
        query=query,
        message=Message(operation=asked.operation),
        answer=asyncio.get_running_loop().create_future(),
    )


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


async def test_a_kept_answer_is_its_askers_alone() -> None:
    """Another system, subject, claim or dataset finds nothing, and time ends it."""
    now = [0.0]
    kept = Kept(lambda: now[0])
    begun = replace(QUERY, claims=claims_of(ACCOUNT))
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
