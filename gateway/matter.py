"""One matter fanned out over many datasets: opened once, decided, asked and answered per query.

Each query has its own `ask`, its own `answer` or refusal and its own receipt; one department that
is slow, absent or wrong costs its own item only.
"""

import asyncio
import time
from dataclasses import dataclass

from gateway.errors import Reason
from gateway.exchange import Exchange
from gateway.opening import Question, open_question
from gateway.outcome import Answered, Outcome, parse_outcome
from gateway.parts import Parts
from gateway.progress import Call, Progress
from gateway.statement.kinds import QuestionKind
from gateway.statement.wrapper import Notice, encode_matter_response


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """Answers matters through the same path as single questions."""

    parts: Parts
    exchange: Exchange

    async def answer(self, call: Call, kind: QuestionKind, codes: dict[Reason, int]) -> Outcome:
        """Answer every query of a matter; the outcome holds the whole encoded response."""

        async def walk(progress: Progress) -> Outcome:
            question = await open_question(self.parts, progress, kind)
            if question.twin is not None:
                return parse_outcome(await self.parts.replay.outcome_of(question.twin))
            items = range(len(question.statement.queries))
            outcomes = await asyncio.gather(
                *(self._item(progress, question, item) for item in items)
            )
            spelled = [_spelled(outcome, codes) for outcome in outcomes]
            return Answered(envelope=encode_matter_response(spelled))

        return await self.exchange.admitted(call, walk)

    async def _item(self, progress: Progress, question: Question, item: int) -> Outcome:
        async def walk() -> Outcome:
            return await self.exchange.answer_query(progress, question, item)

        # Each item has an exit of its own: whatever stops it, its siblings are waited for.
        return await self.parts.exits.guarded(progress, walk, time.monotonic(), item)


def _spelled(outcome: Outcome, codes: dict[Reason, int]) -> bytes | Notice:
    if isinstance(outcome, Answered):
        return outcome.envelope
    return Notice(
        reason=outcome.reason, code=codes[outcome.reason], signed_refusal=outcome.envelope
    )
