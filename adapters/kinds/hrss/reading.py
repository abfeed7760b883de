"""How the rows of each dataset are asked for and read; every statement stands here in full.

Knows no connection.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Final

from adapters.effects.families import RawValue
from adapters.mapping.dates import encode_day
from adapters.mapping.documents import parse_json_list
from adapters.mapping.names import fold_width
from adapters.port import FieldName, Finding
from adapters.records import RawRecord
from certs.quick import quickly_made
from signing.encoding import encode_canonical_json

Row = Mapping[str, str | int | None]


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a reading of rows may depend on beside the rows."""

    today: date
    claims: Mapping[str, str]


# What each code of the department means as a finding (docs/adapters/hrss.md, "判断类数据项").
IS_INSURED: Final[Mapping[str, Finding]] = MappingProxyType(
    {"参保": Finding.YES, "中断": Finding.NO, "终止": Finding.NO, "领取": Finding.NO}
)
IS_RECEIVING: Final[Mapping[str, Finding]] = MappingProxyType(
    {
        "正常": Finding.YES,
        "终止": Finding.NO,
        "暂停": Finding.INDETERMINATE,
        "待复审": Finding.INDETERMINATE,
    }
)
IS_VALID_CARD: Final[Mapping[str, Finding]] = MappingProxyType(
    {"正常": Finding.YES, "挂失": Finding.NO, "注销": Finding.NO, "未启用": Finding.NO}
)
IS_REGISTERED: Final[Mapping[str, Finding]] = MappingProxyType({"1": Finding.YES, "0": Finding.NO})
IS_QUALIFIED: Final[Mapping[str, Finding]] = MappingProxyType(
    {"有效": Finding.YES, "撤销": Finding.NO}
)


def _finding(table: Mapping[str, Finding], row: Row, column: str) -> Finding:
    # A code the table does not name says nothing; it is never read as NO.
    return table.get(str(row[column]), Finding.INDETERMINATE)


def _any(findings: Sequence[Finding]) -> Finding:
    # One valid card is enough; a card of unknown state is no proof that there is none.
    for wanted in (Finding.YES, Finding.INDETERMINATE):
        if wanted in findings:
            return wanted
    return Finding.NO


def _values(row: Row, *columns: str) -> dict[FieldName, RawValue]:
    return {FieldName(name): str(row[name]) for name in columns if row[name] is not None}


def _days(row: Row, *columns: str) -> dict[FieldName, RawValue]:
    return {
        FieldName(name): encode_day(str(row[name])) for name in columns if row[name] is not None
    }


def _items(row: Row, column: str) -> dict[FieldName, RawValue]:
    if row[column] is None:
        return {}
    items = parse_json_list(str(row[column]).encode("utf-8"))
    texts = tuple(
        item if isinstance(item, str) else encode_canonical_json(item).decode("utf-8")
        for item in items
    )
    return {FieldName(column): texts}


def _latest(rows: Sequence[Row], preferred: Callable[[Row], bool], day: str) -> Row:
    """Return the preferred row, of several the latest, of equals the last entered."""
    return max(rows, key=lambda row: (preferred(row), str(row[day] or ""), int(row["row_no"] or 0)))


def _participation(rows: Sequence[Row], _: Question) -> RawRecord:
    row = _latest(rows, lambda _: True, "as_of")
    return {
        **_items(row, "insured_kinds"),
        **_values(row, "state", "employer_uscc", "agency_division"),
        **_days(row, "first_date"),
        FieldName("is_insured"): _finding(IS_INSURED, row, "state"),
    }


def _contribution_record(rows: Sequence[Row], _: Question) -> RawRecord:
    row = _latest(rows, lambda _: True, "as_of")
    raw = {**_values(row, "months_paid", "avg_base"), **_items(row, "recent_months")}
    if FieldName("months_paid") in raw:
        raw[FieldName("paid_at_least")] = raw[FieldName("months_paid")]
    return raw


def _pension(rows: Sequence[Row], _: Question) -> RawRecord:
    row = _latest(rows, lambda _: True, "as_of")
    return {
        **_values(row, "benefit_state", "start_month", "monthly_amount"),
        **_days(row, "last_certified"),
        FieldName("is_receiving"): _finding(IS_RECEIVING, row, "benefit_state"),
    }


