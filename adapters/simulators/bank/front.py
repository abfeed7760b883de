"""One message from octets to octets: judged, answered, signed. Knows no HTTP."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from lxml import etree

from adapters.simulators.bank.callers import Caller
from adapters.simulators.bank.distortions import (
    HOSTILE,
    SIGNATURES,
    distort_rows,
    hostile_envelope,
    sign_badly,
)
from adapters.simulators.bank.envelope import (
    FRONT,
    Header,
    Message,
    build_envelope,
    parse_envelope,
    require_header,
)
from adapters.simulators.bank.faults import Fault
from adapters.simulators.bank.limits import UsedIds
from adapters.simulators.bank.queries import parse_queries, write_answers
from adapters.simulators.bank.refusals import STATUSES, Refused
from adapters.simulators.bank.register import Check, Circumstances, Query, Register
from adapters.simulators.bank.schemas import (
    REJECT,
    REJECTION,
    REPORTS,
    SSCARD_REQUEST,
    VERIFY_REQUEST,
    Definition,
    require_valid,
)
from adapters.simulators.bank.signature import Signer, require_signature, sign
from adapters.simulators.bank.verification import parse_checks, write_report
from adapters.simulators.bank.xml import nested, node, parse_xml
from adapters.simulators.faults import FaultBoard
from adapters.simulators.population.bank import AccountState
from adapters.simulators.virtual_clock import VirtualClock

if TYPE_CHECKING:
    from collections.abc import Callable

ITEMS_LIMIT: Final = 500
"""Checks or queries in one message."""
NOBODY: Final = "0" * 18
"""To whom a refusal is addressed whose caller is not known."""
OTHER_REQUEST: Final = "M" + "0" * 32
"""The request an answer of somebody else belongs to."""
SAME_ID: Final = "R" + "0" * 32
"""The identifier of every answer under the fault `duplicate_msg_id`."""

_FORCED: Final = {
    Fault.ACCOUNT_CLOSED: AccountState.CLOSED,
    Fault.ACCOUNT_BLOCKED: AccountState.FROZEN,
}


@dataclass(slots=True, kw_only=True)
class Taken:
    """How far a message was read: what a refusal can refer to."""

    message_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A message that was taken."""

    header: Header
    definition: Definition
    items: tuple[Check, ...] | tuple[Query, ...]


class Front:
    """The front of the banks."""

    def __init__(
        self,
        *,
        register: Register,
        signers: tuple[Signer, Signer],
        board: FaultBoard[Fault],
        clock: VirtualClock,
    ) -> None:
        # The second signer is a stranger, for answers nobody should believe.
        self._register, self._board, self._clock = register, board, clock
        self._signer, self._stranger = signers
        self._used = UsedIds()

    def take(self, body: bytes, caller: Caller, taken: Taken) -> Request:
        """Judge a message in the order of the manual, section 6.

        Raises:
            Refused: with the code of the first thing that is wrong.
        """
        root = parse_xml(body)
        require_valid(root)
        message = parse_envelope(root)
        taken.message_id = message.header.message_id
        if message.header.sender != caller.id:
            raise Refused("PTY01")
        require_signature(root, caller.signing_certificate)
        require_valid_document(message)
        definition = require_header(message, self._clock.now_ms())
        items = _parse_items(definition, message)
        if not self._used.use(caller.id, message.header.message_id, self._clock.now_ms()):
            raise Refused("DUP01")
        return Request(header=message.header, definition=definition, items=items)

    def answer(self, request: Request) -> bytes:
        """Answer a message that was taken, with the faults that strike."""
        board = self._board
        hostile = board.take(among=HOSTILE)
        if hostile:
            return hostile_envelope(hostile)
        header = self._header(request.header.sender, REPORTS[request.definition].name)
        related = request.header.message_id
        if board.strikes(Fault.OTHER_REQUEST):
            related = OTHER_REQUEST
        document = self._write(request, header, related)
        distort_rows(document, board)
        return self._seal(_relate(header, related), document)

    def refuse(self, code: str, caller_id: str, related: str | None) -> bytes:
        """Write the refusal of a message."""
        header = self._header(caller_id, REJECTION.name)
        rejected = nested(
            REJECT,
            "Document/Rjct",
            node(REJECT, "MsgId", header.message_id),
            node(REJECT, "CreDtTm", header.created),
            node(REJECT, "OrgnlMsgId", related) if related else None,
            node(REJECT, "Cd", code),
            node(REJECT, "Inf", STATUSES[code][1]),
        )
        envelope = build_envelope(_relate(header, related), rejected)
        return _octets(sign(envelope, self._signer))

    def _write(self, request: Request, header: Header, related: str) -> etree._Element:
        around = self._around()
        register, definition = self._register, REPORTS[request.definition]
        if request.definition is VERIFY_REQUEST:
            checks = [item for item in request.items if isinstance(item, Check)]
            checked = [register.verify(at, check, around) for at, check in enumerate(checks, 1)]
            return write_report(header, request.header, checked, related)
        cards = request.definition is SSCARD_REQUEST
        find = register.find_card_account if cards else register.find_payment
        queries = [item for item in request.items if isinstance(item, Query)]
        answers = [find(at, query, around) for at, query in enumerate(queries, 1)]
        return write_answers(definition, header, answers, related)

    def _around(self) -> Circumstances:
        board = self._board
        forced = board.take(among=tuple(_FORCED))
        return Circumstances(
            today=self._clock.local().date(),
            forced=_FORCED[forced] if forced else None,
            every_other_busy=board.strikes(Fault.ITEM_BUSY),
            no_quota=board.strikes(Fault.ITEM_QUOTA),
            other_person=board.strikes(Fault.OTHER_PERSON),
        )

    def _header(self, receiver: str, definition: str) -> Header:
        repeated = self._board.strikes(Fault.DUPLICATE_MSG_ID)
        return Header(
            sender=FRONT,
            receiver=receiver,
            message_id=SAME_ID if repeated else f"R{uuid4().hex}",
            definition=definition,
            created=_written(self._clock.local()),
            related=None,
        )

    def _seal(self, header: Header, document: etree._Element) -> bytes:
        envelope = build_envelope(header, document)
        fault = self._board.take(among=SIGNATURES)
        if fault:
            return _octets(sign_badly(fault, envelope, self._signer, self._stranger))
        return _octets(sign(envelope, self._signer))


def require_valid_document(message: Message) -> None:
    """Demand that the Document fits its schema, once it is known who wrote it."""
    require_valid(message.document)


def _parse_items(definition: Definition, message: Message) -> tuple[Check, ...] | tuple[Query, ...]:
    parse: Callable[[etree._Element, Header], tuple[Check, ...] | tuple[Query, ...]]
    parse = parse_checks if definition is VERIFY_REQUEST else parse_queries
    items = parse(message.document, message.header)
    ids = {item.id for item in items}
    if len(items) > ITEMS_LIMIT or len(ids) != len(items):
        raise Refused("LIM01")
    return items


def _relate(header: Header, related: str | None) -> Header:
    return Header(
        sender=header.sender,
        receiver=header.receiver,
        message_id=header.message_id,
        definition=header.definition,
        created=header.created,
        related=related,
    )


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


def _octets(envelope: etree._Element) -> bytes:
    return etree.tostring(envelope, encoding="UTF-8", xml_declaration=True)
