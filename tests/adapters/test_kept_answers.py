"""What is kept of an answer: found by its own question only, bounded, sealed, wiped."""

from collections.abc import Callable
from dataclasses import fields, replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from adapters.kept import LIFE_S, MAX_ANSWER, KeptAnswer, KeptAnswers
from adapters.port import FieldName, Grant, Query, Subject, SubjectType
from certs.identity import SystemId
from tests.adapters.asking import CLEAR, COMPARE, IS_TRUE, OFFICER, query_of
from tests.adapters.education.asking import DEGREE, DIPLOMA

CODE = "ABCD1234EFGH"
TAG = '"0123456789abcdef"'
BODY = '{"records":[{"xm":"李明哲"}]}'.encode()
ASKED = query_of(DIPLOMA, ("370102198203159010", "李明哲"), {"verified": IS_TRUE})


def _kept(now: Callable[[], float] = lambda: 0.0) -> KeptAnswers:
    kept = KeptAnswers(now)
    kept.keep(ASKED, CODE, TAG, BODY)
    return kept


def test_the_same_question_finds_its_answer() -> None:
    """Another request about the same thing is given tag and bytes, in whatever order it asks."""
    both = {"verified": IS_TRUE, "full_name": COMPARE}
    person = ("370102198203159010", "李明哲")
    first = query_of(DIPLOMA, person, both, {"b": "1", "a": "2"})
    again = query_of(DIPLOMA, person, dict(reversed(both.items())), {"a": "2", "b": "1"})
    kept = KeptAnswers(lambda: 0.0)
    kept.keep(first, CODE, TAG, BODY)

    again = replace(again, request_id=bytes(16), item=3, issued_at_ms=1, request_envelope=b"other")

    assert kept.find(again, CODE) == KeptAnswer(tag=TAG, body=BODY)


IDENTIFIERS = ("370102198203159010", "370102195603159016")
NAMES = ("李明哲", "李明", None)
KEYS = (None, b"k" * 32, b"j" * 32)


def _subjects() -> st.SearchStrategy[Subject]:
    return st.builds(
        Subject,
        type=st.sampled_from(SubjectType),
        identifier=st.sampled_from(IDENTIFIERS),
        full_name=st.sampled_from(NAMES),
    )


def _grants() -> st.SearchStrategy[tuple[Grant, ...]]:
    grant = st.builds(
        Grant,
        field=st.sampled_from([FieldName("verified"), FieldName("full_name")]),
        effect=st.sampled_from([IS_TRUE, COMPARE, CLEAR]),
        pseudonym_key=st.sampled_from(KEYS),
    )
    return st.lists(grant, max_size=2, unique_by=lambda each: each.field).map(tuple)


BOUND: dict[str, st.SearchStrategy[object]] = {
    "audience": st.sampled_from([ASKED.audience, SystemId("11370000MB2DEM0105/title")]),
    "matter": st.sampled_from(["M2", "M5"]),
    "case_number": st.sampled_from(["BJ-2026-000001", "BJ-2026-000002"]),
    "dataset": st.sampled_from([DIPLOMA, DEGREE]),
    "subject": _subjects(),
    "grants": _grants(),
    "claims": st.dictionaries(st.sampled_from("ab"), st.sampled_from("xy"), max_size=2),
    "by_officer": st.booleans(),
    "end_user": st.sampled_from([None, OFFICER, replace(OFFICER, unit_code="11370100MB2DEM0012")]),
    "tell_not_found": st.booleans(),
}
"""Everything an answer is bound to, each with values to confuse."""
FREE = {
    "request_id",
    "item",
    "issued_at_ms",
    "deadline",
    "pending_request_id",
    "request_envelope",
    # What is kept is raw: it is signed anew for every asking, by where the key lives now.
    "custody",
    # Grants are bound themselves; a bundle that grants the same changes nothing.
    "policy_digest",
}
"""What differs between two askings of one question, or says how its answer is signed."""


def _changed(query: Query, parts: dict[str, st.SearchStrategy[object]]) -> st.SearchStrategy[Query]:
    return st.builds(replace, st.just(query), **parts)


def _questions() -> st.SearchStrategy[tuple[Query, str]]:
    return st.tuples(_changed(ASKED, BOUND), st.sampled_from([CODE, CODE[::-1], ""]))


def _meaning(query: Query, further: str) -> tuple[object, ...]:
    told = [getattr(query, name) for name in BOUND if name not in {"grants", "dataset"}]
    return (*told, query.dataset.name, {each.field: each for each in query.grants}, further)


def test_every_part_of_a_query_is_bound_or_free() -> None:
    """A part that is added to the port has to be thought of here."""
    assert {each.name for each in fields(Query)} == set(BOUND) | FREE


@given(st.lists(_questions(), min_size=2, max_size=12))
def test_no_answer_crosses_to_another_question(questions: list[tuple[Query, str]]) -> None:
    """Whatever was kept for many, each finds its own last answer, and none another's."""
    kept = KeptAnswers(lambda: 0.0)
    model: list[tuple[tuple[object, ...], bytes]] = []
    for number, (query, further) in enumerate(questions):
        meaning = _meaning(query, further)
        known = [body for asked, body in model if asked == meaning]
        found = kept.find(query, further)

        assert (None if found is None else found.body) == (known[-1] if known else None)

        kept.keep(query, further, TAG, b"%d" % number)
        model.append((meaning, b"%d" % number))


