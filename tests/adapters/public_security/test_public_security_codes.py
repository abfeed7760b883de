"""Each code of the population register has one meaning, in a table, on the page and in a test."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from adapters.errors import AnswerMalformed, DepartmentFailed
from adapters.kinds.public_security.codes import (
    BANDS,
    CANCEL_REASONS,
    HEAD_CODES,
    HEAD_OK,
    PERSON_STATES,
    PLATFORM_CODES,
    PORTRAIT_FAILURES,
    PORTRAIT_FINDINGS,
    PORTRAITS,
    RECORD_ABSENT,
    RECORD_FAILURES,
    RECORD_FINDINGS,
    RECORD_OK,
    RELATION,
    SEXES,
    TEMPLATE_VERSION,
    TRY_AGAIN,
    YES_NO,
)
from adapters.kinds.public_security.package import AnsweredRecord
from adapters.kinds.public_security.reading import (
    OPERATIONS,
    build_question,
    read_record,
)
from adapters.mapping.codes import code_table
from adapters.port import Finding, Indeterminate
from tests.adapters.asking import query_of, shape_of

PAGE = (Path(__file__).parents[3] / "docs" / "adapters" / "public_security.md").read_text("utf-8")
PERSON, NAME, DIGEST = "370102198203150024", "李明", "ab" * 32
SHAPE = shape_of("ps.person_verify@1", {"deceased": "pred"})
CLAIMS = {
    "ps.household": {"relative_id": PERSON, "relative_name": "王芳"},
    "ps.photo_compare": {"photo_digest": DIGEST},
}
WHOLE: Mapping[str, Mapping[str, str]] = {
    "ps.person_verify": {"GMSFHM_PPDDM": "1", "XM_PPDDM": "1", "SWBS": "0"},
    "ps.person_core": {"XM": NAME, "XB": "1", "CSRQ": "19820315", "RYZT": "0"},
    "ps.household": {
        "HH": "370102000123",
        "HZXM": NAME,
        "YHZGX": "02",
        "HRS": "3",
        "TH": "1",
        "QSGX": "1",
    },
    "ps.death_cancel": {"ZXBS": "1", "ZXRQ": "20260110", "ZXYY": "1", "SWRQ": "20260108"},
    "ps.photo_compare": {"XPZY": DIGEST, "BDJG": "1", "XSD": "97.00"},
}
"""A record of each dataset with nothing missing."""


def section(number: str) -> str:
    """Return the text of one section of the page."""
    match = re.search(rf"^### {re.escape(number)} .*?(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert match
    return match[0]


def row(member: str) -> str:
    """Return the page's row of a member."""
    match = re.search(rf"^\| `{member}` \| .*$", section("3.3"), re.MULTILINE)
    assert match
    return match[0]


def read(dataset: str, code: str = "10", **members: str) -> dict[str, object] | None:
    """Return what a whole record says with some members of another value."""
    query = query_of(SHAPE, (PERSON, NAME), {}, CLAIMS.get(dataset))
    record = AnsweredRecord(code=code, members={"GMSFHM": PERSON, **WHOLE[dataset], **members})
    raw = read_record(build_question(OPERATIONS[dataset], query), record)
    return None if raw is None else {str(name): value for name, value in raw.items()}


def test_every_platform_code_of_the_page_is_known() -> None:
    """And no other may stand in the diagnostics."""
    listed = re.findall(r"^\| `(-1|E-[0-9]+)` \|", section("1.3"), re.MULTILINE)

    assert set(listed) == PLATFORM_CODES
    assert set(TRY_AGAIN) == {"-1", "E-103", "E-104"}


def test_every_head_code_of_the_page_is_in_the_table() -> None:
    """`10` is the only one after which records are read."""
    line = re.search(r"^头码 `FHDM`：(.*)$", section("3.2"), re.MULTILINE)

    assert line
    assert set(re.findall(r"`([0-9]{2})`", line[1])) == {HEAD_OK, *HEAD_CODES}


def test_every_record_code_of_the_page_is_in_a_table() -> None:
    """The comparison of portraits knows four more than the others."""
    listed = re.findall(r"^\| `([0-9]{2})` \|", section("3.2"), re.MULTILINE)

    common = {RECORD_OK, RECORD_ABSENT, *RECORD_FINDINGS, *RECORD_FAILURES}
    assert set(listed) == common | {*PORTRAIT_FINDINGS, *PORTRAIT_FAILURES}
    assert set(listed) - common == {"16", "17", "18", "19"}


