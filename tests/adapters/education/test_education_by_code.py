"""Query by verification code over the wire: 200 and kept, 304 and confirmed, changed, expired."""

from dataclasses import replace

import pytest
from multidict import CIMultiDict

from adapters.kinds.education import EducationAdapter
from adapters.port import DatasetShape, Indeterminate, NotFound, Record, Untold
from adapters.transport import HttpAnswer, HttpCall
from tests.adapters.asking import CLEAR, COMPARE, IS_TRUE, disclosed
from tests.adapters.education.asking import DEGREE, DIPLOMA, Asking, claim
from tests.adapters.simulated import Person

pytestmark = [pytest.mark.integration, pytest.mark.slow]

GRANTS = {"verified": IS_TRUE, "certificate_no": CLEAR}


def code_of(person: Person, dataset: str = "diploma") -> dict[str, str]:
    """Return the person's own verification code as a claim."""
    return {"verification_code": person.text("education", dataset, "code")}


@pytest.fixture
def answers(adapter: EducationAdapter, monkeypatch: pytest.MonkeyPatch) -> list[HttpAnswer]:
    """Note every answer of the data interface as it comes over the wire."""
    noted: list[HttpAnswer] = []
    fetch = adapter._transport.fetch

    async def noting(call: HttpCall, deadline: float) -> HttpAnswer:
        answer = await fetch(call, deadline)
        if call.path.startswith("/api/"):
            noted.append(answer)
        return answer

    monkeypatch.setattr(adapter._transport, "fetch", noting)
    return noted


def _statuses(answers: list[HttpAnswer]) -> list[int]:
    return [answer.status for answer in answers]


@pytest.mark.parametrize(("shape", "dataset"), [(DIPLOMA, "diploma"), (DEGREE, "degree")])
async def test_a_code_opens_the_certificate_of_its_holder(
    asking: Asking, shape: DatasetShape, dataset: str
) -> None:
    """The number need not be known, and the department vouches for the record."""
    person = asking.simulator.person("ordinary_graduate")

    _, told = await asking.fetch(shape, person, GRANTS, code_of(person, dataset))

    assert told == {"verified": "YES", **claim(person, dataset)}


async def test_asked_again_the_department_confirms_what_is_kept(
    asking: Asking, answers: list[HttpAnswer]
) -> None:
    """It is asked both times; the second answer has no body, and the same is told from it."""
    person = asking.simulator.person("ordinary_graduate")
    _, before = await asking.fetch(DIPLOMA, person, GRANTS, code_of(person))

    outcome, told = await asking.fetch(DIPLOMA, person, GRANTS, code_of(person))

    assert isinstance(outcome, Record)
    assert told == before
    assert told
    assert _statuses(answers) == [200, 304]
    assert answers[1].body == b""


async def test_under_other_grants_the_record_is_fetched_again(
    asking: Asking, answers: list[HttpAnswer]
) -> None:
    """What came for some fields serves no question for others, although it holds them."""
    person = asking.simulator.person("ordinary_graduate")
    await asking.fetch(DIPLOMA, person, GRANTS, code_of(person))

    _, told = await asking.fetch(DIPLOMA, person, {"institution_name": CLEAR}, code_of(person))

    assert told == {"institution_name": person.text("education", "diploma", "institution_name")}
    assert _statuses(answers) == [200, 200]


async def test_a_changed_record_is_told_as_it_is_now(
    asking: Asking, answers: list[HttpAnswer]
) -> None:
    """A degree revoked meanwhile has another tag: the new record comes, and is kept instead."""
    person = asking.simulator.person("ordinary_graduate")
    claims = code_of(person, "degree")
    await asking.fetch(DEGREE, person, GRANTS, claims)
    asking.simulator.set_fault("degree_revoked")

    told = [(await asking.fetch(DEGREE, person, {"verified": IS_TRUE}, claims))[1] for _ in "ab"]

    assert told == [{"verified": "NO"}] * 2
    assert _statuses(answers) == [200, 200, 304]


@pytest.mark.parametrize("change", [{"case_number": "BJ-2026-000002"}, {"matter": "M5"}])
async def test_another_case_or_matter_gets_its_own_record(
    asking: Asking, answers: list[HttpAnswer], change: dict[str, str]
) -> None:
    """Nothing is carried from one purpose to another, not even to be confirmed."""
    person = asking.simulator.person("ordinary_graduate")
    query = asking.query(DIPLOMA, person, GRANTS, code_of(person))
    await asking.adapter.fetch(query)

    outcome = await asking.adapter.fetch(replace(query, **change))  # type: ignore[arg-type] # names vary

    assert isinstance(outcome, Record)
    assert _statuses(answers) == [200, 200]


async def test_closed_the_adapter_keeps_nothing(asking: Asking) -> None:
    """What was kept goes with its connections."""
    person = asking.simulator.person("ordinary_graduate")
    query = asking.query(DIPLOMA, person, GRANTS, code_of(person))
    await asking.adapter.fetch(query)
    code = query.claims["verification_code"]
    kept = asking.adapter._kept.find(query, code)

    await asking.adapter.close()

    assert kept is not None
    assert asking.adapter._kept.find(query, code) is None


async def test_somebody_elses_code_is_no_and_nothing_of_its_holder(asking: Asking) -> None:
    """It was given out, but not by this person."""
    person = asking.simulator.person("ordinary_graduate")
    other = asking.simulator.person("ordinary_employee")
    grants = {"verified": IS_TRUE, "institution_name": CLEAR, "certificate_no": CLEAR}

    _, told = await asking.fetch(DIPLOMA, person, grants, code_of(other))

    assert told == {"verified": "NO"}


