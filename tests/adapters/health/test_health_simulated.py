"""The health adapter against the simulator: the dead, the living, the corrected."""

from dataclasses import replace

import pytest

from adapters.kinds.health.identity import is_name
from adapters.port import (
    DatasetName,
    Indeterminate,
    Lacking,
    NotFound,
    Record,
    Subject,
    SubjectType,
    Untold,
)
from adapters.simulators.population import Person as Someone
from adapters.simulators.population import health_record, person_at, planted_index
from adapters.simulators.population.health import CertificateState
from adapters.simulators.population.quirks import Quirk
from signing.record import WITHHELD
from tests.adapters.asking import CLEAR, IS_TRUE, disclosed, query_of, read_outcome
from tests.adapters.health.asking import ALIVE, ALL, DEAD, DEATH, NOBODY, Asking
from tests.adapters.simulated import POPULATION

pytestmark = [pytest.mark.integration, pytest.mark.slow]

SEED = 1


def _expected(someone: Someone) -> dict[str, str]:
    """Return what must be told of a person, from the population itself."""
    deaths = health_record(someone).deaths
    valid = [each for each in deaths if each.state is CertificateState.VALID]
    if not deaths:
        return {"has_record": "NO"}
    return {"has_record": "YES", "death_date": valid[0].death_date.isoformat()}


@pytest.mark.parametrize("quirk", sorted(set(Quirk)), ids=str)
async def test_each_planted_person_is_told_as_the_register_holds_him(
    asking: Asking, quirk: Quirk
) -> None:
    """The dead have their day, the others no certificate, whatever is odd about them."""
    someone = person_at(SEED, planted_index(quirk))
    query = asking.query((someone.id_number, someone.full_name))

    outcome = await asking.adapter.fetch(query)

    expected = _expected(someone)
    assert disclosed(query, outcome) == expected
    assert isinstance(outcome, NotFound if expected["has_record"] == "NO" else Record)


async def test_everybody_is_told_as_the_register_holds_him(asking: Asking) -> None:
    """The whole population of the test, in which some died and were not certified."""
    people = [person_at(SEED, index) for index in range(POPULATION)]
    told = {}
    for someone in people:
        query = asking.query((someone.id_number, someone.full_name))
        told[someone.index] = disclosed(query, await asking.adapter.fetch(query))

    assert told == {someone.index: _expected(someone) for someone in people}
    assert len({values["has_record"] for values in told.values()}) == 2


async def test_no_certificate_is_no_word_that_he_lives(asking: Asking) -> None:
    """Cancelled as dead by the police, certified by nobody: this department alone says NO."""
    someone = person_at(SEED, planted_index(Quirk.DEAD_IN_PS_ALIVE_IN_CA))
    query = asking.query((someone.id_number, someone.full_name))

    outcome = await asking.adapter.fetch(query)

    assert someone.death is not None
    assert isinstance(outcome, NotFound)
    assert disclosed(query, outcome) == {"has_record": "NO"}


async def test_a_corrected_certificate_gives_its_corrected_day(asking: Asking) -> None:
    """Two rows with two days of death; the one that stands counts."""
    someone = person_at(SEED, planted_index(Quirk.CREMATED_NOT_CANCELLED))
    replaced, valid = health_record(someone).deaths
    query = asking.query((someone.id_number, someone.full_name))

    told = disclosed(query, await asking.adapter.fetch(query))

    assert replaced.death_date != valid.death_date
    assert told["death_date"] == valid.death_date.isoformat()


async def test_nobody_has_no_certificate(asking: Asking) -> None:
    """Not found, and the catalog says what a predicate finds then."""
    query = asking.query(NOBODY)

    outcome = await asking.adapter.fetch(query)

    assert isinstance(outcome, NotFound)
    assert disclosed(query, outcome) == {"has_record": "NO"}


async def test_another_name_is_unresolved(asking: Asking) -> None:
    """A certificate stands under the number and another name: neither "yes" nor "no"."""
    person = replace(asking.simulator.person(DEAD), full_name="王小二")

    outcome, _ = await asking.fetch(person)

    assert outcome == Untold(reason=Indeterminate.SUBJECT_UNRESOLVED)


async def test_a_number_that_is_none_is_an_error_of_the_question(asking: Asking) -> None:
    """`success` 4: ERROR and no day."""
    query = asking.query(("370102195603159017", "王守仁"))

    assert disclosed(query, await asking.adapter.fetch(query)) == {"has_record": "ERROR"}


async def test_the_cause_of_death_cannot_be_granted(asking: Asking) -> None:
    """Even where an agreement went wrong there is nothing to release: it was never read."""
    query = asking.query(asking.simulator.person(DEAD).named, {"cause": CLEAR, **ALL})

    record = read_outcome(query, await asking.adapter.fetch(query))

    released = {each.name for each in record.disclosures if each.value != WITHHELD}
    assert released == {"has_record", "death_date"}


@pytest.mark.parametrize("name", [None, "", "李\x00明", "李" * 61, "\ufffe"])
async def test_a_person_without_a_usable_name_lacks_it(asking: Asking, name: str | None) -> None:
    """It is known before asking, and asked all the same it is not sent."""
    query = query_of(DEATH, (NOBODY[0], name), {"has_record": IS_TRUE})
    before = asking.simulator.received()

    outcome = await asking.adapter.fetch(query)

    assert not is_name(name or "")
    assert asking.adapter.find_lacking(query) is Lacking.SUBJECT_NAME
    assert outcome == Untold(reason=Indeterminate.QUESTION_REJECTED)
    assert asking.simulator.received() == before


async def test_a_whole_question_lacks_nothing(asking: Asking) -> None:
    """A person with his name; an organisation lacks nothing either, and is no "no certificate"."""
    query = asking.query(asking.simulator.person(ALIVE).named)
    organisation = replace(
        query, subject=Subject(type=SubjectType.USCC, identifier="91370000MA3DEM094M")
    )
    before = asking.simulator.received()

    assert asking.adapter.find_lacking(query) is None
    assert asking.adapter.find_lacking(organisation) is None
    rejected = Untold(reason=Indeterminate.QUESTION_REJECTED)
    assert await asking.adapter.fetch(organisation) == rejected
    assert asking.simulator.received() == before


async def test_a_dataset_of_another_department_is_not_connected(asking: Asking) -> None:
    """Nothing is sent of what it does not serve."""
    query = asking.query(asking.simulator.person(ALIVE).named)
    foreign = replace(query, dataset=replace(DEATH, name=DatasetName("hc.death_certificate@2")))

    outcome = await asking.adapter.fetch(foreign)

    assert outcome == Untold(reason=Indeterminate.PROVIDER_NOT_CONNECTED)
