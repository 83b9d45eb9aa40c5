"""A finding, and what to do about it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any


class Severity(Enum):
    """Severity of a finding."""

    OK = "ok"
    WARNING = "warning"
    """Something is degraded, or may fail."""

    ERROR = "error"
    """Routes do not reach VPP."""


@dataclass(frozen=True)
class Finding:
    """A finding about one object."""

    check: str
    """The check: ``kernel``, ``routes``, ``vpp``, ``memory`` and the like."""

    severity: Severity
    object: str
    """The setting, interface, socket or file."""

    what: str
    """What was found."""

    do: str | None = None
    """What to do; ``None`` for ``ok``."""

    def as_object(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self) | {"severity": self.severity.value}


def ok(check: str, object_: str, what: str) -> Finding:
    """An ``ok`` finding."""
    return Finding(check, Severity.OK, object_, what)


def warning(check: str, object_: str, what: str, do: str) -> Finding:
    """A ``warning`` finding."""
    return Finding(check, Severity.WARNING, object_, what, do)


def error(check: str, object_: str, what: str, do: str) -> Finding:
    """An ``error`` finding."""
    return Finding(check, Severity.ERROR, object_, what, do)
