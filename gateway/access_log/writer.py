"""The one writer where the log has no process of its own: a thread that commits what queued.

Knows nothing of what entries mean.
INVARIANT: a caller is told of success only after COMMIT returned; of everything else it is told
that nothing is known to be durable.
"""

import sqlite3
import threading
from collections.abc import Sequence
from typing import Final

from gateway.access_log.commit import Committed, Committer, entry_row, storage_failed
from gateway.access_log.errors import ClockBackwards, LogCorrupted, LogRefused
from gateway.access_log.intake import Intake, Outcome, Waiting, settle
from gateway.clock import Clock
from gateway.errors import Fault
from gateway.model import Logged

CLOSED: Final = "the log is closed"
"""What a log says that was ended as it should be."""


class LogWriter:
    """Owns the committer; everything that writes goes through its intake."""

    __slots__ = ("_clock", "_committer", "_thread", "intake", "state")

    def __init__(self, committer: Committer, intake: Intake, clock: Clock) -> None:
        self._committer = committer
        self._clock = clock
        self._thread = threading.Thread(target=self._run, name="access-log", daemon=True)
        self.intake = intake
        self.state = committer.state
        clock.raise_floor(self.state.timestamp_ms)
        intake.resume()
        self._thread.start()

    def close(self) -> None:
        """Write what is queued, then end."""
        self.intake.close()
        self._thread.join()
        self._committer.close()

    def _run(self) -> None:
        why = "the writer ended by a fault of its own"
        try:
            while batch := self.intake.take():
                self._write(batch)
            why = self.intake.stopped or CLOSED
        except (LogCorrupted, LogRefused) as refused:
            why = str(refused)
        finally:
            # Whatever ended the writer, a MemoryError too, may have left the last batch untold.
            self.intake.stop(why)

    def _write(self, batch: Sequence[Waiting]) -> None:
        try:
            now_ms = read_time(self._clock)
            rows = [entry_row(waiting.draft, waiting.prepared) for waiting in batch]
            committed = self._committer.commit(rows, now_ms)
        except ClockBackwards:
            settle((waiting, ClockBackwards()) for waiting in batch)
        except (sqlite3.Error, OSError) as fault:
            self.intake.stop(storage_failed(type(fault).__name__))
            self._recover()
        except LogRefused as refused:
            self.intake.stop(storage_failed(type(refused).__name__))
            raise
        else:
            self.state = committed.state
            self._clock.raise_floor(self.state.timestamp_ms)
            settle(zip(batch, outcomes(batch, committed), strict=True))

    def _recover(self) -> None:
        if self._committer.recover(self.intake.pause):
            self.state = self._committer.state
            self.intake.resume()


def read_time(clock: Clock) -> int:
    """Return the time of the next entries.

    Raises:
        ClockBackwards: the clock lies further back than may be smoothed over.
    """
    try:
        return clock.now_ms()
    except Fault as fault:
        raise ClockBackwards from fault


def outcomes(batch: Sequence[Waiting], committed: Committed) -> list[Outcome]:
    """Return what each who waits is to be told."""
    state, proofs, refused = committed
    if len(proofs) + len(refused) != len(batch):
        raise AssertionError  # else somebody would be told of another's entry
    timestamp = b"%d" % state.timestamp_ms
    admitted = zip(range(state.edge.size - len(proofs), state.edge.size), proofs, strict=True)
    told: list[Outcome] = []
    for position, waiting in enumerate(batch):
        if position in refused:
            told.append(refused[position])
            continue
        (index, proof), prepared = next(admitted), waiting.prepared
        told.append(
            Logged(
                index=index,
                entry=prepared.at(timestamp),
                proof=proof,
                checkpoint=state.checkpoint,
                salted=prepared.salted,
            )
        )
    return told
