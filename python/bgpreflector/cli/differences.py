"""What ``plan`` and ``audit`` print of each difference."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .output import say, say_json

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Printer:
    """Prints differences as they are found."""

    schema: int
    """Version of the JSON objects."""

    as_json: bool
    summary: bool
    """Whether they are only counted."""

    def row(self, row: Row, line: Callable[[], str]) -> None:
        """One difference: an object, or ``line`` of it for people."""
        if self.summary:
            return
        if self.as_json:
            say_json({"schema": self.schema, **row}, flush=False)
        else:
            say(line(), flush=False)
