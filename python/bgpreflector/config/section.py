"""The base of all sections."""

from __future__ import annotations

from collections import Counter
from typing import TypeVar

from pydantic import BaseModel, ConfigDict

T = TypeVar("T")


class Section(BaseModel):
    """A part of the configuration: read-only, without unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


def without_repetition(values: tuple[T, ...]) -> tuple[T, ...]:
    """Refuse a list that names something twice."""
    twice = [str(value) for value, times in Counter(values).items() if times > 1]
    if twice:
        raise ValueError(f"must name everything once; named twice: {', '.join(twice)}")
    return values
