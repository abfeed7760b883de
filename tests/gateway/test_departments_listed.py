"""ListDepartments: the operator's systems see all, a partner whom he may ask and no counts."""

import grpc
import pytest

from adapters.port import DatasetName
from adapters.records import RecordSource
from adapters.simulators.population import planted
from gateway.app import Gateway
from gateway.metrics import Metrics, MetricsObserver
from gateway.rooms import Rooms
from gateway.rpc.departments import LEAST_TOLD, Departments
from gateway.rpc.services import CATALOG
from hutong.catalog.v1 import catalog_pb2
from hutong.client import BreakerState, Client, Identity, load_identity
from hutong.client.channel import Connection
from tests.gateway.asking import ASSISTANCE, insured_question
from tests.gateway.core import SpyAdapter

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.integration]

HR = "hr.pension@1"
WHO = "pension_under_review"
"""Nobody else asks about him: the quota of a case is small."""


@pytest.fixture
def assistance(gateway: Gateway) -> Identity:
    """A system of another organisation, which has one agreement."""
    folder = gateway.config.trust.parent / "partners" / ASSISTANCE.partition("/")[2]
    return load_identity(folder)


async def test_the_operator_sees_every_department_and_its_counts(
    gateway: Gateway, client: Client
) -> None:
    """What the health port tells, over the channel of his own systems."""
    before = await client.list_departments()
    await client.exchange(insured_question(client.identity, WHO))
    told = await client.list_departments()

    organisations = [each.organisation for each in told.departments]
    assert organisations == sorted(each.organisation for each in gateway.registry.adapters)
    asked = [
        sum(each.counts.asked for each in one.departments if each.counts) for one in (before, told)
    ]
    assert asked[1] == asked[0] + 1
    assert told.window_s == 600
    datasets = {name for each in told.departments for name in each.datasets}
    assert datasets == {str(name) for name in gateway.registry.by_dataset}
    assert all(each.breaker is BreakerState.CLOSED for each in told.departments)
    assert all(each.counts and each.counts.room == 256 for each in told.departments)


async def test_a_partner_sees_whom_he_may_ask_and_no_counts(
    gateway: Gateway, client: Client, assistance: Identity
) -> None:
    """Other departments, other datasets and the traffic of others do not show."""
    async with Client.open(assistance) as partner:
        own = {each.name for each in await partner.list_datasets()}
        told = (await partner.list_departments()).departments

    all_of_them = (await client.list_departments()).departments
    assert own == {name for each in told for name in each.datasets}
    assert 0 < len(told) < len(all_of_them)
    assert all(each.counts is None for each in told)
    assert {each.organisation for each in told} == {
        gateway.registry.by_dataset[DatasetName(name)].organisation for name in own
    }


async def test_step_1_holds_for_it_too(gateway: Gateway, retirement: Identity) -> None:
    """Whose system has taken all its places is told nothing, as of any other method."""
    per_system = gateway.exchange._parts.in_flight._per_system
    per_system[retirement.system_id] = 10**6
    connection = Connection(retirement)
    try:
        with pytest.raises(grpc.RpcError):
            await connection.call(f"{CATALOG}ListDepartments", b"", 5.0)
    finally:
        del per_system[retirement.system_id]
        await connection.close()


@pytest.mark.parametrize("asked", [0, 1, LEAST_TOLD - 1, LEAST_TOLD])
async def test_too_few_questions_are_not_told_of(
    asked: int, sources: dict[str, RecordSource]
) -> None:
    """A share of one question is that question's outcome."""
    adapter = SpyAdapter(sources["hr."], frozenset({DatasetName(HR)}), [])
    metrics = Metrics()
    for number in range(asked):
        outcome = "Record" if number else "PROVIDER_TIMEOUT"
        MetricsObserver(metrics).asked(adapter.organisation, outcome, 0.2)

    (own,) = Departments([adapter], metrics, Rooms(1)).list_of({DatasetName(HR)})

    assert own.counts is None
    assert (own.figures is None) == (asked < LEAST_TOLD)
    if own.figures is not None:
        assert own.figures.answered_percent == 95
        assert own.figures.p95_s == pytest.approx(0.2, rel=0.1)


async def test_a_department_none_may_ask_does_not_show(sources: dict[str, RecordSource]) -> None:
    """Nor do its other datasets where one of them may be asked for."""
    served = frozenset({DatasetName(HR), DatasetName("hr.participation@1")})
    adapter = SpyAdapter(sources["hr."], served, [])
    departments = Departments([adapter], Metrics(), Rooms(1))

    (one,) = departments.list_of({DatasetName(HR), DatasetName("edu.diploma@1")})

    assert one.datasets == (HR,)
    assert departments.list_of({DatasetName("edu.diploma@1")}) == ()


async def test_nothing_about_persons_is_told(client: Client, retirement: Identity) -> None:
    """The bytes of the answer hold nobody's name or number."""
    await client.exchange(insured_question(retirement, WHO))
    connection = Connection(retirement)
    message = await connection.call(f"{CATALOG}ListDepartments", b"", 5.0)
    await connection.close()

    assert catalog_pb2.ListDepartmentsResponse.FromString(message).departments
    for person in planted():
        assert person.id_number.encode() not in message
        assert person.full_name.encode() not in message
