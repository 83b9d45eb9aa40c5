"""The reflector, its events and its route source.

``default_plugin`` is a reflector with the default dependencies, made when it is first
asked for; it needs a configuration, as every one does.
"""

from typing import TYPE_CHECKING

from bgpreflector.routes.engine import Engine
from bgpreflector.routes.operation import Refusal, RouteOperation, RoutePath, RouteType
from bgpreflector.routes.route import NextHop, Route
from bgpreflector.rtnetlink import RT_TABLE_MAIN

from .deps import (
    ContivConf,
    Deps,
    WatcherFactory,
    kernel_engine,
    kernel_route_watcher,
    source_engine,
)
from .plugin import BGPReflector, Option, new_plugin, use_config, use_deps
from .route_sink import RouteSink, use_sink
from .update import BGPRouteBatchUpdate, BGPRouteUpdate, BGPRouteUpdateType, RouteWatchFailure
from .watcher import BATCH_LIMIT, KernelRouteWatcher, PushEvent, RouteWatcher

if TYPE_CHECKING:
    default_plugin: BGPReflector

__all__ = [
    "BATCH_LIMIT",
    "RT_TABLE_MAIN",
    "BGPReflector",
    "BGPRouteBatchUpdate",
    "BGPRouteUpdate",
    "BGPRouteUpdateType",
    "ContivConf",
    "Deps",
    "Engine",
    "KernelRouteWatcher",
    "NextHop",
    "Option",
    "PushEvent",
    "Refusal",
    "Route",
    "RouteOperation",
    "RoutePath",
    "RouteSink",
    "RouteType",
    "RouteWatchFailure",
    "RouteWatcher",
    "WatcherFactory",
    "default_plugin",
    "kernel_engine",
    "kernel_route_watcher",
    "new_plugin",
    "source_engine",
    "use_config",
    "use_deps",
    "use_sink",
]


if not TYPE_CHECKING:

    def __getattr__(name: str) -> BGPReflector:
        if name != "default_plugin":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return globals().setdefault(name, new_plugin())
