"""Refusals are believed as far as they are proven, and softened for two closed lists only."""

from collections.abc import Callable

import grpc
import pytest
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import ErrorInfo, LocalizedMessage, RetryInfo
from google.rpc.status_pb2 import Status

from hutong.client import Client, ClientReason, Fault, MatterQuestion, Question, Refused, Unproven
from hutong.client.refusals import BEFORE_HEADER, WITHOUT_RECEIPT
from hutong.envelope.v1 import envelope_pb2
from hutong.exchange.v1 import exchange_pb2
from tests.client.double_server import ended, refused, trailing
from tests.client.gateway_double import GatewayDouble
from tests.client.synthetic_world import PERSON

R = ClientReason


async def test_a_proven_refusal_says_why(
    client: Client, question: Question, double: GatewayDouble
) -> None:
    """Reason, side, texts in two languages and the receipt reach the caller."""
    double.script = [refused("NOTHING_GRANTED", retry_after_s=2.5)]

    with pytest.raises(Refused) as told:
        await client.exchange(question)

    refusal = told.value
    assert (refusal.reason, refusal.side) == ("NOTHING_GRANTED", "requester")
    assert (refusal.text_zh, refusal.text_en) == ("不予提供。", "Not provided.")
    assert refusal.told.signed
    assert refusal.receipt is not None
    assert PERSON not in str(refusal)
    assert PERSON not in repr(refusal.told)


async def test_a_refusal_has_a_receipt_file(
    client: Client, question: Question, double: GatewayDouble
) -> None:
    """The receipt of a refusal can be kept like that of an answer."""
    double.script = [refused("QUOTA_EXHAUSTED")]

    with pytest.raises(Refused) as told:
        await client.exchange(question)

    receipt = told.value.receipt
    assert receipt is not None
    assert b'"request"' in receipt.encode()
    assert receipt.answer_body is None


@pytest.mark.parametrize("reason", sorted(WITHOUT_RECEIPT - {"GATEWAY_BUSY", "LOG_UNAVAILABLE"}))
async def test_some_refusals_need_no_receipt(
    reason: str, client: Client, question: Question, double: GatewayDouble
) -> None:
    """Where nothing was or could be logged, the reason alone is taken; it gives no data."""
    double.script = [refused(reason, signed=False)]

    with pytest.raises(Refused) as told:
        await client.exchange(question)

    assert told.value.reason == reason
    assert told.value.receipt is None
    assert not told.value.told.signed


async def test_a_signed_refusal_may_lack_its_receipt(
    client: Client, question: Question, double: GatewayDouble
) -> None:
    """Rate limits are signed and not logged one by one."""
    double.script = [refused("RATE_LIMITED", receipt=False)]

    with pytest.raises(Refused) as told:
        await client.exchange(question)

    assert told.value.told.signed
    assert told.value.receipt is None


def _sets(**members: object) -> Callable[..., None]:
    def hook(message: object, *_context: object) -> None:
        for name, value in members.items():
            setattr(message, name, value)

    return hook


def _drops_request(entry: dict[str, object]) -> None:
    del entry["request"]


def _says(**members: object) -> Callable[[dict[str, object]], None]:
    def hook(entry: dict[str, object]) -> None:
        entry |= members

    return hook


def _flips(envelope: envelope_pb2.SignedEnvelope) -> None:
    value = envelope.signatures[0].value
    envelope.signatures[0].value = value[:-1] + bytes([value[-1] ^ 1])


def _other_tree(refusal: exchange_pb2.Refusal, double: GatewayDouble) -> None:
    refusal.receipt.checkpoint = double.log.checkpoint(root=bytes(32))


FALSE: dict[str, tuple[ClientReason, dict[str, Callable[..., object]]]] = {
    "flipped signature": (R.SIGNATURE_INVALID, {"envelope": _flips}),
    "about another request": (
        R.REQUEST_ID_MISMATCH,
        {"refusal_body": lambda body: _sets(request_id=bytes(16))(body.header)},
    ),
    "for another system": (
        R.RECEIVER_MISMATCH,
        {"refusal_body": lambda body: _sets(receiver="11370000MB2DEM0105/x")(body.header)},
    ),
    "another reason than told": (
        R.REFUSAL_DIFFERS,
        {"refusal_body": _sets(reason="QUOTA_EXHAUSTED")},
    ),
    "another reason in the log": (
        R.ENTRY_MISMATCH,
        {"refuse_entry": _says(reason="QUOTA_EXHAUSTED")},
    ),
    "another system in the log": (
        R.ENTRY_MISMATCH,
        {"refuse_entry": _says(system="11370000MB2DEM0105/x")},
    ),
    "no commitment to the request": (R.ENTRY_MISMATCH, {"refuse_entry": _drops_request}),
    "a tree that does not hold it": (R.ENTRY_NOT_INCLUDED, {"refusal": _other_tree}),
    "an entry that is no refusal": (R.ENTRY_MISMATCH, {"refuse_entry": _says(kind="answer")}),
}


