"""The bank adapter against the front: people and accounts of the population."""

import asyncio
from dataclasses import replace

import pytest
from stdnum import luhn

from adapters.kinds.bank import BankAdapter
from adapters.port import (
    DatasetName,
    DatasetShape,
    Effect,
    EffectKind,
    FieldName,
    Indeterminate,
    Lacking,
    NotFound,
    Outcome,
    Query,
    Record,
    SubjectType,
    Untold,
)
from adapters.records import RawRecord
from adapters.simulators.population import (
    Quirk,
    account_of,
    bank_record,
    canaries,
    find_account,
    old_account_of,
    planted_index,
)
from adapters.simulators.population.bank import AccountState
from tests.adapters.asking import CLEAR, IS_TRUE, disclosed, read_outcome
from tests.adapters.bank.asking import (
    ALL_CARD,
    ALL_PAYMENT,
    ALL_VERIFY,
    CARD,
    CATEGORY,
    NOBODY,
    PAYMENT,
    PEOPLE,
    VERIFY,
    Asking,
    claims_of,
)

pytestmark = [pytest.mark.integration, pytest.mark.slow]

USABLE = {"name_match": "YES", "id_match": "YES", "account_usable": "YES"}
NO_ACCOUNT = "621700999999999999"
NO_ACCOUNT += luhn.calc_check_digit(NO_ACCOUNT)
SHARED = [quirk for quirk in Quirk if quirk is not Quirk.TWO_PEOPLE_ONE_ID]


def unusable(reason: str) -> dict[str, str]:
    """Return what an account of the right holder is told that cannot be used."""
    return {**USABLE, "account_usable": "NO", "reason": reason}


@pytest.mark.parametrize("quirk", SHARED, ids=str)
async def test_each_planted_person_is_told_as_his_bank_holds_him(
    asking: Asking, quirk: Quirk
) -> None:
    """All three datasets, in all fields that may be granted."""
    person = PEOPLE.person(planted_index(quirk))
    account, held = account_of(person), bank_record(person)

    verified = await asking.verify(person, account)
    card = await asking.fetch(CARD, person, ALL_CARD, claims_of(account))
    paid = await asking.fetch(PAYMENT, person, ALL_PAYMENT)

    usable = account.state is AccountState.NORMAL
    expected = USABLE if usable else unusable(account.state.value)
    if account.holder_name != person.full_name:
        expected = {"name_match": "NO", "id_match": "YES", "account_usable": "INDETERMINATE"}
    assert verified.fields == expected
    assert card.fields == {
        "bank_code": account.bank_code,
        "account_no": "YES",
        "activated": "YES" if account.activated else "NO",
    }
    if not held.payment_result:
        assert isinstance(paid.outcome, NotFound)
        return
    latest = held.payment_result[0]
    reason = {} if latest.return_reason is None else {"return_reason": latest.return_reason}
    assert paid.fields == {
        "batch_no": latest.batch_no,
        "result_code": latest.result_code,
        **reason,
    }


async def test_many_people_are_verified_at_once(asking: Asking) -> None:
    """Every state of an account that stands behind a good card, in one message."""
    people = [PEOPLE.person(index) for index in range(160, 240)]
    accounts = [account_of(person) for person in people]
    before = asking.simulator.received()

    told = await asyncio.gather(*map(asking.verify, people, accounts))

    assert asking.simulator.received() == before + 1
    assert len({account.state for account in accounts}) > 2
    for person, account, one in zip(people, accounts, told, strict=True):
        usable = account.state is AccountState.NORMAL
        named = account.holder_name == person.full_name
        assert (one.fields["account_usable"] == "YES") is (usable and named)


