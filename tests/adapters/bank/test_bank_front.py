"""Messages to the front as somebody between may treat them, octet for octet."""

from pathlib import Path

import pytest
from aiohttp import web

from adapters.errors import AdapterError
from adapters.kinds.bank.front import Front
from tests.adapters.asking import NOW_MS
from tests.adapters.bank.asking import identity_of
from tests.adapters.bank.test_bank_messages import question
from tests.adapters.calling import Start, within
from tests.adapters.simulated import Simulator

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
