"""What departments hold of a person, as each writes it: what an answer may carry beyond the grant.

From the population, which the simulators answer from, and from the simulators' own writing of what
nobody should ever see (fault `every_field` of each department's page).
"""

import re
from collections.abc import Iterator
from functools import cache

from adapters.simulators.education.shapes import everything_else
from adapters.simulators.health.rows import private_members
from adapters.simulators.people_page import person_page, to_json
from adapters.simulators.population import (
    Person,
    account_of,
    canaries,
    commerce_record,
    old_account_of,
    person_at,
)
from adapters.simulators.public_security.shapes import everything
from adapters.simulators.tax.register import _contribution, _everything, _income
from gateway.cli.demo.people import SEED

HOUSEHOLD = 4
"""Indices from one head of a household to the next (docs/population.md): departments write of the
others beside the one asked about."""
TAX_YEAR = 2026
ANYBODYS = frozenset({"CA-ALL-", "CM-ALL-", "19900000000", "13900000000", "6217000000000000012"})
"""What civil affairs, commerce and tax add of whomever: dumps, and numbers that are all alike."""
DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})")


@cache
def texts_held(index: int) -> frozenset[str]:
    """Return every text that any department may write of a person or of his household."""
    members = (person_at(SEED, index + place) for place in range(HOUSEHOLD))
    return ANYBODYS.union(*(_texts(member) for member in members))


@cache
def texts_of_nobody_else(index: int) -> frozenset[str]:
    """Return the texts that belong to a person alone, also those no department should tell."""
    person = person_at(SEED, index)
    drawn = (_everything(person), everything_else(person), private_members(person))
    private = {
        text for members in drawn for text in _leaves(members) if len(text) > len("20260101")
    }
    return ANYBODYS | private | set(canaries(person)) | {everything(person)["FZJL"]}


def _texts(person: Person) -> frozenset[str]:
    page = person_page(person)
    pages = (
        {name: page[name] for name in page if name not in {"quirk", "index"}},
        everything(person),
        everything_else(person),
        private_members(person),
        _everything(person),
        _contribution(person).members,
        _income(person, TAX_YEAR).members,
        to_json(account_of(person)),
        to_json(old_account_of(person)),
        to_json(commerce_record(person)),
    )
    return frozenset(text for each in pages for text in _spelled(_leaves(each)))


def _spelled(leaves: Iterator[str]) -> Iterator[str]:
    """Yield each text, a day also as departments write it: eight digits."""
    for leaf in leaves:
        yield leaf
        if day := DAY.match(leaf):
            yield "".join(day.groups())


def _leaves(value: object) -> Iterator[str]:
    match value:
        case dict():
            for member in value.values():
                yield from _leaves(member)
        case list():
            for member in value:
                yield from _leaves(member)
        case str():
            yield value
        case bool() | None:
            return
        case _:
            yield str(value)