async def test_a_number_given_to_somebody_else_is_his_no_longer(asking: Asking) -> None:
    """Neither holder nor whether the stranger's account can be used."""
    person = PEOPLE.person(planted_index(Quirk.ACCOUNT_REUSED))
    old = old_account_of(person)
    assert old is not None

    told = await asking.verify(person, old)

    stranger = find_account(PEOPLE, old.account_no)
    assert stranger is not None
    assert told.fields == {"name_match": "NO", "id_match": "NO", "account_usable": "INDETERMINATE"}


async def test_the_account_of_a_replaced_card_is_closed(asking: Asking) -> None:
    """The old number is dead, the new one lives."""
    person = PEOPLE.person(planted_index(Quirk.CARD_REPLACED))
    old = old_account_of(person)
    assert old is not None

    assert (await asking.verify(person, old)).fields == unusable("closed")
    assert (await asking.verify(person, account_of(person))).fields == USABLE


async def test_another_name_is_a_finding_and_not_a_mismatch_of_subjects(asking: Asking) -> None:
    """The bank compares; nothing of the account is told."""
    person = PEOPLE.person(planted_index(Quirk.ORDINARY_GRADUATE))
    other = replace(person, full_name="王小二")

    told = await asking.verify(other, account_of(person))

    assert told.fields == {"name_match": "NO", "id_match": "YES", "account_usable": "INDETERMINATE"}


async def test_a_card_of_another_name_is_unresolved(asking: Asking) -> None:
    """Cd MISMATCH gives nothing away, which is neither "no value" nor "no"."""
    person = replace(PEOPLE.person(planted_index(Quirk.ORDINARY_GRADUATE)), full_name="王小二")

    for shape, grants in ((CARD, ALL_CARD), (PAYMENT, ALL_PAYMENT)):
        told = await asking.fetch(shape, person, grants)
        assert told.outcome == Untold(reason=Indeterminate.SUBJECT_UNRESOLVED)


async def test_two_people_of_one_number_are_told_apart_by_name(asking: Asking) -> None:
    """The bank goes by the name as well."""
    person = PEOPLE.person(planted_index(Quirk.TWO_PEOPLE_ONE_ID))

    told = await asking.fetch(CARD, person, ALL_CARD, claims_of(account_of(person)))

    assert told.fields["account_no"] == "YES"


@pytest.mark.parametrize("bank", [True, False])
async def test_an_account_nobody_has_is_not_found(asking: Asking, *, bank: bool) -> None:
    """Not usable, for there is none; nothing about a holder."""
    person = PEOPLE.person(planted_index(Quirk.ORDINARY_GRADUATE))
    nobodys = replace(account_of(person), account_no=NO_ACCOUNT)
    claims = claims_of(nobodys, bank=bank)

    told = await asking.fetch(VERIFY, person, ALL_VERIFY, claims)

    assert told.fields == {
        "name_match": "NOT_APPLICABLE",
        "id_match": "NOT_APPLICABLE",
        "account_usable": "NO",
        "reason": "not_found",
    }


async def test_a_bank_that_is_none_is_the_askers_error(asking: Asking) -> None:
    """BANK_UNKNOWN: the directory of clearing numbers is the bank's."""
    person = PEOPLE.person(planted_index(Quirk.ORDINARY_GRADUATE))
    claims = {**claims_of(account_of(person)), "bank_code": "999999999999"}

    told = await asking.fetch(VERIFY, person, ALL_VERIFY, claims)

    assert told.fields == {"name_match": "ERROR", "id_match": "ERROR", "account_usable": "ERROR"}


