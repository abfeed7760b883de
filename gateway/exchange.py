"""THE path of a request, from carried bytes to a signed answer. No gRPC, no SQL, no environment.

     0 admit       one more call fits (the edge has bounded its size)
     1 channel     the TLS leaf is a registered system's and current
     2 envelope    signed over the carried bytes by that system's key, at the time read in step 1
     3 binding     signer = channel, meant for us and this method, fresh, not replayed
     4 statement   parsed strictly
     5 officer     asserted by the requester's organisation, bound to channel and content
     6 decide      each field under the named agreement, and what that costs
     7 ask         durable in the access log, with request id and quota
     8 fetch       granted fields only, with their effects, within the remaining time
     9 prove       signature, issuer, request and subject of what came back
    10 minimise    drop whatever is not as granted
    11 answer      durable in the access log
    12 sign        answer and receipt leave together

Steps 1 to 5 (`gateway.opening`) open a call once, steps 6 to 12 run per query, every exit goes
through `gateway.exits`.

INVARIANT: no step can be switched off; no department is asked before 7, nothing leaves before 11.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import structlog

from adapters.port import (
    DatasetShape,
    FieldName,
    Indeterminate,
    Lacking,
    ProviderAdapter,
    Query,
    Untold,
)
from certs.identity import RegisteredKey
from gateway.board import NOT_FOUND, RECORD
from gateway.compute.department import Fetched, fetch_from, is_found, require_kept
from gateway.compute.port import SealJob
from gateway.deciding import Decided, Deciding
from gateway.distrust import Distrusted
from gateway.drafts import WITHHELD, Asked, answer_draft, ask_draft
from gateway.drafts import Answered as AnswerNote
from gateway.entries import Entries
from gateway.errors import Fault, Reason, Refusal
from gateway.exits import WITHOUT_RECEIPT
from gateway.interrupted import LeftAsk
from gateway.model import EntryDraft, Logged
from gateway.opening import Question, open_question
from gateway.outcome import Answered, Outcome, Refused, encode_outcome, named, parse_outcome
from gateway.parts import Parts
from gateway.progress import Call, Progress
from gateway.receipt import commit_to
from gateway.rooms import RoomFull
from gateway.statement.answer import (
    AnswerContent,
    AnswerHeader,
    FieldAnswer,
    FieldOutcome,
    State,
    encode_answer_body,
)
from gateway.statement.kinds import QuestionKind
from signing.record import Custody

RESERVED_S: Final = 0.05
"""Kept back from the department's time for steps 9 to 12, so that the inner deadline wins."""

LACKING: Final = {
    Lacking.SUBJECT_NAME: Reason.SUBJECT_NAME_NEEDED,
    Lacking.OFFICER: Reason.OFFICER_NEEDED,
}
"""What a department misses in a question, as the refusal that says so."""

