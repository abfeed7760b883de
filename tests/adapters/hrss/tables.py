"""A database of the documented form, and how tests ask about the person in it."""

import sqlite3
from collections.abc import Mapping
from pathlib import Path

from adapters.kinds.hrss import (
    HrssAdapter,
)
from adapters.port import (
    DatasetShape,
    Effect,
    Finding,
)
from tests.adapters.asking import disclosed, query_of, shape_of

PERSON = "370102198203150024"
NAME = "李明"

PARTICIPATION = shape_of(
    "hr.participation@1",
    {
        "insured_kinds": "list(code)",
        "state": "code:参保/中断/终止/领取",
        "employer_uscc": "uscc18",
        "first_date": "date",
        "agency_division": "code:GB/T2260",
        "is_insured": "pred",
    },
    is_insured=Finding.NO,
)
CONTRIBUTION = shape_of(
    "hr.contribution_record@1",
    {"months_paid": "int", "recent_months": "list", "avg_base": "dec", "paid_at_least": "pred"},
    paid_at_least=Finding.NO,
)
PENSION = shape_of(
    "hr.pension@1",
    {
        "benefit_state": "code",
        "start_month": r"re:\d{6}",
        "monthly_amount": "dec10.2",
        "last_certified": "date",
        "is_receiving": "pred",
    },
)
CARD = shape_of("hr.sscard@1", {"card_no": "str9", "card_state": "code", "has_valid_card": "pred"})
UNEMPLOYMENT = shape_of(
    "hr.unemployment@1",
    {"registered": "pred", "register_date": "date", "benefit_months_left": "int"},
)
CONTRACT = shape_of(
    "hr.labour_contract@1",
    {"start_date": "date", "end_date": "date", "has_active_contract": "pred"},
)
QUALIFICATION = shape_of(
    "hr.qualification@1", {"certificate_no": "str22", "state": "code:有效/撤销", "verified": "pred"}
)
SHAPES = (PARTICIPATION, CONTRIBUTION, PENSION, CARD, UNEMPLOYMENT, CONTRACT, QUALIFICATION)

_SCHEMA = {
    "hr_participation": "insured_kinds, state, employer_uscc, first_date, agency_division",
    "hr_contribution_record": "months_paid INTEGER, recent_months, avg_base",
    "hr_pension": "benefit_state, start_month, monthly_amount, last_certified",
    "hr_sscard": "card_no, card_state, issue_division, bank_name",
    "hr_unemployment": "registered INTEGER, register_date, benefit_months_left INTEGER",
    "hr_labour_contract": "employer_uscc, start_date, end_date",
    "hr_qualification": "certificate_no, occupation, skill_level, issue_date, state",
}


class Tables:
    """A database of the documented form, filled row by row."""

    def __init__(self, path: Path) -> None:
        """Make empty tables."""
        self.path = path
        self._connection = sqlite3.connect(path)
        for table, columns in _SCHEMA.items():
            self._connection.execute(
                f"CREATE TABLE {table} (row_no INTEGER PRIMARY KEY, person_id, full_name,"
                f" record_state, as_of, {columns})"
            )
        self._connection.execute("CREATE TABLE hr_meta (seed, size, as_of)")
        self._connection.execute("INSERT INTO hr_meta VALUES (1, 1, '2026-11-23')")
        self._connection.commit()

    def add(self, table: str, name: str = NAME, **values: str | int | None) -> None:
        """Add one row of one person."""
        row = {"person_id": PERSON, "full_name": name, "record_state": "有效", **values}
        marks = ", ".join("?" * len(row))
        self._connection.execute(
            f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})",  # noqa: S608 - names are literals of this file
            tuple(row.values()),
        )
        self._connection.commit()

    def close(self) -> None:
        """Close the database."""
        self._connection.close()


async def ask(
    adapter: HrssAdapter,
    shape: DatasetShape,
    grants: Mapping[str, Effect],
    claims: Mapping[str, str] | None = None,
) -> dict[str, str | list[str]]:
    """Ask about the person and return what was disclosed."""
    query = query_of(shape, (PERSON, NAME), grants, claims)
    return disclosed(query, await adapter.fetch(query))
