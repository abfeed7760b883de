"""What the agreements of the bundle grant, read from their files by plain code.

INVARIANT: nothing here asks `gateway.policy` or `gateway.catalog`: it is held against what they let
through. Restrictions are written out for the few situations the demo's people are in.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from gateway.cli.demo.expectations import Clerk, Person
from gateway.cli.sandbox.cases import PROTECTED, SPECIAL_GRADE, UNMANDATED

BUNDLE = Path(__file__).parents[2] / "gateway" / "bundle"
WITHHELD = "不予提供"
KINDS = {
    "明文": "CLEAR",
    "掩码": "MASK",
    "概化": "GENERALISE",
    "化名": "PSEUDONYM",
    "核对": "COMPARE",
    "判断": "PREDICATE",
}
"""Codes of effects, from most to least."""
AT_MOST = {Clerk.VILLAGE: "判断", Clerk.TOWNSHIP: "掩码"}
"""Rules CJ-01 and CJ-02 of `restrictions.yaml`."""
ACROSS_DIVISIONS = "M11"
"""The matter that rule JZ-03 leaves out: who moved is asked about from where he moved to."""
MANDATED = "M14"

Cell = str | list[dict[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """One agreement: of which dataset, for whom, and its cells by the catalog's field names."""

    number: str
    system: str
    dataset: str
    matters: tuple[str, ...]
    cells: Mapping[str, Cell]


@cache
def read_agreements() -> Mapping[str, Agreed]:
    """Read every agreement of the bundle, by number."""
    read = (_agreed(one) for path in _files() for one in yaml.safe_load(path.read_text("utf-8")))
    return {each.number: each for each in read}


@cache
def read_matters() -> frozenset[str]:
    """Read the codes of the matters there are."""
    return frozenset(yaml.safe_load((BUNDLE / "bundle.yaml").read_text("utf-8"))["事项"])


def fields_of(dataset: str) -> tuple[str, ...]:
    """Return every field the catalog has for a dataset, granted to anybody or not."""
    return tuple(_catalog()[dataset]["fields"])


def granted_to(person: Person, number: str, *, in_investigation: bool) -> dict[str, str]:
    """Return which fields leave about one of the demo's people, each with its effect's words."""
    if _is_forbidden(person):
        return {}
    holding = {
        "县级以上经办": person.clerk in {Clerk.COUNTY, Clerk.OTHER_COUNTY},
        "高级职称或特殊工种": person.case in SPECIAL_GRADE,
        "已进入核查": in_investigation,
    }
    cells = read_agreements()[number].cells
    given = {field: _given(cell, holding, person.clerk) for field, cell in cells.items()}
    return {field: effect for field, effect in given.items() if effect != WITHHELD}


def code_of(effect: str) -> str:
    """Return the code of an effect's words, e.g. `MASK` of `掩码(1,0)`."""
    return KINDS[effect.partition("(")[0]]


def _is_forbidden(person: Person) -> bool:
    """Rules JZ-02 and JZ-03, and the mandate that the agreements of M14 with civil affairs want."""
    elsewhere = person.clerk is Clerk.OTHER_COUNTY and person.matter != ACROSS_DIVISIONS
    unmandated = person.matter == MANDATED and person.case in UNMANDATED
    return person.case == PROTECTED or elsewhere or unmandated


def _given(cell: Cell, holding: Mapping[str, bool], clerk: Clerk) -> str:
    """Return the first rung whose condition holds and that the clerk's ceiling lets through."""
    rungs = [{"否则": cell}] if isinstance(cell, str) else cell
    effects = (_effect_of(rung, holding) for rung in rungs)
    return next((each for each in effects if each and _is_within(each, clerk)), WITHHELD)


def _effect_of(rung: Mapping[str, str], holding: Mapping[str, bool]) -> str | None:
    if "否则" in rung:
        return rung["否则"]
    return rung["给"] if holding[rung["当"]] else None


def _is_within(effect: str, clerk: Clerk) -> bool:
    if effect == WITHHELD or clerk not in AT_MOST:
        return True
    order = list(KINDS)
    return order.index(effect.partition("(")[0]) >= order.index(AT_MOST[clerk])


def _files() -> list[Path]:
    return sorted((BUNDLE / "agreements").glob("*.yaml"))


@cache
def _catalog() -> Any:  # noqa: ANN401  a document of the catalog's own shape
    return yaml.safe_load((BUNDLE / "catalog.yaml").read_text("utf-8"))["datasets"]


def _agreed(one: Mapping[str, Any]) -> Agreed:
    dataset = one["目录"]
    names = {field["title_zh"]: name for name, field in _catalog()[dataset]["fields"].items()}
    return Agreed(
        number=one["编号"],
        system=one["使用方"],
        dataset=dataset,
        matters=tuple(one["事项"]),
        cells={names[title]: cell for title, cell in one["字段"].items()},
    )
