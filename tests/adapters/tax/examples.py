"""Records as the manual describes them, and the questions they answer."""

from collections.abc import Mapping
from dataclasses import replace

from adapters.kinds.tax.questions import Question, build_question
from adapters.port import FieldName, Subject, SubjectType
from adapters.records import RawRecord
from signing.encoding import JsonValue
from tests.adapters.asking import IS_TRUE, query_of
from tests.adapters.tax.asking import CONTRIBUTION, INCOME_TAX, TAXPAYER

PERSON = ("370203198806019000", "赵晓岚")
FIRM = "91371302MA3MLALH75"
SOLE = "92370102MA3GEKE74B"
CLAIMS = {"period": "202610", "insurance_kind": "110", "tax_year": "2025"}
Members = dict[str, JsonValue]
ENTRY: Members = {
    "SSQ": "202610",
    "XZ": "110",
    "JFJS": "12708.00",
    "DWJE": "2033.28",
    "GRJE": "1016.64",
    "RKRQ": "20261021",
    "SPHM": "372610000000000008",
    "LXDM": "1",
    "JKRSBH": FIRM,
    "ZSJG": "x",
}
REFUND: Members = {
    **ENTRY,
    "DWJE": "-2033.28",
    "GRJE": "-1016.64",
    "SPHM": "372610500000000008",
    "LXDM": "3",
}
PAYMENTS: Members = {
    "JLDM": "0000",
    "JLXX": "ok",
    "ZJHM": PERSON[0],
    "XM": PERSON[1],
    "GXSJ": "20261027000000",
    "ZXQQ": "202511",
    "ZXQZ": "202610",
    "JFMX": [ENTRY],
}
WAGE: Members = {"SSQ": "202501", "SDXM": "0101", "SRE": "12708.00", "KJYWRSBH": FIRM}
INCOME: Members = {
    **{name: PAYMENTS[name] for name in ("JLDM", "JLXX", "ZJHM", "XM", "GXSJ")},
    "ND": 2025,
    "SRDC": "B3",
    "YNSSDE": "88187.99",
    "SRHJ": "165204.00",
    "KJYWRSBH": FIRM,
    "SRMX": [WAGE],
}
FIRM_RECORD: Members = {
    "JLDM": "0000",
    "JLXX": "ok",
    "NSRSBH": FIRM,
    "NSRMC": "示例机械有限公司",
    "NSRZT_DM": "03",
    "NSXYJB": "B",
    "QSBZ": "N",
    "QSJE": "0.00",
    "XWQYBZ": "Y",
    "GXSJ": "20261027000000",
}


def paid(claims: Mapping[str, str] = CLAIMS) -> Question:
    """Ask whether a period was paid; `NOW_MS` of these tests is in November 2026."""
    return build_question(query_of(CONTRIBUTION, PERSON, {"paid_in_period": IS_TRUE}, claims))


def taxed(claims: Mapping[str, str] = CLAIMS) -> Question:
    """Ask for the income of a year."""
    return build_question(query_of(INCOME_TAX, PERSON, {"has_wage_income": IS_TRUE}, claims))


def firm(code: str = FIRM, name: str | None = None) -> Question:
    """Ask about a taxpayer."""
    query = query_of(TAXPAYER, PERSON, {"in_arrears": IS_TRUE})
    subject = Subject(type=SubjectType.USCC, identifier=code, full_name=name)
    return build_question(replace(query, subject=subject))


def value_of(raw: RawRecord | None, name: str) -> object:
    """Return one raw value."""
    assert raw is not None
    return raw.get(FieldName(name))
