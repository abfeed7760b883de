"""The public security adapter against the simulator: people, households, deaths."""

from dataclasses import replace

import pytest

from adapters.port import (
    Effect,
    EffectKind,
    Indeterminate,
    NotFound,
    Record,
    Untold,
)
from adapters.simulators.population import Quirk, planted_index
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


# Head, spouse, child and parent of an ordinary household, of one whose couple live in two, and of
# a divorced one; each by the index of its head.
@pytest.mark.parametrize("quirk", ["ordinary_graduate", "household_split", "divorced_by_court"])
@pytest.mark.parametrize("place", range(4))
async def test_every_member_of_a_household_is_told_field_by_field(
    asking: Asking, quirk: str, place: int
) -> None:
    """Number, head, relation and count are those of the member's own household."""
    person = asking.simulator.person_at(planted_index(Quirk(quirk)) + place)
    fields = ("household_no", "head_name", "relation_to_head", "member_count")

    outcome, told = await asking.fetch(HOUSEHOLD, person, dict.fromkeys(fields, CLEAR))

    assert isinstance(outcome, Record)
    assert told == {field: person.text("public_security", "household", field) for field in fields}


async def test_a_split_couple_are_kin_in_two_households(asking: Asking) -> None:
    """Married, and each the head of another household: kinship is not the same household."""
    head = asking.simulator.person("household_split")
    spouse = asking.simulator.person_at(planted_index(Quirk.HOUSEHOLD_SPLIT) + 1)
    claims = {"relative_id": spouse.identifier, "relative_name": spouse.full_name}
    grants = {"kinship_ok": IS_TRUE, "same_household": IS_TRUE, "household_no": CLEAR}

    _, told = await asking.fetch(HOUSEHOLD, head, grants, claims)
    _, away = await asking.fetch(HOUSEHOLD, spouse, {"relation_to_head": CLEAR, **grants})

    assert (told["kinship_ok"], told["same_household"]) == ("YES", "NO")
    assert away["relation_to_head"] == "02"
    assert away["household_no"] != told["household_no"]


@pytest.mark.parametrize(
    ("quirk", "place", "relative", "expected"),
    [
        ("adopted_child", 0, 2, "YES"),
        ("adopted_child", 2, 0, "YES"),
        ("ordinary_graduate", 0, 2, "YES"),
    ],
)
async def test_kinship_holds_between_parents_and_children(
    asking: Asking, quirk: str, place: int, relative: int, expected: str
) -> None:
    """By birth or adoption, asked from either side."""
    first = planted_index(Quirk(quirk))
    person = asking.simulator.person_at(first + place)
    other = asking.simulator.person_at(first + relative)
    claims = {"relative_id": other.identifier, "relative_name": other.full_name}

    _, told = await asking.fetch(HOUSEHOLD, person, {"kinship_ok": IS_TRUE}, claims)

    assert told == {"kinship_ok": expected}


async def test_strangers_are_no_kin_and_an_unknown_relative_cannot_be_told(
    asking: Asking,
) -> None:
    """Somebody of another household is no relative; a name that is not his is "cannot tell"."""
    person = asking.simulator.person("ordinary_graduate")
    stranger = asking.simulator.person("moved_out")
    grants = {"kinship_ok": IS_TRUE, "same_household": IS_TRUE}
    claims = {"relative_id": stranger.identifier, "relative_name": stranger.full_name}

    _, told = await asking.fetch(HOUSEHOLD, person, grants, claims)
    _, unknown = await asking.fetch(HOUSEHOLD, person, grants, {**claims, "relative_name": "路人"})

    assert told == {"kinship_ok": "NO", "same_household": "NO"}
    assert unknown == {"kinship_ok": "INDETERMINATE", "same_household": "INDETERMINATE"}


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
        ("moved_out", {"is_cancelled": "NO"}),
        ("cremated_not_cancelled", {"is_cancelled": "NO"}),
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


@pytest.mark.parametrize(
    ("quirk", "dated"),
    [
        ("dead_in_ps_alive_in_ca", {"cancel_date", "death_date"}),
        ("emigrant", {"cancel_date"}),
        ("ordinary_graduate", set()),
    ],
)
async def test_days_are_told_of_whom_they_are(asking: Asking, quirk: str, dated: set[str]) -> None:
    """Who settled abroad has a day of cancellation and none of death."""
    person = asking.simulator.person(quirk)

    _, told = await asking.fetch(DEATH, person, {"cancel_date": CLEAR, "death_date": CLEAR})

    assert told == {name: person.text("public_security", "death_cancel", name) for name in dated}


@pytest.mark.parametrize(
    ("quirk", "state", "alive"),
    [
        ("ordinary_graduate", "正常", "YES"),
        ("moved_out", "迁出", "INDETERMINATE"),
        ("emigrant", "注销", "INDETERMINATE"),
        ("dead_pension_paid", "注销", "INDETERMINATE"),
        ("cremated_not_cancelled", "正常", "YES"),
    ],
)
async def test_each_state_of_a_person_has_its_word(
    asking: Asking, quirk: str, state: str, alive: str
) -> None:
    """A cancelled registration is not always a death."""
    person = asking.simulator.person(quirk)
    is_alive = Effect(kind=EffectKind.PREDICATE, parameters=("alive",))

    _, word = await asking.fetch(CORE, person, {"person_state": CLEAR})
    _, told = await asking.fetch(CORE, person, {"person_state": is_alive})

    assert (word["person_state"], told["person_state"]) == (state, alive)


async def test_two_people_under_one_number_cannot_be_told(asking: Asking) -> None:
    """Code 14 asks for a person to look."""
    person = asking.simulator.person("two_people_one_id")

    outcome, _ = await asking.fetch(VERIFY, person, {"deceased": IS_TRUE})

    assert outcome == Untold(reason=Indeterminate.SUBJECT_UNRESOLVED)
