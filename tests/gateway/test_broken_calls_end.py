"""A broken call ends within 10 s with a status or a reset, tells nothing, and costs nobody else."""

import asyncio
import dataclasses
import os
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
import pytest_asyncio

from adapters.simulators.population import Planted, planted
from gateway.app import Gateway
from gateway.errors import Reason
from gateway.rpc.server import LARGEST_MESSAGE
from gateway.rpc.services import EXCHANGE
from gateway.statement.wrapper import MAX_MESSAGE_BYTES
from hutong.client import Client, Identity, Question
from hutong.client.channel import channel_options
from hutong.client.clock import system_clock
from hutong.client.requests import build_stream_exchange
from tests.gateway.asking import insured_question, moment, purpose_of, subject_of
from tests.gateway.minimal_http2 import (
    CANCEL,
    DATA,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    RST_STREAM,
    WINDOW_UPDATE,
    RawConnection,
    frame,
    header_block,
)
from tests.gateway.provoked import note

pytestmark = pytest.mark.asyncio(loop_scope="session")

ENDED_WITHIN_S = 10.0
FLOOD = 2_000
GROWTH_BYTES = 32 << 20
INTERNALS = re.compile(rb"Traceback|\.py\b|Error\b|Exception|site-packages|gateway\.|asyncio")
PATH = f"{EXCHANGE}Exchange"
WHO = ("ordinary_graduate", "ordinary_employee", "student_enrolled", "student_suspended")


