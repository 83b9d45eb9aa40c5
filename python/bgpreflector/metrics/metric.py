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


def one(value: Callable[[StatusReport], float | None]) -> Samples:
    """A metric without labels; absent if it has no value."""

    def samples(report: StatusReport) -> Iterator[Sample]:
        found = value(report)
        if found is not None:
            yield (), float(found)

    return samples


def by(figures: Callable[[StatusReport], Mapping[str, float]]) -> Samples:
    """A metric with one label."""
    return lambda report: (((name,), float(n)) for name, n in figures(report).items())
