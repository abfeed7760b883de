"""Logs whose writer is a process of its own, and what may happen to that process."""

import asyncio
import os
import resource
import signal
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from certs.private_key import load_private_key
from gateway.access_log.apart import WriterApart
from gateway.access_log.errors import LogUnavailable
from gateway.access_log.log import AccessLog
from gateway.access_log.protocol import Begin
from gateway.credentials import KeyConfig, LogConfig
from gateway.log_key import describe_log
from gateway.model import Logged
from signing.signer import write_key_file
from tests.access_log.drafts import ORIGIN, LogHome, refuse
from tests.access_log.states import until_accepting

PASSPHRASE = b"for tests"
BEGUN_S = 60.0
SMALLEST_FILE = 4_096
NOWHERE = "/nowhere/python"
"""Where no program lies: with it for an interpreter, no process can be started."""


def begin_of(home: LogHome) -> Begin:
    """What the process is told that writes this log; its key is laid beside the log at first."""
    keys = home.folder.with_name(home.folder.name + "-keys")
    made = KeyConfig(key=keys / "log.pem", passphrase_file=keys / "passphrase")
    if not keys.exists():
        keys.mkdir()
        made.passphrase_file.write_bytes(PASSPHRASE)
        made.passphrase_file.chmod(0o600)
        pem = home.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        write_key_file(made.key, load_private_key(pem, None), PASSPHRASE)
    config = LogConfig(
        database=home.file,
        origin=ORIGIN,
        signer=made,
        epoch_keys=keys / "epochs",
        epoch_passphrase_file=made.passphrase_file,
    )
    return describe_log(config)


@asynccontextmanager
async def writing(home: LogHome) -> AsyncIterator[AccessLog]:
    """A log that a process of its own writes, ended afterwards."""
    log = home.open(apart=begin_of(home))
    await log.start()
    try:
        yield log
    finally:
        await log.stop()


def writer_of(log: AccessLog) -> WriterApart:
    """The gateway's side of the process."""
    assert isinstance(log._writer, WriterApart)
    return log._writer


def process_of(log: AccessLog) -> int:
    """The process that writes now."""
    assert log.process_id is not None
    return log.process_id


def strike(log: AccessLog, number: signal.Signals = signal.SIGKILL) -> int:
    """Send a signal to the process that writes, and return which one that was."""
    struck = process_of(log)
    os.kill(struck, number)
    return struck


async def another(log: AccessLog, than: int) -> int:
    """Wait until another process writes, and return which."""
    async with asyncio.timeout(BEGUN_S):
        while log.process_id in {None, than}:  # noqa: ASYNC110 - as an operator sees it
            await asyncio.sleep(0.01)
    await until_accepting(log)
    return process_of(log)


async def lost(log: AccessLog) -> None:
    """Wait until the gateway knows that nobody writes."""
    async with asyncio.timeout(BEGUN_S):
        while log.process_id is not None:  # noqa: ASYNC110 - as an operator sees it
            await asyncio.sleep(0.002)


async def appended(log: AccessLog, count: int) -> list[Logged | BaseException]:
    """Append refusals at once and return what became of each."""
    begun = [log.begin(refuse()) for _ in range(count)]
    return await asyncio.gather(*begun, return_exceptions=True)


def durable(told: list[Logged | BaseException]) -> list[Logged]:
    """Those that were acknowledged."""
    return [each for each in told if isinstance(each, Logged)]


def unavailable(told: Sequence[object]) -> set[str]:
    """Require that nobody was told of success, and return what they were told."""
    assert all(type(each) is LogUnavailable for each in told)
    return {str(each) for each in told}


def lives(process: int) -> bool:
    """Whether a process is there."""
    return Path(f"/proc/{process}").exists()


async def gone(process: int) -> None:
    """Wait until a process is not there any more."""
    async with asyncio.timeout(BEGUN_S):
        while lives(process):  # noqa: ASYNC110 - nobody tells of a process that is not ours
            await asyncio.sleep(0.01)


def failing_writes(process: int) -> AbstractContextManager[None]:
    """Every write of a process beyond the first page of a file fails."""
    return _limited(process, resource.RLIMIT_FSIZE, SMALLEST_FILE)


def failing_files(process: int) -> AbstractContextManager[None]:
    """A process can open no file any more; one descriptor it may still poll."""
    return _limited(process, resource.RLIMIT_NOFILE, 1)


@contextmanager
def _limited(process: int, which: int, limit: int) -> Iterator[None]:
    before = resource.prlimit(process, which)
    resource.prlimit(process, which, (limit, before[1]))
    try:
        yield
    finally:
        if lives(process):
            resource.prlimit(process, which, before)
