"""Civil affairs agree with the other departments where they should, and differ where planted."""

import re
from collections import Counter

from adapters.simulators.population import (
    AS_OF,
    CivilAffairsRecord,
    Disagreement,
    Person,
    Population,
    Quirk,
    civil_affairs_record,
    disagreement,
    planted_index,
    public_security_record,
)
from adapters.simulators.population.civil_affairs import ADOPTION_LAW, late_husbands
from adapters.simulators.population.household import Bond
from adapters.simulators.population.identity import old_form
from adapters.simulators.population.marriages import (
    EIGHTEEN_DIGITS_FROM,
    STANDARD_NUMBERS_FROM,
    Operation,
    Registration,
    registrations_of,
)
from adapters.simulators.population.people import member
from adapters.simulators.population.places import Role
from adapters.simulators.population.working_life import State, career_of

PEOPLE = Population(seed=1, size=10_000)
EVERYONE = [PEOPLE.person(index) for index in range(PEOPLE.size)]
NUMBERED = re.compile(r"B?[JL]\d{6}-\d{4}-\d{6}")


def _person(quirk: Quirk) -> Person:
    return PEOPLE.person(planted_index(quirk))


def _record(quirk: Quirk) -> CivilAffairsRecord:
    return civil_affairs_record(_person(quirk))


def _lines() -> list[Registration]:
    heads = EVERYONE[::4]
    return [line for head in heads for line in registrations_of(head.household)]


def test_a_view_is_a_function_of_seed_and_index() -> None:
    """Another population object of the same seed holds the same records, another seed others."""
    again = [civil_affairs_record(Population(seed=1).person(index)) for index in range(400)]
    other = [civil_affairs_record(Population(seed=2).person(index)) for index in range(400)]

    assert again == [civil_affairs_record(person) for person in EVERYONE[:400]]
    assert again != other


def test_a_couple_is_registered_as_it_lives() -> None:
    """Married couples are married here, divorced ones divorced, but for the planted cases."""
    odd = {Quirk.MARRIED_ELSEWHERE, Quirk.DIVORCED_BY_COURT}
    for head in EVERYONE[::4]:
        if head.quirk in odd:
            continue
        found = civil_affairs_record(head).marriage_verify
        assert found.is_couple == (head.household.bond is Bond.MARRIED)
        assert (found.current_status == "40") == (head.household.bond is Bond.DIVORCED)


def test_both_sides_see_the_same_lines() -> None:
    """What is registered of one is registered of the other."""
    for head in EVERYONE[::4]:
        spouse = member(head, Role.SPOUSE)
        assert spouse is not None
        theirs = [line.registration for line in civil_affairs_record(spouse).marriage_record]
        own = [line.registration for line in civil_affairs_record(head).marriage_record]
        assert theirs == [line for line in own if line.names(spouse.id_number)]


def test_nobody_registers_after_a_death_or_out_of_order() -> None:
    """Lines of a couple are in order and end before the first of the two dies."""
    for head in EVERYONE[::4]:
        spouse = member(head, Role.SPOUSE)
        days = [line.op_date for line in registrations_of(head.household)]
        deaths = [one.death.day for one in (head, spouse) if one and one.death]
        assert days == sorted(days)
        assert all(day < min([AS_OF, *deaths]) for day in days)


def test_a_man_and_a_woman_of_the_people_register() -> None:
    """The man's number is odd, the woman's even, and certificates are unique per kind."""
    lines = _lines()

    assert all(int(line.man.id_number[16]) % 2 == 1 for line in lines)
    assert all(int(line.woman.id_number[16]) % 2 == 0 for line in lines)
    numbers = Counter((line.certificate_no, line.operation) for line in lines)
    assert max(numbers.values()) == 1


def test_old_lines_have_old_numbers_and_free_certificates() -> None:
    """Fifteen digits only before October 1999, standard certificates only since 2004."""
    lines = _lines()
    for line in lines:
        old = line.man.stored_number == old_form(line.man.id_number)
        assert old or line.man.stored_number == line.man.id_number
        assert not old or line.op_date < EIGHTEEN_DIGITS_FROM
        standard = bool(NUMBERED.fullmatch(line.certificate_no))
        # An annulment bears the number of the marriage it undoes.
        if line.operation is not Operation.ANNULMENT:
            assert standard == (line.op_date >= STANDARD_NUMBERS_FROM)

    aged = [line for line in lines if line.op_date < EIGHTEEN_DIGITS_FROM]
    assert 0 < sum(len(line.man.stored_number) == 15 for line in aged) < len(aged)


def test_the_spouse_of_a_cremated_person_is_widowed() -> None:
    """Status 30 says that the registered spouse was cremated, and nothing else does."""
    for head in EVERYONE[::4]:
        status = civil_affairs_record(head).marriage_verify.current_status
        spouse = member(head, Role.SPOUSE)
        assert spouse is not None
        cremated = civil_affairs_record(spouse).cremation is not None
        married = head.household.bond is Bond.MARRIED and head.quirk is not Quirk.MARRIED_ELSEWHERE
        assert (status == "30") == (cremated and married)


