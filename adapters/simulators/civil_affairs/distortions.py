"""Rows as faults change them: believable, and wrong (the manual, section 5)."""

from typing import Final

from adapters.simulators.civil_affairs.faults import Fault
from adapters.simulators.civil_affairs.questions import Service
from adapters.simulators.faults import FaultBoard
from adapters.simulators.form_signing import Members
from adapters.simulators.population.identity import LENGTH, old_form
from adapters.simulators.population.names import variant_of

FLOOD: Final = 10_000
"""Rows for a question about one person, under the fault `many_rows`."""
UNKNOWN: Final = "7"
"""A code of no table."""

_NUMBERS: Final = ("cert_num", "id_card", "child_idcard")
_MANDATORY: Final = {
    Service.CREMATION: "DEATH_TIME",
    Service.LOW_INCOME: "category",
    Service.ADOPTION: "child_type",
    Service.NEEDY_CHILD: "child_type",
}
_CODED: Final = {
    Service.LOW_INCOME: "category",
    Service.ADOPTION: "child_type",
    Service.NEEDY_CHILD: "child_type",
}


def distort(service: Service, rows: list[Members], board: FaultBoard[Fault]) -> list[Members]:
    """Change what the rows say where faults are on."""
    if not rows:
        return rows
    if board.strikes(Fault.OLD_NUMBERS):
        rows = [_old_numbers(row) for row in rows]
    if board.strikes(Fault.NAME_VARIANTS):
        rows = [_name_variants(row) for row in rows]
    if board.strikes(Fault.EMPTY_FIELD):
        rows = [{**row, _MANDATORY.get(service, "op_date"): ""} for row in rows]
    # A cremation carries no code.
    if service is not Service.CREMATION and board.strikes(Fault.UNKNOWN_CODE):
        rows = [{**row, _CODED.get(service, "op_type"): UNKNOWN} for row in rows]
    if board.strikes(Fault.EVERY_FIELD):
        rows = [_every_field(row) for row in rows]
    return rows


def _old_numbers(row: Members) -> Members:
    return {
        name: old_form(value) if _is_number(name) and len(value) == LENGTH else value
        for name, value in row.items()
    }


def _is_number(name: str) -> bool:
    return any(part in name.lower() for part in _NUMBERS)


def _name_variants(row: Members) -> Members:
    return {
        name: variant_of(value) if value and _is_name(name) else value
        for name, value in row.items()
    }


def _is_name(name: str) -> bool:
    # An office has a name too, and no homophone.
    return "name" in name.lower().split("_") and name != "dept_name"


def _every_field(row: Members) -> Members:
    # Built from the line, so that each dump leads to one line.
    key = row.get("biz_id") or row.get("cert_num_man") or "0"
    dump = f"CA-ALL-{key}"
    return {**row, "sjh": "19900000000", "jtdz": f"{dump}-住址", "rawDump": dump}
