"""Metrics: few names, closed labels, counted at the edge from the outcome value. No personal data.

`TABLE` below is compared with docs/operations/metrics.md; labels are always present.
"""

from typing import Final, Generic, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics import MetricWrapperBase

from gateway.board import Board

TABLE: Final = (
    ("hutong_exchange_total", "Calls by method, outcome and reason."),
    ("hutong_exchange_seconds", "Seconds from step 0 to the outcome, by method."),
    ("hutong_exchange_request_bytes", "Bytes of request messages, by method."),
    ("hutong_exchange_in_flight", "Calls under way."),
    ("hutong_provider_total", "Questions put to departments, by provider and outcome."),
    ("hutong_provider_seconds", "Seconds a department took, by provider."),
    ("hutong_provider_waiting", "Exchanges that wait for a department, by provider."),
    (
        "hutong_provider_turned_away_total",
        "Questions not put because the department's room was full, by provider.",
    ),
    ("hutong_provider_breaker", "0 closed, 1 half-open, 2 open: no questions, by provider."),
    (
        "hutong_record_distrusted_total",
        "Disclosures dropped or records discarded in steps 9 and 10.",
    ),
    (
        "hutong_identifier_doubt_total",
        "Subjects asked about whose identifier has a doubt that refuses nothing, by problem.",
    ),
    ("hutong_log_size", "Entries in the access log."),
    ("hutong_log_append_seconds", "Seconds until an entry was durable."),
    ("hutong_log_process", "1 while a process of its own writes the log."),
    ("hutong_compute_process", "1 while the second process takes jobs."),
    ("hutong_health", "1 when the real operation of a part worked at the last look, by part."),
)

_SECONDS_BUCKETS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
_BYTES_BUCKETS: Final = (512, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 98304)

M = TypeVar("M", bound=MetricWrapperBase)


class Labelled(Generic[M]):
    """A metric with labels; what one list of values leads to is found once and kept."""

    __slots__ = ("_found", "_metric")

    def __init__(self, metric: M) -> None:
        self._metric = metric
        self._found: dict[tuple[str, ...], M] = {}

    def of(self, *values: str) -> M:
        """Return the metric of these label values, in the order the labels were declared."""
        found = self._found.get(values)
        if found is None:
            # The library looks them up under a lock, which costs ten times as much as this.
            found = self._found[values] = self._metric.labels(*values)
        return found


class Metrics:
    """One registry per process, handed to whoever counts."""

    def __init__(self) -> None:
        """Register every metric of `TABLE`."""
        text = dict(TABLE)
        self.registry = CollectorRegistry()
        self.board = Board()

        def name(metric: str) -> tuple[str, str]:
            return metric, text[metric]

        def counter(metric: str, *labels: str) -> Labelled[Counter]:
            return Labelled(Counter(*name(metric), labels, registry=self.registry))

        def gauge(metric: str, label: str) -> Labelled[Gauge]:
            return Labelled(Gauge(*name(metric), (label,), registry=self.registry))

        def histogram(
            metric: str, label: str, buckets: tuple[float, ...] = _SECONDS_BUCKETS
        ) -> Labelled[Histogram]:
            return Labelled(
                Histogram(*name(metric), (label,), registry=self.registry, buckets=buckets)
            )

        self.exchange_total = counter("hutong_exchange_total", "method", "outcome", "reason")
        self.exchange_seconds = histogram("hutong_exchange_seconds", "method")
        self.request_bytes = histogram("hutong_exchange_request_bytes", "method", _BYTES_BUCKETS)
        self.in_flight = Gauge(*name("hutong_exchange_in_flight"), registry=self.registry)
        self.provider_total = counter("hutong_provider_total", "provider", "outcome")
        self.provider_seconds = histogram("hutong_provider_seconds", "provider")
        self.provider_waiting = gauge("hutong_provider_waiting", "provider")
        self.turned_away_total = counter("hutong_provider_turned_away_total", "provider")
        self.provider_breaker = gauge("hutong_provider_breaker", "provider")
        self.distrusted_total = counter("hutong_record_distrusted_total", "provider", "cause")
        self.doubt_total = counter("hutong_identifier_doubt_total", "problem")
        self.log_size = Gauge(*name("hutong_log_size"), registry=self.registry)
        self.log_process = Gauge(*name("hutong_log_process"), registry=self.registry)
        self.compute_process = Gauge(*name("hutong_compute_process"), registry=self.registry)
        self.log_append_seconds = Histogram(
            *name("hutong_log_append_seconds"), registry=self.registry, buckets=_SECONDS_BUCKETS
        )
        self.health = gauge("hutong_health", "part")

    def exposition(self) -> bytes:
        """Return the Prometheus text format."""
        return generate_latest(self.registry)


class MetricsObserver:
    """Counts what departments did, and what was doubtful about subjects."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def asked(self, provider: str, outcome: str, seconds: float) -> None:
        """Count one question to a department."""
        self._metrics.provider_total.of(provider, outcome).inc()
        self._metrics.provider_seconds.of(provider).observe(seconds)
        self._metrics.board.count(provider, outcome, seconds)

    def turned_away(self, provider: str) -> None:
        """Count one question that found the department's room full."""
        self._metrics.turned_away_total.of(provider).inc()

    def distrusted(self, provider: str, cause: str, count: int) -> None:
        """Count what was dropped or discarded."""
        self._metrics.distrusted_total.of(provider, cause).inc(count)

    def doubted(self, problem: str) -> None:
        """Count a doubt; the label is one of a closed list."""
        self._metrics.doubt_total.of(problem).inc()
