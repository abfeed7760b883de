"""The education adapter, unchanged, through either generation of the platform."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from adapters.errors import DepartmentFailed
from adapters.kinds.education import EducationAdapter
from adapters.national.transport import Services
from adapters.port import Indeterminate, NotFound, Record, Untold
from adapters.settings import EducationConfig
from tests.adapters.asking import CLEAR, IS_TRUE, disclosed
from tests.adapters.education.asking import DEGREE, DIPLOMA, ENROLMENT, Asking, claim
from tests.adapters.national.riding import KEY, SIDS, Riding, config_of
from tests.adapters.simulated import Simulator

pytestmark = [pytest.mark.integration, pytest.mark.slow]

GRANTS = {"verified": IS_TRUE, "institution_name": CLEAR, "graduation_date": CLEAR}


@pytest.fixture
def direct(education: Simulator, build: Callable[[EducationConfig], EducationAdapter]) -> Asking:
    """Give the same adapter at the department's own address."""
    config = EducationConfig.model_validate(
        {
            "record_key": KEY,
            "client_key": KEY,
            "issuer": "https://edu.sandbox.invalid",
            "client_id": "hrss-gateway",
            "base_url": education.base_url,
        }
    )
    return Asking(education, build(config))


async def test_everybody_is_told_what_he_is_told_directly(riding: Riding, direct: Asking) -> None:
    """Found, not found, odd names, old numbers, malformed records: the platform adds nothing."""
    people = [riding.simulator.person_at(index) for index in range(0, 208, 16)]

    for person in people:
        for shape, grants in (
            (DIPLOMA, GRANTS),
            (DEGREE, {"discipline": CLEAR}),
            (ENROLMENT, {"is_enrolled": IS_TRUE}),
        ):
            outcome, told = await riding.fetch(shape, person, grants)
            expected, expected_told = await direct.fetch(shape, person, grants)

            assert (type(outcome), told) == (type(expected), expected_told)
            if isinstance(outcome, Untold):
                assert outcome == expected


async def test_a_certificate_is_verified(riding: Riding) -> None:
    """A body in Chinese travels there and back."""
    person = riding.simulator.person("ordinary_graduate")

    _, told = await riding.fetch(DIPLOMA, person, GRANTS, claim(person))

    assert told == {
        "verified": "YES",
        "institution_name": person.text("education", "diploma", "institution_name"),
        "graduation_date": "2004-07-01",
    }


async def test_a_code_is_confirmed_without_a_body(riding: Riding) -> None:
    """Method, path, entity tag and 304 pass as they are."""
    person = riding.simulator.person("ordinary_graduate")
    claims = {"verification_code": person.text("education", "diploma", "code")}
    before = riding.platform.received()

    for _ in range(2):
        outcome, told = await riding.fetch(DIPLOMA, person, {"verified": IS_TRUE}, claims)

        assert isinstance(outcome, Record)
        assert told == {"verified": "YES"}
    assert riding.platform.received() > before


async def test_a_slow_job_is_waited_for(riding: Riding) -> None:
    """202 and the polls after it go under the id of their path."""
    person = riding.simulator.person("diploma_before_2002")

    query = riding.query(DIPLOMA, person, {"verified": IS_TRUE}, claim(person), seconds=20)
    outcome = await riding.adapter.fetch(query)

    assert not isinstance(outcome, Untold)
    assert disclosed(query, outcome) == {"verified": "YES"}


async def test_who_is_unknown_is_not_found(riding: Riding) -> None:
    """The department's 404 with its code is a result and no failure of the platform."""
    person = riding.simulator.person("no_education")

    outcome, _ = await riding.fetch(DIPLOMA, person, {"institution_name": CLEAR})

    assert isinstance(outcome, NotFound)


async def test_no_two_calls_share_a_request_id(riding: Riding) -> None:
    """Secrets, tokens, questions and retries alike; each id goes under its path only."""
    riding.platform.admin("DELETE", "/received")
    person = riding.simulator.person("ordinary_graduate")
    riding.platform.set_fault("platform_failed", 1, after=1)

    await riding.fetch(DIPLOMA, person, GRANTS)

    calls = riding.seen("/gjgxjhpt/rest") + riding.seen("/gateway/rest")
    rids = [text for each in calls for name, text in each.items() if name.endswith("_rid")]
    assert len(rids) == len(set(rids)) == 3


@pytest.mark.parametrize("way", [(1, "sha256"), (1, "sm3")], ids=str)
async def test_a_burst_fetches_one_secret_for_each_id(riding: Riding) -> None:
    """Everybody waits for the first."""
    riding.platform.admin("DELETE", "/received")
    person = riding.simulator.person("ordinary_graduate")

    outcomes = await asyncio.gather(*(riding.fetch(DIPLOMA, person, GRANTS) for _ in range(8)))

    assert all(isinstance(outcome, Record) for outcome, _ in outcomes)
    assert len(riding.seen("/gjgxjhpt/secret")) == 2


