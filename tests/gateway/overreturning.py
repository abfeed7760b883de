"""Asks every field of every agreement of departments that return all they hold; keeps what left."""

import asyncio
import base64
import dataclasses
import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import aiohttp
import httpx
import pytest
from _pytest.capture import FDCapture, MultiCapture
from typing_extensions import override

from adapters.port import Subject, SubjectType
from adapters.simulators.population import civil_affairs_record, person_at
from gateway.app import Gateway
from gateway.cli.demo.expectations import CANCEL, DEATH, About, Expected, Person
from gateway.cli.demo.matters import ACCOUNT, ASSISTANCE, ENTERPRISE, QUALIFICATION
from gateway.cli.demo.people import OFFICER, SEED, Asked, build_asked
from gateway.cli.demo.run import CAST, PATIENT, POPULATION, SYSTEMS
from gateway.cli.sandbox.cases import case_number
from gateway.cli.sandbox.provinces import HRSS
from gateway.cli.sandbox.running import Sandbox
from gateway.cli.sandbox.simulators import Simulator
from gateway.cli.sandbox.world import DIVISION
from gateway.policy.delivery import Delivery
from gateway.policy.ports import CaseRecord, CaseState, Relation
from hutong.client import (
    Answered,
    AnsweredField,
    Client,
    Effect,
    Identity,
    Refused,
    load_identity,
)
from hutong.client.channel import Connection
from tests.gateway.agreed import fields_of, granted_to
from tests.gateway.asking import delivery_to, subject_of
from tests.gateway.held import HOUSEHOLD

EVERY_FIELD = "every_field"
CHANCES = 1_000_000
"""How often the fault may strike: more than is asked, so that what is left tells that it struck."""
ALWAYS = frozenset({"bank"})
"""Departments without such a fault, because each of their answers holds all they hold: banks send
true holder, number and state of the account unasked (docs/adapters/bank.md, 4.2)."""
INVESTIGATION = "investigation"


def _every(*datasets: str) -> dict[str, Expected]:
    return {name: Expected(fields=dict.fromkeys(fields_of(name), "")) for name in datasets}


INVESTIGATED = Person(
    case="dead_pension_paid",
    matter="M1",
    why="under investigation: the date of death in clear, from the register and the certificate",
    asked_by=INVESTIGATION,
    datasets=_every(CANCEL, DEATH),
)
ASSISTED = Person(
    case="ordinary_pensioner",
    matter="M12",
    why="stands for the first of a household that draws assistance: nobody planted does",
    datasets=_every(ASSISTANCE),
)
FURTHER = (
    INVESTIGATED,
    Person(
        case="dead_in_ps_alive_in_ca",
        matter="M1",
        why="not yet under investigation: whether, and not when",
        asked_by=INVESTIGATION,
        datasets=_every(CANCEL, DEATH),
    ),
    Person(
        case="legal_rep_changed",
        matter="M9",
        why="the account of an employer, which the demo does not ask about",
        about=About.EMPLOYER,
        datasets=_every(ACCOUNT),
    ),
    *(
        Person(
            case="card_replaced",
            matter=matter,
            why="the account is closed: why it cannot be paid to",
            datasets=_every(ACCOUNT),
        )
        for matter in ("M4", "M7", "M13")
    ),
    Person(
        case="qualification_revoked",
        matter="M5",
        why="holds a skill certificate",
        datasets=_every(QUALIFICATION),
    ),
    Person(
        case="legal_rep_changed",
        matter="M6",
        why="an enterprise registered for a term",
        about=About.EMPLOYER,
        datasets=_every(ENTERPRISE),
    ),
    ASSISTED,
)
"""Agreements the demo asks nothing under, and people of whom a field has a value."""

