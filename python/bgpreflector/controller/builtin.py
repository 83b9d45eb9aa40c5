"""The events that the controller itself and its operator use."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from .base import Event, UpdateEvent
from .enums import EventMethod

if TYPE_CHECKING:
    from .handler import KubeStateData


@dataclass(frozen=True, eq=False)
class _Resync(Event):
    reason: str
    """Why the resync is asked for: "startup", "operator", "link eth0 went down", ..."""

    blocking: bool = False
    """Whether the producer waits for the result."""

    @property
    def is_blocking(self) -> bool:
        """As given to the constructor."""
        return self.blocking

    def __str__(self) -> str:
        return f"{self.name} ({self.reason})"

    @property
    def cause(self) -> str:
        """The reason."""
        return self.reason


@dataclass(frozen=True, eq=False)
class FullResync(_Resync):
    """Read everything again, from the sources to the southbound.

    The first one is the startup resync: everything pushed before it waits for it.
    """

    kube_state_data: KubeStateData = field(default_factory=dict, repr=False)
    """Handed to the handlers in this and all later resyncs."""

    @property
    def name(self) -> str:
        """The name of all events of this type: "Full Resync"."""
        return "Full Resync"

    @property
    def method(self) -> EventMethod:
        """``FULL_RESYNC``."""
        return EventMethod.FULL_RESYNC


@dataclass(frozen=True, eq=False)
class UpstreamResync(_Resync):
    """Handlers rebuild their desired state; the southbound is not read again."""

    @property
    def name(self) -> str:
        """The name of all events of this type: "Upstream Resync"."""
        return "Upstream Resync"

    @property
    def method(self) -> EventMethod:
        """``UPSTREAM_RESYNC``."""
        return EventMethod.UPSTREAM_RESYNC


@dataclass(frozen=True, eq=False)
class DownstreamResync(_Resync):
    """Read the southbound again and correct it; handlers are not called."""

    @property
    def name(self) -> str:
        """The name of all events of this type: "Downstream Resync"."""
        return "Downstream Resync"

    @property
    def method(self) -> EventMethod:
        """``DOWNSTREAM_RESYNC``."""
        return EventMethod.DOWNSTREAM_RESYNC


class HealingResyncType(Enum):
    """What started a healing resync."""

    PERIODIC = "Periodic"
    """The interval for it is over."""

    AFTER_ERROR = "AfterError"
    """An event failed: the state of sources, handlers or southbound is uncertain."""

    AFTER_REFUSALS = "AfterRefusals"
    """The sink keeps refusing operations; the transaction itself was right."""

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, eq=False)
class HealingResync(Event):
    """A resync that repairs: at an interval, or after events or operations that failed."""

    type: HealingResyncType
    error: BaseException | None = None
    """The error; ``None`` for the periodic one."""

    @property
    def name(self) -> str:
        """The name of all events of this type: "Healing Resync"."""
        return "Healing Resync"

    @property
    def method(self) -> EventMethod:
        """``FULL_RESYNC`` after an error, otherwise ``DOWNSTREAM_RESYNC``."""
        if self.type is HealingResyncType.AFTER_ERROR:
            return EventMethod.FULL_RESYNC
        return EventMethod.DOWNSTREAM_RESYNC

    def __str__(self) -> str:
        if self.type is HealingResyncType.PERIODIC:
            return f"{self.name} (Periodic)"
        cause = self.cause
        return f"{self.name} ({cause[0].upper()}{cause[1:]})"

    @property
    def cause(self) -> str:
        """Why, for people: its interval is over, or what failed."""
        if self.type is HealingResyncType.AFTER_ERROR:
            return f"after error: {self.error}"
        if self.type is HealingResyncType.AFTER_REFUSALS:
            return f"after refusals: {self.error}"
        return "periodic"


class Shutdown(UpdateEvent):
    """The last event: handlers may clean up."""

    @property
    def name(self) -> str:
        """The name of all events of this type: "Shutdown"."""
        return "Shutdown"

    @property
    def is_blocking(self) -> bool:
        """True: the producer waits until the loop has reached it."""
        return True
