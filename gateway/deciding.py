"""Step 6: facts are gathered, each field is decided under the named agreement, the cost is found.

What the policy decides is a value; this module turns it into what the path needs: grants for the
adapter, charges for the log, tokens for the search columns.

INVARIANT: a fact that cannot be had is unknown, and unknown never opens (policy.md 3.3).
"""

import hmac
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta, timezone
from functools import lru_cache
from typing import Final, Protocol

from adapters.port import PROVIDER_SLUG, DatasetShape, Effect, EffectKind, FieldName, Grant
from certs.identity import SystemId
from certs.quick import quickly_made
from gateway.catalog import Dataset
from gateway.drafts import Tokens
from gateway.errors import Reason, Refusal
from gateway.interrupted import Interrupted
from gateway.model import Charge
from gateway.officer import relation_of
from gateway.opening import Question
from gateway.policy.bundle import Bundle
from gateway.policy.explain import explain_question
from gateway.policy.facts import FactQuestion, OfficerFacts, Registers, fetch_facts
from gateway.policy.model import (
    SYSTEM_ROLE,
    Decision,
    DecisionInput,
    FieldDecision,
    Quota,
    QuotaKind,
)
from gateway.policy.vocabulary import Facts, FactSource
from gateway.progress import Progress
from gateway.quota import BurstLimit, BurstLimiter
from gateway.replay import item_key, request_key
from gateway.statement.answer import FieldExplanation
from gateway.statement.places import places_of
from gateway.statement.values import DatasetQuery, Header
from gateway.trust import moment

CHINA: Final = timezone(timedelta(hours=8))
"""Calendar counters turn at midnight in China, which has one time zone without summer time."""
ALWAYS: Final = "always"
"""Period of counters that belong to a case and never start anew."""
DAY_MS: Final = 86_400_000
_FINDINGS: Final = frozenset({EffectKind.COMPARE, EffectKind.PREDICATE})
_OF_AGREEMENT: Final = frozenset({QuotaKind.PER_DAY, QuotaKind.PER_SECOND})
"""Limits of an agreement as a whole; the others are of one subject in one case."""


