"""The sandbox that is measured: one requesting system, quotas out of the way, gateway apart.

Knows how to make it and whom to ask about; knows nothing of load. The policy is the one that ships,
cut to the agreements of one matter, with `频次` raised: a bench that runs into an agreement's quota
measures refusals.
"""

import re
import shutil
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

import yaml

from adapters.simulators.population import planted
from gateway.cli.sandbox.authority import write_private
from gateway.cli.sandbox.cases import case_number
from gateway.cli.sandbox.partners import write_partner
from gateway.cli.sandbox.provinces import HRSS
from gateway.cli.sandbox.running import Sandbox, SandboxOptions, prepared
from gateway.cli.sandbox.settings import Ports
from gateway.cli.sandbox.world import World
from gateway.policy.bundle import load_bundle
from hutong.client import (
    Answered,
    AnswerState,
    Client,
    Identity,
    Purpose,
    Question,
    Refused,
    Staff,
    Subject,
    load_identity,
)

SLUG: Final = "retirement"
MATTER: Final = "M2"
AGREEMENTS: Final = "m02-retirement.yaml"
POPULATION: Final = 1_000
RAISED: Final = "频次: {每办件每人: 1000000000, 每日: 1000000000, 每秒: 1000000}"
_QUOTA: Final = re.compile(r"频次: \{[^}]*\}")
STAFF: Final = Staff(
    token="officer-0417",  # noqa: S106  a pseudonym of a person, no secret
    role="经办",
    unit="省人社厅养老保险处",
    unit_code="370000000000",
    level="county",
    division="370102",
    # What public security demands of whoever asks; a synthetic person.
    call_reason="退休待遇申领",
    name="彭守正",
    identifier="370104198309239011",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One way through the gateway: an agreement, and what is asked under it."""

    name: str
    agreement: str
    dataset: str
    fields: tuple[str, ...]


PARTICIPATION: Final = Lane(
    name="HRSS, embedded",
    agreement="XY-2026-203",
    dataset="hr.participation@1",
    fields=("first_date", "state"),
)
EDUCATION: Final = Lane(
    name="education, over HTTP",
    agreement="XY-2026-205",
    dataset="edu.diploma@1",
    fields=("full_name", "institution_name", "verified"),
)
POLICE: Final = Lane(
    name="public security, over SOAP",
    agreement="XY-2026-201",
    dataset="ps.person_core@1",
    fields=("full_name", "person_state"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchWorld:
    """A prepared sandbox and the identity that asks."""

    sandbox: Sandbox
    identity: Identity
    port: int

    @property
    def config(self) -> Path:
        """The configuration file of the gateway."""
        return self.sandbox.world.folders.config

    @property
    def database(self) -> Path:
        """The access log."""
        return self.sandbox.world.folders.log_file


@asynccontextmanager
async def bench_world(root: Path) -> AsyncIterator[BenchWorld]:
    """Make a sandbox in a folder; the gateway is for the caller to start, at the port chosen."""
    port, health = free_port(), free_port()
    options = SandboxOptions(
        root=root / "sandbox",
        population=POPULATION,
        ports=Ports(gateway=port, health=health),
        systems=frozenset({f"{HRSS}/{SLUG}"}),
    )
    async with prepared(options) as sandbox:
        world = sandbox.world
        use_bundle(world, write_raised_bundle(root / "bundle"))
        folder = world.folders.partner(SLUG)
        write_partner(world, world.partners[f"{HRSS}/{SLUG}"], f"127.0.0.1:{port}", folder)
        yield BenchWorld(sandbox=sandbox, identity=load_identity(folder), port=port)


def write_raised_bundle(folder: Path) -> Path:
    """Write the shipped policy, cut to one matter, with quotas nobody reaches."""
    shipped = Path(str(files("gateway"))) / "bundle"
    (folder / "agreements").mkdir(parents=True)
    for path in shipped.glob("*.yaml"):
        shutil.copy(path, folder / path.name)
    text = (shipped / "agreements" / AGREEMENTS).read_text("utf-8")
    raised, count = _QUOTA.subn(RAISED, text)
    if not count:
        raise ValueError("the shipped agreements state no quota in the form that is known here")
    (folder / "agreements" / AGREEMENTS).write_text(raised, encoding="utf-8")
    return folder


def use_bundle(world: World, folder: Path) -> None:
    """Let the gateway of a sandbox decide by another policy than the one that ships."""
    settings = yaml.safe_load(world.folders.config.read_bytes())
    settings["policy"] = str(folder)
    settings["policy_digest"] = load_bundle(folder, world.start_date).digest.hex()
    write_private(world.folders.config, yaml.safe_dump(settings, allow_unicode=True).encode())


def build_questions(identity: Identity, lane: Lane) -> list[Question]:
    """Return one question per planted person, each under the case that person has."""
    hint = next(each for each in identity.agreements if each.number == lane.agreement)
    officer = identity.officer(STAFF)
    return [
        Question(
            agreement=lane.agreement,
            dataset=lane.dataset,
            fields=lane.fields,
            subject=Subject(identifier=person.id_number, full_name=person.full_name),
            purpose=Purpose(
                matter=MATTER,
                legal_basis=hint.legal_basis,
                case_number=case_number(MATTER, person),
            ),
            officer=officer,
        )
        for person in planted()
    ]


async def select_answered(
    identity: Identity, questions: Sequence[Question], *, timeout_s: float | None = None
) -> list[tuple[Question, Answered]]:
    """Ask each question once and keep those that get values: refusals are cheap, and not measured.

    What is not answered within `timeout_s` is not kept either.

    Raises:
        RuntimeError: nobody gets an answer, so there is nothing to measure.
    """
    kept = []
    async with Client.open(identity) as client:
        for question in questions:
            try:
                answered = await client.exchange(question, timeout_s=timeout_s)
            except Refused:
                continue
            if answered.state is AnswerState.ANSWERED:
                kept.append((question, answered))
    if not kept:
        raise RuntimeError("no planted person gets an answer under the agreement measured")
    return kept


def free_port() -> int:
    """Return a port of loopback that was free a moment ago."""
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port: int = chosen.getsockname()[1]
    return port
