"""VPP: the session for everything rare, and the sink that programs routes."""

from .engine import RouteEngine
from .flush import FlushResult, flush
from .interfaces import InterfaceMap, VppInterfaces, map_interfaces
from .monitor import VppMonitor
from .session import VppSession, VppSettings
from .sink import VppSink

__all__ = [
    "FlushResult",
    "InterfaceMap",
    "RouteEngine",
    "VppInterfaces",
    "VppMonitor",
    "VppSession",
    "VppSettings",
    "VppSink",
    "flush",
    "map_interfaces",
]