@pytest.mark.parametrize("what", FALSE)
async def test_a_false_refusal_is_found(
    what: str, client: Client, question: Question, double: GatewayDouble
) -> None:
    """Nobody on the way can invent a refusal."""
    reason, double.twists = FALSE[what]
    double.script = [refused("NOTHING_GRANTED")]

    with pytest.raises(Unproven) as told:
        await client.exchange(question)

    assert told.value.reason is reason


async def test_an_unsigned_refusal_is_not_believed(
    client: Client, question: Question, double: GatewayDouble
) -> None:
    """Outside of the closed list a refusal is signed."""
    double.script = [refused("NOTHING_GRANTED", signed=False)]

    with pytest.raises(Unproven) as told:
        await client.exchange(question)

    assert told.value.reason is R.REFUSAL_UNSIGNED


async def test_an_unsigned_item_of_a_matter_is_not_believed(
    client: Client, matter: MatterQuestion, double: GatewayDouble
) -> None:
    """A notice in a matter is held to the same lists as a status."""

    def unsign(response: exchange_pb2.ExchangeMatterResponse) -> None:
        response.items[1].refusal.ClearField("signed_refusal")

    double.twists = {"matter": unsign}

    with pytest.raises(Unproven) as told:
        await client.exchange_matter(matter)

    assert told.value.reason is R.REFUSAL_UNSIGNED


async def test_a_busy_item_of_a_matter_needs_no_signature(
    client: Client, matter: MatterQuestion, double: GatewayDouble
) -> None:
    """One item may be refused for want of room; the others are answered."""

    def busy(response: exchange_pb2.ExchangeMatterResponse) -> None:
        response.items[1].refusal.Clear()
        response.items[1].refusal.reason = "GATEWAY_BUSY"

    double.twists = {"matter": busy}

    outcomes = await client.exchange_matter(matter)

    assert isinstance(outcomes[1], Refused)
    assert outcomes[1].reason == "GATEWAY_BUSY"
    assert not outcomes[1].told.signed


async def test_a_refusal_without_receipt_is_not_believed(
    client: Client, question: Question, double: GatewayDouble
) -> None:
    """Outside of the closed list a refusal is logged."""
    double.script = [refused("NOTHING_GRANTED", receipt=False)]

    with pytest.raises(Unproven) as told:
        await client.exchange(question)

    assert told.value.reason is R.RECEIPT_MISSING


def _unread(body: exchange_pb2.RefusalBody) -> None:
    body.header.request_id = b""
    body.header.request_digest = b""


def _unread_entry(entry: dict[str, object]) -> None:
    for name in ("tx", "request"):
        del entry[name]


async def test_a_refusal_before_the_header_names_no_request(
    client: Client, question: Question, double: GatewayDouble
) -> None:
    """When the envelope was refused, nobody had read the request id."""
    double.twists = {"refusal_body": _unread, "refuse_entry": _unread_entry}
    double.script = [refused("SIGNATURE_INVALID")]

    with pytest.raises(Refused) as told:
        await client.exchange(question)

    assert told.value.reason == "SIGNATURE_INVALID"
    assert told.value.receipt is not None
    assert told.value.receipt.encode()


async def test_a_refusal_after_the_header_names_its_request(
    client: Client, question: Question, double: GatewayDouble
) -> None:
    """A refusal of content that names no request is of no request."""
    double.twists = {"refusal_body": _unread, "refuse_entry": _unread_entry}
    double.script = [refused("NOTHING_GRANTED")]

    with pytest.raises(Unproven) as told:
        await client.exchange(question)

    assert told.value.reason is R.REQUEST_ID_MISMATCH


PARTIES = {"sender": R.SENDER_MISMATCH, "receiver": R.RECEIVER_MISMATCH}


