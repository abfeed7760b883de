"""What is kept of a verification code: found by its own question only, bounded, sealed, wiped."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from adapters.kinds.education.kept import LIFE_S, MAX_ANSWER, KeptAnswer, KeptAnswers
from adapters.port import Query
from certs.identity import SystemId
from tests.adapters.asking import IS_TRUE, query_of
from tests.adapters.education.asking import DEGREE, DIPLOMA

CODE = "ABCD1234EFGH"
TAG = '"0123456789abcdef"'
BODY = '{"records":[{"xm":"李明哲"}]}'.encode()
ASKED = query_of(DIPLOMA, ("370102198203159010", "李明哲"), {"verified": IS_TRUE})
Change = Callable[[Query], Query]


def _kept(now: Callable[[], float] = lambda: 0.0) -> KeptAnswers:
    kept = KeptAnswers(now)
    kept.keep(ASKED, CODE, TAG, BODY)
    return kept


def test_the_same_question_finds_its_answer() -> None:
    """Another request about the same thing is given tag and bytes, whichever fields it asks."""
    again = replace(ASKED, request_id=bytes(16), item=3, grants=())

    assert _kept().find(again, CODE) == KeptAnswer(tag=TAG, body=BODY)


@pytest.mark.parametrize(
    "change",
    [
        lambda query: replace(query, audience=SystemId("11370000MB2DEM0105/title")),
        lambda query: replace(query, dataset=DEGREE),
        lambda query: replace(query, matter="M5"),
        lambda query: replace(query, case_number="BJ-2026-000002"),
        lambda query: replace(query, subject=replace(query.subject, full_name="李明")),
        lambda query: replace(
            query, subject=replace(query.subject, identifier="370102195603159016")
        ),
    ],
)
def test_no_other_question_does(change: Change) -> None:
    """Nothing goes from one system, dataset, matter, case or person to another."""
    assert _kept().find(change(ASKED), CODE) is None


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
    monkeypatch.setattr(f"adapters.kinds.education.kept.{bound}", value)
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
