"""Lines of civil affairs become records: every member is distrusted, and absence is no NO."""

from dataclasses import replace
from datetime import date

import pytest

from adapters.errors import AnswerMalformed, DepartmentFailed
from adapters.kinds.civil_affairs.asked import Asked
from adapters.kinds.civil_affairs.children import ChildLine, read_child, read_line
from adapters.kinds.civil_affairs.codes import (
    NO_MATCH,
)
from adapters.kinds.civil_affairs.facts import read_assistance, read_cremation
from adapters.kinds.civil_affairs.marriage import read_both, read_one, read_registrations
from adapters.mapping.identifiers import parse_resident_id
from adapters.port import Finding, Indeterminate
from adapters.records import RawRecord

TODAY = date(2026, 11, 23)
OLD_NUMBER = "370102560315005"
MAN = Asked(identifier=parse_resident_id(OLD_NUMBER), name="王守仁")
WOMAN = Asked(identifier="370102198203150024", name="李明")
CHILD = Asked(identifier="371711196809124454", name="张三")


def told(raw: RawRecord | None) -> dict[str, object]:
    """Return a record that is held by the plain names of its fields."""
    assert raw is not None
    return {str(name): value for name, value in raw.items()}


def line(state: str = "1", first: str = "2026-01-01", last: str = "2026-12-31") -> dict[str, str]:
    """Return a line of assistance."""
    return {
        "name": MAN.name,
        "id_card": MAN.identifier,
        "category": "1",
        "valid_from": first,
        "valid_to": last,
        "assist_state": state,
    }


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([line()], Finding.YES),
        ([line(first="2026-11-23", last="2026-11-23")], Finding.YES),
        ([line(last="2026-11-22")], Finding.NO),
        ([line(first="2026-11-24")], Finding.NO),
        ([line("2")], Finding.INDETERMINATE),
        ([line("2", last="2026-11-22")], Finding.NO),
        ([line("3")], Finding.NO),
        ([line("3"), line("2")], Finding.INDETERMINATE),
        ([line("2"), line("1"), line("3")], Finding.YES),
        # Without its dates nobody can say whether today is among them.
        ([line(first="")], Finding.INDETERMINATE),
        ([line(last="")], Finding.INDETERMINATE),
        ([line("3", last="")], Finding.NO),
    ],
)
def test_who_receives_is_told_by_state_and_day(
    lines: list[dict[str, str]], expected: Finding
) -> None:
    """One line that pays is enough; one that cannot be told forbids a NO."""
    assert told(read_assistance(lines, TODAY))["is_recipient"] is expected


def test_the_line_that_pays_is_told() -> None:
    """Otherwise the one that ends last."""
    paying = {**line(last="2026-11-30"), "category": "2"}

    ends_last = {**line("3", last="2027-01-31"), "category": "3"}

    paid = told(read_assistance([line("3"), paying], TODAY))
    ended = told(read_assistance([line("3"), ends_last], TODAY))

    assert paid["category"] == "特困"
    assert (ended["category"], ended["valid_to"]) == ("低边", "2027-01-31")
    assert read_assistance([], TODAY) is None


@pytest.mark.parametrize(
    "changed",
    [{"category": ""}, {"category": "7"}, {"assist_state": "7"}, {"valid_to": "forever"}],
)
def test_a_line_of_another_form_is_malformed(changed: dict[str, str]) -> None:
    """Also beside one that pays: which of them is wrong nobody can tell."""
    with pytest.raises(AnswerMalformed):
        read_assistance([line(), {**line(), **changed}], TODAY)


def cremation(**changed: str) -> dict[str, str]:
    """Return a line of a cremation."""
    return {
        "name": MAN.name,
        "id_card": MAN.identifier,
        "death_time": "2026-01-08 06:00:00",
        "cremation_time": "2026-01-09 10:30:00",
        "facility": "殡仪馆1号厅",
        **changed,
    }


def test_a_cremation_is_told_with_its_times() -> None:
    """In the spelling effects take."""
    assert read_cremation([cremation()]) == {
        "death_time": "2026-01-08T06:00:00",
        "cremation_time": "2026-01-09T10:30:00",
        "facility": "殡仪馆1号厅",
        "is_cremated": Finding.YES,
    }
    assert read_cremation([]) is None
    bare = read_cremation([cremation(cremation_time="", facility="")])
    assert set(told(bare)) == {"death_time", "is_cremated"}


@pytest.mark.parametrize(
    "time", ["", "2026-01-08", "2026-01-08T06:00:00", "2026-13-08 06:00:00", "2026-01-08 25:00:00"]
)
def test_a_death_without_its_time_is_malformed(time: str) -> None:
    """Emptied in silence, or written by somebody else."""
    with pytest.raises(AnswerMalformed):
        read_cremation([cremation(), cremation(death_time=time)])


