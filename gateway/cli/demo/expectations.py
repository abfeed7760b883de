"""What must come out for each planted person, reasoned from docs/population.md.

One line per field: the effect, then the value or the finding; `ANY` stands for a value that
depends on the seed. INVARIANT: nothing here is computed from an answer of the gateway.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

ANY: Final = "<any>"
"""Stands at the end for a value that depends on the seed; no effect spells anything like it."""
ANSWERED: Final = "ANSWERED"
Fields = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """How one dataset must answer about one person: its state, then each field."""

    state: str = ANSWERED
    """`ANSWERED`, `NOT_FOUND`, `INDETERMINATE <reason>` or `REFUSED <reason>`."""
    fields: Fields


class About(StrEnum):
    """Who the questions of a case are about, seen from the planted person."""

    SELF = "self"
    SPOUSE = "spouse"
    EMPLOYER = "employer"


class Clerk(StrEnum):
    """Who sits at the counter."""

    COUNTY = "county"
    """Of the county that accepted the case."""
    OTHER_COUNTY = "other_county"
    TOWNSHIP = "township"
    VILLAGE = "village"
    """The last two lie in the county that accepted the case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A planted person in one matter; `why` says what is special in one line."""

    case: str
    """Name of the planted case (docs/population.md)."""
    matter: str
    why: str
    datasets: Mapping[str, Expected]
    nth: int = 0
    """Which person of the case, where it has several."""
    names_certificate: bool = True
    """Whether the applicant brings the number of his diploma."""
    about: About = About.SELF
    asked_by: str = ""
    """The system that asks where a matter has several."""
    clerk: Clerk = Clerk.COUNTY
    portrait_of: About = About.SELF
    """Whose portrait is taken at the counter."""


CORE: Final = "ps.person_core@1"
HOUSEHOLD: Final = "ps.household@1"
PARTICIPATION: Final = "hr.participation@1"
CONTRIBUTIONS: Final = "hr.contribution_record@1"
DIPLOMA: Final = "edu.diploma@1"
VERIFY: Final = "ps.person_verify@1"
CANCEL: Final = "ps.death_cancel@1"
CREMATION: Final = "ca.cremation@1"
DEATH: Final = "hc.death_certificate@1"

ASKED: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    # `ethnicity` is in no agreement and withheld by the catalog: it is asked to show what happens.
    "M2": {
        CORE: (
            *("full_name", "sex", "birth_date", "registered_address", "person_state"),
            "ethnicity",
        ),
        HOUSEHOLD: ("kinship_ok",),
        PARTICIPATION: ("first_date", "state"),
        CONTRIBUTIONS: ("months_paid",),
        DIPLOMA: ("full_name", "institution_name", "certificate_no", "verified"),
    },
    "M1": {
        VERIFY: ("deceased",),
        CANCEL: ("is_cancelled",),
        CREMATION: ("is_cremated",),
        DEATH: ("has_record",),
    },
}
"""Which fields each matter asks of each dataset."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Register:
    """What the population register holds of a head of household."""

    name: str
    sex: str
    born: str
    county: str
    state: str = "正常"


def _core(held: _Register) -> Expected:
    """M2: surname only, the address down to the county, the rest as it is; never the ethnicity."""
    return Expected(
        fields={
            "full_name": f"MASK {held.name[0]}{'*' * (len(held.name) - 1)}",
            "sex": f"CLEAR {held.sex}",
            "birth_date": f"CLEAR {held.born}",
            "registered_address": f"GENERALISE 山东省{held.county}",
            "person_state": f"CLEAR {held.state}",
            "ethnicity": "WITHHOLD WITHHELD",
        }
    )


def _insured(first: str, insured: str, months: str) -> dict[str, Expected]:
    return {
        PARTICIPATION: Expected(
            fields={"first_date": f"CLEAR {first}", "state": f"PREDICATE {insured}"}
        ),
        CONTRIBUTIONS: Expected(fields={"months_paid": f"CLEAR {months}"}),
    }


def _diploma(name: str, certificate: str = "COMPARE YES", verified: str = "YES") -> Expected:
    return Expected(
        fields={
            "full_name": f"MASK {name[0]}{'*' * (len(name) - 1)}",
            "institution_name": f"CLEAR {ANY}",
            "certificate_no": certificate,
            "verified": f"PREDICATE {verified}",
        }
    )


