"""The civil affairs adapter against the simulator: what is told of whom, live and from the copy."""

from dataclasses import replace
from datetime import date

import pytest

from adapters.mapping.identifiers import parse_resident_id
from adapters.mapping.names import compare_names
from adapters.port import Finding, Indeterminate, NotFound, Record, SubjectType, Untold
from adapters.simulators.population import Person, civil_affairs_record, planted_index
from adapters.simulators.population.quirks import Quirk
from tests.adapters.asking import CLEAR, IS_TRUE, disclosed
from tests.adapters.civil_affairs.asking import (
    ASSISTANCE,
    CHILD,
    CREMATION,
    NOBODY,
    PEOPLE,
    POPULATION,
    RECORD,
    VERIFY,
    Asking,
    held_by,
    named,
)

pytestmark = [pytest.mark.integration, pytest.mark.slow]


def planted(quirk: Quirk) -> Person:
    """Return a planted person."""
    return PEOPLE.person(planted_index(quirk))


def first_with(text: str) -> int:
    """Return the first person who receives assistance in a state, `category/state`."""
    for index in range(POPULATION):
        assistance = held_by(index).assistance
        if assistance is not None and f"{assistance.category}/{assistance.state}" == text:
            return index
    raise AssertionError(text)


def spouse_claim(person: Person) -> dict[str, str]:
    """Return the claim of a spouse."""
    identifier, name = named(person)
    return {"spouse_id": identifier, "spouse_name": name}


@pytest.mark.parametrize("index", range(0, 208, 4))
async def test_every_planted_person_is_told_as_held(copying: Asking, index: int) -> None:
    """Live and from the copy alike, each as the population has it."""
    held = held_by(index)
    subject = (held.person_id, held.full_name)
    # Two people of one number: the second's name is the one held under it, or the first's.
    _, verified = await copying.fetch(VERIFY, subject)
    _, cremated = await copying.fetch(CREMATION, subject)
    _, swept = await copying.sweep(CREMATION, subject)
    _, assisted = await copying.sweep(ASSISTANCE, subject)

    expected = held.marriage_verify
    assert verified.get("current_status") == expected.current_status
    assert verified["registration_found"] == ("YES" if expected.registration_found else "NO")
    assert cremated == swept
    assert cremated["is_cremated"] == ("YES" if held.cremation else "NO")
    assert assisted == {"is_recipient": "NO"}


async def test_who_married_in_another_province_is_not_single(copying: Asking) -> None:
    """No match is no status at all, and no couple is neither yes nor no."""
    index = planted_index(Quirk.MARRIED_ELSEWHERE)
    claims = spouse_claim(PEOPLE.person(index + 1))

    outcome, told = await copying.fetch(VERIFY, named(PEOPLE.person(index)), claims)

    assert isinstance(outcome, NotFound)
    assert told == {"registration_found": "NO", "is_couple": "INDETERMINATE"}


@pytest.mark.parametrize("asker", [0, 1])
async def test_a_couple_is_one_whoever_is_asked(asking: Asking, asker: int) -> None:
    """The register takes man and woman in their places; the question puts them there."""
    couple = [PEOPLE.person(0), PEOPLE.person(1)]

    _, told = await asking.fetch(VERIFY, named(couple[asker]), spouse_claim(couple[1 - asker]))

    assert told == {"registration_found": "YES", "is_couple": "YES", "current_status": "20"}


async def test_a_stranger_is_not_told_to_be_no_spouse(asking: Asking) -> None:
    """He may be one elsewhere."""
    man, stranger = PEOPLE.person(0), PEOPLE.person(5)
    assert int(man.id_number[16]) % 2 != int(stranger.id_number[16]) % 2

    _, told = await asking.fetch(VERIFY, named(man), spouse_claim(stranger))

    assert told["is_couple"] == "INDETERMINATE"


async def test_a_remarried_widow_is_married_and_no_couple_with_the_dead(asking: Asking) -> None:
    """Her first marriage is not the last of both."""
    widow = planted(Quirk.REMARRIED_WIDOW)
    first = civil_affairs_record(widow).marriage_record[0]
    late = {"spouse_id": parse_resident_id(first.spouse_id), "spouse_name": first.spouse_name}

    _, told = await asking.fetch(VERIFY, named(widow), late)

    assert told == {"registration_found": "YES", "is_couple": "NO", "current_status": "22"}