def _sscard(rows: Sequence[Row], question: Question) -> RawRecord:
    wanted = question.claims.get("card_no")
    if wanted is not None:
        # The claim is a further key: it chooses among this person's cards.
        claimed = fold_width(wanted).upper()
        # No filter: an unknown card number must not hide that the person has a card; COMPARE says
        # NO.
        rows = [row for row in rows if row["card_no"] == claimed] or rows
    row = _latest(rows, lambda row: row["card_state"] == "正常", "as_of")
    return {
        **_values(row, "card_no", "card_state", "issue_division", "bank_name"),
        FieldName("has_valid_card"): _any(
            [_finding(IS_VALID_CARD, row, "card_state") for row in rows]
        ),
    }


def _unemployment(rows: Sequence[Row], _: Question) -> RawRecord:
    row = _latest(rows, lambda _: True, "as_of")
    return {
        FieldName("registered"): _finding(IS_REGISTERED, row, "registered"),
        **_days(row, "register_date"),
        **_values(row, "benefit_months_left"),
    }


def _labour_contract(rows: Sequence[Row], question: Question) -> RawRecord:
    today = question.today.isoformat()

    def is_active(row: Row) -> bool:
        begun = encode_day(str(row["start_date"])) <= today
        return begun and (row["end_date"] is None or encode_day(str(row["end_date"])) >= today)

    row = _latest(rows, is_active, "start_date")
    return {
        **_values(row, "employer_uscc"),
        **_days(row, "start_date", "end_date"),
        FieldName("has_active_contract"): Finding.YES
        if any(is_active(row) for row in rows)
        else Finding.NO,
    }


def _qualification(rows: Sequence[Row], question: Question) -> RawRecord | None:
    wanted = question.claims.get("certificate_no")
    if wanted is not None:
        claimed = fold_width(wanted).upper()
        rows = [row for row in rows if row["certificate_no"] == claimed]
        if not rows:
            return None
    row = _latest(rows, lambda row: row["state"] == "有效", "issue_date")
    # Without a certificate named there is nothing to verify.
    verified = _finding(IS_QUALIFIED, row, "state") if wanted else Finding.NOT_APPLICABLE
    return {
        **_values(row, "certificate_no", "occupation", "skill_level", "state"),
        **_days(row, "issue_date"),
        FieldName("verified"): verified,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """How the rows of one dataset are asked for and read."""

    statement: str
    read: Callable[[Sequence[Row], Question], RawRecord | None]


TABLES: Final[Mapping[str, Table]] = MappingProxyType(
    {
        "hr.participation": Table(
            statement="SELECT row_no, full_name, as_of, insured_kinds, state, employer_uscc,"
            " first_date, agency_division FROM hr_participation WHERE person_id = ? LIMIT ?",
            read=_participation,
        ),
        "hr.contribution_record": Table(
            statement="SELECT row_no, full_name, as_of, months_paid, recent_months, avg_base"
            " FROM hr_contribution_record WHERE person_id = ? LIMIT ?",
            read=_contribution_record,
        ),
        "hr.pension": Table(
            statement="SELECT row_no, full_name, as_of, benefit_state, start_month,"
            " monthly_amount, last_certified FROM hr_pension WHERE person_id = ? LIMIT ?",
            read=_pension,
        ),
        "hr.sscard": Table(
            statement="SELECT row_no, full_name, as_of, card_no, card_state, issue_division,"
            " bank_name FROM hr_sscard WHERE person_id = ? LIMIT ?",
            read=_sscard,
        ),
        "hr.unemployment": Table(
            statement="SELECT row_no, full_name, as_of, registered, register_date,"
            " benefit_months_left FROM hr_unemployment WHERE person_id = ? LIMIT ?",
            read=_unemployment,
        ),
        "hr.labour_contract": Table(
            statement="SELECT row_no, full_name, as_of, employer_uscc, start_date, end_date"
            " FROM hr_labour_contract WHERE person_id = ? LIMIT ?",
            read=_labour_contract,
        ),
        "hr.qualification": Table(
            statement="SELECT row_no, full_name, as_of, certificate_no, occupation, skill_level,"
            " issue_date, state FROM hr_qualification WHERE person_id = ? LIMIT ?",
            read=_qualification,
        ),
    }
)

DATASETS: Final = frozenset(TABLES)
"""Datasets this kind can serve, without version."""
