"""Faults within the dialect: answers that are well-formed and wrong."""

from collections.abc import Sequence
from typing import Final

from adapters.simulators import soap
from adapters.simulators.faults import FaultBoard
from adapters.simulators.hostile import ENTITY_BOMB, EXTERNAL_ENTITY
from adapters.simulators.public_security.envelope import NAMESPACE, PART
from adapters.simulators.public_security.faults import Fault
from adapters.simulators.public_security.package import Reply
from adapters.simulators.public_security.register import Register
from adapters.simulators.public_security.shapes import everything

OTHER_REQUEST: Final = "00000000-0000-4000-8000-000000000000"
"""The request id of an answer that belongs to somebody else."""

_NAMES: Final = frozenset({"XM", "HZXM"})

_MANDATORY: Final = frozenset({"XM_PPDDM", "CSRQ", "HH", "ZXBS", "BDJG"})
"""One member of each operation that never is empty."""

_PORTRAIT_MEMBERS: Final = {
    Fault.LOW_SCORE: {"XSD": "41.07"},
    Fault.SCORE_MISSING: {"XSD": ""},
    Fault.OTHER_PORTRAIT: {"XPZY": "0" * 64},
}
"""What stands in a comparison instead of the truth."""

_PORTRAIT_CODES: Final = {
    Fault.NO_PHOTO_ON_FILE: "17",
    Fault.TEMPLATE_UNKNOWN: "18",
    Fault.CONSENT_REFUSED: "16",
}
"""Under which code a comparison is refused."""

_HOSTILE: Final = {
    Fault.ENTITY_BOMB: ENTITY_BOMB,
    Fault.ENTITY_BOMB_INNER: ENTITY_BOMB,
    Fault.EXTERNAL_ENTITY: EXTERNAL_ENTITY,
    Fault.EXTERNAL_ENTITY_INNER: EXTERNAL_ENTITY,
}

INNER: Final = (Fault.ENTITY_BOMB_INNER, Fault.EXTERNAL_ENTITY_INNER)
OUTER: Final = (Fault.ENTITY_BOMB, Fault.EXTERNAL_ENTITY)


def distort(replies: Sequence[Reply], board: FaultBoard[Fault], register: Register) -> list[Reply]:
    """Let the faults that concern records strike."""
    distorted = list(replies)
    if board.strikes(Fault.OTHER_PERSON):
        distorted = [_other(reply, register) for reply in distorted]
    if board.strikes(Fault.EVERY_FIELD):
        distorted = [_overfull(reply, register) for reply in distorted]
    if board.strikes(Fault.PRIVATE_USE_NAME):
        distorted = [_private_use(reply) for reply in distorted]
    if board.strikes(Fault.EMPTY_MANDATORY):
        distorted = [_emptied(reply) for reply in distorted]
    distorted = _compare_badly(distorted, board)
    if board.strikes(Fault.PARTIAL_RECORDS):
        distorted = [_refused(reply, "15") if reply.number % 2 else reply for reply in distorted]
    return _reorder(distorted, board)


def hostile_package(fault: Fault) -> str:
    """Write a PACKAGE that declares entities."""
    hostile = _HOSTILE[fault]
    head = f"<PACKAGEHEAD><FWQQBH>{hostile.reference}</FWQQBH><FHDM>10</FHDM></PACKAGEHEAD>"
    return hostile.document("PACKAGE", f"<PACKAGE>{head}<DATA/></PACKAGE>")


def hostile_envelope(fault: Fault) -> bytes:
    """Write an envelope that declares entities."""
    return soap.hostile_envelope(_HOSTILE[fault], NAMESPACE, PART)


def _reorder(replies: list[Reply], board: FaultBoard[Fault]) -> list[Reply]:
    if board.strikes(Fault.OUT_OF_ORDER):
        replies = sorted(replies, key=lambda reply: -reply.number)
    if board.strikes(Fault.MISSING_RECORD):
        replies = replies[:-1]
    if board.strikes(Fault.DUPLICATE_RECORD):
        replies = [*replies, *replies[:1]]
    return replies


def _other(reply: Reply, register: Register) -> Reply:
    """Answer with what the register holds of somebody else, his number included."""
    other = register.someone_else(reply.members["GMSFHM"])
    # Only members the operation has: the answer must look right.
    theirs = everything(other)
    members = {name: theirs.get(name, value) for name, value in reply.members.items()}
    return Reply(number=reply.number, code="10", members={**members, "GMSFHM": other.id_number})


def _overfull(reply: Reply, register: Register) -> Reply:
    bearers = register.bearers(reply.members["GMSFHM"])
    if not bearers:
        return reply
    return Reply(
        number=reply.number, code=reply.code, members={**everything(bearers[0]), **reply.members}
    )


def _compare_badly(replies: list[Reply], board: FaultBoard[Fault]) -> list[Reply]:
    """Let the faults of comparisons strike; other operations do not wear them out."""
    if not any("BDJG" in reply.members for reply in replies):
        return replies
    for fault, code in _PORTRAIT_CODES.items():
        if board.strikes(fault):
            return [_refused(reply, code) for reply in replies]
    for fault, members in _PORTRAIT_MEMBERS.items():
        if board.strikes(fault):
            return [
                Reply(number=reply.number, code=reply.code, members={**reply.members, **members})
                for reply in replies
            ]
    return replies


def _private_use(reply: Reply) -> Reply:
    members = {
        name: value[:-1] + "\ue863" if name in _NAMES and value else value
        for name, value in reply.members.items()
    }
    return Reply(number=reply.number, code=reply.code, members=members)


def _emptied(reply: Reply) -> Reply:
    members = {name: "" if name in _MANDATORY else value for name, value in reply.members.items()}
    return Reply(number=reply.number, code=reply.code, members=members)


def _refused(reply: Reply, code: str) -> Reply:
    return Reply(number=reply.number, code=code, members={"GMSFHM": reply.members["GMSFHM"]})