async def test_a_judgment_of_divorce_is_not_seen_here(asking: Asking) -> None:
    """Civil affairs still show the marriage (docs/adapters/civil_affairs.md 3.4)."""
    _, told = await asking.fetch(VERIFY, named(planted(Quirk.DIVORCED_BY_COURT)))

    assert told["current_status"] == "20"


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({}, "NOT_APPLICABLE"),
        ({"spouse_id": "370102198203150024"}, "ERROR"),
        ({"spouse_name": "王芳"}, "ERROR"),
        ({"spouse_id": "370102198203150025", "spouse_name": "王芳"}, "ERROR"),
        ({"spouse_id": "370102198203150024", "spouse_name": "\x07"}, "ERROR"),
        # Two numbers of one sex: the register cannot be asked, which is no NO.
        ({"spouse_id": "37010219560315002X", "spouse_name": "王芳"}, "INDETERMINATE"),
    ],
)
async def test_a_spouse_that_can_be_none_is_not_asked_about(
    asking: Asking, claims: dict[str, str], expected: str
) -> None:
    """Nothing is compared with half a person."""
    person = next(each for each in map(PEOPLE.person, (0, 1)) if int(each.id_number[16]) % 2 == 0)
    before = asking.simulator.received()

    _, told = await asking.fetch(VERIFY, named(person), claims)

    assert told == {"registration_found": "YES", "is_couple": expected, "current_status": "20"}
    assert asking.simulator.received() == before + 1


@pytest.mark.parametrize(
    "claims",
    [{}, {"spouse_name": "王芳"}, {"spouse_id": "370102198203150025", "spouse_name": "王芳"}],
)
async def test_of_whom_nothing_is_registered_nothing_is_said_to_be_held(
    asking: Asking, claims: dict[str, str]
) -> None:
    """Whatever is wrong with the claim, the record must not state that there is one."""
    subject = named(planted(Quirk.MARRIED_ELSEWHERE))

    outcome, told = await asking.fetch(VERIFY, subject, claims)

    assert isinstance(outcome, NotFound)
    assert told == {"registration_found": "NO", "is_couple": "INDETERMINATE"}


async def test_a_registration_is_told_with_a_widened_number(asking: Asking) -> None:
    """The register holds 15 digits; the certificate of old has no form the catalog knows."""
    person, spouse = PEOPLE.person(0), PEOPLE.person(1)
    (held,) = civil_affairs_record(person).marriage_record

    _, told = await asking.fetch(RECORD, named(person))

    assert len(held.spouse_id) == 15
    assert told == {
        "op_type": "结婚",
        "op_date": held.op_date.isoformat(),
        "spouse_name": held.spouse_name,
        "spouse_id": spouse.id_number,
        "office_code": held.office_code,
    }


async def test_the_last_registration_is_told_or_the_one_that_is_claimed(asking: Asking) -> None:
    """Of several lines."""
    index, lines = next(
        (index, held_by(index).marriage_record)
        for index in range(POPULATION)
        if len({line.certificate_no[:1] for line in held_by(index).marriage_record} & {"J", "L"})
        == 2
    )
    last = max(enumerate(lines), key=lambda each: (each[1].op_date, each[0]))[1]
    subject = named(PEOPLE.person(index))

    _, told = await asking.fetch(RECORD, subject)
    _, claimed = await asking.fetch(RECORD, subject, {"certificate_no": lines[0].certificate_no})

    assert told["certificate_no"] == last.certificate_no
    assert claimed["certificate_no"] == lines[0].certificate_no


async def test_a_cremation_is_told_alike_by_both_sources(copying: Asking) -> None:
    """Field by field, from a person whom the population register calls alive."""
    person = planted(Quirk.CREMATED_NOT_CANCELLED)
    cremation = civil_affairs_record(person).cremation
    assert cremation is not None

    _, live = await copying.fetch(CREMATION, named(person))
    _, copied = await copying.sweep(CREMATION, named(person))

    assert live == copied
    assert live == {
        "death_time": str(cremation.death_time.year),
        "cremation_time": str(cremation.cremation_time.year),
        "facility": cremation.facility,
        "is_cremated": "YES",
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("低保/1", "YES"),
        ("特困/1", "YES"),
        ("低边/1", "YES"),
        ("低保/2", "INDETERMINATE"),
        ("低保/3", "NO"),
    ],
)
async def test_assistance_is_told_alike_by_both_sources(
    copying: Asking, text: str, expected: str
) -> None:
    """Paid, suspended, ended."""
    index = first_with(text)
    assistance = held_by(index).assistance
    assert assistance is not None
    subject = named(PEOPLE.person(index))

    _, live = await copying.fetch(ASSISTANCE, subject)
    _, copied = await copying.sweep(ASSISTANCE, subject)

    assert live == copied
    assert live == {
        "category": assistance.category,
        "valid_from": assistance.valid_from.isoformat(),
        "valid_to": assistance.valid_to.isoformat(),
        "is_recipient": expected,
    }


