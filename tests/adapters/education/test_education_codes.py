"""Each code of the education department has one meaning, in a table and in a test."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from adapters.errors import AnswerMalformed
from adapters.kinds.education.codes import (
    CONCLUSIONS,
    DEGREE_LEVELS,
    DISCIPLINES,
    EDUCATION_LEVELS,
    EDUCATION_TYPES,
    EXPIRED,
    NO_JOB,
    NO_RECORD,
    RECORD_STATES,
    REVOCATIONS,
    REVOKED,
    STUDENT_CODES,
    STUDENT_STATES,
    STUDY_MODES,
)
from adapters.kinds.education.reading import (
    KINDS,
    parse_number,
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

PAGE = (Path(__file__).parents[3] / "docs" / "adapters" / "education.md").read_text("utf-8")
PERSON = "370102198203150024"
NAME = "李明"
NUMBER = "104221200405000123"
DEGREE_NUMBER = "1042242004000123"
Record = dict[str, JsonValue]
OWN: Record = {"zjhm": PERSON, "xm": NAME}
RECORD: Record = {
    **OWN,
    "zsbh": NUMBER,
    "yxdm": "10422",
    "yxmc": "示例大学",
    "ccdm": "21",
    "byrq": "20040701",
    "bjyjl": "毕业",
    "zt": "有效",
}
DEGREE: Record = {
    **OWN,
    "xwzsbh": DEGREE_NUMBER,
    "xwjb": "4",
    "sydw": "示例大学",
    "hxwrq": "20040701",
    "cxbz": "0",
    "cxrq": "",
    "zt": "有效",
}
REVOKED_DEGREE: Record = {**DEGREE, "cxbz": "1", "cxrq": "20190630", "zt": "注销"}
ENROLMENT: Record = {**OWN, "xxmc": "示例大学", "xjzt": "在籍", "yjbyrq": "20270701", "zt": "有效"}
WHOLE: Mapping[str, Record] = {
    "edu.diploma": RECORD,
    "edu.degree": DEGREE,
    "edu.enrolment": ENROLMENT,
}
SECTIONS = {"edu.diploma": "4.4", "edu.degree": "5.", "edu.enrolment": "6."}
SUBJECT = Subject(type=SubjectType.RESIDENT_ID, identifier=PERSON, full_name=NAME)


def section(number: str) -> str:
    """Return the text of one section of the page."""
    match = re.search(rf"^##+ {re.escape(number)} .*?(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert match
    return match[0]


def row(dataset: str, member: str) -> str:
    """Return what the page says of a member."""
    line = next(
        line
        for line in section(SECTIONS[dataset]).splitlines()
        if line.startswith("|") and f"`{member}`" in line.split("|")[1]
    )
    return line.split("|")[3]


def found(dataset: str, *records: Record) -> dict[str, object]:
    """Return what is read of a person's records."""
    raw = read_found(KINDS[dataset], SUBJECT, records, None)
    return {str(name): value for name, value in raw.items()}


@pytest.mark.parametrize(
    ("dataset", "member", "codes"),
    [
        ("edu.diploma", "ccdm", EDUCATION_LEVELS),
        ("edu.diploma", "bxlx", EDUCATION_TYPES),
        ("edu.diploma", "xxxs", STUDY_MODES),
        ("edu.diploma", "bjyjl", CONCLUSIONS),
        ("edu.diploma", "zt", RECORD_STATES),
        ("edu.degree", "xwjb", DEGREE_LEVELS),
        ("edu.enrolment", "xjzt", STUDENT_STATES),
        ("edu.enrolment", "xjzt", STUDENT_CODES),
    ],
)
def test_every_code_of_the_page_is_in_its_table(
    dataset: str, member: str, codes: Mapping[str, object]
) -> None:
    """No code is missing and none is invented."""
    assert set(re.findall(r"`([^`]+)`", row(dataset, member))) == set(codes)


