"""A simulated department as the conformance kit examines it: its end, and people planted in it.

The people follow from the synthetic population by what each dataset is called, so that a kind
more needs no line here as long as its view in the population is named as its dataset.
"""

import re
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from adapters.effects.families import Family, family_of
from adapters.port import DatasetName
from adapters.simulators.people_page import person_page
from adapters.simulators.population import Person, person_at
from certs.algorithms import Suite
from certs.registry_file import KeyPurpose
from gateway.catalog import Catalog, Dataset
from gateway.cli.sandbox.asked import (
    NOTHING,
    Asked,
    View,
    ask_known,
    ask_other_name,
    ask_unknown,
    holds,
)
from gateway.cli.sandbox.authority import SandboxAuthority
from gateway.cli.sandbox.simulated import SIMULATED, Setting
from gateway.cli.sandbox.simulators import Simulator, make_hrss_tables, start_simulator
from gateway.clock import SystemClock
from gateway.trust import moment
from signing.encoding import JsonValue

SEED: Final = 1
SIZE: Final = 400
"""Every planted person, and somebody in every dataset."""
_OUTSIDE: Final = SIZE + 60
"""Index of somebody the departments of this population do not know."""
_PLANTED: Final = tuple(range(0, 208, 4))
_FIFTEEN_DIGITS: Final = 12
_TWO_PEOPLE: Final = (16, 20)
# Separators, a private-use character and one outside the basic plane, in names.
_WRITTEN_OTHERWISE: Final = (24, 28, 32, 36, 40, 44)
_APART: Final = frozenset({_FIFTEEN_DIGITS, *_TWO_PEOPLE, *_WRITTEN_OTHERWISE})
_NOBODYS_NAME: Final = "测试不符"
_NOBODYS_CODE: Final = "91370000MA3DEMXXX0"
_VIEWS: Final[Mapping[str, str]] = {
    "hc.death_certificate": "deaths",
    # Its own view says what is found; what is to be declared stands in the register's.
    "cm.enterprise_verify": "enterprise",
}
"""Dataset → its view in the population, where that is not its own name."""
_HRSS_KIND: Final = "hrss"
_ASKING: Final = "11370000MB2DEM0105"
"""The organisation that asks: what a simulated department is told of us belongs to it."""
_WITHHELD: Final = "不予提供"

_PREDICATES: Final[Mapping[str, str]] = {"paid_at_least": "at_least 1"}
"""Fields whose predicate compares a number, and how they are asked for here."""

_PATTERN: Final = "re:"
"""Begins the catalog type of a text of one form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedEnd:
    """A simulated department that runs; `sample` is what its engineer would have written."""

    sample: Mapping[str, object]
    simulator: Simulator | None
    """None for HRSS's own tables, which are a file."""


@asynccontextmanager
async def simulated_end(
    kind: str, catalog: Catalog, datasets: Sequence[str]
) -> AsyncIterator[SimulatedEnd]:
    """Run one simulated department, with keys and registration of its own."""
    with tempfile.TemporaryDirectory(prefix="hutong-conformance-") as temporary:
        folder = Path(temporary)
        shapes = [catalog.datasets[_versioned(name)] for name in datasets]
        people = [each for shape in shapes for each in plant(kind, shape)]
        if kind == _HRSS_KIND:
            make_hrss_tables(folder / "hrss.db", SEED, SIZE)
            section: Mapping[str, Setting] = {"database": str(folder / "hrss.db")}
            yield SimulatedEnd(sample=_sample(section, people, shapes), simulator=None)
            return
        async with _started(kind, folder) as (simulator, section):
            yield SimulatedEnd(sample=_sample(section, people, shapes), simulator=simulator)


@asynccontextmanager
async def _started(
    kind: str, folder: Path
) -> AsyncIterator[tuple[Simulator, Mapping[str, Setting]]]:
    department = SIMULATED[kind]
    now_ms = SystemClock().now_ms()
    authority = SandboxAuthority.create(moment(now_ms - now_ms % 1000))
    key = authority.signing(folder / "client", _ASKING, KeyPurpose.ENVELOPE, Suite.ES256)
    department.register(folder, key)
    people = ("--seed", str(SEED), "--population", str(SIZE))
    arguments = (*department.arguments(folder), *people)
    simulator = await start_simulator(kind, *arguments, scheme=department.scheme)
    try:
        section = {
            "base_url": simulator.base_url,
            **department.section(folder, key),
            **department.further_addresses(simulator.ports),
        }
        yield simulator, section
    finally:
        await simulator.stop()


def _sample(
    section: Mapping[str, Setting],
    people: Sequence[Mapping[str, JsonValue]],
    datasets: Sequence[Dataset],
) -> Mapping[str, object]:
    names = {field.name for dataset in datasets for field in dataset.fields}
    predicates = {name: asked for name, asked in _PREDICATES.items() if name in names}
    return {"section": section, "predicates": predicates, "people": people}


