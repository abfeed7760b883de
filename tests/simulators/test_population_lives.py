"""Lives of the population: deterministic, consistent, cheap, different where they should be."""

import re
import tracemalloc
from datetime import timedelta

from adapters.simulators.population import (
    AS_OF,
    Disagreement,
    Kinship,
    Person,
    Population,
    account_of,
    bank_record,
    canaries,
    civil_affairs_record,
    education_record,
    health_record,
    hrss_record,
    person_at,
    public_security_record,
    relation,
    tax_record,
)
from adapters.simulators.population.bank import AccountState
from adapters.simulators.population.household import Bond
from adapters.simulators.population.people import member
from adapters.simulators.population.places import Role
from adapters.simulators.population.schooling import schooling_of

DIPLOMA_NO = re.compile(r"\d{17,18}")
DEGREE_NO = re.compile(r"[CTZ]?\d{10}[0-9SEZ]\d{5}")


def _life(person: Person) -> str:
    views = (education_record(person), public_security_record(person), hrss_record(person))
    return repr((person, views, health_record(person), bank_record(person)))


def test_a_life_is_a_function_of_seed_and_index() -> None:
    """Two computations from nothing give the same life, two seeds give different ones."""
    indices = range(300, 400)
    first = [_life(person_at(5, index)) for index in indices]

    person_at.cache_clear()
    second = [_life(person_at(5, index)) for index in indices]

    assert first == second
    assert all(
        _life(person_at(6, index)) != life for index, life in zip(indices, first, strict=True)
    )


def test_the_roll_keeps_who_graduated_for_two_years() -> None:
    """Whoever has a fresh diploma is on it as 毕业; what goes on stands beside it, and last."""
    fresh = studying = 0
    for index in range(8_000):
        person = person_at(1, index)
        schooling, record = schooling_of(person), education_record(person)
        states = [each.student_status for each in record.enrolments]
        recent = schooling is not None and schooling.graduated > AS_OF - timedelta(days=730)

        assert ("毕业" in states) is (recent and person.quirk is None)
        assert states.count("毕业") <= 1
        assert record.enrolment == (record.enrolments[-1] if states else None)
        fresh += recent
        studying += len(states) == 2 and states[1] == "在籍"
    assert fresh > 10
    assert studying > 0


def test_the_size_of_the_population_changes_nobody() -> None:
    """The same index is the same person in a small and a large population."""
    assert Population(seed=1, size=600).person(555) == Population(seed=1, size=10**6).person(555)


def test_a_million_people_need_no_memory() -> None:
    """A sample over a million people keeps less than 16 MiB."""
    people = Population(seed=3, size=1_000_000)
    tracemalloc.start()

    for index in range(0, 1_000_000, 4_000):
        _life(people.person(index))
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert kept < 16 * 2**20


def test_events_of_a_life_are_in_order() -> None:
    """Nobody studies before birth, retires after death or dies in the future."""
    for index in range(1_500):
        person = person_at(1, index)
        record = hrss_record(person)

        if person.death:
            assert person.birth_date < person.death.day <= AS_OF
        if person.cancellation:
            assert person.cancellation.day <= AS_OF
        schooling = schooling_of(person)
        if schooling:
            assert person.birth_date < schooling.enrolled < schooling.graduated <= AS_OF
        if record.pension and record.participation:
            assert f"{record.participation.first_date:%Y%m}" <= record.pension.start_month


def test_couples_are_of_different_sex_and_of_age() -> None:
    """A couple is one man and one woman, both at least 20 at the wedding."""
    for household in range(60, 500):
        head, spouse = person_at(1, household * 4), person_at(1, household * 4 + 1)

        assert {head.sex, spouse.sex} == {"1", "2"}
        if relation(head, spouse) is Kinship.COUPLE:
            younger = max(head.birth_date, spouse.birth_date)
            assert (head.household.wedding - younger).days > 20 * 365


def test_parents_are_older_than_children() -> None:
    """Every parent is at least 19 years older than his child."""
    for index in range(240, 2_000):
        person = person_at(1, index)
        for role in (Role.CHILD, Role.SECOND_CHILD):
            child = member(person, role)
            if person.role in {Role.HEAD, Role.SPOUSE} and child:
                assert relation(person, child) is Kinship.PARENT_CHILD
                assert (child.birth_date - person.birth_date).days > 19 * 365


def test_relations_are_mutual() -> None:
    """Whoever is related to somebody, that one is related to him in the same way."""
    for household in range(100):
        members = [person_at(1, household * 4 + place) for place in range(4)]
        for one in members:
            for other in members:
                assert relation(one, other) == relation(other, one)


