"""Convert a daemon's status to Prometheus metric families at scrape time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    SummaryMetricFamily,
)
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from bgpreflector.daemon.report import StatusReport
from bgpreflector.daemon.status import status_of

from .list import METRICS, latency_buckets
from .metric import PREFIX, Metric, Totals

if TYPE_CHECKING:
    from bgpreflector.daemon.supervisor import Supervisor


class DaemonCollector(Collector):
    """Reads the daemon's status once a scrape and keeps nothing.

    A reload replaces the daemon, and its counters start at 0 as after a restart.
    """

    def __init__(self, service: Supervisor) -> None:
        self._service = service

    def describe(self) -> list[Family]:
        """Nothing: registration must not read the daemon."""
        return []

    def collect(self) -> Iterator[Family]:
        """All of :data:`METRICS` from one sample."""
        daemon = self._service.daemon
        engine_status = daemon.engine.status()
        report = status_of(daemon, engine_status)
        for metric in METRICS:
            if metric.samples is None:
                histogram = HistogramMetricFamily(f"{PREFIX}_{metric.name}", metric.help)
                buckets, total = latency_buckets(engine_status)
                histogram.add_metric([], buckets, total)
                yield histogram
            else:
                yield _family(metric, report)


def _family(metric: Metric, report: StatusReport) -> Family:
    name = f"{PREFIX}_{metric.name}"
    samples = () if metric.samples is None else metric.samples(report)
    if metric.kind == "summary":
        summary = SummaryMetricFamily(name, metric.help, labels=metric.labels)
        for labels, value in samples:
            if isinstance(value, Totals):
                summary.add_metric(labels, value.number, value.total)
        return summary
    kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    family = kind(name, metric.help, labels=metric.labels)
    for labels, value in samples:
        if isinstance(value, float):
            family.add_metric(labels, value)
    return family
