"""The public security adapter against the simulator: people, households, deaths."""

from dataclasses import replace

import pytest

from adapters.port import (
    Effect,
    EffectKind,
    Indeterminate,
    NotFound,
    Untold,
)
from tests.adapters.asking import CLEAR, IS_TRUE, disclosed
from tests.adapters.public_security.asking import (
    ALL_VERIFY,
    CORE,
    COUNTY,
    DEATH,
    HOUSEHOLD,
    NOBODY,
    VERIFY,
    Asking,
)

pytestmark = [pytest.mark.integration, pytest.mark.slow]


async def test_a_person_is_verified(asking: Asking) -> None:
    """Number and name match, and he lives."""
    person = asking.simulator.person("ordinary_graduate")

    _, told = await asking.fetch(VERIFY, person, ALL_VERIFY)

    assert told == {"id_match": "YES", "name_match": "YES", "deceased": "NO"}


async def test_the_dead_are_dead(asking: Asking) -> None:
    """SWBS 1 is YES."""
    person = asking.simulator.person("dead_in_ps_alive_in_ca")

    _, told = await asking.fetch(VERIFY, person, {"deceased": IS_TRUE})

    assert told == {"deceased": "YES"}


async def test_another_name_tells_nothing_of_life_and_death(asking: Asking) -> None:
    """The register leaves the mark empty; that is not NO."""
    person = replace(asking.simulator.person("ordinary_graduate"), full_name="王小二")

    _, told = await asking.fetch(VERIFY, person, ALL_VERIFY)

    assert told == {"id_match": "YES", "name_match": "NO", "deceased": "INDETERMINATE"}


async def test_a_person_is_told_field_by_field(asking: Asking) -> None:
    """Only granted fields leave, each with its effect."""
    person = asking.simulator.person("ordinary_graduate")

    _, told = await asking.fetch(
        CORE,
        person,
        {
            "sex": CLEAR,
            "birth_date": Effect(kind=EffectKind.GENERALISE, parameters=("year",)),
            "registered_address": COUNTY,
            "person_state": Effect(kind=EffectKind.PREDICATE, parameters=("alive",)),
        },
    )

    address = person.text("public_security", "person_core", "registered_address")
    county = told["registered_address"]
    assert isinstance(county, str)
    assert address.startswith(county)
    assert county != address
    assert told["sex"] == person.text("public_security", "person_core", "sex")
    assert told["birth_date"] == person.identifier[6:10]
    assert told["person_state"] == "YES"


async def test_nobody_is_not_found(asking: Asking) -> None:
    """Code 11 is not found, whatever the operation."""
    query = asking.query(DEATH, NOBODY, {"is_cancelled": IS_TRUE, "death_date": CLEAR})

    outcome = await asking.adapter.fetch(query)

    assert isinstance(outcome, NotFound)
    assert disclosed(query, outcome) == {"is_cancelled": "NO"}


async def test_a_query_with_another_name_is_unresolved(asking: Asking) -> None:
    """Code 13: the register gives nothing away, which is neither "no value" nor "no"."""
    person = replace(asking.simulator.person("ordinary_graduate"), full_name="王小二")

    outcome, _ = await asking.fetch(CORE, person, {"full_name": CLEAR, "sex": CLEAR})

    assert outcome == Untold(reason=Indeterminate.SUBJECT_UNRESOLVED)


@pytest.mark.parametrize(
    "quirk", ["name_dot_00b7", "name_dot_2022", "name_private_use", "name_extension_b"]
)
async def test_odd_names_are_found(asking: Asking, quirk: str) -> None:
    """Separators are rewritten for the register; rare characters are kept."""
    person = asking.simulator.person(quirk)
    asked = replace(person, full_name=person.full_name.replace("·", "•"))

    _, told = await asking.fetch(VERIFY, asked, {"name_match": IS_TRUE})

    assert told == {"name_match": "YES"}


async def test_a_household_without_a_relative_has_nothing_to_relate(asking: Asking) -> None:
    """Nobody was named, so kinship does not apply."""
    person = asking.simulator.person("ordinary_graduate")

    _, told = await asking.fetch(
        HOUSEHOLD, person, {"kinship_ok": IS_TRUE, "head_name": CLEAR, "member_count": CLEAR}
    )

    assert told["kinship_ok"] == "NOT_APPLICABLE"
    assert told["head_name"] == person.text("public_security", "household", "head_name")


async def test_kinship_is_told_of_a_named_relative(asking: Asking) -> None:
    """The first family: pensioner and spouse share a household."""
    person = asking.simulator.person_at(0)
    relative = asking.simulator.person_at(1)
    claims = {"relative_id": relative.identifier, "relative_name": relative.full_name}
    grants = {"kinship_ok": IS_TRUE, "same_household": IS_TRUE}

    _, told = await asking.fetch(HOUSEHOLD, person, grants, claims)

    assert told == {"kinship_ok": "YES", "same_household": "YES"}


@pytest.mark.parametrize(
    "claims",
    [
        {"relative_id": "370102198203150025", "relative_name": "王芳"},
        {"relative_id": "370102198203150024"},
        {"relative_id": "370102198203150024", "relative_name": "\x07"},
    ],
)
async def test_a_relative_that_can_be_none_is_the_askers_error(
    asking: Asking, claims: dict[str, str]
) -> None:
    """It is not sent: the register would refuse the whole package."""
    person = asking.simulator.person("ordinary_graduate")

    _, told = await asking.fetch(
        HOUSEHOLD, person, {"kinship_ok": IS_TRUE, "member_count": CLEAR}, claims
    )

    assert told["kinship_ok"] == "ERROR"
    assert "member_count" in told


@pytest.mark.parametrize(
    ("quirk", "expected"),
    [
        ("dead_in_ps_alive_in_ca", {"is_cancelled": "YES", "cancel_reason": "死亡"}),
        ("emigrant", {"is_cancelled": "YES", "cancel_reason": "出国定居"}),
        ("ordinary_graduate", {"is_cancelled": "NO"}),
    ],
)
async def test_a_cancelled_registration_is_not_always_a_death(
    asking: Asking, quirk: str, expected: dict[str, str]
) -> None:
    """Who settled abroad is cancelled and alive."""
    person = asking.simulator.person(quirk)

    _, told = await asking.fetch(DEATH, person, {"is_cancelled": IS_TRUE, "cancel_reason": CLEAR})

    assert told == expected


async def test_two_people_under_one_number_cannot_be_told(asking: Asking) -> None:
    """Code 14 asks for a person to look."""
    person = asking.simulator.person("two_people_one_id")

    outcome, _ = await asking.fetch(VERIFY, person, {"deceased": IS_TRUE})

    assert outcome == Untold(reason=Indeterminate.SUBJECT_UNRESOLVED)