_log: Final = structlog.get_logger("exchange")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is known after step 10: of the subject, of each granted field, and the proof."""

    state: State
    reason: Indeterminate | None = None
    retry_after_s: float | None = None
    record: str = field(default="", repr=False)
    outcomes: Mapping[FieldName, FieldOutcome] = field(default_factory=dict)


class Exchange:
    """Answers questions; built once by `app` from its parts."""

    __slots__ = ("_deciding", "_entries", "_parts", "_under_way")

    def __init__(self, parts: Parts, deciding: Deciding) -> None:
        self._parts = parts
        self._deciding = deciding
        self._under_way: set[asyncio.Future[Outcome]] = set()
        self._entries = Entries(parts.log, deciding.interrupted)

    async def answer(self, call: Call, kind: QuestionKind) -> Outcome:
        """Answer one question, or say why not."""

        async def walk(progress: Progress) -> Outcome:
            question = await open_question(self._parts, progress, kind)  # 1 to 5
            if question.twin is not None:
                return parse_outcome(await self._parts.replay.outcome_of(question.twin))
            return await self.answer_query(progress, question, 0)

        return await self.admitted(call, walk)

    async def admitted(self, call: Call, walk: Callable[[Progress], Awaitable[Outcome]]) -> Outcome:
        """Step 0 and every exit; a caller that goes away does not interrupt what has begun.

        The walk runs in a task of its own, so that an `ask` gets its `answer` and a retry with the
        same bytes gets what was worked out meanwhile.
        """
        task = asyncio.ensure_future(self._finish(call, walk))
        # The event loop keeps weak references only, and `drain` has to know what is under way.
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return await asyncio.shield(task)

    async def drain(self) -> None:
        """Wait until every walk under way has ended."""
        await asyncio.gather(*self._under_way, return_exceptions=True)
        await self._entries.drain()

    async def _finish(self, call: Call, walk: Callable[[Progress], Awaitable[Outcome]]) -> Outcome:
        """Count the call in, walk, and keep what its twins will be given."""
        started = time.monotonic()
        progress = Progress(call=call, started=started)

        async def timed() -> Outcome:
            progress.now_ms = self._parts.clock.now_ms()
            self._parts.in_flight.enter()
            try:
                async with asyncio.timeout(call.deadline - started):
                    return await walk(progress)
            except TimeoutError:
                raise Fault(Reason.DEADLINE_EXCEEDED) from None  # ours: nothing inner timed out
            finally:
                self._parts.in_flight.leave()
                if progress.counted_in and progress.system is not None:
                    self._parts.in_flight.leave_system(progress.system.system_id)

        outcome: Outcome | None = None
        try:
            outcome = await self._parts.exits.guarded(progress, timed, started)
        finally:
            # Also when even the exit failed: a claim nobody settles would hold its twins for ever.
            self._settle(progress, outcome)
        return outcome if progress.header is None else named(outcome, progress.header.request_id)

    async def answer_query(self, progress: Progress, question: Question, item: int) -> Answered:
        """Walk steps 6 to 12 for one query.

        Raises:
            Refusal: `AGREEMENT_NOT_APPLICABLE`, `NOTHING_GRANTED`, `QUERY_INVALID`,
                `SUBJECT_NAME_NEEDED`, `OFFICER_NEEDED`, `QUOTA_EXHAUSTED`, `REPLAYED`.
            Fault: `LOG_UNAVAILABLE`, `CLOCK_BACKWARDS`.
        """
        started = time.monotonic()
        under = self._deciding.require_applicable(progress, question, item)  # 6
        # Before anything is known of the subject: otherwise who leaves out the name would learn,
        # free of charge, whether a grant depends on facts that hold.
        self._require_askable(self._query(progress, question, under.shape, item, None))
        decided = await self._deciding.decide(progress, question, item, under)
        query = self._query(progress, question, under.shape, item, decided)
        asked = await self._ask(progress, question, decided, item)  # 7
        commitment, draft = None, None
        try:
            keys = question.snapshot.registry.record_keys(decided.record_signer)
            fetched = await self._fetch(decided.provider, query, keys)  # 8
            told = await self._prove(decided, query, fetched, keys)  # 9, 10
            fields = _field_answers(decided, told)
            if _tells(told, fields):
                body = encode_answer_body(self._content(progress, decided, told, fields, item))
                # The bytes are fixed from here on: committed to, logged, and sent as they are.
                commitment = commit_to(body)
            note = AnswerNote(
                item=item,
                ask_index=asked.index,
                state=WITHHELD if commitment is None else told.state.name,
                reason=told.reason,
                fields=fields,
                elapsed_ms=round((time.monotonic() - started) * 1000),
            )
            committed = None if commitment is None else commitment.committed
            draft = answer_draft(progress, note, committed, decided.tokens)
        finally:
            # Also when cancelled: a department may have been asked; the log says how that ended.
            if draft is None:
                self._entries.give_up(asked)
        logged = await self._entries.answer(asked, draft)  # 11
        if commitment is None:
            # As if the agreement had granted nothing: one code, text and form of entry, so that the
            # requester does not learn which of the causes it was.
            raise Refusal(Reason.NOTHING_GRANTED)
        sealed = await self._parts.compute.seal(SealJob(commitment=commitment, logged=logged))  # 12
        return Answered(envelope=sealed)

    async def _ask(
        self, progress: Progress, question: Question, decided: Decided, item: int
    ) -> LeftAsk:
        """Step 7: the `ask` is durable, with the request id and the quota it is charged."""
        asked = Asked(
            item=item,
            query=question.statement.queries[item],
            purpose=question.statement.purpose,
            basis=decided.basis_index,
            effects=[(each.field, each.effect) for each in decided.fields],
            rules=decided.rules,
            policy_digest=decided.policy_digest,
            tokens=decided.tokens,
        )
        draft = ask_draft(progress, asked, progress.claims(item), decided.charges)
        left = await self._entries.ask(draft)
        progress.note_durable(item)
        return left

    async def append(self, draft: EntryDraft) -> Logged:
        """Return once an entry is durable; raises as `gateway.entries.Entries.append`."""
        return await self._entries.append(draft)

    def _query(
        self,
        progress: Progress,
        question: Question,
        shape: DatasetShape,
        item: int,
        decided: Decided | None,
    ) -> Query:
        """Return what the adapter is asked; None: before anything is granted."""
        statement = question.statement
        return Query(
            request_id=statement.header.request_id,
            item=item,
            audience=statement.header.sender,
            dataset=shape,
            subject=statement.subject,
            grants=() if decided is None else decided.grants,
            claims=statement.queries[item].claims,
            matter=statement.purpose.matter,
            case_number=statement.purpose.case_number,
            end_user=None if question.officer is None else question.officer.end_user,
            by_officer=question.officer is not None,
            tell_not_found=decided is not None and decided.tell_not_found,
            issued_at_ms=progress.now_ms,
            deadline=progress.call.deadline - RESERVED_S,
            pending_request_id=statement.pending_request_id,
            request_envelope=progress.call.body,
            policy_digest=b"" if decided is None else decided.policy_digest,
            custody=Custody.PROVIDER_NODE
            if shape.name in self._parts.at_nodes
            else Custody.EMBEDDED,
        )

    def _require_askable(self, query: Query) -> None:
        """Refuse what its department would send back for the requester to complete.

        Raises:
            Refusal: `SUBJECT_NAME_NEEDED`, `OFFICER_NEEDED`.
        """
        adapter: ProviderAdapter | None = self._parts.adapters.get(query.dataset.name)
        lacking = None if adapter is None else adapter.find_lacking(query)
        if lacking is not None:
            raise Refusal(LACKING[lacking])

    async def _fetch(
        self, provider: str, query: Query, keys: Mapping[str, RegisteredKey]
    ) -> Fetched:
        """Step 8: ask the department; an adapter that breaks has told nothing."""
        adapter: ProviderAdapter | None = self._parts.adapters.get(query.dataset.name)
        if adapter is None:
            return Untold(reason=Indeterminate.PROVIDER_NOT_CONNECTED)
        started = time.monotonic()
        fetched: Fetched
        try:
            with self._parts.rooms.place(provider):
                async with asyncio.timeout(query.deadline - started):
                    fetched = await fetch_from(adapter, query, provider, keys)
        except RoomFull:
            self._parts.observer.turned_away(provider)
            fetched = Untold(reason=Indeterminate.PROVIDER_UNAVAILABLE)
        except TimeoutError:
            fetched = Untold(reason=Indeterminate.PROVIDER_TIMEOUT)
        except Exception as error:  # noqa: BLE001 - a broad place: the adapter call (style.md, Errors)
            _log.error("adapter_broke", provider=provider, kind=type(error).__name__)
            fetched = Untold(reason=Indeterminate.PROVIDER_FAULT)
        outcome = _outcome_name(fetched)
        self._parts.observer.asked(provider, outcome, time.monotonic() - started)
        return fetched

    async def _prove(
        self, decided: Decided, query: Query, fetched: Fetched, keys: Mapping[str, RegisteredKey]
    ) -> Told:
        """Steps 9 and 10: what came back, proven and minimised, or why it cannot be told."""
        if isinstance(fetched, Untold):
            return Told(
                state=State.INDETERMINATE,
                reason=fetched.reason,
                retry_after_s=fetched.retry_after_s,
            )
        provider = decided.provider
        try:
            kept = await require_kept(self._parts.compute, fetched, query, provider, keys)
        except Distrusted as error:
            _log.warning("distrusted", provider=provider, cause=error.cause)
            self._parts.observer.distrusted(provider, error.cause, 1)
            return Told(state=State.INDETERMINATE, reason=error.reason)
        if kept.dropped:
            self._parts.observer.distrusted(provider, "not_granted", kept.dropped)
        state = State.ANSWERED
        # What the requester may know of the record's existence.
        if decided.tell_not_found and not is_found(fetched):
            state = State.NOT_FOUND
        return Told(state=state, record=kept.record, outcomes=kept.outcomes)

    def _content(
        self,
        progress: Progress,
        decided: Decided,
        told: Told,
        fields: tuple[FieldAnswer, ...],
        item: int,
    ) -> AnswerContent:
        """Return what is answered, before it is spelled."""
        query = decided.query
        header = AnswerHeader(
            request_id=decided.header.request_id,
            request_digest=progress.request_digest,
            item=item,
            sender=self._parts.system_id,
            receiver=decided.header.sender,
            issued_at_ms=progress.now_ms,
        )
        return AnswerContent(
            header=header,
            agreement=query.agreement,
            dataset=query.dataset,
            policy_digest=decided.policy_digest,
            provider=decided.provider,
            state=told.state,
            reason=told.reason,
            retry_after_s=told.retry_after_s,
            fields=fields,
            record=told.record,
            delete_by_ms=decided.delete_by_ms,
        )

    def _settle(self, progress: Progress, outcome: Outcome | None) -> None:
        """Keep the outcome for twins; give the id back where nothing durable happened."""
        if progress.first is None:
            return
        if not progress.durable:
            self._parts.replay.release(progress.first)
        elif outcome is None or (
            isinstance(outcome, Refused) and outcome.reason in WITHOUT_RECEIPT
        ):
            # A fault of ours is no answer to keep: the twin learns REPLAYED and asks anew, free.
            self._parts.replay.spend(progress.first)
        else:
            self._parts.replay.keep(progress.first, encode_outcome(outcome))


def _outcome_name(fetched: Fetched) -> str:
    if isinstance(fetched, Untold):
        return fetched.reason
    return RECORD if is_found(fetched) else NOT_FOUND


def _field_answers(decided: Decided, told: Told) -> tuple[FieldAnswer, ...]:
    """Return one answer per field asked, in the order asked."""
    untold = (
        FieldOutcome.INDETERMINATE if told.state is State.INDETERMINATE else FieldOutcome.ABSENT
    )
    return tuple(
        FieldAnswer(
            name=each.field,
            effect=each.effect,
            effect_text=each.effect_text,
            outcome=told.outcomes.get(each.field, untold)
            if each.released
            else FieldOutcome.WITHHELD,
        )
        for each in decided.fields
    )


def _tells(told: Told, fields: tuple[FieldAnswer, ...]) -> bool:
    """Say whether an answer would tell more than that every field asked is withheld."""
    # "Not found" is told, where the agreement lets it be, whatever became of the fields.
    return told.state is not State.ANSWERED or any(
        each.outcome is not FieldOutcome.WITHHELD for each in fields
    )
