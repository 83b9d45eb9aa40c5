"""bgpreflector reflects the routes that BIRD puts into a Linux kernel into FD.io VPP.

The names that most programs need; the packages have the rest.
"""

from __future__ import annotations

from importlib import import_module

# Not that of typing, which takes as long to import as all else that a key press waits for.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from .config import Config
    from .control import ControlClient
    from .controller import EventHandler, Handler, Observer, Sink
    from .daemon.daemon import Daemon
    from .reflector import Route, RouteOperation, RoutePath, RouteSink

__all__ = [
    "Config",
    "ControlClient",
    "Daemon",
    "EventHandler",
    "Handler",
    "Observer",
    "Route",
    "RouteOperation",
    "RoutePath",
    "RouteSink",
    "Sink",
]

_FROM = {
    "Config": "config",
    "ControlClient": "control",
    "Daemon": "daemon.daemon",
    "EventHandler": "controller",
    "Handler": "controller",
    "Observer": "controller",
    "Route": "reflector",
    "RouteOperation": "reflector",
    "RoutePath": "reflector",
    "RouteSink": "reflector",
    "Sink": "controller",
}


def __getattr__(name: str) -> object:
    """Import what is asked for: a command that needs one part does not load the others."""
    if name not in _FROM:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_FROM[name]}", __name__), name)
