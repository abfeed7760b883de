"""The tax adapter against the simulator: what each department's record becomes, odd people too."""

import asyncio

import pytest

from adapters.port import Indeterminate, NotFound, Untold
from adapters.simulators.population import Disagreement, Person, disagreement, person_at
from adapters.simulators.population.tax_contributions import Contribution
from tests.adapters.asking import CLEAR, COMPARE, IS_TRUE, disclosed, read_outcome
from tests.adapters.simulated import POPULATION
from tests.adapters.tax.asking import (
    CATEGORY,
    CONTRIBUTION,
    INCOME_TAX,
    LAST,
    SEED,
    TAXPAYER,
    Asking,
    Told,
    held,
    person,
)

pytestmark = [pytest.mark.integration, pytest.mark.slow]

ENTRY_FIELDS = (
    *("period", "insurance_kind", "base_amount", "paid_unit", "paid_person"),
    *("paid_date", "voucher_no"),
)
ENTRY_GRANTS = {**dict.fromkeys(ENTRY_FIELDS, CLEAR), "paid_in_period": IS_TRUE}
INCOME_GRANTS = {
    "tax_year": CLEAR,
    "income_band": CATEGORY,
    "withholding_agent": CLEAR,
    "has_wage_income": IS_TRUE,
}
TAXPAYER_GRANTS = {
    "taxpayer_id": CLEAR,
    "taxpayer_state": CLEAR,
    "credit_grade": CLEAR,
    "in_arrears": IS_TRUE,
    "is_micro": IS_TRUE,
}


def _yuan(cents: int) -> str:
    return f"{cents / 100:.2f}"


def _entry(entry: Contribution, paid: str) -> Told:
    return {
        "period": entry.period,
        "insurance_kind": entry.insurance_kind,
        "base_amount": _yuan(entry.base_amount),
        "paid_unit": _yuan(entry.paid_unit),
        "paid_person": _yuan(entry.paid_person),
        "paid_date": entry.paid_date.isoformat(),
        "voucher_no": entry.voucher_no,
        "paid_in_period": paid,
    }


def _of(who: Person, period: str, kind: str) -> list[Contribution]:
    entries = held(who).contribution
    return [each for each in entries if (each.period, each.insurance_kind) == (period, kind)]


@pytest.mark.parametrize(
    ("period", "kind"), [("202610", "110"), ("202511", "310"), ("202603", "410")]
)
async def test_a_contribution_is_told_field_by_field(
    asking: Asking, period: str, kind: str
) -> None:
    """Of the asked month and insurance, though twelve months of four come along."""
    who = person("ordinary_employee")
    (entry,) = _of(who, period, kind)
    claims = {"period": period, "insurance_kind": kind}

    _, told = await asking.fetch(asking.query(CONTRIBUTION, who, ENTRY_GRANTS, claims))

    assert told == _entry(entry, "YES")


async def test_money_booked_for_another_month_pays_that_one(asking: Asking) -> None:
    """The last month is not paid, and nothing of the month before is told for it."""
    who = person("tax_period_wrong")

    _, last = await asking.fetch(asking.query(CONTRIBUTION, who, ENTRY_GRANTS, LAST))
    _, before = await asking.fetch(
        asking.query(CONTRIBUTION, who, {"paid_in_period": IS_TRUE}, {**LAST, "period": "202609"})
    )

    assert last == {"paid_in_period": "NO"}
    assert before == {"paid_in_period": "YES"}


async def test_a_refund_is_no_contribution(asking: Asking) -> None:
    """Paid and taken back: nothing is left, and the voucher is the payment's."""
    who = person("tax_refund_negative")
    (payment,) = [each for each in _of(who, "202610", "110") if each.entry == "1"]

    _, told = await asking.fetch(asking.query(CONTRIBUTION, who, ENTRY_GRANTS, LAST))

    assert told == {**_entry(payment, "NO"), "paid_unit": "0.00", "paid_person": "0.00"}


async def test_a_contribution_that_came_twice_counts_once(asking: Asking) -> None:
    """The same voucher is the same money."""
    who = person("contribution_twice")
    first, second = _of(who, "202610", "110")

    _, told = await asking.fetch(asking.query(CONTRIBUTION, who, ENTRY_GRANTS, LAST))

    assert first == second
    assert told == _entry(first, "YES")


@pytest.mark.parametrize("period", ["202510", "202611", "201901"])
async def test_a_period_that_is_not_kept_cannot_be_told(asking: Asking, period: str) -> None:
    """Neither of one who pays nor of one of whom nothing is recorded."""
    for case in ("ordinary_employee", "ordinary_pensioner"):
        query = asking.query(
            CONTRIBUTION, person(case), {"paid_in_period": IS_TRUE}, {"period": period}
        )

        _, told = await asking.fetch(query)

        assert told == {"paid_in_period": "INDETERMINATE"}


async def test_nothing_recorded_in_a_kept_period_is_a_no(asking: Asking) -> None:
    """Not found, and the catalog says what that means."""
    query = asking.query(
        CONTRIBUTION, person("ordinary_pensioner"), {"paid_in_period": IS_TRUE}, LAST
    )

    outcome, told = await asking.fetch(query)

    assert isinstance(outcome, NotFound)
    assert told == {"paid_in_period": "NO"}


async def test_of_nobody_under_a_number_no_period_is_called_unpaid(asking: Asking) -> None:
    """A number that is right and nobody's: which periods are kept is not said of him."""
    who = person("ordinary_employee")
    grants = {"paid_in_period": IS_TRUE, "period": COMPARE}
    query = asking.query(CONTRIBUTION, who, grants, LAST)
    nobody = asking.stranger(query, "370102198203150024")

    outcome = await asking.adapter.fetch(nobody)

    assert disclosed(nobody, outcome) == dict.fromkeys(grants, "INDETERMINATE")


