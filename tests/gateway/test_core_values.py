"""Properties of the small parts: replay, quota, padding, outcomes, clock, waivers, limits."""

import asyncio
import contextlib
import dataclasses
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from adapters.port import DatasetName, FieldName
from gateway.clock import BACKWARDS_TOLERANCE_MS, SystemClock, VirtualClock, held_to_floor
from gateway.errors import Fault, Reason, Refusal
from gateway.interrupted import Interrupted
from gateway.model import Claim, Logged, SearchColumns
from gateway.outcome import Answered, Outcome, Refused, encode_outcome, parse_outcome
from gateway.quota import BurstLimit, BurstLimiter, InFlight
from gateway.replay import (
    SPACE,
    First,
    ReplayGuard,
    Twin,
    durable_claim,
    item_key,
    request_key,
)
from gateway.statement.answer import Body, encode_answer
from gateway.statement.values import DatasetQuery
from hutong.exchange.v1 import exchange_pb2

KEYS = [request_key("11370000MB2DEM0105/a", bytes([number]) * 16) for number in range(4)]
DIGESTS = [bytes([number]) * 32 for number in range(2)]
LIFE_MS = 330_000
SYSTEM = "11370000MB2DEM0105/retirement"


class ReplayMachine(RuleBasedStateMachine):
    """Compares the guard with a dictionary that forgets nothing before its time."""

    def __init__(self) -> None:
        super().__init__()
        self.guard = ReplayGuard(kept_bytes=10_000)
        self.now_ms = 1_000
        self.model: dict[bytes, tuple[bytes, int, bytes | None]] = {}
        self.running: dict[bytes, First] = {}

    def _standing(self, key: bytes) -> tuple[bytes, int, bytes | None] | None:
        held = self.model.get(key)
        if held is None or (held[1] <= self.now_ms and key not in self.running):
            return None
        return held

    def _claimed(self, key: bytes, digest: bytes) -> First | Twin | None:
        try:
            return self.guard.claim(key, digest, self.now_ms + LIFE_MS, self.now_ms)
        except Refusal:
            return None

    @rule(key=st.sampled_from(KEYS), digest=st.sampled_from(DIGESTS))
    def claim(self, key: bytes, digest: bytes) -> None:
        """A free key is claimed, a held one is told apart by its digest."""
        held = self._standing(key)
        standing = self._claimed(key, digest)
        if standing is None:
            assert self.model[key][0] != digest
            return
        if held is None:
            if isinstance(standing, First):
                self.model[key] = (digest, self.now_ms + LIFE_MS, None)
                self.running[key] = standing
            else:
                assert self.model[key][0] == digest  # forgotten a little late, never early
        else:
            assert isinstance(standing, Twin)
            assert held[0] == digest

    @precondition(lambda self: bool(self.running))
    @rule(data=st.data(), outcome=st.binary(max_size=40))
    def keep(self, data: st.DataObject, outcome: bytes) -> None:
        """A first call ends and its outcome is kept."""
        key = data.draw(st.sampled_from(sorted(self.running)))
        self.guard.keep(self.running.pop(key), outcome)
        digest, until_ms, _ = self.model[key]
        self.model[key] = (digest, until_ms, outcome)

    @precondition(lambda self: bool(self.running))
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        """A first call ends without anything durable."""
        key = data.draw(st.sampled_from(sorted(self.running)))
        self.guard.release(self.running.pop(key))
        del self.model[key]

    @rule(step=st.integers(1, LIFE_MS))
    def wait(self, step: int) -> None:
        """Time goes on."""
        self.now_ms += step

    @rule(key=st.sampled_from(KEYS))
    def ask_again(self, key: bytes) -> None:
        """A twin gets what was kept."""
        held = self._standing(key)
        if held is None or key in self.running or held[2] is None:
            return
        given_again = asyncio.run(self.guard.outcome_of(Twin(key=key)))
        assert given_again == held[2]

    @invariant()
    def holds_no_more_than_its_keys(self) -> None:
        """Memory is bounded by what is held, and counted right."""
        assert len(self.guard._standings) <= len(KEYS)
        assert self.guard._kept_bytes == sum(map(len, self.guard._kept.values()))


ReplayMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestReplayMachine = ReplayMachine.TestCase


def test_kept_answers_stay_within_their_room() -> None:
    """The oldest answers go first, and their twins are told that they were executed."""
    guard = ReplayGuard(kept_bytes=500)
    firsts = [guard.claim(key, DIGESTS[0], LIFE_MS, 0) for key in KEYS]
    for first in firsts:
        assert isinstance(first, First)
        guard.keep(first, bytes(200))

    with pytest.raises(Refusal) as caught:
        asyncio.run(guard.outcome_of(Twin(key=KEYS[0])))

    assert caught.value.reason is Reason.REPLAYED
    assert asyncio.run(guard.outcome_of(Twin(key=KEYS[3]))) == bytes(200)
    assert guard._kept_bytes <= 500


