"""Watch VPP and push events: interfaces change, the session ends."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

from tenacity import RetryCallState, Retrying, retry_if_exception_type
from tenacity.wait import wait_exponential_jitter

from bgpreflector.controller import (
    ControllerClosedError,
    Event,
    EventQueueFullError,
    FatalError,
    FullResync,
    KubeStateData,
    ResyncNeededError,
    ResyncOperations,
    UpdateEvent,
    UpdateOperations,
)
from bgpreflector.errors import ReflectorError, VppConnectError, VppLostError
from bgpreflector.log_fields import fields

from .audit import VppAuditRequested
from .guard import VppGuardDue
from .lookup import VppLookup
from .programmer import FibProgrammer

_log = logging.getLogger(__name__)

DRIFT = ("missing", "different", "unexpected", "overridden")
"""Kinds of differences that an audit of VPP reports."""

FIRST_PAUSE, MAX_PAUSE = 0.1, 5.0
"""First and longest delay in seconds between attempts to reconnect to VPP."""

GUARD_INTERVAL = 1.0
"""Seconds between two checks of withheld deletions."""

_WAITS = wait_exponential_jitter(multiplier=FIRST_PAUSE, max=MAX_PAUSE, jitter=FIRST_PAUSE)

FULL_PAUSE = 0.1
"""Seconds between attempts to push an event while the queue is full."""

MAX_LOGGED = 20
"""The most prefixes in a log record."""


class VppInterfacesChanged(UpdateEvent):
    """VPP's interfaces changed and have to be read again."""

    @property
    def name(self) -> str:
        """The name of all events of this type."""
        return "VPP Interfaces Changed"


class VppAuditDue(UpdateEvent):
    """Compare what VPP has with what it has acknowledged."""

    def __init__(self, finished: Callable[[], None] = lambda: None) -> None:
        """``finished()`` is called when the event is done or refused."""
        self._finished = finished

    def done(self, error: BaseException | None) -> None:  # noqa: ARG002 - an event's signature
        """Notify the thread that pushes the next one."""
        self._finished()

    @property
    def name(self) -> str:
        """The name of all events of this type."""
        return "VPP Audit"


_UPDATES = frozenset({VppInterfacesChanged, VppAuditDue, VppAuditRequested, VppGuardDue, VppLookup})


class LosesVpp(Protocol):
    """The part of :class:`bgpreflector._core.Engine` that the monitor uses."""

    def wait_vpp_lost(self) -> str: ...


