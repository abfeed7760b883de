"""Every fault of the platform has its outcome, through either generation."""

import logging
import re
from pathlib import Path

import pytest

from adapters.port import BreakerState, Indeterminate, Record, Untold
from adapters.transport import TransportLimits
from tests.adapters.asking import CLEAR
from tests.adapters.education.asking import DIPLOMA
from tests.adapters.national.riding import Riding

pytestmark = [pytest.mark.integration, pytest.mark.slow]

PAGE = (Path(__file__).parents[3] / "docs" / "adapters" / "national.md").read_text("utf-8")
FAULT = Indeterminate.PROVIDER_FAULT
MALFORMED = Indeterminate.PROVIDER_MALFORMED
UNAVAILABLE = Indeterminate.PROVIDER_UNAVAILABLE
# Fault → the generations it is of, its outcome, and how many calls of a question it costs.
FAILING: dict[str, tuple[tuple[int, ...], Indeterminate, int]] = {
    "platform_failed": ((1, 2), UNAVAILABLE, 3),
    "secret_expired": ((1,), FAULT, 2),
    "not_authorised": ((1, 2), FAULT, 1),
    "clock_skew": ((1, 2), FAULT, 1),
    "unknown_code": ((1, 2), FAULT, 1),
    "no_mark": ((1,), MALFORMED, 1),
    "wrong_rid": ((1, 2), MALFORMED, 1),
    "rewrapped_body": ((1, 2), MALFORMED, 1),
    "inner_failed": ((2,), UNAVAILABLE, 3),
    "outer_failed": ((2,), UNAVAILABLE, 3),
    "bad_sign": ((2,), MALFORMED, 1),
    "two_results": ((2,), MALFORMED, 1),
    "server_error": ((1, 2), UNAVAILABLE, 3),
    "half_body": ((1, 2), MALFORMED, 1),
    "html_page": ((1, 2), MALFORMED, 1),
    "gbk_body": ((1, 2), MALFORMED, 1),
    "empty_body": ((1, 2), MALFORMED, 1),
    "redirect": ((1, 2), MALFORMED, 1),
}
ELSEWHERE = {"hang", "bad_secret"}  # below, and with the deadline
WAYS = [(1, "sha256"), (2, "sha256")]
CASES = [
    pytest.param((generation, "sha256"), fault, reason, calls, id=f"{fault}-{generation}")
    for fault, (generations, reason, calls) in FAILING.items()
    for generation in generations
]


def test_every_fault_of_the_page_is_switched_on_here() -> None:
    """A fault that is added to the page and not to this table is found."""
    section = PAGE.split("\n故障（封闭枚举）：\n")[1]
    named = re.findall(r"^\| `([a-z_]+)` \| ([12、]+) \|", section, re.MULTILINE)

    listed = {name: tuple(map(int, which.split("、"))) for name, which in named}
    assert {name: listed[name] for name in FAILING} == {
        name: generations for name, (generations, _, _) in FAILING.items()
    }
    assert set(listed) == set(FAILING) | ELSEWHERE


@pytest.mark.parametrize(("way", "fault", "reason", "calls"), CASES)
async def test_each_fault_is_untold_for_its_own_reason(
    riding: Riding, caplog: pytest.LogCaptureFixture, fault: str, reason: Indeterminate, calls: int
) -> None:
    """With a secret and a token in hand: never a value, a person or the platform's text."""
    caplog.set_level(logging.DEBUG)
    person = riding.simulator.person("ordinary_graduate")
    await riding.fetch(DIPLOMA, person, {"institution_name": CLEAR})
    riding.platform.admin("DELETE", "/received")
    riding.platform.set_fault(fault)

    outcome, _ = await riding.fetch(DIPLOMA, person, {"institution_name": CLEAR})

    assert outcome == Untold(reason=reason)
    assert len(riding.seen("/gjgxjhpt/rest") + riding.seen("/gateway/rest")) == calls
    for unwanted in (person.full_name, person.identifier, "张伟", "demo-app-key", "s_1137"):
        assert unwanted not in caplog.text


@pytest.mark.parametrize(("way", "fault", "reason", "calls"), CASES)
async def test_a_fault_from_the_first_call_on_is_no_answer_either(
    riding: Riding, fault: str, reason: Indeterminate, calls: int
) -> None:
    """At the secret or at the token."""
    del reason, calls
    person = riding.simulator.person("ordinary_graduate")
    riding.platform.set_fault(fault)

    outcome, _ = await riding.fetch(DIPLOMA, person, {"institution_name": CLEAR})

    assert isinstance(outcome, Untold)


@pytest.mark.parametrize(
    ("way", "fault"),
    [case.values[:2] for case in CASES if case.values[2] is UNAVAILABLE],
    ids=str,
)
async def test_one_passing_failure_is_not_noticed(riding: Riding, fault: str) -> None:
    """A question only reads: it is put again, signed anew."""
    person = riding.simulator.person("ordinary_graduate")
    await riding.fetch(DIPLOMA, person, {"institution_name": CLEAR})
    riding.platform.set_fault(fault, 1)

    outcome, _ = await riding.fetch(DIPLOMA, person, {"institution_name": CLEAR})

    assert isinstance(outcome, Record)


@pytest.mark.parametrize("way", [(1, "sha256")], ids=str)
async def test_a_secret_under_another_key_is_malformed(riding: Riding) -> None:
    """It is not signed with."""
    person = riding.simulator.person("ordinary_graduate")
    riding.platform.admin("DELETE", "/received")
    riding.platform.set_fault("bad_secret")

    outcome, _ = await riding.fetch(DIPLOMA, person, {"institution_name": CLEAR})

    assert outcome == Untold(reason=MALFORMED)
    assert riding.seen("/gjgxjhpt/rest") == []


@pytest.mark.parametrize("way", WAYS, ids=str)
async def test_a_department_that_is_silent_behind_the_platform_is_left_alone(
    riding: Riding,
) -> None:
    """The breaker counts what is wrapped in a success as it counts what comes plainly."""
    person = riding.simulator.person("ordinary_graduate")
    await riding.fetch(DIPLOMA, person, {"institution_name": CLEAR})
    riding.simulator.set_fault("server_error")
    for _ in range(TransportLimits().breaker_failures):
        await riding.fetch(DIPLOMA, person, {"institution_name": CLEAR})
    before = riding.platform.received()

    outcome, _ = await riding.fetch(DIPLOMA, person, {"institution_name": CLEAR})

    assert riding.adapter.breaker_state is BreakerState.OPEN
    assert outcome == Untold(reason=UNAVAILABLE)
    assert riding.platform.received() == before


@pytest.mark.parametrize("way", WAYS, ids=str)
async def test_the_departments_quota_is_told_as_such(riding: Riding) -> None:
    """Its 429 keeps its meaning inside the platform's 200."""
    person = riding.simulator.person("ordinary_graduate")
    await riding.fetch(DIPLOMA, person, {"institution_name": CLEAR})
    riding.simulator.set_fault("rate_limited")

    outcome, _ = await riding.fetch(DIPLOMA, person, {"institution_name": CLEAR})

    assert outcome == Untold(reason=Indeterminate.PROVIDER_QUOTA)
