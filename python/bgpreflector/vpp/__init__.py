"""VPP: the session for everything rare, and the sink that programs routes."""

from .audit import Comparisons
from .engine import RouteEngine
from .flush import FlushResult, flush
from .guard import DeletionGuard, VppGuardDue, Waiting, exceeds, held_reasons
from .held import held_prefixes
from .interfaces import InterfaceMap, VppInterfaces, map_interfaces
from .lookup import Question, VppEntry, VppLookup
from .monitor import DRIFT, VppMonitor
from .resolved import not_entered
from .session import VppSession, VppSettings
from .sink import VppSink

__all__ = [
    "DRIFT",
    "Comparisons",
    "DeletionGuard",
    "FlushResult",
    "InterfaceMap",
    "Question",
    "RouteEngine",
    "VppEntry",
    "VppGuardDue",
    "VppInterfaces",
    "VppLookup",
    "VppMonitor",
    "VppSession",
    "VppSettings",
    "VppSink",
    "Waiting",
    "exceeds",
    "flush",
    "held_prefixes",
    "held_reasons",
    "map_interfaces",
    "not_entered",
]
