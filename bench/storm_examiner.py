"""Examines the log of a storm again and again, and writes down whatever is wrong with it.

Two forms. The new part: often, from where the last examination ended, with the receipts handed out
since (`bench.storm_follower`). The whole log: rarely, from its first entry, with every receipt and
every head the follower met, by `hutong.evidence` alone.
"""

import asyncio
import sqlite3
import statistics
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench.storm_follower import LogFollower
from hutong.evidence import Finding, LogKey, ProvenCheckpoint, Receipt, examine_log

KEPT: Final = 3
"""So many copies of a log that is wrong are kept; each is as large as the log."""


@dataclass(slots=True, kw_only=True)
class Storm:
    """What happened."""

    kills: int = 0
    faults: int = 0
    fault_kinds: list[str] = field(default_factory=list)
    struck: int = 0
    """Calls that were under way when a kill came."""
    interrupted: int = 0
    """Asks in the log that a kill or a fault left open, closed by the gateway itself."""
    acknowledged: int = 0
    entries: int = 0
    examined_new: int = 0
    examined_whole: int = 0
    restart_s: list[float] = field(default_factory=list)
    """From each start of a gateway to the first answer of it, after a kill."""
    resumed_s: list[float] = field(default_factory=list)
    """From each fault seen to the first answer to a question asked after it."""
    minutes: float = 0.0
    losses: list[str] = field(default_factory=list)
    """Anything here fails the run."""

    @property
    def told(self) -> str:
        """The state of the storm in one line."""
        medians = (
            f"{statistics.median(each):.1f}" if each else "-"
            for each in (self.restart_s, self.resumed_s)
        )
        return (
            f"{self.kills} kills that struck {self.struck} calls, {self.faults} faults, "
            f"{self.acknowledged:,} answers acknowledged, {self.interrupted} interrupted, "
            f"{self.entries:,} entries, {self.examined_new} examinations of the new part and "
            f"{self.examined_whole} of the whole log, {len(self.losses)} losses; answers "
            f"again after a median of {' s from the start after a kill, '.join(medians)} s after "
            "a fault"
        )


class Examiner:
    """Holds one log against the receipts acknowledged until now; findings go into the storm."""

    def __init__(self, path: Path, log_key: LogKey, storm: Storm, folder: Path) -> None:
        """Take the log, and the folder where copies of it are kept if it is wrong."""
        self._path = path
        self._log_key = log_key
        self._storm = storm
        self._folder = folder
        self._follower = LogFollower(path, log_key)
        self._met: list[ProvenCheckpoint] = []
        self._found: set[str] = set()
        self._kept = 0

    async def examine_new(self, receipts: Iterable[Receipt]) -> None:
        """Examine the entries, heads and receipts that came since the last time."""
        given = tuple(receipts)
        findings = await asyncio.to_thread(self._follower.examine, given)
        self._storm.examined_new += 1
        self._storm.acknowledged, self._storm.entries = len(given), self._follower.size
        self._storm.interrupted = self._follower.interrupted
        if self._follower.newest is not None:
            self._met.append(self._follower.newest)
        self._record(findings)

    async def examine_whole(self, receipts: Iterable[Receipt], *, ended: bool = False) -> None:
        """Examine everything from the first entry on; `ended` demands that no ask is open."""
        await self.examine_new(given := tuple(receipts))
        report = await asyncio.to_thread(
            examine_log, self._path, self._log_key, given, tuple(self._met)
        )
        self._storm.examined_whole += 1
        self._record(report.findings)
        if ended and report.unanswered:
            self._storm.losses.append(f"{len(report.unanswered)} asks were left open")

    def _record(self, findings: Sequence[Finding]) -> None:
        """Write down what is found for the first time: each examination finds it all again."""
        named = dict.fromkeys(f"{f.position} {f.reason} {f.detail}".strip() for f in findings)
        fresh = [each for each in named if each not in self._found]
        if not fresh:
            return
        when = f"after {self._storm.kills} kills, {self._storm.faults} faults"
        self._found.update(fresh)
        self._storm.losses += [f"{when}: {each}" for each in fresh]
        if self._kept < KEPT:
            self._kept += 1
            keep_log(self._path, self._folder / f"storm-{self._kept}.db")


def keep_log(database: Path, kept: Path) -> None:
    """Keep the log as it stood when something was found in it; all in it is synthetic."""
    kept.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(kept)) as copy:
        source.backup(copy)
