"""A value with the quicker constructor is what the dataclass would have made."""

import copy
import dataclasses
from collections.abc import Callable
from dataclasses import InitVar, dataclass, field

import pytest

from adapters.port import Subject, SubjectType
from certs.quick import quickly_made


@dataclass(frozen=True, slots=True, kw_only=True)
class Usual:
    """Fields of every kind that is allowed."""

    name: str
    secret: bytes = field(repr=False)
    parts: tuple[int, ...] = (1, 2)
    note: str | None = field(default=None, compare=False)


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Quick:
    """The same."""

    name: str
    secret: bytes = field(repr=False)
    parts: tuple[int, ...] = (1, 2)
    note: str | None = field(default=None, compare=False)


MADE = Quick(name="n", secret=b"s", note="x")


def test_fields_and_defaults_are_set() -> None:
    """What is given stands there, and the rest is as declared."""
    made = Quick(name="n", secret=b"s")

    assert type(made) is Quick
    assert (made.name, made.secret, made.parts, made.note) == ("n", b"s", (1, 2), None)


def test_it_looks_and_compares_as_the_dataclass() -> None:
    """Text, equality and hash are those of the dataclass."""
    usual = Usual(name="n", secret=b"s", note="x")

    assert repr(MADE) == repr(usual).replace("Usual", "Quick")
    assert Quick(name="n", secret=b"s", note="y") == MADE
    assert Quick(name="m", secret=b"s") != MADE
    assert hash(MADE) == hash(usual)


@pytest.mark.parametrize("name", ["name", "note"])
def test_it_is_frozen(name: str) -> None:
    """No field is set or taken away."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(MADE, name, "other")
    with pytest.raises(dataclasses.FrozenInstanceError):
        delattr(MADE, name)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Quick(name="n"),  # type: ignore[call-arg]  # what is tested
        lambda: Quick("n", b"s"),  # type: ignore[call-arg]  # what is tested
        lambda: Quick(name="n", secret=b"s", other=1),  # type: ignore[call-arg]  # what is tested
    ],
)
def test_what_the_dataclass_would_not_take_is_refused(make: Callable[[], Quick]) -> None:
    """A field missing, one without its name, one too many."""
    with pytest.raises(TypeError):
        make()


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy])
def test_a_copy_is_equal(again: Callable[[Subject], Subject]) -> None:
    """Copied like any other."""
    made = Subject(type=SubjectType.USCC, identifier="9", full_name="n")

    assert again(made) == made
    assert type(again(made)) is Subject


def test_replacing_makes_another() -> None:
    """`dataclasses.replace` changes what it is told and keeps the rest."""
    assert dataclasses.replace(MADE, name="m") == Quick(name="m", secret=b"s")
    assert MADE.name == "n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Looks at what it is given."""

    name: str

    def __post_init__(self) -> None:
        """Refuse an empty name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """Makes a field anew each time."""

    names: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Placed:
    """Takes its field by place."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarded:
    """Takes what is no field."""

    name: str
    mark: InitVar[object]


@dataclass(frozen=True, kw_only=True)
class Unslotted:
    """Has a dictionary."""

    name: str


@pytest.mark.parametrize("cls", [Judged, Made, Placed, Guarded, Unslotted, str])
def test_a_class_that_needs_its_own_constructor_is_refused(cls: type) -> None:
    """What the usual constructor does beside setting fields is never lost in silence."""
    with pytest.raises(TypeError):
        quickly_made(cls)


def test_a_value_is_no_base() -> None:
    """The constructor makes one class only; a class derived from it would get the other."""
    with pytest.raises(TypeError, match="Derived"):

        class Derived(Quick):
            pass
