"""What the gateway and the process that writes its log say to each other, in `gateway.frames`.

Plain tuples: `marshal` writes and reads them, and no name in a frame is ever looked up or called.
Both ends are the same release, the one started by the other: the form may change at any time.
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeAlias

from gateway.access_log.commit import Committed, TreeState
from gateway.access_log.errors import AccessLogError, AskAnswered, ChargeRefused, ClaimTaken
from gateway.access_log.merkle import TreeEdge
from gateway.access_log.proof import Proof
from gateway.access_log.rows import EntryRow

MODULE: Final = "gateway.log_process"
PACKAGE: Final = Path(__file__).parent
"""Whose form both ends must share."""
_CLAIM, _CHARGE, _ASK = "claim", "charge", "ask"


class Said(StrEnum):
    """What the process says."""

    COMMITTED = "committed"
    """Of the oldest batch: it is durable, but for those refused."""
    CLOCK = "clock"
    """Of the oldest batch: it was not written, the clock went back."""
    FAILED = "failed"
    """The storage failed: nothing is known to be durable of any batch sent so far."""
    RESUMED = "resumed"
    """The log is what the file holds, at the beginning and after a failure."""
    ENDED = "ended"
    """The process ends; for good where the file is not to be written any more."""


StateRow: TypeAlias = tuple[int, tuple[bytes, ...], tuple[bytes, ...], bytes, int]
"""Size, compact range, unfilled tiles, checkpoint, time of the newest entry."""
RefusedRow: TypeAlias = tuple[int, str, str, bytes, int]
"""Position and kind; a claim's space and value, a charge's period, counter and use, or the ask."""
Batch: TypeAlias = tuple[int, int, list[EntryRow]]
"""How many failures the gateway knows of, time in ms, entries."""
Report: TypeAlias = tuple[str, StateRow | None, list[Proof], list[RefusedRow], str, bool]
"""What is said, the tree, proofs, refusals; why it failed or ended, and whether for good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begin:
    """What the process has to know before its first batch."""

    database: str
    origin: str
    signer: str
    """Where the key lies, as the configuration says it (`KeyConfig` as JSON)."""
    form: str
    """Digest of the program, as the gateway started with it."""


BeginRow: TypeAlias = tuple[str, str, str, str, StateRow]
"""The members of `Begin`, and the tree that was told of before."""


def begin_row(begin: Begin, known: TreeState) -> BeginRow:
    """Write what comes first."""
    return (begin.database, begin.origin, begin.signer, begin.form, state_row(known))


def report(said: Said, why: str = "", *, for_good: bool = False) -> Report:
    """Write what is said without a tree."""
    return (said.value, None, [], [], why, for_good)


def state_report(state: TreeState) -> Report:
    """Say what the file holds."""
    return (Said.RESUMED.value, state_row(state), [], [], "", False)


def state_row(state: TreeState) -> StateRow:
    """Write a tree."""
    edge = state.edge
    return (edge.size, edge.nodes, edge.partial, state.checkpoint, state.timestamp_ms)


def build_state(row: StateRow) -> TreeState:
    """Return a tree."""
    size, nodes, partial, checkpoint, timestamp_ms = row
    edge = TreeEdge(size=size, nodes=nodes, partial=partial)
    return TreeState(edge=edge, checkpoint=checkpoint, timestamp_ms=timestamp_ms)


def committed_report(committed: Committed) -> Report:
    """Write what became of a batch."""
    state, proofs, refused = committed
    rows = [_refused_row(position, error) for position, error in refused.items()]
    return (Said.COMMITTED.value, state_row(state), list(proofs), rows, "", False)


def build_committed(state: TreeState, proofs: list[Proof], refused: list[RefusedRow]) -> Committed:
    """Return what became of a batch."""
    return Committed(state, proofs, dict(map(_build_refused, refused)))


def _refused_row(position: int, error: AccessLogError) -> RefusedRow:
    match error:
        case ClaimTaken():
            return (position, _CLAIM, error.space, error.existing, 0)
        case ChargeRefused():
            return (position, _CHARGE, error.period, error.counter, error.used)
        case AskAnswered():
            return (position, _ASK, "", b"", error.ask)
        case _:
            raise AssertionError  # nothing else refuses one entry of a batch


def _build_refused(row: RefusedRow) -> tuple[int, AccessLogError]:
    position, kind, text, held, number = row
    if kind == _CLAIM:
        return position, ClaimTaken(space=text, existing=held)
    if kind == _CHARGE:
        return position, ChargeRefused(counter=held, period=text, used=number)
    return position, AskAnswered(ask=number)