async def test_a_line_that_has_run_out_pays_nothing(copying: Asking) -> None:
    """The day of the question decides, not the state alone."""
    subject = named(PEOPLE.person(first_with("低保/1")))
    query = copying.query(ASSISTANCE, subject)
    later = replace(query, issued_at_ms=query.issued_at_ms + 400 * 86_400_000)

    outcome = await copying.adapter.fetch(later)

    assert disclosed(later, outcome)["is_recipient"] == "NO"


async def test_nobody_is_not_found_by_either_source(copying: Asking) -> None:
    """No record of cremation is NO, because the catalog says so; of children it is not."""
    live, told = await copying.fetch(CREMATION, NOBODY)
    swept, copied = await copying.sweep(CREMATION, NOBODY)
    child, unknown = await copying.fetch(CHILD, NOBODY)

    assert isinstance(live, NotFound)
    assert isinstance(swept, NotFound)
    assert isinstance(child, NotFound)
    assert told == copied == {"is_cremated": "NO"}
    assert unknown["is_dependent_child"] == "INDETERMINATE"


@pytest.mark.parametrize(
    "quirk",
    [
        Quirk.NAME_DOT_00B7,
        Quirk.NAME_DOT_2022,
        Quirk.NAME_DOT_2027,
        Quirk.NAME_DOT_30FB,
        Quirk.NAME_PRIVATE_USE,
        Quirk.NAME_EXTENSION_B,
    ],
)
async def test_odd_names_are_found(asking: Asking, quirk: Quirk) -> None:
    """Separators are rewritten for the register; rare characters are kept."""
    person = planted(quirk)
    asked = (person.id_number, person.full_name.replace("·", "•"))
    assert compare_names(person.full_name, asked[1]) is Finding.YES

    outcome, _ = await asking.fetch(VERIFY, asked)

    expected = civil_affairs_record(person).marriage_verify.registration_found
    assert isinstance(outcome, Record if expected else NotFound)


async def test_two_people_under_one_number_are_told_apart_by_name(copying: Asking) -> None:
    """The copy tells nothing of either where only the other's line stands under the number."""
    person = planted(Quirk.CREMATED_NOT_CANCELLED)
    identifier, _ = named(person)

    outcome, _ = await copying.sweep(CREMATION, (identifier, "另一人"))

    assert outcome == Untold(reason=Indeterminate.SUBJECT_UNRESOLVED)


async def test_a_company_has_no_family(asking: Asking) -> None:
    """A credit code is no person's."""
    query = asking.query(CREMATION, NOBODY)
    company = replace(query.subject, type=SubjectType.USCC, identifier="91370100MA3FAKE04Q")

    outcome = await asking.adapter.fetch(replace(query, subject=company))

    assert isinstance(outcome, NotFound)


async def test_a_dataset_of_another_department_is_not_served(asking: Asking) -> None:
    """Nor is one that this kind knows and was not built for."""
    query = asking.query(VERIFY, NOBODY)
    foreign = replace(query.dataset, name=type(query.dataset.name)("ps.person_core@1"))

    outcome = await asking.adapter.fetch(replace(query, dataset=foreign))

    assert outcome == Untold(reason=Indeterminate.PROVIDER_NOT_CONNECTED)


async def test_only_what_the_granted_fields_need_is_asked(asking: Asking) -> None:
    """One service for the status, one for the couple."""
    couple = (PEOPLE.person(0), PEOPLE.person(1))
    counts = []
    for grants in ({"current_status": CLEAR}, {"is_couple": IS_TRUE}):
        before = asking.simulator.received()
        query = asking.query(VERIFY, named(couple[0]), spouse_claim(couple[1]), grants)
        told = disclosed(query, await asking.adapter.fetch(query))
        assert set(told) == set(grants)
        counts.append(asking.simulator.received() - before)

    assert counts == [1, 1]


def test_the_simulated_day_lies_in_the_planted_dates() -> None:
    """The tests above speak of lines that are paid until the end of that year."""
    assistance = held_by(first_with("低保/1")).assistance
    assert assistance is not None
    assert assistance.valid_to == date(2026, 12, 31)
