"""The table of lies: which stage of an answer is twisted how, and the reason it gets."""

import dataclasses
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hutong.accesslog.v1 import accesslog_pb2
from hutong.client import ClientReason
from hutong.envelope.v1 import envelope_pb2
from hutong.exchange.v1 import exchange_pb2
from tests.client.gateway_double import GatewayDouble
from tests.client.log_double import commit, node_of
from tests.client.synthetic_world import GATEWAY

R = ClientReason
Prepare = Callable[[GatewayDouble], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lie:
    """One lie: which stage is twisted how, and the reason it gets."""

    reason: ClientReason
    twists: Mapping[str, Callable[..., object]] = dataclasses.field(default_factory=dict)
    prepare: Prepare = lambda _double: None


def flipped(value: bytes) -> bytes:
    """Return bytes with their last bit turned over."""
    return value[:-1] + bytes([value[-1] ^ 1])


def sets(**members: object) -> Callable[..., None]:
    """Return a hook that sets members of a message."""

    def hook(message: object, *_context: object) -> None:
        for name, value in members.items():
            setattr(message, name, value)

    return hook


def _enveloped(**members: object) -> Callable[..., None]:
    """Return a hook that sets members of the one signature of an envelope."""

    def hook(envelope: envelope_pb2.SignedEnvelope, *_context: object) -> None:
        for name, value in members.items():
            setattr(envelope.signatures[0], name, value)

    return hook


def _double_signed(envelope: envelope_pb2.SignedEnvelope) -> None:
    envelope.signatures.append(envelope.signatures[0])


def _flip_signature(envelope: envelope_pb2.SignedEnvelope) -> None:
    signature = envelope.signatures[0]
    signature.value = flipped(signature.value)


def _flip_payload(envelope: envelope_pb2.SignedEnvelope) -> None:
    envelope.payload = flipped(envelope.payload)


def _by_stranger(double: GatewayDouble) -> None:
    double.signer = double.world.stranger


def _claiming_our_key(double: GatewayDouble) -> None:
    """Sign with a strange key, and name the registered one."""
    double.signer = double.world.stranger
    keyid = double.world.gateway.keyid
    double.twists = {**double.twists, "envelope": _enveloped(keyid=keyid)}


def _unknown_field(payload: bytes) -> bytes:
    return payload + b"\xfa\x07\x01x"  # field 127, which no message of ours has


def _default_written(payload: bytes) -> bytes:
    return payload + b"\x22\x00" if not payload.endswith(bytes(40)) else payload[:-42] + b"\x22\x00"


def _drop_field(body: exchange_pb2.AnswerBody) -> None:
    del body.fields[-1]


def _add_field(body: exchange_pb2.AnswerBody) -> None:
    body.fields.add(
        field="changes",
        effect=exchange_pb2.EFFECT_CLEAR,
        effect_text="明文",
        outcome=exchange_pb2.FIELD_OUTCOME_ABSENT,
    )


def _swap_fields(body: exchange_pb2.AnswerBody) -> None:
    first, second = list(body.fields)[:2]
    kept = list(body.fields)[2:]
    del body.fields[:]
    body.fields.extend([second, first, *kept])


def of_field(index: int, **members: object) -> Callable[[exchange_pb2.AnswerBody], None]:
    """Return a hook that sets members of one field's answer."""

    def hook(body: exchange_pb2.AnswerBody) -> None:
        for name, value in members.items():
            setattr(body.fields[index], name, value)

    return hook


def _indeterminate_with_record(body: exchange_pb2.AnswerBody) -> None:
    body.state = exchange_pb2.ANSWER_STATE_INDETERMINATE
    body.indeterminate_reason = exchange_pb2.INDETERMINATE_REASON_PROVIDER_TIMEOUT


def _without_receipt(answer: exchange_pb2.Answer) -> None:
    answer.ClearField("receipt")


def _flip_proof(receipt: accesslog_pb2.Receipt, _double: GatewayDouble) -> None:
    hashes = receipt.inclusion_proof
    hashes[0] = flipped(hashes[0])


def _other_log(receipt: accesslog_pb2.Receipt, double: GatewayDouble) -> None:
    """Sign the checkpoint with another log's key."""
    other = dataclasses.replace(double.world, log_private=Ed25519PrivateKey.generate())
    size = len(double.log.entries)
    receipt.checkpoint = other.sign_note(size, node_of(double.log.entries))


def _other_origin(receipt: accesslog_pb2.Receipt, double: GatewayDouble) -> None:
    root = node_of(double.log.entries)
    note = double.world.sign_note(len(double.log.entries), root, "other.invalid/log")
    receipt.checkpoint = note


def _as_plain_text(receipt: accesslog_pb2.Receipt, _double: GatewayDouble) -> None:
    receipt.checkpoint = b"not a note"


def _drop_salt(receipt: accesslog_pb2.Receipt, _double: GatewayDouble) -> None:
    del receipt.openings[:]


def _other_salt(receipt: accesslog_pb2.Receipt, _double: GatewayDouble) -> None:
    receipt.openings[0].salt = os.urandom(32)


def _index_outside(receipt: accesslog_pb2.Receipt, double: GatewayDouble) -> None:
    receipt.index = len(double.log.entries)


def _opens_more(receipt: accesslog_pb2.Receipt, _double: GatewayDouble) -> None:
    receipt.openings.add(member="request", salt=os.urandom(32))


def _opens_case(receipt: accesslog_pb2.Receipt, _double: GatewayDouble) -> None:
    receipt.openings.add(member="case", salt=os.urandom(32), value=b"C-2")


def _entry_with(**members: object) -> Callable[[dict[str, object]], None]:
    def hook(entry: dict[str, object]) -> None:
        entry |= members

    return hook


def _entry_without(name: str) -> Callable[[dict[str, object]], None]:
    def hook(entry: dict[str, object]) -> None:
        del entry[name]

    return hook


LIES: dict[str, Lie] = {
    "signed by a stranger": Lie(reason=R.SIGNER_UNKNOWN, prepare=_by_stranger),
    "signed by a stranger who names our gateway's key": Lie(
        reason=R.SIGNATURE_INVALID, prepare=_claiming_our_key
    ),
    "a bit of the signature is flipped": Lie(
        reason=R.SIGNATURE_INVALID, twists={"envelope": _flip_signature}
    ),
    "a bit of the payload is flipped": Lie(
        reason=R.SIGNATURE_INVALID, twists={"envelope": _flip_payload}
    ),
    "signed twice": Lie(reason=R.ENVELOPE_MALFORMED, twists={"envelope": _double_signed}),
    "another payload type": Lie(
        reason=R.PAYLOAD_TYPE_WRONG,
        twists={"payload_type": lambda _: "application/vnd.hutong.exchange.v1.Refusal+protobuf"},
    ),
    "an unknown field behind the payload": Lie(
        reason=R.PAYLOAD_MALFORMED, twists={"payload": _unknown_field}
    ),
    "a default written out in the payload": Lie(
        reason=R.PAYLOAD_MALFORMED, twists={"payload": _default_written}
    ),
    "an unknown field behind the body": Lie(
        reason=R.PAYLOAD_MALFORMED, twists={"body_bytes": _unknown_field}
    ),
    "padding that carries something": Lie(
        reason=R.PAYLOAD_MALFORMED, twists={"answer": sets(padding=b"hidden")}
    ),
    "a body of another message": Lie(
        reason=R.BODY_TYPE_WRONG,
        twists={"answer": sets(body_type="hutong.exchange.v1.ExplainBody")},
    ),
    "no answer in the response": Lie(
        reason=R.RESPONSE_MALFORMED, twists={"response": lambda _: b"\x12\x00"}
    ),
    "the answer to another request": Lie(
        reason=R.REQUEST_ID_MISMATCH, twists={"header": sets(request_id=bytes(16))}
    ),
    "the answer to other bytes of this request": Lie(
        reason=R.REQUEST_DIGEST_MISMATCH, twists={"header": sets(request_digest=bytes(32))}
    ),
    "an answer meant for another system": Lie(
        reason=R.RECEIVER_MISMATCH, twists={"header": sets(receiver=GATEWAY)}
    ),
    "an answer of another gateway": Lie(
        reason=R.SENDER_MISMATCH, twists={"header": sets(sender="11370000MB2DEM0105/other")}
    ),
    "an answer to another item": Lie(reason=R.ITEM_MISMATCH, twists={"header": sets(item=1)}),
    "another agreement applied": Lie(
        reason=R.QUERY_MISMATCH, twists={"body": sets(agreement="A-2")}
    ),
    "another dataset answered": Lie(
        reason=R.QUERY_MISMATCH, twists={"body": sets(dataset="mca.divorce@1")}
    ),
    "a field missing": Lie(reason=R.FIELDS_MISMATCH, twists={"body": _drop_field}),
    "a field more than asked": Lie(reason=R.FIELDS_MISMATCH, twists={"body": _add_field}),
    "fields in another order": Lie(reason=R.FIELDS_MISMATCH, twists={"body": _swap_fields}),
    "an outcome not stated": Lie(reason=R.FIELDS_MISMATCH, twists={"body": of_field(2, outcome=0)}),
    "a state not stated": Lie(reason=R.STATE_INCONSISTENT, twists={"body": sets(state=0)}),
    "not found, which the record does not say": Lie(
        reason=R.STATE_INCONSISTENT,
        twists={"body": sets(state=exchange_pb2.ANSWER_STATE_NOT_FOUND)},
    ),
    "answered, and a reason why it cannot be told": Lie(
        reason=R.STATE_INCONSISTENT, twists={"body": sets(indeterminate_reason=3)}
    ),
    "indeterminate, with a record": Lie(
        reason=R.RECORD_UNEXPECTED, twists={"body": _indeterminate_with_record}
    ),
    "no receipt": Lie(reason=R.RECEIPT_MISSING, twists={"answer": _without_receipt}),
    "a checkpoint that is no note": Lie(
        reason=R.RECEIPT_MALFORMED, twists={"receipt": _as_plain_text}
    ),
    "a checkpoint of another key": Lie(
        reason=R.CHECKPOINT_UNSIGNED, twists={"receipt": _other_log}
    ),
    "a checkpoint of another origin": Lie(
        reason=R.CHECKPOINT_UNSIGNED, twists={"receipt": _other_origin}
    ),
    "a flipped bit in the inclusion proof": Lie(
        reason=R.ENTRY_NOT_INCLUDED, twists={"receipt": _flip_proof}
    ),
    "an index outside the tree": Lie(
        reason=R.ENTRY_NOT_INCLUDED, twists={"receipt": _index_outside}
    ),
    "an entry of another request": Lie(
        reason=R.ENTRY_MISMATCH, twists={"entry": _entry_with(tx="00" * 16)}
    ),
    "an entry of another item": Lie(reason=R.ENTRY_MISMATCH, twists={"entry": _entry_with(item=1)}),
    "an entry that is no answer": Lie(
        reason=R.ENTRY_MISMATCH, twists={"entry": _entry_with(kind="view")}
    ),
    "an entry that commits to no answer": Lie(
        reason=R.ENTRY_MISMATCH, twists={"entry": _entry_without("answer")}
    ),
    "an entry that commits to another request": Lie(
        reason=R.REQUEST_NOT_COMMITTED,
        twists={"entry": _entry_with(request=commit("request", bytes(32), b"other"))},
    ),
    "an entry that commits to another answer": Lie(
        reason=R.ANSWER_NOT_COMMITTED,
        twists={"entry": _entry_with(answer=commit("answer", bytes(32), b"other"))},
    ),
    "a salt that does not open the answer": Lie(
        reason=R.ANSWER_NOT_COMMITTED, twists={"receipt": _other_salt}
    ),
    "no salt of the answer": Lie(reason=R.ANSWER_NOT_COMMITTED, twists={"receipt": _drop_salt}),
    "an opening that opens nothing": Lie(
        reason=R.OPENING_INVALID,
        twists={"entry": _entry_with(case="11" * 32), "receipt": _opens_case},
    ),
    "a salt of the request that is not ours": Lie(
        reason=R.REQUEST_NOT_COMMITTED, twists={"receipt": _opens_more}
    ),
    "an entry that is no canonical JSON": Lie(
        reason=R.RECEIPT_MALFORMED, twists={"entry": _entry_with(v=2)}
    ),
    "a response above the bound": Lie(
        reason=R.MESSAGE_TOO_LARGE, twists={"response": lambda _: bytes(98_305)}
    ),
}
