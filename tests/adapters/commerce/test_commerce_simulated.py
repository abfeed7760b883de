"""The commerce adapter against the simulator: enterprises, sole traders, positions, odd people."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import pytest

from adapters.port import Finding, NotFound, Record, Subject, SubjectType, Untold
from adapters.simulators.population import commerce_record, person_at, planted
from adapters.simulators.population.commerce import EnterpriseRecord, enterprise_record
from adapters.simulators.population.enterprises import RegisterState, enterprise_at
from tests.adapters.asking import disclosed, read_outcome
from tests.adapters.commerce.asking import (
    ACTIVE,
    ALL_ENTERPRISE,
    ALL_POSITIONS,
    ENTERPRISE,
    POSITIONS,
    Asking,
    Told,
    company,
    natural,
    truth,
)

pytestmark = [pytest.mark.integration, pytest.mark.slow]

SEED = 1
FORMER = range(40_000, 40_400)
_ACTIVE = {True: Finding.YES, False: Finding.NO, None: Finding.INDETERMINATE}


def expected_of(record: EnterpriseRecord) -> Mapping[str, str]:
    """Return what the catalog's fields are, reasoned from what the register holds."""
    told = {
        "uscc": record.uscc,
        "name": record.name,
        "entity_type": record.entity_type,
        "legal_representative": record.legal_representative,
        "reg_state": record.reg_state,
        "establish_date": record.establish_date.isoformat(),
        "address": record.address,
        "business_scope": record.business_scope,
        "reg_authority": record.reg_authority,
    }
    if not record.sole:
        capital = Decimal(record.registered_capital) / 10_000
        told["registered_capital"] = format(capital.normalize(), "f")
        if record.valid_to is not None:
            told["valid_to"] = record.valid_to.isoformat()
    return told


def without_lists(told: Told) -> Told:
    """Return what is one text each."""
    return {name: value for name, value in told.items() if isinstance(value, str)}


async def told_of(asking: Asking, uscc: str) -> Told:
    """Return everything the adapter tells of an enterprise."""
    subject = Subject(type=SubjectType.USCC, identifier=uscc)
    outcome, told = await asking.fetch(ENTERPRISE, subject, ALL_ENTERPRISE)
    assert isinstance(outcome, Record)
    return told


@pytest.mark.parametrize(
    "index", [one.index for one in planted()], ids=[one.name_of_case for one in planted()]
)
async def test_every_planted_persons_employer_is_told_as_it_is_held(
    asking: Asking, index: int
) -> None:
    """Old and new records, companies and sole traders, revoked ones too."""
    held = commerce_record(person_at(SEED, index)).enterprise

    told = await told_of(asking, held.uscc)

    assert without_lists(told) == expected_of(held)
    assert len(told.get("shareholders", [])) == len(held.shareholders)


@pytest.mark.parametrize(
    "index", [one.index for one in planted()], ids=[one.name_of_case for one in planted()]
)
async def test_every_planted_persons_positions_are_told_as_they_are_held(
    asking: Asking, index: int
) -> None:
    """Revoked and suspended entities are neither yes nor no; none at all is no."""
    person = asking.simulator.person_at(index)
    held = commerce_record(person_at(SEED, index)).positions

    outcome, told = await asking.positions(person)

    assert isinstance(outcome, Record if held.entity_list else NotFound)
    assert told["has_active_entity"] == _ACTIVE[held.has_active_entity].value
    assert len(told.get("entity_list", [])) == len(held.entity_list)


@pytest.mark.parametrize("state", RegisterState)
async def test_each_state_is_told_of_an_enterprise_that_has_it(
    asking: Asking, state: RegisterState
) -> None:
    """All six, with the catalog's word for each."""
    found = (enterprise_at(SEED, number) for number in (*range(40), *FORMER))
    one = next(enterprise for enterprise in found if enterprise and enterprise.state is state)
    held = enterprise_record(one)

    told = await told_of(asking, held.uscc)

    assert without_lists(told) == expected_of(held)