def married(**changed: str) -> dict[str, str]:
    """Return the one result of a verification."""
    return {
        "op_type": "1",
        "op_type_desc": "结婚登记",
        "op_date": "1984-05-20",
        "reg_state": "1",
        "marry_status": "20",
        "cert_num_man": OLD_NUMBER,
        "name_man": MAN.name,
        "cert_num_woman": WOMAN.identifier,
        "name_woman": WOMAN.name,
        "folk_man": "01",
        "sjh": "19900000000",
        **changed,
    }


def no_match(**changed: str) -> dict[str, str]:
    """Return the result that found nothing."""
    return {**dict.fromkeys(married(), ""), "op_type_desc": NO_MATCH, **changed}


def test_a_verification_gives_status_and_nothing_of_the_spouse() -> None:
    """The number of 15 digits is his."""
    assert read_one(MAN, married()) == {
        "registration_found": Finding.YES,
        "current_status": "20",
    }
    assert read_both(MAN, WOMAN, married()) == {"is_couple": Finding.YES}
    assert read_one(MAN, no_match()) == read_both(MAN, WOMAN, no_match()) == {}


@pytest.mark.parametrize(
    "changed",
    [
        {"op_type": ""},
        {"op_type": "7"},
        {"op_type_desc": ""},
        {"op_date": ""},
        {"op_date": "soon"},
        {"marry_status": ""},
        {"marry_status": "10"},
        {"cert_num_man": ""},
        {"name_man": ""},
    ],
)
def test_a_verification_of_another_form_is_malformed(changed: dict[str, str]) -> None:
    """Single (10) is what this register cannot know."""
    with pytest.raises(AnswerMalformed):
        read_one(MAN, married(**changed))


@pytest.mark.parametrize("member", ["marry_status", "op_type", "cert_num_man", "reg_state"])
def test_no_match_beside_a_value_is_two_answers(member: str) -> None:
    """Neither is taken."""
    with pytest.raises(AnswerMalformed):
        read_one(MAN, no_match(**{member: "10"}))


@pytest.mark.parametrize("changed", [{"cert_num_man": WOMAN.identifier}, {"name_man": "王守义"}])
def test_a_verification_of_another_is_a_mismatch(changed: dict[str, str]) -> None:
    """By number or by name, of one or of two."""
    with pytest.raises(DepartmentFailed) as of_one:
        read_one(MAN, married(**changed))
    with pytest.raises(DepartmentFailed) as of_two:
        read_both(MAN, WOMAN, married(**changed))
    with pytest.raises(DepartmentFailed) as the_wrong_way:
        read_both(WOMAN, MAN, married())

    reasons = {failed.value.reason for failed in (of_one, of_two, the_wrong_way)}
    assert reasons == {Indeterminate.SUBJECT_MISMATCH}


@pytest.mark.parametrize("changed", [{"cert_num_woman": CHILD.identifier}, {"name_woman": "某"}])
def test_a_couple_is_of_both_who_were_asked_about(changed: dict[str, str]) -> None:
    """His number alone would make him the husband of anybody."""
    with pytest.raises(DepartmentFailed) as failed:
        read_both(MAN, WOMAN, married(**changed))

    assert failed.value.reason is Indeterminate.SUBJECT_MISMATCH


def registration(**changed: str) -> dict[str, str]:
    """Return one line of a registration."""
    return {
        **married(),
        "cert_no": "J370102-1984-000123",
        "dept_code": "370102",
        "cert_num_woman": WOMAN.identifier,
        **changed,
    }


def test_a_registration_is_told_from_the_side_of_whoever_asks() -> None:
    """The man stands at the man's place, whoever was asked about."""
    his = told(read_registrations(MAN, [registration()], None))
    hers = told(read_registrations(WOMAN, [registration()], None))

    assert (his["spouse_name"], his["spouse_id"]) == (WOMAN.name, WOMAN.identifier)
    assert (hers["spouse_name"], hers["spouse_id"]) == (MAN.name, MAN.identifier)
    assert "ethnicity_pair" not in his


def test_of_one_day_the_later_line_is_told() -> None:
    """Lines of one day stand in the order of their numbers."""
    lines = [registration(), registration(op_type="2", cert_no="L370102-1984-000001")]

    last = told(read_registrations(MAN, lines, None))
    claimed = told(read_registrations(MAN, lines, " j370102-1984-000123"))

    assert last["op_type"] == "离婚"
    assert claimed["op_type"] == "结婚"


@pytest.mark.parametrize(
    ("held_number", "claimed"),
    [
        ("济南市历下区1998字第000123号", "济南市历下区\uff11\uff19\uff19\uff18字第000123号"),
        ("J370102-1984-000123", "J370102\u20141984\u2014000123"),
        ("J370102\u20141984\u2014000123", "j370102-1984-000123"),
        ("98/0123", " 98/0123"),
    ],
)
def test_a_claimed_number_is_found_in_whatever_spelling(held_number: str, claimed: str) -> None:
    """Also one of old, which the catalog's field cannot carry."""
    divorce = registration(op_type="2", op_date="1999-01-01", cert_no="L370102-1999-000001")

    raw = told(read_registrations(MAN, [registration(cert_no=held_number), divorce], claimed))

    assert raw["op_type"] == "结婚"
    assert raw.get("certificate_no") == ("J370102-1984-000123" if "J" in held_number else None)


