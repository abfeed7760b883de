"""The lines of the department's registers, for both faces: column or member → value."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Final

from adapters.simulators.form_signing import Members
from adapters.simulators.population.civil_affairs import (
    AdoptionChild,
    Assistance,
    CivilAffairsRecord,
    Cremation,
)
from adapters.simulators.population.household import Household
from adapters.simulators.population.marriages import (
    Operation,
    Registration,
    Side,
    marital_status,
    registrations_of,
)

Cell = str | int | date | datetime | Decimal | None

NIGHTLY: Final = time(2)
"""When the nightly batch stamps its lines, all alike."""

DESCRIPTIONS: Final = {
    Operation.MARRIAGE: "结婚登记",
    Operation.DIVORCE: "离婚登记",
    Operation.MARRIAGE_REISSUED: "补领结婚登记证",
    Operation.DIVORCE_REISSUED: "补领离婚登记证",
    Operation.ANNULMENT: "撤销婚姻登记",
}
_CREMATION_NAMES: Final = (
    "name",
    "id_card",
    "sex",
    "death_time",
    "cremation_time",
    "facility",
    "address",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a register: the common columns and those of the business, in their order."""

    biz_id: str
    upd_time: datetime
    dept_code: str
    business: dict[str, Cell]


def marriage_lines(home: Household, as_of: date) -> Iterator[tuple[Registration, Line]]:
    """Write the registrations of a household, oldest first."""
    lines = registrations_of(home)
    for number, line in enumerate(lines):
        business = _marriage(line)
        for suffix, side in (("man", line.man), ("woman", line.woman)):
            own = tuple(each for each in lines if each.names(side.id_number))
            business[f"marry_status_{suffix}"] = marital_status(own, side.id_number)
        biz_id = f"HY{home.place.division}{home.number:08d}{number}"
        yield line, _line(biz_id, as_of, line.office_code, business)


def cremation_lines(record: CivilAffairsRecord, key: str) -> Iterator[Line]:
    """Write the cremation of a person."""
    if (found := record.cremation) is not None:
        yield _line(f"HH{key}", record.as_of, found.office_code, _cremation(found))


def assistance_lines(record: CivilAffairsRecord, key: str) -> Iterator[Line]:
    """Write the assistance of a person."""
    if (found := record.assistance) is not None:
        yield _line(f"JZ{key}", record.as_of, found.office_code, _assistance(found))


def child_lines(record: CivilAffairsRecord, key: str) -> Iterator[Line]:
    """Write adoption or need of a child, oldest first."""
    for number, found in enumerate(record.adoption_child):
        yield _line(f"ET{key}{number}", record.as_of, found.office_code, _child(found))


def to_members(line: Line) -> Members:
    """Write a line as members of the REST face: texts only, nothing is the empty text."""
    business = {name: to_text(value) for name, value in line.business.items()}
    common = {"biz_id": line.biz_id, "dept_code": line.dept_code}
    return {**business, **common, "upd_time": to_text(line.upd_time)}


def to_text(value: Cell) -> str:
    """Write one value as text."""
    match value:
        case None:
            return ""
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S}"
        case date():
            return value.isoformat()
        case _:
            return str(value)


def cremation_members(members: Members) -> Members:
    """Spell the old member names in capitals, as the real service does."""
    return {
        (name.upper() if name in _CREMATION_NAMES else name): value
        for name, value in members.items()
    }


def needy_members(members: Members) -> Members:
    """Rename the child's members as the service for needy children does."""
    renamed = {
        "baby_name": "child_name",
        "baby_cert_num": "child_idcard",
        "baby_sex": "child_sex",
        "baby_birth": "child_birth",
    }
    return {renamed.get(name, name): value for name, value in members.items()}


def _line(biz_id: str, as_of: date, dept_code: str, business: dict[str, Cell]) -> Line:
    # A whole night carries one stamp, so pollers must not rely on the time alone.
    stamp = datetime.combine(as_of, NIGHTLY)
    return Line(biz_id=biz_id, upd_time=stamp, dept_code=dept_code, business=business)


def _marriage(line: Registration) -> dict[str, Cell]:
    man, woman = line.man, line.woman
    return {
        "cert_no": line.certificate_no,
        "op_type": line.operation.value,
        "op_type_desc": DESCRIPTIONS[line.operation],
        "op_date": line.op_date,
        **_side("man", man),
        **_side("woman", woman),
        "address": line.address,
        "dept_name": line.office_name,
        "reg_state": "1" if line.in_force else "0",
    }


def _side(suffix: str, side: Side) -> dict[str, Cell]:
    return {
        f"name_{suffix}": side.full_name,
        f"cert_num_{suffix}": side.stored_number,
        f"nation_{suffix}": "156",
        f"folk_{suffix}": side.ethnicity,
        f"birth_{suffix}": side.birth_date,
    }


def _cremation(found: Cremation) -> dict[str, Cell]:
    return {
        "name": found.full_name,
        "id_card": found.person_id,
        "sex": found.sex,
        "death_time": found.death_time,
        "cremation_time": found.cremation_time,
        "facility": found.facility,
        "address": found.home_address,
        "handler_name": found.handler_name,
        "handler_phone": found.handler_phone,
    }


def _assistance(found: Assistance) -> dict[str, Cell]:
    return {
        "name": found.full_name,
        "id_card": found.person_id,
        "category": found.category_code,
        "valid_from": found.valid_from,
        "valid_to": found.valid_to,
        "assist_state": found.state,
        "monthly_amount": Decimal(found.monthly_amount),
        "family_no": found.family_no,
        "family_size": found.family_size,
        "address": found.home_address,
    }


def _child(found: AdoptionChild) -> dict[str, Cell]:
    man, woman = found.parents
    return {
        "child_type": found.child_type,
        "baby_name": found.full_name,
        "baby_cert_num": found.person_id,
        "baby_sex": found.sex,
        "baby_birth": found.birth_date,
        "adopt_no": found.adoption_no,
        "adopt_name_man": man[0] if man else None,
        "adopt_cert_num_man": man[1] if man else None,
        "adopt_name_woman": woman[0] if woman else None,
        "adopt_cert_num_woman": woman[1] if woman else None,
        "op_type": found.op_type,
        "op_date": found.op_date,
        "guardian_name": found.guardian_name,
    }
