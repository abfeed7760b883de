"""Runs the demo from an empty folder to verified receipts; prints nothing."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from gateway.cli.demo.abroad import Abroad, ask_abroad
from gateway.cli.demo.attacks import Attempt, attack, build_stage
from gateway.cli.demo.counters import AWAY, FURTHER, WHILE_AWAY
from gateway.cli.demo.expectations import PEOPLE, Person
from gateway.cli.demo.outcomes import Told, told_of
from gateway.cli.demo.people import SEED, Asked, build_asked
from gateway.cli.demo.proofs import Proofs, examine_proofs
from gateway.cli.sandbox.running import Sandbox, SandboxOptions, prepared, serving
from hutong.client import Client, Identity, Receipt, Settings, load_identity

SYSTEMS: Final = MappingProxyType(
    {
        "M1": "recertification",
        "M2": "retirement",
        "M3": "unemployment",
        "M4": "survivor",
        "M5": "title",
        "M6": "loan",
        "M7": "talent",
        "M8": "card",
        "M9": "employer",
        "M10": "payment",
        "M11": "transfer",
        "M12": "assistance",
        "M13": "skill",
    }
)
"""Which system of the HRSS department asks in which matter; in M14 others ask."""
CAST: Final = (*PEOPLE, *FURTHER)
"""Whoever comes to a counter."""
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
    suites: Mapping[str, frozenset[str]]
    """With which suites each organisation signed the records that were proven."""
    titles: dict[str, str] = field(repr=False)
    """Chinese titles of datasets and fields, and names of providers."""
    abroad: Proofs
    """Of the last person told: another province's log proves what it told."""

    @property
    def holds(self) -> bool:
        """Whether every expectation held."""
        told = all(each.holds for each in self.told)
        attempted = all(each.holds for each in self.attempts)
        return told and attempted and self.proofs.holds and self.abroad.holds


async def run_demo() -> Demo:
    """Run everything once: this province's gateway, and another one's beside it."""
    async with asyncio.TaskGroup() as group:
        abroad = group.create_task(ask_abroad(POPULATION, PATIENT))
        home = group.create_task(_run_home(abroad))
    return home.result()


async def _run_home(asking_abroad: asyncio.Task[Abroad]) -> Demo:
    options = SandboxOptions(population=POPULATION, seed=SEED)
    async with prepared(options) as sandbox:
        async with serving(sandbox):
            told, attempts, checkpoint = await _exchange(sandbox)
        receipts = _receipts(told, attempts)
        proofs = examine_proofs(
            receipts, checkpoint, sandbox.world.folders.log_file, sandbox.world.log_vkey
        )
        abroad = await asking_abroad
        return Demo(
            told=(*told, abroad.told),
            attempts=attempts,
            proofs=proofs,
            log_key=sandbox.world.log_vkey,
            suites=_suites(told),
            titles={**abroad.providers, **_titles(sandbox)},
            abroad=abroad.proofs,
        )


async def _exchange(
    sandbox: Sandbox,
) -> tuple[tuple[Told, ...], tuple[Attempt, ...], bytes]:
    folders, matters = sandbox.world.folders, sandbox.world.bundle.matters
    slugs = sorted({_system(person) for person in CAST})
    identities = {slug: load_identity(folders.partner(slug)) for slug in slugs}
    asked = [
        build_asked(person, identities[_system(person)], matters[person.matter]) for person in CAST
    ]
    async with AsyncExitStack() as opened:
        clients = {
            slug: await opened.enter_async_context(Client.open(identities[slug], PATIENT))
            for slug in slugs
        }
        told = list(
            await asyncio.gather(*(_ask(clients[_system(one.person)], one) for one in asked))
        )
        retirement, recertification = SYSTEMS["M2"], SYSTEMS["M1"]
        stage = build_stage(identities[retirement], identities[recertification], asked[0])
        attempts = await attack(stage)
        told.append(await _ask_while_away(sandbox, clients, identities))
        await clients[retirement].get_checkpoint()
        newest = clients[retirement].newest_checkpoint
    return tuple(told), attempts, newest


async def _ask_while_away(
    sandbox: Sandbox, clients: Mapping[str, Client], identities: Mapping[str, Identity]
) -> Told:
    """Ask for one person while one department answers nobody."""
    slug, title = _system(WHILE_AWAY), sandbox.world.bundle.matters[WHILE_AWAY.matter]
    await sandbox.simulators[AWAY].switch_fault("server_error")
    return await _ask(clients[slug], build_asked(WHILE_AWAY, identities[slug], title))


def _system(person: Person) -> str:
    return person.asked_by or SYSTEMS[person.matter]


async def _ask(client: Client, asked: Asked) -> Told:
    return told_of(asked, await client.exchange_matter(asked.question))


def _receipts(told: Sequence[Told], attempts: Sequence[Attempt]) -> tuple[Receipt, ...]:
    kept = [receipt for each in told for receipt in each.receipts]
    kept += [each.receipt for each in attempts if each.receipt is not None]
    return tuple(kept)


def _suites(told: Sequence[Told]) -> Mapping[str, frozenset[str]]:
    pairs = {pair for each in told for pair in each.suites}
    return {
        provider: frozenset(suite for signer, suite in pairs if signer == provider)
        for provider, _ in pairs
    }


def _titles(sandbox: Sandbox) -> dict[str, str]:
    catalog = sandbox.world.bundle.catalog
    titles: dict[str, str] = dict(catalog.providers)
    for name, dataset in catalog.datasets.items():
        titles[name] = dataset.title_zh
        titles |= {f"{name}/{one.name}": one.title_zh for one in dataset.fields}
    return titles
