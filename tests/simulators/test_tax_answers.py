"""The tax department answers packages as its manual says."""

import re
from pathlib import Path

import pytest

from adapters.simulators.population import (
    Person,
    Population,
    Quirk,
    planted_index,
    tax_record,
)
from adapters.simulators.population.tax_contributions import held_periods
from tests.simulators.tax_client import (
    INCOME,
    SIGN_KEY,
    TAXPAYER,
    Record,
    TaxClient,
    ask,
    converse,
    signature,
    sm3,
    unpack,
)

MANUAL = Path(__file__).resolve().parents[2] / "docs" / "adapters" / "tax.md"
LAST = held_periods()[1]


def about(person: Person, **members: str | int) -> dict[str, str | int]:
    """Ask for the last month of a person's contributions."""
    named = {"ZJHM": person.id_number, "XM": person.full_name, "SXBM": "M3", "BJBH": "case-0001"}
    return {**named, **({"SSQQ": LAST, "SSQZ": LAST} if "ND" not in members else {}), **members}


def of_taxpayer(number: str, **members: str) -> dict[str, str | int]:
    """Ask about a taxpayer."""
    return {"NSRSBH": number, "SXBM": "M6", "BJBH": "case-0001", **members}


def entries(record: Record) -> list[dict[str, str]]:
    """List the entries of a record of contributions."""
    found = record["JFMX"]
    assert isinstance(found, list)
    return [
        {str(k): str(v) for k, v in entry.items()} for entry in found if isinstance(entry, dict)
    ]


def test_the_vector_of_the_manual() -> None:
    """Signature, acknowledgement, coding and digest come out as printed."""
    text = MANUAL.read_text()
    content = re.findall(r"```json\n(\{\"ZJHM\".*\})\n```", text)[0].encode()
    head = ["4f9d1f6e0f6d4e0f9b1f0a2c3d4e5f60", "SWZJ.HXZG.CX.GRSBFJF", "HRSS370000",
            "2026110100000001", ""]  # fmt: skip
    signs = re.findall(r"`signValue` = `([0-9a-f]{64})`", text)
    coded = re.findall(r"```\n(eJ[A-Za-z0-9+/=]+)\n```", text)[0]

    assert SIGN_KEY.decode() in text
    assert signs == [signature(head, [("1", content)]), signature([*head[:4], "00000000"], [])]
    assert unpack(coded) == content
    assert sm3(b"abc") in text


async def test_many_persons_in_one_package(tax_client: TaxClient, people: Population) -> None:
    """Each question has its record; each record is of whom was asked."""
    persons = [people.person(index) for index in range(400, 460)]

    answer = await converse(tax_client, ask(*(about(person) for person in persons)))

    records = answer.records
    assert list(records) == [str(number) for number in range(1, 61)]
    for person, record in zip(persons, records.values(), strict=True):
        view = tax_record(person)
        if view.full_name != person.full_name:
            assert record["JLDM"] == "1002"
            continue
        assert (record["ZJHM"], record["XM"]) == (person.id_number, person.full_name)
        assert record["JLDM"] == ("0000" if view.contribution else "1003")
        assert (record["ZXQQ"], record["ZXQZ"]) == held_periods()
    assert {record["JLDM"] for record in records.values()} >= {"0000", "1003"}


async def test_contributions_are_over_returned(tax_client: TaxClient, people: Population) -> None:
    """One month was asked, twelve come, with the payer; amounts and dates as the view has them."""
    person = people.person(planted_index(Quirk.ORDINARY_EMPLOYEE))
    view = tax_record(person).contribution

    found = entries((await converse(tax_client, ask(about(person)))).records["1"])

    assert len({entry["SSQ"] for entry in found}) == 12
    assert [entry["SPHM"] for entry in found] == [entry.voucher_no for entry in view]
    assert found[0]["DWJE"] == f"{view[0].paid_unit / 100:.2f}"
    assert found[0]["RKRQ"] == f"{view[0].paid_date:%Y%m%d}"
    assert {"JKRSBH", "JKRMC", "ZSJG"} <= found[0].keys()


@pytest.mark.parametrize(
    ("quirk", "net"),
    [
        (Quirk.TAX_PERIOD_WRONG, False),
        (Quirk.TAX_REFUND_NEGATIVE, False),
        (Quirk.CONTRIBUTION_TWICE, True),
    ],
)
async def test_planted_contributions(
    tax_client: TaxClient, people: Population, quirk: Quirk, *, net: bool
) -> None:
    """Read as the manual says, the last month is paid or not."""
    person = people.person(planted_index(quirk))

    found = entries((await converse(tax_client, ask(about(person)))).records["1"])

    vouchers = {entry["SPHM"]: entry for entry in found if entry["SSQ"] == LAST}
    assert (sum(float(each["DWJE"]) + float(each["GRJE"]) for each in vouchers.values()) > 0) is net
    if quirk is Quirk.TAX_REFUND_NEGATIVE:
        assert {each["LXDM"] for each in vouchers.values()} == {"1", "3"}
        assert any(each["GRJE"].startswith("-") for each in vouchers.values())
    if quirk is Quirk.CONTRIBUTION_TWICE:
        assert len(found) == len({each["SPHM"] for each in found}) + 4


