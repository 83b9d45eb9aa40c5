"""Errors that tell the controller, or its caller, what to do next."""

from __future__ import annotations

from bgpreflector.errors import ReflectorError


class _WrappingError(ReflectorError):
    """An error whose text and cause are those of another one."""

    def __init__(self, error: BaseException | str) -> None:
        super().__init__(str(error) or repr(error))
        self.original: BaseException | None = None
        if isinstance(error, BaseException):
            self.original = error
            self.__cause__ = error


class FatalError(_WrappingError):
    """The event loop must stop and the program must end.

    ``original`` is the error it was made from, ``None`` where it was made from a text.
    """


class AbortEventError(_WrappingError):
    """The event must not be processed further, and a resync is needed soon.

    Nothing of the event's transaction is committed; an update that reverts on failure is
    reverted. The program goes on.
    """

    needs_resync = True
    """A healing resync follows."""


class ResyncNeededError(_WrappingError):
    """A handler has failed in a way that a resync repairs: one follows soon.

    The other handlers go on, and what they ask for is committed. An exception of any other class
    asks for the same by an attribute ``needs_resync`` that is true.
    """

    needs_resync = True
    """A healing resync follows."""


class ControllerClosedError(ReflectorError):
    """The event came too late: the controller is closed or is closing."""


class EventLoopAbortingError(ControllerClosedError):
    """The event came too late: a fatal error has stopped the event loop.

    ``__cause__`` is that :class:`FatalError`.
    """


class EventQueueFullError(ReflectorError):
    """The event queue holds as many events as it may; the event was not accepted."""


class BatchNotConsumedError(ReflectorError):
    """An event is over, and no sink has taken a batch of route changes that it carried.

    The changes stay in the route table. They are offered again after a pause that grows to a
    minute, and by the next resync.
    """


class OperationsFailedError(ReflectorError):
    """The southbound was reached but refused some operations.

    The southbound keeps them and the controller has them tried again.
    """
