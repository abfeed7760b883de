"""What is counted stands under its own labels, however often it is counted."""

import asyncio
import time

from gateway.access_log.errors import LogUnavailable
from gateway.app import TimedLog
from gateway.metrics import Metrics, MetricsObserver
from gateway.model import EntryDraft, EntryKind, Logged
from gateway.rpc.edge import Edge

EXCHANGE = "/hutong.exchange.v1.ExchangeService/Exchange"
STREAM = "/hutong.exchange.v1.ExchangeService/ExchangeStream"
USCC = "11370000MB2DEM0105"


def test_calls_are_counted_by_method_outcome_and_reason() -> None:
    """Each label has its own place; two equal outcomes are one line that says 2."""
    metrics = Metrics()
    edge = Edge(metrics)

    for _ in range(2):
        edge.count(EXCHANGE, time.monotonic(), "refused", "EXPIRED")
    edge.count(STREAM, time.monotonic(), "answered", "")

    told = metrics.exposition().decode()
    labels = 'method="Exchange",outcome="refused",reason="EXPIRED"'
    assert f"hutong_exchange_total{{{labels}}} 2.0\n" in told
    labels = 'method="ExchangeStream",outcome="answered",reason=""'
    assert f"hutong_exchange_total{{{labels}}} 1.0\n" in told
    assert 'hutong_exchange_seconds_count{method="Exchange"} 2.0\n' in told


def test_departments_are_counted_by_provider() -> None:
    """Questions by outcome, their seconds, and what was dropped by cause."""
    metrics = Metrics()
    observer = MetricsObserver(metrics)

    observer.asked(USCC, "PROVIDER_TIMEOUT", 0.25)
    observer.asked(USCC, "Record", 0.75)
    observer.distrusted(USCC, "not_granted", 3)

    told = metrics.exposition().decode()
    assert f'hutong_provider_total{{outcome="Record",provider="{USCC}"}} 1.0\n' in told
    assert f'hutong_provider_seconds_sum{{provider="{USCC}"}} 1.0\n' in told
    dropped = f'hutong_record_distrusted_total{{cause="not_granted",provider="{USCC}"}} 3.0\n'
    assert dropped in told


class _TellingLog:
    """A log that tells at once what became of an entry."""

    def __init__(self, outcome: Logged | LogUnavailable) -> None:
        self._outcome = outcome

    def begin(self, _draft: EntryDraft) -> "asyncio.Future[Logged]":
        """Return it."""
        future: asyncio.Future[Logged] = asyncio.get_running_loop().create_future()
        if isinstance(self._outcome, Logged):
            future.set_result(self._outcome)
        else:
            future.set_exception(self._outcome)
        return future


async def test_only_what_became_durable_has_taken_its_time() -> None:
    """An entry that failed says nothing of how long durable ones take."""
    metrics, draft = Metrics(), EntryDraft(kind=EntryKind.TICK, members={})
    durable = Logged(index=0, entry=b"{}", proof=(), checkpoint=b"")

    for outcome in (durable, LogUnavailable("full")):
        log = TimedLog(_TellingLog(outcome), metrics)  # type: ignore[arg-type]  # a double of the log
        await asyncio.gather(log.append(draft), return_exceptions=True)

    assert "hutong_log_append_seconds_count 1.0\n" in metrics.exposition().decode()
