"""The register's records in our spelling: which member is which field (docs/adapters/commerce.md).

Knows no HTTP. Members that are not named here are dropped: the register sends identity numbers,
telephone numbers and, of what it verifies, the true values, all unasked ("多返").
INVARIANT: `out_val`, `tel` and the identity number of any legal representative or shareholder are
never read.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from adapters.effects.families import RawValue
from adapters.errors import AnswerMalformed, DepartmentFailed
from adapters.kinds.commerce.codes import (
    CHECKS,
    CURRENCY,
    ENTITY_TYPES,
    POSITIONS,
    SOLE_TRADER_TYPE,
    STATES,
    VERDICTS,
)
from adapters.mapping.dates import CHINA_TIME
from adapters.mapping.decimals import DecimalJson
from adapters.mapping.documents import require_text
from adapters.mapping.identifiers import parse_uscc
from adapters.mapping.names import is_held_name
from adapters.port import FieldName, Finding, Indeterminate, Subject
from adapters.records import RawRecord, require_subject
from signing.encoding import encode_canonical_json

Members = Mapping[str, DecimalJson]

MAX_POSITIONS: Final = 100
MAX_SHAREHOLDERS: Final = 50
"""A limited company has no more (公司法 42); the interface knows no other companies."""

# Section 3.1: below it milliseconds since 1970, from it on the digits of a second in China.
_FIRST_DIGITS: Final = 10**13
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# The catalog's amounts have four places (`dec16.4`).
_MAX_PLACES: Final = 4
# What both kinds of record call alike.
_TEXTS: Final = {
    "legal_representative": "name",
    "address": "dom",
    "business_scope": "opscope",
    "reg_authority": "regorgcn",
}


def read_enterprise(subject: Subject, record: Members) -> RawRecord:
    """Return the record of a company.

    Raises:
        AnswerMalformed: A member is absent, empty or of another form than the interface says.
        DepartmentFailed: SUBJECT_MISMATCH when it is another company's.
    """
    raw = _read_common(subject, record, code="uniscid", name="entname")
    entity_type, currency = _text(record, "enttypeCn"), _text(record, "regcapcurCn")
    if entity_type in ENTITY_TYPES:
        raw[FieldName("entity_type")] = entity_type
    capital = _amount(record, "regcap")
    # In another currency the same number is another amount.
    if currency == CURRENCY:
        raw[FieldName("registered_capital")] = capital
    if (end := _optional_day(record, "opto")) is not None:
        raw[FieldName("valid_to")] = end
    raw[FieldName("shareholders")] = tuple(
        _spell(
            inv=_text(each, "inv"),
            subconam=_amount(each, "subconam"),
            conprop=_amount(each, "conprop"),
        )
        for each in objects(record, "shareholders", at_most=MAX_SHAREHOLDERS)
    )
    return raw


def read_sole_trader(subject: Subject, record: Members) -> RawRecord:
    """Return the record of a sole trader, who has no capital, term or shareholders.

    Raises:
        AnswerMalformed: A member is absent, empty or of another form than the interface says.
        DepartmentFailed: SUBJECT_MISMATCH when it is another's.
    """
    raw = _read_common(subject, record, code="epbno", name="traname")
    raw[FieldName("entity_type")] = SOLE_TRADER_TYPE
    for name in ("valid_to", "registered_capital", "shareholders"):
        raw[FieldName(name)] = Finding.NOT_APPLICABLE
    return raw


def read_verification(subject: Subject, record: Members, asked: Mapping[str, str]) -> RawRecord:
    """Return whether what was asked (`chk_key` → value) agrees, and what of it does not.

    Raises:
        AnswerMalformed: An item that was not asked, one twice, or a verdict against its own list.
        DepartmentFailed: SUBJECT_MISMATCH when it is another company's; PROVIDER_UNPROVEN when
            it answers other values than were asked.
    """
    index = record.get("ent_idx")
    if not isinstance(index, dict):
        raise AnswerMalformed("member ent_idx is no object")
    require_subject(subject, _text(index, "uniscid"))
    # It always stands there; a record without it is not the whole answer.
    _text(record, "regstateCn")
    differing: list[str] = []
    for each in objects(record, "diff_list", at_most=len(asked)):
        key = _text(each, "chk_key")
        if key not in asked or key in differing:
            raise AnswerMalformed("a difference nobody asked about, or one twice")
        if require_text(each, "in_val") != asked[key]:
            raise DepartmentFailed(Indeterminate.PROVIDER_UNPROVEN)
        differing.append(key)
    found = Finding.NO if differing else Finding.YES
    if VERDICTS.get(_text(record, "entchk_checkrcs_msg")) is not found:
        raise AnswerMalformed("the verdict is against its own list")
    return {
        FieldName("all_match"): found,
        FieldName("mismatched_keys"): tuple(
            check.claim for key, check in CHECKS.items() if key in differing
        ),
    }


def read_positions(subject: Subject, records: Sequence[Members]) -> RawRecord:
    """Return what a person is to which entities, and whether one of them does business.

    Raises:
        AnswerMalformed: A member is absent, empty or of another form than the interface says.
        DepartmentFailed: SUBJECT_MISMATCH when any entry is another person's.
    """
    # All of them: one stranger's entry shows that the answer mixes people.
    for each in records:
        require_subject(subject, _text(each, "cerno"))
    names = [_text(each, "pname") for each in records]
    asked = subject.full_name or ""
    # Entries may be misspelt one by one; the register promises that one of them agrees.
    if not any(is_held_name(asked, name) for name in names):
        raise DepartmentFailed(Indeterminate.SUBJECT_MISMATCH)
    entries = [
        {name: _text(each, name) for name in ("uniscid", "entname", "position", "regstateCn")}
        for each in records
    ]
    for entry in entries:
        parse_uscc(entry["uniscid"])
    raw: dict[FieldName, RawValue] = {FieldName("has_active_entity"): _has_active(entries)}
    # With a word in it that nobody knows, the list could be read as something it is not.
    if all(_is_known(entry) for entry in entries):
        raw[FieldName("entity_list")] = tuple(_spell(**entry) for entry in entries)
    return raw


def objects(members: Members, name: str, *, at_most: int) -> Sequence[Members]:
    """Return a member that must be a list of objects, which may be empty.

    Raises:
        AnswerMalformed: Absent, of another type or longer.
    """
    value = members.get(name)
    if not isinstance(value, list) or len(value) > at_most:
        raise AnswerMalformed(f"member {name} is no list of at most {at_most} objects")
    found = [item for item in value if isinstance(item, dict)]
    if len(found) != len(value):
        raise AnswerMalformed(f"member {name} holds something else than objects")
    return found


def _read_common(
    subject: Subject, record: Members, *, code: str, name: str
) -> dict[FieldName, RawValue]:
    require_subject(subject, _text(record, code))
    raw: dict[FieldName, RawValue] = {
        FieldName("uscc"): subject.identifier,
        FieldName("name"): _text(record, name),
        FieldName("establish_date"): _day(record, "estdate"),
        **{FieldName(field): _text(record, member) for field, member in _TEXTS.items()},
    }
    state = STATES.get(_text(record, "regstateCn"))
    if state is not None:
        raw[FieldName("reg_state")] = state.catalog
    return raw


def _has_active(entries: Sequence[Mapping[str, str]]) -> Finding:
    findings = {
        STATES[entry["regstateCn"]].active if _is_known(entry) else Finding.ERROR
        for entry in entries
    }
    # One that does business is enough; what is not understood outweighs what is merely open.
    for telling in (Finding.YES, Finding.ERROR, Finding.INDETERMINATE):
        if telling in findings:
            return telling
    return Finding.NO


def _is_known(entry: Mapping[str, str]) -> bool:
    return entry["regstateCn"] in STATES and entry["position"] in POSITIONS


def _text(members: Members, name: str) -> str:
    """Return a text that is due: what the register does not hold it writes as null, never empty."""
    text = require_text(members, name)
    if not text:
        raise AnswerMalformed(f"member {name} is empty")
    return text


def _amount(members: Members, name: str) -> str:
    value = members.get(name)
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or value < 0:
        raise AnswerMalformed(f"member {name} is no amount")
    amount = Decimal(value)
    if amount != round(amount, _MAX_PLACES):
        raise AnswerMalformed(f"member {name} has more than four places")
    # 100, 100.0 and 100.00 are one amount, and a record has one spelling of it.
    return format(amount.normalize(), "f")


def _optional_day(members: Members, name: str) -> str | None:
    if name in members and members[name] is None:
        return None
    return _day(members, name)


def _day(members: Members, name: str) -> str:
    value = members.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise AnswerMalformed(f"member {name} is no date")
    try:
        if value < _FIRST_DIGITS:
            instant = _EPOCH + timedelta(milliseconds=value)
            return instant.astimezone(CHINA_TIME).date().isoformat()
        # The whole second: a record whose hour is 25 is not to be trusted with its day.
        second = datetime.strptime(str(value), "%Y%m%d%H%M%S").replace(tzinfo=CHINA_TIME)
    except (ValueError, OverflowError):
        raise AnswerMalformed(f"member {name} is no time of any calendar") from None  # the value
    return second.date().isoformat()


def _spell(**members: str) -> str:
    return encode_canonical_json({**members}).decode("utf-8")
