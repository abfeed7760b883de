"""What the health department holds agrees with the deaths others record, but where planned."""

from datetime import timedelta

import pytest

from adapters.simulators.population import (
    AS_OF,
    Disagreement,
    Person,
    Population,
    Quirk,
    canaries,
    disagreement,
    health_record,
    planted_index,
    public_security_record,
)
from adapters.simulators.population.health import CertificateState
from adapters.simulators.population.people import member
from adapters.simulators.population.places import Role

PEOPLE = Population(seed=1, size=40_000)
PLANTED = 240


def _dead(count: int = 12_000) -> list[Person]:
    return [person for index in range(PLANTED, count) if (person := PEOPLE.person(index)).death]


def _planted(quirk: Quirk) -> Person:
    return PEOPLE.person(planted_index(quirk))


def test_nobody_alive_is_certified_dead() -> None:
    """A certificate is of a death that happened."""
    alive = (PEOPLE.person(index) for index in range(4_000))

    assert not [person for person in alive if not person.death and health_record(person).deaths]


def test_nine_in_ten_of_the_dead_have_a_certificate() -> None:
    """The share lies at 92 percent, give or take what chance allows."""
    dead = _dead()
    certified = [person for person in dead if health_record(person).deaths]

    assert 0.90 < len(certified) / len(dead) < 0.94


def test_exactly_one_certificate_stands() -> None:
    """A replaced one comes first, has another day and is named by its successor."""
    held = [found for person in _dead() if (found := health_record(person).deaths)]
    corrected = [found for found in held if len(found) > 1]

    assert {found[-1].state for found in held} == {CertificateState.VALID}
    assert {len(found) for found in held} == {1, 2}
    for old, new in corrected:
        assert (old.state, old.has_record) == (CertificateState.REPLACED, False)
        assert (new.replaces, old.replaces) == (old.certificate_no, None)
        assert old.death_date < new.death_date
        assert old.issue_date < new.issue_date <= AS_OF
    assert 0.015 < len(corrected) / len(held) < 0.045


def test_the_day_is_that_of_the_police_but_for_those_who_disagree() -> None:
    """A difference of one to five days, earlier, and only about listed people."""
    kinds = dict(PEOPLE.disagreements())
    differing = [index for index, kind in kinds.items() if kind is Disagreement.HEALTH_DEATH_DATE]

    assert differing
    for index in differing:
        person = PEOPLE.person(index)
        told = public_security_record(person).death_cancel.death_date
        assert told is not None
        days = told - health_record(person).deaths[-1].death_date
        assert timedelta(days=1) <= days <= timedelta(days=5)
    for person in _dead():
        if disagreement(person) is not Disagreement.HEALTH_DEATH_DATE and person.death:
            last = health_record(person).deaths[-1:]
            assert all(found.death_date == person.death.day for found in last)


@pytest.mark.parametrize(
    ("quirk", "rows"),
    [
        (Quirk.DEAD_IN_CA_ALIVE_IN_PS, 1),
        (Quirk.DEAD_IN_PS_ALIVE_IN_CA, 0),
        (Quirk.CREMATED_NOT_CANCELLED, 2),
        (Quirk.DEAD_PENSION_PAID, 1),
        (Quirk.ORDINARY_PENSIONER, 0),
        (Quirk.EMIGRANT, 0),
    ],
)
@pytest.mark.parametrize("seed", [1, 2, 99])
def test_the_planted_dead_are_certified_as_their_case_says(
    quirk: Quirk, rows: int, seed: int
) -> None:
    """Dead for civil affairs: a certificate; dead for the police alone: none."""
    person = Population(seed=seed, size=1_000).person(planted_index(quirk))

    assert len(health_record(person).deaths) == rows


def test_numbers_of_certificates_are_searched_for() -> None:
    """The certificate and the hospital's record belong to one person alone."""
    person = _planted(Quirk.CREMATED_NOT_CANCELLED)
    held = health_record(person).deaths

    values = {value for found in held for value in (found.certificate_no, found.medical_record_no)}

    assert len(values) == 3
    assert values <= set(canaries(person))


def test_a_birth_names_the_parents_of_the_household() -> None:
    """Mother and father are the couple, and the certificate follows the birth."""
    born = [
        (person, birth)
        for index in range(PLANTED, 3_000)
        if (birth := health_record(person := PEOPLE.person(index)).birth)
    ]

    assert born
    for person, birth in born:
        mother, father = member(person, Role.HEAD), member(person, Role.SPOUSE)
        assert mother is not None
        assert father is not None
        assert {birth.mother_id, birth.father_id} == {mother.id_number, father.id_number}
        assert (PEOPLE.find(birth.mother_id)[0].sex, person.birth_date.year >= 1996) == ("2", True)
        assert person.birth_date < birth.issue_date <= AS_OF


def test_an_adopted_child_has_no_certificate_here() -> None:
    """Who gave birth to him is not told."""
    parent = _planted(Quirk.ADOPTED_CHILD)
    child = member(parent, Role.CHILD)

    assert child is not None
    assert health_record(child).birth is None