async def test_a_number_beside_the_code_has_to_be_its_own(asking: Asking) -> None:
    """Both claims are looked at: the code is good, the number is of another certificate."""
    person = asking.simulator.person("ordinary_graduate")
    other = asking.simulator.person("ordinary_employee")
    grants = {"verified": IS_TRUE, "certificate_no": COMPARE}

    _, own = await asking.fetch(DIPLOMA, person, grants, code_of(person) | claim(person))
    _, wrong = await asking.fetch(DIPLOMA, person, grants, code_of(person) | claim(other))
    _, none = await asking.fetch(
        DIPLOMA, person, {"verified": IS_TRUE}, code_of(person) | {"certificate_no": "abc"}
    )

    assert own == {"verified": "YES", "certificate_no": "YES"}
    assert wrong == {"verified": "NO", "certificate_no": "NO"}
    assert none == {"verified": "ERROR"}


async def test_a_code_that_can_be_none_is_not_sent(asking: Asking) -> None:
    """The finding says whose error it is, also beside a good number."""
    person = asking.simulator.person("ordinary_graduate")
    bad = {"verification_code": "../jobs/" + "0" * 32}

    _, told = await asking.fetch(DIPLOMA, person, {"verified": IS_TRUE}, claim(person) | bad)

    assert told == {"verified": "ERROR"}
    received = asking.simulator.admin("GET", "/received")["received"]
    assert "by-code/.." not in str(received)


async def test_a_code_nobody_gave_out_is_not_found(asking: Asking) -> None:
    """Like a number nobody has."""
    person = asking.simulator.person("ordinary_graduate")

    outcome, _ = await asking.fetch(DIPLOMA, person, GRANTS, {"verification_code": "Z" * 16})

    assert isinstance(outcome, NotFound)


async def test_an_expired_code_is_neither_no_nor_not_found(
    asking: Asking, answers: list[HttpAnswer]
) -> None:
    """The certificate may be as good as ever; the holder has to give out another code."""
    person = asking.simulator.person("diploma_code_expired")

    outcome, told = await asking.fetch(DIPLOMA, person, {"verified": IS_TRUE}, code_of(person))

    assert isinstance(outcome, Record)
    assert told == {"verified": "ERROR"}
    assert _statuses(answers) == [410]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("other_person", Indeterminate.SUBJECT_MISMATCH),
        ("html_page", Indeterminate.PROVIDER_MALFORMED),
        ("empty_body", Indeterminate.PROVIDER_MALFORMED),
        ("server_error", Indeterminate.PROVIDER_UNAVAILABLE),
        ("redirect", Indeterminate.PROVIDER_MALFORMED),
    ],
)
async def test_what_is_kept_answers_for_no_fault(
    asking: Asking, fault: str, reason: Indeterminate
) -> None:
    """A department that cannot confirm leaves it untold, whatever is kept."""
    person = asking.simulator.person("ordinary_graduate")
    await asking.fetch(DIPLOMA, person, GRANTS, code_of(person))
    asking.simulator.set_fault(fault)

    outcome, _ = await asking.fetch(DIPLOMA, person, GRANTS, code_of(person))

    assert outcome == Untold(reason=reason)


@pytest.mark.parametrize("tag", ['"another"', ""])
async def test_a_304_for_another_record_confirms_nothing(
    asking: Asking, monkeypatch: pytest.MonkeyPatch, tag: str
) -> None:
    """It has to name what it confirms."""
    person = asking.simulator.person("ordinary_graduate")
    query = asking.query(DIPLOMA, person, GRANTS, code_of(person))
    await asking.adapter.fetch(query)
    fetch = asking.adapter._transport.fetch

    async def retagged(call: HttpCall, deadline: float) -> HttpAnswer:
        answer = await fetch(call, deadline)
        headers = CIMultiDict(answer.headers)
        headers["ETag"] = tag
        return replace(answer, headers=headers)

    monkeypatch.setattr(asking.adapter._transport, "fetch", retagged)

    outcome = await asking.adapter.fetch(query)
    again = await asking.adapter.fetch(query)

    assert outcome == Untold(reason=Indeterminate.PROVIDER_MALFORMED)
    # What it did not confirm is fetched whole.
    assert isinstance(again, Record)


async def test_a_304_nobody_asked_for_is_malformed(
    asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only who sent a tag may be told that nothing has changed."""
    person = asking.simulator.person("ordinary_graduate")
    query = asking.query(DIPLOMA, person, GRANTS, code_of(person))
    await asking.adapter.fetch(query)
    kept = asking.adapter._kept.find(query, query.claims["verification_code"])
    assert kept is not None
    fetch = asking.adapter._transport.fetch

    async def tagged(call: HttpCall, deadline: float) -> HttpAnswer:
        headers = {**call.headers, "If-None-Match": kept.tag}
        return await fetch(replace(call, headers=headers, keep_unmodified=False), deadline)

    monkeypatch.setattr(asking.adapter._transport, "fetch", tagged)
    asking.adapter._kept.wipe()

    outcome = await asking.adapter.fetch(query)

    assert outcome == Untold(reason=Indeterminate.PROVIDER_MALFORMED)
    assert disclosed(query, await _afresh(asking, person)) == {"verified": "YES", **claim(person)}


async def _afresh(asking: Asking, person: Person) -> Record:
    """Ask with the certificate number, which needs no tag."""
    outcome = await asking.adapter.fetch(asking.query(DIPLOMA, person, GRANTS, claim(person)))
    assert isinstance(outcome, Record)
    return outcome
