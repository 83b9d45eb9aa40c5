"""One thing that was looked at, and what is to be done about it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any


class Severity(Enum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    """Something works less well than it could, or will not in some event."""

    ERROR = "error"
    """Routes do not get into VPP."""


@dataclass(frozen=True)
class Finding:
    """What was found of one object."""

    check: str
    """What was looked at: ``kernel``, ``routes``, ``vpp``, ``memory`` and the like."""

    severity: Severity
    object: str
    """Which setting, interface, socket or file."""

    what: str
    """What was found."""

    do: str | None = None
    """What to do; ``None`` where all is well."""

    def as_object(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self) | {"severity": self.severity.value}


def ok(check: str, object_: str, what: str) -> Finding:
    """All is well."""
    return Finding(check, Severity.OK, object_, what)


def warning(check: str, object_: str, what: str, do: str) -> Finding:
    """It could be better."""
    return Finding(check, Severity.WARNING, object_, what, do)


def error(check: str, object_: str, what: str, do: str) -> Finding:
    """It does not work."""
    return Finding(check, Severity.ERROR, object_, what, do)


def routes(count: int) -> str:
    """That many routes."""
    return "1 route" if count == 1 else f"{count} routes"