def test_disciplines_and_revocations_are_those_of_the_page() -> None:
    """Fourteen disciplines, two marks."""
    first, last = re.findall(r"`([0-9]{2})`", row("edu.degree", "xkml"))
    marks = re.findall(r"`([0-9])`", row("edu.degree", "cxbz"))

    assert set(DISCIPLINES) == {f"{code:02d}" for code in range(int(first), int(last) + 1)}
    assert set(marks) == set(REVOCATIONS) == set(REVOKED)


def test_the_codes_of_answers_are_those_of_the_page() -> None:
    """Three of them decide; each other one is told by its status alone."""
    listed = set(re.findall(r"`(EDU-[0-9]{4})`", section("8.")))

    assert {NO_RECORD, NO_JOB, EXPIRED} <= listed
    assert f"只有带 `code` 为 `{NO_RECORD}` 的 404 才是“查无”" in section("8.")


@pytest.mark.parametrize("dataset", WHOLE)
def test_mandatory_members_are_those_of_the_page(dataset: str) -> None:
    """The page and the reader name the same."""
    line = re.search(r"^必有的成员：(.*)$", section(SECTIONS[dataset]), re.MULTILINE)
    kind = KINDS[dataset]

    assert line
    beside = {name for members in kind.mandatory_beside.values() for name in members}
    named = set(re.findall(r"`([a-z]+)`", line[1]))
    assert named == {"zjhm", "xm"} | kind.mandatory | beside


@pytest.mark.parametrize(
    ("dataset", "member"),
    [(dataset, member) for dataset in WHOLE for member in sorted(KINDS[dataset].mandatory)],
)
@pytest.mark.parametrize("emptied", ["", None])
def test_a_mandatory_member_silently_emptied_is_malformed(
    dataset: str, member: str, emptied: JsonValue
) -> None:
    """It is neither no value, nor "cannot tell", nor a mismatch."""
    record = {**WHOLE[dataset], member: emptied}

    with pytest.raises(AnswerMalformed):
        found(dataset, record)
    # Also where another of the person's records would have been chosen.
    with pytest.raises(AnswerMalformed):
        found(dataset, WHOLE[dataset], record)


def test_a_revocation_without_its_day_is_malformed() -> None:
    """A degree that is none has a day since which it is none."""
    with pytest.raises(AnswerMalformed):
        found("edu.degree", {**REVOKED_DEGREE, "cxrq": ""})


@pytest.mark.parametrize(
    ("code", "finding"),
    [("有效", Finding.YES), ("注销", Finding.NO), ("?", Finding.INDETERMINATE)],
)
def test_each_record_state_has_its_finding(code: str, finding: Finding) -> None:
    """A cancelled diploma does not verify, an unknown state says nothing."""
    raw = read_verified(KINDS["edu.diploma"], SUBJECT, {**RECORD, "zt": code}, NUMBER)

    assert raw[FieldName("verified")] is finding


@pytest.mark.parametrize(
    ("record", "verified", "revoked"),
    [
        (DEGREE, Finding.YES, "false"),
        (REVOKED_DEGREE, Finding.NO, "true"),
        # Revoked, and the state was not carried along.
        ({**REVOKED_DEGREE, "zt": "有效"}, Finding.NO, "true"),
        # Cancelled for another cause than revocation.
        ({**DEGREE, "zt": "注销"}, Finding.NO, "false"),
        ({**DEGREE, "cxbz": "2"}, Finding.INDETERMINATE, None),
        ({**DEGREE, "zt": "?"}, Finding.INDETERMINATE, "false"),
        # Not revoked, and since when it is: two things at once.
        ({**DEGREE, "cxrq": "20190630"}, Finding.INDETERMINATE, None),
        ({**DEGREE, "cxrq": "20190630", "zt": "注销"}, Finding.NO, None),
    ],
)
def test_a_degree_verifies_only_if_nothing_speaks_against_it(
    record: Record, verified: Finding, revoked: str | None
) -> None:
    """A revoked degree is none; whether it is revoked must be told."""
    raw = read_verified(KINDS["edu.degree"], SUBJECT, record, DEGREE_NUMBER)

    assert raw[FieldName("verified")] is verified
    assert raw.get(FieldName("revoked")) == revoked
    assert "20190630" not in json.dumps(dict(raw))


