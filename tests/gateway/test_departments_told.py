"""`/departments`: what adapters serve and how they answered, told by a running gateway."""

from dataclasses import dataclass, field

import httpx
import pytest
from typing_extensions import override

from adapters.port import BreakerState
from adapters.records import RecordSource
from gateway.app import Gateway
from gateway.metrics import Metrics, MetricsObserver
from gateway.rooms import Rooms
from gateway.rpc.departments import Departments
from hutong.client import Client, Identity
from tests.gateway.asking import insured_question
from tests.gateway.core import SpyAdapter

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.integration]


@dataclass(slots=True)
class Breaking(SpyAdapter):
    """A department whose breaker is set."""

    state: BreakerState = field(default=BreakerState.CLOSED)

    @property
    @override
    def breaker_state(self) -> BreakerState:
        """Return what was set."""
        return self.state


@pytest.mark.parametrize(
    ("state", "gauge"),
    [(BreakerState.CLOSED, 0), (BreakerState.HALF_OPEN, 1), (BreakerState.OPEN, 2)],
)
async def test_breakers_are_told_and_gauged(
    state: BreakerState, gauge: int, sources: dict[str, RecordSource]
) -> None:
    """The state stands in the report and, as a number, in the metrics."""
    adapter = Breaking(source=sources["edu."], served=frozenset(), events=[], state=state)
    metrics = Metrics()
    departments = Departments([adapter], metrics, Rooms(1))
    MetricsObserver(metrics).asked(adapter.organisation, "Record", 0.2)

    departments.gauge()
    rows = departments.report()["departments"]

    line = f'hutong_provider_breaker{{provider="{adapter.organisation}"}} {gauge}.0\n'
    assert line in metrics.exposition().decode()
    assert isinstance(rows, list)
    told = rows[0]
    assert isinstance(told, dict)
    assert told["breaker"] == state.value
    assert (told["asked"], told["answered"]) == (1, 1)
    assert isinstance(told["p95_us"], int)
    assert 200_000 <= told["p95_us"] <= 220_000


async def test_a_running_gateway_tells_of_its_departments(
    gateway: Gateway, client: Client, retirement: Identity
) -> None:
    """What was asked shows at once; nobody's name or number does."""
    question = insured_question(retirement)
    url = f"http://127.0.0.1:{gateway.health_port}/departments"
    async with httpx.AsyncClient() as http:
        before = (await http.get(url)).json()
        await client.exchange(question)
        told = await http.get(url)

    asked = [sum(row["asked"] for row in each["departments"]) for each in (before, told.json())]
    datasets = [name for row in told.json()["departments"] for name in row["datasets"]]
    assert asked[1] == asked[0] + 1
    assert {"edu.diploma@1", "ps.person_core@1", "hr.pension@1"} <= set(datasets)
    assert question.subject.identifier not in told.text