def test_kept_answers_are_sealed() -> None:
    """What is kept in memory is not the answer's bytes."""
    guard = ReplayGuard(kept_bytes=1 << 20)
    first = guard.claim(KEYS[0], DIGESTS[0], LIFE_MS, 0)
    assert isinstance(first, First)

    guard.keep(first, b"370102195603159016" * 3)

    assert b"370102195603159016" not in b"".join(guard._kept.values())


@given(st.binary(min_size=16, max_size=16), st.integers(0, 31))
def test_a_durable_claim_loads_as_the_key_it_was_made_of(request_id: bytes, item: int) -> None:
    """Whatever bytes an id has, also `#`, the claim of any of its items restores its key."""
    key = request_key(SYSTEM, request_id)
    claim = durable_claim(key, item, DIGESTS[0], LIFE_MS)
    guard = ReplayGuard(kept_bytes=0)

    guard.load([claim, Claim(space=SPACE, key=KEYS[0] + b"#0", value=DIGESTS[1], expires_ms=1)])

    assert isinstance(guard.claim(key, DIGESTS[0], LIFE_MS, 0), Twin)


class _NaiveBucket:
    """A bucket that leaks: the textbook twin of GCRA, in exact fractions of a second."""

    def __init__(self, per_second: int, burst: int) -> None:
        self.per_second, self.burst = per_second, burst
        self.level, self.at = 0.0, 0.0

    def takes(self, now_s: float, cost: int) -> bool:
        self.level = max(0.0, self.level - (now_s - self.at) * self.per_second)
        self.at = now_s
        if self.level + cost > self.burst + 1e-9:
            return False
        self.level += cost
        return True


@given(
    st.sampled_from([1, 2, 4, 8]),
    st.integers(1, 16),
    st.lists(st.tuples(st.integers(0, 24), st.integers(1, 4)), max_size=60),
)
def test_a_burst_limit_equals_a_leaking_bucket(
    per_second: int, burst: int, calls: list[tuple[int, int]]
) -> None:
    """GCRA and the bucket agree on every call; a refusal says after which time it would conform."""
    limiter = BurstLimiter(BurstLimit(per_second=per_second, burst=burst))
    naive = _NaiveBucket(per_second, burst)
    now_s = 0.0
    for step, cost in calls:
        now_s += step / 16  # binary fractions: both sides compute exactly
        taken = naive.takes(now_s, cost)
        with contextlib.ExitStack() as stack:
            caught = None if taken else stack.enter_context(pytest.raises(Refusal))
            limiter.charge("x", now_s, cost)
        if caught is not None:
            assert caught.value.reason is Reason.RATE_LIMITED
            assert caught.value.retry_after_s is not None
            assert caught.value.retry_after_s > 0


@given(st.floats(0, 1e8), st.integers(1, 50), st.floats(0.001, 5_000))
def test_a_whole_burst_is_taken_at_any_time(now_s: float, burst: int, per_second: float) -> None:
    """However long the machine has run, as many calls at once pass as agreed, and one no more."""
    limiter = BurstLimiter(BurstLimit(per_second=per_second, burst=burst))

    for _ in range(burst):
        limiter.charge("x", now_s)

    with pytest.raises(Refusal):
        limiter.charge("x", now_s)


