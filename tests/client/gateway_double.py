"""A gateway made of bytes: answers as the contract says, and lies where a test asks it to.

Built from `signing`, the generated types and a tree computed here from RFC 6962 section 2.1; shares
no line with the gateway. Each stage of an answer may be twisted by a hook of its name.
"""

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import grpc
from google.protobuf.message import Message

from hutong.accesslog.v1 import accesslog_pb2
from hutong.catalog.v1 import catalog_pb2
from hutong.envelope.v1 import envelope_pb2
from hutong.exchange.v1 import exchange_pb2
from signing.encoding import subject_digest
from signing.record import (
    Custody,
    DisclosedValue,
    RecordClaims,
    RecordState,
    issue_record,
    record_nonce,
)
from signing.signer import Signer, sign_envelope
from tests.client.log_double import LogDouble, commit, growth_of, path_of
from tests.client.synthetic_world import GATEWAY, PROVIDER, World

ANSWER = "application/vnd.hutong.exchange.v1.Answer+protobuf"
REFUSAL = "application/vnd.hutong.exchange.v1.Refusal+protobuf"
EXCHANGE = "/hutong.exchange.v1.ExchangeService"
LOG = "/hutong.accesslog.v1.AccessLogService"
CATALOG = "/hutong.catalog.v1.CatalogService"
SLOTS = ("full_name", "is_married", "spouse_name", "registered_on", "changes")
FINDINGS = {"effect": "PREDICATE", "finding": "YES"}
DISCLOSED: dict[str, DisclosedValue] = {
    "full_name": {"effect": "MASK(1,0)", "value": "李*"},
    "is_married": FINDINGS,
}
ANSWERED = (
    ("full_name", exchange_pb2.EFFECT_MASK, "掩码(1,0)", exchange_pb2.FIELD_OUTCOME_VALUE),
    ("is_married", exchange_pb2.EFFECT_PREDICATE, "判断(在婚)", exchange_pb2.FIELD_OUTCOME_FINDING),
    ("spouse_name", exchange_pb2.EFFECT_WITHHOLD, "不予提供", exchange_pb2.FIELD_OUTCOME_WITHHELD),
    ("registered_on", exchange_pb2.EFFECT_CLEAR, "明文", exchange_pb2.FIELD_OUTCOME_ABSENT),
)

Hook = Callable[..., object]
Twists = Mapping[str, Hook]


@dataclass(slots=True, kw_only=True)
class Incoming:
    """One request as it arrived; every question reads as a matter of one or more queries."""

    method: str
    payload: bytes
    statement: exchange_pb2.MatterStatement
    wanted: bytes = b""
    """Whose receipt is asked for."""
    item: int = 0

    @property
    def header(self) -> envelope_pb2.RequestHeader:
        """The header of the statement."""
        return self.statement.header

    @property
    def query(self) -> exchange_pb2.DatasetQuery:
        """The query under way."""
        return self.statement.queries[self.item]


