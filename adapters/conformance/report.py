"""What an examination found, case by case, and what follows from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import Final

from adapters.conformance.deviations import Found, Weight
from adapters.conformance.explained import EXPLAINED


@unique
class Case(StrEnum):
    """What is tried."""

    HEALTH = "health"
    KNOWN = "known"
    UNKNOWN = "unknown"
    OTHER_NAME = "other_name"
    FIFTEEN_DIGITS = "fifteen_digits"
    TWO_PEOPLE = "two_people"
    REPEATED = "repeated"
    TOGETHER = "together"
    SURPLUS = "surplus"
    CREDENTIAL = "credential"


TITLES: Final[dict[Case, tuple[str, str]]] = {
    Case.HEALTH: ("健康检查", "health check"),
    Case.KNOWN: (
        "在册的人：数据项齐全，合目录类型",
        "somebody on record: every field, in its type",
    ),
    Case.UNKNOWN: ("不在册的人：查无", "somebody not on record: not found"),
    Case.OTHER_NAME: ("姓名不符：不给数据", "another name: no data"),
    Case.FIFTEEN_DIGITS: ("库中是 15 位号码：同一人", "15 digits on record: the same person"),
    Case.TWO_PEOPLE: (
        "一号两人：分得清或说明分不清",
        "two people of one number: told apart, or said",
    ),
    Case.REPEATED: ("同一问题再问：答复相同", "the same question again: the same answer"),
    Case.TOGETHER: ("几人同时问：各得其答", "several at once: each his own answer"),
    Case.SURPLUS: ("多返的成员", "members nobody asked for"),
    Case.CREDENTIAL: ("错误的密钥或口令：拒绝", "a wrong key or password: refused"),
}


@unique
class State(StrEnum):
    """How a case went."""

    PASSED = "passed"
    WARNED = "warned"
    UNTOLD = "untold"
    FAILED = "failed"
    SKIPPED = "skipped"


@unique
class Conclusion(StrEnum):
    """What follows from all cases."""

    PASSED = "passed"
    FAILED = "failed"
    UNTOLD = "untold"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One case as it went."""

    case: Case
    about: str = ""
    """Dataset and place in the sample, or a setting of the section; nobody's number or name."""
    found: Sequence[Found] = ()
    took_ms: int = 0
    skipped: bool = False

    @property
    def state(self) -> State:
        """The heaviest of what was found."""
        if self.skipped:
            return State.SKIPPED
        weights = {EXPLAINED[each.code].weight for each in self.found}
        for weight, state in _STATES:
            if weight in weights:
                return state
        return State.PASSED


_STATES: Final = (
    (Weight.FAILS, State.FAILED),
    (Weight.UNTOLD, State.UNTOLD),
    (Weight.WARNS, State.WARNED),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All cases, in the order they were tried."""

    kind: str
    tried: Sequence[Tried]

    @property
    def conclusion(self) -> Conclusion:
        """FAILED where anything fails; UNTOLD where something was not seen; else PASSED."""
        states = {each.state for each in self.tried}
        if State.FAILED in states:
            return Conclusion.FAILED
        return Conclusion.UNTOLD if State.UNTOLD in states else Conclusion.PASSED
