"""Metrics of a provider node: closed labels, no personal data.

`NODE_TABLE` is compared with docs/adapters/provider-node.md.
"""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from gateway.metrics import Labelled

NODE_TABLE: Final = (
    ("hutong_node_fetch_total", "Queries by outcome and reason."),
    ("hutong_node_fetch_seconds", "Seconds from the message to the outcome."),
    ("hutong_node_in_flight", "Queries under way."),
    ("hutong_node_policy_differs_total", "Queries of a gateway whose policy bundle is another."),
    ("hutong_health", "1 when the real operation of a part worked at the last look, by part."),
)
_BUCKETS: Final = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)


class NodeMetrics:
    """One registry per process."""

    def __init__(self) -> None:
        """Register every metric of `NODE_TABLE`."""
        text = dict(NODE_TABLE)
        self.registry = CollectorRegistry()

        def name(metric: str) -> tuple[str, str]:
            return metric, text[metric]

        self.fetch_total = Labelled(
            Counter(*name("hutong_node_fetch_total"), ("outcome", "reason"), registry=self.registry)
        )
        self.fetch_seconds = Histogram(
            *name("hutong_node_fetch_seconds"), registry=self.registry, buckets=_BUCKETS
        )
        self.in_flight = Gauge(*name("hutong_node_in_flight"), registry=self.registry)
        self.policy_differs = Counter(
            *name("hutong_node_policy_differs_total"), registry=self.registry
        )
        self.health = Labelled(Gauge(*name("hutong_health"), ("part",), registry=self.registry))

    def exposition(self) -> bytes:
        """Return the Prometheus text format."""
        return generate_latest(self.registry)