class VppMonitor:
    """An event handler that maintains the sink's session, with a thread that watches it."""

    def __init__(
        self,
        engine: LosesVpp,
        sink: FibProgrammer,
        push_event: Callable[[Event], None],
        *,
        audit_interval: float = 0.0,
    ) -> None:
        """``audit_interval`` is the time in seconds between audits of VPP, 0 for none."""
        self._engine = engine
        self._sink = sink
        self._push_event = push_event
        self._pending = threading.Event()
        self._connected = threading.Event()
        self._audit_interval = audit_interval
        self._ended = threading.Event()
        self._audited = threading.Event()
        self._guarded = threading.Event()
        self.drift: dict[str, int] = dict.fromkeys(DRIFT, 0)
        """Differences that audits found in VPP so far, by kind."""
        self.unresolved: tuple[tuple[int, str, str], ...] = ()
        """Routes that VPP has and does not forward by, as of its last audit, one for each set of
        paths: VPP table, prefix, reason."""
        self._next_try: float | None = None
        self._closed = False
        self._threads: list[threading.Thread] = []
        sink.on_interface_change(self._interfaces_changed)

    @property
    def name(self) -> str:
        """The handler's name in logs."""
        return "VppMonitor"

    def start(self) -> None:
        """Start watching the connection, which must be open."""
        self._connected.set()
        self._begin("vpp-monitor", self._watch)
        if self._sink.guard.armed:
            self._begin("vpp-guard", self._guard_again)
        if self._audit_interval > 0:
            self._begin("vpp-audit", self._audit_again)

    def _begin(self, name: str, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def handles_event(self, event: Event) -> bool:
        """True for this module's events, :class:`VppLookup` and resyncs."""
        return type(event) in _UPDATES or event.method.is_resync

    def resync(
        self,
        event: Event,  # noqa: ARG002 - a handler's signature
        kube_state_data: KubeStateData,  # noqa: ARG002
        resync_count: int,  # noqa: ARG002
        txn: ResyncOperations,  # noqa: ARG002
    ) -> None:
        """Continue watching if the sink is connected."""
        if not self._sink.lost:
            self._connected.set()

    def update(self, event: UpdateEvent, txn: UpdateOperations) -> str:
        """Read VPP's interfaces or routes again; what differs becomes dirty.

        A failure asks for a resync: half of it may have been done.
        """
        try:
            return self._update(event, txn)
        except ReflectorError:
            raise
        except Exception as error:
            raise ResyncNeededError(error) from error

    def _update(self, event: UpdateEvent, txn: UpdateOperations) -> str:
        if isinstance(event, VppAuditDue):
            return self._audit()
        if isinstance(event, VppGuardDue):
            if self._sink.guard.armed and not self._sink.lost:
                for batch in self._sink.take_guarded():
                    txn.put_batch(batch)
            return ""
        if isinstance(event, VppAuditRequested):
            if event.answer.set_running_or_notify_cancel():
                event.answer.set_result(self._sink.audit(repair=False))
            return ""
        if isinstance(event, VppLookup):
            if event.answer.set_running_or_notify_cancel():
                event.answer.set_result(self._sink.look_up(event.queries))
            return ""
        self._pending.clear()
        self._sink.refresh_interfaces()
        return "VPP interfaces"

    def _audit(self) -> str:
        audit = self._sink.audit(repair=True)
        if audit is None:
            return "VPP cannot be audited over this connection"
        for kind, count in audit.drift.items():
            self.drift[kind] += count
        found = {kind: count for kind, count in audit.drift.items() if count}
        if "overridden" in found or self._sink.others.overridden.count:
            self._sink.overridden()
        if found:
            _log.warning(
                "An audit found that VPP differs from what it had acknowledged (%s); what is not "
                "overridden by another source is repaired: %s",
                ", ".join(f"{count} {kind}" for kind, count in found.items()),
                ", ".join(
                    f"{kind} {prefix} (table {t})" for t, prefix, kind in audit.drifted[:MAX_LOGGED]
                ),
                extra=fields(
                    "audit found differences",
                    **found,
                    routes=[
                        {"prefix": prefix, "vpp_table": t, "difference": kind}
                        for t, prefix, kind in audit.drifted[:MAX_LOGGED]
                    ],
                ),
            )
        self._ask_for_unresolved()
        return (
            f"VPP showed {audit.dumped} routes of ours, {sum(found.values())} of them differed; it "
            f"does not forward by {len(self.unresolved)} of their sets of paths"
        )

    def _ask_for_unresolved(self) -> None:
        """An acknowledged route may lead nowhere: an interface is down, or paths form a loop."""
        before, self.unresolved = self.unresolved, tuple(self._sink.unresolved())
        if self.unresolved and self.unresolved != before:
            _log.warning(
                "VPP has %d sets of paths of ours that it does not forward by; one route of each: "
                "%s",
                len(self.unresolved),
                ", ".join(
                    f"{prefix} (table {table}): {trouble}"
                    for table, prefix, trouble in self.unresolved[:MAX_LOGGED]
                ),
                extra=fields(
                    "paths unresolved",
                    path_sets=len(self.unresolved),
                    examples=[
                        {"prefix": str(prefix), "vpp_table": table, "reason": str(trouble)}
                        for table, prefix, trouble in self.unresolved[:MAX_LOGGED]
                    ],
                ),
            )
        elif before and not self.unresolved:
            _log.info(
                "VPP forwards by all sets of paths of ours again",
                extra=fields("paths resolved", path_sets=0),
            )

    def revert(self, event: UpdateEvent) -> None:
        """Nothing to undo: reading again is harmless."""

    def close(self) -> None:
        """Stop watching, then close the sink's connections."""
        self._closed = True
        self._ended.set()
        self._audited.set()
        self._guarded.set()
        self._connected.set()
        self._sink.close()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()
        # The callbacks refer to the monitor: a reference cycle.
        self._sink.on_interface_change(_nothing)
        self._push_event = _nobody

    def _audit_again(self) -> None:
        while not self._ended.wait(self._audit_interval):
            self._push_one(VppAuditDue(self._audited.set), self._audited)

    def _push_one(self, event: Event, over: threading.Event) -> None:
        """Push an event that sets ``over``, and wait until it does: at most one is queued, or
        several would be due at once."""
        over.clear()
        self._push(event)
        if not self._ended.is_set():
            over.wait()

    def _guard_again(self) -> None:
        # Routes whose deletions are withheld may become valid with nothing to send, if the BGP
        # daemon is late.
        while self._sink.guard.armed and not self._ended.wait(GUARD_INTERVAL):
            if self._sink.guard.waiting is not None:
                self._push_one(VppGuardDue(finished=self._guarded.set), self._guarded)

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
            if not self._sink.has_bulk:
                # Without a bulk connection only the next request detects that VPP is gone.
                self._await_connection()
                continue
            reason = self._engine.wait_vpp_lost()
            if self._closed:
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

    def _connect_again(self, reason: str) -> None:
        """Push a resync that connects, and another as soon as VPP answers if that one failed.

        The delays between healing resyncs are for faults that need an operator; here they
        would delay a VPP that works again.
        """
        pause = FIRST_PAUSE
        while not self._ended.is_set():
            try:
                self._push(FullResync(f"VPP connection: {reason}", blocking=True))
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
        if self._closed:
            self._connected.set()

    def _wait_for_vpp(self) -> bool:
        """Wait until VPP answers at its API socket; return false at shutdown."""
        attempts = Retrying(
            wait=_wait_longer, sleep=self._pause, retry=retry_if_exception_type(OSError)
        )
        for attempt in attempts:
            with attempt:
                if self._ended.is_set():
                    return False
                self._sink.session.probe()
        return True

    @property
    def next_try_seconds(self) -> float | None:
        """Seconds until it is tried again to connect; ``None`` where nothing waits for that."""
        at = self._next_try
        return None if at is None else max(0.0, at - time.monotonic())

    def _pause(self, seconds: float) -> None:
        self._next_try = time.monotonic() + seconds
        self._ended.wait(seconds)
        self._next_try = None

    def _push(self, event: Event) -> None:
        """Push an event, waiting for room if needed; a blocking one raises its error."""
        while True:
            try:
                self._push_event(event)
            except EventQueueFullError as error:
                _log.debug("%s", error)
                if self._ended.wait(FULL_PAUSE):
                    return
            except (ControllerClosedError, FatalError) as error:
                _log.debug("The event loop has ended: %s", error)
                return
            else:
                return


def _wait_longer(state: RetryCallState) -> float:
    """The caller has given up already."""
    outcome = state.outcome
    if outcome is not None and isinstance(outcome.exception(), TimeoutError):
        return FIRST_PAUSE
    return _WAITS(state)


def _nothing() -> None:
    """Do nothing: nobody waits for it."""


def _nobody(event: Event) -> None:
    """Log an event after the end, which is not processed."""
    _log.debug("%s came after the end", event)