class Tokeniser(Protocol):
    """Keyed tokens of the access log (access-log.md (c), Privacy)."""

    def token(self, kind: str, normalised: str, now_ms: int) -> bytes:
        """Return the token of something in the epoch of that time."""
        ...


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Applicable:
    """Under what a query is decided; nothing in it depends on the subject."""

    bundle: Bundle
    """The one in force when the agreement was found: a swap meanwhile changes nothing."""
    dataset: Dataset
    shape: DatasetShape


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What step 6 hands to the steps after it."""

    header: Header
    query: DatasetQuery
    fields: tuple[FieldDecision, ...]
    policy_digest: bytes
    basis_index: int
    provider: str
    record_signer: SystemId
    grants: tuple[Grant, ...] = field(repr=False)
    charges: tuple[Charge, ...] = field(repr=False)
    tokens: Tokens
    rules: tuple[str, ...]
    delete_by_ms: int
    tell_not_found: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """Why each field would be released as it would, and what saying so costs."""

    policy_digest: bytes
    fields: tuple[FieldExplanation, ...]
    charges: tuple[Charge, ...] = field(repr=False)


class Deciding:
    """Decides queries under the bundle in force; the bundle is swapped whole."""

    def __init__(
        self,
        bundle: Bundle,
        registers: Registers,
        tokeniser: Tokeniser,
        secret: bytes,
        interrupted: Interrupted,
    ) -> None:
        """Use `secret` (32 bytes) as root of pseudonym keys and counter names."""
        self.bundle = bundle
        self._registers = registers
        self._tokeniser = tokeniser
        self._secret = secret
        self.interrupted = interrupted
        self._limiters: dict[str, BurstLimiter] = {}

    def require_applicable(self, progress: Progress, question: Question, item: int) -> Applicable:
        """Return under what a query is decided, before anything is asked about its subject.

        Raises:
            Refusal: `AGREEMENT_NOT_APPLICABLE`, `QUERY_INVALID`.
        """
        bundle = self.bundle
        query = question.statement.queries[item]
        agreement = bundle.find_applicable(_input(progress, question, query, {}))
        dataset = bundle.catalog.find(query.dataset)
        # One code for every cause, so that probing does not map other people's agreements.
        if agreement is None or dataset is None:
            raise Refusal(Reason.AGREEMENT_NOT_APPLICABLE)
        _require_known_names(bundle.field_names[dataset.name], dataset, query)
        return Applicable(bundle=bundle, dataset=dataset, shape=bundle.shapes[dataset.name])

    async def decide(
        self, progress: Progress, question: Question, item: int, under: Applicable
    ) -> Decided:
        """Decide one query.

        Raises:
            Refusal: `NOTHING_GRANTED`, `QUOTA_EXHAUSTED`.
        """
        bundle, dataset = under.bundle, under.dataset
        query = question.statement.queries[item]
        facts = await self._gathered(progress, question, bundle.list_facts(query.agreement))
        decision = bundle.decide(_input(progress, question, query, facts))
        if not decision.released or decision.basis_index is None:
            raise Refusal(Reason.NOTHING_GRANTED)
        tokens = self._tokens(progress, question)
        # After the decision: what is refused anyway uses up nobody's rate.
        self._charge_burst(query.agreement, decision.quotas)
        charges = self._charges(progress, question, query, decision.quotas)
        header = question.statement.header
        known = self._known(question, query)
        progress.known[item] = known
        self.interrupted.expect(
            item_key(request_key(header.sender, header.request_id), item), known
        )
        asking = (tokens.subject, tokens.case, question.statement.purpose.matter, known)
        if self.interrupted.waive(header.sender, header.retries, query, asking):
            charges = ()  # charged when it was first asked, and never answered
        return Decided(
            header=header,
            query=query,
            fields=decision.fields,
            policy_digest=decision.policy_digest,
            basis_index=decision.basis_index,
            provider=dataset.provider,
            record_signer=SystemId(f"{dataset.provider}/{PROVIDER_SLUG}"),
            grants=self._grants(question, dataset.provider, decision),
            charges=charges,
            tokens=tokens,
            rules=decision.rules,
            delete_by_ms=progress.now_ms + decision.delete_after_days * DAY_MS,
            tell_not_found=is_told_when_absent(
                (each.effect for each in decision.released),
                tell_not_found=decision.tell_not_found,
            ),
        )

    async def explain(self, progress: Progress, question: Question) -> Explained:
        """Return why each field would be released as it would.

        Facts of the subject are never consulted: what depends on them is said to.

        Raises:
            Refusal: `QUOTA_EXHAUSTED`.
        """
        query = question.statement.queries[0]
        vocabulary = self.bundle.vocabulary
        named = frozenset(
            name
            for name in self.bundle.list_facts(query.agreement)
            if vocabulary[name].source is not FactSource.SUBJECT
        )
        told = await self._gathered(progress, question, named)
        asked = _input(progress, question, query, told)
        explained = explain_question(self.bundle, asked)
        # Charged, so that an agreement cannot be mapped for nothing; but not to the case, in which
        # nobody is looked at, and not as a comparison, which is not made.
        quotas = tuple(
            quota for quota in self.bundle.decide(asked).quotas if quota.kind in _OF_AGREEMENT
        )
        self._charge_burst(query.agreement, quotas)
        return Explained(
            policy_digest=self.bundle.digest,
            fields=tuple(
                FieldExplanation(
                    name=each.field,
                    effect=each.effect,
                    effect_text=each.effect_text,
                    depends_on_subject=each.depends_on_subject,
                    text_zh=each.text_zh,
                    text_en=each.text_en,
                )
                for each in explained
            ),
            charges=self._charges(progress, question, query, quotas),
        )

    async def _gathered(
        self, progress: Progress, question: Question, named: frozenset[str]
    ) -> Facts:
        officer = question.officer
        return await fetch_facts(
            self._registers,
            FactQuestion(
                organisation=question.system.organisation.uscc,
                matter=question.statement.purpose.matter,
                case_number=question.statement.purpose.case_number,
                subject=question.statement.subject,
                officer=None
                if officer is None
                else OfficerFacts(level=officer.level, division=officer.division),
                at_ms=progress.now_ms,
            ),
            named,
        )

    def _tokens(self, progress: Progress, question: Question) -> Tokens:
        subject, case = question.statement.subject, question.statement.purpose.case_number
        organisation, token = question.system.organisation.uscc, self._tokeniser.token
        officer = question.officer
        return Tokens(
            subject=token(subject.type, subject.identifier, progress.now_ms),
            case=token("case", f"{organisation}/{case}", progress.now_ms),
            officer=None
            if officer is None
            else token("officer", f"{organisation}/{officer.staff}", progress.now_ms),
            relation=relation_of(officer, subject),
        )

    def _known(self, question: Question, query: DatasetQuery) -> bytes:
        """Return a keyed digest of what the requester claims to know of the subject."""
        # Keyed: it is kept with the request id, and names and dates are soon tried out.
        claimed = (part for pair in sorted(query.claims.items()) for part in pair)
        return self._derived("known", question.statement.subject.full_name or "", *claimed)

    def _grants(self, question: Question, provider: str, decision: Decision) -> tuple[Grant, ...]:
        return tuple(
            Grant(
                field=each.field,
                effect=each.effect,
                pseudonym_key=self._pseudonym_key(question, provider, each.effect),
            )
            for each in decision.released
        )

    def _pseudonym_key(self, question: Question, provider: str, effect: Effect) -> bytes | None:
        if effect.kind is not EffectKind.PSEUDONYM:
            return None
        requester = question.system.organisation.uscc
        return pseudonym_key(self._secret, provider, requester, question.statement.purpose.matter)

    def _charges(
        self,
        progress: Progress,
        question: Question,
        query: DatasetQuery,
        quotas: tuple[Quota, ...],
    ) -> tuple[Charge, ...]:
        """Return the calendar charges that commit with the `ask`."""
        subject = question.statement.subject
        case = question.statement.purpose.case_number
        day = _china_day(progress.now_ms)
        charges = []
        for quota in quotas:
            if quota.kind is QuotaKind.PER_SECOND:
                continue
            name = [quota.kind, query.agreement]
            # A day's counter is the agreement's as a whole; the others are of one subject in one
            # case.
            if quota.kind is not QuotaKind.PER_DAY:
                name += [question.system.organisation.uscc, case, subject.type, subject.identifier]
            name.append(quota.field or FieldName(""))
            period = day if quota.kind is QuotaKind.PER_DAY else ALWAYS
            # Keyed: plain names would make the table of counters a list of whom was asked about.
            counter = self._derived("counter", *name)
            charges.append(
                Charge(counter=counter, period=period, cost=quota.cost, limit=quota.limit)
            )
        return tuple(charges)

    def _charge_burst(self, agreement: str, quotas: tuple[Quota, ...]) -> None:
        """Charge limits per second; in memory, because they protect and do not account."""
        for quota in quotas:
            if quota.kind is not QuotaKind.PER_SECOND:
                continue
            limiter = self._limiters.get(agreement)
            if limiter is None:
                limit = BurstLimit(per_second=quota.limit, burst=quota.limit)
                limiter = self._limiters[agreement] = BurstLimiter(limit)
            try:
                limiter.charge(agreement, time.monotonic(), quota.cost)
            except Refusal as error:
                retry = error.retry_after_s
                raise Refusal(Reason.QUOTA_EXHAUSTED, retry_after_s=retry) from error

    def _derived(self, use: str, *parts: str) -> bytes:
        return _derived(self._secret, use, *parts)


def pseudonym_key(secret: bytes, provider: str, requester: str, matter: str) -> bytes:
    """Return one key per provider, requester and matter, so that pseudonyms join nowhere else."""
    return _derived(secret, "pseudonym", provider, requester, matter)


def is_told_when_absent(granted: Iterable[Effect], *, tell_not_found: bool) -> bool:
    """Whether the requester may learn that no record exists.

    A granted value shows it anyway; findings alone show it only where the agreement says so.
    """
    return tell_not_found or any(effect.kind not in _FINDINGS for effect in granted)


def _derived(secret: bytes, use: str, *parts: str) -> bytes:
    """Return 32 bytes for one use; parts are length-prefixed, so no two lists collide."""
    return hmac.digest(secret, b"".join(map(_prefixed, (use, *parts))), "sha256")


def _prefixed(part: str) -> bytes:
    octets = part.encode()
    return len(octets).to_bytes(2, "big") + octets


@lru_cache(maxsize=64)
def _china_day(now_ms: int) -> str:
    return moment(now_ms).astimezone(CHINA).date().isoformat()


def _require_known_names(fields: frozenset[str], dataset: Dataset, query: DatasetQuery) -> None:
    """Refuse names the catalog does not have, whatever else is asked beside them.

    Reveals nothing: only a party to an agreement over this dataset gets here, and the catalog lists
    the names of its fields to that party. Whether a known field is granted is decided after this.

    Raises:
        Refusal: `QUERY_INVALID`.
    """
    # Names of nobody's making but the caller's would stand in the entry; a claim under a misspelt
    # name would be compared with nothing, and look as if nothing had been claimed.
    claimable = fields.union(dataset.further_keys)
    if fields.issuperset(query.fields) and claimable.issuperset(query.claims):
        return
    where = places_of(
        query.fields,
        query.claims,
        lambda name: name not in fields,
        lambda name: name not in claimable,
    )
    raise Refusal(Reason.QUERY_INVALID, diagnostics=f"{where}: not in {dataset.name}")


def _input(
    progress: Progress, question: Question, query: DatasetQuery, facts: Facts
) -> DecisionInput:
    """Return one query as policy sees it: no identifier, no case number."""
    purpose = question.statement.purpose
    return DecisionInput(
        agreement=query.agreement,
        organisation=question.system.organisation.uscc,
        system=question.system.system_id,
        role=SYSTEM_ROLE if question.officer is None else question.officer.role,
        matter=purpose.matter,
        facts=facts,
        dataset=query.dataset,
        fields=query.fields,
        at_ms=progress.now_ms,
        legal_basis=purpose.legal_basis,
    )
