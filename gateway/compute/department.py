"""Steps 8 to 10 towards departments: the one whose tables lie here is asked in the second process.

There its record is proven in the same job; every other department's in a job of its own.
"""

from collections.abc import Mapping
from typing import Protocol

from adapters.port import (
    AdapterHealth,
    BreakerState,
    DatasetName,
    Lacking,
    NotFound,
    Outcome,
    ProviderAdapter,
    Query,
    Record,
    Untold,
)
from certs.identity import RegisteredKey
from gateway.compute.port import Compute, FetchJob, ProveJob
from gateway.distrust import (
    Minimised,
    Proven,
    build_expectation,
    require_proven,
    require_record_key,
    state_due,
)

Fetched = Outcome | Proven
"""What a department told, its record proven already or not."""


class Fetcher(Protocol):
    """Who asks the department elsewhere."""

    async def fetch(self, job: FetchJob) -> Untold | Proven | None:
        """Return what it tells; None where it has to be asked here."""
        ...


class ApartDepartment:
    """An adapter that may be asked in the second process, and in this one while that is away."""

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

    @property
    def breaker_state(self) -> BreakerState:
        """Whether questions are let through."""
        return self._here.breaker_state

    def find_lacking(self, query: Query) -> Lacking | None:
        """Return what the department would miss in this question."""
        return self._here.find_lacking(query)

    async def ask(self, job: FetchJob) -> Fetched:
        """Ask for the granted fields, with their effects, signed and proven."""
        told = await self._fetcher.fetch(job)
        return await _fetched(self._here, job.query) if told is None else told

    async def fetch(self, query: Query) -> Outcome:
        """Ask for the granted fields, with their effects, signed; in this process."""
        return await self._here.fetch(query)

    async def examine_health(self) -> AdapterHealth:
        """Do the cheapest real operation and report."""
        return await self._here.examine_health()

    async def close(self) -> None:
        """Release connections."""
        await self._here.close()


async def fetch_from(
    adapter: ProviderAdapter, query: Query, provider: str, keys: Mapping[str, RegisteredKey]
) -> Fetched:
    """Ask a department (step 8).

    Raises:
        TypeError: the adapter returned what its port does not allow.
    """
    if isinstance(adapter, ApartDepartment):
        spoken = tuple(key.public_key for key in keys.values())
        return await adapter.ask(FetchJob(query=query, issuer=provider, keys=spoken))
    return await _fetched(adapter, query)


async def _fetched(adapter: ProviderAdapter, query: Query) -> Outcome:
    fetched = await adapter.fetch(query)
    # What it is annotated to return is not what it must return.
    if not isinstance(fetched, Record | NotFound | Untold):
        raise TypeError
    return fetched


async def require_kept(
    compute: Compute,
    told: Record | NotFound | Proven,
    query: Query,
    provider: str,
    keys: Mapping[str, RegisteredKey],
) -> Minimised:
    """Return what was granted of a proven record (steps 9 and 10).

    Raises:
        Distrusted: the record proves nothing.
    """
    now_ms = query.issued_at_ms
    if isinstance(told, Proven):
        return require_proven(told, keys, now_ms)
    key = require_record_key(told.sd_jwt, keys, now_ms)
    return await compute.prove(
        ProveJob(
            compact=told.sd_jwt,
            key=key.public_key,
            expected=build_expectation(query, provider, now_ms),
            due=state_due(query, found=isinstance(told, Record)),
            grants=query.grants,
        )
    )


def is_found(told: Record | NotFound | Proven) -> bool:
    """Say whether the department holds a record of the subject."""
    return told.found if isinstance(told, Proven) else isinstance(told, Record)
