"""Numbers of the population against the check-digit functions of another library."""

from stdnum import luhn
from stdnum.cn import uscc
from stdnum.iso7064 import mod_11_2

from adapters.simulators.population import Population, person_at
from adapters.simulators.population.bank import account_of
from adapters.simulators.population.divisions import DIVISION_CODES
from adapters.simulators.population.employers import employer_of
from adapters.simulators.population.identity import credit_code, is_identity_number, old_form
from adapters.simulators.population.places import household_at, place_of


def test_every_identity_number_has_the_check_character_of_iso_7064() -> None:
    """GB 11643 is ISO 7064 MOD 11-2."""
    numbers = [person_at(1, index).id_number for index in range(2_000)]

    assert all(mod_11_2.is_valid(number) for number in numbers)


def test_the_published_example_gets_its_check_character() -> None:
    """The number of domain.md, section 6, is accepted and its neighbours are not."""
    good = "37010219560315002X"

    assert is_identity_number(good)
    assert not any(is_identity_number(good[:17] + digit) for digit in "0123456789x")


def test_a_day_that_is_not_in_the_calendar_is_no_identity_number() -> None:
    """The check character alone does not make a number."""
    body = "37010219560231002"
    number = body + mod_11_2.calc_check_digit(body)

    assert not is_identity_number(number)


def test_birth_date_and_sex_stand_in_the_number() -> None:
    """Positions 7-14 are the birth date, an odd 17th digit is male."""
    for index in range(1_000):
        person = person_at(1, index)

        assert person.id_number[6:14] == f"{person.birth_date:%Y%m%d}"
        assert int(person.id_number[16]) % 2 == (1 if person.sex == "1" else 0)
        assert person.id_number[:6] in DIVISION_CODES


def test_the_old_form_has_fifteen_digits_and_no_century() -> None:
    """The number of before 1999 lacks the century and the check character."""
    assert old_form("37010219560315002X") == "370102560315002"


def test_no_two_people_share_a_number_but_the_planted_twins() -> None:
    """Six thousand numbers are different, except one pair."""
    numbers = [person_at(1, index).id_number for index in range(6_000)]

    assert len(numbers) - len(set(numbers)) == 1


def test_a_slot_leads_back_to_its_household() -> None:
    """The permutation of households is inverted by arithmetic, for any seed."""
    for seed in (0, 1, 2**40):
        for household in (60, 61, 999_999, 24_000_000):
            assert household_at(seed, place_of(seed, household)) == household


def test_every_person_is_found_by_number() -> None:
    """The number alone leads back to the person."""
    people = Population(seed=7, size=1_000_000)

    for index in range(0, 1_000_000, 997):
        person = people.person(index)
        assert [found.index for found in people.find(person.id_number)] == [index]


def test_nobody_is_found_beyond_the_size() -> None:
    """A number of a larger population is unknown in a smaller one."""
    beyond = Population(seed=1, size=1_000_000).person(999_999)

    assert Population(seed=1, size=1_000).find(beyond.id_number) == ()


def test_credit_codes_pass_the_check_of_another_library() -> None:
    """GB 32100, with the inner check of GB 11714 on the example of domain.md."""
    codes = [employer_of(person_at(1, index)).uscc for index in range(500)]

    assert all(uscc.is_valid(code) for code in codes)
    assert credit_code("91", "370100", "MA3FAKE0") == "91370100MA3FAKE04Q"


def test_account_numbers_pass_luhn_and_are_different() -> None:
    """Nineteen digits with the check digit of ISO/IEC 7812."""
    accounts = [account_of(person_at(1, index)).account_no for index in range(2_000)]

    assert all(luhn.is_valid(account) and len(account) == 19 for account in accounts)
    assert len(set(accounts)) == len(accounts)
