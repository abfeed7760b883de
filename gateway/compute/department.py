"""The department whose tables lie at the gateway, asked in the second process."""

from typing import Protocol

from adapters.port import AdapterHealth, DatasetName, Lacking, Outcome, ProviderAdapter, Query


class Fetcher(Protocol):
    """Who asks the department elsewhere."""

    async def fetch(self, query: Query) -> Outcome | None:
        """Return what it tells; None where it has to be asked here."""
        ...


class ApartDepartment:
    """An adapter whose questions go to the second process, and to this one while that is away."""

    __slots__ = ("_fetcher", "_here")

    def __init__(self, here: ProviderAdapter, fetcher: Fetcher) -> None:
        self._here = here
        self._fetcher = fetcher

    @property
    def organisation(self) -> str:
        """USCC of the department."""
        return self._here.organisation

    @property
    def datasets(self) -> frozenset[DatasetName]:
        """Which datasets it serves."""
        return self._here.datasets

    def find_lacking(self, query: Query) -> Lacking | None:
        """Return what the department would miss in this question."""
        return self._here.find_lacking(query)

    async def fetch(self, query: Query) -> Outcome:
        """Ask for the granted fields, with their effects, signed."""
        outcome = await self._fetcher.fetch(query)
        return await self._here.fetch(query) if outcome is None else outcome

    async def examine_health(self) -> AdapterHealth:
        """Do the cheapest real operation and report."""
        return await self._here.examine_health()

    async def close(self) -> None:
        """Release connections."""
        await self._here.close()
