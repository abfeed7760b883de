"""The page for departments lists what the code has: settings, metrics."""

from pathlib import Path

from prometheus_client import Counter, Gauge, Histogram

from gateway.node.config import NodeConfig, NodeLimitConfig
from gateway.node.metrics import NODE_TABLE, NodeMetrics

PAGE = Path(__file__).parents[2] / "docs" / "adapters" / "provider-node.md"


def _rows() -> list[list[str]]:
    lines = PAGE.read_text("utf-8").splitlines()
    rows = [line.strip("|").split("|") for line in lines if line.startswith("| `")]
    return [[cell.strip().strip("`") for cell in row] for row in rows]


def test_page_lists_every_setting() -> None:
    """Name and default, in the order of the code."""
    documented = {row[0]: row[1] for row in _rows()}
    settings = {**NodeConfig.model_fields}
    settings |= {f"limits.{name}": each for name, each in NodeLimitConfig.model_fields.items()}

    for name, field in settings.items():
        simple = isinstance(field.default, str | int)
        expected = str(field.default) if simple else ""
        expected = expected.lower() if isinstance(field.default, bool) else expected
        assert documented[name] == expected


def test_page_lists_every_metric() -> None:
    """Name and text; each is registered, under that name."""
    names = {name for name, _ in NODE_TABLE}
    documented = [tuple(row[:2]) for row in _rows() if row[0] in names]
    metrics = NodeMetrics()
    registered = {each.name for each in metrics.registry.collect()}

    assert documented == list(NODE_TABLE)
    assert {name.removesuffix("_total") for name in names} == registered
    assert isinstance(metrics.in_flight, Gauge)
    assert isinstance(metrics.policy_differs, Counter)
    assert isinstance(metrics.fetch_seconds, Histogram)