@pytest.mark.parametrize(
    ("state", "record_state", "finding"),
    [
        ("在籍", "有效", Finding.YES),
        ("休学", "有效", Finding.NO),
        ("毕业", "有效", Finding.NO),
        ("转学", "有效", Finding.INDETERMINATE),
        ("在籍", "注销", Finding.NO),
        ("在籍", "?", Finding.INDETERMINATE),
        ("转学", "注销", Finding.NO),
    ],
)
def test_each_student_state_has_its_finding(
    state: str, record_state: str, finding: Finding
) -> None:
    """An unknown state is neither enrolled nor not, and no value."""
    raw = found("edu.enrolment", {**ENROLMENT, "xjzt": state, "zt": record_state})

    assert raw["is_enrolled"] is finding
    assert ("student_status" in raw) is (state in STUDENT_STATES)


def test_of_several_enrolments_the_one_that_goes_on_is_meant() -> None:
    """A later day of graduation counts among those only that are over."""
    college = {**ENROLMENT, "xjzt": "毕业", "xxmc": "专科", "yjbyrq": "20260701"}
    other = {**ENROLMENT, "xjzt": "毕业", "xxmc": "夜校", "yjbyrq": "20300701"}
    gone = {**ENROLMENT, "zt": "注销", "xxmc": "退学", "yjbyrq": "20310701"}

    assert found("edu.enrolment", college, ENROLMENT, other, gone)["is_enrolled"] is Finding.YES
    assert found("edu.enrolment", other, college)["school_name"] == "夜校"


def test_an_enrolment_without_a_day_of_graduation_is_told_without_it() -> None:
    """Of the suspended nobody may know when."""
    raw = found("edu.enrolment", {**ENROLMENT, "xjzt": "休学", "yjbyrq": ""})

    assert set(raw) == {"school_name", "student_status", "is_enrolled"}


@pytest.mark.parametrize(
    ("dataset", "field", "member", "table"),
    [
        ("edu.diploma", "education_level", "ccdm", EDUCATION_LEVELS),
        ("edu.diploma", "education_type", "bxlx", EDUCATION_TYPES),
        ("edu.diploma", "study_mode", "xxxs", STUDY_MODES),
        ("edu.diploma", "conclusion", "bjyjl", CONCLUSIONS),
        ("edu.degree", "degree_level", "xwjb", DEGREE_LEVELS),
        ("edu.degree", "discipline", "xkml", DISCIPLINES),
        ("edu.enrolment", "student_status", "xjzt", STUDENT_CODES),
    ],
)
def test_each_code_of_a_table_is_told_and_no_other(
    dataset: str, field: str, member: str, table: Mapping[str, str]
) -> None:
    """A code the manual does not name is no value."""
    told = {
        code: found(dataset, {**WHOLE[dataset], member: code}).get(field)
        for code in (*table, "unheard of")
    }

    assert told == {**table, "unheard of": None}


@pytest.mark.parametrize(
    ("dataset", "member", "number"),
    [
        ("edu.diploma", "zsbh", "10422120020500123"),
        ("edu.diploma", "zsbh", "65370102000123456"),
        ("edu.degree", "xwzsbh", "1042242004S00123"),
        ("edu.degree", "xwzsbh", "1042242004E00123"),
        ("edu.degree", "xwzsbh", "C1042242004000123"),
        ("edu.degree", "xwzsbh", "T1042232004000123"),
        ("edu.degree", "xwzsbh", "Z1042232004000123"),
    ],
)
def test_every_layout_of_a_number_is_kept_as_it_is(dataset: str, member: str, number: str) -> None:
    """17 digits, self-taught, second degrees and prefixes: letters are part of the number."""
    record = {**WHOLE[dataset], member: number}

    assert parse_number(KINDS[dataset], number) == number
    assert (
        read_verified(KINDS[dataset], SUBJECT, record, number)[FieldName("certificate_no")]
        == number
    )


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
        "institution_code",
        "institution_name",
        "education_level",
        "graduation_date",
        "conclusion",
        "verified",
    }
    assert "AAAA" not in json.dumps(dict(raw))
