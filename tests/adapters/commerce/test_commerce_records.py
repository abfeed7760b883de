"""The register's records: dates in two spellings, amounts, what is due and what is never read."""

import json
from dataclasses import replace
from decimal import Decimal

import pytest

from adapters.errors import AnswerMalformed, DepartmentFailed
from adapters.kinds.commerce.reading import (
    read_enterprise,
    read_positions,
    read_sole_trader,
    read_verification,
)
from adapters.mapping.decimals import DecimalJson
from adapters.port import FieldName, Finding, Subject, SubjectType
from tests.adapters.commerce.asking import (
    COMPANY,
    HOLDER,
    POSITION,
    RECORD,
    TRADER,
    TRADER_RECORD,
    difference,
    verification,
)

TRADER_SUBJECT = Subject(type=SubjectType.USCC, identifier=TRADER)
NEVER_READ = frozenset({"cerno", "certype", "tel", "out_val", "regno", "opfrom", "apprdate"})


def stripped(value: DecimalJson) -> DecimalJson:
    """Return a record without what must not be read, at any depth."""
    if isinstance(value, dict):
        return {name: stripped(each) for name, each in value.items() if name not in NEVER_READ}
    return [stripped(each) for each in value] if isinstance(value, list) else value


def stripped_record(record: dict[str, DecimalJson]) -> dict[str, DecimalJson]:
    """Return a whole record so."""
    bare = stripped(record)
    assert isinstance(bare, dict)
    return bare


def test_the_page_s_example_is_read_field_by_field() -> None:
    """Each field in the catalog's type; who the legal representative is by number is not one."""
    assert read_enterprise(COMPANY, RECORD) == {
        "uscc": "91370100MA3FAKE04Q",
        "name": "济南演示科技有限公司",
        "entity_type": "有限责任公司(自然人独资)",
        "legal_representative": "赵明",
        "reg_state": "吊销",
        "establish_date": "2021-03-01",
        "registered_capital": "100",
        "address": "山东省济南市历下区示例路1号",
        "business_scope": "软件开发",
        "reg_authority": "济南市历下区市场监督管理局",
        "shareholders": ('{"conprop":"100","inv":"赵明","subconam":"100"}',),
    }


def test_what_is_withheld_is_not_even_looked_at() -> None:
    """Identity and telephone numbers, and the true values the register leaks, make no difference.

    Without them the same is read; a person's own number in his positions is what binds them.
    """
    verified = verification(difference("name", "甲"))
    bare_position = {**stripped_record(POSITION), "cerno": POSITION["cerno"]}

    assert read_enterprise(COMPANY, stripped_record(RECORD)) == read_enterprise(COMPANY, RECORD)
    assert read_sole_trader(TRADER_SUBJECT, stripped_record(TRADER_RECORD)) == read_sole_trader(
        TRADER_SUBJECT, TRADER_RECORD
    )
    assert read_positions(HOLDER, [bare_position]) == read_positions(HOLDER, [POSITION])
    assert read_verification(
        COMPANY, stripped_record(verified), {"name": "甲"}
    ) == read_verification(COMPANY, verified, {"name": "甲"})


@pytest.mark.parametrize(
    ("written", "day"),
    [
        (1614528000000, "2021-03-01"),
        (20210301000000, "2021-03-01"),
        (20210301235959, "2021-03-01"),
        # 16:00 in London is midnight in China.
        (1614527999999, "2021-02-28"),
        (1614527999999 - 86_400_000, "2021-02-27"),
        (0, "1970-01-01"),
        (-1, "1970-01-01"),
        (-28_800_001, "1969-12-31"),
        (-2208988800000, "1900-01-01"),
        (9_999_999_999_999, "2286-11-21"),
        (19000101000000, "1900-01-01"),
        (99991231235959, "9999-12-31"),
    ],
)
def test_both_spellings_of_a_date_are_the_same_day(written: int, day: str) -> None:
    """Told apart by size alone; the day is that of China."""
    raw = read_enterprise(COMPANY, {**RECORD, "estdate": written, "opto": written})

    assert raw[FieldName("establish_date")] == day
    assert raw[FieldName("valid_to")] == day


@pytest.mark.parametrize(
    "written",
    [
        20210230000000,
        20210301240000,
        20210301006000,
        10_000_000_000_000,
        202103010000001,
        -(2**53) + 1,
        True,
        "20210301000000",
        Decimal("1614528000000.5"),
        None,
    ],
)
def test_a_date_of_no_calendar_is_malformed(written: DecimalJson) -> None:
    """A record with one such date is not to be trusted with another."""
    with pytest.raises(AnswerMalformed, match="estdate"):
        read_enterprise(COMPANY, {**RECORD, "estdate": written})


@pytest.mark.parametrize(
    ("written", "told"),
    [(100, "100"), (Decimal("37.55"), "37.55"), (Decimal("100.00"), "100"), (0, "0")],
)
def test_an_amount_has_one_spelling(written: int | Decimal, told: str) -> None:
    """What the register writes with or without zeros is one amount."""
    raw = read_enterprise(COMPANY, {**RECORD, "regcap": written})

    assert raw[FieldName("registered_capital")] == told


