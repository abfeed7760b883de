"""What the REST face of civil affairs answers to a foreign client."""

from collections.abc import Callable

import pytest

from adapters.simulators.civil_affairs.shapes import to_text
from adapters.simulators.population import (
    Person,
    Population,
    Quirk,
    civil_affairs_record,
    planted_index,
)
from adapters.simulators.population.household import Bond
from adapters.simulators.population.identity import old_form
from adapters.simulators.population.person import index_of
from tests.simulators.civil_client import CivilClient, about, mac, of_both, of_one

NO_MATCH = "匹配不成功"


def _planted(people: Population, quirk: Quirk) -> Person:
    return people.person(planted_index(quirk))


def _first(people: Population, wanted: Callable[[Person], bool]) -> Person:
    return next(
        person for index in range(240, people.size) if wanted(person := people.person(index))
    )


def _couple(people: Population, bond: Bond) -> tuple[Person, Person]:
    head = _first(people, lambda person: person.index % 4 == 0 and person.household.bond is bond)
    pair = (head, people.person(index_of(head.household, 1)))
    return pair if head.sex == "1" else (pair[1], pair[0])


def test_the_signatures_of_the_manual() -> None:
    """Another computation of HMAC gives the vectors of section 3.2."""
    biz = (
        '{"name_man":"王守仁","cert_num_man":"370102195603159016",'
        '"item_code":"M4","case_no":"case-0001"}'
    )
    request_id = "7f1c0b52-6d0e-4a3c-9a52-0c7f6a9d1e11"
    form = f"access_key=hrss-access-0001&biz_content={biz}&format=json&request_id={request_id}"
    business = (
        '{"code":"0","result":[{"op_date":"","op_type":"","op_type_desc":"匹配不成功"}],'
        '"status":"success"}'
    )

    vectors = {
        "s_demo_0001hrss-demo-rid1767225600000": "YOKkiNGUVdbxkuyn3mnw7lz58ipEiW5WH/KB5S7JunY=",
        f"{form}&timestamp=20260101080000&version=1.0": (
            "Dw2xbXheR3kkeN1MIYPHUa3UlOANkEPaTEE+Zu8nr+o="
        ),
        f"{request_id}1{business}": "pcbVwgVT7BgNiJ4kZhGtxEEZBWgZUd80rWCXDsSYz10=",
    }

    assert {text: mac(text) for text in vectors} == vectors


@pytest.mark.parametrize(
    ("bond", "op_type", "status"), [("married", "13", "20"), ("divorced", "24", "40")]
)
def test_a_couple_is_asked_about_together(
    civil: CivilClient, people: Population, bond: str, op_type: str, status: str
) -> None:
    """The last registration of the two, with the status of the man."""
    man, woman = _couple(people, Bond(bond))

    found = civil.ask("marriage_both", of_both(man, woman))

    assert found["op_type"] in op_type
    assert found["reg_state"] == "1"
    assert found["marry_status"] in {status, "30"}
    assert found["cert_num_woman"] in {woman.id_number, old_form(woman.id_number)}


def test_whoever_is_asked_about_alone_stands_in_the_place_of_the_man(
    civil: CivilClient, people: Population
) -> None:
    """A wife asked about alone comes back as `man`, her husband as `woman`."""
    man, woman = _couple(people, Bond.MARRIED)

    found = civil.ask("marriage_one", of_one(woman))

    assert found["cert_num_man"] in {woman.id_number, old_form(woman.id_number)}
    assert found["name_woman"] == civil_affairs_record(man).full_name


