"""The reflector: an event handler that mirrors the host's BGP routes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from bgpreflector.controller import (
    AbortEventError,
    Event,
    EventLoop,
    FatalError,
    KubeStateData,
    ResyncOperations,
    UpdateEvent,
    UpdateOperations,
)
from bgpreflector.errors import KernelError

from .deps import ContivConf, Deps
from .update import BGPRouteBatchUpdate, BGPRouteUpdate, BGPRouteUpdateType, RouteWatchFailure

if TYPE_CHECKING:
    from .watcher import RouteWatcher

_log = logging.getLogger(__name__)

NO_CONFIGURATION = (
    "bgpreflector has no configuration: make it with new_plugin(use_config(config)), or set "
    "deps.contiv_conf with use_deps(); bgpreflector.config.Config() has all the defaults"
)
"""What a reflector says that was made without dependencies, before it opens anything."""

_UPDATES = (BGPRouteBatchUpdate, BGPRouteUpdate, RouteWatchFailure)


class BGPReflector:
    """Reflects the BGP routes of the host into the southbound.

    Make one with :func:`new_plugin`. While ``use_external_ipam`` is false in the
    configuration it handles no event at all.
    """

    def __init__(self) -> None:
        self.deps = Deps()
        self._watcher: RouteWatcher | None = None
        self._known = False
        self._controller: EventLoop | None = None

    @property
    def name(self) -> str:
        """The handler's name: "bgpreflector"."""
        return "bgpreflector"

    def init(self) -> None:
        """Check that there is a configuration; the rest happens at the first resync.

        Raises :class:`FatalError` where there is none.
        """
        self._configuration()

    def _configuration(self) -> ContivConf:
        configuration = self.deps.contiv_conf
        if configuration is None:
            raise FatalError(NO_CONFIGURATION)
        return configuration

    def use_event_loop(self, event_loop: EventLoop) -> None:
        """Take the controller as event loop, unless the dependencies name another."""
        if self.deps.event_loop is None:
            self.deps.event_loop = self._controller = event_loop

    def handles_event(self, event: Event) -> bool:
        """Whether it is a resync or one of the route events.

        Without a configuration, too: the first resync then says that there is none.
        """
        configuration = self.deps.contiv_conf
        if configuration is not None and not configuration.use_external_ipam:
            return False
        return event.method.is_resync or isinstance(event, _UPDATES)

    def resync(
        self,
        event: Event,  # noqa: ARG002 - the handlers' common signature
        kube_state_data: KubeStateData,  # noqa: ARG002
        resync_count: int,  # noqa: ARG002
        txn: ResyncOperations,
    ) -> None:
        """Put everything that differs into the transaction; the first call starts watching.

        Raises :class:`FatalError` where the kernel cannot be read at all: without its routes
        there is nothing to do. Once they are known a dump that fails is repeated
        (:class:`AbortEventError`): they go on being followed meanwhile.
        """
        try:
            if self._watcher is None:
                self._watcher = self._start_watcher()
            txn.put_batch(self._watcher.resync_batch())
            self._known = True
        except FatalError:
            raise
        except KernelError as error:
            raise (AbortEventError if self._known else FatalError)(error) from error
        except Exception as error:
            raise FatalError(error) from error

    def update(self, event: UpdateEvent, txn: UpdateOperations) -> str:
        """Put or delete what the event says and return the description of the change."""
        if isinstance(event, BGPRouteBatchUpdate):
            return _update_batch(event, txn)
        if isinstance(event, BGPRouteUpdate):
            return _update_route(event, txn)
        if isinstance(event, RouteWatchFailure):
            raise FatalError(event.error)
        return ""

    def revert(self, event: UpdateEvent) -> None:
        """Do nothing: no event of the reflector reverts on failure."""

    def close(self) -> None:
        """End the subscription and release everything; twice is fine.

        Close the controller first, or do not call this from one of its handlers.
        """
        watcher, self._watcher = self._watcher, None
        if watcher is not None:
            watcher.close()
        controller, self._controller = self._controller, None
        if controller is not None and self.deps.event_loop is controller:
            # It has the reflector among its handlers: they would keep each other alive.
            self.deps.event_loop = None

    def _start_watcher(self) -> RouteWatcher:
        configuration = self._configuration()
        event_loop = self.deps.event_loop
        if event_loop is None:
            raise FatalError(
                "bgpreflector has no event loop: hand it to a Controller, or set "
                "deps.event_loop with use_deps()"
            )
        watcher = self.deps.watcher(configuration)
        try:
            watcher.start(event_loop.push_event)
        except BaseException:
            watcher.close()
            raise
        return watcher


def _update_route(event: BGPRouteUpdate, txn: UpdateOperations) -> str:
    route = event.route
    if event.type is BGPRouteUpdateType.ROUTE_DELETE:
        txn.delete(route.key)
        return "BGP route Delete"
    if not route.is_valid:
        _log.warning("%s is not reflected: its gateway is unspecified", event.dst_network)
        return ""
    txn.put(route.key, route)
    return "BGP route Add"


def _update_batch(event: BGPRouteBatchUpdate, txn: UpdateOperations) -> str:
    if event.superseded:
        return ""
    batch = event.batch
    txn.put_batch(batch)
    return f"BGP routes: {batch.adds} added, {batch.replaces} replaced, {batch.deletes} deleted"


Option = Callable[[BGPReflector], None]
"""Acts on a new reflector, to inject dependencies or configuration."""


def new_plugin(*options: Option) -> BGPReflector:
    """Make a reflector with the default dependencies and apply the options to it in order.

    The one dependency without a default is the configuration.

    Examples:
        >>> from bgpreflector.config import Config
        >>> from bgpreflector.controller import FullResync
        >>> reflector = new_plugin(use_config(Config()))
        >>> reflector.name, reflector.handles_event(FullResync("startup"))
        ('bgpreflector', True)
        >>> new_plugin().init()
        Traceback (most recent call last):
        bgpreflector.controller.errors.FatalError: bgpreflector has no configuration: make it \
with new_plugin(use_config(config)), or set deps.contiv_conf with use_deps(); \
bgpreflector.config.Config() has all the defaults
    """
    plugin = BGPReflector()
    for option in options:
        option(plugin)
    return plugin


def use_config(config: ContivConf) -> Option:
    """Make an option that gives the reflector its configuration."""

    def option(plugin: BGPReflector) -> None:
        plugin.deps.contiv_conf = config

    return option


def use_deps(callback: Callable[[Deps], None]) -> Option:
    """Make an option that lets ``callback`` change the dependencies.

    Examples:
        A reflector that its configuration switches off handles no event.

        >>> from bgpreflector.config import loads_contiv
        >>> from bgpreflector.controller import FullResync
        >>> def inject(deps):
        ...     deps.contiv_conf = loads_contiv("useExternalIPAM: false")
        >>> new_plugin(use_deps(inject)).handles_event(FullResync("startup"))
        False
    """

    def option(plugin: BGPReflector) -> None:
        callback(plugin.deps)

    return option
