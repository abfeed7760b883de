"""The education department's view of a person: edu.diploma, edu.degree, edu.enrolment.

Field names are those of the catalog. What this department writes differently from the population
register (an old number, another dot, a misspelt name) is applied here.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from adapters.simulators.population.disagreements import Disagreement
from adapters.simulators.population.identity import old_form
from adapters.simulators.population.names import variant_of, with_dot
from adapters.simulators.population.people import disagreement
from adapters.simulators.population.person import AS_OF, Person
from adapters.simulators.population.photo import school_photo_of
from adapters.simulators.population.quirks import Quirk
from adapters.simulators.population.schooling import Schooling, Study, schooling_of, studies_of

# Level of the number → GB/T 4658: doctor, master, bachelor, college graduated.
_EDUCATION_LEVELS: Final = {"01": "11", "02": "14", "05": "21", "06": "31"}

DOTS: Final = {
    Quirk.NAME_DOT_2022: "\u2022",
    Quirk.NAME_DOT_2027: "\u2027",
    Quirk.NAME_DOT_30FB: "\u30fb",
}
"""How departments but the police spell the dot of these people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diploma:
    """A record of edu.diploma, with the online verification code and the day it ends."""

    person_id: str
    full_name: str
    certificate_no: str
    institution_code: str
    institution_name: str
    major_name: str
    education_level: str
    education_type: str
    study_mode: str
    enrol_date: date
    graduation_date: date
    conclusion: str
    photo: str
    verified: bool
    code: str
    code_until: date
    birth_date: date
    as_of: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Degree:
    """A record of edu.degree."""

    person_id: str
    full_name: str
    certificate_no: str
    degree_level: str
    discipline: str
    granting_unit: str
    granting_unit_code: str
    grant_date: date
    revoked: bool
    revoked_on: date | None
    verified: bool
    photo: str
    code: str
    code_until: date
    birth_date: date
    as_of: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """A record of edu.enrolment."""

    person_id: str
    full_name: str
    school_name: str
    school_code: str
    student_status: str
    expected_graduation: date
    is_enrolled: bool
    enrolled: date
    student_no: str
    class_name: str
    as_of: date


@dataclass(frozen=True, slots=True, kw_only=True)
class EducationRecord:
    """What the education department holds of one person."""

    diploma: Diploma | None
    degree: Degree | None
    enrolment: Enrolment | None
    """Where he studies now, or what he finished of late."""
    enrolments: tuple[Enrolment, ...]
    """All that is on the roll."""


def education_record(person: Person) -> EducationRecord:
    """View a person as the education department does."""
    schooling = schooling_of(person)
    enrolments = tuple(_enrolment(person, study) for study in studies_of(person))
    return EducationRecord(
        diploma=_diploma(person, schooling) if schooling else None,
        degree=_degree(person, schooling) if schooling else None,
        # What goes on stands last.
        enrolment=enrolments[-1] if enrolments else None,
        enrolments=enrolments,
    )


def education_name(person: Person) -> str:
    """Spell the name as the education department does."""
    if disagreement(person) is Disagreement.EDUCATION_NAME_VARIANT:
        return variant_of(person.full_name)
    dot = DOTS.get(person.quirk) if person.quirk else None
    return with_dot(person.full_name, dot) if dot else person.full_name


def education_birth(person: Person) -> date:
    """Tell the birth date as the education department holds it."""
    if disagreement(person) is Disagreement.EDUCATION_BIRTH_DATE:
        return person.birth_date + timedelta(days=person.draws.below("edu/birth", 27) + 1)
    return person.birth_date


def _number(person: Person) -> str:
    old = person.quirk is Quirk.FIFTEEN_DIGIT_ID
    return old_form(person.id_number) if old else person.id_number


def _until(person: Person, *, scope: str) -> date:
    """Tell until when the holder lets his online code be used."""
    if person.quirk is Quirk.DIPLOMA_CODE_EXPIRED:
        return AS_OF - timedelta(days=30)
    return date(2099, 12, 31) - timedelta(days=person.draws.below(f"{scope}/until", 3000))


def _as_of(person: Person) -> date:
    return AS_OF - timedelta(days=person.draws.below("edu/as_of", 400))


def _diploma(person: Person, schooling: Schooling) -> Diploma:
    # A mandatory field silently emptied by the provider (domain.md, section 11).
    empty = person.quirk is Quirk.MANDATORY_FIELD_EMPTY
    return Diploma(
        person_id=_number(person),
        full_name=education_name(person),
        certificate_no="" if empty else schooling.diploma_no,
        institution_code=schooling.school_code,
        institution_name=schooling.school_name,
        major_name=schooling.major,
        education_level=_EDUCATION_LEVELS[schooling.level],
        education_type=schooling.kind,
        study_mode="全日制" if schooling.full_time else "非全日制",
        enrol_date=schooling.enrolled,
        graduation_date=schooling.graduated,
        conclusion=schooling.conclusion,
        photo=school_photo_of(person),
        verified=True,
        code=schooling.diploma_code,
        code_until=_until(person, scope="diploma"),
        birth_date=education_birth(person),
        as_of=_as_of(person),
    )


def _degree(person: Person, schooling: Schooling) -> Degree | None:
    if schooling.degree_no is None:
        return None
    revoked = person.quirk is Quirk.DEGREE_REVOKED or (
        person.quirk is None and person.draws.chance("revoked", per_mille=2)
    )
    return Degree(
        person_id=_number(person),
        full_name=education_name(person),
        certificate_no=schooling.degree_no,
        # The digit behind the five of the unit, once a prefix letter is gone.
        degree_level=schooling.degree_no.lstrip("CTZ")[5],
        discipline=schooling.discipline,
        granting_unit=schooling.school_name,
        granting_unit_code=schooling.school_code,
        grant_date=schooling.graduated,
        revoked=revoked,
        revoked_on=max(date(2019, 6, 30), schooling.graduated) if revoked else None,
        verified=not revoked,
        photo=school_photo_of(person),
        code=schooling.degree_code,
        code_until=_until(person, scope="degree"),
        birth_date=education_birth(person),
        as_of=_as_of(person),
    )


def _enrolment(person: Person, study: Study) -> Enrolment:
    return Enrolment(
        person_id=person.id_number,
        full_name=education_name(person),
        school_name=study.school_name,
        school_code=study.school_code,
        student_status=study.state,
        expected_graduation=study.expected,
        is_enrolled=study.state == "在籍",
        enrolled=study.enrolled,
        student_no=study.student_no,
        class_name=study.class_name,
        as_of=_as_of(person),
    )