@pytest.mark.parametrize("claimed", ["J370102-1984-000124", "历字第12号", "98/0123", ""])
def test_a_claimed_number_that_is_not_held_is_answered_with_no_other(claimed: str) -> None:
    """Another registration would be taken for an answer about the claimed one."""
    lines = [registration(), registration(cert_no="")]

    assert read_registrations(MAN, lines, claimed) is None


@pytest.mark.parametrize("changed", [{"op_type": "7"}, {"op_date": ""}, {"cert_num_woman": ""}])
def test_a_registration_of_another_form_is_malformed(changed: dict[str, str]) -> None:
    """Whichever line it is."""
    with pytest.raises(AnswerMalformed):
        read_registrations(MAN, [registration(**changed), registration()], None)


def test_one_strangers_line_shows_that_people_are_mixed() -> None:
    """Nothing of the others is taken either."""
    stranger = registration(cert_num_man=CHILD.identifier, cert_num_woman=CHILD.identifier)

    with pytest.raises(DepartmentFailed) as failed:
        read_registrations(MAN, [registration(), stranger], None)

    assert failed.value.reason is Indeterminate.SUBJECT_MISMATCH


def child(kind: str, operation: str, day: str = "2020-01-01", **changed: str) -> ChildLine:
    """Return one line of the child."""
    row = {
        "child_type": kind,
        "baby_name": CHILD.name,
        "baby_cert_num": CHILD.identifier,
        "adopt_name_man": MAN.name,
        "adopt_cert_num_man": OLD_NUMBER,
        "adopt_name_woman": "",
        "adopt_cert_num_woman": "",
        "op_type": operation,
        "op_date": day,
        **changed,
    }
    return read_line(CHILD, row, "baby_name", "baby_cert_num")


@pytest.mark.parametrize(
    ("lines", "status", "dependent"),
    [
        ([child("1", "1")], "收养", Finding.YES),
        ([child("2", "1")], "孤儿", Finding.YES),
        ([child("3", "1")], "事实无人抚养", Finding.YES),
        ([child("1", "1"), child("1", "2", "2021-01-01")], None, Finding.NO),
        # The same day: dissolved after it was registered.
        ([child("1", "1"), child("1", "2")], None, Finding.NO),
        ([child("1", "2"), child("1", "1", "2022-01-01")], "收养", Finding.YES),
        # No longer needy, and still his parents' child.
        ([child("3", "1"), child("3", "2", "2021-01-01")], None, Finding.INDETERMINATE),
        ([child("2", "1"), child("1", "1", "2021-01-01")], "收养", Finding.YES),
        ([child("1", "1", adopt_cert_num_man="")], "收养", Finding.INDETERMINATE),
        ([child("1", "1", adopt_name_man="另一人")], "收养", Finding.INDETERMINATE),
    ],
)
def test_what_a_child_is_and_whose(
    lines: list[ChildLine], status: str | None, dependent: Finding
) -> None:
    """The last line of each kind decides."""
    raw = told(read_child(lines, MAN))

    assert (raw.get("child_status"), raw["is_dependent_child"]) == (status, dependent)


@pytest.mark.parametrize("hidden", ["\u3013\u3013\u3013", "王守\u25a1", "王\ue81a仁"])
def test_a_name_that_hides_itself_is_no_supporters(hidden: str) -> None:
    """Nor whose line it is: read one character at a time, the register would tell the name."""
    masked = replace(MAN, name=hidden)
    rare = child("1", "1", adopt_name_man="王守\ue81a")

    assert told(read_child([child("1", "1")], masked))["is_dependent_child"] is (
        Finding.INDETERMINATE
    )
    assert told(read_child([rare], MAN))["is_dependent_child"] is Finding.YES
    with pytest.raises(DepartmentFailed) as failed:
        read_one(masked, married())
    assert failed.value.reason is Indeterminate.SUBJECT_MISMATCH


def test_a_child_without_a_supporter_is_nobodys_for_us() -> None:
    """And one without a line is not held."""
    alone = told(read_child([child("1", "1")], None))

    assert alone["is_dependent_child"] is Finding.INDETERMINATE
    assert read_child([], MAN) is None


@pytest.mark.parametrize(
    "changed",
    [
        {"child_type": "7"},
        {"child_type": ""},
        {"op_type": "3"},
        {"op_date": ""},
        {"adopt_cert_num_man": "37010256031500"},
        {"baby_cert_num": ""},
    ],
)
def test_a_child_of_another_form_is_malformed(changed: dict[str, str]) -> None:
    """Never NO."""
    with pytest.raises(AnswerMalformed):
        child("1", "1", **changed)