def test_divorced_couples_live_in_two_households() -> None:
    """Police show different household numbers after a divorce."""
    heads = (person_at(1, household * 4) for household in range(60, 1_000))
    divorced = [head for head in heads if head.household.bond is Bond.DIVORCED]

    for head in divorced:
        spouse = person_at(1, head.index + 1)
        theirs = public_security_record(spouse).household.household_no
        assert public_security_record(head).household.household_no != theirs
    assert divorced


def test_certificate_numbers_have_the_layout_of_the_catalog() -> None:
    """Every diploma and degree number matches the pattern of its field."""
    for index in range(8_000):
        schooling = schooling_of(person_at(1, index))
        if schooling:
            assert DIPLOMA_NO.fullmatch(schooling.diploma_no)
            assert schooling.degree_no is None or DEGREE_NO.fullmatch(schooling.degree_no)
            assert len(schooling.diploma_code) in {12, 16}


def test_every_certificate_and_code_leads_to_its_holder() -> None:
    """A certificate is found by number and by code among a million without a table."""
    people = Population(seed=2, size=1_000_000)

    for index in range(0, 1_000_000, 1_999):
        schooling = schooling_of(people.person(index))
        if schooling:
            for number in filter(None, (schooling.diploma_no, schooling.degree_no)):
                holder = people.holder_of(number)
                assert holder is not None
                assert holder.index == index
            holder = people.holder_of_code(schooling.degree_code)
            assert holder is not None
            assert holder.index == index


def test_an_unknown_certificate_has_no_holder() -> None:
    """Numbers and codes nobody was given lead nowhere."""
    people = Population(seed=1, size=5_000)

    assert people.holder_of("123451200105999999") is None
    assert people.holder_of("") is None
    assert people.holder_of_code("X00000ZZZZZZ") is None
    assert people.holder_of_code("XIIIIIAAAAAA") is None


def test_departments_disagree_about_one_person_in_two_hundred() -> None:
    """The rate lies at 0.5 percent, give or take what chance allows in 40,000 people."""
    found = list(Population(seed=1, size=40_000).disagreements())

    assert 0.0035 < len(found) / 40_000 < 0.0065
    assert {kind for _, kind in found} == set(Disagreement)


def test_listed_people_differ_between_departments_and_others_do_not() -> None:
    """What `disagreements` lists is what the views show, no more and no less."""
    people = Population(seed=1, size=3_000)
    listed = dict(people.disagreements())

    for index in range(240, 3_000):
        person = people.person(index)
        shown = _differs(person)
        assert (shown is not None) == (index in listed), (index, shown)
        assert shown == listed.get(index)


def _differs(person: Person) -> Disagreement | None:
    """Compare the views of all departments as a stranger would."""
    police, hrss = public_security_record(person), hrss_record(person)
    diploma = education_record(person).diploma
    civil, name = civil_affairs_record(person), police.person_core.full_name
    ended = hrss.participation and hrss.participation.state == "终止"
    account = account_of(person)
    certified = [death.death_date for death in health_record(person).deaths if death.has_record]
    died = civil.cremation and civil.cremation.death_time.date()
    shown = {
        Disagreement.HRSS_NAME_VARIANT: hrss.full_name != name,
        Disagreement.EDUCATION_NAME_VARIANT: diploma and diploma.full_name != name,
        Disagreement.EDUCATION_BIRTH_DATE: diploma
        and diploma.birth_date != police.person_core.birth_date,
        Disagreement.CIVIL_AFFAIRS_NAME_VARIANT: civil.full_name != name,
        Disagreement.CIVIL_AFFAIRS_DEATH_DAY: died and died != police.death_cancel.death_date,
        Disagreement.HEALTH_DEATH_DATE: certified and certified != [police.death_cancel.death_date],
        Disagreement.HRSS_STATE_LAG: police.person_verify.deceased
        and hrss.participation
        and not ended,
        Disagreement.TAX_NAME_VARIANT: tax_record(person).full_name != name,
        Disagreement.BANK_NAME_VARIANT: account.holder_name != name,
        Disagreement.BANK_STATE_LAG: police.person_verify.deceased
        and account.state is AccountState.NORMAL,
    }
    return next((kind for kind, differs in shown.items() if differs), None)


def test_canaries_belong_to_one_person() -> None:
    """No canary of one person occurs among those of another, names aside."""
    seen: dict[str, int] = {}
    for index in range(240, 1_500):
        person = person_at(1, index)
        for value in canaries(person):
            if value in {person.full_name, person.household.address} or len(value) < 9:
                continue
            owner = seen.setdefault(value, index)
            assert owner // 4 == index // 4
