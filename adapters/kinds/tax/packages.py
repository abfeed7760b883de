"""What is under way: a question waiting in a package, and a package waiting for its result.

INVARIANT: a package is settled once; every question of it then has an outcome.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Final

from adapters.errors import AdapterError
from adapters.kinds.tax.envelope import Head
from adapters.kinds.tax.questions import Question, Service
from adapters.kinds.tax.results import Settled

MAX_SUBMISSIONS: Final = 98
"""Section 2: `nn` of a client runs from 01 to 98."""


@dataclass(slots=True, kw_only=True)
class Waiting:
    """One question and those who wait for it."""

    question: Question
    package: "Package" = field(repr=False)
    answer: asyncio.Future[Settled] = field(repr=False)
    """Never an exception: nobody may come for it."""
    left: bool = False
    """Whether the asker went without being told to come back."""

    def settle(self, settled: Settled) -> None:
        """Give the outcome, the first one given."""
        if not self.answer.done():
            self.answer.set_result(settled)


@dataclass(slots=True, kw_only=True)
class Package:
    """Questions of one service that travel together."""

    service: Service
    tran_seq: str
    waiting: list[Waiting] = field(default_factory=list, repr=False)
    heads: dict[str, Head] = field(default_factory=dict, repr=False)
    """Submission by its name in the folders."""
    read: set[str] = field(default_factory=set, repr=False)
    """Acknowledgements and refusals that were read, by name of the submission."""
    submitted_at: float | None = None
    """When it was last put whole; None before the first time, and not reset by a refusal."""
    tried_at: float = 0.0
    """When it was last put or tried to be."""
    puts: int = 0
    """How many times it was put whole."""
    begun_at: float = 0.0
    trouble: AdapterError | None = None
    """What kept it from being dropped so far."""
    acknowledged: bool = False
    refused: bool = False
    """Whether it has been refused in a way that a repetition may mend; so it is once only."""
    again: bool = False
    """Whether the repetition after that refusal is still to be put."""

    @property
    def questions(self) -> list[Question]:
        """The questions, in the order of their ids."""
        return [each.question for each in self.waiting]

    @property
    def parts(self) -> list[tuple[str, bytes]]:
        """Id and content of each `subPackage`."""
        return [(str(n), each.content) for n, each in enumerate(self.questions, start=1)]

    def settle_all(self, failed: AdapterError) -> None:
        """Give every question that has none the same outcome."""
        for each in self.waiting:
            each.settle(failed)
