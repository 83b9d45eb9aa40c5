"""Watch the connection to VPP, and push a resync that connects again once it has ended."""

from __future__ import annotations

import logging
import threading
import time
from typing import Protocol

from tenacity import RetryCallState, Retrying, retry_if_exception_type
from tenacity.wait import wait_exponential_jitter

from bgpreflector.controller import FullResync
from bgpreflector.errors import VppConnectError, VppLostError
from bgpreflector.log_fields import fields

from .event_pusher import EventPusher
from .programmer import FibProgrammer

_log = logging.getLogger(__name__)

FIRST_PAUSE, MAX_PAUSE = 0.1, 5.0
"""First and longest delay in seconds between attempts to reconnect to VPP."""

_WAITS = wait_exponential_jitter(multiplier=FIRST_PAUSE, max=MAX_PAUSE, jitter=FIRST_PAUSE)


class LosesVpp(Protocol):
    """The part of :class:`bgpreflector._core.Engine` that the watcher uses."""

    def wait_vpp_lost(self) -> str: ...


class ConnectionWatcher:
    """Waits for the end of the sink's connection, then for VPP; :meth:`run` is for a thread."""

    def __init__(self, engine: LosesVpp, sink: FibProgrammer, events: EventPusher) -> None:
        self._engine = engine
        self._sink = sink
        self._events = events
        self._connected = threading.Event()
        self._next_try: float | None = None

    def connected(self) -> None:
        """Watch the connection, which is open."""
        self._connected.set()

    def wake(self) -> None:
        """End :meth:`run`, once the pusher has ended."""
        self._connected.set()

    @property
    def next_try_seconds(self) -> float | None:
        """Seconds until it is tried again to connect; ``None`` where nothing waits for that."""
        at = self._next_try
        return None if at is None else max(0.0, at - time.monotonic())

    def run(self) -> None:
        """Watch until the end."""
        while True:
            self._connected.wait()
            if self._ended:
                return
            if not self._sink.has_bulk:
                # Without a bulk connection only the next request detects that VPP is gone.
                self._await_connection()
                continue
            reason = self._engine.wait_vpp_lost()
            if self._ended:
                return
            socket = self._sink.session.api_socket
            extra = fields("VPP lost", socket=socket, reason=reason)
            _log.warning("VPP %s: %s; connecting again", socket, reason, extra=extra)
            if not self._wait_for_vpp():
                return
            self._await_connection()
            if self._sink.lost:
                self._connect_again(reason)
            else:
                # A healing resync has connected already.
                self._connected.set()

    @property
    def _ended(self) -> bool:
        return self._events.ended.is_set()

    def _connect_again(self, reason: str) -> None:
        """Push a resync that connects, and another as soon as VPP answers if that one failed.

        The delays between healing resyncs are for faults that need an operator; here they
        would delay a VPP that works again.
        """
        pause = FIRST_PAUSE
        while not self._ended:
            try:
                self._events.push(FullResync(f"VPP connection: {reason}", blocking=True))
            except (VppConnectError, VppLostError) as error:
                _log.debug("VPP did not answer, trying again: %s", error)
            except Exception as error:  # noqa: BLE001 - logged by the event loop, which heals it
                _log.debug("The resync failed: %s", error)
                return
            else:
                return
            self._pause(pause)
            pause = min(2 * pause, MAX_PAUSE)
            if not self._wait_for_vpp():
                return
            if not self._sink.lost:
                self._connected.set()
                return

    def _await_connection(self) -> None:
        self._connected.clear()
        # The end may have come in between and is not set again.
        if self._ended:
            self._connected.set()

    def _wait_for_vpp(self) -> bool:
        """Wait until VPP answers at its API socket; return false at shutdown."""
        attempts = Retrying(
            wait=_wait_longer, sleep=self._pause, retry=retry_if_exception_type(OSError)
        )
        for attempt in attempts:
            with attempt:
                if self._ended:
                    return False
                self._sink.session.probe()
        return True

    def _pause(self, seconds: float) -> None:
        self._next_try = time.monotonic() + seconds
        self._events.ended.wait(seconds)
        self._next_try = None


def _wait_longer(state: RetryCallState) -> float:
    """The caller has given up already."""
    outcome = state.outcome
    if outcome is not None and isinstance(outcome.exception(), TimeoutError):
        return FIRST_PAUSE
    return _WAITS(state)
