"""Each planted case is what its line in `planted.csv` says."""

from pathlib import Path

import pytest

from adapters.simulators.population import (
    AS_OF,
    Kinship,
    Person,
    Population,
    Quirk,
    education_record,
    hrss_record,
    planted,
    planted_index,
    public_security_record,
    relation,
)
from adapters.simulators.population.education import Degree, Diploma
from adapters.simulators.population.employers import employer_of
from adapters.simulators.population.public_security import household_no

PEOPLE = Population(seed=1, size=1_000)


def _person(quirk: Quirk) -> Person:
    return PEOPLE.person(planted_index(quirk))


def _diploma(quirk: Quirk) -> Diploma:
    diploma = education_record(_person(quirk)).diploma
    assert diploma is not None
    return diploma


def _degree(quirk: Quirk) -> Degree:
    degree = education_record(_person(quirk)).degree
    assert degree is not None
    return degree


def test_every_quirk_is_planted() -> None:
    """No case of the closed list is without a person."""
    assert {case.name_of_case for case in planted()} == {quirk.value for quirk in Quirk}


@pytest.mark.parametrize("seed", [1, 2, 99])
def test_planted_people_keep_number_and_name_under_any_seed(seed: int) -> None:
    """A document may name them: they do not depend on the seed."""
    people = Population(seed=seed, size=1_000)

    for case in planted():
        person = people.person(case.index)
        assert (person.id_number, person.full_name) == (case.id_number, case.full_name)
        assert person.index in {found.index for found in people.find(case.id_number)}


def test_living_planted_people_are_alive() -> None:
    """Chance kills nobody who is planted for something else."""
    dead = {case.name_of_case for case in planted() if PEOPLE.person(case.index).death}

    assert dead == {
        "dead_in_ca_alive_in_ps",
        "dead_in_ps_alive_in_ca",
        "cremated_not_cancelled",
        "dead_pension_paid",
    }


def test_two_people_bear_one_number() -> None:
    """The historic duplicate leads to two people with two names."""
    found = PEOPLE.find(_person(Quirk.TWO_PEOPLE_ONE_ID).id_number)

    assert [person.full_name for person in found] == ["陈建国", "陈建军"]


def test_education_keeps_an_old_number() -> None:
    """The number on the old diploma has fifteen digits and the same person's birth date."""
    person = _person(Quirk.FIFTEEN_DIGIT_ID)

    number = _diploma(Quirk.FIFTEEN_DIGIT_ID).person_id

    assert number == person.id_number[:6] + person.id_number[8:17]
    assert person.age == 95


@pytest.mark.parametrize(
    ("quirk", "dot"),
    [
        (Quirk.NAME_DOT_00B7, "\u00b7"),
        (Quirk.NAME_DOT_2022, "\u2022"),
        (Quirk.NAME_DOT_2027, "\u2027"),
        (Quirk.NAME_DOT_30FB, "\u30fb"),
    ],
)
def test_education_spells_the_dot_in_four_ways(quirk: Quirk, dot: str) -> None:
    """Police write U+00B7, education the code point of the case."""
    assert "\u00b7" in public_security_record(_person(quirk)).person_core.full_name
    assert dot in _diploma(quirk).full_name


def test_names_hold_rare_characters() -> None:
    """One name has a private-use character, one a character beyond the basic plane."""
    assert any(
        "\ue000" <= letter <= "\uf8ff" for letter in _person(Quirk.NAME_PRIVATE_USE).full_name
    )
    assert any(ord(letter) > 0xFFFF for letter in _person(Quirk.NAME_EXTENSION_B).full_name)


def test_cremated_person_is_alive_for_the_police() -> None:
    """Cremation without cancellation: the register shows no death."""
    for quirk in (Quirk.DEAD_IN_CA_ALIVE_IN_PS, Quirk.CREMATED_NOT_CANCELLED):
        person = _person(quirk)
        record = public_security_record(person)

        assert person.death is not None
        assert person.death.cremated_at is not None
        assert not record.person_verify.deceased
        assert not record.death_cancel.is_cancelled


def test_cancelled_person_was_never_cremated() -> None:
    """The reverse: dead in the register, nothing at civil affairs."""
    person = _person(Quirk.DEAD_IN_PS_ALIVE_IN_CA)

    assert public_security_record(person).person_verify.deceased
    assert person.death is not None
    assert person.death.cremated_at is None


def test_a_dead_person_still_draws_a_pension() -> None:
    """What the re-certification is there to find."""
    person = _person(Quirk.DEAD_PENSION_PAID)
    pension = hrss_record(person).pension

    assert public_security_record(person).person_verify.deceased
    assert pension is not None
    assert pension.is_receiving


def test_a_split_household_is_still_a_couple() -> None:
    """Different household numbers, same marriage."""
    person = _person(Quirk.HOUSEHOLD_SPLIT)
    spouse = PEOPLE.person(person.index + 1)

    assert household_no(person) != household_no(spouse)
    assert relation(person, spouse) is Kinship.COUPLE


