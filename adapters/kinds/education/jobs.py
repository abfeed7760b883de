"""Where a verification that takes longer is continued: our key → the department's job.

INVARIANT: no personal data stands here; a key is a digest bound to request, asker and question, so
that a job can be continued only by the system and for the question it was begun for.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from adapters.port import Query
from signing.encoding import encode_canonical_json

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
        job = self._jobs.get(_key(query, query.pending_request_id))
        return job.path if job is not None and self._clock() < job.until else None

    def remember(self, query: Query, path: str) -> None:
        """Keep a job under the id of this query and of the one it continues."""
        job = _Job(path=path, until=self._clock() + _LIFE_S)
        # Under both: an asker who lost our last answer comes back with the id he knows.
        for request_id in {query.request_id, query.pending_request_id or query.request_id}:
            self._jobs[_key(query, request_id)] = job
        while len(self._jobs) > _MAX_JOBS:
            self._jobs.popitem(last=False)


def _key(query: Query, request_id: bytes) -> bytes:
    """Return the key of a question; the item is left out, for GetResult asks for one at a time."""
    subject, claims = query.subject, sorted(query.claims.items())
    question = encode_canonical_json(
        [
            query.audience,
            query.dataset.name,
            subject.identifier,
            subject.full_name,
            [[name, value] for name, value in claims],
        ]
    )
    # The request id is random and so the salt of what could otherwise be tried out.
    return hashlib.sha256(request_id + question).digest()