_WIRE: ContextVar[list[bytes]] = ContextVar("_WIRE")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What became of one query."""

    person: Person
    agreement: str
    dataset: str
    granted: Mapping[str, str]
    """What may leave: field → words of its effect."""
    outcome: Answered | Refused = dataclasses.field(repr=False)

    @property
    def released(self) -> tuple[str, ...]:
        """The values that left, each as released."""
        if isinstance(self.outcome, Refused):
            return ()
        return tuple(text for each in self.outcome.fields for text in _texts(each))

    @property
    def personal(self) -> tuple[str, ...]:
        """The same without categories, which are words of the catalog and nobody's own."""
        if isinstance(self.outcome, Refused):
            return ()
        own = (each for each in self.outcome.fields if each.effect is not Effect.PREDICATE)
        return tuple(text for each in own for text in _texts(each))

    @property
    def coarse(self) -> tuple[str, ...]:
        """Those of the values that left masked or generalised."""
        if isinstance(self.outcome, Refused):
            return ()
        coarse = {Effect.MASK, Effect.GENERALISE}
        own = (each for each in self.outcome.fields if each.effect in coarse)
        return tuple(text for each in own for text in _texts(each))

    @property
    def record(self) -> "OpenedRecord | None":
        """The record, opened by plain code; None where none left."""
        if isinstance(self.outcome, Refused) or self.outcome.record is None:
            return None
        return open_record(self.outcome.record)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """One person's matter: its items, and the very bytes of the gateway's response."""

    index: int
    items: tuple[Item, ...]
    wire: bytes = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class OpenedRecord:
    """An SD-JWT or a disclosure manifest, every part of it decoded."""

    header: dict[str, Any]
    claims: dict[str, Any]
    disclosures: tuple[list[Any], ...]

    @property
    def text(self) -> bytes:
        """All of it as one text, without base64."""
        parts = (self.header, self.claims, *self.disclosures)
        return json.dumps(parts, ensure_ascii=False).encode()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """Everything that left: to partners, to operators."""

    matters: tuple[Matter, ...]
    struck: Mapping[str, int]
    """How often each department returned all it holds."""
    shown: bytes = dataclasses.field(repr=False)
    """Metrics, readiness, and what processes wrote and loggers said."""

    @property
    def items(self) -> tuple[Item, ...]:
        """Every item of every matter."""
        return tuple(item for matter in self.matters for item in matter.items)


def open_record(compact: str) -> OpenedRecord:
    """Decode every part of a record, whatever its form."""
    signed, *disclosures = compact.removesuffix("~").split("~")
    header, claims, _signature = signed.split(".")
    return OpenedRecord(
        header=_decoded(header),
        claims=_decoded(claims),
        disclosures=tuple(_decoded(each) for each in disclosures),
    )


async def overreturn(simulators: Mapping[str, Simulator]) -> None:
    """Let every department that has to be told return all it holds."""
    for name in simulators.keys() - ALWAYS:
        await _faults(simulators[name], {"name": EVERY_FIELD, "count": CHANCES})


async def count_strikes(simulators: Mapping[str, Simulator]) -> dict[str, int]:
    """Return how often each department that had to be told returned all it holds."""
    listed = {name: await _faults(simulators[name]) for name in simulators.keys() - ALWAYS}
    return {name: CHANCES - faults[EVERY_FIELD] for name, faults in listed.items()}


