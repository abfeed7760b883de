"""Whether a query may be put to the department: the node's own judgement, in the node's own order.

    1 channel     the TLS leaf is of a gateway this node trusts, and current
    2 envelope    signed over the carried bytes by a key of that gateway
    3 query       parsed strictly
    4 binding     sender = channel, meant for this node and method, fresh, signed since we started
    5 requester   its own envelope: signed by its own key, a question to this gateway, alive,
                  signed since we started
    6 officer     asserted by the requester's organisation, bound to request and requester
    7 equality    what the gateway asks is what the requester has signed
    8 agreement   by our own copy: it applies, and can give what is asked
    9 replay      this question of this requester was not executed before

INVARIANT: subject, claims, purpose and officer are read in the requester's envelope and nowhere
else, so no gateway can ask about anybody a requester has not asked about.
INVARIANT: nothing is remembered of a query before all of it holds.
"""

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from adapters.port import EffectKind, Grant, Query
from adapters.provider_node.reasons import NodeReason
from adapters.provider_node.wire import METHOD, QUERY_TYPE
from certs.chain import require_current
from certs.errors import CertificateRefused
from certs.identity import RegisteredSystem, SystemId
from certs.registry_file import KeyPurpose, SystemRole
from certs.trust_store import TrustSnapshot, TrustStore
from gateway.clock import Clock
from gateway.compute.port import Opened, OpenJob
from gateway.compute.work import open_call
from gateway.deciding import is_told_when_absent, pseudonym_key
from gateway.errors import Fault, Reason, Refusal
from gateway.officer import Officer, require_officer
from gateway.opening import require_fresh
from gateway.policy.bundle import Bundle
from gateway.policy.effects import is_grantable
from gateway.policy.facts import FactQuestion, OfficerFacts, list_plain_facts
from gateway.policy.model import SYSTEM_ROLE, Agreement, DecisionInput
from gateway.policy.widest import list_too_wide
from gateway.progress import LEEWAY_MS
from gateway.replay import First, ReplayGuard, item_key, request_key
from gateway.statement.kinds import parse_question
from gateway.statement.node import METHODS, NodeQuery, parse_query
from gateway.statement.values import DatasetQuery, Header, Statement
from gateway.trust import (
    moment,
    parse_call,
    require_channel,
    require_envelope,
    require_signer,
)


class NodeRefused(Exception):
    """The department is not asked; `cause` is a code for operators, never a value."""

    def __init__(self, reason: NodeReason, cause: str = "") -> None:
        """Keep the reason of the closed list."""
        super().__init__(reason.value)
        self.reason = reason
        self.cause = cause


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What steps 1 to 4 have proven: a gateway this node trusts asks this query, now."""

    gateway: RegisteredSystem
    query: NodeQuery
    digest: bytes
    """SHA-256 of the query's payload."""
    snapshot: TrustSnapshot = field(repr=False)
    now_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What a node holds to judge by."""

    system_id: SystemId
    gateways: frozenset[str]
    trust: TrustStore
    bundle: Bundle
    datasets: frozenset[str]
    pseudonym_secret: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What steps 5 and 6 have proven: this requester asks this, for this officer."""

    requester: RegisteredSystem
    statement: Statement
    query: DatasetQuery
    officer: Officer | None


