"""The members of a RECORD in an answer, per operation (manual, section 3.3)."""

from base64 import b64encode
from datetime import date
from hashlib import sha256
from typing import Final

from adapters.simulators.population import Person, photo_of, public_security_record, relation
from adapters.simulators.population.draw import Draws
from adapters.simulators.population.public_security import (
    PublicSecurityRecord,
    household_no,
    housemates,
    is_deceased,
)
from adapters.simulators.public_security.package import Members

_STATES: Final = {"死亡": "1", "出国定居": "3"}
_REASONS: Final = {"死亡": "1", "出国定居": "2"}


def verify_members(person: Person, *, same_name: bool) -> Members:
    """Match codes and the mark of death; the mark stays empty for a wrong name."""
    return {
        "GMSFHM_PPDDM": "1",
        "XM_PPDDM": "1" if same_name else "0",
        "SWBS": _bit(said=is_deceased(person)) if same_name else "",
    }


def core_members(person: Person) -> Members:
    """Everything of the base query, asked for or not."""
    record = public_security_record(person)
    core = record.person_core
    return {
        "XM": core.full_name,
        "CYM": core.former_name or "",
        "XB": core.sex,
        "MZ": core.ethnicity,
        "CSRQ": _day(core.birth_date),
        "HJDZ": core.registered_address,
        "HJQH": core.registered_division,
        "RYZT": _state(person, record),
        "XP": b64encode(core.photo).decode(),
        "CSDGJDQ": "156",
        "CSDSSXQ": record.birthplace,
        "HB": "1",
        "HZXM": record.household.head_name,
        "YHZGX": record.household.relation_to_head,
        "HJQFSJ": _day(record.as_of),
        "HJQFJG": record.registration_office,
        "GXSJ": _updated(record),
    }


def household_members(person: Person, relative: Person | None, *, asked: bool) -> Members:
    """The household and, when a relative was named, what he is to the person."""
    record = public_security_record(person)
    return {
        "HH": record.household.household_no,
        "HZXM": record.household.head_name,
        "YHZGX": record.household.relation_to_head,
        "HRS": str(record.household.member_count),
        **_relative_members(person, relative, asked=asked),
        "CYXX": ",".join(record.household.member_names),
        "GXSJ": _updated(record),
    }


def cancellation_members(person: Person) -> Members:
    """Whether, when and why the registration was cancelled."""
    record = public_security_record(person)
    cancel = record.death_cancel
    return {
        "ZXBS": _bit(said=cancel.is_cancelled),
        "ZXRQ": _day(cancel.cancel_date) if cancel.cancel_date else "",
        "ZXYY": _REASONS.get(cancel.cancel_reason, "9") if cancel.cancel_reason else "",
        "SWRQ": _day(cancel.death_date) if cancel.death_date else "",
        "ZXJG": record.registration_office if cancel.is_cancelled else "",
        "GXSJ": _updated(record),
    }


def photo_members(person: Person, digest: str) -> Members | None:
    """Compare the captured portrait of this digest with the one on file; None: none was captured.

    Only verdict and score leave, never a portrait.
    """
    # Whoever stands at the counter is himself or somebody of his household: nobody else of ten
    # thousand would be looked through for a digest.
    captured = next((each for each in housemates(person) if _digest(each) == digest), None)
    if captured is None:
        return None
    drawn = Draws(seed=person.seed, scope="compare", index=person.index)
    if captured.index == person.index:
        verdict, score = "1", f"97.{drawn.below('same', 100):02d}"
    else:
        verdict, score = "0", f"{20 + drawn.below('other', 30)}.{drawn.below('part', 100):02d}"
    return {"XPZY": digest, "BDJG": verdict, "XSD": score}


def _digest(person: Person) -> str:
    return sha256(photo_of(person)).hexdigest()


def everything(person: Person) -> Members:
    """All members of all operations and what nobody should ever see (fault `every_field`)."""
    draws = Draws(seed=person.seed, scope="private", index=person.index)
    return {
        **core_members(person),
        **household_members(person, None, asked=False),
        **cancellation_members(person),
        **verify_members(person, same_name=True),
        "LXDH": f"198{draws.below('phone', 10**8):08d}",
        "ZJXY": draws.pick("belief", "甲乙丙丁"),
        "FZJL": f"PS-ALL-{person.index:08d}-{draws.number('dump'):016x}",
    }


def _relative_members(person: Person, relative: Person | None, *, asked: bool) -> Members:
    # Nobody was named, so nothing is said about anybody else.
    if not asked:
        return {"TH": "", "QSGX": ""}
    if relative is None:
        return {"TH": "9", "QSGX": "9"}
    return {
        "TH": _bit(said=household_no(person) == household_no(relative)),
        "QSGX": _bit(said=relation(person, relative) is not None),
    }


def _state(person: Person, record: PublicSecurityRecord) -> str:
    reason = record.death_cancel.cancel_reason
    if reason is not None:
        return _STATES.get(reason, "3")
    return "2" if person.moved_out else "0"


def _bit(*, said: bool) -> str:
    return "1" if said else "0"


def _day(day: date) -> str:
    return f"{day:%Y%m%d}"


def _updated(record: PublicSecurityRecord) -> str:
    return _day(record.as_of) + "030000"
