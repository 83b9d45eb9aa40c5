"""The part of the engine that the sink uses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bgpreflector import _core
from bgpreflector.errors import VppMessageError
from bgpreflector.routes.injected_routes import TakesRoutes

from .discovery import DiscoversTables
from .fib_reader import ListsPathSets
from .guard import WithholdsDeletions
from .papi_sender import OpensRequests
from .session import CLIENT_NAME, VppSettings


class ConnectsToVpp(Protocol):
    """An engine that can open a bulk connection."""

    def connect(  # noqa: PLR0913 - as the compiled engine has it
        self,
        *,
        socket: str,
        name: str,
        max_in_flight: int,
        connect_timeout: float,
        request_timeout: float,
        keepalive_interval: float,
        rate_limit: int | None,
    ) -> None: ...


class RouteEngine(
    ConnectsToVpp,
    TakesRoutes,
    WithholdsDeletions,
    DiscoversTables,
    OpensRequests,
    ListsPathSets,
    Protocol,
):
    """The part of :class:`bgpreflector._core.Engine` that the sink uses."""

    def disconnect(self) -> None: ...
    def set_vpp_version(self, version: str) -> int: ...
    def vpp_lost(self) -> str | None: ...
    def adopt(self, source: int, *, better: Sequence[int] = ()) -> _core.AdoptReport: ...
    def commit(self, batch: _core.RouteBatch, source: int) -> _core.CommitReport: ...
    def audit_vpp(
        self, source: int, *, better: Sequence[int], repair: bool, limit: int
    ) -> _core.VppAuditReport: ...
    def overridden(
        self, sources: Sequence[int], *, limit: int
    ) -> tuple[int, list[tuple[int, str, int]]]: ...
    def is_installed(self, vpp_table: int, prefix: str) -> bool: ...
    def set_paused(self, on: bool) -> None: ...  # noqa: FBT001 - as the compiled engine has it
    def forget_installed(self) -> None: ...
    def begin_adoption(self) -> None: ...
    def assume_shadowed(self, vpp_table: int, prefix: str) -> None: ...
    def adopt_route(
        self, vpp_table: int, prefix: str, paths: Sequence[_core._PathTuple]
    ) -> bool: ...
    def take_batch(self, limit: int) -> _core.RouteBatch: ...
    def retry_rejected(self) -> int: ...
    def set_interfaces(  # noqa: PLR0913 - as the compiled engine has it
        self,
        interfaces: dict[str, int],
        unmapped: int | None,
        recursive: bool,  # noqa: FBT001 - as the compiled engine has it
        *,
        fallback: str,
        skip_next_hops: bool,
        same_mac: dict[str, tuple[int, bytes]],
    ) -> None: ...
    def mapped_interfaces(self) -> dict[str, int]: ...
    def uses_interface(self, sw_if_index: int) -> bool: ...


def connect_bulk(engine: ConnectsToVpp, settings: VppSettings) -> VppMessageError | None:
    """Open the bulk connection; return the reason if VPP's messages have another layout.

    Raises :class:`bgpreflector.errors.VppConnectError`.
    """
    try:
        engine.connect(
            socket=settings.api_socket,
            name=f"{CLIENT_NAME}-bulk",
            max_in_flight=settings.max_in_flight,
            connect_timeout=settings.connect_timeout,
            request_timeout=settings.request_timeout,
            keepalive_interval=settings.keepalive_interval,
            rate_limit=settings.rate_limit,
        )
    except VppMessageError as error:
        return error
    return None
