"""What an entry says and how it is spelled: canonical JSON by a table of members per kind.

Knows nothing of trees or storage. Sample of an entry:

    {"case":"9f…","kind":"view","node":"gw-1","system":"11370000MB2DEM0105/retirement",
     "ts":1795392000000,"v":1,"what":"log.show"}

INVARIANT: no member takes free text. Codes are printable ASCII without quote and backslash, so an
entry is its own escaping, equals RFC 8785, and cannot carry a name in Chinese by mistake.
INVARIANT: what may be sensitive is spelled `_commitment` and reaches the leaf only as a commitment.
"""

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple

from gateway.access_log.errors import EntryMalformed
from gateway.model import Committed, EntryDraft, EntryKind, EntryValue, Salted

MAX_ENTRY = 2_048
"""Bytes of an entry (INTERFACES of the log: a refusal with its receipt fits in 6 KiB)."""
SALT_LENGTH = 32
"""Bytes of the salt of a commitment."""
TIMESTAMP_DIGITS = 13
"""Decimal digits of milliseconds since 1970 from 2001 to 2286: the length is known beforehand."""

MAX_OPENED = (1 << 16) - 1
"""Bytes of a value kept in an opening: its length takes two bytes."""

_MAX_INTEGER = 2**53 - 1
_MAX_LIST = 128
_REMEMBERED = 4_096
_TEMPLATES_KEPT = 256
_PAIR = 2
_ID = re.compile(r"[0-9a-f]{32}")
_HASH = re.compile(r"[0-9a-f]{64}")
_PLAIN = re.compile(r"[ !#-\[\]-~]{1,128}")

Spelling = Callable[[EntryValue], str | None]
"""Writes a member's value as JSON, or None when it is not of this form."""


def _number(value: EntryValue) -> str | None:
    known = type(value) is int and 0 <= value <= _MAX_INTEGER
    return str(value) if known else None


# Names of fields and effects repeat from entry to entry: what was found plain is remembered.
@lru_cache(maxsize=_REMEMBERED)
def _quoted_code(value: str) -> str | None:
    return f'"{value}"' if _PLAIN.fullmatch(value) else None


def _code(value: EntryValue) -> str | None:
    return _quoted_code(value) if isinstance(value, str) else None


def _identifier(value: EntryValue) -> str | None:
    return f'"{value}"' if isinstance(value, str) and _ID.fullmatch(value) else None


def _digest(value: EntryValue) -> str | None:
    return f'"{value}"' if isinstance(value, str) and _HASH.fullmatch(value) else None


def _commitment(value: EntryValue) -> str | None:
    return f'"{value}"' if isinstance(value, str) and _HASH.fullmatch(value) else None


def _codes(value: EntryValue) -> str | None:
    if not isinstance(value, tuple) or len(value) > _MAX_LIST:
        return None
    spelled = [_code(element) for element in value]
    return None if None in spelled else f"[{','.join(filter(None, spelled))}]"


def _pairs(value: EntryValue) -> str | None:
    if not isinstance(value, tuple) or len(value) > _MAX_LIST:
        return None
    spelled = [_codes(pair) if len(pair) == _PAIR else None for pair in value]
    return None if None in spelled else f"[{','.join(filter(None, spelled))}]"


_ASKED: dict[str, Spelling] = {
    "tx": _identifier,
    "item": _number,
    "org": _code,
    "system": _code,
    "cert": _digest,
    "method": _code,
    "matter": _code,
    "basis": _number,
    "agreement": _code,
    "dataset": _code,
    "fields": _codes,
    "granted": _pairs,
    "policy": _digest,
    "key": _identifier,
    "origin_auth": _code,
    "charge": _number,
    "retries": _identifier,
    "request": _commitment,
    "subject": _commitment,
    "officer": _commitment,
    "case": _commitment,
    "rules": _commitment,
}
_SPELLINGS: dict[EntryKind, dict[str, Spelling]] = {
    EntryKind.ASK: _ASKED,
    EntryKind.ANSWER: {
        "tx": _identifier,
        "item": _number,
        "ask": _number,
        "state": _code,
        "reason": _code,
        "request": _commitment,
        "answer": _commitment,
        "relation": _commitment,
        "values": _number,
        "findings": _number,
        "withheld": _number,
        "absent": _number,
        "indeterminate": _number,
        "ms": _number,
    },
    EntryKind.REFUSE: _ASKED
    | {"reason": _code, "count": _number, "window_ms": _number, "peer": _code},
    EntryKind.VIEW: {
        "what": _code,
        "tx": _identifier,
        "org": _code,
        "system": _code,
        "officer": _commitment,
        "case": _commitment,
        "query": _commitment,
        "request": _commitment,
    },
    EntryKind.TICK: {"queue": _number, "size": _number},
}
_REQUIRED: dict[EntryKind, frozenset[str]] = {
    EntryKind.ASK: frozenset(
        ("tx", "item", "org", "system", "cert", "method", "policy", "key", "charge", "request")
    ),
    EntryKind.ANSWER: frozenset(("tx", "item", "ask", "state", "request", "ms")),
    EntryKind.REFUSE: frozenset(("reason",)),
    EntryKind.VIEW: frozenset(("what",)),
    EntryKind.TICK: frozenset(("queue", "size")),
}
_TAGS = {
    name: f"hutong/commitment/{name}/v1".encode() + b"\x00"
    for spellings in _SPELLINGS.values()
    for name, spelling in spellings.items()
    if spelling is _commitment
}
_OPENING_PREFIX = {name: bytes((len(name),)) + name.encode() for name in _TAGS}