@pytest.mark.parametrize(
    ("member", "table"),
    [
        ("GMSFHM_PPDDM", YES_NO),
        ("SWBS", YES_NO),
        ("ZXBS", YES_NO),
        ("TH", RELATION),
        ("QSGX", RELATION),
        ("ZXYY", CANCEL_REASONS),
        ("XB", SEXES),
    ],
)
def test_every_code_of_a_member_on_the_page_is_in_its_table(
    member: str, table: Mapping[str, object]
) -> None:
    """No code is missing and none is invented."""
    codes = set(re.findall(r"(?<![0-9.])([0-9])(?![0-9.])", row(member).split("|")[3]))

    assert codes == set(table)


def test_person_states_are_those_of_the_page() -> None:
    """Four codes, three words."""
    assert set(re.findall(r"`([0-9])`", row("RYZT"))) == set(PERSON_STATES)
    assert set(PERSON_STATES.values()) == {"正常", "注销", "迁出"}


def test_sexes_are_those_of_the_standard() -> None:
    """GB/T 2261.1."""
    assert set(SEXES) == set(code_table("GB/T2261.1").entries)


def test_the_bands_and_the_verdicts_are_those_of_the_page() -> None:
    """Nine cells, read off the page."""
    rows = re.findall(
        r"^\| `([019])` \| `(\w+)` \| `(\w+)` \| `(\w+)` \|", section("3.4"), re.MULTILINE
    )
    bands = [band for _, band in BANDS]

    told = {
        (verdict, band): Finding(found)
        for verdict, *found_by_band in rows
        for band, found in zip(bands, found_by_band, strict=True)
    }
    assert told == PORTRAITS
    assert f"`{TEMPLATE_VERSION}`" in section("3.4")
    assert [str(least) for least, _ in BANDS] == ["80", "60", "0"]


def test_each_record_code_has_its_finding() -> None:
    """A number that can be none is the asker's error."""
    assert dict(RECORD_FINDINGS) == {"12": Finding.ERROR}
    assert read("ps.person_verify", "12") == {
        "id_match": Finding.ERROR,
        "name_match": Finding.ERROR,
        "deceased": Finding.ERROR,
    }


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("13", Indeterminate.SUBJECT_UNRESOLVED),
        ("14", Indeterminate.SUBJECT_UNRESOLVED),
        ("15", Indeterminate.PROVIDER_TIMEOUT),
        ("16", Indeterminate.PROVIDER_FAULT),
        ("17", Indeterminate.PROVIDER_FAULT),
        ("18", Indeterminate.PROVIDER_FAULT),
        ("19", Indeterminate.PROVIDER_FAULT),
        ("", Indeterminate.PROVIDER_FAULT),
    ],
)
@pytest.mark.parametrize("dataset", sorted(WHOLE.keys() - {"ps.photo_compare"}))
def test_each_failing_record_code_has_its_reason(
    dataset: str, code: str, reason: Indeterminate
) -> None:
    """A code that only the comparison of portraits can get is a fault anywhere else."""
    with pytest.raises(DepartmentFailed) as caught:
        read(dataset, code)

    assert caught.value.reason is reason


@pytest.mark.parametrize("dataset", sorted(WHOLE))
def test_not_found_is_told_before_anything_else(dataset: str) -> None:
    """Code 11, whatever stands beside it."""
    assert read(dataset, "11") is None


@pytest.mark.parametrize(
    ("code", "finding"),
    [("1", Finding.YES), ("0", Finding.NO), ("7", Finding.INDETERMINATE)],
)
def test_each_match_code_has_its_finding(code: str, finding: Finding) -> None:
    """An unknown mark says nothing."""
    raw = read("ps.person_verify", GMSFHM_PPDDM=code, XM_PPDDM=code, SWBS=code)

    assert raw == {"id_match": finding, "name_match": finding, "deceased": finding}


