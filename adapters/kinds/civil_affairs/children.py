"""Adopted and needy children: of which kind a child is, and whether somebody supports him.

Who is asked about is the child, unless a child is claimed (`child_id`, `child_name`): then he is
the one who supports it. INVARIANT: a child of one's own stands in no register of civil affairs, so
nothing found is INDETERMINATE and never NO.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from adapters.kinds.civil_affairs.asked import (
    Asked,
    context_of,
    held,
    read_claimed,
    require_asked,
    require_own,
    require_value,
    text_of,
)
from adapters.kinds.civil_affairs.codes import ADOPTED, CHILD_OPERATIONS, CHILD_TYPES, look_up
from adapters.kinds.civil_affairs.live import JsonRow, LiveCheck
from adapters.mapping.dates import parse_day
from adapters.mapping.identifiers import parse_resident_id
from adapters.mapping.names import is_held_name
from adapters.port import Finding, Query
from adapters.records import RawRecord

# Service → its members for name and number of the child.
_SERVICES: Final = (
    ("adoption", "baby_name", "baby_cert_num"),
    ("needy_child", "child_name", "child_idcard"),
)
_PARENTS: Final = ("man", "woman")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildLine:
    """One line: from `day` on the child is of this kind, or no longer."""

    kind: str
    begins: bool
    day: date
    parents: tuple[tuple[str, str], ...]
    """Numbers of 18 characters and names."""


async def ask_child(live: LiveCheck, query: Query) -> RawRecord | None:
    """Ask both services about one child: it may be in either, or was in one after the other."""
    asked, claimed = require_asked(query), read_claimed(query.claims, "child")
    if claimed is Finding.ERROR:
        # A child that can be none is the asker's error; nobody is asked about.
        return held({"is_dependent_child": Finding.ERROR})
    child = asked if isinstance(claimed, Finding) else claimed
    lines: list[ChildLine] = []
    for service, name, number in _SERVICES:
        question = {name: child.name, number: child.identifier, **context_of(query)}
        rows = await live.fetch_rows(service, question, query.deadline)
        lines += [read_line(child, row, name, number) for row in rows]
    return read_child(lines, None if child is asked else asked)


def read_line(child: Asked, row: JsonRow, name: str, number: str) -> ChildLine:
    """Return one line of a child.

    Raises:
        AnswerMalformed: Another form than the interface says, or a code it does not list.
        DepartmentFailed: SUBJECT_MISMATCH for another child's line.
    """
    require_own(child, row, number, name)
    kind = require_value(row, "child_type")
    look_up(CHILD_TYPES, kind, "child_type")
    return ChildLine(
        kind=kind,
        begins=look_up(CHILD_OPERATIONS, require_value(row, "op_type"), "op_type"),
        day=parse_day(require_value(row, "op_date")),
        parents=tuple(_read_parents(row)),
    )


def _read_parents(row: JsonRow) -> Sequence[tuple[str, str]]:
    parents = []
    for side in _PARENTS:
        number, name = text_of(row, f"adopt_cert_num_{side}"), text_of(row, f"adopt_name_{side}")
        if number:
            parents.append((parse_resident_id(number), name))
    return parents


def read_child(lines: Sequence[ChildLine], supporter: Asked | None) -> RawRecord | None:
    """Return what a child is, and whether the supporter supports it; None without a line."""
    if not lines:
        return None
    # The last line of each kind decides: a dissolved adoption makes nobody an adopted child.
    last = [_last(lines, kind) for kind in CHILD_TYPES]
    in_force = [line for line in last if line is not None and line.begins]
    status = CHILD_TYPES[max(in_force, key=lambda line: line.day).kind] if in_force else None
    return held({"child_status": status, "is_dependent_child": _find_dependent(lines, supporter)})


def _find_dependent(lines: Sequence[ChildLine], supporter: Asked | None) -> Finding:
    if supporter is None:
        return Finding.INDETERMINATE
    his = [line for line in lines if _names(line, supporter)]
    last = [line for kind in CHILD_TYPES if (line := _last(his, kind)) is not None]
    if any(line.begins for line in last):
        return Finding.YES
    # Only a dissolved adoption ends the bond: who is no longer needy is still his parents' child.
    ended = any(line.kind == ADOPTED for line in last)
    return Finding.NO if ended else Finding.INDETERMINATE


def _last(lines: Sequence[ChildLine], kind: str) -> ChildLine | None:
    of_kind = [(line.day, place, line) for place, line in enumerate(lines) if line.kind == kind]
    return max(of_kind, key=lambda each: each[:2])[2] if of_kind else None


def _names(line: ChildLine, supporter: Asked) -> bool:
    # Historic duplicates share a number: another name is another person.
    return any(
        number == supporter.identifier and is_held_name(supporter.name, name)
        for number, name in line.parents
    )