@pytest.mark.parametrize("party", PARTIES)
async def test_a_refusal_before_the_header_still_names_its_parties(
    party: str, client: Client, question: Question, double: GatewayDouble
) -> None:
    """Who refuses whom is known from the channel, before any request id is."""

    def unread(body: exchange_pb2.RefusalBody) -> None:
        _unread(body)
        setattr(body.header, party, "11370000MB2DEM0105/x")

    double.twists = {"refusal_body": unread, "refuse_entry": _unread_entry}
    double.script = [refused("SIGNER_UNKNOWN")]

    with pytest.raises(Unproven) as told:
        await client.exchange(question)

    assert told.value.reason is PARTIES[party]


async def test_an_unread_refusal_with_another_request_in_the_log_is_found(
    client: Client, question: Question, double: GatewayDouble
) -> None:
    """The entry may name no request; it may not name another one."""
    double.twists = {"refusal_body": _unread, "refuse_entry": _says(tx="00" * 16)}
    double.script = [refused("SIGNER_UNKNOWN")]

    with pytest.raises(Unproven) as told:
        await client.exchange(question)

    assert told.value.reason is R.ENTRY_MISMATCH


async def test_an_unread_refusal_older_than_the_request_is_found(
    client: Client, question: Question, double: GatewayDouble
) -> None:
    """An old refusal that names no request cannot be shown again."""
    double.twists = {"refusal_body": _unread, "refuse_entry": _unread_entry}
    double.script = [refused("SIGNER_UNKNOWN")]
    with pytest.raises(Refused):
        await client.exchange(question)
    old = len(double.log.entries) - 1

    def again(refusal: exchange_pb2.Refusal, twisted: GatewayDouble) -> None:
        refusal.receipt.CopyFrom(twisted.log.receipt(old, {}))

    double.twists = {**double.twists, "refusal": again}
    double.script = [refused("SIGNER_UNKNOWN")]
    with pytest.raises(Unproven) as told:
        await client.exchange(question)

    assert told.value.reason is R.ENTRY_STALE


BARE = {
    grpc.StatusCode.INTERNAL: R.CALL_FAILED,
    grpc.StatusCode.PERMISSION_DENIED: R.CALL_FAILED,
    grpc.StatusCode.RESOURCE_EXHAUSTED: R.MESSAGE_TOO_LARGE,
}


@pytest.mark.parametrize("code", BARE)
async def test_a_bare_status_is_a_fault(
    code: grpc.StatusCode, client: Client, question: Question, double: GatewayDouble
) -> None:
    """A status without our details is nobody's refusal."""
    double.script = [ended(code)]

    with pytest.raises(Fault) as told:
        await client.exchange(question)

    assert told.value.reason is BARE[code]
    assert told.value.code == code.name


DETAILS = {
    "no status": b"\xff\xff\xff",
    "a status without details": b"\x08\x07",
    "too many details": b"\x1a\x00" * 17,
    "too large": b"\x12\xd0\x86\x03" + bytes(50_000),
}


@pytest.mark.parametrize("what", DETAILS)
async def test_foreign_details_are_a_fault(
    what: str, client: Client, question: Question, double: GatewayDouble
) -> None:
    """Details that are not a gateway's are not read as a refusal."""
    double.script = [trailing(DETAILS[what])]

    with pytest.raises(Fault):
        await client.exchange(question)


@pytest.mark.parametrize("message", [ErrorInfo, LocalizedMessage, RetryInfo])
async def test_details_that_are_not_what_they_claim_are_a_fault(
    message: type[Message], client: Client, question: Question, double: GatewayDouble
) -> None:
    """A detail that cannot be read is not a gateway's, and no error of another kind."""
    status = Status(code=grpc.StatusCode.PERMISSION_DENIED.value[0])
    status.details.add().Pack(ErrorInfo(reason="RATE_LIMITED", domain="hutong"))
    name = message.DESCRIPTOR.full_name
    status.details.add(type_url=f"type.googleapis.com/{name}", value=b"\xff\xff\xff")
    double.script = [trailing(status.SerializeToString())]

    with pytest.raises(Fault) as told:
        await client.exchange(question)

    assert told.value.reason is R.CALL_FAILED


async def test_a_stranger_cannot_ask(double: GatewayDouble, client: Client) -> None:
    """Without the channel's certificate nothing is told, not even a checkpoint."""
    await client.close()

    with pytest.raises((Fault, grpc.aio.UsageError)):
        await client.get_checkpoint()
    assert double.seen == []


def test_the_lists_of_soft_refusals_are_nested() -> None:
    """What needs no receipt may also come before the header; content is in neither list."""
    assert WITHOUT_RECEIPT < BEFORE_HEADER
    assert not {"NOTHING_GRANTED", "AGREEMENT_NOT_APPLICABLE", "REPLAYED"} & BEFORE_HEADER
