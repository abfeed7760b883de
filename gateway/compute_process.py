"""The second process: reads jobs from the gateway's socket, does them, writes what they yield.

Started by `gateway.compute.apart` and by nobody else; ends with its socket. It holds the envelope
key and the key of HRSS's records, and reads HRSS's tables; it knows no trust store, no log and no
network.
"""

import asyncio
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

import structlog
import uvloop
from typing_extensions import override

from adapters.kinds.hrss import HrssAdapter
from adapters.port import DatasetName, Outcome, Untold
from adapters.records import RecordSource
from adapters.settings import HrssConfig
from gateway.child import load_form
from gateway.compute.port import FetchJob
from gateway.compute.protocol import PACKAGE, Asked, Ended, Ending, Job, parse_begin
from gateway.compute.wire_calls import encode_opened, encode_refusal, parse_open
from gateway.compute.wire_records import (
    encode_distrusted,
    encode_minimised,
    encode_told,
    parse_fetch,
    parse_prove,
    parse_seal,
)
from gateway.compute.work import open_call, prove_record, prove_told
from gateway.config import Config
from gateway.diagnostics import write_diagnostics
from gateway.distrust import Distrusted
from gateway.errors import Refusal
from gateway.frames import FrameReader, encode_frame
from gateway.receipt import build_answer
from gateway.wiring import load_signer
from signing.signer import Signer

_log: Final = structlog.get_logger("compute")

FLUSH_AT: Final = 8
"""So many endings are sent before their whole frame is done: somebody waits for each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Means:
    """What jobs are done with, once the gateway has said who it is."""

    signer: Signer
    departments: Mapping[DatasetName, HrssAdapter]


class Worker(asyncio.Protocol):
    """Does what arrives, in the order it arrives."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()
        self._reader: FrameReader[Asked] = FrameReader()
        self._endings: list[Ended] = []
        self._fetching: set[asyncio.Task[bytes]] = set()
        self._means: _Means | None = None
        self.ended: asyncio.Future[None] = self._loop.create_future()

    def attach(self, transport: asyncio.Transport) -> None:
        """Send endings there, also those of jobs that arrived before."""
        self._transport = transport
        self._flush()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        """End: nobody is left to work for."""
        if not self.ended.done():
            self.ended.set_result(None)

    @override
    def data_received(self, data: bytes) -> None:
        """Do the jobs of every frame that is whole."""
        for number, job, given in self._reader.feed(data):
            self._do(number, Job(job), given)
            if len(self._endings) >= FLUSH_AT:
                self._flush()
        self._flush()

    def _do(self, number: int, job: Job, given: bytes) -> None:
        if job is Job.FETCH:
            self._fetch(number, parse_fetch(given))
            return
        try:
            ending, yielded = Ending.DONE, self._yielded(job, given)
        except Refusal as refusal:
            ending, yielded = Ending.REFUSED, encode_refusal(refusal)
        except Distrusted as distrusted:
            ending, yielded = Ending.DISTRUSTED, encode_distrusted(distrusted)
        self._endings.append((number, ending.value, yielded))

    def _yielded(self, job: Job, given: bytes) -> bytes:
        match job:
            case Job.BEGIN:
                self._means = _load_means(given)
                return b""
            case Job.OPEN:
                return encode_opened(open_call(parse_open(given)))
            case Job.PROVE:
                return encode_minimised(prove_record(parse_prove(given)))
            case _:
                seal = parse_seal(given)
                return build_answer(self._have().signer, seal.commitment, seal.logged)

    def _fetch(self, number: int, job: FetchJob) -> None:
        """Ask the department and prove what it tells; only a wait is worth a task."""
        try:
            department = self._have().departments[job.query.dataset.name]
            told = department.fetch_at_once(job.query)
        except Exception:  # noqa: BLE001 - a broad place: the adapter call, as in the gateway
            # It is asked again by the gateway, whose own broad place tells it.
            self._endings.append((number, Ending.BROKE.value, b""))
            return
        if told is not None:
            self._endings.append((number, Ending.DONE.value, _proven(job, told)))
            return
        task = self._loop.create_task(_fetch_patiently(department, job))
        self._fetching.add(task)
        task.add_done_callback(partial(self._end_fetch, number))

    def _end_fetch(self, number: int, task: asyncio.Task[bytes]) -> None:
        self._fetching.discard(task)
        if not self._endings:
            self._loop.call_soon(self._flush)
        broke = task.cancelled() or task.exception() is not None
        ending, yielded = (Ending.BROKE, b"") if broke else (Ending.DONE, task.result())
        self._endings.append((number, ending.value, yielded))

    def _have(self) -> _Means:
        if self._means is None:
            raise AssertionError  # the first job says who we are
        return self._means

    def _flush(self) -> None:
        if self._endings and self._transport is not None:
            frame, self._endings = encode_frame(self._endings), []
            self._transport.write(frame)


async def _fetch_patiently(department: HrssAdapter, job: FetchJob) -> bytes:
    return _proven(job, await department.fetch_patiently(job.query))


def _proven(job: FetchJob, told: Outcome) -> bytes:
    return encode_told(told if isinstance(told, Untold) else prove_told(job, told))


def _load_means(given: bytes) -> _Means:
    begin = parse_begin(given)
    # A gateway that was installed anew, or given other keys, uses them when it is started again.
    if begin.form != load_form(PACKAGE):
        raise RuntimeError("another release")
    config = Config.model_validate_json(begin.config)
    departments: Mapping[DatasetName, HrssAdapter] = {}
    record_keyids: tuple[str, ...] = ()
    if isinstance(config.departments.hrss, HrssConfig):
        datasets = frozenset(map(DatasetName, begin.datasets))
        own = config.departments.hrss
        record_signer = load_signer(own.record_key)
        record_keyids = (record_signer.keyid,)
        source = RecordSource(organisation=begin.organisation, signer=record_signer)
        department = HrssAdapter(source=source, datasets=datasets, database=own.database)
        departments = dict.fromkeys(datasets, department)
    signer = load_signer(config.envelope_signer)
    if begin.keyids != (signer.keyid, *record_keyids):
        raise RuntimeError("other keys")
    return _Means(signer=signer, departments=departments)


def _say_kind(_: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
    """Name what nobody foresaw and what ends this process; never its text, which may hold a value.

    The gateway does the job again and meets it in its own broad place.
    """
    _log.error("compute_broke", kind=type(context.get("exception")).__name__)


async def serve(descriptor: int) -> None:
    """Work until the socket ends."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_say_kind)
    worker = Worker()
    transport, _ = await loop.create_connection(
        lambda: worker, sock=socket.socket(fileno=descriptor)
    )
    worker.attach(transport)
    await worker.ended


if __name__ == "__main__":
    write_diagnostics()
    uvloop.run(serve(int(sys.argv[1])))