async def test_a_revoked_employer_still_exists_and_is_verified(asking: Asking) -> None:
    """`employer_revoked`: revoked is not cancelled, and its state is no mismatch."""
    person = asking.simulator.person("employer_revoked")

    told = await told_of(asking, company(person).identifier)
    _, verified = await asking.verify(person, truth(person))
    _, positions = await asking.positions(person)

    assert told["reg_state"] == "吊销"
    assert verified == {"all_match": "YES", "mismatched_keys": []}
    assert positions["has_active_entity"] == "INDETERMINATE"


async def test_yesterdays_representative_is_a_mismatch_by_name_of_the_field(
    asking: Asking,
) -> None:
    """`legal_rep_changed`: the key is told, the true name is not."""
    person = asking.simulator.person("legal_rep_changed")
    before = asking.simulator.person_at(145)

    _, told = await asking.verify(
        person, {**truth(person), "legal_representative": before.full_name}
    )

    assert told == {"all_match": "NO", "mismatched_keys": ["legal_representative"]}


async def test_every_claim_that_differs_is_named_in_the_catalogs_order(asking: Asking) -> None:
    """M9: what the employer has to correct."""
    person = asking.simulator.person("ordinary_employee")
    wrong = {"address": "甲路1号", "name": "某公司", "legal_representative": "某人"}

    _, told = await asking.verify(person, wrong)
    _, one = await asking.verify(person, {**truth(person), "address": "甲路1号"})

    assert told == {
        "all_match": "NO",
        "mismatched_keys": ["name", "legal_representative", "address"],
    }
    assert one == {"all_match": "NO", "mismatched_keys": ["address"]}


async def test_a_sole_trader_is_told_and_cannot_be_verified(asking: Asking) -> None:
    """`sole_trader`: no list of differences, no capital, no term, no shareholders."""
    person = asking.simulator.person("sole_trader")

    told = await told_of(asking, company(person).identifier)
    _, verified = await asking.verify(person, truth(person))

    assert told["entity_type"] == "个体工商户"
    assert not {"registered_capital", "valid_to", "shareholders"} & set(told)
    assert verified == {"all_match": "NOT_APPLICABLE"}


async def test_an_enterprise_nobody_registered_is_not_found(asking: Asking) -> None:
    """Not found is not a mismatch."""
    subject = Subject(type=SubjectType.USCC, identifier="91370100MA3FAKE04Q")

    outcome, told = await asking.fetch(ENTERPRISE, subject, ALL_ENTERPRISE)

    assert isinstance(outcome, NotFound)
    assert told == {}


async def test_two_people_of_one_number_are_told_apart_by_name(asking: Asking) -> None:
    """`two_people_one_id`: each has his own; a third name is nobody's."""
    first, second = asking.simulator.person_at(16), asking.simulator.person_at(20)
    query = asking.query(POSITIONS, natural(first), ALL_POSITIONS)
    stranger = replace(query, subject=replace(query.subject, full_name="陈建民"))

    _, one = await asking.positions(first)
    _, other = await asking.positions(second)
    outcome = await asking.adapter.fetch(stranger)

    assert one["has_active_entity"] == other["has_active_entity"] == "YES"
    assert one["entity_list"] != other["entity_list"]
    assert isinstance(outcome, Untold)
    assert outcome.reason.value == "SUBJECT_UNRESOLVED"


async def test_a_change_of_state_is_seen_at_once(asking: Asking) -> None:
    """Nothing is kept: today's state counts."""
    # Not a planted one's: the simulator is shared, and theirs are told elsewhere as they were.
    person = asking.simulator.person_at(232)
    uscc = company(person).identifier
    before = await told_of(asking, uscc)
    asking.simulator.admin("POST", "/changes", {"uniscid": uscc, "event": "03"})

    after = await told_of(asking, uscc)

    assert (before["reg_state"], after["reg_state"]) == ("在营", "吊销")


async def test_what_was_not_granted_never_stands_in_the_record(asking: Asking) -> None:
    """One field leaves; the record holds nothing else of the person."""
    person = asking.simulator.person("legal_rep_changed")
    asking.simulator.set_fault("every_field")
    query = asking.query(POSITIONS, natural(person), ACTIVE)

    outcome = await asking.adapter.fetch(query)

    assert disclosed(query, outcome) == {"has_active_entity": "YES"}
    shown = repr([(each.name, each.value) for each in read_outcome(query, outcome).disclosures])
    assert not [canary for canary in person.canaries if canary in shown]