async def test_income_is_over_returned(tax_client: TaxClient, people: Population) -> None:
    """Band, agent, wages by month; taxable income and the year before come along."""
    person = people.person(planted_index(Quirk.ORDINARY_EMPLOYEE))
    view = tax_record(person).income_tax
    assert view is not None

    record = (await converse(tax_client, ask(about(person, ND=2025), service=INCOME))).records["1"]

    assert (record["ND"], record["SRDC"]) == (2025, view.income_band)
    assert record["KJYWRSBH"] == view.withholding_agent
    assert record["YNSSDE"] == f"{view.taxable_income / 100:.2f}"
    assert isinstance(record["SRMX"], list)
    assert len(record["SRMX"]) == 12
    assert record["QTND"]


async def test_no_income_is_a_record_of_the_person(
    tax_client: TaxClient, people: Population
) -> None:
    """A pensioner is known, and nothing was declared of him."""
    person = people.person(planted_index(Quirk.ORDINARY_PENSIONER))

    record = (await converse(tax_client, ask(about(person, ND=2025), service=INCOME))).records["1"]

    assert (record["JLDM"], record["ZJHM"], record["ND"]) == ("1003", person.id_number, 2025)


async def test_taxpayers(tax_client: TaxClient, people: Population) -> None:
    """State, arrears, size; a revoked one is still there, a sole trader has no grade."""
    views = [
        tax_record(people.person(planted_index(quirk))).taxpayer
        for quirk in (Quirk.ORDINARY_EMPLOYEE, Quirk.EMPLOYER_REVOKED, Quirk.SOLE_TRADER)
    ]
    numbers = [view.taxpayer_id for view in views if view]
    strange = [of_taxpayer("91370100MA3FAKE04Q"), of_taxpayer(numbers[0], NSRMC="别的公司")]

    package = ask(*(of_taxpayer(number) for number in numbers), *strange, service=TAXPAYER)
    records = (await converse(tax_client, package)).records

    assert [record["JLDM"] for record in records.values()] == ["0000"] * 3 + ["1001", "1002"]
    assert [records[each]["NSRSBH"] for each in "123"] == numbers
    assert [records[each]["NSRZT_DM"] for each in "123"] == ["03", "05", "03"]
    assert ("NSXYJB" in records["1"], "NSXYJB" in records["3"]) == (True, False)
    assert set(records["1"]) >= {"QSBZ", "QSJE", "XWQYBZ", "CYRS", "DJXH", "NSRMC", "GXSJ"}


async def test_codes_of_records(tax_client: TaxClient, people: Population) -> None:
    """Unknown, misnamed, shared number, and questions that are none; the others are answered."""
    person = people.person(400)
    one, two = (people.person(planted_index(Quirk.TWO_PEOPLE_ONE_ID) + shift) for shift in (0, 4))
    good = about(person)
    questions = [
        good,
        {**good, "ZJHM": "37010219560315901X"},
        about(people.person(404)) | {"ZJHM": "11010519491231002X"},
        {**good, "XM": "别人"},
        about(one),
        about(two),
        {**good, "SSQQ": "202611"},
        {**good, "SSQQ": "202613", "SSQZ": "202613"},
        {**good, "SSQQ": "202001", "SSQZ": "202610"},
        {**good, "XM": ""},
        {**good, "more": "1"},
        {name: value for name, value in good.items() if name != "BJBH"},
        {**good, "SXBM": 3},
    ]

    records = (await converse(tax_client, ask(*questions))).records

    codes = [record["JLDM"] for record in records.values()]
    assert codes[0] in {"0000", "1003"}
    assert codes[1:4] == ["1005", "1001", "1002"]
    assert {codes[4], codes[5]} <= {"0000", "1003"}
    assert records["5"]["XM"] != records["6"]["XM"]
    assert codes[6:] == ["1005"] * 7
    assert set(records["4"]) == {"JLDM", "JLXX"}


@pytest.mark.parametrize("year", [2018, "2025", True, 2100])
async def test_a_year_must_be_a_year(
    tax_client: TaxClient, people: Population, year: int | str
) -> None:
    """Text, truth and years outside the range are no questions."""
    package = ask(about(people.person(400), ND=year), service=INCOME)

    assert (await converse(tax_client, package)).records["1"]["JLDM"] == "1005"


@pytest.mark.parametrize("quirk", [Quirk.NAME_DOT_2022, Quirk.NAME_PRIVATE_USE])
async def test_names_are_held_with_one_dot(
    tax_client: TaxClient, people: Population, quirk: Quirk
) -> None:
    """The dot is U+00B7; other dots are another name; rare characters come back as they are."""
    person = people.person(planted_index(quirk))
    other = about(person) | {"XM": person.full_name.replace("·", "•") + "x"}

    records = (await converse(tax_client, ask(about(person), other))).records

    assert records["1"]["XM"] == person.full_name
    assert records["2"]["JLDM"] == "1002"


async def test_five_hundred_in_one_package(tax_client: TaxClient, people: Population) -> None:
    """The largest package is answered in one result."""
    package = ask(*(about(people.person(index)) for index in range(300, 800)))

    assert len((await converse(tax_client, package)).parts) == 500


async def test_the_same_question_has_the_same_answer(
    tax_client: TaxClient, people: Population
) -> None:
    """Two packages of their own, octet for octet the same contents."""
    question = about(people.person(planted_index(Quirk.ORDINARY_EMPLOYEE)))

    first = await converse(tax_client, ask(question))
    second = await converse(tax_client, ask(question))

    assert first.parts == second.parts
