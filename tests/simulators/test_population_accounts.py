"""Accounts and payments fit the cards and pensions HRSS holds of the same people."""

from functools import partial

import pytest

from adapters.simulators.population import (
    Person,
    Population,
    Quirk,
    account_of,
    bank_record,
    disagreement,
    find_account,
    hrss_record,
    old_account_of,
    person_at,
    planted_index,
)
from adapters.simulators.population.bank import AccountState
from adapters.simulators.population.disagreements import Disagreement
from adapters.simulators.population.identity import card_number

PEOPLE = Population(seed=1, size=3_000)
DEAD_ON_PAPER = {Quirk.DEAD_PENSION_PAID}


def _planted(quirk: Quirk) -> Person:
    return PEOPLE.person(planted_index(quirk))


def test_every_account_leads_back_to_its_holder() -> None:
    """A number is found again without a list, and only as it was given out."""
    for index in range(240, 3_000):
        account = account_of(PEOPLE.person(index))

        assert find_account(PEOPLE, account.account_no) == account
        assert account.account_no == card_number(account.account_no[:-1])
        slip = account.account_no[:-1] + ("0" if account.account_no[-1] != "0" else "1")
        assert find_account(PEOPLE, slip) is None


@pytest.mark.parametrize(
    "number",
    [
        "",
        "6217",
        "6217001" + "0" * 11 + "x",
        "6217003" + "0" * 12,
        "6228480000000000018",
        "６２１７００１００００００００００００",  # noqa: RUF001 - digits of another width
        card_number("621700199999999999"),
        card_number("621700900000000000"),
    ],
)
def test_a_number_nobody_was_given_is_not_found(number: str) -> None:
    """Another issuer, another length, another generation, another script."""
    assert find_account(PEOPLE, number) is None


def test_someone_outside_the_population_has_no_account() -> None:
    """A small population does not know the accounts of a larger one."""
    outside = account_of(person_at(1, 3_001)).account_no

    assert find_account(PEOPLE, outside) is None


def test_the_account_follows_the_card_of_hrss() -> None:
    """Bank name and state agree with hr.sscard, for everybody they do not disagree about."""
    for index in range(3_000):
        person = PEOPLE.person(index)
        card, account = hrss_record(person).sscard[0], account_of(person)
        lagging = disagreement(person) is Disagreement.BANK_STATE_LAG

        assert account.bank_name == card.bank_name
        assert account.activated or card.card_state in {"未启用", "注销"}
        if card.card_state == "注销" and not lagging and person.quirk not in DEAD_ON_PAPER:
            assert account.state is AccountState.CLOSED
        if card.card_state == "挂失":
            assert account.state is AccountState.LOST
        if card.card_state == "未启用":
            assert account.state is AccountState.DORMANT


def test_a_replaced_card_has_a_closed_account_and_a_new_one() -> None:
    """HRSS shows an old card exactly where the bank shows an old account."""
    for index in range(240, 3_000):
        person = PEOPLE.person(index)
        old = old_account_of(person)

        assert (old is not None) == (len(hrss_record(person).sscard) == 2)
        assert old is None or old.state is AccountState.CLOSED
    replaced = old_account_of(_planted(Quirk.CARD_REPLACED))
    assert replaced is not None
    assert find_account(PEOPLE, replaced.account_no) == replaced


def test_a_reused_number_belongs_to_somebody_else() -> None:
    """The old number of the planted person is in use under another name."""
    person = _planted(Quirk.ACCOUNT_REUSED)
    old = old_account_of(person)
    assert old is not None

    now = find_account(PEOPLE, old.account_no)

    assert now is not None
    assert now.state is AccountState.NORMAL
    assert (now.holder_name, now.holder_id) != (person.full_name, person.id_number)
    assert account_of(person).state is AccountState.NORMAL


def test_pensions_in_payment_have_results_and_no_others() -> None:
    """Batches are those of months HRSS paid; a dead account returns the money."""
    seen = set()
    misnamed = [
        index
        for index, kind in Population(seed=1, size=40_000).disagreements()
        if kind is Disagreement.BANK_NAME_VARIANT
    ]
    for person in map(partial(person_at, 1), (*range(3_000), *misnamed)):
        pension, results = hrss_record(person).pension, bank_record(person).payment_result

        assert not results or (pension is not None and pension.is_receiving)
        for result in results:
            seen.add((result.result_code, result.return_reason))
            assert pension is not None
            assert result.batch_no[1:7] >= pension.start_month
            assert (result.return_reason is not None) == (result.result_code == "退票")
    assert {code for code, _ in seen} == {"成功", "退票", "处理中"}
    assert {reason for _, reason in seen} >= {"AC06", "BE01"}


def test_money_still_arrives_for_the_dead() -> None:
    """What the yearly re-certification exists to find."""
    results = bank_record(_planted(Quirk.DEAD_PENSION_PAID)).payment_result

    assert [result.result_code for result in results] == ["成功"] * 12
