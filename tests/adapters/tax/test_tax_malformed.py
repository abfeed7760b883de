"""Records of the tax department that break its manual, are somebody else's, or are added up."""

import pytest

from adapters.errors import AnswerMalformed, DepartmentFailed
from adapters.kinds.tax.questions import Question
from adapters.kinds.tax.reading import read_record, sum_record
from adapters.port import Indeterminate
from signing.encoding import JsonValue
from tests.adapters.tax.examples import (
    ENTRY,
    FIRM_RECORD,
    INCOME,
    PAYMENTS,
    REFUND,
    SOLE,
    Members,
    firm,
    paid,
    taxed,
)

MANDATORY = [
    *((paid(), PAYMENTS, name) for name in ("JLDM", "ZJHM", "XM", "ZXQQ", "ZXQZ", "JFMX")),
    *((taxed(), INCOME, name) for name in ("ZJHM", "XM", "ND", "SRDC", "KJYWRSBH", "SRMX")),
    *((firm(), FIRM_RECORD, name) for name in ("NSRSBH", "NSRZT_DM", "QSBZ", "XWQYBZ")),
]


@pytest.mark.parametrize(
    ("question", "members", "name"),
    MANDATORY,
    ids=[f"{q.service.name}-{n}" for q, _, n in MANDATORY],
)
def test_a_mandatory_member_left_out_or_emptied_is_malformed(
    question: Question, members: Members, name: str
) -> None:
    """It is not "no value": silence about it would pass for a finding."""
    for spoiled in (
        {key: each for key, each in members.items() if key != name},
        {**members, name: ""},
        {**members, name: None},
        {**members, name: []},
    ):
        with pytest.raises(AnswerMalformed):
            read_record(question, spoiled)


@pytest.mark.parametrize("name", ["SSQ", "XZ", "JFJS", "DWJE", "GRJE", "RKRQ", "SPHM", "LXDM"])
def test_a_mandatory_member_of_an_entry_likewise(name: str) -> None:
    """Also of an entry nobody asked about: the list is read whole or not at all."""
    for spoiled in ({**ENTRY, name: ""}, {k: v for k, v in ENTRY.items() if k != name}):
        with pytest.raises(AnswerMalformed):
            read_record(paid({"period": "202609"}), {**PAYMENTS, "JFMX": [spoiled]})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("DWJE", text) for text in ("1", "1.0", "01.00", "+1.00", "1e2", "1,000.00", " 1.00")),
        *(("SSQ", text) for text in ("202613", "2026-10", "20261001")),
        *(("RKRQ", text) for text in ("20260230", "2026-10-21", "202610")),
        *(("SPHM", text) for text in ("37261000000000000", "37261000000000000A")),
        ("DWJE", 2033.28),
        ("DWJE", "-0.01"),
    ],
)
def test_a_value_in_another_spelling_is_malformed(name: str, value: JsonValue) -> None:
    """One spelling each; a payment of less than nothing is none."""
    with pytest.raises(AnswerMalformed):
        read_record(paid(), {**PAYMENTS, "JFMX": [{**ENTRY, name: value}]})


@pytest.mark.parametrize(
    "entries",
    [
        [],
        [ENTRY] * 501,
        [ENTRY, {**ENTRY, "DWJE": "1.00"}],
        [{**REFUND, "GRJE": "1.00"}],
        [ENTRY, "x"],
        {"SSQ": "202610"},
    ],
)
def test_entries_that_cannot_be_the_manuals_are_malformed(entries: JsonValue) -> None:
    """None, too many, one number for two, a refund that pays, something else than entries."""
    with pytest.raises(AnswerMalformed):
        read_record(paid(), {**PAYMENTS, "JFMX": entries})


def test_kept_periods_that_end_before_they_begin_are_malformed() -> None:
    """Nothing could be told from them."""
    with pytest.raises(AnswerMalformed):
        read_record(paid(), {**PAYMENTS, "ZXQQ": "202611"})


@pytest.mark.parametrize("year", [2024, "2025", True, 2025.5, None])
def test_a_record_of_another_year_is_malformed(year: JsonValue) -> None:
    """It would be signed as the answer for the asked one."""
    with pytest.raises(AnswerMalformed):
        read_record(taxed(), {**INCOME, "ND": year})


@pytest.mark.parametrize(
    ("question", "members"),
    [
        (paid(), {**PAYMENTS, "ZJHM": "370102198203159010"}),
        (paid(), {**PAYMENTS, "XM": "王小二"}),
        (paid(), {**PAYMENTS, "JLDM": "1003", "XM": "王小二"}),
        (taxed(), {**INCOME, "ZJHM": "x"}),
        (taxed(), {**INCOME, "JLDM": "1003", "ZJHM": "370102198203159010"}),
        (firm(), {**FIRM_RECORD, "NSRSBH": SOLE}),
        (firm(name="另一家有限公司"), FIRM_RECORD),
    ],
)
def test_a_record_of_somebody_else_is_a_mismatch(question: Question, members: Members) -> None:
    """Before anything of it is read."""
    with pytest.raises(DepartmentFailed) as failed:
        read_record(question, members)

    assert failed.value.reason is Indeterminate.SUBJECT_MISMATCH


@pytest.mark.parametrize(
    ("question", "members", "total"),
    [
        (paid(), {**PAYMENTS, "JFMX": [ENTRY, ENTRY, REFUND]}, "3049.92"),
        (taxed(), INCOME, "88187.99"),
        (firm(), {**FIRM_RECORD, "QSJE": "12.50"}, "12.50"),
        (paid(), {**PAYMENTS, "JLDM": "1003"}, "0.00"),
    ],
)
def test_the_sum_of_a_record_is_the_manifests(
    question: Question, members: Members, total: str
) -> None:
    """Section 3: refunds and doubles as they stand, records without values as nothing."""
    assert str(sum_record(question.service, members)) == total