@pytest.mark.parametrize(
    ("claims", "finding"),
    [
        ({}, "NOT_APPLICABLE"),
        ({"bank_code": "103451000025"}, "NOT_APPLICABLE"),
        ({"account_no": "621700100000000000"}, "ERROR"),
        ({"account_no": "6217001000000000004"}, "ERROR"),
        ({"account_no": "62170010000000000030"}, "ERROR"),
        ({"account_no": "\uff16\uff12\uff11\uff17"}, "ERROR"),
        ({"account_no": "621700100000000000<"}, "ERROR"),
        ({"account_no": "6217001000000000003", "bank_code": "1034"}, "ERROR"),
    ],
)
async def test_what_can_be_no_account_is_not_sent(
    asking: Asking, claims: dict[str, str], finding: str
) -> None:
    """Nothing named is nothing to verify; a number that can be none is the asker's error."""
    person = PEOPLE.person(planted_index(Quirk.ORDINARY_GRADUATE))
    before = asking.simulator.received()

    told = await asking.fetch(VERIFY, person, ALL_VERIFY, claims)

    assert told.fields == dict.fromkeys(USABLE, finding)
    assert asking.simulator.received() == before


async def test_a_number_of_no_known_card_is_left_to_the_bank(asking: Asking) -> None:
    """Some accounts are no cards: the Luhn digit binds known issuers only."""
    person = PEOPLE.person(planted_index(Quirk.ORDINARY_GRADUATE))
    before = asking.simulator.received()

    await asking.fetch(VERIFY, person, ALL_VERIFY, {"account_no": "1234567890123456"})

    assert asking.simulator.received() == before + 1


async def test_an_account_is_found_as_people_write_it(asking: Asking) -> None:
    """In groups of four, in full-width digits."""
    person = PEOPLE.person(planted_index(Quirk.ORDINARY_PENSIONER))
    number = account_of(person).account_no
    grouped = " ".join(number[at : at + 4] for at in range(0, len(number), 4))
    wide = grouped.translate({ord(str(digit)): 0xFF10 + digit for digit in range(10)})

    told = await asking.fetch(VERIFY, person, ALL_VERIFY, {"account_no": wide})

    assert told.fields == USABLE


async def test_nobody_has_no_card(asking: Asking) -> None:
    """The catalog says NO for a card that is not there, and nothing else is told."""
    query = asking.query(CARD, NOBODY, ALL_CARD)

    outcome = await asking.adapter.fetch(query)

    assert isinstance(outcome, NotFound)
    assert disclosed(query, outcome) == {"account_no": "NOT_APPLICABLE", "activated": "NO"}


@pytest.mark.parametrize(("batch", "found"), [("P20261015001", True), ("P20250115001", False)])
async def test_one_batch_is_asked_for(asking: Asking, batch: str, *, found: bool) -> None:
    """Batches older than a year are gone."""
    person = PEOPLE.person(planted_index(Quirk.ORDINARY_PENSIONER))

    told = await asking.fetch(PAYMENT, person, ALL_PAYMENT, {"batch_no": batch})

    assert isinstance(told.outcome, Record if found else NotFound)


async def test_a_batch_that_can_be_none_is_not_sent(asking: Asking) -> None:
    """It would be refused with everybody else's question."""
    person = PEOPLE.person(planted_index(Quirk.ORDINARY_PENSIONER))
    before = asking.simulator.received()

    told = await asking.fetch(PAYMENT, person, ALL_PAYMENT, {"batch_no": "2026-10"})

    assert told.outcome == Untold(reason=Indeterminate.QUESTION_REJECTED)
    assert asking.simulator.received() == before


def organisation(query: Query) -> Query:
    """Return the query about an organisation."""
    subject = replace(query.subject, type=SubjectType.USCC, identifier="91370100MA3FAKE04Q")
    return replace(query, subject=subject)


async def test_an_organisations_account_is_not_asked_about(asking: Asking) -> None:
    """The interface knows persons only, and that is not "not found"."""
    query = asking.query(VERIFY, NOBODY, ALL_VERIFY, {"account_no": "6217001000000000003"})
    card = asking.query(CARD, NOBODY, ALL_CARD)

    rejected = Untold(reason=Indeterminate.QUESTION_REJECTED)

    assert await asking.adapter.fetch(organisation(query)) == rejected
    assert await asking.adapter.fetch(organisation(card)) == rejected
    assert asking.adapter.find_lacking(organisation(query)) is None


