"""Questions that ask no department: explanations, agreements, receipts. A look is an access too.

They walk steps 1 to 5 like an exchange (receipts and agreements carry no officer and no subject),
then append a `view` entry before anything is looked up, and answer under its receipt. The entry
commits to the request; the body is proven by the signature alone, because it is made after the
entry.
"""

import json
from dataclasses import dataclass
from typing import Protocol

from certs.identity import RegisteredSystem
from gateway.deciding import Deciding
from gateway.drafts import WITHHELD, view_draft
from gateway.errors import Reason, Refusal
from gateway.exchange import Exchange
from gateway.model import Charge, Logged
from gateway.opening import open_envelope, open_question
from gateway.outcome import Answered, Outcome, parse_outcome
from gateway.parts import Parts
from gateway.policy.model import Agreement
from gateway.progress import Call, Progress
from gateway.receipt import build_looked
from gateway.replay import Twin
from gateway.statement.answer import AnswerHeader, Body, encode_explain_body, encode_receipt_body
from gateway.statement.kinds import QuestionKind
from gateway.statement.listing import AgreementListing, encode_agreements_body
from gateway.statement.request import (
    AGREEMENTS_STATEMENT,
    RECEIPT_STATEMENT,
    parse_receipt_lookup,
)


class ReceiptSource(Protocol):
    """The access log, as far as lookups need it."""

    async def load_receipts(
        self, request_id: bytes, item: int, *, under: Logged, system: str
    ) -> tuple[Logged, ...]:
        """Return a system's entries of one exchange with proofs, oldest first, under a look."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """Answers what can be told without a department."""

    parts: Parts
    exchange: Exchange
    deciding: Deciding
    receipts: ReceiptSource

    async def explain(self, call: Call, kind: QuestionKind) -> Outcome:
        """Say what would be released and why; facts of the subject are not consulted."""

        async def walk(progress: Progress) -> Outcome:
            question = await open_question(self.parts, progress, kind)
            if question.twin is not None:
                return await self._twin(question.twin)
            query = question.statement.queries[0]
            told = await self.deciding.explain(progress, question)
            looked = await self._look(progress, "explain", query.agreement.encode(), told.charges)
            header = self._header(progress, question.system)
            body = encode_explain_body(
                header, query.agreement, query.dataset, told.policy_digest, told.fields
            )
            return self._answer(body, looked)

        return await self.exchange.admitted(call, walk)

    async def agreements(self, call: Call) -> Outcome:
        """List the agreements of the calling system."""

        async def walk(progress: Progress) -> Outcome:
            opened = await open_envelope(self.parts, progress, AGREEMENTS_STATEMENT)
            if opened.twin is not None:
                return await self._twin(opened.twin)
            bundle = self.deciding.bundle
            looked = await self._look(progress, "agreements", b"")
            header = self._header(progress, opened.system)
            agreements = bundle.list_agreements(opened.system.system_id)
            listed = [_listing(each) for each in agreements]
            return self._answer(encode_agreements_body(header, bundle.digest, listed), looked)

        return await self.exchange.admitted(call, walk)

    async def receipt(self, call: Call) -> Outcome:
        """Give a party of an exchange its receipt again."""

        async def walk(progress: Progress) -> Outcome:
            opened = await open_envelope(self.parts, progress, RECEIPT_STATEMENT)
            if opened.twin is not None:
                return await self._twin(opened.twin)
            wanted, item = parse_receipt_lookup(opened.message)
            looked = await self._look(progress, "receipt", wanted)
            system_id = opened.system.system_id
            entries = await self.receipts.load_receipts(
                wanted, item, under=looked, system=system_id
            )
            own = _receipt_of(entries, system_id)
            # One refusal for "none" and for "somebody else's": request ids cannot be probed.
            if own is None:
                raise Refusal(Reason.RECEIPT_UNAVAILABLE)
            header = self._header(progress, opened.system)
            # Nothing is opened: what the log keeps of an `ask` are tokens that join requesters, and
            # rules that tell which cause withheld a field. The party holds what opens its request.
            return self._answer(encode_receipt_body(header, own), looked)

        return await self.exchange.admitted(call, walk)

    async def _twin(self, twin: Twin) -> Outcome:
        return parse_outcome(await self.parts.replay.outcome_of(twin))

    async def _look(
        self, progress: Progress, what: str, query: bytes, charges: tuple[Charge, ...] = ()
    ) -> Logged:
        looked = await self.exchange.append(view_draft(progress, what, query, charges))
        progress.note_durable(0)
        return looked

    def _header(self, progress: Progress, system: RegisteredSystem) -> AnswerHeader:
        request_id = b"" if progress.header is None else progress.header.request_id
        return AnswerHeader(
            request_id=request_id,
            request_digest=progress.request_digest,
            item=0,
            sender=self.parts.system_id,
            receiver=system.system_id,
            issued_at_ms=progress.now_ms,
        )

    def _answer(self, body: Body, looked: Logged) -> Answered:
        return Answered(envelope=build_looked(self.parts.signer, body, looked))


def _listing(agreement: Agreement) -> AgreementListing:
    """Return an agreement as its user system may read it."""
    return AgreementListing(
        number=agreement.number,
        dataset=agreement.dataset,
        legal_basis="; ".join(agreement.basis),
        matters=tuple(sorted(agreement.matters)),
        roles=tuple(sorted(agreement.roles)),
        valid_from=agreement.valid_from,
        valid_until=agreement.valid_until,
        cells={
            name: tuple(step.text for step in cell.steps) for name, cell in agreement.cells.items()
        },
    )


def _receipt_of(entries: tuple[Logged, ...], system_id: str) -> Logged | None:
    """Return what proves a system's exchange: its answer, else its ask, else its first refusal.

    A request id is unique per system only, so entries of others may stand under the same one; and a
    request that was answered may have been refused as REPLAYED afterwards.
    """
    asks: dict[int, Logged] = {}
    answers: list[Logged] = []
    refusals: list[Logged] = []
    for logged in entries:
        members = json.loads(logged.entry)
        own = members.get("system") == system_id
        if own and members["kind"] == "ask":
            asks[logged.index] = logged
        elif own and members["kind"] == "refuse":
            refusals.append(logged)
        elif members.get("ask") in asks and members["state"] == WITHHELD:
            # Its receipt is that of its refusal: the ask would show that something was granted.
            del asks[members["ask"]]
        elif members.get("ask") in asks:
            answers.append(logged)
    best = [*answers, *asks.values(), *refusals]
    return best[0] if best else None
