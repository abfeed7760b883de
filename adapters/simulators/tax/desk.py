"""Takes packages in, lets answers appear when their time has come, remembers what was answered.

No task runs: whatever is due happens when somebody looks (`settle`), so the simulated clock alone
decides. INVARIANT: between the window's beginning and its end nothing appears.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from adapters.simulators.faults import FaultBoard
from adapters.simulators.recorder import Recorder
from adapters.simulators.tax.clients import Client
from adapters.simulators.tax.envelope import Head
from adapters.simulators.tax.faults import Fault
from adapters.simulators.tax.folders import KEPT_MS, Folders
from adapters.simulators.tax.names import PackageName
from adapters.simulators.tax.reading import (
    Accepted,
    Submission,
    judge_request,
    open_submission,
)
from adapters.simulators.tax.refusals import Code, Refused
from adapters.simulators.tax.register import Register, Told
from adapters.simulators.tax.results import Files, ResultWriter, write_plain
from adapters.simulators.virtual_clock import VirtualClock

LATE_MS: Final = 2 * 3600 * 1000
"""How much later a late result comes."""
_WINDOW_BEGINS, _WINDOW_ENDS = 18, 6
"""Hours in Beijing, on the last day of a month and on the first."""

Answers = tuple[tuple[str, Told], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """A package that was accepted, so that a resend gets the same."""

    fingerprint: bytes
    answers: Answers
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A result that is ready and waits for its time."""

    ready_ms: int
    client_no: str
    files: Files = field(repr=False)


@dataclass(slots=True, kw_only=True)
class Timing:
    """How long the department takes, and whether it closes at the end of a month."""

    ack_ms: int
    result_ms: int
    month_end: bool


class Desk:
    """The department behind the folders."""

    def __init__(
        self,
        register: Register,
        board: FaultBoard[Fault],
        clock: VirtualClock,
        recorder: Recorder,
        timing: Timing,
    ) -> None:
        self._register = register
        self._board = board
        self.clock = clock
        self._recorder = recorder
        self.timing = timing
        self._writer = ResultWriter(board)
        self._folders: dict[str, Folders] = {}
        self._waiting: list[Submission] = []
        self._due: list[Due] = []
        self._remembered: dict[tuple[str, str], Remembered] = {}

    def folders_of(self, client_no: str) -> Folders:
        """Open the folders of a client, as they stand now."""
        self.settle()
        return self._folders.setdefault(client_no, Folders())

    def submit(self, client: Client, name: PackageName) -> None:
        """Take note that a manifest was put beside a package."""
        folders = self._folders[client.client_no]
        xml, manifest = folders.find("in", name.xml), folders.find("in", name.manifest)
        submission = Submission(
            client=client,
            name=name,
            arrived_ms=self.clock.now_ms(),
            xml=bytes(xml.octets) if xml else None,
            manifest=bytes(manifest.octets) if manifest else b"",
        )
        for file_name, octets in ((name.xml, submission.xml), (name.manifest, submission.manifest)):
            if octets is not None:
                self._keep("PUT", f"/in/{file_name}", octets)
        self._waiting.append(submission)

    def settle(self) -> None:
        """Let happen what is due."""
        now_ms = self.clock.now_ms()
        if self._is_closed():
            return
        for submission in list(self._waiting):
            if submission.arrived_ms + self.timing.ack_ms <= now_ms:
                self._waiting.remove(submission)
                self._examine(submission, now_ms)
        for due in [due for due in self._due if due.ready_ms <= now_ms]:
            self._due.remove(due)
            for file_name, octets in due.files.items():
                self._folders[due.client_no].put("out", file_name, octets, now_ms)
        self._forget(now_ms)

    def wipe(self) -> None:
        """Overwrite every file and forget everything."""
        for folders in self._folders.values():
            folders.wipe()
        self._waiting.clear()
        self._due.clear()
        self._remembered.clear()

    def _is_closed(self) -> bool:
        local = self.clock.local()
        last_day = (local + timedelta(days=1)).day == 1
        night = (last_day and local.hour >= _WINDOW_BEGINS) or (
            local.day == 1 and local.hour < _WINDOW_ENDS
        )
        return self.timing.month_end and night

    def _examine(self, submission: Submission, now_ms: int) -> None:
        folders = self._folders[submission.client.client_no]
        for file_name in (submission.name.xml, submission.name.manifest):
            folders.remove("in", file_name)
        if self._board.strikes(Fault.NO_ACK):
            return
        head = _head_of_name(submission.name)
        try:
            request = open_submission(submission)
            head = request.head
            accepted = judge_request(request, submission)
            for identity, content in accepted.parts:
                self._keep("DECODED", f"{submission.name.xml}#{identity}", content)
            answers = self._answers(accepted)
        except Refused as refused:
            octets = write_plain(submission.client, head, refused.code)
            folders.put("error", submission.name.xml, octets, now_ms)
            return
        octets = write_plain(submission.client, head, Code.OK)
        folders.put("ack", submission.name.xml, octets, now_ms)
        self._schedule(submission, head, answers)

    def _answers(self, accepted: Accepted) -> Answers:
        """Find what was answered before, or answer now."""
        if self._board.strikes(Fault.REFUSED_INTERNAL):
            raise Refused(Code.INTERNAL)
        if self._board.strikes(Fault.REFUSED_DUPLICATE):
            raise Refused(Code.DUPLICATE)
        key = (accepted.head.client_no, accepted.head.tran_seq)
        before = self._remembered.get(key)
        if before is not None:
            if accepted.head.repeat_flag != "Y":
                raise Refused(Code.DUPLICATE)
            if before.fingerprint != accepted.fingerprint:
                raise Refused(Code.OTHER_CONTENT)
            return before.answers
        answers = tuple(
            (identity, self._register.answer(accepted.service, question))
            for identity, question in accepted.questions
        )
        self._remembered[key] = Remembered(
            fingerprint=accepted.fingerprint, answers=answers, at_ms=self.clock.now_ms()
        )
        return answers

    def _schedule(self, submission: Submission, head: Head, answers: Answers) -> None:
        if self._board.strikes(Fault.NO_RESULT):
            return
        late = LATE_MS if self._board.strikes(Fault.LATE_RESULT) else 0
        self._due.append(
            Due(
                ready_ms=submission.arrived_ms + self.timing.result_ms + late,
                client_no=submission.client.client_no,
                files=self._writer.write(submission.client, submission.name, head, answers),
            )
        )

    def _forget(self, now_ms: int) -> None:
        for folders in self._folders.values():
            folders.purge(now_ms)
        old = [key for key, one in self._remembered.items() if one.at_ms + KEPT_MS < now_ms]
        for key in old:
            del self._remembered[key]

    def _keep(self, method: str, path: str, octets: bytes) -> None:
        self._recorder.keep(
            at_ms=self.clock.now_ms(), request=(method, path), headers=(), body=octets
        )


def _head_of_name(name: PackageName) -> Head:
    """Say of a package that could not be read what its name says."""
    return Head(tran_seq=name.tran_seq)