@pytest.mark.parametrize("name", [None, "", "王" * 141, "王\x07", "王\ud800"])
async def test_a_name_no_message_can_hold_is_lacking(asking: Asking, name: str | None) -> None:
    """Said before anybody is asked; asked all the same, it is not sent."""
    query = asking.query(CARD, (NOBODY[0], name), ALL_CARD)
    before = asking.simulator.received()

    assert asking.adapter.find_lacking(query) is Lacking.SUBJECT_NAME
    assert await asking.adapter.fetch(query) == Untold(reason=Indeterminate.QUESTION_REJECTED)
    assert asking.simulator.received() == before


async def test_an_account_is_no_lack(asking: Asking) -> None:
    """Without one there is nothing to verify, and the findings say so."""
    query = asking.query(VERIFY, NOBODY, ALL_VERIFY)

    assert asking.adapter.find_lacking(query) is None


@pytest.mark.parametrize(
    ("shape", "name", "effect"),
    [
        (VERIFY, "reason", CATEGORY),
        (VERIFY, "account_usable", IS_TRUE),
        (CARD, "activated", IS_TRUE),
        (PAYMENT, "result_code", Effect(kind=EffectKind.MASK, parameters=("0", "0"))),
    ],
)
async def test_what_was_not_granted_never_stands_in_the_record(
    asking: Asking, shape: DatasetShape, name: str, effect: Effect
) -> None:
    """Banks send holders, balances and amounts unasked; one field leaves."""
    replaced = PEOPLE.person(planted_index(Quirk.CARD_REPLACED))
    pensioner = PEOPLE.person(planted_index(Quirk.ORDINARY_PENSIONER))
    person = pensioner if shape is PAYMENT else replaced
    account = old_account_of(replaced)
    assert account is not None
    claims = claims_of(account) if shape is VERIFY else {}
    query = asking.query(shape, (person.id_number, person.full_name), {name: effect}, claims)

    outcome = await asking.adapter.fetch(query)

    record = read_outcome(query, outcome)
    assert [disclosure.name for disclosure in record.disclosures] == [name]


async def test_what_is_never_shared_is_never_read(
    asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The raw record itself holds no holder, no balance, no amount: no effect could leak them."""
    read: list[RawRecord | None] = []
    fetch_raw = BankAdapter._fetch_raw

    async def noted(self: BankAdapter, query: Query) -> RawRecord | None:
        raw = await fetch_raw(self, query)
        read.append(raw)
        return raw

    monkeypatch.setattr(BankAdapter, "_fetch_raw", noted)
    person = PEOPLE.person(planted_index(Quirk.ORDINARY_PENSIONER))
    account = account_of(person)
    withheld = {"holder_name": CLEAR, "balance": CLEAR}

    told = await asking.fetch(VERIFY, person, withheld, claims_of(account))
    await asking.fetch(CARD, person, ALL_CARD)
    await asking.fetch(PAYMENT, person, ALL_PAYMENT)

    values = [value for raw in read if raw for value in raw.values()]
    names = {name for raw in read if raw for name in raw}
    assert told.fields == {}
    assert names == {
        *map(FieldName, ("name_match", "id_match", "account_usable")),
        *map(FieldName, ("bank_code", "account_no", "activated")),
        *map(FieldName, ("batch_no", "result_code")),
    }
    assert person.full_name not in values
    assert account.balance not in values
    assert account.bank_name not in values
    assert not set(canaries(person)) & set(map(str, values)) - {account.account_no}


async def test_nothing_is_asked_of_a_dataset_it_does_not_serve(asking: Asking) -> None:
    """Another department's question ends here."""
    shape = replace(CARD, name=DatasetName("bk.loan@1"))
    query = asking.query(shape, NOBODY, {})

    outcome: Outcome = await asking.adapter.fetch(query)

    assert outcome == Untold(reason=Indeterminate.PROVIDER_NOT_CONNECTED)