@pytest.mark.parametrize("way", [(1, "sha256")], ids=str)
async def test_a_secret_is_renewed_before_it_ends(riding: Riding) -> None:
    """A minute before: no call is refused for it, and none before that minute."""
    person = riding.simulator.person("ordinary_graduate")
    await riding.fetch(DIPLOMA, person, GRANTS)
    riding.platform.admin("DELETE", "/received")

    for advance, secrets in ((28 * 60_000, 0), (90_000, 1)):
        riding.platform.admin("POST", "/clock", {"advance_ms": advance})
        # The department's clock stands: its token lasts longer than the platform's secret.
        outcome, _ = await riding.fetch(DIPLOMA, person, GRANTS)

        assert isinstance(outcome, Record)
        assert len(riding.seen("/gjgxjhpt/secret")) == secrets
    assert len(riding.seen("/gjgxjhpt/rest")) == 2


@pytest.mark.parametrize("way", [(1, "sha256"), (1, "sm3")], ids=str)
async def test_a_secret_that_ends_midway_is_not_noticed(riding: Riding) -> None:
    """Also by the call for a token, which may be put twice after such a refusal only."""
    person = riding.simulator.person("ordinary_graduate")
    await riding.fetch(DIPLOMA, person, GRANTS)
    riding.platform.set_fault("secret_expired", 1)
    outcome, _ = await riding.fetch(DIPLOMA, person, GRANTS)
    riding.platform.set_fault("secret_expired", 1)

    health = await riding.adapter.examine_health()

    assert isinstance(outcome, Record)
    assert health.reachable


async def test_nothing_is_sent_under_an_id_of_another_path(
    platform: Simulator, build: Callable[[EducationConfig], EducationAdapter], way: tuple[int, str]
) -> None:
    """A path no id is registered for stays here."""
    sids = SIDS[way[1]]
    services = {"/oauth2/": sids["/oauth2/"]}
    adapter = build(config_of(platform, *way, services=services))
    riding = Riding(platform, platform, adapter)
    person = platform.person("ordinary_graduate")
    platform.admin("DELETE", "/received")

    outcome, _ = await riding.fetch(DIPLOMA, person, GRANTS)

    assert outcome == Untold(reason=Indeterminate.PROVIDER_NOT_CONNECTED)
    assert len(riding.seen("/gjgxjhpt/rest") + riding.seen("/gateway/rest")) == 1  # the token


async def test_the_platform_holds_to_the_paths_of_an_id(
    platform: Simulator, build: Callable[[EducationConfig], EducationAdapter], way: tuple[int, str]
) -> None:
    """An id configured for a path it is not registered for is refused, once."""
    services = {"/": SIDS[way[1]]["/oauth2/"]}
    riding = Riding(platform, platform, build(config_of(platform, *way, services=services)))
    person = platform.person("ordinary_graduate")
    platform.admin("DELETE", "/received")

    outcome, _ = await riding.fetch(DIPLOMA, person, GRANTS)

    assert outcome == Untold(reason=Indeterminate.PROVIDER_FAULT)
    assert len(riding.seen("/gjgxjhpt/rest") + riding.seen("/gateway/rest")) == 2


async def test_a_wrong_key_is_a_fault_and_health_says_so(
    platform: Simulator, build: Callable[[EducationConfig], EducationAdapter], way: tuple[int, str]
) -> None:
    """A signature by another key."""
    adapter = build(config_of(platform, *way, app_key_file="wrong-key"))

    health = await adapter.examine_health()

    assert (health.reachable, health.detail) == (False, "PROVIDER_FAULT")


async def test_the_deadline_holds_through_the_platform(riding: Riding) -> None:
    """One that hangs is left in time, whether it hangs at the secret or at the call."""
    person = riding.simulator.person("ordinary_graduate")
    riding.platform.set_fault("hang")
    started = time.monotonic()

    query = riding.query(DIPLOMA, person, GRANTS, seconds=1.0)
    outcome = await riding.adapter.fetch(replace(query, deadline=started + 1.0))

    assert outcome == Untold(reason=Indeterminate.PROVIDER_TIMEOUT)


def test_the_longest_beginning_decides() -> None:
    """Whatever the order of the file; what fits none is not connected."""
    services = Services({"/api/": "whole", "/api/v1/jobs/": "part"})

    assert services.find("/api/v1/diplomas/query") == "whole"
    assert services.find("/api/v1/jobs/1") == "part"
    with pytest.raises(DepartmentFailed, match="NOT_CONNECTED"):
        services.find("/oauth2/token")