def plant(kind: str, dataset: Dataset) -> Iterator[dict[str, JsonValue]]:
    """Yield the people of one dataset, as a sample lists them."""
    # The planted first: what is rare stands with one of their relatives, or with nobody of note.
    held = _held(kind, dataset, _PLANTED) or _held(kind, dataset, range(SIZE))
    whole = {index: _width(dataset, view) for index, view in held.items() if index not in _APART}
    chosen = max(whole, key=lambda index: whole[index])
    # Somebody else: some departments count how often one is asked about.
    other = max((each for each in whole if each != chosen), key=whole.__getitem__, default=chosen)
    yield _entry("known", dataset, chosen, held[chosen])
    if "certificate_no" in dataset.further_keys:
        yield _certificate(dataset, chosen, held[chosen])
    yield _unknown(dataset, held[chosen])
    if _organisation(held[chosen]) is None:
        person = person_at(SEED, other)
        asked = ask_other_name(_bare(dataset), person)
        yield {**_named("other_name", dataset, person, asked), "name": _NOBODYS_NAME}
    roles = {
        _FIFTEEN_DIGITS: "fifteen_digits",
        **dict.fromkeys(_TWO_PEOPLE, "two_people"),
        **dict.fromkeys(_WRITTEN_OTHERWISE, "known"),
    }
    for index, role in roles.items():
        if index in held:
            organisation = _organisation(held[index])
            yield _entry(role if organisation is None else "known", dataset, index, held[index])


def _held(kind: str, dataset: Dataset, indices: Iterable[int]) -> dict[int, View]:
    views = {index: _views_of(kind, dataset, person_at(SEED, index)) for index in indices}
    # Which of several records is told is for each department to say: nothing is expected of it.
    return {index: several[0] for index, several in views.items() if len(several) == 1} or {
        index: _Several(several[0]) for index, several in views.items() if several
    }


class _Several(dict[str, JsonValue]):
    """One of several records of somebody."""


def _views_of(kind: str, dataset: Dataset, person: Person) -> list[View]:
    """Return what the department holds of somebody in this dataset."""
    name = _bare(dataset)
    page = person_page(person)[kind]
    view = page.get(_VIEWS.get(name, name.partition(".")[2])) if isinstance(page, dict) else None
    views = view if isinstance(view, list) else [view]
    return [each for each in views if isinstance(each, dict) and holds(name, each)]


def _width(dataset: Dataset, view: View) -> int:
    return sum(_has_form(field.type, view.get(field.name)) for field in dataset.fields)


def _has_form(catalog_type: str, value: JsonValue) -> bool:
    """Tell whether a value is one the catalog can take: old certificates bear free texts."""
    if value is None or not catalog_type.startswith(_PATTERN):
        return value is not None
    return re.fullmatch(catalog_type.removeprefix(_PATTERN), str(value)) is not None


def _entry(role: str, dataset: Dataset, index: int, view: View) -> dict[str, JsonValue]:
    fields = {field.name: field.type for field in dataset.fields if field.ceiling_text != _WITHHELD}
    # Findings depend on the question, and numbers of persons are widened: neither is in the view.
    told = {
        name: view[name] if _has_form(catalog_type, view[name]) else None
        for name, catalog_type in fields.items()
        if family_of(catalog_type) not in {Family.FINDING, Family.RESIDENT_ID}
        and name in view
        and not isinstance(view, _Several)
    }
    person = person_at(SEED, index)
    asked = ask_known(_bare(dataset), person, view)
    subject = _organisation(view) or _named(role, dataset, person)
    return {
        **subject,
        "is": role,
        "dataset": _bare(dataset),
        "claims": dict(asked.claims),
        "expect": {
            **{
                name: _spelled(value)
                for name, value in told.items()
                if value is not None and not isinstance(value, list | dict)
            },
            **asked.expect,
        },
        "lacks": [*(name for name, value in told.items() if value is None), *asked.lacks],
    }


def _certificate(dataset: Dataset, index: int, view: View) -> dict[str, JsonValue]:
    entry = _entry("known", dataset, index, view)
    expected = entry["expect"] if isinstance(entry["expect"], dict) else {}
    claims: dict[str, JsonValue] = {"certificate_no": view.get("certificate_no")}
    proven = {"verified": "YES"} if dataset.find_field("verified") else {}
    return {**entry, "claims": claims, "expect": {**expected, **proven}}


def _unknown(dataset: Dataset, like: View) -> dict[str, JsonValue]:
    if _organisation(like) is None:
        person = person_at(SEED, _OUTSIDE)
        return _named("unknown", dataset, person, ask_unknown(_bare(dataset), person))
    # Of its form, and no organisation of this population or any other.
    unheld: dict[str, JsonValue] = {"id": _NOBODYS_CODE, "type": "USCC", "name": _NOBODYS_NAME}
    return {"is": "unknown", "dataset": _bare(dataset), **unheld}


def _organisation(view: View) -> dict[str, JsonValue] | None:
    """Return as whom an organisation is asked about, None where the view is of a person."""
    code = view.get("uscc", view.get("taxpayer_id"))
    return None if code is None else {"id": code, "type": "USCC", "name": view.get("name")}


def _named(
    role: str, dataset: Dataset, person: Person, asked: Asked = NOTHING
) -> dict[str, JsonValue]:
    return {
        "is": role,
        "dataset": _bare(dataset),
        "id": person.id_number,
        "name": person.full_name,
        "claims": dict(asked.claims),
        "expect": dict(asked.expect),
    }


def _spelled(value: JsonValue) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _bare(dataset: Dataset) -> str:
    return dataset.name.partition("@")[0]


def _versioned(name: str) -> DatasetName:
    return DatasetName(f"{name}@1")
