"""What an event is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Protocol

from .enums import Direction, EventMethod, TransactionType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .batch import RouteBatch


class Event(ABC):
    """Something that happened, for handlers to react to.

    ``str()`` describes the event, possibly in several lines.
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """A name for people, unique among the types of events."""

    @property
    @abstractmethod
    def method(self) -> EventMethod:
        """How the event is reacted to."""

    @property
    def is_blocking(self) -> bool:
        """Whether the producer waits for the event's result."""
        return False

    @property
    def is_wanted(self) -> bool:
        """Whether a caller still wants its result; an unwanted event is dropped."""
        return True

    @property
    def batches(self) -> Sequence[RouteBatch]:
        """The batches that the event carries; released unless they get committed."""
        return ()

    @property
    def cause(self) -> str:
        """Why it is pushed, as an operator would say it."""
        return self.name

    def committed(self) -> None:  # noqa: B027
        """Called before :meth:`done` where the southbound has taken all that the handlers put.

        What it refused of that is kept and tried again. The event may have an error all the same:
        that of a handler.
        """

    def done(self, error: BaseException | None) -> None:  # noqa: B027
        """Called once, when the event is finished or refused, with its first error."""

    def __str__(self) -> str:
        return self.name


class UpdateEvent(Event):
    """An event that can be reacted to by an incremental change."""

    method = EventMethod.UPDATE
    """How it is reacted to: always by an update."""

    @property
    def transaction_type(self) -> TransactionType:
        """What to do with the finished part when another part fails."""
        return TransactionType.BEST_EFFORT

    @property
    def direction(self) -> Direction:
        """The order of the handlers."""
        return Direction.FORWARD


class EventLoop(Protocol):
    """Where events are pushed to."""

    def push_event(self, event: Event) -> None:
        """Queue the event; with a blocking event, wait for its result and raise its error."""
