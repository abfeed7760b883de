"""The tax view agrees with the lives and with the HRSS tables, but for what is planted."""

from collections import Counter, defaultdict

import pytest
from stdnum.cn import uscc

from adapters.simulators.population import (
    AS_OF,
    Disagreement,
    Person,
    Population,
    Quirk,
    hrss_record,
    planted_index,
    tax_record,
)
from adapters.simulators.population.contributions import recent
from adapters.simulators.population.incomes import FIRST_YEAR, WAGES, band_of, income_tax
from adapters.simulators.population.people import disagreement
from adapters.simulators.population.tax_contributions import (
    REFUNDED,
    held_periods,
    tax_contributions,
)
from adapters.simulators.population.taxpayers import ABNORMAL, taxpayer_at
from adapters.simulators.population.working_life import career_of

PEOPLE = Population(seed=1, size=3_000)
LAST = held_periods()[1]


def _planted(quirk: Quirk) -> Person:
    return PEOPLE.person(planted_index(quirk))


def _months(person: Person) -> set[str]:
    return {entry.period for entry in tax_contributions(person) if entry.entry != REFUNDED}


def _net(person: Person, period: str) -> int:
    """Add up a month as the manual says: each voucher once, refunds included."""
    vouchers = {entry.voucher_no: entry for entry in tax_contributions(person)}
    return sum(
        entry.paid_unit + entry.paid_person for entry in vouchers.values() if entry.period == period
    )


def test_the_months_are_those_the_hrss_tables_tell() -> None:
    """Whoever the HRSS shows as paid has paid at the tax department, and nobody else."""
    for index in range(240, PEOPLE.size):
        person = PEOPLE.person(index)
        if disagreement(person) is Disagreement.HRSS_STATE_LAG:
            continue
        record = hrss_record(person).contribution_record
        told = {month.period for month in record.recent_months if month.paid} if record else set()
        assert _months(person) == told


def test_the_kinds_are_those_the_hrss_insures() -> None:
    """Each paid month holds one entry for each insurance of the participation."""
    for index in range(240, PEOPLE.size):
        person = PEOPLE.person(index)
        participation = hrss_record(person).participation
        kinds = defaultdict(set)
        for entry in tax_contributions(person):
            kinds[entry.period].add(entry.insurance_kind)
        assert all(set(participation.insured_kinds) == kind for kind in kinds.values()
                   if participation)  # fmt: skip


def test_nobody_pays_after_his_death() -> None:
    """Also where the HRSS has not heard of it; nothing arrives after the registers' day."""
    for index in range(PEOPLE.size):
        person = PEOPLE.person(index)
        entries = tax_contributions(person)
        assert all(entry.paid_date <= AS_OF for entry in entries)
        if person.death is not None:
            assert all(entry.period <= f"{person.death.day:%Y%m}" for entry in entries)


def test_wages_agree_with_contributions() -> None:
    """A month of the last twelve has a wage when it has an urban contribution, and only then."""
    first, last = held_periods()
    for index in range(240, 1_500):
        person = PEOPLE.person(index)
        career = career_of(person)
        declared = {
            month.period
            for year in (AS_OF.year - 1, AS_OF.year)
            for found in [income_tax(person, year)]
            for month in (found.months if found else ())
            if month.item == WAGES and first <= month.period <= last
        }
        assert declared == (_months(person) if career and career.urban else set())


def test_income_lies_inside_the_working_life() -> None:
    """No wage before insurance or after retirement; band, taxable and tax fit the sum."""
    for index in range(240, 800):
        person = PEOPLE.person(index)
        career = career_of(person)
        for year in range(FIRST_YEAR - 1, AS_OF.year + 2):
            found = income_tax(person, year)
            if found is None:
                continue
            assert career is not None
            assert FIRST_YEAR <= year <= AS_OF.year
            assert all(month.period >= f"{career.first:%Y%m}" for month in found.months)
            if career.retired and career.urban:
                assert all(month.period < f"{career.retired:%Y%m}" for month in found.months)
            assert found.income_band == band_of(sum(month.amount for month in found.months))
            assert 0 <= found.tax <= found.taxable_income <= found.gross


def test_some_are_paid_fees_only() -> None:
    """A record without a wage exists: has_wage_income is no, not absent."""
    found = [income_tax(PEOPLE.person(index), 2025) for index in range(240, 2_000)]

    assert Counter(each.has_wage_income for each in found if each)[False] > 10


@pytest.mark.parametrize(
    ("cents", "band"), [(6_000_000, "B1"), (6_000_001, "B2"), (50_000_000, "B4"), (10**9, "B5")]
)
def test_bands(cents: int, band: str) -> None:
    """A bound belongs to the lower band."""
    assert band_of(cents) == band


