"""How an event is reacted to: the method, the direction and the kind of transaction."""

from __future__ import annotations

from enum import Enum


class EventMethod(Enum):
    """What has to be synchronised with what."""

    FULL_RESYNC = "FullResync"
    """Sources, handlers and southbound: everything is read again and compared."""

    UPSTREAM_RESYNC = "UpstreamResync"
    """Handlers rebuild what they want; what the southbound holds is not read again."""

    DOWNSTREAM_RESYNC = "DownstreamResync"
    """The southbound alone is read again and corrected; handlers are not called."""

    UPDATE = "Update"
    """An incremental change."""

    def __init__(self, value: str) -> None:
        self.is_resync = value != "Update"
        """Whether this is one of the three resync methods."""

        self.calls_handlers = value != "DownstreamResync"
        """Whether the event reaches the handlers at all."""

        self.rereads_southbound = value in {"FullResync", "DownstreamResync"}
        """Whether the southbound is read again before the handlers run."""

    def __str__(self) -> str:
        return str(self.value)


class Direction(Enum):
    """The order in which an update passes the handlers."""

    FORWARD = "Forward"
    """As they were given to the controller: every handler after those it depends on."""

    REVERSE = "Reverse"
    """The other way round: every handler before those it depends on."""

    def __str__(self) -> str:
        return self.value


class TransactionType(Enum):
    """What happens to an update's finished part when another part of it fails."""

    BEST_EFFORT = "BestEffort"
    """It stays, the other handlers still run. A healing resync follows where the southbound was
    not reached, or a handler's error asks for one."""

    BEST_EFFORT_IGNORE_ERRORS = "BestEffortIgnoreErrors"
    """It stays, the other handlers still run, and no healing resync follows."""

    REVERT_ON_FAILURE = "RevertOnFailure"
    """It is undone: processing stops at the first error."""

    def __str__(self) -> str:
        return self.value
