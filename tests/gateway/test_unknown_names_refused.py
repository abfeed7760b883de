"""A name the catalog does not have is one refusal, whatever is asked beside it."""

import dataclasses

import pytest

from gateway.errors import Reason
from gateway.outcome import Answered
from hutong.client import Identity, Question
from hutong.client.requests import build_exchange
from tests.gateway.asking import core_question, diploma_question, moment
from tests.gateway.core import Core
from tests.gateway.provoked import require_refused

pytestmark = pytest.mark.asyncio(loop_scope="session")

CERTIFICATE = "990191200405549684"


@pytest.mark.parametrize(
    "fields",
    [("full_nam",), ("full_nam", "full_name"), ("full_name", "full_nam"), ("ethnicity", "nam")],
    ids=",".join,
)
async def test_an_unknown_field_is_one_refusal_alone_or_in_company(
    core: Core, retirement: Identity, fields: tuple[str, ...]
) -> None:
    """Misspelt alone, beside a granted field, or beside a withheld one: the same reason."""
    question = dataclasses.replace(core_question(retirement), fields=fields)
    request = build_exchange(retirement, question, moment(core.now_ms))

    require_refused(await core.ask(retirement, request), Reason.QUERY_INVALID)

    assert core.events == ["refuse"]


async def test_a_known_field_that_is_withheld_stays_unexplained(
    core: Core, retirement: Identity
) -> None:
    """Condition, ceiling, prohibition and a field outside the agreement remain one code."""
    question = dataclasses.replace(core_question(retirement), fields=("ethnicity", "photo"))
    request = build_exchange(retirement, question, moment(core.now_ms))

    require_refused(await core.ask(retirement, request), Reason.NOTHING_GRANTED)


@pytest.mark.parametrize(
    ("agreement", "dataset"),
    [("XY-2026-299", "ps.person_core@1"), ("XY-2026-201", "mca.marriage@1")],
    ids=["another agreement", "another dataset"],
)
async def test_a_stranger_to_an_agreement_learns_of_no_field(
    core: Core, retirement: Identity, agreement: str, dataset: str
) -> None:
    """Known and unknown names look alike to whom no agreement lets ask."""
    reasons = []
    for field in ("full_name", "no_such_field"):
        question = dataclasses.replace(
            core_question(retirement), agreement=agreement, dataset=dataset, fields=(field,)
        )
        request = build_exchange(retirement, question, moment(core.now_ms))
        outcome = await core.ask(retirement, request)
        reasons.append(require_refused(outcome, Reason.AGREEMENT_NOT_APPLICABLE).reason)

    assert len(set(reasons)) == 1


def _claiming(question: Question, name: str) -> Question:
    return dataclasses.replace(question, claims={name: CERTIFICATE})


async def test_a_claim_under_an_unknown_name_is_refused(core: Core, retirement: Identity) -> None:
    """It would be compared with nothing, and the answer would read as if nothing was claimed."""
    wrong = _claiming(diploma_question(retirement), "certificate_number")
    request = build_exchange(retirement, wrong, moment(core.now_ms))

    require_refused(await core.ask(retirement, request), Reason.QUERY_INVALID)

    assert core.events == ["refuse"]


@pytest.mark.parametrize("name", ["certificate_no", "full_name"])
async def test_a_claim_of_the_catalog_is_asked(core: Core, retirement: Identity, name: str) -> None:
    """A further key of the dataset, or one of its fields."""
    right = _claiming(diploma_question(retirement), name)
    request = build_exchange(retirement, right, moment(core.now_ms))

    assert isinstance(await core.ask(retirement, request), Answered)