@pytest.mark.parametrize(
    ("code", "finding"),
    [
        ("1", Finding.YES),
        ("0", Finding.NO),
        ("9", Finding.INDETERMINATE),
        ("5", Finding.INDETERMINATE),
    ],
)
def test_each_relation_code_has_its_finding(code: str, finding: Finding) -> None:
    """9 is neither yes nor no."""
    raw = read("ps.household", TH=code, QSGX=code)

    assert raw is not None
    assert (raw["same_household"], raw["kinship_ok"]) == (finding, finding)


@pytest.mark.parametrize(
    ("dataset", "member", "field", "told"),
    [
        (
            "ps.person_core",
            "RYZT",
            "person_state",
            {"0": "正常", "1": "注销", "2": "迁出", "3": "注销", "9": None},
        ),
        ("ps.person_core", "XB", "sex", {"0": "0", "1": "1", "2": "2", "9": "9", "3": None}),
        (
            "ps.person_core",
            "HJQH",
            "registered_division",
            {"370102": "370102", "37": None, "": None},
        ),
        (
            "ps.death_cancel",
            "ZXYY",
            "cancel_reason",
            {"1": "死亡", "2": "出国定居", "9": "其他", "5": None},
        ),
        (
            "ps.household",
            "HRS",
            "member_count",
            {"1": "1", "12": "12", "0": None, "-1": None, "x": None},
        ),
    ],
)
def test_each_code_is_its_word_and_an_unknown_one_is_no_value(
    dataset: str, member: str, field: str, told: Mapping[str, str | None]
) -> None:
    """Settling abroad is not death; what stands in no table is not passed on as text."""
    read_as = {}
    for code in told:
        raw = read(dataset, **{member: code})
        assert raw is not None
        read_as[code] = raw.get(field)

    assert read_as == told


def test_every_relation_of_the_standard_is_told_and_no_other() -> None:
    """GB/T 4761, head of household to other relatives."""
    table = code_table("GB/T4761").entries
    told = {}
    for code in (*table, "00", "2", "子"):
        raw = read("ps.household", YHZGX=code)
        assert raw is not None
        told[code] = raw.get("relation_to_head")

    assert told == {**{code: code for code in table}, "00": None, "2": None, "子": None}
    assert {"02", "11", "12", "20", "30", "51", "52", "97"} <= set(table)


@pytest.mark.parametrize(
    ("dataset", "member"),
    [
        (dataset, member)
        for dataset, members in WHOLE.items()
        for member in members
        # A day of death only the dead have.
        if member != "SWRQ"
    ],
)
def test_a_mandatory_member_silently_emptied_is_malformed(dataset: str, member: str) -> None:
    """It is neither no value nor "cannot tell"."""
    query = query_of(SHAPE, (PERSON, NAME), {}, CLAIMS.get(dataset))
    asked = build_question(OPERATIONS[dataset], query)
    emptied = {"GMSFHM": PERSON, **WHOLE[dataset], member: ""}

    # An echo that is empty proves nothing, before anything is read.
    with pytest.raises(DepartmentFailed if member == "XPZY" else AnswerMalformed):
        read_record(asked, AnsweredRecord(code="10", members=emptied))


@pytest.mark.parametrize(
    ("dataset", "members"),
    [
        ("ps.person_verify", {"XM_PPDDM": "0", "SWBS": ""}),
        ("ps.death_cancel", {"ZXBS": "0", "ZXRQ": "", "ZXYY": "", "SWRQ": ""}),
        ("ps.death_cancel", {"SWRQ": ""}),
        ("ps.photo_compare", {"BDJG": "9", "XSD": ""}),
    ],
)
def test_what_may_be_empty_may_be_empty(dataset: str, members: dict[str, str]) -> None:
    """Of another's name nothing is said, and the living have no day of death."""
    assert read(dataset, **members) is not None


def test_the_page_names_every_mandatory_member() -> None:
    """The table of the page and that of the reader are one."""
    table = section("3.3").split("| 操作 | 必有 |")[1].split("\n\n")[0]
    for operation in OPERATIONS.values():
        line = next(line for line in table.splitlines() if f"{operation.name[8:]} |" in line)
        named = set(re.findall(r"`([A-Z_]+)`", line))
        beside = {
            name
            for (member, _), members in operation.mandatory_beside.items()
            for name in (member, *members)
        }
        wanted = operation.mandatory | operation.mandatory_of_claim | beside | operation.echoed
        assert named == wanted