class Judge:
    """Judges queries; one event loop, no lock."""

    def __init__(self, holding: Holding, clock: Clock) -> None:
        """Begin to remember what is executed."""
        self.holding = holding
        self._clock = clock
        self._replay = ReplayGuard(kept_bytes=0)
        # What an earlier process executed is not remembered. What was signed before is refused
        # instead, query and question: around an old question a gateway can sign any new query.
        self._since_ms = clock.now_ms()

    def receive(self, body: bytes, thumbprint: bytes | None) -> Received:
        """Walk steps 1 to 4.

        Raises:
            NodeRefused: CHANNEL_REFUSED, ENVELOPE_REFUSED, QUERY_MALFORMED, BINDING_WRONG,
                NOT_FRESH, TRUST_UNAVAILABLE.
        """
        now_ms, snapshot = self._clock.now_ms(), self.holding.trust.snapshot
        with _refused_as(NodeReason.CHANNEL_REFUSED):
            gateway = require_channel(snapshot, thumbprint, now_ms)  # 1
        trusted = gateway.system_id in self.holding.gateways
        if not trusted or SystemRole.GATEWAY not in gateway.roles:
            raise NodeRefused(NodeReason.CHANNEL_REFUSED, "no gateway of this node")
        with _refused_as(NodeReason.ENVELOPE_REFUSED):  # 2
            keys = gateway.envelope_keys
            verified = require_envelope(parse_call(body), keys, QUERY_TYPE, now_ms)
            require_signer(gateway, verified.signer.keyid, now_ms)
        with _refused_as(NodeReason.QUERY_MALFORMED):  # 3
            query = parse_query(verified.payload)
        self._require_bound(gateway, query, now_ms)  # 4
        return Received(
            gateway=gateway,
            query=query,
            digest=hashlib.sha256(verified.payload).digest(),
            snapshot=snapshot,
            now_ms=now_ms,
        )

    def require_askable(self, received: Received, deadline: float) -> Query:
        """Walk steps 5 to 9; return the question for the department, until `deadline`.

        Raises:
            NodeRefused: NOT_FRESH, REQUESTER_REFUSED, OFFICER_REFUSED, REQUEST_DIFFERS,
                DATASET_NOT_SERVED, AGREEMENT_NOT_APPLICABLE, GRANT_TOO_WIDE, REPLAYED,
                TRUST_UNAVAILABLE.
        """
        asked = self._require_asked(received)  # 5, 6, 7
        agreement = self._require_agreed(received, asked)  # 8
        self._claim(received, asked)  # 9
        query, statement = received.query, asked.statement
        effects = (grant.effect for grant in query.grants)
        return Query(
            request_id=statement.header.request_id,
            item=query.item,
            audience=asked.requester.system_id,
            dataset=self.holding.bundle.shapes[query.dataset],
            subject=statement.subject,
            grants=tuple(self._keyed(asked, grant) for grant in query.grants),
            claims=asked.query.claims,
            matter=statement.purpose.matter,
            case_number=statement.purpose.case_number,
            end_user=None if asked.officer is None else asked.officer.end_user,
            by_officer=asked.officer is not None,
            # By our own copy too: what a gateway says of it could only tell more.
            tell_not_found=is_told_when_absent(effects, tell_not_found=agreement.tell_not_found),
            issued_at_ms=received.now_ms,
            deadline=deadline,
            pending_request_id=statement.pending_request_id,
        )

    def _require_bound(self, gateway: RegisteredSystem, query: NodeQuery, now_ms: int) -> None:
        header = query.header
        meant = header.receiver == self.holding.system_id and header.method == METHOD
        if header.sender != gateway.system_id or not meant:
            raise NodeRefused(NodeReason.BINDING_WRONG)
        with _refused_as(NodeReason.NOT_FRESH):
            require_fresh(header, now_ms)
        self._require_since(header)

    def _require_since(self, header: Header) -> None:
        if header.issued_at_ms < self._since_ms:
            raise NodeRefused(NodeReason.NOT_FRESH, "signed before this node started")

    def _require_asked(self, received: Received) -> _Asked:
        query = received.query
        requester, opened = self._require_requester(received)
        statement = opened.statement
        if statement is None:
            raise AssertionError  # whatever is missing was refused
        header = statement.header
        same = (
            header.request_id == query.header.request_id
            and query.item < len(statement.queries)
            and statement.purpose.officer_assertion == query.officer_assertion
        )
        if not same or statement.queries[query.item].dataset != query.dataset:
            raise NodeRefused(NodeReason.REQUEST_DIFFERS)
        return _Asked(
            requester=requester,
            statement=statement,
            query=statement.queries[query.item],
            officer=_officer(received, requester, opened, statement),
        )

    def _require_requester(self, received: Received) -> tuple[RegisteredSystem, Opened]:
        """Return who asked, and the question as that system signed it."""
        request, now_ms = received.query.request, received.now_ms
        with _refused_as(NodeReason.REQUESTER_REFUSED):
            # A hint, before anything is proven: whose keys to try. The proof is over these bytes.
            named = parse_question(request.kind, request.payload)[0].sender
        requester = received.snapshot.registry.system(named)
        if requester is None or SystemRole.REQUESTER not in requester.roles:
            raise NodeRefused(NodeReason.REQUESTER_REFUSED, "system unknown")
        with _refused_as(NodeReason.REQUESTER_REFUSED):
            opened = _opened(received, requester)
            if opened.statement is None and opened.refusal is not None:
                raise opened.refusal
            require_signer(requester, opened.keyid, now_ms)
            header = opened.header
            if header is None:
                raise AssertionError  # whatever is missing was refused
            require_fresh(header, now_ms)
        meant = header.receiver == received.gateway.system_id
        if not meant or header.method not in METHODS[request.kind]:
            raise NodeRefused(NodeReason.REQUESTER_REFUSED, "no question to this gateway")
        self._require_since(header)
        return requester, opened

    def _require_agreed(self, received: Received, asked: _Asked) -> Agreement:
        """Hold the grants against the most our own copy of the agreement can give."""
        query, bundle = received.query, self.holding.bundle
        if query.dataset not in self.holding.datasets:
            raise NodeRefused(NodeReason.DATASET_NOT_SERVED)
        question = _decision_input(received, asked)
        agreement = bundle.find_applicable(question)
        if agreement is None:
            raise NodeRefused(NodeReason.AGREEMENT_NOT_APPLICABLE)
        # Also of what the agreement would give: nobody asked for it.
        granted = {grant.field: grant.effect for grant in query.grants}
        spelled = all(is_grantable(effect) for effect in granted.values())
        if not spelled or not granted.keys() <= set(asked.query.fields):
            raise NodeRefused(NodeReason.GRANT_TOO_WIDE, "not asked for, or no effect")
        if list_too_wide(bundle, question, granted):
            raise NodeRefused(NodeReason.GRANT_TOO_WIDE, "more than agreed")
        return agreement

    def _claim(self, received: Received, asked: _Asked) -> None:
        """Take the requester's question once, however often a gateway signs a query for it."""
        header = asked.statement.header
        key = item_key(request_key(header.sender, header.request_id), received.query.item)
        until_ms = header.expires_at_ms + LEEWAY_MS
        with _refused_as(NodeReason.REPLAYED):
            standing = self._replay.claim(key, received.digest, until_ms, received.now_ms)
        if not isinstance(standing, First):
            raise NodeRefused(NodeReason.REPLAYED)
        self._replay.spend(standing)

    def _keyed(self, asked: _Asked, grant: Grant) -> Grant:
        """Give a pseudonym its key, which is the department's own and no gateway's."""
        secret = self.holding.pseudonym_secret
        if grant.effect.kind is not EffectKind.PSEUDONYM or secret is None:
            return grant  # without a key the effect cannot be applied, and withholds the field
        provider = self.holding.system_id.partition("/")[0]
        requester = asked.requester.organisation.uscc
        key = pseudonym_key(secret, provider, requester, asked.statement.purpose.matter)
        return Grant(field=grant.field, effect=grant.effect, pseudonym_key=key)


