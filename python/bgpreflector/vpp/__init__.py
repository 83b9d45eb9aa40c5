"""VPP: the session for rare API calls, and the sink that programs routes."""

from .audit import SharedAudits
from .engine import RouteEngine
from .flush import FlushResult, flush
from .guard import DeletionGuard, VppGuardDue, WithheldDeletions, exceeds
from .held import held_prefixes
from .interfaces import InterfaceMap, VppInterfaces, map_interfaces
from .lookup import FibQuery, VppEntry, VppLookup
from .monitor import DRIFT, VppMonitor
from .programmer import FibProgrammer
from .resolved import not_entered
from .session import VppSession, VppSettings

__all__ = [
    "DRIFT",
    "DeletionGuard",
    "FibProgrammer",
    "FibQuery",
    "FlushResult",
    "InterfaceMap",
    "RouteEngine",
    "SharedAudits",
    "VppEntry",
    "VppGuardDue",
    "VppInterfaces",
    "VppLookup",
    "VppMonitor",
    "VppSession",
    "VppSettings",
    "WithheldDeletions",
    "exceeds",
    "flush",
    "held_prefixes",
    "map_interfaces",
    "not_entered",
]
