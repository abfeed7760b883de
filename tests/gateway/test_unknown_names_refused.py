"""A name the catalog does not have is one refusal, whatever is asked beside it."""

import dataclasses

import pytest
import structlog

from gateway.errors import Reason
from gateway.outcome import Answered
from hutong.client import Identity, Question
from hutong.client.requests import build_exchange
from tests.gateway.asking import core_question, diploma_question, moment
from tests.gateway.core import Core
from tests.gateway.provoked import require_refused

pytestmark = pytest.mark.asyncio(loop_scope="session")

CERTIFICATE = "990191200405549684"
EIGHT = " ".join(f"fields[{number}]" for number in range(8))


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


@pytest.mark.parametrize(
    ("fields", "claims", "detail"),
    [
        (("full_name", "full_nam"), {}, "fields[1]: not in ps.person_core@1"),
        (("p370102198203159010",), {}, "fields[0]: not in ps.person_core@1"),
        (("full_name",), {"full_nam": "1"}, "claims[0]: not in ps.person_core@1"),
        (("nam", "full_name"), {"b": "1"}, "fields[0] claims[0]: not in ps.person_core@1"),
        (tuple(f"f{n}" for n in range(20)), {}, f"{EIGHT}: not in ps.person_core@1"),
        (tuple(f"f{n}" for n in range(8)), {"b": "1"}, f"{EIGHT}: not in ps.person_core@1"),
    ],
)
async def test_the_place_of_an_unknown_name_is_told_to_operators_alone(
    core: Core,
    retirement: Identity,
    fields: tuple[str, ...],
    claims: dict[str, str],
    detail: str,
) -> None:
    """The place and the dataset, never what was sent for a name; and nothing of it leaves."""
    question = dataclasses.replace(core_question(retirement), fields=fields, claims=claims)
    request = build_exchange(retirement, question, moment(core.now_ms))

    with structlog.testing.capture_logs() as written:
        refused = require_refused(await core.ask(retirement, request), Reason.QUERY_INVALID)

    told = [each for each in written if each["event"] == "refused"]
    unknown = {*fields, *claims} - {"full_name"}
    assert [each["detail"] for each in told] == [detail]
    assert not any(name in str(each.values()) for each in told for name in unknown)
    assert refused.envelope is not None
    assert b"not in ps" not in refused.envelope


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