_OWN = frozenset(("v", "kind", "ts", "node"))

_VARIED = frozenset(("tx", "retries", "ask", "ms"))
"""Members spelled anew for each entry; the others name parties, rules and small numbers."""

_Cells = Callable[[Sequence[str | None]], tuple[str | None, ...]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Template:
    """How entries of one kind with the same members are spelled."""

    fixed: tuple[str, ...]
    """Members in clear that come together again."""
    spellings: tuple[Spelling, ...]
    """How those are spelled."""
    varied: tuple[tuple[str, Spelling], ...]
    """Members in clear that do not."""
    sensitive: tuple[tuple[bytes, bytes], ...]
    """Tag of the commitment and beginning of the opening, of each member committed to."""
    forms: Mapping[str, str]
    """What stands for each member in canonical order; fixed members and the time have nothing."""
    before: _Cells
    """Picks the members before `ts`, in canonical order, from those varied and the digests."""
    after: _Cells


# Drafts of a kind come with few combinations of members: which are allowed is found out once.
@lru_cache(maxsize=_TEMPLATES_KEPT)
def _template(
    kind: EntryKind, node: str, clear: tuple[str, ...], committed: tuple[str, ...]
) -> _Template:
    spellings = _SPELLINGS.get(kind)
    if spellings is None:
        raise EntryMalformed(f"entries of kind {kind} are reserved")
    if not _OWN.isdisjoint(clear):
        raise EntryMalformed("v, kind, ts and node are the log's to write")
    names = frozenset(clear).union(committed)
    for name in committed:
        if name not in _TAGS or name in clear or committed.count(name) > 1:
            raise EntryMalformed(f"member {name} cannot be committed to")
    if not _REQUIRED[kind] <= names:
        missing = ", ".join(sorted(_REQUIRED[kind] - names))
        raise EntryMalformed(f"{kind} lacks {missing}")
    if not names <= spellings.keys():
        raise EntryMalformed(f"{kind} has a member its table does not name")
    quoted_node = _quoted_code(node)
    if quoted_node is None:
        raise EntryMalformed("member node is not of its form")
    # RFC 8785 3.2.3 sorts by UTF-16 code units: for ASCII names that is plain sorting.
    own = {"v": "1", "kind": f'"{kind.value}"', "node": quoted_node.replace("%", "%%"), "ts": ""}
    varied = [name for name in clear if name in _VARIED or spellings[name] is _commitment]
    fixed = [name for name in clear if name not in varied]
    # A digest of our own needs no look at its form, and gets its quotes here.
    slots = dict.fromkeys(varied, "%s") | dict.fromkeys(committed, '"%s"')
    forms = dict.fromkeys(clear, "") | slots | own
    return _Template(
        fixed=tuple(fixed),
        spellings=tuple(spellings[name] for name in fixed),
        varied=tuple((name, spellings[name]) for name in varied),
        sensitive=tuple((_TAGS[name], _OPENING_PREFIX[name]) for name in committed),
        forms={name: forms[name] for name in sorted(forms)},
        before=_picking([*slots], lambda name: name < "ts"),
        after=_picking([*slots], lambda name: name > "ts"),
    )


def _picking(given: Sequence[str], wanted: Callable[[str], bool]) -> _Cells:
    """Return what picks the wanted members, in canonical order, from all that are given."""
    places = [given.index(name) for name in sorted(given) if wanted(name)]
    if len(places) > 1:
        return itemgetter(*places)
    # Of less than two places an itemgetter returns no tuple.
    return lambda cells: tuple(cells[place] for place in places)


# Typed, because True is no number though it equals 1.
@lru_cache(maxsize=_REMEMBERED, typed=True)
def _texts(template: _Template, *values: EntryValue) -> tuple[str, str]:
    """Return the text up to the value of `ts` and that after it, a `%s` for each other member."""
    spelled = dict(_spell(template, values))
    texts = [
        (name, f'"{name}":{form or spelled.get(name, "").replace("%", "%%")}')
        for name, form in template.forms.items()
    ]
    before = ",".join(text for name, text in texts if name <= "ts")
    return "{" + before, "".join(f",{text}" for name, text in texts if name > "ts") + "}"


def _spell(template: _Template, values: Iterable[EntryValue]) -> Iterator[tuple[str, str]]:
    for name, spelling, value in zip(template.fixed, template.spellings, values, strict=True):
        cell = spelling(value)
        if cell is None:
            raise EntryMalformed(f"member {name} is not of its form")
        yield name, cell


class PreparedEntry(NamedTuple):
    """An entry complete but for its time."""

    head: bytes
    tail: bytes
    salted: tuple[Salted, ...]
    """What opens each commitment; the value is empty where the holder has the bytes."""
    kept_openings: bytes
    """What the side table stores: openings of members that are not detached."""

    def at(self, timestamp: bytes) -> bytes:
        """Return the bytes of the leaf; the time comes in decimal digits."""
        return self.head + timestamp + self.tail


def prepare_entry(draft: EntryDraft, node: str) -> PreparedEntry:
    """Spell a draft and commit to its sensitive members.

    Raises:
        EntryMalformed: the kind is reserved, a member is unknown, missing, given twice or not of
            its form, or the entry is longer than 2,048 bytes.
    """
    committed, members = draft.committed, draft.members
    template = _template(
        draft.kind, node, tuple(members), tuple([each.member for each in committed])
    )
    try:
        texts = _texts(template, *[members[name] for name in template.fixed])
    except TypeError:
        # from None: what has no hash is no value of a member, and that says less.
        raise EntryMalformed("a member is not of its form") from None
    cells = [spelling(members[name]) for name, spelling in template.varied]
    if None in cells:
        name = template.varied[cells.index(None)][0]
        raise EntryMalformed(f"member {name} is not of its form")
    salted, kept = _commit(committed, template.sensitive, cells)
    head = (texts[0] % template.before(cells)).encode()
    tail = (texts[1] % template.after(cells)).encode()
    if len(head) + TIMESTAMP_DIGITS + len(tail) > MAX_ENTRY:
        raise EntryMalformed(f"{draft.kind} is longer than {MAX_ENTRY} bytes")
    return PreparedEntry(head, tail, salted, kept)


def _commit(
    committed: tuple[Committed, ...],
    sensitive: tuple[tuple[bytes, bytes], ...],
    cells: list[str | None],
) -> tuple[tuple[Salted, ...], bytes]:
    """Commit to each value: its digest joins the cells, its opening is returned and stored."""
    sha256 = hashlib.sha256
    salted: list[Salted] = []
    kept = drawn = b""
    for each, (tag, prefix) in zip(committed, sensitive, strict=True):
        member, value, salt = each.member, each.value, each.salt
        if salt is None:
            # Those of the members that follow are drawn with it.
            drawn = drawn or os.urandom(SALT_LENGTH * len(committed))
            salt, drawn = drawn[:SALT_LENGTH], drawn[SALT_LENGTH:]
        elif len(salt) != SALT_LENGTH:
            raise EntryMalformed(f"member {member} cannot be committed to")
        cells.append(sha256(tag + salt + value).hexdigest())
        if each.detached:
            salted.append((member, salt, b""))
            continue
        if len(value) > MAX_OPENED:
            raise EntryMalformed(f"the value of {member} is too long to be kept")
        salted.append((member, salt, value))
        kept += b"%b%b%b%b" % (prefix, salt, len(value).to_bytes(2, "big"), value)
    return tuple(salted), kept


def parse_openings(stored: bytes) -> tuple[Salted, ...]:
    """Read openings as the side table keeps them.

    Each is the length of the member's name (1 byte), the name, 32 bytes of salt, the length of the
    value (2 bytes, big-endian) and the value.

    Raises:
        EntryMalformed: the bytes end early.
    """
    openings = []
    at = 0
    while at < len(stored):
        name_end = at + 1 + stored[at]
        value_at = name_end + SALT_LENGTH + 2
        end = value_at + int.from_bytes(stored[value_at - 2 : value_at], "big")
        if end > len(stored) or value_at > len(stored):
            raise EntryMalformed("stored openings end early")
        member = stored[at + 1 : name_end].decode("ascii")
        openings.append((member, stored[name_end : value_at - 2], stored[value_at:end]))
        at = end
    return tuple(openings)
