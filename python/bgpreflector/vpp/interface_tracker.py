"""Follow VPP's interfaces: which Linux interface each is, and which of them were deleted."""

from __future__ import annotations

import logging

from bgpreflector.log_fields import fields

from .dead_paths import dead_interfaces
from .engine import RouteEngine
from .guard import DeletionGuard
from .interfaces import VppInterfaces, map_interfaces
from .session import VppSession, VppSettings
from .vpp_state import VppState

_log = logging.getLogger(__name__)

MAX_LOGGED_INTERFACES = 10
"""The most interfaces in a log record."""


class InterfaceTracker:
    """Tells the engine which VPP interfaces routes may use. The event loop calls it."""

    def __init__(
        self,
        engine: RouteEngine,
        session: VppSession,
        settings: VppSettings,
        vpp_state: VppState,
        guard: DeletionGuard,
    ) -> None:
        """Nothing is read before :meth:`refresh`."""
        self._engine = engine
        self._session = session
        self._settings = settings
        self._vpp_state = vpp_state
        self._guard = guard
        self.gone: frozenset[int] = frozenset()
        """Indices (``sw_if_index``) of deleted interfaces that routes of ours may still use."""

    def refresh(self) -> None:
        """Read VPP's interfaces; affected routes become dirty. Raises :class:`VppError`."""
        # First: an interface that exists now may have the index of one that was deleted.
        gone = self._session.deleted_interfaces()
        before, self._vpp_state.interfaces = self._vpp_state.interfaces, self._session.interfaces()
        self._log_unused_pairs(before)
        new = map_interfaces(self._settings.interfaces, self._vpp_state.interfaces)
        if new.missing and new.missing != self._vpp_state.interface_map.missing:
            _log.warning(
                "VPP has no interface %s, which vpp.interfaces names: routes through it are held",
                ", ".join(new.missing),
                extra=fields("interfaces missing", interfaces=list(new.missing)),
            )
        self._vpp_state.interface_map = new
        self.gone |= gone
        self._set_interfaces()

    def _log_unused_pairs(self, before: VppInterfaces) -> None:
        found = self._vpp_state.interfaces
        if found.other_namespaces and found.other_namespaces != before.other_namespaces:
            _log.info(
                "linux-cp pairs of other network namespaces are not used: %s",
                ", ".join(found.other_namespaces[:MAX_LOGGED_INTERFACES]),
                extra=fields("pairs in other namespaces", interfaces=list(found.other_namespaces)),
            )
        if found.ambiguous and found.ambiguous != before.ambiguous:
            _log.warning(
                "Several linux-cp pairs have a Linux end %s, in network namespaces that cannot be "
                "read from here, so none of them is used: map it in vpp.interfaces.map",
                ", ".join(found.ambiguous[:MAX_LOGGED_INTERFACES]),
                extra=fields("pairs ambiguous", interfaces=list(found.ambiguous)),
            )

    def _set_interfaces(self) -> None:
        self._guard.withhold(list(self.gone))
        usable = self._vpp_state.interface_map.without(self.gone)
        self._engine.set_interfaces(
            dict(usable.map),
            usable.unmapped,
            usable.recursive,
            fallback=self._settings.unmapped,
            skip_next_hops=self._settings.unmapped_next_hops == "skip",
            same_mac=dict(usable.same_mac),
        )

    def release_indices(self) -> None:
        """Use the indices of deleted interfaces again once no route of ours leads there.

        VPP keeps a resolved path list as long as any route uses it. A route through a deleted
        interface drops, is shown unchanged, and stays so under a new interface of the same
        index: all of them must be deleted before the first is added.
        """
        if not self.gone:
            return
        left = frozenset(index for index in self.gone if self._engine.uses_interface(index))
        if left != self.gone:
            self.gone = left
            self._set_interfaces()

    def find_dead_paths(self) -> None:
        """Once a connect: while connected, VPP sends events for interfaces."""
        source = self._settings.fib_source.name
        dead = dead_interfaces(self._session, source, self._engine.path_set_examples())
        if dead:
            _log.warning(
                "VPP interfaces were deleted while nobody was connected (sw_if_index %s), and "
                "routes of ours through them drop: they are deleted, and added again where "
                "there is an interface",
                ", ".join(map(str, sorted(dead))),
                extra=fields("interfaces deleted", sw_if_indices=sorted(dead)),
            )
            self.gone |= dead
            self._set_interfaces()
