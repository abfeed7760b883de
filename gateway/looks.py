"""Looks of the operator's own officers into the access log: who looks, for which case, at what.

Knows no socket and no command line: the serving gateway and `hutong log show` without one both
come here, so that a look is the same entry and the same page either way.
INVARIANT: a question that is out of form is refused before its look is logged; every other one is
logged before anything is read.
"""

import asyncio
import json
import re
from dataclasses import dataclass, field, replace
from typing import Final

from adapters.port import SubjectType
from gateway.access_log.epochs import EpochKeys
from gateway.access_log.log import AccessLog
from gateway.access_log.search import (
    MAX_FOUND,
    CaseQuery,
    Found,
    Look,
    Query,
    SubjectQuery,
)
from gateway.clock import Clock
from gateway.errors import Refusal
from gateway.statement.identifiers import normalised_identifier
from hutong.evidence.receipt import Receipt
from hutong.evidence.receipt_file import encode_receipt
from signing.encoding import JsonLimits, JsonValue, parse_json_strict
from signing.errors import Malformed

WHAT: Final = "log.show"
MAX_QUESTION: Final = 4_096
"""Bytes of a question as the socket carries it: eight short members."""
NEWEST: Final = 2**53 - 1
"""Above every index: where a search begins that names none."""

ORGANISATION = re.compile(r"[0-9A-HJ-NP-RTUW-Y]{18}", re.ASCII)
"""GB 32100-2015 4.1; its check character is not enforced, some lawful codes fail it."""
_NUMBER = re.compile(r"[!-~]{1,64}", re.ASCII)
"""What a case number may be in a signed question: any other was never asked under."""
_OFFICER = re.compile(r"[^\x00-\x1f\x7f]{1,100}")
_NAMES: Final = frozenset(
    {"officer", "for_case", "org", "case", "subject", "subject_type", "before", "limit"}
)