def _m2(
    held: _Register,
    insured: Mapping[str, Expected],
    diploma: Expected,
    kinship: str = "PREDICATE YES",
) -> dict[str, Expected]:
    return {
        CORE: _core(held),
        HOUSEHOLD: Expected(fields={"kinship_ok": kinship}),
        **insured,
        DIPLOMA: diploma,
    }


def _all(matter: str, state: str, outcomes: str) -> dict[str, Expected]:
    return {
        dataset: Expected(state=state, fields=dict.fromkeys(fields, outcomes))
        for dataset, fields in ASKED[matter].items()
    }


def _m1(deceased: str, cancelled: str, certified: str, cremated: str) -> dict[str, Expected]:
    """None recorded reads as NO, because the catalog says so, and never as alive.

    Civil affairs tell of a cremation from the copied front-end database, and of none only while the
    copy reaches to now.
    """
    return {
        VERIFY: Expected(fields={"deceased": f"PREDICATE {deceased}"}),
        CANCEL: Expected(fields={"is_cancelled": f"PREDICATE {cancelled}"}),
        CREMATION: Expected(
            state=ANSWERED if cremated == "YES" else "NOT_FOUND",
            fields={"is_cremated": f"PREDICATE {cremated}"},
        ),
        DEATH: Expected(
            state=ANSWERED if certified == "YES" else "NOT_FOUND",
            fields={"has_record": f"PREDICATE {certified}"},
        ),
    }


