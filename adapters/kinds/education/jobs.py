"""Where a verification that takes longer is continued: our key → the department's job.

INVARIANT: no personal data stands here; a key is a digest (`pending_key`), so that a job can be
continued only by the system and for the matter, case and question it was begun for.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from adapters.pending import pending_key
from adapters.port import Query

# The department forgets finished jobs after 24 hours (docs/adapters/education.md, section 7).
_LIFE_S: Final = 24 * 3600.0
_MAX_JOBS: Final = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    path: str
    until: float


class PendingJobs:
    """Remembers begun jobs, the oldest forgotten first."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._jobs: OrderedDict[bytes, _Job] = OrderedDict()

    def find(self, query: Query) -> str | None:
        """Return the path of the job this query continues, if one is known."""
        if query.pending_request_id is None:
            return None
        job = self._jobs.get(pending_key(query, query.pending_request_id))
        return job.path if job is not None and self._clock() < job.until else None

    def remember(self, query: Query, path: str) -> None:
        """Keep a job under the id of this query and of the one it continues."""
        job = _Job(path=path, until=self._clock() + _LIFE_S)
        # Under both: an asker who lost our last answer comes back with the id he knows.
        for request_id in {query.request_id, query.pending_request_id or query.request_id}:
            self._jobs[pending_key(query, request_id)] = job
        while len(self._jobs) > _MAX_JOBS:
            self._jobs.popitem(last=False)