def _opened(received: Received, requester: RegisteredSystem) -> Opened:
    """Verify a requester's envelope, and its officer's assertion against its TLS certificates.

    The assertion is bound to the channel the requester had to the gateway, which is not seen here:
    it has to be one of the certificates that are registered for that system, and current.
    """
    request, registry = received.query.request, received.snapshot.registry
    uscc = requester.organisation.uscc
    opened: Opened | None = None
    for thumbprint in _current_thumbprints(requester, received.now_ms):
        opened = open_call(
            OpenJob(
                body=request.body,
                payload_type=request.payload_type,
                keys=requester.envelope_keys,
                kind=request.kind,
                officer_keys=registry.officer_keys(uscc),
                organisation=uscc,
                audience=received.gateway.system_id,
                thumbprint=thumbprint,
                now_ms=received.now_ms,
            )
        )
        if opened.refusal is None or opened.refusal.reason is not Reason.ASSERTION_MISMATCH:
            break
    if opened is None:
        raise Refusal(Reason.CHANNEL_REFUSED)
    return opened


def _current_thumbprints(system: RegisteredSystem, now_ms: int) -> Iterator[bytes]:
    for key in system.keys_for(KeyPurpose.TLS).values():
        with contextlib.suppress(CertificateRefused):
            require_current(key, moment(now_ms))
            yield key.certificate.thumbprint_sha256


def _officer(
    received: Received, requester: RegisteredSystem, opened: Opened, statement: Statement
) -> Officer | None:
    if statement.purpose.officer_assertion is None:
        return None
    with _refused_as(NodeReason.OFFICER_REFUSED):
        if opened.asserted is None:
            raise opened.refusal or Refusal(Reason.ASSERTION_INVALID)
        keys = received.snapshot.registry.officer_keys(requester.organisation.uscc)
        asserted = opened.asserted
        return require_officer(keys, asserted.keyid, asserted.claims, statement, received.now_ms)


def _decision_input(received: Received, asked: _Asked) -> DecisionInput:
    """Return the question as policy sees it, with the facts that stand in the question itself."""
    officer, statement, query = asked.officer, asked.statement, asked.query
    uscc, purpose = asked.requester.organisation.uscc, statement.purpose
    facts = list_plain_facts(
        FactQuestion(
            organisation=uscc,
            matter=purpose.matter,
            case_number=purpose.case_number,
            subject=statement.subject,
            officer=None
            if officer is None
            else OfficerFacts(level=officer.level, division=officer.division),
            at_ms=received.now_ms,
        )
    )
    return DecisionInput(
        agreement=query.agreement,
        organisation=uscc,
        system=asked.requester.system_id,
        role=SYSTEM_ROLE if officer is None else officer.role,
        matter=purpose.matter,
        facts=facts,
        dataset=query.dataset,
        fields=query.fields,
        at_ms=received.now_ms,
        legal_basis=purpose.legal_basis,
    )


@contextlib.contextmanager
def _refused_as(reason: NodeReason) -> Iterator[None]:
    """Let what a step of the gateway's refuses be a reason of the node's."""
    try:
        yield
    except Refusal as refusal:
        raise NodeRefused(reason, refusal.reason) from refusal
    except Fault as fault:
        trust = fault.reason is Reason.TRUST_UNAVAILABLE
        told = NodeReason.TRUST_UNAVAILABLE if trust else NodeReason.INTERNAL
        raise NodeRefused(told, fault.reason) from fault