async def test_nobody_of_the_number_is_not_found(asking: Asking) -> None:
    """Of a year that can be asked about, the catalog says what that means."""
    who = person("ordinary_employee")
    query = asking.query(INCOME_TAX, who, {"has_wage_income": IS_TRUE}, {"tax_year": "2025"})
    nobody = asking.stranger(query, "370102198203150024")

    outcome = await asking.adapter.fetch(nobody)

    assert read_outcome(nobody, outcome).claims.state == "NOT_FOUND"
    assert disclosed(nobody, outcome) == {"has_wage_income": "NO"}


@pytest.mark.parametrize(
    ("case", "claims"), [("ordinary_employee", {"tax_year": "2025"}), ("ordinary_employee", {})]
)
async def test_income_is_told_by_its_band(
    asking: Asking, case: str, claims: dict[str, str]
) -> None:
    """Without a year the last whole one, and then no predicate was asked."""
    income = held(person(case)).income_tax
    assert income is not None

    _, told = await asking.fetch(asking.query(INCOME_TAX, person(case), INCOME_GRANTS, claims))

    assert told == {
        "tax_year": "2025",
        "income_band": income.income_band,
        "withholding_agent": income.withholding_agent,
        "has_wage_income": "YES" if claims else "NOT_APPLICABLE",
    }


async def test_no_income_declared_is_no_wage(asking: Asking) -> None:
    """A pensioner is known there, and nobody pays him a wage."""
    who = person("ordinary_pensioner")

    outcome, told = await asking.fetch(
        asking.query(INCOME_TAX, who, {"has_wage_income": IS_TRUE}, {"tax_year": "2025"})
    )

    assert isinstance(outcome, NotFound)
    assert told == {"has_wage_income": "NO"}


@pytest.mark.parametrize("case", ["ordinary_employee", "employer_revoked", "sole_trader"])
async def test_a_taxpayer_is_told_as_the_department_holds_him(asking: Asking, case: str) -> None:
    """A licence revoked and not cancelled is still taxed; a sole trader has no grade."""
    taxpayer = held(person(case)).taxpayer
    assert taxpayer is not None

    _, told = await asking.fetch(asking.query(TAXPAYER, taxpayer.taxpayer_id, TAXPAYER_GRANTS))

    grade = {} if taxpayer.credit_grade is None else {"credit_grade": taxpayer.credit_grade}
    assert told == {
        "taxpayer_id": taxpayer.taxpayer_id,
        "taxpayer_state": taxpayer.taxpayer_state,
        "in_arrears": "YES" if taxpayer.in_arrears else "NO",
        "is_micro": "YES" if taxpayer.is_micro else "NO",
        **grade,
    }


async def test_nobody_taxed_under_a_number_is_not_applicable(asking: Asking) -> None:
    """Not found; who is no taxpayer owes nothing that could be asked about."""
    query = asking.query(TAXPAYER, "91370100MA3FAKE04Q", {"in_arrears": IS_TRUE})

    outcome, told = await asking.fetch(query)

    assert isinstance(outcome, NotFound)
    assert told == {"in_arrears": "NOT_APPLICABLE"}


@pytest.mark.parametrize(
    "case",
    [
        *("fifteen_digit_id", "two_people_one_id", "name_dot_00b7", "name_dot_2022"),
        *("name_dot_2027", "name_dot_30fb", "name_private_use", "name_extension_b"),
        *("household_split", "emigrant", "moved_out", "mandatory_field_empty"),
    ],
)
async def test_odd_names_and_numbers_are_this_persons(asking: Asking, case: str) -> None:
    """Whoever the department holds, it answers of him."""
    who = person(case)
    entries = _of(who, "202610", "110")

    _, told = await asking.fetch(asking.query(CONTRIBUTION, who, {"paid_in_period": IS_TRUE}, LAST))

    assert told == {"paid_in_period": "YES" if entries else "NO"}


async def test_another_name_under_the_number_is_unresolved(asking: Asking) -> None:
    """Nothing of whoever bears the number is told, and nothing is denied."""
    query = asking.query(
        CONTRIBUTION, person("ordinary_employee"), {"paid_in_period": IS_TRUE}, LAST
    )

    outcome = await asking.adapter.fetch(asking.stranger(query, name="王小二"))

    assert outcome == Untold(reason=Indeterminate.SUBJECT_UNRESOLVED)


async def test_everybody_is_told_what_the_department_holds(asking: Asking) -> None:
    """The whole population, in packages: paid, not paid, or misnamed by the department itself."""
    people = [person_at(SEED, index) for index in range(0, POPULATION, 2)]
    queries = [
        asking.query(CONTRIBUTION, who, {"paid_in_period": IS_TRUE}, LAST, seconds=30.0)
        for who in people
    ]

    outcomes = await asyncio.gather(*map(asking.adapter.fetch, queries))

    for who, query, outcome in zip(people, queries, outcomes, strict=True):
        if disagreement(who) is Disagreement.TAX_NAME_VARIANT:
            assert outcome == Untold(reason=Indeterminate.SUBJECT_UNRESOLVED)
            continue
        own = {each.voucher_no: each for each in _of(who, "202610", "110")}
        paid = sum(each.paid_unit + each.paid_person for each in own.values()) > 0
        assert disclosed(query, outcome) == {"paid_in_period": "YES" if paid else "NO"}
    assert len(asking.submissions()) == 2
