"""Metrics: few names, closed labels, counted at the edge from the outcome value. No personal data.

`TABLE` below is compared with docs/operations/metrics.md; labels are always present.
"""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

TABLE: Final = (
    ("hutong_exchange_total", "Calls by method, outcome and reason."),
    ("hutong_exchange_seconds", "Seconds from step 0 to the outcome, by method."),
    ("hutong_exchange_request_bytes", "Bytes of request messages, by method."),
    ("hutong_exchange_in_flight", "Calls under way."),
    ("hutong_provider_total", "Questions put to departments, by provider and outcome."),
    ("hutong_provider_seconds", "Seconds a department took, by provider."),
    (
        "hutong_record_distrusted_total",
        "Disclosures dropped or records discarded in steps 9 and 10.",
    ),
    ("hutong_log_size", "Entries in the access log."),
    ("hutong_log_append_seconds", "Seconds until an entry was durable."),
    ("hutong_health", "1 when the real operation of a part worked at the last look, by part."),
)

_SECONDS_BUCKETS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
_BYTES_BUCKETS: Final = (512, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 98304)


class Metrics:
    """One registry per process, handed to whoever counts."""

    def __init__(self) -> None:
        """Register every metric of `TABLE`."""
        text = dict(TABLE)
        self.registry = CollectorRegistry()

        def name(metric: str) -> tuple[str, str]:
            return metric, text[metric]

        self.exchange_total = Counter(
            *name("hutong_exchange_total"), ("method", "outcome", "reason"), registry=self.registry
        )
        self.exchange_seconds = Histogram(
            *name("hutong_exchange_seconds"),
            ("method",),
            registry=self.registry,
            buckets=_SECONDS_BUCKETS,
        )
        self.request_bytes = Histogram(
            *name("hutong_exchange_request_bytes"),
            ("method",),
            registry=self.registry,
            buckets=_BYTES_BUCKETS,
        )
        self.in_flight = Gauge(*name("hutong_exchange_in_flight"), registry=self.registry)
        self.provider_total = Counter(
            *name("hutong_provider_total"), ("provider", "outcome"), registry=self.registry
        )
        self.provider_seconds = Histogram(
            *name("hutong_provider_seconds"),
            ("provider",),
            registry=self.registry,
            buckets=_SECONDS_BUCKETS,
        )
        self.distrusted_total = Counter(
            *name("hutong_record_distrusted_total"), ("provider", "cause"), registry=self.registry
        )
        self.log_size = Gauge(*name("hutong_log_size"), registry=self.registry)
        self.log_append_seconds = Histogram(
            *name("hutong_log_append_seconds"), registry=self.registry, buckets=_SECONDS_BUCKETS
        )
        self.health = Gauge(*name("hutong_health"), ("part",), registry=self.registry)

    def exposition(self) -> bytes:
        """Return the Prometheus text format."""
        return generate_latest(self.registry)