@pytest.fixture(scope="session")
def chain(retirement: Identity, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Certificate and key of the partner in one file, as `ssl` wants them; synthetic."""
    path = tmp_path_factory.mktemp("chain") / "chain.pem"
    path.touch(mode=0o600)
    path.write_bytes(retirement.tls.private_key + retirement.tls.chain)
    return str(path)


@pytest_asyncio.fixture(autouse=True, scope="module", loop_scope="session")
async def _something_logged(client: Client) -> None:
    """Let the log have an entry, whichever test of this directory runs first."""
    await client.exchange(insured_question(client.identity, WHO[0]))


def _message(content: bytes, *, length: int | None = None) -> bytes:
    """Return a length-prefixed gRPC message, with another length where a test wants one."""
    return b"\x00" + (len(content) if length is None else length).to_bytes(4) + content


def _call(stream: int, *frames: bytes, path: str = PATH, headers_end: bool = False) -> bytes:
    flags = END_HEADERS | (END_STREAM if headers_end else 0)
    return frame(HEADERS, flags, stream, header_block(path)) + b"".join(frames)


BROKEN: dict[str, bytes] = {
    "no message": _call(1, frame(DATA, END_STREAM, 1)),
    "no message, ended at the headers": _call(1, headers_end=True),
    "an empty body": _call(1, frame(DATA, END_STREAM, 1, _message(b""))),
    "half a prefix": _call(1, frame(DATA, END_STREAM, 1, b"\x00\x00")),
    "half a message, ended": _call(1, frame(DATA, END_STREAM, 1, _message(b"abc", length=9000))),
    "an absurd length": _call(1, frame(DATA, END_STREAM, 1, _message(b"a", length=0xFFFFFFFF))),
    "an unparsable body": _call(1, frame(DATA, END_STREAM, 1, _message(b"\xff" * 300))),
    "a compressed body nobody agreed on": _call(
        1, frame(DATA, END_STREAM, 1, b"\x01" + _message(b"\x1f\x8bxx")[1:])
    ),
    "an unknown method": _call(1, frame(DATA, END_STREAM, 1, _message(b"")), path="/x.Y/Z"),
    "data on no stream": frame(DATA, END_STREAM, 7, b"xx") + _call(1, headers_end=True),
    "a window of nothing": frame(WINDOW_UPDATE, 0, 0, bytes(4)) + _call(1, headers_end=True),
    "a frame of no kind": frame(0x5A, 0xFF, 1, b"zz") + _call(1, headers_end=True),
    "headers that are none": frame(HEADERS, END_HEADERS, 1, b"\xff" * 40),
    "no HTTP/2 at all": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * 3,
}

STREAM = f"{EXCHANGE}ExchangeStream"
SILENT = (
    _call(1, frame(DATA, 0, 1, _message(b"abc", length=9000))),
    _call(1),
    _call(1, path=STREAM),
)
"""Half a message, no message, and no message on a stream; then nothing more."""


def _good_and_a_half(identity: Identity) -> bytes:
    """Return a stream that asks a question, begins a second one, and says no more."""
    question = insured_question(identity, WHO[0])
    asked = build_stream_exchange(identity, question, moment(system_clock())).message
    messages = _message(asked) + _message(asked)[:-1]
    return _call(1, frame(DATA, 0, 1, messages), path=STREAM)


@pytest.mark.parametrize("name", list(BROKEN))
async def test_a_broken_call_ends(
    name: str, gateway: Gateway, retirement: Identity, chain: str, client: Client
) -> None:
    """Within 10 s there is a status, a reset or the end; others are answered meanwhile."""
    connection = await RawConnection.open(retirement, gateway.port, chain)
    started = time.monotonic()
    connection.writer.write(BROKEN[name])
    await connection.writer.drain()

    async with asyncio.timeout(ENDED_WITHIN_S):
        checkpoint, said = await asyncio.gather(client.get_checkpoint(), connection.until_ended(1))

    await connection.close()
    assert time.monotonic() - started < ENDED_WITHIN_S
    assert checkpoint.head.size > 0
    assert INTERNALS.search(said) is None, said


@pytest.mark.slow
async def test_callers_that_fall_silent_are_ended(
    gateway: Gateway, retirement: Identity, chain: str, client: Client
) -> None:
    """Who begins a call and says no more is told to end it within 10 s; others are answered."""
    silent = (*SILENT, _good_and_a_half(retirement))
    connections = [await RawConnection.open(retirement, gateway.port, chain) for _ in silent]
    for connection, said in zip(connections, silent, strict=True):
        connection.writer.write(said)
        await connection.writer.drain()

    async with asyncio.timeout(ENDED_WITHIN_S):
        ends = asyncio.gather(*(each.until_ended(1) for each in connections))
        checkpoint = await client.get_checkpoint()
        told = await ends

    for connection in connections:
        await connection.close()
    assert checkpoint.head.size > 0
    assert all(INTERNALS.search(each) is None for each in told)
    assert len(told[-1]) > len(told[-2])  # the whole question before the half one was answered


async def test_a_call_without_a_message_is_told_so(retirement: Identity) -> None:
    """A caller that ends its side at once learns what is missing, in both languages."""
    tls = retirement.tls
    credentials = grpc.ssl_channel_credentials(tls.authority, tls.private_key, tls.chain)

    async def nothing() -> AsyncIterator[bytes]:
        return
        yield b""

    async with grpc.aio.secure_channel(
        retirement.address, credentials, options=channel_options(retirement)
    ) as channel:
        ask: grpc.aio.StreamUnaryMultiCallable[bytes, bytes] = channel.stream_unary(PATH)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await ask(nothing(), timeout=ENDED_WITHIN_S)

    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert (caught.value.details() or "").startswith(Reason.MESSAGE_MISSING)
    note(Reason.MESSAGE_MISSING)


@pytest.mark.parametrize(
    ("size", "text"),
    [(MAX_MESSAGE_BYTES + 1, Reason.MESSAGE_TOO_LARGE.value), (LARGEST_MESSAGE + 1, "")],
)
async def test_a_message_too_large_is_refused(retirement: Identity, size: int, text: str) -> None:
    """Above our bound the reason is ours; above the transport's it is the transport's."""
    tls = retirement.tls
    credentials = grpc.ssl_channel_credentials(tls.authority, tls.private_key, tls.chain)
    async with grpc.aio.secure_channel(retirement.address, credentials) as channel:
        ask: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(PATH)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await ask(bytes(size), timeout=ENDED_WITHIN_S)

    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert text in (caught.value.details() or "")
    note(Reason.MESSAGE_TOO_LARGE)


async def test_nobody_without_a_certificate_gets_a_channel(retirement: Identity) -> None:
    """The handshake demands a client certificate of an anchor."""
    credentials = grpc.ssl_channel_credentials(retirement.tls.authority)
    async with grpc.aio.secure_channel(
        retirement.address, credentials, options=channel_options(retirement)
    ) as channel:
        ask: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(PATH)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await ask(b"", timeout=3.0)

    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _opened_and_reset(number: int) -> bytes:
    stream = 2 * number + 1
    return (
        frame(HEADERS, END_HEADERS, stream, header_block(PATH))
        + frame(DATA, 0, stream, _message(b"x" * 100, length=500))
        + frame(RST_STREAM, 0, stream, CANCEL.to_bytes(4))
    )


async def _flood(identity: Identity, port: int, chain: str, enough: asyncio.Event) -> int:
    """Open and reset streams as fast as a connection takes them; return how many it were."""
    flooding = await RawConnection.open(identity, port, chain)
    sent = 0
    while sent < FLOOD or not enough.is_set():
        try:
            for number in range(50):
                flooding.writer.write(_opened_and_reset(sent + number))
            await flooding.writer.drain()
        except (ConnectionError, OSError):
            flooding = await RawConnection.open(identity, port, chain)
        sent += 50
        await asyncio.sleep(0)
    await flooding.close()
    return sent


def _months_of(identity: Identity, someone: Planted) -> Question:
    return dataclasses.replace(
        insured_question(identity, someone.name_of_case),
        agreement="XY-2026-204",
        dataset="hr.contribution_record@1",
        fields=("months_paid",),
        subject=subject_of(someone),
        purpose=purpose_of(someone),
    )


async def test_a_flood_of_reset_streams_costs_others_nothing(
    gateway: Gateway, retirement: Identity, chain: str, job_client: Client, client: Client
) -> None:
    """Streams opened and reset meanwhile: all looks and exchanges succeed, in 32 MB at most."""
    # Of one person in one case ten questions are agreed, and fifty in a second.
    questions = [_months_of(client.identity, someone) for someone in planted()[:30]]
    for question in questions:
        await client.exchange(question)
    before = _resident_bytes()
    enough = asyncio.Event()

    async def look() -> int:
        return len([await job_client.get_checkpoint() for _ in questions])

    async def exchange() -> set[int]:
        return {(await client.exchange(question)).receipt.index for question in questions}

    flooding = asyncio.ensure_future(_flood(retirement, gateway.port, chain, enough))
    async with asyncio.timeout(60):
        looks, receipts = await asyncio.gather(look(), exchange())
        enough.set()
        opened = await flooding

    assert opened >= FLOOD
    assert looks == len(receipts) == len(questions)
    assert _resident_bytes() - before <= GROWTH_BYTES
    again = await client.exchange(insured_question(client.identity, WHO[0]))
    assert again.receipt.index > 0
