"""Each code of the education department has one meaning, in a table and in a test."""

import json
from collections.abc import Mapping

import pytest

from adapters.kinds.education.reading import (
    CONCLUSIONS,
    DEGREE_LEVELS,
    DISCIPLINES,
    EDUCATION_LEVELS,
    EDUCATION_TYPES,
    KINDS,
    RECORD_STATES,
    REVOCATIONS,
    REVOKED,
    STUDENT_STATES,
    STUDY_MODES,
    read_found,
    read_verified,
)
from adapters.port import (
    FieldName,
    Finding,
    Subject,
    SubjectType,
)
from signing.encoding import JsonValue
from tests.adapters.asking import shape_of

PERSON = "370102198203150024"
NAME = "李明"
NUMBER = "104221200405000123"
RECORD: dict[str, JsonValue] = {
    "zjhm": PERSON,
    "xm": NAME,
    "zsbh": NUMBER,
    "yxmc": "示例大学",
    "byrq": "20040701",
    "zt": "有效",
}
SUBJECT = Subject(type=SubjectType.RESIDENT_ID, identifier=PERSON, full_name=NAME)
DIPLOMA = shape_of(
    "edu.diploma@1", {"institution_name": "str100", "graduation_date": "date", "verified": "pred"}
)
TOKEN = {"access_token": "t", "token_type": "Bearer", "expires_in": 600}
JOB = "/api/v1/jobs/" + "0" * 32


@pytest.mark.parametrize(
    ("code", "finding"), [*RECORD_STATES.items(), ("?", Finding.INDETERMINATE)]
)
def test_each_record_state_has_its_finding(code: str, finding: Finding) -> None:
    """A cancelled diploma does not verify, an unknown state says nothing."""
    raw = read_verified(KINDS["edu.diploma"], SUBJECT, {**RECORD, "zt": code}, NUMBER)

    assert raw[FieldName("verified")] is finding


@pytest.mark.parametrize(
    ("revoked", "finding"), [*REVOCATIONS.items(), ("", Finding.INDETERMINATE)]
)
def test_each_revocation_code_has_its_finding(revoked: str, finding: Finding) -> None:
    """A revoked degree is none; whether it is revoked must be told."""
    record = {**RECORD, "xwzsbh": "1042242004000123", "cxbz": revoked}

    raw = read_verified(KINDS["edu.degree"], SUBJECT, record, "1042242004000123")

    assert raw[FieldName("verified")] is finding
    assert raw.get(FieldName("revoked")) == REVOKED.get(revoked)


@pytest.mark.parametrize(
    ("code", "finding"), [*STUDENT_STATES.items(), ("转学", Finding.INDETERMINATE)]
)
def test_each_student_state_has_its_finding(code: str, finding: Finding) -> None:
    """An unknown state is neither enrolled nor not, and no value."""
    record = {**RECORD, "xjzt": code}

    raw = read_found(KINDS["edu.enrolment"], SUBJECT, [record], None)

    assert raw[FieldName("is_enrolled")] is finding
    assert (FieldName("student_status") in raw) is (code in STUDENT_STATES)


@pytest.mark.parametrize(
    ("dataset", "field", "member", "table"),
    [
        ("edu.diploma", "education_level", "ccdm", EDUCATION_LEVELS),
        ("edu.diploma", "education_type", "bxlx", EDUCATION_TYPES),
        ("edu.diploma", "study_mode", "xxxs", STUDY_MODES),
        ("edu.diploma", "conclusion", "bjyjl", CONCLUSIONS),
        ("edu.degree", "degree_level", "xwjb", DEGREE_LEVELS),
        ("edu.degree", "discipline", "xkml", DISCIPLINES),
    ],
)
def test_each_code_of_a_table_is_told_and_no_other(
    dataset: str, field: str, member: str, table: Mapping[str, str]
) -> None:
    """A code the manual does not name is no value."""
    told = {
        code: read_found(KINDS[dataset], SUBJECT, [{**RECORD, member: code}], None).get(
            FieldName(field)
        )
        for code in (*table, "unheard of")
    }

    assert told == {**table, "unheard of": None}


def test_of_several_diplomas_the_highest_valid_one_is_meant() -> None:
    """A doctorate counts before a later college diploma, a valid one before a cancelled one."""
    college = {**RECORD, "ccdm": "31", "byrq": "20100701", "yxmc": "专科"}
    doctor = {**RECORD, "ccdm": "11", "byrq": "20080701", "yxmc": "博士"}
    cancelled = {**RECORD, "ccdm": "11", "byrq": "20200701", "yxmc": "注销", "zt": "注销"}

    raw = read_found(KINDS["edu.diploma"], SUBJECT, [college, doctor, cancelled], None)

    assert raw[FieldName("institution_name")] == "博士"


def test_what_the_manual_does_not_name_is_dropped() -> None:
    """Photos and birth dates that nobody asked for are not even raw values."""
    record = {**RECORD, "zp": "AAAA", "csrq": "19820315", "rxrq": "20000901"}

    raw = read_found(KINDS["edu.diploma"], SUBJECT, [record], None)

    assert set(raw) == {
        "person_id",
        "full_name",
        "certificate_no",
        "institution_name",
        "graduation_date",
        "verified",
    }
    assert "AAAA" not in json.dumps(dict(raw))
