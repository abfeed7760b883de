"""Names: which spellings are one name, and what nobody can tell."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.effects.families import Family
from adapters.effects.findings import compare
from adapters.mapping.names import (
    DOT,
    SEPARATORS,
    compare_names,
    fold_width,
    has_private_use,
    has_unreadable,
    is_held_name,
    normalise_dots,
    normalise_name,
    split_characters,
)
from adapters.port import Finding
from adapters.simulators.population import names as simulated

PRIVATE = st.characters(categories=["Co"])
EXT_B = st.characters(min_codepoint=0x20000, max_codepoint=0x2A6DF)
IDEOGRAPH = st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF)
NAME = st.text(IDEOGRAPH | EXT_B, min_size=1, max_size=6)


def wide(text: str) -> str:
    """Return the text in full width, as old terminals write it."""
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def test_the_four_code_points_are_those_departments_write() -> None:
    """U+00B7, U+2022, U+2027, U+30FB; the simulators' list has them and the full stop."""
    assert {"\u00b7", "\u2022", "\u2027", "\u30fb"} == SEPARATORS
    assert set(simulated.DOT_VARIANTS) > SEPARATORS
    assert DOT == simulated.DOT


@given(NAME, NAME, st.sampled_from(simulated.DOT_VARIANTS), st.sampled_from(simulated.DOT_VARIANTS))
def test_any_separator_is_the_same_name(first: str, second: str, one: str, other: str) -> None:
    """Whichever code point each department writes."""
    assert compare_names(f"{first}{one}{second}", f"{first}{other}{second}") is Finding.YES
    assert normalise_dots(f"{first}{one}{second}") == f"{first}{DOT}{second}"


@given(NAME, NAME)
def test_a_separator_left_out_is_another_name(first: str, second: str) -> None:
    """Whether two parts are one is not ours to decide."""
    assert compare_names(first + DOT + second, first + second) is Finding.NO


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=20))
def test_width_and_case_never_decide(text: str) -> None:
    """Full-width ASCII is ASCII, and blanks of both widths go."""
    assert compare_names(wide(text), text) is Finding.YES
    assert compare_names(wide(text.lower()), text.upper()) is Finding.YES
    assert fold_width(f"\u3000{wide(text)} ") == text
    assert compare_names(f" {text[:1]}\u3000{text[1:]}", text) is Finding.YES


@given(st.text())
def test_normalising_twice_changes_nothing(text: str) -> None:
    """One spelling, reached at once."""
    once = normalise_name(text)

    assert normalise_name(once) == once
    assert compare_names(once, text) is Finding.YES


@given(st.text(IDEOGRAPH | EXT_B | PRIVATE, min_size=1, max_size=8))
def test_no_ideograph_is_ever_replaced(name: str) -> None:
    """Ext-B and private-use characters are kept as they are; each is one character."""
    assert normalise_name(name) == name
    assert normalise_dots(name) == fold_width(name) == name
    assert split_characters(name) == list(name)


@given(NAME, NAME)
def test_comparing_is_the_same_in_both_directions(one: str, other: str) -> None:
    """And readable names are the same or not."""
    found = compare_names(one, other)

    assert found is compare_names(other, one)
    assert found is (Finding.YES if one == other else Finding.NO)


@given(NAME, PRIVATE, IDEOGRAPH | EXT_B)
def test_a_private_use_character_is_never_a_no(name: str, private: str, rare: str) -> None:
    """Held in another form elsewhere: nobody can tell, in either direction."""
    assert compare_names(name + rare, name + private) is Finding.INDETERMINATE
    assert compare_names(name + private, name + rare) is Finding.INDETERMINATE
    assert compare_names(name + private, name + private) is Finding.YES
    assert has_private_use(name + private)
    assert not has_private_use(name + rare)


@pytest.mark.parametrize("stand_in", ["\ufffd", "\u3013", "\u25a1"])
def test_what_a_system_prints_for_what_it_cannot_is_unreadable_too(stand_in: str) -> None:
    """The replacement character, the geta mark, the box."""
    assert has_unreadable(f"李{stand_in}")
    assert compare_names("李䶮", f"李{stand_in}") is Finding.INDETERMINATE
    assert compare_names("王䶮", f"李{stand_in}") is Finding.NO


@given(NAME, st.text(PRIVATE, min_size=1, max_size=3))
def test_an_askers_unreadable_character_tells_nothing_of_the_others(
    held: str, private: str
) -> None:
    """Else 李□, 王□ and so on would find the surname letter by letter."""
    for claimed in (private, held[:1] + private, f"王{private}", private + held):
        assert compare(claimed, held, Family.TEXT) is Finding.INDETERMINATE


@given(NAME, PRIVATE | st.sampled_from("\ufffd\u3013\u25a1"))
def test_whose_name_it_is_only_the_register_may_leave_open(name: str, hidden: str) -> None:
    """Else `〓〓` would be everybody's name, and `李〓` would tell whether 李 is right."""
    assert is_held_name(name, name)
    assert is_held_name(name, name[:-1] + hidden)
    assert is_held_name(name + hidden, name + hidden)
    for place in range(len(name)):
        assert not is_held_name(name[:place] + hidden + name[place + 1 :], name)
    assert not is_held_name(hidden * len(name), name)
    assert not is_held_name(name, name + hidden)
    assert not is_held_name(name + hidden, name)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("葛\U000e0100城", "葛城"),
        ("葛\ufe00城", "葛城"),
        ("李\u200b明", "李明"),
        ("\ufeff李明", "李明"),
        ("李明\u200f", "李明"),
        ("\uf9e1", "\u674e"),
        ("Jose\u0301", "Jos\u00e9"),
    ],
)
def test_what_no_reader_sees_makes_no_other_name(one: str, other: str) -> None:
    """Variation selectors, joiners, marks of direction, and two encodings of one character."""
    assert compare_names(one, other) is Finding.YES