def test_no_match_comes_inside_a_success(civil: CivilClient, people: Population) -> None:
    """Wrong name, strangers, places exchanged, never registered: all the same answer."""
    man, woman = _couple(people, Bond.MARRIED)
    other, _ = _couple(people, Bond.DIVORCED)
    elsewhere = _planted(people, Quirk.MARRIED_ELSEWHERE)
    child = people.person(man.index // 4 * 4 + 2)

    answers = [
        civil.ask("marriage_one", {**of_one(man), "name_man": "某某"}),
        civil.ask("marriage_both", {**of_both(man, woman), "name_woman": "某某"}),
        civil.ask("marriage_both", of_both(other, woman)),
        civil.ask("marriage_both", of_both(woman, man)),
        civil.ask("marriage_one", of_one(elsewhere)),
        civil.ask("marriage_one", of_one(child)),
    ]

    for answer in answers:
        assert {value for value in answer.values() if value} == {NO_MATCH}
        assert answer == answers[0]


def test_the_dot_of_a_name_may_be_spelt_in_any_way(civil: CivilClient, people: Population) -> None:
    """Asked with U+00B7, answered with the stored U+2022."""
    person = _planted(people, Quirk.NAME_DOT_2022)

    found = civil.ask("marriage_one", {**of_one(person), "name_man": person.full_name})

    assert "\u00b7" in person.full_name
    assert found["name_man"] == person.full_name.replace("\u00b7", "\u2022")


def test_every_registration_of_a_person_is_listed(civil: CivilClient, people: Population) -> None:
    """The remarried widow has two lines; men stand as men, and more comes than was asked for."""
    widow = _planted(people, Quirk.REMARRIED_WIDOW)

    first, second = civil.rows("marriage_record", of_one(widow))

    assert (first["reg_state"], second["reg_state"]) == ("0", "1")
    assert {line["name_woman"] for line in (first, second)} == {widow.full_name}
    assert first["marry_status_woman"] == second["marry_status_woman"] == "22"
    assert len(first["cert_num_man"]) == 15
    assert {"folk_man", "nation_woman", "birth_man", "address", "upd_time"} <= first.keys()
    assert second["cert_no"] == civil_affairs_record(widow).marriage_record[1].certificate_no


def test_the_late_husband_is_known_and_no_longer_a_husband(
    civil: CivilClient, people: Population
) -> None:
    """He was cremated; the two are found, and the registration is not in force."""
    widow = _planted(people, Quirk.REMARRIED_WIDOW)
    husband = civil_affairs_record(widow).marriage_record[0].registration.man
    asked = {"name_man": husband.full_name, "cert_num_man": husband.id_number}

    found = civil.ask("marriage_both", {**of_both(widow, widow), **asked})
    named = {"name": husband.full_name, "id_card": husband.id_number}
    cremated = civil.rows("cremation", {**about(widow), **named})

    assert (found["op_type"], found["reg_state"]) == ("1", "0")
    assert cremated[0]["ID_CARD"] == husband.id_number


def test_divorced_by_court_is_still_married_here(civil: CivilClient, people: Population) -> None:
    """The register cannot know."""
    found = civil.ask("marriage_one", of_one(_planted(people, Quirk.DIVORCED_BY_COURT)))

    assert (found["op_type"], found["reg_state"], found["marry_status"]) == ("1", "1", "20")


def test_pages(civil: CivilClient, people: Population) -> None:
    """`recordcount` counts all lines, `returncount` those of the page."""
    widow = of_one(_planted(people, Quirk.REMARRIED_WIDOW))

    pages = [civil.rows("marriage_record", widow, start, 1) for start in range(3)]
    question = {**widow, "start": "2", "limit": "1"}
    beyond = civil.post("marriage_record", question).json()["biz_data"]

    assert pages[0] + pages[1] == civil.rows("marriage_record", widow)
    assert pages[2] == []
    assert (beyond["recordcount"], beyond["returncount"]) == ("2", "0")


def test_a_cremation_is_told_in_capitals_without_its_cause(
    civil: CivilClient, people: Population
) -> None:
    """Everything the department holds, family's telephone included; never the cause."""
    person = _planted(people, Quirk.CREMATED_NOT_CANCELLED)
    held = civil_affairs_record(person).cremation
    assert held is not None
    assert person.death is not None

    (found,) = civil.rows("cremation", about(person))

    assert found["DEATH_TIME"] == to_text(held.death_time)
    assert found["CREMATION_TIME"] == to_text(held.cremation_time)
    assert (found["NAME"], found["FACILITY"]) == (person.full_name, held.facility)
    assert found["handler_phone"].startswith("199")
    assert person.death.cause not in found.values()
    assert civil.rows("cremation", {**about(person), "name": "某某"}) == []
    assert civil.rows("cremation", about(_planted(people, Quirk.DEAD_IN_PS_ALIVE_IN_CA))) == []


def test_assistance_is_told_with_its_amount(civil: CivilClient, people: Population) -> None:
    """Category and days, and the amount nobody asked for."""
    person = _first(people, lambda one: civil_affairs_record(one).assistance is not None)
    held = civil_affairs_record(person).assistance
    assert held is not None

    (found,) = civil.rows("low_income", about(person))

    assert (found["category"], found["assist_state"]) == (held.category_code, held.state)
    assert (found["valid_from"], found["valid_to"]) == (
        held.valid_from.isoformat(),
        held.valid_to.isoformat(),
    )
    assert (found["monthly_amount"], found["id_card"]) == (held.monthly_amount, person.id_number)


def test_adopted_and_needy_children_have_a_service_each(
    civil: CivilClient, people: Population
) -> None:
    """An adopted child is not among the needy, and the other way round."""
    head = _planted(people, Quirk.ADOPTED_CHILD)
    adopted = people.person(head.index + 2)
    needy = _first(
        people,
        lambda one: any(
            line.child_type != "1" for line in civil_affairs_record(one).adoption_child
        ),
    )
    as_baby, as_child = ("baby_name", "baby_cert_num"), ("child_name", "child_idcard")

    (adoption,) = civil.rows("adoption", about(adopted, *as_baby))
    (need,) = civil.rows("needy_child", about(needy, *as_child))

    assert head.id_number in {adoption["adopt_cert_num_man"], adoption["adopt_cert_num_woman"]}
    assert (adoption["op_type"], adoption["child_type"]) == ("1", "1")
    assert adoption["guardian_name"] == ""
    assert need["child_type"] in {"2", "3"}
    assert need["child_idcard"] == needy.id_number
    assert need["guardian_name"]
    assert civil.rows("needy_child", about(adopted, *as_child)) == []
    assert civil.rows("adoption", about(needy, *as_baby)) == []


def test_the_name_decides_between_two_with_one_number(
    civil: CivilClient, people: Population
) -> None:
    """The historic duplicate: each of the two gets his own marriage."""
    twins = people.find(_planted(people, Quirk.TWO_PEOPLE_ONE_ID).id_number)

    wives = {civil.ask("marriage_one", of_one(twin))["name_woman"] for twin in twins}

    assert len(twins) == len(wives) == 2
