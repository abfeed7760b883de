"""The fault matrix as rows: what each department's page says comes of each of its faults.

`matrix.csv` is written from the pages (docs/adapters) and docs/operations/resilience.md, never from
what a run showed. Its columns:

    department  kind of the department
    fault       name of its page's closed list; several rows of one fault differ in what follows
    count       how often it strikes; empty: until it is switched off
    set_up      another fault, `NAME:COUNT`, that leads there: `jwks_rotated:1` costs the token that
                is kept, `connection_cut:1` the connection
    asked       which of the department's questions is put, by its name in `questions.py`
    patience_s  seconds the asker has; empty: enough for every attempt
    state       state of the answer
    reason      why it is INDETERMINATE
    told        `same`: what the same question is told without a fault; else `field=value` or
                `field=FINDING`, `-` for a field without a value, parted by `;`
    calls       calls the department received, those of the token or secret included; empty where
                their number goes with time
    breaker     `fails N`: so many failures in a row it counts afterwards; `answers`: it counts
                none, for there was an answer
    log         what the `answer` entry counts, values + findings; it says state and reason as the
                answer does
    later_s     seconds by which the department's clock is then put on, the fault being over
    later       state of the answer to who comes back then
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_PAGES = Path(__file__).resolve().parents[3] / "docs" / "adapters"
PATIENCE_S = 20.0
"""Seconds: three attempts of anything, on a machine that has others to serve."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One cell of the matrix."""

    number: int
    department: str
    fault: str
    count: int | None
    set_up: str
    asked: str
    patience_s: float
    state: str
    reason: str
    told: str
    calls: int | None
    breaker: str
    log: str
    later_s: int | None
    later: str

    @property
    def name(self) -> str:
        """What the test of this row is called."""
        count = "" if self.count is None else f":{self.count}"
        return f"{self.department}-{self.fault}{count}-{self.asked}-{self.number}"


def read_rows() -> Iterator[Row]:
    """Yield the rows in the order of the file."""
    lines = (Path(__file__).parent / "matrix.csv").read_text("utf-8").splitlines()
    table = csv.DictReader(line for line in lines if not line.startswith("#"))
    for number, each in enumerate(table):
        yield Row(
            number=number,
            department=each["department"],
            fault=each["fault"],
            count=int(each["count"]) if each["count"] else None,
            set_up=each["set_up"],
            asked=each["asked"],
            patience_s=float(each["patience_s"] or PATIENCE_S),
            state=each["state"],
            reason=each["reason"],
            told=each["told"],
            calls=int(each["calls"]) if each["calls"] else None,
            breaker=each["breaker"],
            log=each["log"],
            later_s=int(each["later_s"]) if each["later_s"] else None,
            later=each["later"],
        )


def listed_faults(department: str) -> frozenset[str]:
    """Return the closed list of a department's page."""
    page = (_PAGES / f"{department}.md").read_text("utf-8")
    # Each page has one list that calls itself closed, or says so of the faults of its live face.
    (start,) = (
        found.end()
        for found in re.finditer(r"(故障名（封闭枚举）|封闭枚举）：)", page)
        if "| 名 | 现象" in page[found.end() : found.end() + 120]
    )
    table = re.match(r".*?\n((?:\|[^\n]*\n)+)", page[start:], re.DOTALL)
    assert table is not None
    return frozenset(re.findall(r"^\| `([a-z0-9_]+)` \|", table[1], re.MULTILINE))
