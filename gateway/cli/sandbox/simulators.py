"""Simulated departments as processes of their own."""

from asyncio.subprocess import Process
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import aiohttp

from adapters.simulators.population import hrss_database
from gateway.cli.sandbox.children import start_child, stop_child

START_S: Final = 30.0
"""How long a simulator may take to say that it is ready."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulator:
    """One running simulator."""

    name: str
    process: Process
    port: int
    admin_port: int
    admin_token: str = field(repr=False)
    scheme: str
    ports: Mapping[str, int]
    """Every port it named when it was ready, e.g. `port`, `admin_port`."""

    @property
    def base_url(self) -> str:
        """Where the department answers."""
        return f"{self.scheme}://127.0.0.1:{self.port}"

    async def switch_fault(self, name: str) -> None:
        """Switch a fault of the department's page on, until it is stopped.

        Raises:
            aiohttp.ClientResponseError: the department has no such fault.
        """
        guard = {"Authorization": f"Bearer {self.admin_token}"}
        url = f"http://127.0.0.1:{self.admin_port}/faults"
        async with (
            aiohttp.ClientSession(headers=guard, trust_env=False) as session,
            session.post(url, json={"name": name}, raise_for_status=True),
        ):
            pass

    async def stop(self) -> None:
        """End it, by force where it does not."""
        await stop_child(self.process)


async def start_simulator(name: str, *arguments: str, scheme: str = "http") -> Simulator:
    """Start one simulator and wait until it says that it is ready.

    Raises:
        RuntimeError: it ended, said nothing in time or something else.
    """
    return await start_child(
        f"simulator {name}",
        ("-m", f"adapters.simulators.{name}", *arguments, "--exit-with-stdin"),
        START_S,
        lambda process, ready: Simulator(
            name=name,
            process=process,
            port=int(ready["port"]),
            admin_port=int(ready["admin_port"]),
            admin_token=str(ready["admin_token"]),
            scheme=scheme,
            ports={key: value for key, value in ready.items() if isinstance(value, int)},
        ),
    )


def make_hrss_tables(path: Path, seed: int, size: int) -> None:
    """Write HRSS's own tables of the synthetic population."""
    hrss_database(path, seed=seed, size=size)
