"""What a department lays out to be copied is copied before anybody asks for it."""

import asyncio

import pytest

from adapters.kinds.civil_affairs import CivilAffairsAdapter
from gateway.app import Gateway

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="session")]


async def test_the_front_end_database_is_copied_without_a_question(gateway: Gateway) -> None:
    """The first sweep of a night finds a copy that reaches to now."""
    (adapter,) = (
        each for each in gateway.registry.adapters if isinstance(each, CivilAffairsAdapter)
    )
    poller = adapter._poller
    assert poller is not None
    view = poller.views["v_cremation"]

    await asyncio.wait_for(view.tried.wait(), 60)

    assert view.find_lag(poller.now()) is None
    assert view.copy.rows > 0
