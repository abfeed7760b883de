"""Steps 9 and 10: prove what came back, then drop whatever was not granted as it came.

The source department has signed what its adapter applied. Here nothing is taken on trust from where
it came in the code: signature, issuer, audience, request, dataset, subject and the state told are
verified, and each disclosure is held against its grant.

INVARIANT: what `minimised` returns discloses no field without a grant and no effect but the granted
one; that an effect could not be applied looks like any other withheld field.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from adapters.port import Effect, EffectKind, FieldName, Finding, Grant, Indeterminate, Query
from certs.chain import require_current
from certs.errors import CertificateRefused
from certs.identity import RegisteredKey
from certs.public_key import PublicKey
from certs.quick import quickly_made
from gateway.progress import LEEWAY_MS
from gateway.statement.answer import FieldOutcome
from gateway.trust import moment
from signing.encoding import subject_digest
from signing.errors import RecordReason, RecordRefused
from signing.record import (
    WITHHELD,
    Disclosure,
    RecordExpectation,
    RecordState,
    VerifiedRecord,
    parse_record_keyid,
    present_record,
    record_nonce,
    verify_record,
)

UNTOLD_FINDINGS: Final = frozenset({Finding.INDETERMINATE, Finding.ERROR})
_FINDING_EFFECTS: Final = frozenset({EffectKind.COMPARE, EffectKind.PREDICATE})

K = TypeVar("K")


class Distrusted(Exception):
    """What came back is discarded whole; `reason` is what the requester is told."""

    def __init__(self, reason: Indeterminate, cause: str) -> None:
        """Keep the reason and a code for metrics."""
        super().__init__(cause)
        self.reason = reason
        self.cause = cause


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Minimised:
    """A record with the granted disclosures only, and what became of each granted field."""

    record: str = field(repr=False)
    outcomes: Mapping[FieldName, FieldOutcome]
    dropped: int
    """Disclosures that came without being granted as they came."""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """What steps 9 and 10 made of a record, before anybody has judged whether its key stands."""

    keyid: str
    """The key the record names; empty where it names none of the department's."""
    found: bool
    kept: Minimised | Distrusted


def require_record_key(
    compact: str, keys: Mapping[str, RegisteredKey], now_ms: int
) -> RegisteredKey:
    """Return the key of the source department that a record names, if it is current.

    Raises:
        Distrusted: `PROVIDER_UNPROVEN`.
    """
    key = require_named_key(compact, keys)
    # A comparison of times, so first: under a revoked key no signature is worth computing.
    _require_standing(key, now_ms)
    return key


def require_named_key(compact: str, keys: Mapping[str, K]) -> K:
    """Return the key that a record names, among those of the source department.

    Raises:
        Distrusted: `PROVIDER_UNPROVEN`.
    """
    try:
        # Read before anything is proven, so a hint only: the map holds this department's keys.
        return _known(keys, parse_record_keyid(compact))
    except RecordRefused as error:
        raise Distrusted(Indeterminate.PROVIDER_UNPROVEN, error.reason.lower()) from error


def require_proven(proven: Proven, keys: Mapping[str, RegisteredKey], now_ms: int) -> Minimised:
    """Return what was granted of a record, if the key it was proven with is current.

    Raises:
        Distrusted: as `require_record_key`, then as `require_record`.
    """
    kept = proven.kept
    if proven.keyid or not isinstance(kept, Distrusted):
        # A record without a key was distrusted for that; kept, it would be proven by nobody.
        _require_standing(_known(keys, proven.keyid), now_ms)
    if isinstance(kept, Distrusted):
        raise kept
    return kept


def require_record(
    compact: str, key: PublicKey, expected: RecordExpectation, due: RecordState
) -> VerifiedRecord:
    """Return the proof that the source department answered this very question (step 9).

    `due` follows from what the adapter returned; the requester is told what the department signed,
    so the two must agree.

    Raises:
        Distrusted: `PROVIDER_UNPROVEN`, or `SUBJECT_MISMATCH` when it speaks of another subject.
    """
    try:
        record = verify_record(compact, key, expected)
    except RecordRefused as error:
        if error.reason is RecordReason.WRONG_SUBJECT:
            raise Distrusted(Indeterminate.SUBJECT_MISMATCH, "wrong_subject") from error
        raise Distrusted(Indeterminate.PROVIDER_UNPROVEN, error.reason.lower()) from error
    if record.claims.state is not due:
        raise Distrusted(Indeterminate.PROVIDER_UNPROVEN, "wrong_state")
    return record


