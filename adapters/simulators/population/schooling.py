"""What a person studied, and the numbers on his certificates.

Facts only; the education department's view stands in `education`. Layouts of the numbers:
domain.md, section 6. INVARIANT: the serial of each number leads back to the index modulo its
range, so a certificate is found by its number without a table.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import blake2b
from typing import Final

from adapters.simulators.population.person import ADULT, AS_OF, Person
from adapters.simulators.population.quirks import GRADUATES, NOT_GRADUATES, Quirk

ELECTRONIC_FROM: Final = date(2002, 1, 1)
"""Diplomas of earlier days are verified by hand."""

SCHOOLS: Final = tuple(
    (f"99{number:03d}", f"{place}{kind}")
    for number, (place, kind) in enumerate(
        (
            (place, kind)
            for place in ("齐鲁", "岱宗", "沂蒙", "胶东", "运河", "黄海", "稷下", "泉城")
            for kind in ("示例大学", "示例师范大学", "示例理工学院", "示例职业学院", "示例医学院")
        ),
        start=1,
    )
)
"""Synthetic schools: codes from 99001, which no real school has."""

MAJORS: Final = (
    ("计算机科学与技术", "08"),
    ("土木工程", "08"),
    ("汉语言文学", "05"),
    ("会计学", "12"),
    ("临床医学", "10"),
    ("法学", "03"),
    ("农学", "09"),
    ("数学与应用数学", "07"),
    ("思想政治教育", "03"),
    ("学前教育", "04"),
    ("国际经济与贸易", "02"),
    ("历史学", "06"),
)

# Affine scrambling of serials: 387_421 is coprime to 10^6 and 10^5, so each index keeps its own.
_SERIAL_STEP: Final = 387_421
_CODE_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRSTUVWX"


@dataclass(frozen=True, slots=True, kw_only=True)
class Schooling:
    """One completed course of study.

    `level` as in the number: 01 doctor, 02 master, 05 bachelor, 06 college.
    """

    level: str
    kind: str
    full_time: bool
    school_code: str
    school_name: str
    major: str
    discipline: str
    enrolled: date
    graduated: date
    conclusion: str
    diploma_no: str
    diploma_code: str
    degree_no: str | None
    degree_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """A course of study that goes on."""

    school_code: str
    school_name: str
    state: str
    enrolled: date
    expected: date
    student_no: str
    class_name: str


# level → (years from enrolment at 18 to graduation, digit of the degree)
_LEVELS: Final = {"06": (3, None), "05": (4, "4"), "02": (7, "3"), "01": (11, "2")}

_LEVEL_SHARES: Final = (("06", 450), ("05", 450), ("02", 85), ("01", 15))
_SECOND_DEGREE: Final = frozenset("SE")
_FORM_SHARES: Final = (("", 950), ("S", 12), ("E", 8), ("C", 10), ("T", 10), ("Z", 10))

_ON_ROLL: Final = timedelta(days=730)
"""How long who has graduated stays on the roll."""

LEAVING: Final = 22
"""Age at which most have finished."""

_SHORT_NUMBER: Final = 17
_SHORT_UNTIL: Final = 2002
"""Diplomas to this year have a serial of five digits and 17 in all (domain.md, section 6)."""

_SPANS: Final = {5: 100_000, 6: 1_000_000}
"""Digits of a serial → how many serials there are."""

# Share of graduates by year of birth, per mille; years up to the bound.
_COHORTS: Final = ((1950, 40), (1965, 80), (1980, 200), (1990, 450), (2100, 600))


def schooling_of(person: Person) -> Schooling | None:
    """Tell what a person has completed, None for most of the old and all of the young."""
    if person.quirk in NOT_GRADUATES:
        return None
    draws = person.draws
    share = next(share for bound, share in _COHORTS if person.birth_date.year < bound)
    if person.quirk not in GRADUATES and not draws.chance("graduate", per_mille=share):
        return None
    level, kind = _level(person), _kind(person)
    graduated = _graduation(person, level)
    # Still studying: that is an enrolment, not a diploma.
    if graduated > AS_OF:
        return None
    school_code, school_name = draws.pick("school", SCHOOLS)
    major, discipline = draws.pick("major", MAJORS)
    incomplete = person.quirk is Quirk.DIPLOMA_INCOMPLETE or (
        person.quirk is None and draws.chance("incomplete", per_mille=15)
    )
    return Schooling(
        level=level,
        kind=kind,
        full_time=kind == "1",
        school_code=school_code,
        school_name=school_name,
        major=major,
        discipline=discipline,
        enrolled=date(graduated.year - min(_LEVELS[level][0], 4), 9, 1),
        graduated=graduated,
        conclusion="结业" if incomplete else "毕业",
        diploma_no=_diploma_no(person, school_code, kind, graduated.year, level),
        diploma_code=_code(person, "diploma"),
        degree_no=None if incomplete else _degree_no(person, school_code, graduated.year, level),
        degree_code=_code(person, "degree"),
    )


def study_of(person: Person) -> Study | None:
    """Tell where a person studies now."""
    planted = person.quirk in {Quirk.STUDENT_ENROLLED, Quirk.STUDENT_SUSPENDED}
    draws = person.draws
    # The dead and the planted do not study by chance.
    young = ADULT <= person.age < LEAVING and person.quirk is None and person.death is None
    if not planted and not (young and draws.chance("student", per_mille=600)):
        return None
    school_code, school_name = draws.pick("school", SCHOOLS)
    enrolled = date(2023, 9, 1) if planted else date(person.birth_date.year + 18, 9, 1)
    suspended = person.quirk is Quirk.STUDENT_SUSPENDED or (
        not planted and draws.chance("suspended", per_mille=20)
    )
    return Study(
        school_code=school_code,
        school_name=school_name,
        state="休学" if suspended else "在籍",
        enrolled=enrolled,
        expected=date(enrolled.year + 4, 7, 1),
        student_no=f"{enrolled.year}{school_code}{person.index % 10**7:07d}",
        class_name=f"{enrolled.year}级{draws.below('class', 12) + 1}班",
    )


def studies_of(person: Person) -> tuple[Study, ...]:
    """Tell where a person studies now and what he finished of late; most have neither."""
    current, finished = study_of(person), _finished(person)
    # Both are one course where the diploma came when it was due.
    same = current is not None and finished is not None and current.expected <= AS_OF
    return tuple(each for each in (finished, None if same else current) if each is not None)


def _finished(person: Person) -> Study | None:
    """Tell what is still on the roll as finished: two years, and of the unplanted only."""
    schooling = schooling_of(person)
    if person.quirk is not None or schooling is None or schooling.graduated <= AS_OF - _ON_ROLL:
        return None
    enrolled = schooling.enrolled
    return Study(
        school_code=schooling.school_code,
        school_name=schooling.school_name,
        state="毕业",
        enrolled=enrolled,
        expected=schooling.graduated,
        student_no=f"{enrolled.year}{schooling.school_code}{person.index % 10**7:07d}",
        class_name=f"{enrolled.year}级{person.draws.below('class', 12) + 1}班",
    )


def candidates(number: str, size: int) -> Iterator[int]:
    """Yield the indices whose diploma or degree could bear this number."""
    short = len(number) == _SHORT_NUMBER and number.isdigit()
    width = 5 if short or number[-6:-5] in _SECOND_DEGREE else 6
    span = _SPANS[width]
    serial = number[-width:]
    # Anything else was never issued here and has no candidates.
    if serial.isascii() and serial.isdigit():
        first = int(serial) * pow(_SERIAL_STEP, -1, span)
        yield from range(first % span, size, span)


def index_of_code(seed: int, code: str) -> int | None:
    """Find the index an online verification code was given to, None for a code never given."""
    head = code[1:6]
    if any(character not in _CODE_ALPHABET for character in code):
        return None
    index = 0
    for character in head:
        index = index * 32 + _CODE_ALPHABET.index(character)
    return index ^ _mask(seed)


def _level(person: Person) -> str:
    if person.quirk is Quirk.DEGREE_PREFIX:
        return "02"
    if person.quirk in GRADUATES:
        return "05"
    return person.draws.weighted("level", _LEVEL_SHARES)


def _kind(person: Person) -> str:
    if person.quirk is Quirk.DIPLOMA_SELF_TAUGHT:
        return "6"
    return "1" if person.quirk else person.draws.pick("kind", "1111111556677")


def _graduation(person: Person, level: str) -> date:
    match person.quirk:
        case Quirk.DIPLOMA_17_DIGITS:
            return date(2002, 7, 1)
        case Quirk.ORDINARY_GRADUATE:
            return date(2004, 7, 1)
        case Quirk.FIFTEEN_DIGIT_ID | Quirk.DIPLOMA_BEFORE_2002:
            return date(person.birth_date.year + 22, 7, 1)
        case None:
            late = 0 if _kind(person) == "1" else person.draws.below("late", 9)
            return date(person.birth_date.year + 18 + _LEVELS[level][0] + late, 7, 1)
        case _:
            return date(max(person.birth_date.year + 22, 2003), 7, 1)


def _diploma_no(person: Person, school: str, kind: str, year: int, level: str) -> str:
    # The self-taught examination has a layout of its own, province first.
    if kind == "6" and year > _SHORT_UNTIL:
        return f"65{person.division}{_serial(person.index, 6):09d}"[:17]
    width = 5 if year <= _SHORT_UNTIL else 6
    return f"{school}{kind}{year}{level}{_serial(person.index, width):0{width}d}"


def _degree_no(person: Person, school: str, year: int, level: str) -> str | None:
    degree = _LEVELS[level][1]
    if degree is None:
        return None
    form = _degree_form(person)
    if form in _SECOND_DEGREE:
        return f"{school}{degree}{year}{form}{_serial(person.index, 5):05d}"
    return f"{form}{school}{degree}{year}{_serial(person.index, 6):06d}"


def _degree_form(person: Person) -> str:
    """Choose the letter of the number: a prefix, a letter of a second degree, for most none."""
    match person.quirk:
        case Quirk.DEGREE_LETTER:
            return "S"
        case Quirk.DEGREE_PREFIX:
            return "Z"
        case None:
            return person.draws.weighted("degree/form", _FORM_SHARES)
        case _:
            return ""


def _serial(index: int, width: int) -> int:
    return index * _SERIAL_STEP % _SPANS[width]


def _code(person: Person, scope: str) -> str:
    """Give the code: letter of the scope, five characters of the masked index, then random ones."""
    # Neighbouring people must not have neighbouring codes.
    masked = person.index ^ _mask(person.seed)
    head = "".join(_CODE_ALPHABET[masked >> shift & 31] for shift in (20, 15, 10, 5, 0))
    length = 12 if person.draws.chance(f"{scope}/short", per_mille=200) else 16
    tail = person.draws.octets(f"{scope}/code", 16)
    first = "X" if scope == "diploma" else "W"
    return first + head + "".join(_CODE_ALPHABET[octet & 31] for octet in tail)[: length - 6]


def _mask(seed: int) -> int:
    """Hide the order of indices: 25 bits, as many as five characters hold."""
    return int.from_bytes(blake2b(f"{seed}/code".encode(), digest_size=4).digest(), "big") >> 7
