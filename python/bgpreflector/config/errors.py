"""What is wrong with a configuration."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bgpreflector.errors import ReflectorError

if TYPE_CHECKING:
    from collections.abc import Iterable

_NO_VALUE = object()

MAX_SHOWN_VALUE = 200
"""The most characters of a value in a message."""


@dataclass(frozen=True)
class Problem:
    """One problem of a configuration."""

    key: str
    """The key as it is written in the file, dotted; empty for the file itself."""

    message: str
    """What is wrong and what is allowed."""

    value: object = _NO_VALUE
    """The refused value, if the problem is about one."""

    @property
    def has_value(self) -> bool:
        """Whether the problem is about a value."""
        return self.value is not _NO_VALUE

    @property
    def what(self) -> str:
        """The refused value, and what is wrong, without the key."""
        return f"{_shown(self.value)}: {self.message}" if self.has_value else self.message

    def __str__(self) -> str:
        value = f" = {_shown(self.value)}" if self.has_value else ""
        return f"{self.key}{value}: {self.message}" if self.key else self.message


class ConfigError(ReflectorError):
    """A configuration that cannot be used, with all its problems at once."""

    def __init__(self, source: str, problems: Iterable[Problem]) -> None:
        self.source = source
        self.problems = tuple(problems)
        lines = "".join(f"\n  {problem}" for problem in self.problems)
        super().__init__(f"{source}: the configuration cannot be used:{lines}")


def _shown(value: object) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    return (
        text
        if len(text) <= MAX_SHOWN_VALUE
        else f"{text[:MAX_SHOWN_VALUE]}… ({len(text)} characters)"
    )