@dataclass(slots=True, kw_only=True)
class GatewayDouble:
    """Answers each call as a good gateway would, unless twisted or scripted."""

    world: World
    log: LogDouble
    twists: Twists = field(default_factory=dict)
    signer: Signer | None = None
    record_signer: Signer | None = None
    script: "list[Script]" = field(default_factory=list)
    """What the next calls get instead; each may raise `Ended` or return response bytes."""
    seen: list[Incoming] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    receipts: dict[bytes, accesslog_pb2.Receipt] = field(default_factory=dict)
    claims_hook: Callable[[RecordClaims], RecordClaims] = lambda claims: claims
    hangs: bool = False
    stream_ends: bool = False
    """End a stream with UNAVAILABLE after the first question."""
    stream_rests: grpc.StatusCode | None = None
    """End a stream with this status when its first question is answered."""
    streams: int = 0
    """Streams opened."""
    stream_order: Callable[[list[bytes]], list[bytes]] | None = None

    def twist(self, stage: str, value: object, *context: object) -> object:
        """Let the hook of a stage change a value in place or replace it."""
        hook = self.twists.get(stage)
        if hook is None:
            return value
        changed = hook(value, *context)
        return value if changed is None else changed

    def twisted(self, stage: str, value: bytes) -> bytes:
        """Let the hook of a stage replace bytes."""
        changed = self.twist(stage, value)
        return changed if isinstance(changed, bytes) else value

    # What is answered.

    def record(self, incoming: Incoming, query: exchange_pb2.DatasetQuery) -> str:
        """Sign the record of the source department."""
        header = incoming.header
        subject = incoming.statement.subject
        now_s = self.world.now_ms // 1000
        claims = RecordClaims(
            issuer=PROVIDER,
            audience=header.sender,
            nonce=record_nonce(header.request_id, incoming.item),
            dataset=query.dataset,
            custody=Custody.EMBEDDED,
            subject_digest=subject_digest(header.request_id, "RESIDENT_ID", subject.identifier),
            state=RecordState.FOUND,
            issued_at_s=now_s,
            expires_at_s=now_s + 300,
        )
        claims = self.claims_hook(claims)
        disclosed = dict(DISCLOSED)
        self.twist("disclosed", disclosed)
        compact = issue_record(self.record_signer or self.world.record, claims, SLOTS, disclosed)
        return str(self.twist("record", compact))

    def answer(self, incoming: Incoming, query: exchange_pb2.DatasetQuery) -> bytes:
        """Return the `SignedEnvelope` of an answer to one query."""
        body = exchange_pb2.AnswerBody(
            header=self.header(incoming),
            agreement=query.agreement,
            dataset=query.dataset,
            policy_digest=bytes(32),
            state=exchange_pb2.ANSWER_STATE_ANSWERED,
            fields=[
                exchange_pb2.FieldAnswer(field=name, effect=effect, effect_text=text, outcome=told)
                for name, effect, text, told in ANSWERED
            ],
            record=self.record(incoming, query),
            provider=PROVIDER,
        )
        body.delete_by.FromSeconds(self.world.now_ms // 1000 + 86_400)
        self.twist("body", body)
        ask = self.log.add(self.members(incoming, kind="ask"))
        return self.envelope_of(incoming, body, {"kind": "answer", "ask": ask}, committed=True)

    def envelope_of(
        self, incoming: Incoming, body: Message, entry: Mapping[str, object], *, committed: bool
    ) -> bytes:
        """Log a body and return the `SignedEnvelope` that carries it."""
        data = self.twisted("body_bytes", body.SerializeToString(deterministic=True))
        salt = os.urandom(32)
        openings = {"answer": salt} if committed else {}
        members = self.members(incoming, **entry)
        if committed:
            members["answer"] = commit("answer", salt, data)
        self.twist("entry", members)
        index = self.log.add(members)
        receipt = self.log.receipt(index, openings)
        self.twist("receipt", receipt, self)
        self.receipts[incoming.header.request_id] = receipt
        self.bodies.append(data)
        answer = exchange_pb2.Answer(
            body=data, body_type=body.DESCRIPTOR.full_name, receipt=receipt, padding=bytes(40)
        )
        self.twist("answer", answer)
        return self.sign(answer, ANSWER)

    def sign(self, message: Message, payload_type: str) -> bytes:
        """Return the `SignedEnvelope` of a message."""
        payload = self.twisted("payload", message.SerializeToString(deterministic=True))
        kind = str(self.twist("payload_type", payload_type))
        envelope = sign_envelope(self.signer or self.world.gateway, kind, payload)
        signed = envelope_pb2.SignedEnvelope(
            payload=envelope.payload,
            payload_type=envelope.payload_type,
            signatures=[envelope_pb2.Signature(value=envelope.signature, keyid=envelope.keyid)],
        )
        self.twist("envelope", signed)
        return signed.SerializeToString(deterministic=True)

    def refusal(self, incoming: Incoming, reason: str, *, receipt: bool = True) -> bytes:
        """Return the `SignedEnvelope` of a refusal."""
        body = exchange_pb2.RefusalBody(
            header=self.header(incoming),
            reason=reason,
            side="requester",
            message_zh="不予提供。",
            message_en="Not provided.",
        )
        self.twist("refusal_body", body)
        refusal = exchange_pb2.Refusal(body=body.SerializeToString(deterministic=True))
        if receipt:
            members = self.members(incoming, kind="refuse", reason=reason)
            self.twist("refuse_entry", members)
            index = self.log.add(members)
            refusal.receipt.CopyFrom(self.log.receipt(index, {}))
        self.twist("refusal", refusal, self)
        return self.sign(refusal, REFUSAL)

    def notice(self, incoming: Incoming, reason: str) -> exchange_pb2.RefusalNotice:
        """Return a refusal as streams and matters carry it."""
        notice = exchange_pb2.RefusalNotice(reason=reason, code=7)
        notice.signed_refusal.ParseFromString(self.refusal(incoming, reason))
        return notice

    def header(self, incoming: Incoming) -> envelope_pb2.AnswerHeader:
        """Return the header of what answers a request."""
        header = envelope_pb2.AnswerHeader(
            request_id=incoming.header.request_id,
            request_digest=hashlib.sha256(incoming.payload).digest(),
            item=incoming.item,
            sender=GATEWAY,
            receiver=incoming.header.sender,
        )
        header.issue_time.FromMilliseconds(self.world.now_ms)
        self.twist("header", header)
        return header

    def members(self, incoming: Incoming, **more: object) -> dict[str, object]:
        """Return the members every entry of a request has."""
        header = incoming.header
        return {
            "tx": header.request_id.hex(),
            "item": incoming.item,
            "system": header.sender,
            "request": commit("request", header.commitment_salt, incoming.payload),
            **more,
        }

    # How calls are answered.

    def response(self, incoming: Incoming) -> bytes:
        """Return the response of a unary call."""
        self.seen.append(incoming)
        if self.script:
            scripted = self.script.pop(0)(self, incoming)
            if isinstance(scripted, bytes):
                return scripted
        answers = {
            "Exchange": self._exchange,
            "GetResult": self._exchange,
            "ExchangeMatter": self._matter,
            "Explain": self._explain,
            "ListAgreements": self._agreements,
            "GetReceipt": self._receipt,
        }
        response = answers[incoming.method.rpartition("/")[2]](incoming).SerializeToString(
            deterministic=True
        )
        return self.twisted("response", response)

    def _exchange(self, incoming: Incoming) -> Message:
        query = incoming.query
        response = exchange_pb2.ExchangeResponse()
        response.answer.ParseFromString(self.answer(incoming, query))
        return response

    def _matter(self, incoming: Incoming) -> Message:
        response = exchange_pb2.ExchangeMatterResponse()
        for item, query in enumerate(incoming.statement.queries):
            incoming.item = item
            refused = query.agreement == "A-REFUSED"
            outcome = response.items.add()
            if refused:
                outcome.refusal.CopyFrom(self.notice(incoming, "NOTHING_GRANTED"))
            else:
                outcome.answer.ParseFromString(self.answer(incoming, query))
        self.twist("matter", response)
        return response

    def _explain(self, incoming: Incoming) -> Message:
        query = incoming.query
        body = exchange_pb2.ExplainBody(
            header=self.header(incoming),
            agreement=query.agreement,
            dataset=query.dataset,
            policy_digest=bytes(32),
            fields=[
                exchange_pb2.FieldExplanation(field=name, effect=effect, effect_text=text)
                for name, effect, text, _ in ANSWERED
            ],
        )
        return self._looked(incoming, body)

    def _agreements(self, incoming: Incoming) -> Message:
        agreement = catalog_pb2.Agreement(
            number="A-2026-001", dataset="mca.marriage@1", legal_basis="第七条", matters=["M2"]
        )
        agreement.fields.add(field="is_married", effects=["判断(在婚)"])
        body = catalog_pb2.AgreementsBody(
            header=self.header(incoming), policy_digest=bytes(32), agreements=[agreement]
        )
        return self._looked(incoming, body)

    def _receipt(self, incoming: Incoming) -> Message:
        body = accesslog_pb2.ReceiptBody(
            header=self.header(incoming), receipt=self.receipts[incoming.wanted]
        )
        self.twist("receipt_body", body)
        return self._looked(incoming, body)

    def _looked(self, incoming: Incoming, body: Message) -> Message:
        response = exchange_pb2.ExchangeResponse()
        entry = {"kind": "view", "what": "look"}
        response.answer.ParseFromString(self.envelope_of(incoming, body, entry, committed=False))
        return response

    def look_up(self, method: str, message: bytes) -> bytes:
        """Answer the unsigned calls."""
        entries = self.log.entries
        response: Message
        match method.rpartition("/")[2]:
            case "GetCheckpoint":
                response = accesslog_pb2.GetCheckpointResponse(checkpoint=self.log.checkpoint())
            case "GetInclusionProof":
                asked = accesslog_pb2.GetInclusionProofRequest.FromString(message)
                response = accesslog_pb2.GetInclusionProofResponse(
                    hashes=path_of(asked.index, entries[: asked.tree_size]),
                    leaf_hash=hashlib.sha256(b"\x00" + entries[asked.index]).digest(),
                )
            case "GetConsistencyProof":
                sizes = accesslog_pb2.GetConsistencyProofRequest.FromString(message)
                response = accesslog_pb2.GetConsistencyProofResponse(
                    hashes=growth_of(sizes.first_size, entries[: sizes.second_size])
                )
            case "ListDepartments":
                response = departments_told()
            case _:
                response = catalog_pb2.ListDatasetsResponse()
                dataset = catalog_pb2.Dataset(name="mca.marriage@1", provider=PROVIDER)
                dataset.fields.add(
                    name="is_married",
                    type="bool",
                    sharing_class=catalog_pb2.SHARING_CLASS_CONDITIONAL,
                    ceiling=exchange_pb2.EFFECT_PREDICATE,
                )
                response.datasets.append(dataset)
        self.twist("looked_up", response)
        return response.SerializeToString(deterministic=True)


def departments_told() -> catalog_pb2.ListDepartmentsResponse:
    """Return one department as its operator is told of it, and one as a partner is."""
    response = catalog_pb2.ListDepartmentsResponse(window_s=600)
    response.departments.add(
        organisation=PROVIDER,
        datasets=["mca.marriage@1"],
        breaker=catalog_pb2.BREAKER_STATE_HALF_OPEN,
        figures=catalog_pb2.DepartmentFigures(answered_percent=97, p50_us=2_500),
        counts=catalog_pb2.DepartmentCounts(asked=40, answered=39, waiting=2, room=256),
    )
    response.departments.add(organisation=PROVIDER, breaker=catalog_pb2.BREAKER_STATE_CLOSED)
    return response


Script = Callable[[GatewayDouble, Incoming], object]
