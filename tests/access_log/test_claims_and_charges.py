"""Claims, counters, asks: one winner, limits that hold, durable with their entry, gone in time."""

import asyncio
import sqlite3
from contextlib import closing
from itertools import pairwise

import pytest

from gateway.access_log import held_terms
from gateway.access_log.errors import (
    AskAnswered,
    ChargeRefused,
    ClaimTaken,
    EntryMalformed,
)
from gateway.access_log.log import AccessLog
from gateway.model import Claim, Logged
from tests.access_log import naive_tree
from tests.access_log.drafts import NOW_MS, LogHome, answer, ask, charge, claim, refuse

PERIOD = "2026-11"


async def test_claimed_key_is_refused_with_its_value(home: LogHome, log: AccessLog) -> None:
    """The second draft learns what the first claimed, and nothing of it is written."""
    await log.append(ask(claims=(claim(b"k", b"first"),)))

    with pytest.raises(ClaimTaken) as caught:
        await log.append(ask(claims=(claim(b"k", b"second"),)))

    assert (caught.value.existing, caught.value.space) == (b"first", "request")
    assert len(naive_tree.stored_entries(home.file)) == 1


async def test_of_many_at_once_one_wins(home: LogHome, log: AccessLog) -> None:
    """A hundred drafts in one batch claim one key: one entry, ninety-nine refusals of its value."""
    drafts = [ask(claims=(claim(b"k", b"%d" % at),)) for at in range(100)]

    outcomes = await asyncio.gather(*map(log.append, drafts), return_exceptions=True)

    taken = [each for each in outcomes if isinstance(each, ClaimTaken)]
    assert len(taken) == 99
    assert {each.existing for each in taken} == {b"0"}
    assert len(naive_tree.stored_entries(home.file)) == 1


async def test_others_of_the_batch_are_written(home: LogHome, log: AccessLog) -> None:
    """A refused draft takes no other down with it."""
    outcomes = await asyncio.gather(
        log.append(ask(claims=(claim(b"k"),))),
        log.append(ask(claims=(claim(b"k"),))),
        log.append(refuse()),
        log.append(ask(charges=(charge(b"c", 2, 1),))),
        return_exceptions=True,
    )

    kinds = [type(each) for each in outcomes]
    assert kinds == [Logged, ClaimTaken, Logged, ChargeRefused]
    assert len(naive_tree.stored_entries(home.file)) == 2


async def test_one_draft_claiming_a_key_twice_is_refused(log: AccessLog) -> None:
    """A draft competes with itself, too."""
    with pytest.raises(ClaimTaken):
        await log.append(ask(claims=(claim(b"k", b"a"), claim(b"k", b"b"))))

    assert log.size == 0


async def test_claims_live_through_a_restart(home: LogHome) -> None:
    """After reopening, claims hold and can be listed for the start of the replay guard."""
    first = home.open()
    await first.append(ask(claims=(claim(b"k", b"v1"), claim(b"old", b"v2", NOW_MS + 10))))
    first.close()
    home.clock.set(NOW_MS + 10)

    second = home.open()
    live = second.live_claims("request", NOW_MS + 10)
    with pytest.raises(ClaimTaken):
        await second.append(ask(claims=(claim(b"k"),)))
    second.close()

    assert list(live) == [claim(b"k", b"v1")]


async def test_expired_key_may_be_claimed_anew(home: LogHome, log: AccessLog) -> None:
    """From its expiry on, a key is free again."""
    await log.append(ask(claims=(claim(b"k", b"a", NOW_MS + 10),)))
    home.clock.set(NOW_MS + 10)

    await log.append(ask(claims=(claim(b"k", b"b", NOW_MS + 99),)))

    assert [each.value for each in log.live_claims("request", NOW_MS + 10)] == [b"b"]


async def test_expired_claims_and_old_counters_are_pruned(home: LogHome, log: AccessLog) -> None:
    """A later batch removes what expired, and counters nobody touched for more than a year."""
    await log.append(ask(claims=(claim(b"k"),), charges=(charge(b"c", 1, 9),)))
    home.clock.set(NOW_MS + held_terms.CHARGE_LIFE_MS + 1)

    await log.append(refuse())

    assert not log.live_claims("request", 0)
    assert log.used(b"c", PERIOD) == 0


def _stored_counters(home: LogHome) -> int:
    with closing(sqlite3.connect(home.file)) as connection:
        found: tuple[int] = connection.execute("SELECT count(*) FROM charges").fetchone()
    return found[0]


