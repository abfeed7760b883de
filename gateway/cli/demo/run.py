"""Runs the demo from an empty folder to verified receipts; prints nothing."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from gateway.cli.demo.attacks import Attempt, Stage, attack, build_stage
from gateway.cli.demo.expectations import PEOPLE, Person
from gateway.cli.demo.outcomes import Told, told_of
from gateway.cli.demo.people import OFFICER, SEED, Asked, build_asked
from gateway.cli.demo.proofs import Proofs, examine_proofs
from gateway.cli.sandbox.running import Sandbox, SandboxOptions, prepared, serving
from gateway.cli.sandbox.world import HRSS
from hutong.client import Client, Identity, Receipt, Settings, load_identity

SYSTEMS: Final = {"M2": "retirement", "M1": "recertification"}
"""Which system asks in which matter."""
PATIENT: Final = Settings(timeout_s=40.0)
"""A busy machine is slow, and that is no finding."""
POPULATION: Final = 400
"""All planted people and some ordinary ones around them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """What the demo showed."""

    told: tuple[Told, ...]
    attempts: tuple[Attempt, ...]
    proofs: Proofs
    log_key: str
    titles: dict[str, str] = field(repr=False)
    """Chinese titles of datasets and fields, and names of providers."""

    @property
    def holds(self) -> bool:
        """Whether every expectation held."""
        told = all(each.holds for each in self.told)
        return told and all(each.holds for each in self.attempts) and self.proofs.holds


async def run_demo() -> Demo:
    """Run everything once."""
    systems = frozenset(f"{HRSS}/{slug}" for slug in SYSTEMS.values())
    options = SandboxOptions(population=POPULATION, seed=SEED, systems=systems)
    async with prepared(options) as sandbox:
        async with serving(sandbox):
            told, attempts, checkpoint = await _exchange(sandbox)
        receipts = _receipts(told, attempts)
        proofs = examine_proofs(
            receipts, checkpoint, sandbox.world.folders.log_file, sandbox.world.log_vkey
        )
        return Demo(
            told=told,
            attempts=attempts,
            proofs=proofs,
            log_key=sandbox.world.log_vkey,
            titles=_titles(sandbox),
        )


async def _exchange(
    sandbox: Sandbox,
) -> tuple[tuple[Told, ...], tuple[Attempt, ...], bytes]:
    identities = {
        matter: load_identity(sandbox.world.folders.partner(slug))
        for matter, slug in SYSTEMS.items()
    }
    asked = [_asked(person, identities[person.matter]) for person in PEOPLE]
    async with (
        Client.open(identities["M2"], PATIENT) as retirement,
        Client.open(identities["M1"], PATIENT) as recertification,
    ):
        clients = {"M2": retirement, "M1": recertification}
        told = await asyncio.gather(*(_ask(clients[one.person.matter], one) for one in asked))
        stage: Stage = build_stage(identities["M2"], identities["M1"], asked[0])
        attempts = await attack(stage)
        await retirement.get_checkpoint()
        newest = retirement.newest_checkpoint
    return tuple(told), attempts, newest


async def _ask(client: Client, asked: Asked) -> Told:
    return told_of(asked, await client.exchange_matter(asked.question))


def _asked(person: Person, identity: Identity) -> Asked:
    """Return a person's question; re-certification is a system job and carries no officer."""
    officer = identity.officer(OFFICER) if person.matter == "M2" else None
    return build_asked(person, identity.agreements, officer)


def _receipts(told: Sequence[Told], attempts: Sequence[Attempt]) -> tuple[Receipt, ...]:
    kept = [receipt for each in told for receipt in each.receipts]
    kept += [each.receipt for each in attempts if each.receipt is not None]
    return tuple(kept)


def _titles(sandbox: Sandbox) -> dict[str, str]:
    catalog = sandbox.world.bundle.catalog
    titles: dict[str, str] = dict(catalog.providers)
    for name, dataset in catalog.datasets.items():
        titles[name] = dataset.title_zh
        titles |= {f"{name}/{one.name}": one.title_zh for one in dataset.fields}
    return titles
