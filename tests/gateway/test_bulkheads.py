"""A department that hangs fills its own room and nothing else; the others answer as before."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.port import Outcome, Query
from adapters.records import RecordSource
from gateway.app import Gateway
from gateway.config import LimitConfig
from gateway.metrics import Metrics, MetricsObserver
from gateway.model import EntryKind
from gateway.outcome import Outcome as Ended
from gateway.rooms import RoomFull, Rooms
from gateway.rpc.departments import Departments
from hutong.client import Identity
from hutong.client.requests import build_exchange, build_matter
from hutong.exchange.v1 import exchange_pb2
from tests.gateway.asking import core_question, insured_question, matter_question, moment
from tests.gateway.core import Core, SpyAdapter, body_of

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.integration]

ROOM = 3
POLICE, OWN = "ps.", "hr."
UNAVAILABLE = exchange_pb2.INDETERMINATE_REASON_PROVIDER_UNAVAILABLE
INDETERMINATE = exchange_pb2.ANSWER_STATE_INDETERMINATE
ANSWERED = exchange_pb2.ANSWER_STATE_ANSWERED


@pytest.fixture
def narrow(core: Core) -> Core:
    """A core of which few may wait for one department."""
    core.parts.rooms.limit = ROOM
    return core


async def _hang(core: Core, identity: Identity, count: int) -> list["asyncio.Task[Ended]"]:
    """Let so many questions wait for the population register, which does not answer."""
    core.spies[POLICE].gate = asyncio.Event()
    question = core_question(identity)
    requests = [build_exchange(identity, question, moment(core.now_ms)) for _ in range(count)]
    tasks = [asyncio.create_task(core.ask(identity, each)) for each in requests]
    async with asyncio.timeout(10):
        while len(core.spies[POLICE].queries) < count:  # noqa: ASYNC110 - noted by another task
            await asyncio.sleep(0.01)
    return tasks


async def _let_go(core: Core, tasks: list["asyncio.Task[Ended]"]) -> list[Ended]:
    gate = core.spies[POLICE].gate
    assert gate is not None
    gate.set()
    return list(await asyncio.gather(*tasks))


async def test_beyond_its_room_a_department_is_unavailable_at_once(
    narrow: Core, retirement: Identity
) -> None:
    """Whoever finds it full does not wait, is not put to the department, and is in the log."""
    tasks = await _hang(narrow, retirement, ROOM)
    request = build_exchange(retirement, core_question(retirement), moment(narrow.now_ms))

    began = time.monotonic()
    body = body_of(await narrow.ask(retirement, request, patience_s=10))
    took = time.monotonic() - began
    answers = len(narrow.log.entries(EntryKind.ANSWER))
    waited = await _let_go(narrow, tasks)

    assert (body.state, body.indeterminate_reason) == (INDETERMINATE, UNAVAILABLE)
    assert took < 5
    assert answers == 1
    assert len(narrow.spies[POLICE].queries) == ROOM
    assert narrow.observed.turned_away_from == [narrow.spies[POLICE].organisation]
    assert [body_of(each).state for each in waited] == [ANSWERED] * ROOM


async def test_a_full_room_holds_up_no_other_department(narrow: Core, retirement: Identity) -> None:
    """Another department has a room of its own, and a matter loses one item only."""
    tasks = await _hang(narrow, retirement, ROOM)
    own = build_exchange(retirement, insured_question(retirement), moment(narrow.now_ms))
    matter = build_matter(retirement, matter_question(retirement), moment(narrow.now_ms))

    single = body_of(await narrow.ask(retirement, own))
    outcome = await narrow.ask_matter(retirement, matter)
    await _let_go(narrow, tasks)

    assert single.state == ANSWERED
    items = exchange_pb2.ExchangeMatterResponse.FromString(_envelope(outcome)).items
    bodies = [_body(each) for each in items]
    states = {each.dataset: each.state for each in bodies}
    assert states["ps.person_core@1"] == INDETERMINATE
    assert states["hr.participation@1"] == ANSWERED
    assert len(narrow.spies[OWN].queries) == 3


def _envelope(outcome: Ended) -> bytes:
    assert outcome.envelope is not None
    return outcome.envelope


def _body(item: exchange_pb2.MatterItem) -> exchange_pb2.AnswerBody:
    answer = exchange_pb2.Answer.FromString(item.answer.payload)
    return exchange_pb2.AnswerBody.FromString(answer.body)


async def test_a_room_is_empty_again_however_a_question_ends(
    narrow: Core, retirement: Identity
) -> None:
    """Answered, broken or out of time: the place is given back."""
    spy, rooms = narrow.spies[POLICE], narrow.parts.rooms
    question = core_question(retirement)

    def broken(_spy: SpyAdapter, _query: Query) -> Outcome:
        raise ValueError

    for twist in (None, broken):
        spy.twist = twist
        request = build_exchange(retirement, question, moment(narrow.now_ms))
        await narrow.ask(retirement, request)
    spy.gate = asyncio.Event()
    request = build_exchange(retirement, question, moment(narrow.now_ms))
    late = body_of(await narrow.ask(retirement, request, patience_s=0.5))

    assert late.indeterminate_reason == exchange_pb2.INDETERMINATE_REASON_PROVIDER_TIMEOUT
    assert rooms.inside(spy.organisation) == 0
    assert not rooms._inside


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=60))
async def test_no_room_ever_holds_more_than_its_limit(steps: list[tuple[str, bool]]) -> None:
    """In whatever order they come and go, one is full only of its own."""
    rooms = Rooms(2)
    places: dict[str, list[ExitStack]] = {name: [] for name in "abc"}
    for name, comes in steps:
        held = places[name]
        if comes and len(held) < 2:
            held.append(ExitStack())
            held[-1].enter_context(rooms.place(name))
        elif comes:
            with pytest.raises(RoomFull), rooms.place(name):
                pass
        elif held:
            held.pop().close()

        assert all(rooms.inside(each) == len(held) for each, held in places.items())


@pytest.mark.parametrize(
    ("limits", "room"),
    [
        ({}, 256),
        ({"in_flight_per_department": 40}, 40),
        ({"in_flight": 100}, 50),
        ({"in_flight_per_system": 8}, 4),
        ({"in_flight": 1}, 1),
    ],
    ids=str,
)
async def test_one_department_never_takes_more_than_half(limits: dict[str, int], room: int) -> None:
    """However it is configured, the gateway and each system have as much left for the others."""
    assert LimitConfig(**limits).room == room


async def test_who_waits_and_who_was_turned_away_is_counted(
    sources: Mapping[str, RecordSource],
) -> None:
    """The board and the metrics tell how full a room is."""
    adapter = SpyAdapter(sources[POLICE], frozenset(), [])
    metrics, rooms = Metrics(), Rooms(ROOM)
    departments = Departments([adapter], metrics, rooms)

    with rooms.place(adapter.organisation):
        departments.gauge()
        (row,) = _rows(departments)
        MetricsObserver(metrics).turned_away(adapter.organisation)

    text, label = metrics.exposition().decode(), f'{{provider="{adapter.organisation}"}}'
    assert f"hutong_provider_waiting{label} 1.0\n" in text
    assert f"hutong_provider_turned_away_total{label} 1.0\n" in text
    assert (row["waiting"], row["room"]) == (1, ROOM)


def _rows(departments: Departments) -> list[dict[str, object]]:
    rows = departments.report()["departments"]
    assert isinstance(rows, list)
    return [dict(each) for each in rows if isinstance(each, dict)]


async def test_a_gateway_gives_its_departments_rooms(gateway: Gateway) -> None:
    """What is configured is what the running path works with."""
    assert gateway.exchange._parts.rooms.limit == gateway.config.limits.room
