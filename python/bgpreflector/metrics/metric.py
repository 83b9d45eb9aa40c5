"""A metric, and where its values come from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from bgpreflector.daemon.report import StatusReport

Kind = Literal["gauge", "counter", "summary", "histogram"]


class Totals(NamedTuple):
    """The value of a summary."""

    number: int
    total: float


Sample: TypeAlias = tuple[tuple[str, ...], float | Totals]
"""The labels' values, and the value."""

Samples: TypeAlias = Callable[[StatusReport], Iterable[Sample]]

PREFIX = "bgpreflector"


@dataclass(frozen=True)
class Metric:
    """One metric. No label is a prefix, which bounds the number of series."""

    name: str
    """Without :data:`PREFIX`, and of a counter without ``_total``."""

    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    samples: Samples | None = None
    """``None`` for the one histogram, whose buckets come from the engine."""

    @property
    def full_name(self) -> str:
        """The name in Prometheus."""
        return f"{PREFIX}_{self.name}" + ("_total" if self.kind == "counter" else "")


def gauge(name: str, help_: str, value: Callable[[StatusReport], float | None]) -> Metric:
    """A gauge without labels; absent while it has no value."""
    return Metric(name, "gauge", help_, (), _one(value))


def counter(name: str, help_: str, value: Callable[[StatusReport], float | None]) -> Metric:
    """A counter without labels; absent while it has no value."""
    return Metric(name, "counter", help_, (), _one(value))


def gauges(
    name: str, help_: str, label: str, values: Callable[[StatusReport], Mapping[str, float]]
) -> Metric:
    """A gauge with one label."""
    return Metric(name, "gauge", help_, (label,), _by_label(values))


def counters(
    name: str, help_: str, label: str, values: Callable[[StatusReport], Mapping[str, float]]
) -> Metric:
    """A counter with one label."""
    return Metric(name, "counter", help_, (label,), _by_label(values))


def _one(value: Callable[[StatusReport], float | None]) -> Samples:
    def samples(report: StatusReport) -> Iterator[Sample]:
        found = value(report)
        if found is not None:
            yield (), float(found)

    return samples


def _by_label(values: Callable[[StatusReport], Mapping[str, float]]) -> Samples:
    return lambda report: (((name,), float(n)) for name, n in values(report).items())