def test_the_emigrant_is_cancelled_but_not_dead() -> None:
    """Cancelled is not deceased."""
    record = public_security_record(_person(Quirk.EMIGRANT))

    assert record.death_cancel.is_cancelled
    assert not record.person_verify.deceased
    assert record.death_cancel.death_date is None


def test_the_one_who_moved_is_neither() -> None:
    """Moved out of the province: state 迁出, nothing cancelled."""
    record = public_security_record(_person(Quirk.MOVED_OUT))

    assert record.person_core.person_state == "迁出"
    assert not record.death_cancel.is_cancelled


def test_degree_cases() -> None:
    """Revoked, with a letter, with a prefix."""
    assert _degree(Quirk.DEGREE_REVOKED).revoked
    assert _degree(Quirk.DEGREE_LETTER).certificate_no[10] == "S"
    assert len(_degree(Quirk.DEGREE_LETTER).certificate_no) == 16
    assert _degree(Quirk.DEGREE_PREFIX).certificate_no[0] == "Z"
    assert len(_degree(Quirk.DEGREE_PREFIX).certificate_no) == 17


def test_diploma_cases() -> None:
    """Lengths, layouts, dates and conclusions of the planted diplomas."""
    assert len(_diploma(Quirk.ORDINARY_GRADUATE).certificate_no) == 18
    assert len(_diploma(Quirk.DIPLOMA_17_DIGITS).certificate_no) == 17
    assert _diploma(Quirk.DIPLOMA_17_DIGITS).graduation_date.year == 2002
    assert _diploma(Quirk.DIPLOMA_SELF_TAUGHT).certificate_no.startswith("65")
    assert _diploma(Quirk.DIPLOMA_SELF_TAUGHT).education_type == "6"
    assert _diploma(Quirk.DIPLOMA_BEFORE_2002).graduation_date.year < 2002
    assert _diploma(Quirk.DIPLOMA_INCOMPLETE).conclusion == "结业"
    assert _diploma(Quirk.DIPLOMA_CODE_EXPIRED).code_until < AS_OF
    assert _diploma(Quirk.MANDATORY_FIELD_EMPTY).certificate_no == ""


def test_students_and_the_one_without_records() -> None:
    """In study, suspended, never at school."""
    enrolled = education_record(_person(Quirk.STUDENT_ENROLLED)).enrolment
    suspended = education_record(_person(Quirk.STUDENT_SUSPENDED)).enrolment
    nothing = education_record(_person(Quirk.NO_EDUCATION))

    assert enrolled is not None
    assert enrolled.is_enrolled
    assert suspended is not None
    assert suspended.student_status == "休学"
    assert (nothing.diploma, nothing.degree, nothing.enrolment) == (None, None, None)


def test_hrss_cases() -> None:
    """States of pension, card, unemployment and qualification."""
    assert _benefit_state(Quirk.PENSION_SUSPENDED) == "暂停"
    assert _benefit_state(Quirk.PENSION_UNDER_REVIEW) == "待复审"
    assert _benefit_state(Quirk.ORDINARY_PENSIONER) == "正常"
    cards = hrss_record(_person(Quirk.CARD_REPLACED)).sscard
    assert [card.card_state for card in cards] == ["正常", "注销"]
    seeking = hrss_record(_person(Quirk.UNEMPLOYED)).unemployment
    assert seeking is not None
    assert seeking.registered
    skills = hrss_record(_person(Quirk.QUALIFICATION_REVOKED)).qualification
    assert [skill.state for skill in skills] == ["撤销"]
    insured = hrss_record(_person(Quirk.ORDINARY_EMPLOYEE)).participation
    assert insured is not None
    assert insured.is_insured
    assert insured.employer_uscc is not None


def _benefit_state(quirk: Quirk) -> str:
    pension = hrss_record(_person(quirk)).pension
    assert pension is not None
    return pension.benefit_state


def test_employer_cases() -> None:
    """One employer's licence is revoked, one is a sole trader."""
    assert employer_of(_person(Quirk.EMPLOYER_REVOKED)).state == "吊销"
    assert employer_of(_person(Quirk.SOLE_TRADER)).uscc.startswith("92")


def test_the_enumerated_numbers_are_neighbours() -> None:
    """Five people differ in the sequence alone, ten apart."""
    numbers = [case.id_number for case in planted() if case.name_of_case == "enumeration"]

    assert len({number[:14] for number in numbers}) == 1
    assert [int(number[14:17]) for number in numbers] == [901, 911, 921, 931, 941]


def test_the_document_lists_every_planted_person() -> None:
    """Case, index, number and expectation stand in docs/population.md as planted."""
    page = (Path(__file__).resolve().parents[2] / "docs" / "population.md").read_text()

    for case in planted():
        row = f"| `{case.name_of_case}` | {case.index} | `{case.id_number}` |"
        assert row in page
        assert f"| {case.what_is_special} | {case.expected} |" in page