def test_cremations_follow_the_deaths_of_the_police() -> None:
    """Every cremated person died on the day the police know, but where planted or disagreed."""
    for person in EVERYONE:
        cremation = civil_affairs_record(person).cremation
        if cremation is None:
            continue
        assert cremation.cremation_time > cremation.death_time
        cancelled = public_security_record(person).death_cancel
        if cancelled.death_date is None:
            assert person.quirk in {Quirk.DEAD_IN_CA_ALIVE_IN_PS, Quirk.CREMATED_NOT_CANCELLED}
            continue
        days = (cancelled.death_date - cremation.death_time.date()).days
        shifted = disagreement(person) is Disagreement.CIVIL_AFFAIRS_DEATH_DAY
        assert days == (1 if shifted else 0)


def test_both_disagreements_show() -> None:
    """A name variant differs from the police's name, a death day from the police's day."""
    kinds = Counter(kind for _, kind in PEOPLE.disagreements())
    named = next(
        PEOPLE.person(index)
        for index, kind in PEOPLE.disagreements()
        if kind is Disagreement.CIVIL_AFFAIRS_NAME_VARIANT
    )

    assert kinds[Disagreement.CIVIL_AFFAIRS_DEATH_DAY] > 0
    assert civil_affairs_record(named).full_name != named.full_name


def test_the_remarried_widow_is_married_again() -> None:
    """Two marriages, the first not in force, the late husband cremated and known here alone."""
    record = _record(Quirk.REMARRIED_WIDOW)
    late = late_husbands(PEOPLE)

    assert [line.op_type for line in record.marriage_record] == ["结婚", "结婚"]
    assert [line.registration.in_force for line in record.marriage_record] == [False, True]
    assert record.marriage_verify.current_status == "22"
    number = record.marriage_record[0].registration.man.id_number
    assert list(late) == [number]
    assert PEOPLE.find(number) == ()
    cremation = late[number].cremation
    assert cremation is not None
    first, second = (line.op_date for line in record.marriage_record)
    assert first < cremation.death_time.date() < second


def test_the_one_married_elsewhere_has_no_line_and_no_status() -> None:
    """Not found is not single."""
    found = _record(Quirk.MARRIED_ELSEWHERE).marriage_verify

    assert (found.registration_found, found.is_couple, found.current_status) == (False, False, None)


def test_the_one_divorced_by_court_is_still_married_here() -> None:
    """The judgment never reached the register."""
    person = _person(Quirk.DIVORCED_BY_COURT)
    record = civil_affairs_record(person)

    assert person.household.bond is Bond.DIVORCED
    assert record.marriage_verify.is_couple
    assert record.marriage_verify.current_status == "20"


def test_the_dead_of_the_planted_cases() -> None:
    """Cremated although alive for the police; dead for the police and never cremated."""
    for quirk in (Quirk.DEAD_IN_CA_ALIVE_IN_PS, Quirk.CREMATED_NOT_CANCELLED):
        assert _record(quirk).cremation is not None
        assert not public_security_record(_person(quirk)).death_cancel.is_cancelled
    assert _record(Quirk.DEAD_IN_PS_ALIVE_IN_CA).cremation is None


def test_old_numbers_and_dots_of_the_planted_people() -> None:
    """The 95-year-old has fifteen digits here too; the dot is spelt as education spells it."""
    lines = _record(Quirk.FIFTEEN_DIGIT_ID).marriage_record
    person = _person(Quirk.FIFTEEN_DIGIT_ID)

    assert lines[0].registration.sides_from(person.id_number)[0].stored_number == "370811310409901"
    assert _record(Quirk.NAME_DOT_2022).full_name == "买买提\u2022依明"
    assert _record(Quirk.NAME_DOT_00B7).full_name == "阿卜杜\u00b7热西提"


def test_the_adopted_child_has_its_adoption() -> None:
    """The first child of the case, with both adoptive parents."""
    head = _person(Quirk.ADOPTED_CHILD)
    child = civil_affairs_record(PEOPLE.person(head.index + 2)).adoption_child

    assert [(line.child_status, line.op_type) for line in child] == [("收养", "1")]
    assert head.id_number in {parent[1] for parent in child[0].parents if parent}
    assert child[0].op_date > child[0].birth_date >= ADOPTION_LAW


def test_assistance_goes_to_families_without_an_employed_member() -> None:
    """Contributions of the HRSS and assistance exclude each other, and death ends it."""
    seen: Counter[str] = Counter()
    for person in EVERYONE:
        relief = civil_affairs_record(person).assistance
        if relief is None:
            continue
        career = career_of(person)
        assert not (career and career.urban and career.state is State.INSURED)
        assert relief.valid_from <= relief.valid_to
        assert relief.is_recipient == (relief.state == "1")
        if person.death and person.death.day <= relief.valid_to:
            assert not relief.is_recipient
        seen[relief.category] += 1

    assert set(seen) == {"低保", "特困", "低边"}


def test_needy_children_are_minors_and_orphans_lost_a_parent() -> None:
    """Every kind of child occurs; no record is younger than the registers."""
    seen: Counter[str] = Counter()
    for person in EVERYONE:
        for line in civil_affairs_record(person).adoption_child:
            seen[line.child_status] += 1
            assert person.birth_date < line.op_date < AS_OF
            if line.child_status != "收养":
                assert person.age < 18
            if line.child_status == "孤儿":
                parents = [member(person, role) for role in (Role.HEAD, Role.SPOUSE)]
                assert any(parent and parent.death for parent in parents)

    assert set(seen) == {"收养", "孤儿", "事实无人抚养"}