class LookMalformed(Exception):
    """A question about the log is out of form; the text is for people, in two languages."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(f"{zh}\n{en}")


@dataclass(frozen=True, slots=True, kw_only=True)
class LookRequest:
    """Who looks, for which case of his own, and at what: a case (`org`, `case`) or a subject."""

    officer: str = field(repr=False)
    for_case: str = field(repr=False)
    org: str = ""
    case: str = field(default="", repr=False)
    subject: str = field(default="", repr=False)
    subject_type: str = SubjectType.RESIDENT_ID
    before: int = NEWEST
    """Only entries below this index: the next page of an earlier look."""
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What one look showed, newest first, proven under one checkpoint."""

    view: int
    """Index of the entry that records this look."""
    receipts: tuple[Receipt, ...] = field(repr=False)
    next_before: int | None
    """Where the next page begins; None when nothing is left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """Looks into one log on behalf of the system that keeps it."""

    log: AccessLog
    keys: EpochKeys
    system_id: str
    clock: Clock

    async def show(self, request: LookRequest) -> Page:
        """Log a look, then look.

        Raises:
            LookMalformed: the question is out of form; nothing was logged.
            LogUnavailable: the look could not be logged, so it did not happen.
            Fault: CLOCK_BACKWARDS: the same.
        """
        now_ms = self.clock.now_ms()
        asked = require_look(request, now_ms)
        own = self.system_id.partition("/")[0]
        look = Look(
            what=WHAT,
            org=own,
            system=self.system_id,
            officer=self.keys.token("officer", f"{own}/{asked.officer}", now_ms),
            case=self.keys.token("case", f"{own}/{asked.for_case}", now_ms),
        )
        permit = await self.log.view(look, self._query(asked))
        found = await self.log.search(permit)
        receipts = await asyncio.to_thread(self._receipts, found)
        more = len(found) == asked.limit and found[-1].index > 0
        return Page(
            view=permit.logged.index,
            receipts=receipts,
            next_before=found[-1].index if more else None,
        )

    def _query(self, asked: LookRequest) -> Query:
        if asked.subject:
            return SubjectQuery(
                tokens=self.keys.tokens(asked.subject_type, asked.subject),
                before=asked.before,
                limit=asked.limit,
            )
        return CaseQuery(
            org=asked.org,
            tokens=self.keys.tokens("case", f"{asked.org}/{asked.case}"),
            before=asked.before,
            limit=asked.limit,
        )

    def _receipts(self, found: tuple[Found, ...]) -> tuple[Receipt, ...]:
        """Prove what was found; openings stay here, because they hold tokens."""
        checkpoint = self.log.checkpoint
        size = int(checkpoint.split(b"\n", 2)[1])
        return tuple(
            Receipt(
                entry=each.entry,
                index=each.index,
                inclusion_proof=self.log.inclusion_proof(each.index, size),
                checkpoint=checkpoint,
            )
            for each in found
            # Read before its commit was told: younger than this look, and no part of it.
            if each.index < size
        )


def require_look(request: LookRequest, now_ms: int) -> LookRequest:
    """Return a question in normal form, so that no typing error reads as "nobody asked".

    Raises:
        LookMalformed: names what is out of form, and repeats nothing of it.
    """
    _require(
        "缺少查看人，或其标识不合格式",
        "the officer who looks is missing or out of form",
        holds=_OFFICER.fullmatch(request.officer) is not None,
    )
    _require(
        "缺少本次查看所属的办件号，或其格式不对",
        "the number of the case this look is for is missing or out of form",
        holds=_NUMBER.fullmatch(request.for_case) is not None,
    )
    _require(
        f"条数须在 1 至 {MAX_FOUND} 之间，起点不得为负",
        f"the limit is from 1 to {MAX_FOUND}, and the index to begin below is not negative",
        holds=1 <= request.limit <= MAX_FOUND and 0 <= request.before <= NEWEST,
    )
    by_case = bool(request.org and request.case)
    _require(
        "请给出机构与办件号，或者给出数据主体，二者取一",
        "give an organisation and a case, or a subject",
        holds=by_case != bool(request.subject) and (by_case or not (request.org or request.case)),
    )
    return _normal_case(request) if by_case else _normal_subject(request, now_ms)


def _normal_case(request: LookRequest) -> LookRequest:
    org = request.org.upper()
    _require(
        "机构须为 18 位统一社会信用代码",
        "the organisation is no unified social credit code of 18 characters",
        holds=ORGANISATION.fullmatch(org) is not None,
    )
    _require(
        "办件号格式不对：1 至 64 个可打印的 ASCII 字符",
        "the case number is out of form: 1 to 64 printable ASCII characters",
        holds=_NUMBER.fullmatch(request.case) is not None,
    )
    return replace(request, org=org)


def _normal_subject(request: LookRequest, now_ms: int) -> LookRequest:
    try:
        kind = SubjectType(request.subject_type)
        subject = normalised_identifier(kind, request.subject.upper(), now_ms)
    except (ValueError, Refusal):
        # from None: a cause could repeat what was typed, which may be somebody's number.
        raise LookMalformed(
            "数据主体的证件号码不合格式，或校验位不对",
            "the identifier of the subject is out of form, or its check character is wrong",
        ) from None
    return replace(request, subject=subject)


def parse_look(content: bytes) -> LookRequest:
    """Read a question as the socket carries it, the inverse of `encode_look`.

    Raises:
        LookMalformed: not a JSON object of exactly these names and types.
    """
    try:
        members = parse_json_strict(content, JsonLimits(max_bytes=MAX_QUESTION))
    except Malformed:
        # from None: the cause could repeat what was asked.
        raise _unreadable() from None
    if not isinstance(members, dict) or members.keys() != _NAMES:
        raise _unreadable()
    texts = {name: value for name, value in members.items() if isinstance(value, str)}
    before, limit = members["before"], members["limit"]
    # A truth value is an integer to Python, and no index to anybody else.
    if type(before) is not int or type(limit) is not int or len(texts) != len(_NAMES) - 2:
        raise _unreadable()
    return LookRequest(**texts, before=before, limit=limit)


def encode_look(request: LookRequest) -> bytes:
    """Write a question for the socket."""
    return json.dumps({name: getattr(request, name) for name in sorted(_NAMES)}).encode()


def page_json(page: Page) -> dict[str, JsonValue]:
    """Return a page for machines: each entry readable, and as a receipt file of its own."""
    entries: list[JsonValue] = [
        {
            "index": each.index,
            "entry": json.loads(each.entry),
            "receipt": json.loads(encode_receipt(each)),
        }
        for each in page.receipts
    ]
    return {"view": page.view, "next_before": page.next_before, "entries": entries}


def _unreadable() -> LookMalformed:
    return LookMalformed("查看请求无法读取", "the question about the log cannot be read")


def _require(zh: str, en: str, *, holds: bool) -> None:
    if not holds:
        raise LookMalformed(zh, en)
