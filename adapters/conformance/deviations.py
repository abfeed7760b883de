"""What an examination can find fault with, beside what a cause says of a single answer.

With `adapters.causes` this is the whole list; each member of both is explained once, in
`explained_causes` or `explained`.
"""

from dataclasses import dataclass
from enum import StrEnum, unique

from adapters.causes import Cause


@unique
class Deviation(StrEnum):
    """Where answers depart from what a dataset, its manual or the sample says."""

    HEALTH_SILENT = "HEALTH_SILENT"
    HEALTH_REFUSED = "HEALTH_REFUSED"
    KNOWN_NOT_FOUND = "KNOWN_NOT_FOUND"
    UNKNOWN_FOUND = "UNKNOWN_FOUND"
    OTHER_NAME_ANSWERED = "OTHER_NAME_ANSWERED"
    OTHER_NAME_NOT_FOUND = "OTHER_NAME_NOT_FOUND"
    TWO_PEOPLE_NOT_FOUND = "TWO_PEOPLE_NOT_FOUND"
    SUBJECT_UNRESOLVED = "SUBJECT_UNRESOLVED"
    FIELD_ABSENT = "FIELD_ABSENT"
    FIELD_FORM = "FIELD_FORM"
    FIELD_DIFFERS = "FIELD_DIFFERS"
    FINDING_UNTOLD = "FINDING_UNTOLD"
    REPEAT_DIFFERS = "REPEAT_DIFFERS"
    TOGETHER_DIFFERS = "TOGETHER_DIFFERS"
    SURPLUS_MEMBERS = "SURPLUS_MEMBERS"
    CREDENTIAL_NOT_CHECKED = "CREDENTIAL_NOT_CHECKED"
    REFUSAL_UNCLEAR = "REFUSAL_UNCLEAR"
    ANSWER_SLOW = "ANSWER_SLOW"
    JOB_UNFINISHED = "JOB_UNFINISHED"
    QUESTION_REJECTED = "QUESTION_REJECTED"
    NOT_TOLD = "NOT_TOLD"
    RECORD_UNPROVEN = "RECORD_UNPROVEN"
    SAMPLE_INCOMPLETE = "SAMPLE_INCOMPLETE"
    SAMPLE_LACKS = "SAMPLE_LACKS"


Code = Cause | Deviation


@unique
class Side(StrEnum):
    """Who has to mend it."""

    PROVIDER = "provider"
    GATEWAY = "gateway"
    SAMPLE = "sample"
    ENROLMENT = "enrolment"
    """Both: what the one registered and the other configured do not agree."""


@unique
class Weight(StrEnum):
    """What it does to the conclusion."""

    FAILS = "fails"
    UNTOLD = "untold"
    WARNS = "warns"


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """One code for people: what it means and how it is mended, in both languages."""

    side: Side
    weight: Weight
    zh: str
    en: str
    mend_zh: str
    mend_en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One thing found; `detail` names fields, members, settings and codes, never a value."""

    code: Code
    detail: str = ""
