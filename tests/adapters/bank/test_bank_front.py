"""Messages to the front as somebody between may treat them, octet for octet."""

from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from adapters.errors import AdapterError
from adapters.kinds.bank.front import Front
from adapters.port import Indeterminate, Untold
from adapters.simulators.population import Quirk, account_of, planted_index
from tests.adapters.asking import NOW_MS
from tests.adapters.bank.asking import (
    ALL_CARD,
    ALL_VERIFY,
    CARD,
    PEOPLE,
    VERIFY,
    Asking,
    claims_of,
    identity_of,
)
from tests.adapters.bank.test_bank_messages import question
from tests.adapters.calling import Start, within
from tests.adapters.simulated import Simulator

PENSIONER = PEOPLE.person(planted_index(Quirk.ORDINARY_PENSIONER))
pytestmark = [pytest.mark.integration, pytest.mark.slow]


async def _never(_: float) -> None:
    raise AssertionError("nothing was accepted")


@pytest.mark.parametrize("status", [429, 502, 503, 504])
@pytest.mark.parametrize("kind", ["text/plain", "application/xml"])
async def test_a_page_of_somebody_between_is_no_refusal(
    simulator: Simulator, pki: Path, start: Start, status: int, kind: str
) -> None:
    """Unsigned, it does not say that nothing was accepted: the answer is looked for."""
    del simulator
    seen: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.method)
        if request.method == "POST":
            return web.Response(status=status, text="<busy/>", content_type=kind)
        return web.Response(text="<found/>", content_type="application/xml")

    front = Front(await start(answer), identity_of(pki), lambda: NOW_MS)
    asked = question("bk.sscard_account")

    with pytest.raises(AdapterError):
        await front.ask(asked.operation, [asked], within(8), _never)

    assert seen == ["POST", "GET"]


async def test_a_refusal_after_a_lost_message_gives_no_check_back(asking: Asking) -> None:
    """What was refused at last may have been accepted at first, and was."""
    account = account_of(PENSIONER)
    asking.simulator.set_fault("late_accept", 1)
    # Neither the lost message nor the look for its answer, but all that comes after.
    asking.simulator.set_fault("quota", after=2)
    subject = (PENSIONER.id_number, PENSIONER.full_name)
    query = asking.query(VERIFY, subject, ALL_VERIFY, claims_of(account), seconds=1.0)

    refused = await asking.adapter.fetch(query)
    asking.simulator.reset()
    others = [await asking.verify(PENSIONER, account) for _ in range(3)]
    before = asking.simulator.received()
    fifth = await asking.verify(PENSIONER, account)

    assert refused == Untold(reason=Indeterminate.PROVIDER_QUOTA)
    assert all(one.fields for one in others)
    assert fifth.outcome == Untold(reason=Indeterminate.PROVIDER_QUOTA)
    assert asking.simulator.received() == before


async def test_a_message_is_sent_as_often_as_is_configured(asking: Asking) -> None:
    """Who allows one call means one, of the message and of a busy row alike."""
    transport = asking.adapter._transport
    transport._limits = replace(transport._limits, attempts=1)
    before = asking.simulator.received()

    asking.simulator.set_fault("busy", 1)
    refused = await asking.fetch(CARD, PENSIONER, ALL_CARD)
    asking.simulator.set_fault("item_busy", 1)
    busy = await asking.fetch(CARD, PENSIONER, ALL_CARD)

    assert refused.outcome == Untold(reason=Indeterminate.PROVIDER_UNAVAILABLE)
    assert busy.outcome == Untold(reason=Indeterminate.PROVIDER_TIMEOUT)
    assert asking.simulator.received() == before + 2
