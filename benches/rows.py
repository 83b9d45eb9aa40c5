"""What a benchmark has to say: one row of the table."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What became of a target."""

    MET = "met"
    MISSED = "missed"
    NONE = ""


@dataclass(frozen=True)
class Target:
    """A bound on a row's value or on its ratio."""

    bound: float
    at_least: bool
    of_ratio: bool

    def __str__(self) -> str:
        sign = "≥" if self.at_least else "≤"
        return f"{'ratio ' if self.of_ratio else ''}{sign} {self.bound:,.10g}"

    def met_by(self, value: float) -> bool:
        """Whether the bound is kept."""
        return value >= self.bound if self.at_least else value <= self.bound


def at_most(bound: float, *, ratio: bool = False) -> Target:
    """An upper bound, of the value or, if ``ratio``, of the ratio to the peer."""
    return Target(bound, at_least=False, of_ratio=ratio)


def at_least(bound: float, *, ratio: bool = False) -> Target:
    """A lower bound."""
    return Target(bound, at_least=True, of_ratio=ratio)


@dataclass(frozen=True)
class Row:
    """One line of the table.

    ``value`` and ``peer`` are in ``unit``; ``peer_name`` says what the peer or the limit is.
    ``ratio`` is ours divided by the peer's: small is better for times, large for rates.
    """

    what: str
    value: float
    unit: str
    peer_name: str = ""
    peer: float | None = None
    ratio: float | None = None
    target: Target | None = None
    note: str = ""
    background_load: float = 0.0
    """Share of the processors that other processes had meanwhile."""

    @property
    def verdict(self) -> Verdict:
        """Whether the target is met."""
        if self.target is None:
            return Verdict.NONE
        held = self.ratio if self.target.of_ratio else self.value
        if held is None:
            return Verdict.NONE
        return Verdict.MET if self.target.met_by(held) else Verdict.MISSED

    def as_json(self) -> dict[str, object]:
        """For the file of results."""
        return {
            **asdict(self),
            "target": None if self.target is None else str(self.target),
            "verdict": str(self.verdict),
        }
