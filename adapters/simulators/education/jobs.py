"""Verifications by hand: asked now, answered later (docs/adapters/education.md, section 7)."""

import secrets
from dataclasses import dataclass, field
from typing import Final

from adapters.simulators.education.register import Outcome

KEPT_MS: Final = 24 * 3600 * 1000
"""How long an answered job can be fetched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One verification a clerk works on."""

    client_id: str
    verifying: bool
    outcome: Outcome = field(repr=False)
    ready_ms: int


@dataclass(slots=True, kw_only=True)
class Jobs:
    """The jobs by their id."""

    delay_ms: int
    open: dict[str, Job] = field(default_factory=dict, repr=False)

    def begin(self, client_id: str, outcome: Outcome, now_ms: int, *, verifying: bool) -> str:
        """Begin a job and return its id."""
        # Not guessable: the path alone leads to a record.
        job_id = secrets.token_hex(16)
        self.open[job_id] = Job(
            client_id=client_id,
            verifying=verifying,
            outcome=outcome,
            ready_ms=now_ms + self.delay_ms,
        )
        return job_id

    def find(self, job_id: str, client_id: str) -> Job | None:
        """Find a job of this client; another client's does not exist for him."""
        job = self.open.get(job_id)
        return job if job is not None and job.client_id == client_id else None
