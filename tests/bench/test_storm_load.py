"""What counts as a fault that was injected, and as patience."""

from pathlib import Path

import pytest

from bench.storm_faults import count_injected
from bench.storm_load import LOOK_S, happens


def test_only_faults_the_trace_names_are_counted(tmp_path: Path) -> None:
    """Traced calls that went well are none, and a gateway that was never traced has none."""
    trace = tmp_path / "trace"
    assert count_injected(trace) == 0
    trace.write_text(
        "71 fdatasync(7) = 0\n"
        "71 fdatasync(7) = -1 EIO (Input/output error) (INJECTED)\n"
        "71 fdatasync(7) = -1 EIO (Input/output error)\n"
    )

    assert count_injected(trace) == 1


@pytest.mark.asyncio
async def test_what_never_happens_is_given_up() -> None:
    """The looks are counted, so patience ends."""
    looks: list[bool] = []

    def never() -> bool:
        looks.append(False)
        return False

    assert not await happens(never, 4 * LOOK_S)
    assert len(looks) == 5


@pytest.mark.asyncio
async def test_what_happens_at_the_last_look_counts() -> None:
    """One more look follows the last pause."""
    answers = iter((False, False, True))

    assert await happens(lambda: next(answers), 2 * LOOK_S)
