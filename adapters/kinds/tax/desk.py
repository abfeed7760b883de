"""Packages under way: put together, dropped, and looked after while somebody waits.

Questions of one service that arrive within a few milliseconds travel together. Nobody looks into
the folders while nobody waits: what comes later lies with the department until the question is
asked again. A lost connection loses no package. A restart loses all of them: their results are left
to the department, which clears them away, and the questions are put anew under new numbers, which
does no harm, for they only ask.
INVARIANT: every question gets an outcome, whatever becomes of its package.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable
from typing import Final

from adapters.errors import AdapterError, DepartmentFailed
from adapters.kinds.tax.dispatch import Dispatcher
from adapters.kinds.tax.envelope import TaxIdentity
from adapters.kinds.tax.looking import Looker
from adapters.kinds.tax.packages import Package, Waiting
from adapters.kinds.tax.questions import Question, Service
from adapters.kinds.tax.sftp import SftpTransport
from adapters.port import Indeterminate

_LOG: Final = logging.getLogger(__name__)

WINDOW_S: Final = 0.02
"""How long a question waits for company: little beside an exchange of files."""
MAX_QUESTIONS: Final = 100
"""Of one package, where the department takes 500: its result is read in some ten milliseconds."""
MAX_PACKAGES: Final = 4_000
"""Under way at once; above it nothing more is taken on."""
LIFE_S: Final = 6 * 24 * 3600.0
"""How long a package is waited for: a day less than the department keeps its files."""
# Seconds between two looks, by how long ago somebody last began to wait.
_LOOKS: Final = ((1.0, 0.03), (10.0, 0.25))
_LAST_LOOK_S: Final = 1.0
_INSTANCE_BYTES: Final = 6
_COUNTER_DIGITS: Final = 8


class Desk:
    """Takes questions and gives their outcomes; belongs to one event loop."""

    def __init__(
        self,
        transport: SftpTransport,
        identity: TaxIdentity,
        now_ms: Callable[[], int],
        clock: Callable[[], float],
    ) -> None:
        # INVARIANT: no two processes draw the same, so none takes a result of another for its own.
        self._instance = secrets.token_hex(_INSTANCE_BYTES).upper()
        self._dispatcher = Dispatcher(transport, identity, now_ms, clock)
        self._looker = Looker(transport, identity, self._dispatcher, clock, self._instance)
        self._clock = clock
        self._closed = False
        self._counter = 0
        self._open: dict[Service, Package] = {}
        self._packages: dict[str, Package] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._watch: asyncio.Task[None] | None = None
        self._watchers = 0
        self._woken_at = 0.0
        self._woken = asyncio.Event()

    def ask(self, question: Question) -> Waiting:
        """Put a question into the next package of its service.

        Raises:
            DepartmentFailed: PROVIDER_UNAVAILABLE when too many are under way, or after `close`.
        """
        if self._closed:
            raise DepartmentFailed(Indeterminate.PROVIDER_UNAVAILABLE)
        package = self._open.get(question.service)
        if package is None:
            package = self._begin(question.service)
        waiting = Waiting(
            question=question, package=package, answer=asyncio.get_running_loop().create_future()
        )
        package.waiting.append(waiting)
        if len(package.waiting) >= MAX_QUESTIONS:
            # Full: the next question opens another package, and this one leaves at its own time.
            del self._open[question.service]
        return waiting

    async def wait(self, waiting: Waiting, seconds: float) -> bool:
        """Wait for an outcome for so long and return whether there is one."""
        if waiting.answer.done():
            return True
        self._watchers += 1
        self._woken_at = self._clock()
        self._woken.set()
        if self._watch is None or self._watch.done():
            self._watch = asyncio.create_task(self._look_on())
        try:
            # Not `wait_for`: the outcome is waited for by others as well, and may yet come.
            await asyncio.wait({waiting.answer}, timeout=max(0.0, seconds))
        finally:
            self._watchers -= 1
        return waiting.answer.done()

    def age(self, waiting: Waiting) -> float:
        """Return for how long the package of a question has been under way, in seconds."""
        return self._clock() - waiting.package.begun_at

    async def close(self) -> None:
        """End what is under way; nothing is taken on any more."""
        self._closed = True
        # Before the tasks end, which would call it our mistake.
        for package in self._packages.values():
            package.settle_all(DepartmentFailed(Indeterminate.PROVIDER_UNAVAILABLE))
        tasks = [*self._running, *([] if self._watch is None else [self._watch])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._packages.clear()
        self._open.clear()

    def _begin(self, service: Service) -> Package:
        self._forget_expired()
        if len(self._packages) >= MAX_PACKAGES:
            raise DepartmentFailed(Indeterminate.PROVIDER_UNAVAILABLE)
        self._counter += 1
        package = Package(
            service=service,
            tran_seq=f"{self._instance}{self._counter:0{_COUNTER_DIGITS}d}",
            begun_at=self._clock(),
        )
        self._packages[package.tran_seq] = self._open[service] = package
        task = asyncio.create_task(self._send_later(package))
        # The event loop keeps weak references only: an unheld task may vanish in the middle.
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return package

    async def _send_later(self, package: Package) -> None:
        try:
            await asyncio.sleep(WINDOW_S)
            # A full package is no longer the open one.
            if self._open.get(package.service) is package:
                del self._open[package.service]
            # Who left meanwhile is not asked about.
            package.waiting = [each for each in package.waiting if not each.left]
            if package.waiting:
                await self._dispatcher.submit(package)
        except AdapterError as failed:
            package.settle_all(failed)
        finally:
            # Also on cancellation: who waits for a package that was never dropped waits in vain.
            if package.submitted_at is None:
                self._packages.pop(package.tran_seq, None)
                package.settle_all(DepartmentFailed(Indeterminate.PROVIDER_FAULT))

    async def _look_on(self) -> None:
        """Look into the folders until nobody waits."""
        while self._watchers:
            await self._pause()
            # Of what was not dropped yet there is nothing to find; and looks that fail while it
            # cannot be dropped would count against the department as if others had asked.
            if all(each.submitted_at is None for each in self._packages.values()):
                continue
            try:
                await self._looker.look(self._packages)
            except AdapterError as failed:
                # Told to nobody: what is under way stays so, and the next look may succeed.
                _LOG.info("tax: no look into the folders: %s", failed)

    async def _pause(self) -> None:
        waited = self._clock() - self._woken_at
        pause = next((pause for until, pause in _LOOKS if waited < until), _LAST_LOOK_S)
        self._woken.clear()
        # Never without a pause, however many come: each look costs the department four lists.
        await asyncio.sleep(_LOOKS[0][1])
        try:
            async with asyncio.timeout(pause - _LOOKS[0][1]):
                await self._woken.wait()
        except TimeoutError:
            return

    def _forget_expired(self) -> None:
        # Each lives equally long, so they expire in the order they were begun.
        while self._packages:
            package = next(iter(self._packages.values()))
            if self._clock() - package.begun_at < LIFE_S:
                return
            del self._packages[package.tran_seq]
            package.settle_all(DepartmentFailed(Indeterminate.PROVIDER_TIMEOUT))