async def test_old_counters_go_a_few_at_a_time(
    home: LogHome, log: AccessLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No commit looks at more than its share; round by round all old ones go, and no other."""
    monkeypatch.setattr(held_terms, "COUNTERS_PRUNED", 4)
    await log.append(ask(charges=tuple(charge(b"old %d" % at, 1, 9) for at in range(10))))
    now_ms = NOW_MS + held_terms.CHARGE_LIFE_MS + 1
    home.clock.set(now_ms)
    left = []

    await log.append(ask(charges=(charge(b"new", 1, 9),)))
    for _ in range(6):
        left.append(_stored_counters(home))
        now_ms += held_terms.COUNTERS_PRUNED_EVERY_MS
        home.clock.set(now_ms)
        await log.append(refuse())

    assert max(before - after for before, after in pairwise(left)) <= 4
    assert left[0] > left[-1] == 1
    assert log.used(b"new", PERIOD) == 1


async def test_a_forgotten_counter_begins_anew(home: LogHome, log: AccessLog) -> None:
    """What is pruned from the file counts in memory no longer either."""
    await log.append(ask(charges=(charge(b"c", 9, 9),)))
    home.clock.set(NOW_MS + held_terms.CHARGE_LIFE_MS + 1)
    await log.append(refuse())

    await log.append(ask(charges=(charge(b"c", 1, 9),)))

    assert log.used(b"c", PERIOD) == 1


def stored_claims(home: LogHome) -> list[bytes]:
    """The keys of all claims in the file, in the order in which they were taken."""
    connection = sqlite3.connect(home.file)
    rows: list[tuple[bytes]] = connection.execute("SELECT key FROM claims ORDER BY id").fetchall()
    connection.close()
    return [key for (key,) in rows]


async def test_expired_claims_go_as_fast_as_new_ones_come(home: LogHome, log: AccessLog) -> None:
    """Every commit removes more than it takes, so the table does not grow with the traffic."""
    for at in range(40):
        await log.append(ask(claims=(claim(b"%d" % at, expires_ms=NOW_MS + at),)))
    home.clock.set(NOW_MS + 1_000)

    for at in range(40, 60):
        await log.append(ask(claims=(claim(b"%d" % at, expires_ms=NOW_MS + 9_999),)))

    assert stored_claims(home) == [b"%d" % at for at in range(40, 60)]


async def test_claim_that_lasts_keeps_no_other_from_going(home: LogHome, log: AccessLog) -> None:
    """A claim for a year stays, and those taken before and after it go in their time."""
    keys = (b"a", b"year", b"b")
    for key in keys:
        expires_ms = NOW_MS + (10**9 if key == b"year" else 10)
        await log.append(ask(claims=(claim(key, expires_ms=expires_ms),)))
    home.clock.set(NOW_MS + 10)

    await log.append(refuse())

    assert stored_claims(home) == [b"year"]


async def test_key_claimed_anew_outlives_the_removal_of_its_first_claim(
    home: LogHome,
) -> None:
    """Removing an expired claim leaves the later one of the same key, in this process and after."""
    log = home.open()
    first = (claim(b"k", b"first", NOW_MS + 10), claim(b"longer", b"", NOW_MS + 20))
    await log.append(ask(claims=first))
    home.clock.set(NOW_MS + 10)
    await log.append(ask(claims=(claim(b"k", b"second", NOW_MS + 99),)))
    home.clock.set(NOW_MS + 20)
    await log.append(refuse())

    with pytest.raises(ClaimTaken) as here:
        await log.append(ask(claims=(claim(b"k"),)))
    log.close()
    reopened = home.open()
    with pytest.raises(ClaimTaken) as after:
        await reopened.append(ask(claims=(claim(b"k"),)))
    reopened.close()

    assert stored_claims(home) == [b"k"]
    assert (here.value.existing, after.value.existing) == (b"second", b"second")


async def test_claims_of_two_spaces_do_not_meet(log: AccessLog) -> None:
    """One key may be held in two spaces."""
    other = Claim(space="other", key=b"k", value=b"v", expires_ms=NOW_MS + 9)

    await log.append(ask(claims=(claim(b"k"), other)))

    with pytest.raises(ClaimTaken, match="space other"):
        await log.append(ask(claims=(other,)))


async def test_more_claims_than_are_read_at_once_live_through_a_restart(
    home: LogHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the number of claims in the file, each holds after reopening and goes in time."""
    monkeypatch.setattr(held_terms, "CHUNK", 4)
    first = home.open()
    for at in range(11):
        await first.append(ask(claims=(claim(b"%d" % at, b"v", NOW_MS + 5 + at % 2 * 100),)))
    first.close()
    home.clock.set(NOW_MS + 5)

    second = home.open()
    outcomes = [
        await asyncio.gather(
            second.append(ask(claims=(claim(b"%d" % at, b"w", NOW_MS + 500),))),
            return_exceptions=True,
        )
        for at in range(11)
    ]
    home.clock.set(NOW_MS + 400)
    await second.append(refuse())
    second.close()

    assert [type(each) for (each,) in outcomes] == [Logged, ClaimTaken] * 5 + [Logged]
    assert stored_claims(home) == [b"%d" % at for at in range(0, 11, 2)]


@pytest.mark.parametrize("expires_ms", [-1, 2**53])
async def test_claim_that_expires_at_no_time_is_refused(log: AccessLog, expires_ms: int) -> None:
    """An expiry that no clock shows is a fault of whoever made the draft."""
    with pytest.raises(EntryMalformed, match="no time"):
        await log.append(ask(claims=(claim(b"k", expires_ms=expires_ms),)))


async def test_more_counters_than_are_kept_are_read_again(
    log: AccessLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counters beyond those in memory hold what the file holds."""
    monkeypatch.setattr(held_terms, "COUNTERS_KEPT", 3)
    counters = [b"%d" % at for at in range(7)]
    for _ in range(2):
        for counter in counters:
            await log.append(ask(charges=(charge(counter, 1, 9), charge(b"all", 1, 99))))
    await asyncio.gather(*(log.append(ask(charges=(charge(each, 1, 9),))) for each in counters))

    with pytest.raises(ChargeRefused) as caught:
        await log.append(ask(charges=(charge(b"all", 86, 99),)))

    assert [log.used(each, PERIOD) for each in counters] == [3] * 7
    assert caught.value.used == 14


async def test_counter_reaches_its_limit_and_no_further(log: AccessLog) -> None:
    """Ten of a hundred concurrent draws fit a limit of ten, in one batch and over many."""
    drafts = [ask(charges=(charge(b"c", 1, 10),)) for _ in range(100)]

    outcomes = await asyncio.gather(*map(log.append, drafts), return_exceptions=True)

    refused = [each for each in outcomes if isinstance(each, ChargeRefused)]
    assert len(refused) == 90
    assert {each.used for each in refused} == {10}
    assert log.used(b"c", PERIOD) == 10


async def test_counter_lives_through_a_restart(home: LogHome) -> None:
    """What was charged stays charged."""
    first = home.open()
    await first.append(ask(charges=(charge(b"c", 7, 10), charge(b"d", 1, 10))))
    first.close()

    second = home.open()
    with pytest.raises(ChargeRefused) as caught:
        await second.append(ask(charges=(charge(b"c", 4, 10),)))
    await second.append(ask(charges=(charge(b"c", 3, 10),)))
    used = second.used(b"c", PERIOD), second.used(b"d", PERIOD), second.used(b"e", PERIOD)
    second.close()

    assert (caught.value.used, caught.value.counter) == (7, b"c")
    assert used == (10, 1, 0)


async def test_draft_refused_for_one_counter_charges_no_other(log: AccessLog) -> None:
    """Charges and claims of a draft are taken all or none."""
    draft = ask(claims=(claim(b"k"),), charges=(charge(b"c", 1, 9), charge(b"d", 2, 1)))

    with pytest.raises(ChargeRefused):
        await log.append(draft)

    assert log.used(b"c", PERIOD) == 0
    assert not log.live_claims("request", 0)


async def test_one_counter_charged_twice_by_one_draft_counts_both(log: AccessLog) -> None:
    """Two charges of a draft on one counter add up."""
    twice = ask(charges=(charge(b"c", 2, 5), charge(b"c", 2, 5)))

    await log.append(twice)
    with pytest.raises(ChargeRefused):
        await log.append(twice)

    assert log.used(b"c", PERIOD) == 4


async def test_an_ask_is_answered_once(home: LogHome, log: AccessLog) -> None:
    """Of answers to one ask, at once or later, one is written; so too after a restart."""
    asked = await log.append(ask(b"\x01" * 16))
    answers = [answer(asked.index, b"\x01" * 16) for _ in range(3)]

    told = await asyncio.gather(*map(log.append, answers), return_exceptions=True)
    with pytest.raises(AskAnswered):
        await log.append(answers[0])
    log.close()
    reopened = home.open()
    with pytest.raises(AskAnswered) as refused:
        await reopened.append(answers[0])
    reopened.close()

    assert [type(each) for each in told] == [Logged, AskAnswered, AskAnswered]
    assert refused.value.ask == asked.index
    assert len(naive_tree.stored_entries(home.file)) == 2


async def test_an_answer_needs_its_ask(home: LogHome, log: AccessLog) -> None:
    """A place that holds no ask, or nothing yet, cannot be answered."""
    refused = await log.append(refuse())

    for place in (refused.index, refused.index + 1):
        with pytest.raises(AskAnswered):
            await log.append(answer(place, b"\x01" * 16))

    assert len(naive_tree.stored_entries(home.file)) == 1
