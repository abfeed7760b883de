"""Packages of questions: never too large, never mixed, and nobody waits in vain."""

import asyncio
from collections.abc import Sequence

import pytest

from adapters.errors import AdapterError, AnswerMalformed, DepartmentFailed
from adapters.kinds.public_security.batch import Batcher, PackageKey, Waiting
from adapters.kinds.public_security.package import MAX_RECORDS
from adapters.kinds.public_security.reading import OPERATIONS, Question, build_question
from adapters.port import EndUser, Indeterminate
from tests.adapters.asking import NOW_MS, OFFICER, query_of, shape_of

SHAPE = shape_of("ps.person_verify@1", {"deceased": "pred"})


def question() -> Question:
    """Return a question about a person."""
    query = query_of(SHAPE, ("370102198203150024", "李明"), {})
    return build_question(OPERATIONS["ps.person_verify"], query)


def key(end_user: EndUser = OFFICER) -> PackageKey:
    """Return what the questions of these tests have in common."""
    return PackageKey(operation="GK_GXFW_SFHC", end_user=end_user, matter="M2")


async def test_a_package_is_never_larger_than_the_register_takes() -> None:
    """The 501st question opens the next package."""
    sizes: list[int] = []

    async def send(_: PackageKey, group: Sequence[Waiting]) -> None:
        sizes.append(len(group))
        await asyncio.sleep(0)
        for waiting in group:
            waiting.answer.set_result({})

    batcher = Batcher(send)
    asked = question()

    answers = await asyncio.gather(
        *(batcher.ask(key(), asked, NOW_MS, 0.0) for _ in range(MAX_RECORDS + 1))
    )
    await batcher.close()

    assert sizes == [MAX_RECORDS, 1]
    assert len(answers) == MAX_RECORDS + 1


@pytest.mark.parametrize(
    "failure", [DepartmentFailed(Indeterminate.PROVIDER_UNAVAILABLE), AnswerMalformed("x")]
)
async def test_every_asker_learns_that_the_package_failed(failure: AdapterError) -> None:
    """Nobody waits for an answer that cannot come."""

    async def send(_: PackageKey, __: Sequence[Waiting]) -> None:
        await asyncio.sleep(0)
        raise failure

    batcher = Batcher(send)
    asked = question()

    results = await asyncio.gather(
        *(batcher.ask(key(), asked, NOW_MS, 0.0) for _ in range(3)), return_exceptions=True
    )

    assert results == [failure] * 3


async def test_closing_leaves_nobody_waiting() -> None:
    """Who still waits is told that the department failed."""

    async def send(_: PackageKey, __: Sequence[Waiting]) -> None:
        await asyncio.sleep(60)

    batcher = Batcher(send)
    waiting = asyncio.create_task(batcher.ask(key(), question(), NOW_MS, 0.0))
    await asyncio.sleep(0.02)

    await batcher.close()

    with pytest.raises(DepartmentFailed):
        await waiting


async def test_who_has_left_is_not_asked_about() -> None:
    """A question nobody waits for stays here."""
    sent = 0

    async def send(_: PackageKey, __: Sequence[Waiting]) -> None:
        nonlocal sent
        await asyncio.sleep(0)
        sent += 1

    batcher = Batcher(send)
    waiting = asyncio.create_task(batcher.ask(key(), question(), NOW_MS, 0.0))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.sleep(0.02)

    assert sent == 0
