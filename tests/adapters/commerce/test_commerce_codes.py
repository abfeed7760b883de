"""Each code of the commerce register has one meaning, in a table, on the page and in a test."""

import re
from pathlib import Path

import pytest

from adapters.errors import AnswerMalformed, DepartmentFailed
from adapters.kinds.commerce.codes import (
    CHECKS,
    ENTITY_TYPES,
    POSITIONS,
    REPLIES,
    STATES,
    VERDICTS,
)
from adapters.kinds.commerce.reading import (
    read_enterprise,
    read_positions,
    read_sole_trader,
    read_verification,
)
from adapters.mapping.decimals import DecimalJson
from adapters.port import FieldName, Finding, Indeterminate, Subject, SubjectType
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

PAGE = (Path(__file__).parents[3] / "docs" / "adapters" / "commerce.md").read_text("utf-8")
UNHEARD_OF = "列入异常.待核"


def section(number: str) -> str:
    """Return the text of one section of the page."""
    match = re.search(rf"^##+ {re.escape(number)}[ .].*?(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert match
    return match[0]


def test_every_reply_of_the_page_is_in_the_table_with_its_status() -> None:
    """201 belongs to webhooks, which are not used."""
    rows = re.findall(r"^\| ([0-9、]+) \| `([0-9]{4})` \|", section("10"), re.MULTILINE)

    assert {code: int(status[:3]) for status, code in rows} == {
        code: reply.status for code, reply in REPLIES.items()
    }


@pytest.mark.parametrize(
    ("code", "untold"),
    [
        ("2000", None),
        ("2004", None),
        ("2005", Indeterminate.SUBJECT_UNRESOLVED),
        ("2006", None),
        ("4000", Indeterminate.PROVIDER_FAULT),
        ("4010", Indeterminate.PROVIDER_FAULT),
        ("4011", Indeterminate.PROVIDER_FAULT),
        ("4030", Indeterminate.PROVIDER_FAULT),
        ("4040", Indeterminate.PROVIDER_FAULT),
        ("4050", Indeterminate.PROVIDER_FAULT),
        ("4090", Indeterminate.PROVIDER_FAULT),
        ("4100", Indeterminate.PROVIDER_FAULT),
        ("4130", Indeterminate.PROVIDER_FAULT),
        ("4290", Indeterminate.PROVIDER_QUOTA),
        ("5000", Indeterminate.PROVIDER_UNAVAILABLE),
    ],
)
def test_each_reply_is_untold_for_its_own_reason(code: str, untold: Indeterminate | None) -> None:
    """None of them is a "no"."""
    assert REPLIES[code].untold is untold


def test_every_state_of_the_page_is_in_the_table() -> None:
    """Word for word: the register's texts are codes."""
    rows = re.findall(r"^\| `([^`]+)` \| ([^|]+?) \|", section("3.2"), re.MULTILINE)

    assert dict(rows) == {word: state.catalog for word, state in STATES.items()}


@pytest.mark.parametrize(
    ("word", "catalog", "active"),
    [
        ("存续（在营、开业、在册）", "在营", Finding.YES),
        ("歇业", "歇业", Finding.INDETERMINATE),
        ("吊销.未注销", "吊销", Finding.INDETERMINATE),
        ("吊销.已注销", "注销", Finding.NO),
        ("注销", "注销", Finding.NO),
        ("迁出", "迁出", Finding.INDETERMINATE),
        (UNHEARD_OF, None, Finding.ERROR),
    ],
)
def test_each_state_has_its_value_and_its_finding(
    word: str, catalog: str | None, active: Finding
) -> None:
    """Revoked is not cancelled; an unknown state is no value and no "no"."""
    raw = read_enterprise(COMPANY, {**RECORD, "regstateCn": word})
    held = read_positions(HOLDER, [{**POSITION, "regstateCn": word}])

    assert raw.get(FieldName("reg_state")) == catalog
    assert held[FieldName("has_active_entity")] is active


@pytest.mark.parametrize(
    ("words", "active"),
    [
        (("注销", "歇业", "存续（在营、开业、在册）", UNHEARD_OF), Finding.YES),
        (("注销", "歇业", UNHEARD_OF), Finding.ERROR),
        (("注销", "吊销.未注销"), Finding.INDETERMINATE),
        (("注销", "吊销.已注销"), Finding.NO),
    ],
)
def test_one_that_does_business_is_enough_and_what_is_open_is_never_no(
    words: tuple[str, ...], active: Finding
) -> None:
    """The order of section 7."""
    raw = read_positions(HOLDER, [{**POSITION, "regstateCn": word} for word in words])

    assert raw[FieldName("has_active_entity")] is active
    assert (FieldName("entity_list") in raw) is (UNHEARD_OF not in words)


@pytest.mark.parametrize("position", [*sorted(POSITIONS), "监事"])
def test_a_position_nobody_knows_is_an_error_and_no_list(position: str) -> None:
    """What he is there is not understood, so neither is whether he is in business."""
    raw = read_positions(HOLDER, [{**POSITION, "position": position}])

    known = position in {"法定代表人", "股东", "经营者"}
    assert raw[FieldName("has_active_entity")] is (Finding.YES if known else Finding.ERROR)
    assert (FieldName("entity_list") in raw) is known


@pytest.mark.parametrize("entity_type", [*sorted(ENTITY_TYPES), "股份有限公司"])
def test_each_entity_type_is_told_and_no_other(entity_type: str) -> None:
    """A type the interface does not name is no value."""
    raw = read_enterprise(COMPANY, {**RECORD, "enttypeCn": entity_type})

    assert raw.get(FieldName("entity_type")) == (
        entity_type if entity_type.startswith("有限责任公司(自然人") else None
    )


def test_a_capital_in_another_currency_is_not_told() -> None:
    """The catalog's unit is 10,000 yuan."""
    raw = read_enterprise(COMPANY, {**RECORD, "regcapcurCn": "美元"})

    assert FieldName("registered_capital") not in raw


def test_a_sole_trader_has_no_capital_term_or_shareholders() -> None:
    """Not applicable, which is not "not held"."""
    trader = Subject(type=SubjectType.USCC, identifier=TRADER)

    raw = read_sole_trader(trader, TRADER_RECORD)

    assert raw[FieldName("entity_type")] == "个体工商户"
    for name in ("valid_to", "registered_capital", "shareholders"):
        assert raw[FieldName(name)] is Finding.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("key", "claim"),
    [("entname", "name"), ("name", "legal_representative"), ("dom", "address")],
)
def test_each_item_of_a_verification_has_its_name_in_the_catalog(key: str, claim: str) -> None:
    """Chinese names of the interface never reach the requester."""
    raw = read_verification(COMPANY, verification(difference(key, "甲")), {key: "甲"})

    assert raw == {
        FieldName("all_match"): Finding.NO,
        FieldName("mismatched_keys"): (claim,),
    }
    assert f"| `{key}` |" in section("5")
    assert CHECKS[key].claim == claim


