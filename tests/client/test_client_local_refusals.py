"""What cannot be sent is told with a reason, the side, and what to do, in two languages."""

import dataclasses
from datetime import timedelta
from pathlib import Path

import grpc
import pytest
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from hutong.client import (
    FINDING_TEXTS,
    INDETERMINATE_TEXTS,
    Client,
    ClientReason,
    Fault,
    Finding,
    IdentityRefused,
    IndeterminateReason,
    Question,
    Unproven,
    load_identity,
)
from hutong.client.refusals import fault_of_unsigned
from hutong.client.texts import REASON_TEXTS
from hutong.client.unproven_texts import UNPROVEN_REMEDY
from tests.client.gateway_double import GatewayDouble
from tests.client.local_refusals import ROWS, Stage
from tests.client.synthetic_world import PERSON, World

R = ClientReason
SIDES = {"requester", "gateway", "provider"}


@pytest.fixture
def stage(world: World, tmp_path: Path) -> Stage:
    """A directory of one's own to spoil."""
    directory = tmp_path / "identity"
    world.write(directory)
    return Stage(world=world, directory=directory, identity=load_identity(directory))


@pytest.mark.parametrize("reason", ROWS)
def test_each_local_refusal_has_its_reason_and_remedy(reason: ClientReason, stage: Stage) -> None:
    """A closed code, the requester's side, and a remedy; no identifier of anybody."""
    kind, spoil = ROWS[reason]

    with pytest.raises(kind) as told:
        spoil(stage)

    error = told.value
    assert (error.reason, error.side) == (reason, "requester")
    assert (error.text_zh, error.text_en) == (REASON_TEXTS[reason].zh, REASON_TEXTS[reason].en)
    assert PERSON[:-1] not in f"{error} {error.detail}"


@pytest.mark.parametrize(
    "reason",
    [
        ClientReason.IDENTITY_NOT_FOUND,
        ClientReason.IDENTITY_FILE_UNREADABLE,
        ClientReason.IDENTITY_FILE_EXPOSED,
        ClientReason.IDENTITY_FILE_WRITABLE,
        ClientReason.FILE_NOT_WRITTEN,
    ],
)
def test_a_file_that_is_meant_is_named_with_its_path(reason: ClientReason, stage: Stage) -> None:
    """Whoever gave a wrong directory sees which one was looked at."""
    kind, spoil = ROWS[reason]

    with pytest.raises(kind) as told:
        spoil(stage)

    assert str(stage.directory.parent) in told.value.detail


@pytest.mark.parametrize("late", [timedelta(days=4000), timedelta(days=-4000)])
async def test_a_channel_certificate_that_is_over_is_named(
    client: Client, question: Question, double: GatewayDouble, late: timedelta
) -> None:
    """The handshake would say "unavailable" for twenty seconds; nothing is sent."""
    tls = client.identity.tls
    moved = dataclasses.replace(
        tls, not_before=tls.not_before - late, not_after=tls.not_after - late
    )
    identity = dataclasses.replace(client.identity, tls=moved)
    client._proving = dataclasses.replace(client._proving, identity=identity)

    with pytest.raises(IdentityRefused) as told:
        await client.exchange(question)

    assert told.value.reason is ClientReason.IDENTITY_NOT_CURRENT
    assert moved.not_after.isoformat() in told.value.detail
    assert double.seen == []


def test_every_reason_has_texts() -> None:
    """No code is left to be guessed: two languages, a side, whole sentences."""
    for reason in ClientReason:
        text = REASON_TEXTS[reason]
        assert text.side in SIDES
        assert text.zh.endswith("。")
        assert text.en.endswith(".")


def test_every_reason_of_an_indeterminate_answer_has_texts() -> None:
    """Every reason and every finding means something to a person."""
    assert list(INDETERMINATE_TEXTS) == list(IndeterminateReason)
    assert {text.side for text in INDETERMINATE_TEXTS.values()} == SIDES
    assert list(FINDING_TEXTS) == list(Finding)


def test_what_is_not_proven_says_whom_to_call() -> None:
    """Meaning first, then the remedy they all share; a fault has a remedy of its own."""
    unproven = Unproven(ClientReason.SIGNATURE_INVALID, "somewhere")
    fault = Fault(ClientReason.UNAVAILABLE, "UNAVAILABLE")

    assert unproven.text_zh.endswith(UNPROVEN_REMEDY.zh)
    assert unproven.text_en.endswith(UNPROVEN_REMEDY.en)
    assert str(fault).startswith("UNAVAILABLE (gateway): 网关连接不上")
    assert str(fault).endswith("ask again. [UNAVAILABLE]")
    assert (fault.side, fault.code) == ("gateway", "UNAVAILABLE")


@pytest.mark.parametrize(
    ("detail", "reason", "told"),
    [
        (
            ErrorInfo(reason="RATE_LIMITED", domain="hutong"),
            ClientReason.CALL_LIMITED,
            "RATE_LIMITED",
        ),
        (ErrorInfo(reason="RATE_LIMITED", domain="other"), ClientReason.UNAVAILABLE, "UNAVAILABLE"),
        (ErrorInfo(reason="ANYTHING", domain="hutong"), ClientReason.UNAVAILABLE, "UNAVAILABLE"),
        (None, ClientReason.UNAVAILABLE, "UNAVAILABLE"),
    ],
    ids=["ours", "another domain", "no reason of the list", "unreadable"],
)
def test_a_limit_of_an_unsigned_call_is_named(
    detail: ErrorInfo | None, reason: ClientReason, told: str
) -> None:
    """Only a reason of the closed list is repeated: whatever else is said may say anything."""
    status = Status()
    any_detail = status.details.add()
    if detail is None:
        any_detail.type_url = f"type.googleapis.com/{ErrorInfo.DESCRIPTOR.full_name}"
        any_detail.value = b"\xff\xff"
    else:
        any_detail.Pack(detail)
    trailers = grpc.aio.Metadata(("grpc-status-details-bin", status.SerializeToString()))
    error = grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), trailers)

    fault = fault_of_unsigned(error)

    assert (fault.reason, fault.code) == (reason, told)
