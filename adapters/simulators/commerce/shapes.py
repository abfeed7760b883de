"""The JSON shapes of the department's records, with more in them than was asked for."""

from datetime import date, datetime, time
from typing import Final

from adapters.simulators.commerce.questions import CHECKS, Question
from adapters.simulators.commerce.refusals import Json, Members
from adapters.simulators.population.commerce import EnterpriseRecord, Position, Shareholder
from adapters.simulators.population.names import DOT, DOT_VARIANTS
from adapters.simulators.virtual_clock import BEIJING

EPOCH_BELOW: Final = 10**13
"""Numbers below are milliseconds, others fourteen digits (manual, section 3.1)."""

DATE_MEMBERS: Final = frozenset({"estdate", "apprdate", "opfrom", "opto", "occurred"})

_YUAN: Final = 10_000
"""Yuan in a unit of capital."""


def enterprise_members(record: EnterpriseRecord) -> Members:
    """Write a company; number, phone and shareholders come unasked."""
    ends = record.valid_to
    return {
        "uniscid": record.uscc,
        "regno": record.register_no,
        "entname": record.name,
        "enttypeCn": record.entity_type,
        "dom": record.address,
        "name": record.legal_representative,
        "cerno": record.legal_rep_id,
        "tel": record.phone,
        "opfrom": _day(record, record.establish_date),
        "opto": _day(record, ends) if ends else None,
        "estdate": _day(record, record.establish_date),
        "apprdate": compact(record.approved),
        "opscope": record.business_scope,
        "regcap": _in_units(record.registered_capital, _YUAN),
        "regcapcurCn": "人民币",
        "regorgcn": record.reg_authority,
        "regstateCn": record.state.value,
        "shareholders": [_shareholder(entry) for entry in record.shareholders],
    }


def trader_members(record: EnterpriseRecord) -> Members:
    """Write a sole trader."""
    return {
        "epbno": record.uscc,
        "traname": record.name,
        "name": record.legal_representative,
        "cerno": record.legal_rep_id,
        "tel": record.phone,
        "dom": record.address,
        "opscope": record.business_scope,
        "regorgcn": record.reg_authority,
        "regstateCn": record.state.value,
        "estdate": _day(record, record.establish_date),
        "apprdate": compact(record.approved),
    }


def position_members(position: Position, id_number: str) -> Members:
    """Write what a person is to an enterprise."""
    record = position.enterprise
    amount, share = position.yuan, position.hundredths
    return {
        "cerno": id_number,
        "pname": position.person_name,
        "position": position.position,
        "uniscid": record.uscc,
        "entname": record.name,
        "enttypeCn": record.entity_type,
        "regstateCn": record.state.value,
        "estdate": _day(record, record.establish_date),
        "subconam": None if amount is None else _in_units(amount, _YUAN),
        "conprop": None if share is None else _in_units(share, 100),
        "tel": record.phone,
    }


def verification_members(
    record: EnterpriseRecord, question: Question, *, leak: bool = False
) -> Members:
    """Compare what was declared; `leak` lists what agrees or was not asked, too."""
    held = _held(record)
    asked = [key for key in CHECKS if key in question]
    wrong = [key for key in asked if not _agrees(key, question[key], held[key])]
    differences: list[Json] = [
        {"chk_key": key, "in_val": question.get(key, ""), "out_val": held[key]}
        for key in (CHECKS if leak else wrong)
    ]
    return {
        "ent_idx": {
            "uniscid": record.uscc,
            "regno": record.register_no,
            "entname": record.name,
        },
        "regstateCn": record.state.value,
        "entchk_checkrcs_msg": "不一致" if wrong else "一致",
        "diff_list": differences,
    }


def same_name(asked: str, held: str) -> bool:
    """Compare names; the five code points of the middle dot are one."""
    return _one_dot(asked) == _one_dot(held)


def compact(at: datetime) -> int:
    """Write a time as fourteen digits."""
    return int(f"{at:%Y%m%d%H%M%S}")


def swap_date(written: int) -> int:
    """Write a date in the other of the two ways."""
    if written < EPOCH_BELOW:
        return compact(datetime.fromtimestamp(written / 1000, BEIJING))
    at = datetime.strptime(str(written), "%Y%m%d%H%M%S").replace(tzinfo=BEIJING)
    return int(at.timestamp() * 1000)


def _day(record: EnterpriseRecord, day: date) -> int:
    midnight = datetime.combine(day, time(), BEIJING)
    # What came over from the old register was never converted.
    return compact(midnight) if record.old_register else int(midnight.timestamp() * 1000)


def _in_units(amount: int, unit: int) -> int | float:
    return amount / unit if amount % unit else amount // unit


def _shareholder(entry: Shareholder) -> dict[str, Json]:
    return {
        "inv": entry.name,
        "certype": "10",
        "cerno": entry.id_number,
        "subconam": _in_units(entry.yuan, _YUAN),
        "conprop": _in_units(entry.hundredths, 100),
    }


def _held(record: EnterpriseRecord) -> dict[str, str]:
    return {
        "entname": record.name,
        "name": record.legal_representative,
        "cerno": record.legal_rep_id,
        "dom": record.address,
        "regcap": str(_in_units(record.registered_capital, _YUAN)),
        "estdate": f"{record.establish_date:%Y%m%d}",
    }


def _agrees(key: str, declared: str, held: str) -> bool:
    if key == "regcap":
        # 100 and 100.0 are one amount.
        return _yuan(declared) == _yuan(held)
    return same_name(declared, held) if key == "name" else declared == held


def _yuan(text: str) -> int:
    whole, _, part = text.partition(".")
    return int(whole) * _YUAN + int(part.ljust(4, "0"))


def _one_dot(name: str) -> str:
    for variant in DOT_VARIANTS:
        name = name.replace(variant, DOT)
    return name