@pytest.mark.parametrize(("verdict", "finding"), VERDICTS.items())
def test_the_verdict_must_agree_with_its_list(verdict: str, finding: Finding) -> None:
    """The list is what counts; a verdict against it shows that one of both is wrong."""
    listed = (difference("name", "甲"),) if finding is Finding.NO else ()
    other = () if listed else (difference("name", "甲"),)

    agreed = read_verification(COMPANY, verification(*listed, verdict=verdict), {"name": "甲"})

    assert agreed[FieldName("all_match")] is finding
    with pytest.raises(AnswerMalformed, match="verdict"):
        read_verification(COMPANY, verification(*other, verdict=verdict), {"name": "甲"})


@pytest.mark.parametrize(
    ("record", "failure"),
    [
        (verification(difference("cerno", "甲")), AnswerMalformed),
        (verification(difference("name", "甲"), difference("name", "甲")), AnswerMalformed),
        (verification(verdict="基本一致"), AnswerMalformed),
        (verification(difference("name", "乙")), DepartmentFailed),
    ],
)
def test_a_verification_of_something_else_is_not_read(
    record: dict[str, DecimalJson], failure: type[Exception]
) -> None:
    """An item not asked, one twice, an unknown verdict, and the values of another question."""
    with pytest.raises(failure) as raised:
        read_verification(COMPANY, record, {"name": "甲", "dom": "丙"})

    if failure is DepartmentFailed:
        assert raised.value.args == (Indeterminate.PROVIDER_UNPROVEN.value,)