def minimised(record: VerifiedRecord, grants: Sequence[Grant]) -> Minimised:
    """Drop every disclosure that is not exactly as granted (step 10)."""
    granted = {str(grant.field): grant.effect for grant in grants}
    kept = [
        disclosure
        for disclosure in record.disclosures
        if disclosure.name in granted and _as_granted(disclosure, granted[disclosure.name])
    ]
    withheld = {
        each.name for each in record.disclosures if each.name in granted and each.value == WITHHELD
    }
    outcomes = {FieldName(name): FieldOutcome.ABSENT for name in granted}
    # The department did say something of these: "it has no value" would be a word it never gave.
    outcomes |= {
        FieldName(each.name): FieldOutcome.INDETERMINATE
        for each in record.disclosures
        if each.name in granted
    }
    # Not passed on either: whoever reads the record would learn which cause it was, of the one code
    # for condition, ceiling, prohibition and "cannot apply" (decisions.md, "The path, refined").
    outcomes |= {FieldName(name): FieldOutcome.WITHHELD for name in withheld}
    outcomes |= {FieldName(each.name): _outcome(each) for each in kept}
    return Minimised(
        # Dropped, not signed anew: the department's own signature still covers what is left.
        record=present_record(record, {each.name for each in kept}),
        outcomes=outcomes,
        dropped=len(record.disclosures) - len(kept) - len(withheld),
    )


def build_expectation(query: Query, provider: str, now_ms: int) -> RecordExpectation:
    """Return what the record that answers a query must say."""
    digest = subject_digest(query.request_id, query.subject.type.value, query.subject.identifier)
    return RecordExpectation(
        issuer=provider,
        audience=query.audience,
        nonce=record_nonce(query.request_id, query.item),
        dataset=query.dataset.name,
        subject_digest=digest,
        now_s=now_ms // 1000,
        leeway_s=LEEWAY_MS // 1000,
        custody=query.custody,
    )


def state_due(query: Query, *, found: bool) -> RecordState:
    """Return what the record must say of a record's existence, after what the adapter returned."""
    # One word for both: a difference here would give away what the agreement withholds.
    if not query.tell_not_found:
        return RecordState.NOT_TOLD
    return RecordState.FOUND if found else RecordState.NOT_FOUND


def _known(keys: Mapping[str, K], keyid: str) -> K:
    key = keys.get(keyid)
    if key is None:
        raise Distrusted(Indeterminate.PROVIDER_UNPROVEN, "key_unknown")
    return key


def _require_standing(key: RegisteredKey, now_ms: int) -> None:
    try:
        require_current(key, moment(now_ms))
    except CertificateRefused as error:
        raise Distrusted(Indeterminate.PROVIDER_UNPROVEN, "key_not_current") from error


def _as_granted(disclosure: Disclosure, effect: Effect) -> bool:
    """Say whether a disclosure is what its grant allows: this effect, and a finding where due."""
    content = disclosure.value
    if not isinstance(content, dict) or content.get("effect") != effect.code:
        return False
    if effect.kind in _FINDING_EFFECTS and not _is_category(effect):
        return content.keys() == {"effect", "finding"} and content["finding"] in set(Finding)
    return content.keys() == {"effect", "value"}


def _is_category(effect: Effect) -> bool:
    """Say whether a predicate yields one of a closed list of codes (gateway.policy.predicates)."""
    return effect.kind is EffectKind.PREDICATE and effect.parameters[:1] == ("category",)


def _outcome(disclosure: Disclosure) -> FieldOutcome:
    content = disclosure.value
    if not isinstance(content, dict) or "finding" not in content:
        return FieldOutcome.VALUE
    untold = content["finding"] in UNTOLD_FINDINGS
    return FieldOutcome.INDETERMINATE if untold else FieldOutcome.FINDING
