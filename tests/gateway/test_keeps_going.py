"""What goes on beside the calls, and what one broken item or caller may cost the others."""

import asyncio
import contextlib
import time
from pathlib import Path

import grpc
import pytest
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo

from gateway.app import Gateway
from gateway.errors import Reason, Refusal
from gateway.exits import Exits
from gateway.log_key import load_log_signer
from gateway.replay import First, ReplayGuard, Twin
from gateway.wiring import load_tls, stamp_of
from hutong.client import Client, ClientReason, Fault, Identity, Settings
from hutong.client.channel import Connection
from hutong.client.refusals import parse_status
from hutong.client.requests import build_exchange
from signing.errors import KeyFileRefused
from tests.gateway.asking import core_question, moment
from tests.gateway.core import Core

CHECKPOINT = "/hutong.accesslog.v1.AccessLogService/GetCheckpoint"
# Only the coroutines need the loop of the running gateway; plain tests are left as they are.
ON_ITS_LOOP = pytest.mark.asyncio(loop_scope="session")


@ON_ITS_LOOP
async def test_a_housekeeper_survives_a_clock_that_goes_back(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One bad turn costs that turn: revocations are reloaded again afterwards."""
    turns: list[int] = []

    async def flush(_exits: Exits, now_ms: int) -> None:
        turns.append(now_ms)
        if len(turns) == 1:
            raise Refusal(Reason.CLOCK_BACKWARDS)
        await asyncio.sleep(0)

    monkeypatch.setattr(Exits, "flush", flush)
    monkeypatch.setattr("gateway.app.HOUSEKEEPING_S", 0.01)
    keeping = asyncio.create_task(gateway._keep_house())
    await asyncio.sleep(0.5)

    keeping.cancel()

    with contextlib.suppress(asyncio.CancelledError):
        await keeping
    assert len(turns) > 1


def test_a_file_that_vanishes_meanwhile_is_left_out(tmp_path: Path) -> None:
    """A link to nothing is listed and cannot be looked at: the stamp holds the rest."""
    (tmp_path / "kept").write_text("x")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")

    stamp = stamp_of(tmp_path)

    assert {Path(name).name for name, _, _ in stamp} == {"kept"}


@ON_ITS_LOOP
async def test_an_exit_that_fails_itself_leaves_no_twin_waiting(
    core: Core, retirement: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The claim is settled whatever happens, so the same bytes may be sent again."""
    request = build_exchange(retirement, core_question(retirement), moment(core.now_ms))

    async def broken(*_arguments: object, **_named: object) -> None:
        await asyncio.sleep(0)
        raise OSError("the disk is gone")

    with monkeypatch.context() as patched:
        patched.setattr(Exits, "refuse", broken)
        patched.setattr("gateway.exchange.Exchange.answer_query", broken)
        with pytest.raises(OSError, match="disk is gone"):
            await core.ask(retirement, request)

    again = await core.ask(retirement, request)

    assert again.request_id == request.request_id


def test_an_unfinished_request_holds_up_no_other() -> None:
    """Expired ids behind one that is still executed are forgotten all the same."""
    guard = ReplayGuard(kept_bytes=1)
    assert isinstance(guard.claim(b"stuck", b"d", 10, 0), First)
    for number in range(50):
        first = guard.claim(b"%d" % number, b"d", 10, 0)
        assert isinstance(first, First)
        guard.spend(first)

    for number in range(50):
        guard.claim(b"new%d" % number, b"d", 1_000, 500)

    assert isinstance(guard.claim(b"stuck", b"d", 10, 500), Twin)
    assert len(guard._standings) == 51


def _told(error: grpc.RpcError) -> tuple[str, str, bool]:
    """Return reason and side of a refused call, and whether it says when to come back."""
    status = parse_status(error)
    assert status is not None
    info = ErrorInfo()
    assert any(detail.Unpack(info) for detail in status.details)
    waits = any(detail.Is(RetryInfo.DESCRIPTOR) for detail in status.details)
    return info.reason, info.metadata["side"], waits


async def _reason_of_checkpoint(identity: Identity) -> tuple[str, str, bool]:
    """Return how an unsigned call of a system is refused."""
    connection = Connection(identity)
    try:
        with pytest.raises(grpc.RpcError) as refused:
            await connection.call(CHECKPOINT, b"", 5.0)
    finally:
        await connection.close()
    return _told(refused.value)


@ON_ITS_LOOP
async def test_unsigned_calls_are_limited_per_system_too(
    gateway: Gateway, retirement: Identity
) -> None:
    """Step 1 is one function: who may not ask may not have proofs made either, and learns why."""
    per_system = gateway.exchange._parts.in_flight._per_system
    per_system[retirement.system_id] = 10**6
    try:
        told = await _reason_of_checkpoint(retirement)
    finally:
        del per_system[retirement.system_id]

    assert told == (Reason.RATE_LIMITED, "requester", True)


@ON_ITS_LOOP
async def test_unsigned_calls_count_against_the_rate(
    gateway: Gateway, retirement: Identity
) -> None:
    """The limit per second is of the system, whatever it calls; another system is not held up."""
    limiter = gateway.exchange._parts.limiter
    # Tokens for a minute ahead: what refills while the call is on its way is not enough.
    limiter._arrivals[retirement.system_id] = time.monotonic() + 60
    try:
        told = await _reason_of_checkpoint(retirement)
    finally:
        del limiter._arrivals[retirement.system_id]

    assert told == (Reason.RATE_LIMITED, "requester", True)


@ON_ITS_LOOP
async def test_the_sdk_names_the_limit_of_an_unsigned_call(
    gateway: Gateway, retirement: Identity
) -> None:
    """It is not sent again, and the reason is the gateway's, not "message too large"."""
    per_system = gateway.exchange._parts.in_flight._per_system
    async with Client.open(retirement, Settings(timeout_s=1.0)) as client:
        await client.get_checkpoint()
        per_system[retirement.system_id] = 10**6
        try:
            with pytest.raises(Fault) as fault:
                await client.get_checkpoint()
        finally:
            del per_system[retirement.system_id]

    assert fault.value.reason is ClientReason.CALL_LIMITED
    assert fault.value.code == Reason.RATE_LIMITED


@pytest.mark.parametrize("which", ["log", "tls"])
def test_a_key_file_open_to_others_is_refused(gateway: Gateway, which: str) -> None:
    """The keys of the log and of the channel are read as strictly as any other."""
    config = gateway.config.log.signer if which == "log" else gateway.config.tls
    config.key.chmod(0o644)

    try:
        with pytest.raises(KeyFileRefused):
            load_log_signer(config) if which == "log" else load_tls(config, b"")
    finally:
        config.key.chmod(0o600)