@given(_questions(), st.data())
def test_one_part_changed_finds_nothing(asked: tuple[Query, str], data: st.DataObject) -> None:
    """System, matter, case, dataset, subject, grants, claims, officer: each alone is enough."""
    query, further = asked
    name = data.draw(st.sampled_from(sorted(BOUND)))
    other = data.draw(_changed(query, {name: BOUND[name]}))
    assume(_meaning(other, further) != _meaning(query, further))
    kept = KeptAnswers(lambda: 0.0)

    kept.keep(query, further, TAG, BODY)

    assert kept.find(other, further) is None
    assert kept.find(query, further) is not None


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 40), st.floats(0, LIFE_S / 2)), max_size=60
    )
)
def test_it_never_grows_beyond_its_bounds(steps: list[tuple[int, int, float]]) -> None:
    """By number, by bytes and by age, whatever is kept in whatever order."""
    now = [0.0]
    kept_at: dict[str, float] = {}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("adapters.kept.MAX_ANSWERS", 3)
        patched.setattr("adapters.kept.MAX_BYTES", 200)
        kept = KeptAnswers(lambda: now[0])
        for number, length, later in steps:
            now[0] += later
            kept.keep(ASKED, str(number), TAG, bytes(length))
            kept_at[str(number)] = now[0]
            found = [name for name in kept_at if kept.find(ASKED, name) is not None]

            assert len(kept._answers) <= 3
            assert kept._bytes == sum(len(each.content) for each in kept._answers.values()) <= 200
            assert all(now[0] - kept_at[name] < LIFE_S for name in found)


def test_another_code_does_not_either() -> None:
    """A person may have given out more than one."""
    assert _kept().find(ASKED, CODE[::-1]) is None


def test_an_answer_is_kept_for_its_time() -> None:
    """Found until its life is over, and not held beyond it."""
    now = [0.0]
    kept = _kept(lambda: now[0])

    now[0] = LIFE_S - 1
    assert kept.find(ASKED, CODE) is not None
    now[0] = LIFE_S

    assert kept.find(ASKED, CODE) is None
    assert not kept._answers


@pytest.mark.parametrize(("bound", "value"), [("MAX_ANSWERS", 2), ("MAX_BYTES", 200)])
def test_the_oldest_goes_when_it_is_full(
    monkeypatch: pytest.MonkeyPatch, bound: str, value: int
) -> None:
    """Two fit, by number or by bytes; the third takes the place of the first."""
    monkeypatch.setattr(f"adapters.kept.{bound}", value)
    kept = _kept()
    codes = [CODE, "B" * 12, "C" * 12]

    for code in codes[1:]:
        kept.keep(ASKED, code, TAG, BODY)

    assert [kept.find(ASKED, code) is not None for code in codes] == [False, True, True]


def test_a_newer_answer_takes_the_place_of_its_own() -> None:
    """One question has one answer, and room is not lost by replacing it."""
    kept = _kept()
    for number in range(100):
        kept.keep(ASKED, CODE, f'"{number}"', BODY)

    assert kept.find(ASKED, CODE) == KeptAnswer(tag='"99"', body=BODY)
    assert kept._bytes == sum(len(each.content) for each in kept._answers.values())


@pytest.mark.parametrize(
    "tag", ["", TAG[1:-1], f"W/{TAG}", '""', '"a\r\nX-Other: b"', f'"{"a" * 200}"']
)
def test_what_is_no_strong_tag_is_not_kept(tag: str) -> None:
    """It would be sent as a header, and must promise the same bytes; the one before goes too."""
    kept = _kept()

    kept.keep(ASKED, CODE, tag, BODY)

    assert kept.find(ASKED, CODE) is None


def test_an_answer_too_long_is_not_kept() -> None:
    """An honest one is far shorter."""
    kept = _kept()

    kept.keep(ASKED, CODE, TAG, bytes(MAX_ANSWER + 1))

    assert kept.find(ASKED, CODE) is None


def test_nothing_readable_lies_in_memory() -> None:
    """Neither the record, nor the tag, nor what it is found by stands there in clear."""
    ((key, sealed),) = _kept()._answers.items()

    held = key + sealed.content
    clear = (BODY, TAG.encode(), CODE.encode(), ASKED.subject.identifier.encode())
    assert not [text for text in clear if text in held]
    assert "0123456789abcdef" not in repr(_kept().find(ASKED, CODE)).replace(TAG, "")


def test_wiped_nothing_is_found_and_nothing_could_be_opened() -> None:
    """The key goes with the answers."""
    kept = _kept()
    ((key, sealed),) = kept._answers.items()
    kept.wipe()

    kept._answers[key] = sealed

    assert kept.find(ASKED, CODE) is None
    assert kept._bytes == 0
