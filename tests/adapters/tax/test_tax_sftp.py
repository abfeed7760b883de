"""One connection for many operations: what one of them suffers is not the others' loss."""

import asyncio

import pytest

from adapters.errors import DepartmentFailed
from adapters.port import BreakerState, Indeterminate
from tests.adapters.tax.office import Office, Open, answered

pytestmark = [pytest.mark.integration, pytest.mark.slow]


async def _write(opened: Office, name: str, seconds: float) -> None:
    await opened.transport.write(f"/in/{name}", b"x", opened.now() + seconds)


async def _require_timeout(opened: Office, name: str, seconds: float) -> None:
    with pytest.raises(DepartmentFailed) as failed:
        await _write(opened, name, seconds)
    assert failed.value.reason is Indeterminate.PROVIDER_TIMEOUT


async def test_who_is_in_a_hurry_takes_nobodys_connection(office: Open) -> None:
    """Nine give up early: the tenth is served on the connection they left, no breaker opens."""
    async with office(answered) as opened:
        await _write(opened, "first", 5.0)
        opened.plain.slow_s = 0.2
        patient = asyncio.create_task(_write(opened, "patient", 5.0))

        await asyncio.gather(*(_require_timeout(opened, f"hurried{n}", 0.15) for n in range(9)))
        await patient

        assert opened.transport.breaker.state is BreakerState.CLOSED
        assert (opened.plain.folder / "in" / "patient").exists()


async def test_a_silent_connection_is_left_by_everybody_in_his_own_time(office: Open) -> None:
    """After a fair wait another one is opened; who still waits on the old one is not cut off."""
    async with office(answered) as opened:
        await _write(opened, "first", 5.0)
        line = opened.transport._line
        assert line is not None
        opened.plain.slow_s = 2.0
        patient = asyncio.create_task(_write(opened, "patient", 5.0))

        await _require_timeout(opened, "fair", 1.2)
        opened.plain.slow_s = 0.0
        await _write(opened, "next", 5.0)
        another = opened.transport._line
        await patient
        async with asyncio.timeout(2):
            await line.connection.wait_closed()

        assert another is not None
        assert another is not line
        assert opened.transport._line is another
