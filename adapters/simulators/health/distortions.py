"""Faults within the dialect: answers that are well-formed and wrong, or hostile."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from adapters.simulators import soap
from adapters.simulators.faults import FaultBoard
from adapters.simulators.health.envelope import NAMESPACE, PART
from adapters.simulators.health.faults import Fault
from adapters.simulators.health.message import Question, Row
from adapters.simulators.health.operations import Operation
from adapters.simulators.health.register import Register
from adapters.simulators.health.rows import private_members, rows_of
from adapters.simulators.hostile import ENTITY_BOMB, EXTERNAL_ENTITY
from adapters.simulators.population.health import CertificateState

MANY: Final = 5_000
"""Rows of an answer that is far too long: some three hundred times what is documented."""
NO_DAY: Final = "20260230"
"""Eight digits that are no day of any calendar."""

_HOSTILE: Final = {
    Fault.ENTITY_BOMB: ENTITY_BOMB,
    Fault.ENTITY_BOMB_INNER: ENTITY_BOMB,
    Fault.EXTERNAL_ENTITY: EXTERNAL_ENTITY,
    Fault.EXTERNAL_ENTITY_INNER: EXTERNAL_ENTITY,
}

INNER: Final = (Fault.ENTITY_BOMB_INNER, Fault.EXTERNAL_ENTITY_INNER)
OUTER: Final = (Fault.ENTITY_BOMB, Fault.EXTERNAL_ENTITY)

Rows = list[Row]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What an answer is about, and where others are found."""

    operation: Operation
    question: Question
    register: Register

    @property
    def strange(self) -> Rows:
        """Rows of somebody else, the certificate that stands."""
        other = self.register.someone_else(self.operation, self.question.id_number)
        return rows_of(self.operation, other)[-1:]


def distort(rows: Rows, board: FaultBoard[Fault], asked: Asked) -> Rows:
    """Let the faults that concern rows strike."""
    for fault, change in _CHANGES.items():
        if board.strikes(fault):
            rows = change(rows, asked)
    return rows


def hostile_message(fault: Fault) -> bytes:
    """Write a message that declares entities."""
    hostile = _HOSTILE[fault]
    result = f"<resultinfo><success>0</success><message>{hostile.reference}</message></resultinfo>"
    return hostile.document("MDEML", f"<MDEML>{result}<body/></MDEML>").encode()


def hostile_envelope(fault: Fault) -> bytes:
    """Write an envelope that declares entities."""
    return soap.hostile_envelope(_HOSTILE[fault], NAMESPACE, PART)


def spoil_base64(answer: str) -> str:
    """Put a character of no alphabet into the middle, where a lenient reader drops it."""
    middle = len(answer) // 2
    return f"{answer[:middle]}*{answer[middle:]}"


def _add_older(rows: Rows, _asked: Asked) -> Rows:
    """Add a certificate the one that stands has replaced; it comes last."""
    return [*rows, *(_another(row, CertificateState.REPLACED) for row in rows[-1:])]


def _add_valid(rows: Rows, _asked: Asked) -> Rows:
    return [*rows, *(_another(row, CertificateState.VALID) for row in rows[-1:])]


def _another(row: Row, state: CertificateState) -> Row:
    days = {"SWRQ": _day_before(row["SWRQ"])} if "SWRQ" in row else {}
    return {**row, **days, "ZMZT": state.value}


def _void(rows: Rows, _asked: Asked) -> Rows:
    return [{**row, "ZMZT": CertificateState.VOID.value} for row in rows]


def _misdate(rows: Rows, _asked: Asked) -> Rows:
    return [{**row, "SWRQ" if "SWRQ" in row else "CSRQ": NO_DAY} for row in rows]


def _replace(_rows: Rows, asked: Asked) -> Rows:
    return asked.strange


def _mix(rows: Rows, asked: Asked) -> Rows:
    return [*rows, *asked.strange]


def _multiply(_rows: Rows, asked: Asked) -> Rows:
    # Under the name asked about, so that nobody can refuse the rows as another person's.
    own = {"GMSFHM": asked.question.id_number, "XM": asked.question.full_name}
    return [{**row, **own} for row in asked.strange] * MANY


def _overfill(rows: Rows, asked: Asked) -> Rows:
    private = private_members(asked.register.bearer(asked.question))
    return [{**row, **private} for row in rows]


def _day_before(day: str) -> str:
    return f"{datetime.strptime(day, '%Y%m%d') - timedelta(days=1):%Y%m%d}"  # noqa: DTZ007 - a day has no zone


_CHANGES: Final[dict[Fault, Callable[[Rows, Asked], Rows]]] = {
    Fault.SEVERAL_ROWS: _add_older,
    Fault.TWO_VALID_ROWS: _add_valid,
    Fault.ONLY_VOID: _void,
    Fault.BAD_DATE: _misdate,
    Fault.OTHER_PERSON: _replace,
    Fault.MIXED_PERSONS: _mix,
    Fault.MANY_ROWS: _multiply,
    Fault.EVERY_FIELD: _overfill,
}
"""In this order, when several are switched on."""