async def _faults(simulator: Simulator, switched: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401  JSON
    guard = {"Authorization": f"Bearer {simulator.admin_token}"}
    url = f"http://127.0.0.1:{simulator.admin_port}/faults"
    async with aiohttp.ClientSession(headers=guard, raise_for_status=True) as session:
        method = "GET" if switched is None else "POST"
        async with session.request(method, url, json=switched) as response:
            return (await response.json())["faults"]


async def ask_everything(sandbox: Sandbox, gateway: Gateway) -> tuple[tuple[Matter, ...], bytes]:
    """Ask every field of everybody's datasets; return what left and what operators are shown."""
    folders, titles = sandbox.world.folders, sandbox.world.bundle.matters
    people = (*CAST, *FURTHER)
    slugs = sorted({_system(person) for person in people})
    identities = {slug: load_identity(folders.partner(slug)) for slug in slugs}
    asked = [
        build_asked(person, identities[_system(person)], titles[person.matter]) for person in people
    ]
    asked = [_assisted(each) if each.person is ASSISTED else each for each in asked]
    with delivery_to(sandbox) as delivery:
        for each in asked:
            if each.person in (INVESTIGATED, ASSISTED):
                _open_case(delivery, each)
    with pytest.MonkeyPatch.context() as patched:
        _keep_wire(patched)
        matters = await asyncio.gather(
            *(_ask(identities[_system(each.person)], each) for each in asked)
        )
    async with httpx.AsyncClient() as http:
        base = f"http://127.0.0.1:{gateway.health_port}"
        shown = [(await http.get(f"{base}/{page}")).content for page in ("metrics", "readyz")]
    return tuple(matters), b"".join((*shown, gateway.metrics.exposition()))


@contextmanager
def lines_kept(kept: list[bytes]) -> Iterator[None]:
    """Add what loggers say down to DEBUG, and what this process and its children print."""
    keeping, root = _Keeping(), logging.getLogger()
    level = root.level
    with _captured(kept):
        root.addHandler(keeping)
        root.setLevel(logging.DEBUG)
        try:
            yield
        finally:
            root.removeHandler(keeping)
            root.setLevel(level)
    kept.append("\n".join(keeping.said).encode())


class _Keeping(logging.Handler):
    """Keeps lines as they would be written, tracebacks included."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.said: list[str] = []

    @override
    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(self.format(record))


@contextmanager
def _captured(kept: list[bytes]) -> Iterator[None]:
    capture = MultiCapture(in_=None, out=FDCapture(1), err=FDCapture(2))
    capture.start_capturing()
    try:
        yield
    finally:
        out, err = capture.readouterr()
        capture.stop_capturing()
        kept.append(f"{out}{err}".encode())


def _keep_wire(patched: pytest.MonkeyPatch) -> None:
    call = Connection.call

    async def kept(self: Connection, method: str, message: bytes, timeout_s: float) -> bytes:
        response = await call(self, method, message, timeout_s)
        _WIRE.get().append(response)
        return response

    patched.setattr(Connection, "call", kept)


async def _ask(identity: Identity, asked: Asked) -> Matter:
    person, wire = asked.person, list[bytes]()
    _WIRE.set(wire)
    queries = tuple(
        dataclasses.replace(each, fields=fields_of(each.dataset)) for each in asked.question.queries
    )
    question = dataclasses.replace(asked.question, queries=queries)
    if person.asked_by == INVESTIGATION:
        officer = dataclasses.replace(OFFICER, role="核查")
        question = dataclasses.replace(question, officer=identity.officer(officer))
    async with Client.open(identity, PATIENT) as client:
        outcomes = await client.exchange_matter(question)
    items = tuple(
        Item(
            person=person,
            agreement=query.agreement,
            dataset=query.dataset,
            granted=granted_to(person, query.agreement, in_investigation=person is INVESTIGATED),
            outcome=outcome,
        )
        for query, outcome in zip(queries, outcomes, strict=True)
    )
    return Matter(index=asked.planted.index, items=items, wire=b"".join(wire))


def _assisted(asked: Asked) -> Asked:
    """Return the question put about the first head of a household that draws assistance."""
    heads = (person_at(SEED, index) for index in range(0, POPULATION, HOUSEHOLD))
    head = next(each for each in heads if civil_affairs_record(each).assistance is not None)
    found = dataclasses.replace(
        asked.planted, index=head.index, id_number=head.id_number, full_name=head.full_name
    )
    question = dataclasses.replace(
        asked.question,
        subject=subject_of(found),
        purpose=dataclasses.replace(
            asked.question.purpose, case_number=case_number(asked.person.matter, found)
        ),
    )
    return dataclasses.replace(asked, planted=found, question=question)


def _open_case(delivery: Delivery, asked: Asked) -> None:
    """Enter a case of the person asked about, come to an investigation or not."""
    found = asked.planted
    subject = Subject(type=SubjectType.RESIDENT_ID, identifier=found.id_number)
    case = CaseRecord(
        state=CaseState.OPEN,
        matter=asked.person.matter,
        organisation=HRSS,
        division=DIVISION,
        relation=Relation.APPLICANT,
        in_investigation=asked.person is INVESTIGATED,
        special_grade=False,
    )
    number = case_number(asked.person.matter, found)
    delivery.add_case(number, case, ((subject, Relation.APPLICANT),))


def _texts(told: AnsweredField) -> tuple[str, ...]:
    if told.value is None:
        return ()
    return (told.value,) if isinstance(told.value, str) else told.value


def _system(person: Person) -> str:
    return person.asked_by or SYSTEMS[person.matter]


def _decoded(part: str) -> Any:  # noqa: ANN401  JSON of any shape
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
