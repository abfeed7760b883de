"""The hours at a month's end, in China's time."""

from datetime import datetime

import pytest

from adapters.kinds.tax.window import left_of_window


@pytest.mark.parametrize(
    ("instant", "left_s"),
    [
        ("2026-11-30T17:59:59+08:00", 0),
        ("2026-11-30T18:00:00+08:00", 12 * 3600),
        ("2026-11-30T10:00:00+00:00", 12 * 3600),
        ("2026-12-01T00:00:00+08:00", 6 * 3600),
        ("2026-12-01T05:59:59+08:00", 1),
        ("2026-12-01T06:00:00+08:00", 0),
        ("2026-12-01T18:00:00+08:00", 0),
        ("2026-11-29T20:00:00+08:00", 0),
        ("2028-02-28T20:00:00+08:00", 0),
        ("2028-02-29T20:00:00+08:00", 10 * 3600),
        ("2026-12-31T23:00:00+08:00", 7 * 3600),
    ],
)
def test_what_is_left_of_a_months_end(instant: str, left_s: float) -> None:
    """From 18:00 of the last day to 06:00 of the first."""
    assert left_of_window(round(datetime.fromisoformat(instant).timestamp() * 1000)) == left_s