# A record that lacks what every record has is not told in part.
_MALFORMED_DIPLOMA: Final = Expected(
    state="INDETERMINATE PROVIDER_MALFORMED",
    fields={
        "full_name": "MASK INDETERMINATE",
        "institution_name": "CLEAR INDETERMINATE",
        "certificate_no": "CLEAR INDETERMINATE",
        "verified": "PREDICATE INDETERMINATE",
    },
)
# Not found is not no; nothing was claimed, so there is nothing to compare.
_NO_DIPLOMA: Final = Expected(
    state="NOT_FOUND",
    fields={
        "full_name": "ABSENT",
        "institution_name": "ABSENT",
        "certificate_no": "COMPARE NOT_APPLICABLE",
        "verified": "PREDICATE INDETERMINATE",
    },
)
_REFUSED: Final = "REFUSED NOTHING_GRANTED"
_ANY_INSURED: Final = _insured(ANY, "YES", ANY)
# Insured from August after graduation (at the earliest January 1992) until the register's last
# day, 2026-11-01, or the month after reaching 60, women 55.
PEOPLE: Final[tuple[Person, ...]] = (
    Person(
        case="ordinary_graduate",
        matter="M2",
        why="senior title: the certificate number is needed and given in clear",
        datasets=_m2(
            _Register(name="李明哲", sex="1", born="1982-03-15", county="济南市历下区"),
            _insured("2004-08-01", "YES", "267"),
            _diploma("李明哲", f"CLEAR {ANY}"),
        ),
    ),
    Person(
        case="fifteen_digit_id",
        matter="M2",
        why="education keeps his 15-digit number: the same subject",
        datasets=_m2(
            _Register(name="孙德馨", sex="1", born="1931-04-09", county="济宁市任城区"),
            _insured("1991-05-01", "NOT_APPLICABLE", "0"),
            _diploma("孙德馨"),
        ),
    ),
    Person(
        case="two_people_one_id",
        matter="M2",
        why="two people bear his number: the register will not guess, the others go by his name",
        datasets={
            # Code 14 of the register: a person has to look (docs/adapters/public_security.md).
            CORE: Expected(
                state="INDETERMINATE SUBJECT_UNRESOLVED",
                fields={
                    "full_name": "MASK INDETERMINATE",
                    "sex": "CLEAR INDETERMINATE",
                    "birth_date": "CLEAR INDETERMINATE",
                    "registered_address": "GENERALISE INDETERMINATE",
                    "person_state": "CLEAR INDETERMINATE",
                    "ethnicity": "WITHHOLD WITHHELD",
                },
            ),
            HOUSEHOLD: Expected(
                state="INDETERMINATE SUBJECT_UNRESOLVED",
                fields={"kinship_ok": "PREDICATE INDETERMINATE"},
            ),
            **_insured(ANY, "NOT_APPLICABLE", ANY),
            DIPLOMA: _diploma("陈建国"),
        },
    ),
    Person(
        case="name_dot_2022",
        matter="M2",
        why="education writes another dot in his name: no mismatch",
        datasets=_m2(
            _Register(name="买买提·依明", sex="1", born="1980-05-12", county="济南市天桥区"),
            _insured("2003-08-01", "YES", "279"),
            _diploma("买买提·依明"),
        ),
    ),
    Person(
        case="name_extension_b",
        matter="M2",
        why="a character of four octets in her name survives every dialect",
        datasets=_m2(
            _Register(name="刘𠮷华", sex="2", born="1977-02-21", county="烟台市芝罘区"),
            _insured("2003-08-01", "YES", "279"),
            _diploma("刘𠮷华"),
        ),
    ),
    Person(
        case="household_split",
        matter="M2",
        why="husband and wife are registered in two households: still kin",
        datasets=_m2(
            _Register(name="杨立志", sex="1", born="1968-03-03", county="枣庄市市中区"),
            _ANY_INSURED,
            _NO_DIPLOMA,
        ),
        names_certificate=False,
    ),
    Person(
        case="diploma_before_2002",
        matter="M2",
        why="a diploma of 1992 is looked up by hand: 202, then the answer",
        datasets=_m2(
            _Register(name="华春兰", sex="2", born="1970-02-24", county="潍坊市寿光市"),
            _insured("1992-08-01", "NOT_APPLICABLE", "391"),
            _diploma("华春兰"),
        ),
    ),
    Person(
        case="no_education",
        matter="M2",
        why="no record in education: not found, which is not no",
        datasets=_m2(
            _Register(name="戚凤英", sex="2", born="1950-07-29", county="日照市岚山区"),
            _insured("1992-01-01", "NOT_APPLICABLE", "163"),
            _NO_DIPLOMA,
        ),
        names_certificate=False,
    ),
    Person(
        case="mandatory_field_empty",
        matter="M2",
        why="education sends an empty certificate number: no answer at all, which is no mismatch",
        datasets=_m2(
            _Register(name="范丽华", sex="2", born="1986-08-22", county="菏泽市曹县"),
            _insured("2008-08-01", "YES", "219"),
            _MALFORMED_DIPLOMA,
        ),
        names_certificate=False,
    ),
    Person(
        case="protected_person",
        matter="M2",
        why="on the list of protected persons: nothing is provided",
        datasets=_all("M2", _REFUSED, "REFUSED"),
        names_certificate=False,
    ),
    Person(
        case="ordinary_pensioner",
        matter="M1",
        why="alive, pension in payment",
        datasets=_m1("NO", "NO", "NO", "NO"),
    ),
    Person(
        case="dead_in_ca_alive_in_ps",
        matter="M1",
        why="cremated and certified dead, alive says the register: a review, never a stop",
        datasets=_m1("NO", "NO", "YES", "YES"),
    ),
    Person(
        case="dead_in_ps_alive_in_ca",
        matter="M1",
        why="cancelled as dead, no certificate: not found is no sign of life",
        datasets=_m1("YES", "YES", "NO", "NO"),
    ),
    Person(
        case="cremated_not_cancelled",
        matter="M1",
        why="cremated, never cancelled; of two certificates the corrected one counts",
        datasets=_m1("NO", "NO", "YES", "YES"),
    ),
    Person(
        case="dead_pension_paid",
        matter="M1",
        why="cancelled, certified and cremated, pension still in payment",
        datasets=_m1("YES", "YES", "YES", "YES"),
    ),
    Person(
        case="emigrant",
        matter="M1",
        why="registration cancelled because he settled abroad: not dead",
        datasets=_m1("NO", "YES", "NO", "NO"),
    ),
    Person(
        case="protected_person",
        matter="M1",
        why="on the list of protected persons: nothing is provided",
        datasets=_all("M1", _REFUSED, "REFUSED"),
    ),
)
