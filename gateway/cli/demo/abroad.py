"""M11 at another province: its HRSS department runs a gateway and a log of its own.

Nothing is shared with the gateway at home but the people: our transfer system is a partner there.
"""

from dataclasses import dataclass, field
from typing import Final

from gateway.cli.demo.counters import ABROAD
from gateway.cli.demo.outcomes import Told, told_of
from gateway.cli.demo.people import SEED, build_asked
from gateway.cli.demo.proofs import Proofs, examine_proofs
from gateway.cli.sandbox.provinces import PROVINCES, ProvinceName
from gateway.cli.sandbox.running import SandboxOptions, prepared, serving
from hutong.client import Client, Settings, load_identity

SYSTEM: Final = "transfer"
SEED_ABROAD: Final = SEED + 1
"""The same planted people have led other lives there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Abroad:
    """What another province told, proven against its own log."""

    told: Told
    proofs: Proofs
    providers: dict[str, str] = field(repr=False)
    """Chinese names of its organisations."""


async def ask_abroad(population: int, settings: Settings) -> Abroad:
    """Run the other province's gateway and ask it about somebody who moved here."""
    options = SandboxOptions(
        population=population, seed=SEED_ABROAD, province=PROVINCES[ProvinceName.OTHER]
    )
    async with prepared(options) as sandbox:
        world = sandbox.world
        async with serving(sandbox):
            identity = load_identity(world.folders.partner(SYSTEM))
            asked = build_asked(ABROAD, identity, world.bundle.matters[ABROAD.matter])
            async with Client.open(identity, settings) as client:
                told = told_of(asked, await client.exchange_matter(asked.question))
                await client.get_checkpoint()
                newest = client.newest_checkpoint
        proofs = examine_proofs(told.receipts, newest, world.folders.log_file, world.log_vkey)
        return Abroad(told=told, proofs=proofs, providers=dict(world.bundle.catalog.providers))
