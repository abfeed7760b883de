"""The members of a row, per operation (manual, sections 5 and 6)."""

from datetime import date

from adapters.simulators.health.message import Row
from adapters.simulators.health.operations import Operation
from adapters.simulators.population import HealthRecord, Person, health_record
from adapters.simulators.population.draw import Draws
from adapters.simulators.population.health import CertificateState, DeathCertificate


def rows_of(operation: Operation, person: Person) -> list[Row]:
    """List what the register holds of a person, all of it, asked for or not."""
    record = health_record(person)
    if operation is Operation.DEATH:
        return [_death_row(person, record, death) for death in record.deaths]
    birth = record.birth
    if birth is None:
        return []
    members = {
        "CSYXZH": birth.certificate_no,
        "MQXM": birth.mother_name,
        "MQSFZH": birth.mother_id,
        "FQXM": birth.father_name,
        "FQSFZH": birth.father_id,
    }
    state = CertificateState.VALID
    return [{**_person(person, state), **members, **_issue(record, birth.issue_date)}]


def private_members(person: Person) -> Row:
    """What nobody should ever see (fault `every_field`)."""
    draws = Draws(seed=person.seed, scope="private", index=person.index)
    return {
        "LXDH": f"198{draws.below('phone', 10**8):08d}",
        "JTZZ": person.household.address,
        "ZDJG": draws.pick("diagnosis", ("甲类记录", "乙类记录", "丙类记录")),
        "ZYJL": f"HC-ALL-{person.index:08d}-{draws.number('dump'):016x}",
    }


def _death_row(person: Person, record: HealthRecord, death: DeathCertificate) -> Row:
    return {
        **_person(person, death.state),
        "SWRQ": _day(death.death_date),
        "SWYY": death.cause,
        "SWYYBM": death.cause_code,
        "SWZBH": death.certificate_no,
        "YZBH": death.replaces or "",
        "SWDDLB": death.place,
        "BLH": death.medical_record_no,
        "JSXM": death.informant or "",
        **_issue(record, death.issue_date),
    }


def _person(person: Person, state: CertificateState) -> Row:
    return {
        "GMSFHM": person.id_number,
        "XM": person.full_name,
        "XBDM": person.sex,
        "MZDM": person.ethnicity,
        "CSRQ": _day(person.birth_date),
        "ZMZT": state.value,
    }


def _issue(record: HealthRecord, issued: date) -> Row:
    return {
        "QFJGDM": record.issuer_code,
        "QFJGMC": record.issuer_name,
        "QFRQ": _day(issued),
        "GXSJ": _day(record.updated) + "020000",
    }


def _day(day: date) -> str:
    return f"{day:%Y%m%d}"
