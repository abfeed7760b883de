"""Our copy of a view: order of arrival does not matter, nothing stands in clear, all is bounded."""

import gc
import itertools
import tracemalloc
from datetime import datetime, timedelta

import pytest

from adapters.errors import AnswerMalformed
from adapters.kinds.civil_affairs.front_end import read_row
from adapters.kinds.civil_affairs.sealed_copy import MAX_ROW_BYTES, SealedCopy, ViewRow

PERSON, OTHER = "370102198203150024", "371711196809124454"
AT = datetime(2026, 11, 23, 2, 0)  # noqa: DTZ001 - views have no zone


def row(
    row_id: int = 1,
    minutes: int = 0,
    *,
    number: str = "HH-1",
    identifier: str | None = PERSON,
    in_force: bool | None = True,
    name: str = "李明",
) -> ViewRow:
    """Return one row."""
    return ViewRow(
        position=(AT + timedelta(minutes=minutes), row_id),
        business_number=number,
        identifier=identifier,
        in_force=in_force,
        line={"name": name, "id_card": identifier or ""},
    )


def names(copy: SealedCopy, identifier: str = PERSON) -> list[str]:
    """Return the names of a person's lines."""
    return [line["name"] for line in copy.find(identifier)]


def test_the_latest_row_of_a_number_stands_in_whatever_order_rows_arrive() -> None:
    """By time, then by row; a row seen twice is one."""
    rows = [row(1, 0, name="a"), row(2, 5, name="b"), row(3, 5, name="c"), row(1, 3, name="d")]

    for order in itertools.permutations([*rows, rows[0]]):
        copy = SealedCopy()
        copy.apply(order)
        assert names(copy) == ["c"]
        assert copy.rows == 1


def test_a_withdrawn_row_does_not_come_back() -> None:
    """An older state that arrives late, or is read again in the overlap, changes nothing."""
    copy = SealedCopy()
    copy.apply([row(1, 0), row(1, 5, in_force=False), row(1, 0)])

    assert names(copy) == []
    assert copy.unreadable == 0


def test_a_number_that_moves_to_another_person_leaves_the_first() -> None:
    """A correction of whom a row is about."""
    copy = SealedCopy()
    copy.apply([row(1, 0), row(5, 0, number="HH-2", name="二"), row(2, 5, identifier=OTHER)])

    assert names(copy) == ["二"]
    assert names(copy, OTHER) == ["李明"]


@pytest.mark.parametrize("changed", [{"identifier": None}, {"in_force": None}])
def test_a_row_that_could_be_anybodys_is_counted_until_it_is_mended(
    changed: dict[str, None],
) -> None:
    """While one stands, no absence means anything."""
    copy = SealedCopy()
    copy.apply([row(1, 0)])
    broken = row(1, 5, identifier=None) if "identifier" in changed else row(1, 5, in_force=None)

    copy.apply([broken])
    broken_count, broken_names = copy.unreadable, names(copy)
    copy.apply([row(1, 6)])

    assert (broken_count, broken_names) == (1, [])
    assert (copy.unreadable, names(copy)) == (0, ["李明"])


def test_a_withdrawn_row_is_nobodys_trouble() -> None:
    """Whoever it was about."""
    copy = SealedCopy()
    copy.apply([row(identifier=None, in_force=False)])

    assert copy.unreadable == 0


def test_a_copy_holds_no_more_rows_than_it_may() -> None:
    """A change of one it holds is no row more."""
    copy = SealedCopy(limit=2)
    copy.apply([row(1, number="1"), row(2, number="2"), row(1, 5, number="1", name="新")])

    with pytest.raises(AnswerMalformed):
        copy.apply([row(3, number="3")])

    assert names(copy) == ["李明", "新"] or names(copy) == ["新", "李明"]


def test_a_row_that_is_too_long_changes_nothing() -> None:
    """What was held stays."""
    copy = SealedCopy()
    copy.apply([row()])

    with pytest.raises(AnswerMalformed):
        copy.apply([row(1, 5, name="长" * MAX_ROW_BYTES)])

    assert names(copy) == ["李明"]


def test_nothing_of_a_person_stands_in_memory_in_clear() -> None:
    """Neither as text nor as the bytes of a text, nor as a digest anybody could compute."""
    copy = SealedCopy()
    copy.apply([row(name="某某某"), row(2, number="HH-2", identifier=OTHER)])

    seen, todo = set(), [getattr(copy, name) for name in SealedCopy.__slots__]
    while todo:
        each = todo.pop()
        if id(each) in seen or isinstance(each, type):
            continue
        seen.add(id(each))
        if isinstance(each, bytes):
            for text in ("某某某", PERSON, OTHER, "HH-1"):
                assert text.encode() not in each
        assert each not in ("某某某", PERSON, OTHER, "HH-1")
        todo += gc.get_referents(each)


def test_what_is_wiped_is_gone() -> None:
    """The key as well: a copy of the sealed bytes cannot be opened any more."""
    copy = SealedCopy()
    copy.apply([row(), row(2, number="HH-2", identifier=None)])
    key = copy._key

    copy.wipe()

    assert (copy.rows, copy.unreadable, names(copy)) == (0, 0, [])
    assert copy._key != key


def test_ten_thousands_of_rows_take_megabytes() -> None:
    """Less than 1,000 bytes each."""
    count = 20_000
    copy = SealedCopy()
    tracemalloc.start()
    try:
        copy.apply(row(index, number=f"HH-{index}") for index in range(count))
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert copy.rows == count
    assert taken < 1_000 * count


GOOD: dict[str, object] = {
    "row_id": 1,
    "biz_id": "HH-1",
    "row_state": "1",
    "upd_time": AT,
    "name": "李明",
    "id_card": "370102820315002",
    "death_time": AT,
    "valid_from": AT.date(),
    "facility": None,
}


def test_a_row_of_the_view_is_spelt_as_the_live_check_spells_it() -> None:
    """Texts, days, times; nothing is an empty text; a number of 15 digits is widened."""
    read = read_row(GOOD, ("name", "id_card", "death_time", "valid_from", "facility"))

    assert read.identifier is not None
    assert len(read.identifier) == 18
    assert read.in_force is True
    assert dict(read.line) == {
        "name": "李明",
        "id_card": "370102820315002",
        "death_time": "2026-11-23 02:00:00",
        "valid_from": "2026-11-23",
        "facility": "",
    }


@pytest.mark.parametrize(
    "changed",
    [
        {"row_id": None},
        {"row_id": "1"},
        {"biz_id": None},
        {"biz_id": ""},
        {"upd_time": None},
        {"upd_time": "2026-11-23"},
        {"upd_time": AT.astimezone()},
        {"name": 7},
        {"name": b"x"},
    ],
)
def test_a_row_of_another_form_is_malformed(changed: dict[str, object]) -> None:
    """A column that has become something else."""
    with pytest.raises(AnswerMalformed):
        read_row({**GOOD, **changed}, ("name", "id_card"))


@pytest.mark.parametrize(
    ("changed", "readable"),
    [
        ({"id_card": None}, False),
        ({"id_card": "3701"}, False),
        ({"row_state": "2"}, False),
        ({"row_state": None}, False),
        ({"row_state": 1}, False),
        ({"row_state": "0", "id_card": None}, True),
        ({}, True),
    ],
)
def test_a_row_without_an_owner_or_a_state_is_not_readable(
    changed: dict[str, object], *, readable: bool
) -> None:
    """It is kept, and makes absence mean nothing."""
    assert read_row({**GOOD, **changed}, ("name", "id_card")).is_readable is readable
