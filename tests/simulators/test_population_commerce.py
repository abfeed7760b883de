"""The commerce register agrees with the other departments, but where it is meant not to."""

from datetime import date, timedelta

from adapters.simulators.population import (
    AS_OF,
    Person,
    Population,
    Quirk,
    commerce_record,
    hrss_record,
    person_at,
    planted_index,
    public_security_record,
)
from adapters.simulators.population.commerce import Positions, enterprise_record
from adapters.simulators.population.disagreements import EnterpriseDisagreement
from adapters.simulators.population.employers import (
    FORMER,
    ORDINARY,
    employer,
    find_by_code,
    find_by_name,
    registered,
)
from adapters.simulators.population.enterprises import (
    Enterprise,
    RegisterState,
    enterprise_at,
    enterprises_of,
)
from adapters.simulators.population.planting import HOUSEHOLDS

PEOPLE = Population(seed=1, size=4_000)


def _person(quirk: Quirk) -> Person:
    return PEOPLE.person(planted_index(quirk))


def _positions(quirk: Quirk) -> Positions:
    return commerce_record(_person(quirk)).positions


def _existing(numbers: range) -> list[Enterprise]:
    found = (enterprise_at(1, number) for number in numbers)
    return [one for one in found if one is not None]


def test_every_insured_persons_employer_is_registered() -> None:
    """The code HRSS holds leads to the enterprise in the commerce register."""
    for index in range(1_200):
        person = PEOPLE.person(index)
        participation = hrss_record(person).participation
        if participation is None or participation.employer_uscc is None:
            continue
        record = commerce_record(person).enterprise
        found = find_by_code(1, record.uscc)

        assert record.uscc == participation.employer_uscc
        assert found is not None
        assert find_by_name(1, record.name) == found


def test_codes_and_names_that_nobody_bears_find_nobody() -> None:
    """A code of another county, a number never given, a name with a word too many."""
    one = employer(1, 77)
    never = next(number for number in FORMER if registered(1, number) is None)

    assert find_by_code(1, one.uscc[:2] + "370000" + one.uscc[8:]) is None
    assert find_by_code(1, employer(1, never).uscc) is None
    assert find_by_code(1, "") is None
    assert find_by_code(1, "91370100MB2FAKE04Q") is None
    assert find_by_name(1, one.name + "分公司") is None
    assert find_by_name(1, "有限公司") is None
    assert registered(1, 20_000_001) is None


def test_a_legal_representative_is_a_living_adult_of_the_population() -> None:
    """He bears his number in the population register; only of the dead couple's is he dead."""
    for enterprise in _existing(range(400)):
        behind = enterprise.representative
        assert behind == person_at(1, behind.index)
        assert behind.id_number == enterprise_record(enterprise).legal_rep_id
        assert (enterprise.founded.year - behind.birth_date.year) >= 18
        spouse = person_at(1, behind.index ^ 1)
        if behind.death is not None:
            assert spouse.death is not None or spouse.cancellation is not None


def test_positions_and_enterprises_lead_to_each_other() -> None:
    """Whoever stands in an enterprise's record finds it among his own, and nobody else does."""
    for enterprise in _existing(range(200)):
        inside = {share.holder.index for share in enterprise.shares}
        for index in inside | {enterprise.representative.index}:
            assert enterprise in enterprises_of(person_at(1, index))
    for index in range(900):
        for enterprise in enterprises_of(PEOPLE.person(index)):
            names = {share.holder.index for share in enterprise.shares}
            assert index in names | {enterprise.representative.index}


def test_people_beyond_the_last_employer_own_nothing() -> None:
    """The register is finite, the population is not."""
    assert enterprises_of(person_at(1, 4 * (len(HOUSEHOLDS) + 3 * len(ORDINARY)))) == ()


def test_shares_add_up() -> None:
    """All of the capital and all of the percent, the largest first; a sole trader has none."""
    for enterprise in _existing(range(300)):
        shares = enterprise.shares
        assert bool(shares) != enterprise.sole
        assert sum(share.yuan for share in shares) == enterprise.capital
        assert sum(share.hundredths for share in shares) == (0 if enterprise.sole else 10_000)
        assert list(shares) == sorted(shares, key=lambda share: -share.yuan)


def test_former_enterprises_show_every_state() -> None:
    """Cancelled, revoked, suspended, moved; nobody's employer is among them."""
    states = {one.state for one in _existing(range(FORMER.start, FORMER.start + 600))}

    assert states == set(RegisterState) - {RegisterState.ACTIVE}


def test_the_register_disagrees_about_one_enterprise_in_two_hundred() -> None:
    """The rate lies at 0.5 percent; each kind shows, and only where it is drawn."""
    found = _existing(range(9_000))
    differing = [one for one in found if one.disagreement is not None]

    assert 0.0035 < len(differing) / len(found) < 0.0065
    for one in found:
        record = enterprise_record(one)
        misspelt = record.legal_representative != one.representative.full_name
        assert misspelt == (one.disagreement is EnterpriseDisagreement.LEGAL_REP_NAME_VARIANT)
        revoked = record.state is RegisterState.REVOKED
        assert revoked == (one.disagreement is EnterpriseDisagreement.REVOKED_STILL_INSURING)


def test_the_planted_cases_of_the_register() -> None:
    """Representative since yesterday, revoked but not cancelled, sole trader, two of one number."""
    changed = commerce_record(_person(Quirk.LEGAL_REP_CHANGED)).enterprise
    spouse = PEOPLE.person(planted_index(Quirk.LEGAL_REP_CHANGED) + 1)
    revoked = _positions(Quirk.EMPLOYER_REVOKED)
    sole = _positions(Quirk.SOLE_TRADER)

    assert changed.approved.date() == AS_OF - timedelta(days=1) == date(2026, 10, 31)
    assert changed.legal_rep_id == _person(Quirk.LEGAL_REP_CHANGED).id_number
    assert changed.predecessor == public_security_record(spouse).person_core.full_name
    assert revoked.has_active_entity is None
    assert {one.enterprise.state for one in revoked.entity_list} == {RegisterState.REVOKED}
    assert [one.position for one in sole.entity_list] == ["经营者"]
    assert sole.has_active_entity is True
    twin = planted_index(Quirk.TWO_PEOPLE_ONE_ID)
    names = [
        commerce_record(PEOPLE.person(index)).positions.entity_list[0].person_name
        for index in (twin, twin + 4)
    ]
    assert names == ["陈建国", "陈建军"]


def test_most_people_own_nothing() -> None:
    """A share of the adults has an active entity, some have one that cannot be told."""
    told = [commerce_record(PEOPLE.person(index)).positions for index in range(220, 2_600)]
    active = [one.has_active_entity for one in told]

    assert 0.08 < active.count(True) / len(active) < 0.20
    assert active.count(None) > 0
    assert {one.has_active_entity for one in told if not one.entity_list} == {False}
