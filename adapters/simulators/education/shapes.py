"""The JSON shape of the department's records: pinyin members, more of them than were asked for."""

from datetime import date
from typing import Final

from adapters.simulators.population.draw import Draws
from adapters.simulators.population.education import Degree, Diploma, Enrolment
from adapters.simulators.population.person import Person

Members = dict[str, str]

_LEVEL_NAMES: Final = {"11": "博士研究生", "14": "硕士研究生", "21": "本科", "31": "专科"}


def diploma_members(person: Person, diploma: Diploma) -> Members:
    """Write a diploma; photo, enrolment date and more come unasked."""
    return {
        "zjhm": diploma.person_id,
        "xm": diploma.full_name,
        "zsbh": diploma.certificate_no,
        "yxdm": diploma.institution_code,
        "yxmc": diploma.institution_name,
        "zymc": diploma.major_name,
        "ccdm": diploma.education_level,
        "ccmc": _LEVEL_NAMES[diploma.education_level],
        "bxlx": diploma.education_type,
        "xxxs": diploma.study_mode,
        "rxrq": _day(diploma.enrol_date),
        "byrq": _day(diploma.graduation_date),
        "bjyjl": diploma.conclusion,
        "zp": diploma.photo,
        "xb": person.sex,
        "csrq": _day(diploma.birth_date),
        "mzdm": person.ethnicity,
        "yzm": diploma.code,
        "zt": "有效",
        "gxsj": _day(diploma.as_of) + "020000",
    }


def degree_members(person: Person, degree: Degree, *, revoked: bool) -> Members:
    """Write a degree, as revoked where it is or where a fault says so."""
    gone = degree.revoked or revoked
    return {
        "zjhm": degree.person_id,
        "xm": degree.full_name,
        "xwzsbh": degree.certificate_no,
        "xwjb": degree.degree_level,
        "xkml": degree.discipline,
        "sydwdm": degree.granting_unit_code,
        "sydw": degree.granting_unit,
        "hxwrq": _day(degree.grant_date),
        "cxbz": "1" if gone else "0",
        "cxrq": _day(degree.revoked_on or degree.as_of) if gone else "",
        "zp": degree.photo,
        "xb": person.sex,
        "csrq": _day(degree.birth_date),
        "yzm": degree.code,
        "zt": "注销" if gone else "有效",
        "gxsj": _day(degree.as_of) + "020000",
    }


def enrolment_members(enrolment: Enrolment) -> Members:
    """Write an enrolment."""
    return {
        "zjhm": enrolment.person_id,
        "xm": enrolment.full_name,
        "xxdm": enrolment.school_code,
        "xxmc": enrolment.school_name,
        "xjzt": enrolment.student_status,
        "yjbyrq": _day(enrolment.expected_graduation),
        "rxrq": _day(enrolment.enrolled),
        "xh": enrolment.student_no,
        "bjmc": enrolment.class_name,
        "zt": "有效",
        "gxsj": _day(enrolment.as_of) + "020000",
    }


def everything_else(person: Person) -> Members:
    """Write what the department holds and nobody should ever see (fault `every_field`)."""
    draws = Draws(seed=person.seed, scope="private", index=person.index)
    return {
        "sjh": f"199{draws.below('phone', 10**8):08d}",
        "jtdz": person.household.address,
        "fqxm": f"父{draws.pick('father', '甲乙丙丁戊')}{person.index}",
        "mqxm": f"母{draws.pick('mother', '甲乙丙丁戊')}{person.index}",
        "gkcj": str(380 + draws.below("exam", 330)),
        "rawDump": f"EDU-ALL-{person.index:08d}-{draws.number('dump'):016x}",
    }


def _day(day: date) -> str:
    return f"{day:%Y%m%d}"
