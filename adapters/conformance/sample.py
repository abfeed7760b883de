"""The file a department's engineer writes: how his end is reached, and whom he planted in it.

Every scalar is read as text, so that `id: 370102195603159016` and `2004-07-01` stay what they are.
INVARIANT: no error text repeats a value of the file.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum, unique
from pathlib import Path
from typing import Final, get_args

import yaml
from pydantic import Field, ValidationError

from adapters.errors import AnswerMalformed
from adapters.mapping.identifiers import parse_resident_id, parse_uscc
from adapters.port import EndUser, SubjectType
from adapters.settings import DepartmentConfig, DepartmentsConfig, Section

MAX_BYTES: Final = 1 << 20
_UNUSED_KEY: Final = {"key": "/nonexistent", "passphrase_file": "/nonexistent"}
"""Records of an examination are signed by a key of that run; the section has to name one."""


class SampleUnreadable(Exception):
    """A sample cannot be used; the text says where and why."""


@unique
class Role(StrEnum):
    """What a planted subject is to the department."""

    KNOWN = "known"
    UNKNOWN = "unknown"
    OTHER_NAME = "other_name"
    FIFTEEN_DIGITS = "fifteen_digits"
    TWO_PEOPLE = "two_people"


class Planted(Section):
    """One planted person or organisation, asked about in one dataset."""

    role: Role = Field(alias="is")
    dataset: str
    """Without version, e.g. `edu.diploma`."""
    id: str = Field(repr=False)
    name: str | None = Field(default=None, repr=False)
    type: SubjectType = SubjectType.RESIDENT_ID
    claims: dict[str, str] = Field(default={}, repr=False)
    expect: dict[str, str] = Field(default={}, repr=False)
    """Field → value or finding, as the catalog spells it."""
    lacks: tuple[str, ...] = ()
    """Fields the department holds no value of."""

    @property
    def identifier(self) -> str:
        """The identifier in its one spelling.

        Raises:
            AnswerMalformed: It is none.
        """
        if self.type is SubjectType.RESIDENT_ID:
            return parse_resident_id(self.id)
        return parse_uscc(self.id).code


class Officer(Section):
    """The officer a department demands with each question."""

    name: str = Field(repr=False)
    identifier: str = Field(repr=False)
    unit: str = Field(repr=False)
    unit_code: str
    call_reason: str = Field(repr=False)

    def as_end_user(self) -> EndUser:
        """Return him as adapters are told."""
        return EndUser(**self.model_dump())


class _File(Section):
    section: dict[str, object]
    datasets: tuple[str, ...] | None = None
    matter: str = "M1"
    case_number: str = Field(default="CONFORMANCE-0001", repr=False)
    officer: Officer | None = None
    predicates: dict[str, str] = Field(default={})
    people: tuple[Planted, ...] = Field(min_length=1)


class Sample(Section):
    """A sample whose parts fit each other and a kind."""

    section: DepartmentConfig
    datasets: tuple[str, ...]
    """Offered by this end, without version."""
    matter: str
    case_number: str = Field(repr=False)
    officer: Officer | None
    predicates: dict[str, str]
    """Field → predicate and parameters, where it is no plain yes or no, e.g. `at_least 12`."""
    people: tuple[Planted, ...]


Fields = Mapping[str, Sequence[str]]
"""Dataset without version → names of its fields."""


def read_sample(path: Path, kind: str, fields: Fields) -> Sample:
    """Return the sample in a file, for a kind whose datasets have these fields.

    Raises:
        SampleUnreadable: It cannot be read, or is none for this kind.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise SampleUnreadable("longer than 1 MiB")
        # Every scalar is text, and no tag builds an object.
        tree = yaml.load(content.decode("utf-8"), Loader=yaml.BaseLoader)  # noqa: S506  makes text, lists and maps only
    except (OSError, UnicodeDecodeError) as error:
        raise SampleUnreadable(f"cannot be read as UTF-8 text ({type(error).__name__})") from None
    except yaml.YAMLError as error:
        # from None: the error quotes lines of the file.
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if isinstance(mark, yaml.Mark) else ""
        raise SampleUnreadable(f"is no YAML{line}") from None
    return parse_sample(tree, kind, fields)


def parse_sample(tree: object, kind: str, fields: Fields) -> Sample:
    """Return a sample from what a file holds.

    Raises:
        SampleUnreadable: As `read_sample`.
    """
    try:
        file = _File.model_validate(tree)
        section = section_class(kind).model_validate({"record_key": _UNUSED_KEY, **file.section})
    except ValidationError as error:
        raise SampleUnreadable(_problems(error)) from None  # the cause quotes what was written
    datasets = tuple(sorted(fields)) if file.datasets is None else file.datasets
    for name in datasets:
        if name not in fields:
            raise SampleUnreadable(f"datasets: this kind has none of one of these names ({kind})")
    if not set(file.predicates) <= {name for names in fields.values() for name in names}:
        raise SampleUnreadable("predicates: names a field this kind does not have")
    for index, person in enumerate(file.people):
        _require_fit(f"people[{index}]", person, datasets, fields)
    return Sample(
        section=section,
        datasets=datasets,
        matter=file.matter,
        case_number=file.case_number,
        officer=file.officer,
        predicates=file.predicates,
        people=file.people,
    )


def section_class(kind: str) -> type[DepartmentConfig]:
    """Return the class of a kind's section."""
    annotation = DepartmentsConfig.model_fields[kind].annotation
    return next(_sections_in(annotation))


def _sections_in(annotation: object) -> Iterator[type[DepartmentConfig]]:
    # Walked: a section may be optional, or one of several ways to be connected.
    if isinstance(annotation, type) and issubclass(annotation, DepartmentConfig):
        yield annotation
    for part in get_args(annotation):
        yield from _sections_in(part)


def _require_fit(place: str, person: Planted, datasets: Sequence[str], fields: Fields) -> None:
    if person.dataset not in datasets:
        raise SampleUnreadable(f"{place}.dataset: none of those this end offers")
    for part, names in (("expect", person.expect), ("lacks", person.lacks)):
        if not set(names) <= set(fields[person.dataset]):
            raise SampleUnreadable(f"{place}.{part}: names a field {person.dataset} does not have")
    try:
        _ = person.identifier
    except AnswerMalformed as malformed:
        raise SampleUnreadable(f"{place}.id: {malformed.what}") from None


def _problems(error: ValidationError) -> str:
    # Place and kind of each problem: texts of pydantic may repeat what was written.
    places = (
        f"{'.'.join(str(part) for part in each['loc'])}: {each['type']}" for each in error.errors()
    )
    return "; ".join(places)
