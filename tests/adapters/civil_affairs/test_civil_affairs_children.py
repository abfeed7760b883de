"""The civil affairs adapter against the simulator: children, adopted or in need."""

import pytest

from adapters.port import NotFound
from adapters.simulators.population import planted_index
from adapters.simulators.population.quirks import Quirk
from tests.adapters.civil_affairs.asking import (
    CHILD,
    PEOPLE,
    POPULATION,
    Asking,
    held_by,
    named,
)

pytestmark = [pytest.mark.integration, pytest.mark.slow]


async def test_an_adopted_child_is_its_parents(asking: Asking) -> None:
    """Who supports it asks about himself and claims the child."""
    index = planted_index(Quirk.ADOPTED_CHILD)
    parent, child = PEOPLE.person(index), PEOPLE.person(index + 2)
    identifier, name = named(child)
    claims = {"child_id": identifier, "child_name": name, "child_status": "收养"}

    _, told = await asking.fetch(CHILD, named(parent), claims)
    _, stranger = await asking.fetch(CHILD, named(PEOPLE.person(0)), claims)
    _, alone = await asking.fetch(CHILD, named(child), {"child_status": "收养"})

    assert told == {"child_status": "YES", "is_dependent_child": "YES"}
    assert stranger == {"child_status": "YES", "is_dependent_child": "INDETERMINATE"}
    assert alone == stranger


async def test_a_dissolved_adoption_ends_the_bond(asking: Asking) -> None:
    """NO, and no adopted child any more."""
    index = next(
        index
        for index in range(POPULATION)
        if any(line.op_type == "2" for line in held_by(index).adoption_child)
    )
    child = PEOPLE.person(index)
    father = held_by(index).adoption_child[-1].parents[0]
    assert father is not None
    identifier, name = named(child)
    claims = {"child_id": identifier, "child_name": name, "child_status": "收养"}

    _, told = await asking.fetch(CHILD, (father[1], father[0]), claims)

    assert told == {"child_status": "INDETERMINATE", "is_dependent_child": "NO"}


@pytest.mark.parametrize("kind", ["孤儿", "事实无人抚养"])
async def test_a_needy_child_is_told(asking: Asking, kind: str) -> None:
    """From the other service, under its own names of members."""
    index = next(
        index
        for index in range(POPULATION)
        if any(line.child_status == kind for line in held_by(index).adoption_child)
    )

    _, told = await asking.fetch(CHILD, named(PEOPLE.person(index)), {"child_status": kind})

    assert told == {"child_status": "YES", "is_dependent_child": "INDETERMINATE"}


async def test_a_child_of_ones_own_is_in_no_register_of_these(asking: Asking) -> None:
    """Not found is not "supports nobody"."""
    outcome, told = await asking.fetch(
        CHILD, named(PEOPLE.person(0)), {"child_id": PEOPLE.person(2).id_number, "child_name": "某"}
    )

    assert isinstance(outcome, NotFound)
    assert told == {"child_status": "NOT_APPLICABLE", "is_dependent_child": "INDETERMINATE"}


async def test_a_child_that_can_be_none_is_the_askers_error(asking: Asking) -> None:
    """Nobody is asked about."""
    before = asking.simulator.received()

    _, told = await asking.fetch(CHILD, named(PEOPLE.person(0)), {"child_id": "3"})

    assert told["is_dependent_child"] == "ERROR"
    assert asking.simulator.received() == before
