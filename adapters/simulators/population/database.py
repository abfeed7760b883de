"""Writes the HRSS department's own tables (docs/adapters/hrss.md) into one SQLite file.

INVARIANT: the rows are a pure function of (seed, size); the file must not exist before.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from adapters.simulators.population.hrss import HrssRecord, hrss_record
from adapters.simulators.population.people import DEFAULT_SIZE, Population
from adapters.simulators.population.person import AS_OF

Cell = str | int | None
Row = tuple[Cell, ...]

_COMMON: Final = (
    "row_no INTEGER PRIMARY KEY, person_id TEXT NOT NULL, full_name TEXT NOT NULL, "
    "record_state TEXT NOT NULL, as_of TEXT NOT NULL"
)

_COLUMNS: Final = {
    "hr_participation": (
        "insured_kinds TEXT NOT NULL",
        "state TEXT NOT NULL",
        "employer_uscc TEXT",
        "first_date TEXT NOT NULL",
        "agency_division TEXT NOT NULL",
    ),
    "hr_contribution_record": (
        "months_paid INTEGER NOT NULL",
        "recent_months TEXT NOT NULL",
        "avg_base TEXT NOT NULL",
    ),
    "hr_pension": (
        "benefit_state TEXT NOT NULL",
        "start_month TEXT NOT NULL",
        "monthly_amount TEXT NOT NULL",
        "last_certified TEXT NOT NULL",
    ),
    "hr_sscard": (
        "card_no TEXT NOT NULL",
        "card_state TEXT NOT NULL",
        "issue_division TEXT NOT NULL",
        "bank_name TEXT NOT NULL",
    ),
    "hr_unemployment": (
        "registered INTEGER NOT NULL",
        "register_date TEXT NOT NULL",
        "benefit_months_left INTEGER NOT NULL",
    ),
    "hr_labour_contract": (
        "employer_uscc TEXT NOT NULL",
        "start_date TEXT NOT NULL",
        "end_date TEXT",
    ),
    "hr_qualification": (
        "certificate_no TEXT NOT NULL",
        "occupation TEXT NOT NULL",
        "skill_level TEXT NOT NULL",
        "issue_date TEXT NOT NULL",
        "state TEXT NOT NULL",
    ),
}

_INDEXES: Final = (
    *(f"CREATE INDEX {table}_person_id ON {table} (person_id)" for table in _COLUMNS),
    "CREATE INDEX hr_sscard_card_no ON hr_sscard (card_no)",
    "CREATE INDEX hr_qualification_certificate_no ON hr_qualification (certificate_no)",
)


def hrss_database(path: Path, *, seed: int = 1, size: int = DEFAULT_SIZE) -> None:
    """Write the tables of a population.

    Raises:
        FileExistsError: something stands at `path` already.
    """
    # Made by us and readable by us alone; synthetic, yet it looks like people.
    path.touch(mode=0o600, exist_ok=False)
    people = Population(seed=seed, size=size)
    with closing(sqlite3.connect(path)) as connection:
        for table, columns in _COLUMNS.items():
            connection.execute(f"CREATE TABLE {table} ({', '.join((_COMMON, *columns))})")
        connection.execute("CREATE TABLE hr_meta (seed INTEGER, size INTEGER, as_of TEXT)")
        connection.execute("INSERT INTO hr_meta VALUES (?, ?, ?)", (seed, size, AS_OF.isoformat()))
        inserts = {table: _insert(table) for table in _COLUMNS}
        for index in range(size):
            record = hrss_record(people.person(index))
            for table, row in _rows(record):
                connection.execute(inserts[table], (*_head(record, table), *row))
        # After the rows: one sort each instead of a million insertions.
        for statement in _INDEXES:
            connection.execute(statement)
        connection.commit()


def _insert(table: str) -> str:
    names = ["person_id", "full_name", "record_state", "as_of"]
    names += [column.split()[0] for column in _COLUMNS[table]]
    values = ", ".join("?" * len(names))
    return " ".join(("INSERT INTO", table, "(", ", ".join(names), ") VALUES (", values, ")"))


def _head(record: HrssRecord, table: str) -> Row:
    # A pension that ended is closed; every other record stays in force.
    ended = table == "hr_pension" and record.pension and record.pension.benefit_state == "终止"
    state = "注销" if ended else "有效"
    return record.person_id, record.full_name, state, record.as_of.isoformat()


def _rows(record: HrssRecord) -> Iterator[tuple[str, Row]]:
    yield from _insurance_rows(record)
    for card in record.sscard:
        row = (card.card_no, card.card_state, card.issue_division, card.bank_name)
        yield "hr_sscard", row
    if (seeking := record.unemployment) is not None:
        since = seeking.register_date.isoformat()
        yield "hr_unemployment", (int(seeking.registered), since, seeking.benefit_months_left)
    for contract in record.labour_contract:
        end = contract.end_date.isoformat() if contract.end_date else None
        yield (
            "hr_labour_contract",
            (contract.employer_uscc, contract.start_date.isoformat(), end),
        )
    for skill in record.qualification:
        issued = skill.issue_date.isoformat()
        yield (
            "hr_qualification",
            (skill.certificate_no, skill.occupation, skill.skill_level, issued, skill.state),
        )


def _insurance_rows(record: HrssRecord) -> Iterator[tuple[str, Row]]:
    if (insured := record.participation) is not None:
        yield (
            "hr_participation",
            (
                json.dumps(insured.insured_kinds),
                insured.state,
                insured.employer_uscc,
                insured.first_date.isoformat(),
                insured.agency_division,
            ),
        )
    if (paid := record.contribution_record) is not None:
        months = [
            {"period": month.period, "base": month.base, "paid": month.paid}
            for month in paid.recent_months
        ]
        yield "hr_contribution_record", (paid.months_paid, json.dumps(months), paid.avg_base)
    if (pension := record.pension) is not None:
        yield (
            "hr_pension",
            (
                pension.benefit_state,
                pension.start_month,
                pension.monthly_amount,
                pension.last_certified.isoformat(),
            ),
        )