def test_paid_for_the_wrong_period() -> None:
    """The last month is empty, the one before holds twice the vouchers; the HRSS sees it paid."""
    person = _planted(Quirk.TAX_PERIOD_WRONG)
    career = career_of(person)
    assert career is not None

    assert recent(person, career)[0].paid
    assert _net(person, LAST) == 0
    assert _net(person, f"{int(LAST) - 1}") == 2 * _net(person, f"{int(LAST) - 2}")


def test_a_refund_is_negative_and_no_contribution() -> None:
    """The entries of the last month add up to nothing, and say so."""
    person = _planted(Quirk.TAX_REFUND_NEGATIVE)
    latest = [entry for entry in tax_contributions(person) if entry.period == LAST]

    assert _net(person, LAST) == 0
    assert {entry.paid_in_period for entry in latest} == {False}
    assert [entry.paid_unit < 0 for entry in latest if entry.entry == REFUNDED] == [True] * 4


def test_a_contribution_that_arrived_twice_counts_once() -> None:
    """The same voucher stands there twice; each voucher once gives an ordinary month."""
    person = _planted(Quirk.CONTRIBUTION_TWICE)
    vouchers = Counter(entry.voucher_no for entry in tax_contributions(person))

    assert sorted(vouchers.values())[-5:] == [1, 2, 2, 2, 2]
    assert _net(person, LAST) == _net(person, f"{int(LAST) - 1}")


def test_vouchers_are_unique_but_for_the_planted() -> None:
    """A voucher number belongs to one entry of one person."""
    seen = Counter(
        entry.voucher_no for index in range(240, 1_000)
        for entry in tax_contributions(PEOPLE.person(index))
    )  # fmt: skip

    assert set(seen.values()) == {1}
    assert all(len(number) == 18 and number.isdigit() for number in seen)


def test_the_withholding_agent_is_the_employer_and_a_taxpayer() -> None:
    """The code of the participation is a valid code under which somebody is taxed."""
    for index in (*range(0, 240, 4), *range(240, 400)):
        person = PEOPLE.person(index)
        participation, tax = hrss_record(person).participation, tax_record(person)
        if participation is None or participation.employer_uscc is None or tax.income_tax is None:
            continue
        assert tax.income_tax.withholding_agent == participation.employer_uscc
        assert uscc.is_valid(participation.employer_uscc)
        assert taxpayer_at(PEOPLE, participation.employer_uscc) == tax.taxpayer


def test_the_revoked_employer_is_still_taxed() -> None:
    """Revoked is not cancelled; a sole trader is a taxpayer without a grade."""
    revoked = tax_record(_planted(Quirk.EMPLOYER_REVOKED)).taxpayer
    sole = tax_record(_planted(Quirk.SOLE_TRADER)).taxpayer
    assert revoked is not None
    assert sole is not None

    assert taxpayer_at(PEOPLE, revoked.taxpayer_id) == revoked
    assert revoked.taxpayer_state == ABNORMAL
    assert (sole.taxpayer_id[:2], sole.credit_grade) == ("92", None)


@pytest.mark.parametrize(
    "code", ["", "91370100MA3FAKE04Q", "9" * 18, "91370102MA3ZZZZZ0X", "²" * 18]
)
def test_nobody_is_taxed_under_a_strange_code(code: str) -> None:
    """Unknown, malformed and near codes find nobody."""
    assert taxpayer_at(PEOPLE, code) is None


def test_a_code_with_another_end_is_another_code() -> None:
    """The serial alone does not find an employer."""
    known = tax_record(_planted(Quirk.ORDINARY_EMPLOYEE)).taxpayer
    assert known is not None

    assert taxpayer_at(PEOPLE, known.taxpayer_id[:-1] + "0") is None or known.taxpayer_id[-1] == "0"


def test_the_view_is_a_pure_function() -> None:
    """Same seed and index, same view, in any population."""
    one, other = Population(seed=7, size=500), Population(seed=7, size=50_000)

    assert [tax_record(one.person(index)) for index in range(240, 300)] == [
        tax_record(other.person(index)) for index in range(240, 300)
    ]


def test_arrears_and_states_occur() -> None:
    """Some owe, and owe an amount; some are abnormal; most are neither."""
    found = [tax_record(PEOPLE.person(index)).taxpayer for index in range(240, 1_500)]
    known = [each for each in found if each]

    assert all((each.arrears > 0) is each.in_arrears for each in known)
    assert 0 < sum(each.in_arrears for each in known) < len(known) / 10
    assert {each.taxpayer_state for each in known} == {"03", "04", "05", "07"}
    assert {each.is_micro for each in known} == {True, False}