def test_keys_of_a_limiter_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The longest unused key is forgotten first."""
    monkeypatch.setattr("gateway.quota.MAX_KEYS", 3)
    limiter = BurstLimiter(BurstLimit(per_second=1.0, burst=1))

    for number in range(10):
        limiter.charge(str(number), 0.0)

    assert list(limiter._arrivals) == ["7", "8", "9"]


def test_calls_in_flight_are_bounded_per_system_and_in_all() -> None:
    """Both limits refuse, and leaving makes room again."""
    flight = InFlight(2, 1)
    flight.enter()
    flight.enter()
    flight.enter_system("a")
    with pytest.raises(Refusal) as busy:
        flight.enter()
    with pytest.raises(Refusal) as limited:
        flight.enter_system("a")
    flight.enter_system("b")
    flight.leave_system("a")
    flight.enter_system("a")
    flight.leave()
    flight.enter()

    assert busy.value.reason is Reason.GATEWAY_BUSY
    assert limited.value.reason is Reason.RATE_LIMITED


@given(st.integers(0, 3_000), st.integers(0, 400))
def test_padding_makes_a_multiple_of_512(size: int, entry: int) -> None:
    """For every size of body and receipt the payload is a multiple of 512, and parses back."""
    logged = Logged(index=1, entry=bytes(entry), proof=(), checkpoint=b"c")

    payload = encode_answer(Body(data=bytes(size), type="x.Y"), logged, ())

    assert len(payload) % 512 == 0
    assert exchange_pb2.Answer.FromString(payload).body == bytes(size)


OUTCOMES = st.one_of(
    st.builds(Answered, envelope=st.binary()),
    st.builds(
        Refused, reason=st.sampled_from(list(Reason)), envelope=st.binary(min_size=1) | st.none()
    ),
)


@given(OUTCOMES)
def test_an_outcome_kept_is_the_outcome_given(outcome: Outcome) -> None:
    """Encoding and parsing are inverses, for answers and refusals of every reason."""
    assert parse_outcome(encode_outcome(outcome)) == outcome


@given(st.integers(0, 1 << 42), st.integers(0, 1 << 42))
def test_a_reading_never_falls_below_the_floor(reading: int, floor: int) -> None:
    """Held up to five seconds back, refused beyond that."""
    if floor - reading <= BACKWARDS_TOLERANCE_MS:
        assert held_to_floor(reading, floor) == max(reading, floor)
        return
    with pytest.raises(Fault) as caught:
        held_to_floor(reading, floor)
    assert caught.value.reason is Reason.CLOCK_BACKWARDS


def test_both_clocks_hold_the_highest_floor() -> None:
    """A lower floor given later changes nothing."""
    virtual, system = VirtualClock(1_000), SystemClock()
    for clock in (virtual, system):
        clock.raise_floor(5_000)
        clock.raise_floor(2_000)
    virtual.advance(1)
    machine_ms = system.now_ms()
    system.raise_floor(machine_ms + 60_000)

    assert virtual.now_ms() == 5_000
    with pytest.raises(Fault):
        system.now_ms()


@dataclasses.dataclass(frozen=True)
class _Ask:
    index: int
    entry: bytes
    search: SearchColumns


QUERY = DatasetQuery(
    agreement="XY-2026-201",
    dataset=DatasetName("ps.person_core@1"),
    fields=(FieldName("full_name"), FieldName("sex")),
    claims={},
)


KNOWN = b"k" * 32
SAME = (b"s" * 16, b"c" * 16, "M2", KNOWN)
ITEM = item_key(request_key(SYSTEM, bytes(16)), 0)


def _noted(interrupted: Interrupted | None = None) -> Interrupted:
    if interrupted is None:
        interrupted = Interrupted()
        interrupted.expect(ITEM, KNOWN)
    entry = {
        "agreement": QUERY.agreement,
        "dataset": QUERY.dataset,
        "fields": [*QUERY.fields],
        "matter": "M2",
    }
    search = SearchColumns(request_id=bytes(16), system=SYSTEM, subject=b"s" * 16, case=b"c" * 16)
    interrupted.note(_Ask(1, json.dumps(entry).encode(), search))
    return interrupted


def test_an_interrupted_question_is_waived_once() -> None:
    """The same question is free once; a second time it is charged."""
    interrupted = _noted()

    assert interrupted.waive(SYSTEM, bytes(16), QUERY, SAME)
    assert not interrupted.waive(SYSTEM, bytes(16), QUERY, SAME)


@pytest.mark.parametrize(
    ("system", "retries", "query", "asking"),
    [
        (SYSTEM, None, QUERY, SAME),
        (SYSTEM, b"1" * 16, QUERY, SAME),
        ("11370000MB2DEM0105/title", bytes(16), QUERY, SAME),
        (SYSTEM, bytes(16), QUERY, (b"t" * 16, b"c" * 16, "M2", KNOWN)),
        (SYSTEM, bytes(16), QUERY, (b"s" * 16, b"d" * 16, "M2", KNOWN)),
        (SYSTEM, bytes(16), QUERY, (b"s" * 16, b"c" * 16, "M1", KNOWN)),
        (SYSTEM, bytes(16), QUERY, (b"s" * 16, b"c" * 16, "M2", b"l" * 32)),
        (SYSTEM, bytes(16), dataclasses.replace(QUERY, agreement="XY-2026-202"), SAME),
        (SYSTEM, bytes(16), dataclasses.replace(QUERY, fields=QUERY.fields[:1]), SAME),
        (SYSTEM, bytes(16), dataclasses.replace(QUERY, fields=QUERY.fields[::-1]), SAME),
    ],
)
def test_another_question_is_not_waived(
    system: str,
    retries: bytes | None,
    query: DatasetQuery,
    asking: tuple[bytes, bytes | None, str, bytes],
) -> None:
    """Whatever part differs, the retry is a question of its own and is charged."""
    assert not _noted().waive(system, retries, query, asking)


@pytest.mark.parametrize(
    ("value", "free"), [(DIGESTS[0] + KNOWN, True), (DIGESTS[0], False), (DIGESTS[0] + b"x", False)]
)
def test_what_was_claimed_is_read_from_the_durable_claim(value: bytes, *, free: bool) -> None:
    """After a restart a question is the same only if its claim says so; without it, it is not."""
    interrupted = Interrupted()
    interrupted.load([Claim(space=SPACE, key=ITEM, value=value, expires_ms=1)])

    assert _noted(interrupted).waive(SYSTEM, bytes(16), QUERY, SAME) is free


def test_questions_remembered_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest is forgotten, and its retry charged; the newest is not."""
    monkeypatch.setattr("gateway.interrupted.MAX_REMEMBERED", 3)
    early, late = Interrupted(), Interrupted()
    others = [b"%d" % number for number in range(3)]

    for key in (ITEM, *others):
        early.expect(key, KNOWN)
    for key in (*others, ITEM):
        late.expect(key, KNOWN)

    assert not _noted(early).waive(SYSTEM, bytes(16), QUERY, SAME)
    assert _noted(late).waive(SYSTEM, bytes(16), QUERY, SAME)
    assert len(early._known) == 3
