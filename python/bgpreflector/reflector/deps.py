"""What the reflector depends on, and the defaults."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

from bgpreflector.config import Config, KernelConfig

from .watcher import KernelRouteWatcher, RouteWatcher

if TYPE_CHECKING:
    from bgpreflector.controller import EventLoop
    from bgpreflector.routes.engine import Engine


class ContivConf(Protocol):
    """The configuration as the reflector needs it; :class:`bgpreflector.config.Config`."""

    @property
    def use_external_ipam(self) -> bool:
        """Whether routes are reflected at all."""

    @property
    def kernel(self) -> KernelConfig:
        """Which routes of the kernel are read, and how."""

    @property
    def table_map(self) -> Mapping[int, int]:
        """The mirrored kernel tables that are named, and the VPP table of each."""

    @property
    def further_tables(self) -> Mapping[int, int]:
        """The VPP tables of some that are mirrored as they appear (``kernel.discover``)."""

    @property
    def free_tables(self) -> tuple[int, int] | None:
        """The VPP tables from which one is chosen for each of the others; the last as well."""


WatcherFactory = Callable[[ContivConf], RouteWatcher]


def kernel_engine(conf: ContivConf) -> Engine:
    """An engine that reads the kernel. Nothing is opened before its ``start()``."""
    return _engine(conf, fpm=None)


def source_engine(config: Config) -> Engine:
    """An engine whose routes come from where the configuration says."""
    fpm = config.fpm
    return _engine(
        config, fpm=(fpm.listen, fpm.quiet_time, fpm.stale_routes_time) if config.is_fpm else None
    )


def _engine(conf: ContivConf, *, fpm: tuple[str, float, float] | None) -> Engine:
    kernel = conf.kernel
    engine = import_module("bgpreflector._core").Engine(
        protocols=list(kernel.protocols),
        tables=dict(conf.table_map),
        families=list(kernel.families),
        foreign_routes=kernel.foreign_routes,
        receive_buffer=kernel.receive_buffer,
        namespace=kernel.namespace_path,
        prefix_rules=kernel.prefix_rules,
        audit_interval=kernel.audit_interval,
        stale_routes_time=kernel.stale_routes_time,
        max_routes=kernel.max_routes,
        refuse_over_limit=kernel.max_routes_action == "refuse",
        discover=list(kernel.discover),
        table_map=dict(conf.further_tables),
        free_tables=conf.free_tables,
        fpm=fpm,
    )
    return cast("Engine", engine)


def kernel_route_watcher(conf: ContivConf) -> RouteWatcher:
    """The default factory: the kernel of this machine, through the compiled module."""
    return KernelRouteWatcher(kernel_engine(conf))


@dataclass
class Deps:
    """Dependencies of the reflector; without a configuration it reads nothing."""

    contiv_conf: ContivConf | None = None
    """The configuration, for instance a :class:`bgpreflector.config.Config`; it has no default."""

    event_loop: EventLoop | None = None
    """Where changes are pushed; ``None``: the controller that the reflector is given to."""

    watcher: WatcherFactory = kernel_route_watcher
    """Makes the route watcher at the first resync."""
