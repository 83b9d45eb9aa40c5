"""What happens to VPP by itself, told to the event loop: interfaces change, the session ends."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Protocol

from bgpreflector.controller import (
    ControllerClosedError,
    Event,
    FatalError,
    FullResync,
    KubeStateData,
    ResyncOperations,
    UpdateEvent,
    UpdateOperations,
)

from .sink import VppSink

_log = logging.getLogger(__name__)


class VppInterfacesChanged(UpdateEvent):
    """VPP's interfaces changed: they have to be looked up again."""

    @property
    def name(self) -> str:
        """The name of all events of this type."""
        return "VPP Interfaces Changed"


class LosesVpp(Protocol):
    """What the monitor needs of :class:`bgpreflector._core.Engine`."""

    def wait_vpp_lost(self) -> str: ...


class VppMonitor:
    """An event handler that keeps the sink's session right, and the thread that watches it."""

    def __init__(
        self, engine: LosesVpp, sink: VppSink, push_event: Callable[[Event], None]
    ) -> None:
        self._engine = engine
        self._sink = sink
        self._push_event = push_event
        self._pending = threading.Event()
        self._connected = threading.Event()
        self._closed = False
        self._thread = threading.Thread(target=self._watch, name="vpp-monitor", daemon=True)
        sink.on_interface_change(self._interfaces_changed)

    @property
    def name(self) -> str:
        """The handler's name in logs."""
        return "VppMonitor"

    def start(self) -> None:
        """Start to watch the connection, which must be open."""
        self._connected.set()
        self._thread.start()

    def handles_event(self, event: Event) -> bool:
        """True for :class:`VppInterfacesChanged` and for resyncs."""
        return isinstance(event, VppInterfacesChanged) or event.method.is_resync

    def resync(
        self,
        event: Event,  # noqa: ARG002 - a handler's signature
        kube_state_data: KubeStateData,  # noqa: ARG002
        resync_count: int,  # noqa: ARG002
        txn: ResyncOperations,  # noqa: ARG002
    ) -> None:
        """Watch on, if the sink has connected or found itself connected."""
        if not self._sink.lost:
            self._connected.set()

    def update(self, event: UpdateEvent, txn: UpdateOperations) -> str:  # noqa: ARG002
        """Look the interfaces up again; what that changes becomes dirty."""
        self._pending.clear()
        self._sink.refresh_interfaces()
        return "VPP interfaces"

    def revert(self, event: UpdateEvent) -> None:
        """Nothing to undo: looking again is harmless."""

    def close(self) -> None:
        """Stop watching and close the sink's connections, whose end is no news then."""
        self._closed = True
        self._connected.set()
        self._sink.close()
        if self._thread.is_alive():
            self._thread.join()

    def _interfaces_changed(self) -> None:
        # One event is enough for all changes until it is processed.
        if not self._pending.is_set():
            self._pending.set()
            self._push(VppInterfacesChanged())

    def _watch(self) -> None:
        while True:
            self._connected.wait()
            if self._closed:
                return
            self._connected.clear()
            if not self._sink.has_bulk:
                # Without one only the next request tells that VPP is gone.
                continue
            reason = self._engine.wait_vpp_lost()
            if self._closed:
                return
            _log.warning("%s; connecting again", reason)
            self._push(FullResync(f"VPP connection: {reason}"))

    def _push(self, event: Event) -> None:
        try:
            self._push_event(event)
        except (ControllerClosedError, FatalError) as error:
            _log.debug("The event loop has ended: %s", error)