@pytest.mark.parametrize("written", ["100", True, None, -1, Decimal("0.00001")])
def test_what_is_no_amount_is_malformed(written: DecimalJson) -> None:
    """Texts, truths, debts and more than the catalog's four places."""
    with pytest.raises(AnswerMalformed, match="regcap"):
        read_enterprise(COMPANY, {**RECORD, "regcap": written})


@pytest.mark.parametrize("how", ["absent", "empty", "null"])
@pytest.mark.parametrize(
    "name",
    sorted(set(RECORD) - NEVER_READ),
)
def test_a_member_that_is_due_is_not_silently_empty(name: str, how: str) -> None:
    """Only the end of the term may be null."""
    record = {**RECORD, name: "" if how == "empty" else None}
    if how == "absent":
        del record[name]
    if name == "opto" and how == "null":
        assert FieldName("valid_to") not in read_enterprise(COMPANY, record)
        return

    with pytest.raises((AnswerMalformed, DepartmentFailed)):
        read_enterprise(COMPANY, record)


@pytest.mark.parametrize("name", sorted(set(TRADER_RECORD) - NEVER_READ))
def test_a_sole_trader_has_every_member_too(name: str) -> None:
    """As a company."""
    with pytest.raises((AnswerMalformed, DepartmentFailed)):
        read_sole_trader(TRADER_SUBJECT, {**TRADER_RECORD, name: ""})


@pytest.mark.parametrize("name", ["cerno", "pname", "position", "uniscid", "entname", "regstateCn"])
def test_an_entry_has_every_member_too(name: str) -> None:
    """One incomplete entry makes the whole list unread."""
    with pytest.raises((AnswerMalformed, DepartmentFailed)):
        read_positions(HOLDER, [POSITION, {**POSITION, name: ""}])


def test_an_entry_whose_code_is_none_is_malformed() -> None:
    """Whatever it names, it is no entity."""
    with pytest.raises(AnswerMalformed):
        read_positions(HOLDER, [{**POSITION, "uniscid": "91370100MA3FAKE0IQ"}])


def test_a_list_of_something_else_is_malformed_and_not_cut_short() -> None:
    """A shareholder that cannot be read is not left out in silence."""
    shareholders = RECORD["shareholders"]
    assert isinstance(shareholders, list)

    with pytest.raises(AnswerMalformed, match="shareholders"):
        read_enterprise(COMPANY, {**RECORD, "shareholders": [*shareholders, "赵明"]})


@pytest.mark.parametrize("name", ["ent_idx", "regstateCn", "entchk_checkrcs_msg", "diff_list"])
def test_a_verification_has_every_member_too(name: str) -> None:
    """The state stands in each record, though nothing of it is told."""
    with pytest.raises(AnswerMalformed):
        read_verification(COMPANY, {**verification(), name: None}, {"name": "甲"})


def test_more_shareholders_than_a_company_can_have_are_malformed() -> None:
    """Fifty at most; a list without end would fill the record."""
    one = RECORD["shareholders"]
    assert isinstance(one, list)

    full = read_enterprise(COMPANY, {**RECORD, "shareholders": one * 50})

    assert len(full[FieldName("shareholders")]) == 50
    with pytest.raises(AnswerMalformed, match="shareholders"):
        read_enterprise(COMPANY, {**RECORD, "shareholders": one * 51})


def test_a_misspelt_entry_is_his_and_a_strangers_name_is_not() -> None:
    """The register gives all entries of a number where one name agrees."""
    misspelt = {**POSITION, "pname": "赵铭"}

    raw = read_positions(HOLDER, [misspelt, POSITION])

    assert raw[FieldName("has_active_entity")] is Finding.YES
    with pytest.raises(DepartmentFailed, match="SUBJECT_MISMATCH"):
        read_positions(HOLDER, [misspelt])
    for hidden in ("\u3013\u3013", "赵\ue81a"):
        with pytest.raises(DepartmentFailed, match="SUBJECT_MISMATCH"):
            read_positions(replace(HOLDER, full_name=hidden), [POSITION])


def test_one_strangers_entry_spoils_the_whole_list() -> None:
    """It shows that the answer mixes people."""
    stranger = {**POSITION, "cerno": "370102195603159016"}

    with pytest.raises(DepartmentFailed, match="SUBJECT_MISMATCH"):
        read_positions(HOLDER, [POSITION, stranger])


def test_an_entry_names_the_entity_and_the_position() -> None:
    """And no amount, number or telephone."""
    raw = read_positions(HOLDER, [POSITION])

    entries = raw[FieldName("entity_list")]
    assert isinstance(entries, tuple)
    assert json.loads(entries[0]) == {
        "entname": "济南演示科技有限公司",
        "position": "股东",
        "regstateCn": "存续（在营、开业、在册）",
        "uniscid": "91370100MA3FAKE04Q",
    }
