"""The event loop: events, handlers, transactions and the controller that runs them.

Sources push events; the :class:`Controller` takes each through the :class:`EventHandler`
objects, which put what they want into a :class:`Transaction`, and commits that to the
:class:`Sink`, the southbound.
"""

from .backoff import Backoff
from .base import Event, EventLoop, UpdateEvent
from .batch import RouteBatch
from .builtin import (
    DownstreamResync,
    FullResync,
    HealingResync,
    HealingResyncType,
    Shutdown,
    UpstreamResync,
)
from .clock import Clock, SystemClock
from .controller import Controller
from .enums import Direction, EventMethod, TransactionType
from .errors import (
    AbortEventError,
    BatchNotConsumedError,
    ControllerClosedError,
    EventLoopAbortingError,
    EventQueueFullError,
    FatalError,
    OperationsFailedError,
    ResyncNeededError,
)
from .handler import EventHandler, Handler, KubeStateData, UsesEventLoop
from .observer import Observer
from .recovery import Settings
from .sink import CommitResult, OperationFailure, Sink
from .transaction import ResyncOperations, Transaction, UpdateOperations

__all__ = [
    "AbortEventError",
    "Backoff",
    "BatchNotConsumedError",
    "Clock",
    "CommitResult",
    "Controller",
    "ControllerClosedError",
    "Direction",
    "DownstreamResync",
    "Event",
    "EventHandler",
    "EventLoop",
    "EventLoopAbortingError",
    "EventMethod",
    "EventQueueFullError",
    "FatalError",
    "FullResync",
    "Handler",
    "HealingResync",
    "HealingResyncType",
    "KubeStateData",
    "Observer",
    "OperationFailure",
    "OperationsFailedError",
    "ResyncNeededError",
    "ResyncOperations",
    "RouteBatch",
    "Settings",
    "Shutdown",
    "Sink",
    "SystemClock",
    "Transaction",
    "TransactionType",
    "UpdateEvent",
    "UpdateOperations",
    "UpstreamResync",
    "UsesEventLoop",
]
