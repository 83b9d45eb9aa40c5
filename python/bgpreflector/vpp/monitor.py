"""Handle VPP's own events: its interfaces change, an audit is due, the session ends."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from bgpreflector.controller import (
    Event,
    KubeStateData,
    ResyncNeededError,
    ResyncOperations,
    UpdateEvent,
    UpdateOperations,
)
from bgpreflector.errors import ReflectorError
from bgpreflector.log_fields import fields

from .audit import VppAuditDue, VppAuditRequested
from .connection_watcher import ConnectionWatcher, LosesVpp
from .event_pusher import EventPusher
from .guard import VppGuardDue
from .lookup import VppLookup
from .programmer import FibProgrammer

_log = logging.getLogger(__name__)

DRIFT = ("missing", "different", "unexpected", "overridden")
"""Kinds of differences that an audit of VPP reports."""

GUARD_INTERVAL = 1.0
"""Seconds between two checks of withheld deletions."""

MAX_LOGGED = 20
"""The most prefixes in a log record."""


class VppInterfacesChanged(UpdateEvent):
    """VPP's interfaces changed and have to be read again."""

    @property
    def name(self) -> str:
        """The name of all events of this type."""
        return "VPP Interfaces Changed"


_UPDATES = frozenset({VppInterfacesChanged, VppAuditDue, VppAuditRequested, VppGuardDue, VppLookup})


class VppMonitor:
    """An event handler that maintains the sink's session, with the threads that watch it."""

    def __init__(
        self,
        engine: LosesVpp,
        sink: FibProgrammer,
        push_event: Callable[[Event], None],
        *,
        audit_interval: float = 0.0,
    ) -> None:
        """``audit_interval`` is the time in seconds between audits of VPP, 0 for none."""
        self._sink = sink
        self._events = EventPusher(push_event)
        self._connection = ConnectionWatcher(engine, sink, self._events)
        self._pending = threading.Event()
        self._audit_interval = audit_interval
        self._audited = threading.Event()
        self._guarded = threading.Event()
        self.drift: dict[str, int] = dict.fromkeys(DRIFT, 0)
        """Differences that audits found in VPP so far, by kind."""
        self.unresolved: tuple[tuple[int, str, str], ...] = ()
        """Routes that VPP has and does not forward by, as of its last audit, one for each set of
        paths: VPP table, prefix, reason."""
        self._threads: list[threading.Thread] = []
        sink.on_interface_change(self._interfaces_changed)

    @property
    def name(self) -> str:
        """The handler's name in logs."""
        return "VppMonitor"

    def start(self) -> None:
        """Start watching the connection, which must be open."""
        self._connection.connected()
        self._begin("vpp-monitor", self._connection.run)
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
            self._connection.connected()

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
                event.answer.set_result(self._sink.fib.look_up(event.queries))
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
        if "overridden" in found or self._sink.fib_sources.overridden.count:
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
        before, self.unresolved = self.unresolved, tuple(self._sink.fib.unresolved())
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
        self._events.ended.set()
        self._audited.set()
        self._guarded.set()
        self._connection.wake()
        self._sink.close()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()
        # The callbacks refer to the monitor: a reference cycle.
        self._sink.on_interface_change(_nothing)
        self._events.forget()

    @property
    def next_try_seconds(self) -> float | None:
        """Seconds until it is tried again to connect; ``None`` where nothing waits for that."""
        return self._connection.next_try_seconds

    def _audit_again(self) -> None:
        while not self._events.ended.wait(self._audit_interval):
            self._events.push_one(VppAuditDue(self._audited.set), self._audited)

    def _guard_again(self) -> None:
        # Routes whose deletions are withheld may become valid with nothing to send, if the BGP
        # daemon is late.
        while self._sink.guard.armed and not self._events.ended.wait(GUARD_INTERVAL):
            if self._sink.guard.waiting is not None:
                self._events.push_one(VppGuardDue(finished=self._guarded.set), self._guarded)

    def _interfaces_changed(self) -> None:
        # One event is enough for all changes until it is processed.
        if not self._pending.is_set():
            self._pending.set()
            self._events.push(VppInterfacesChanged())


def _nothing() -> None:
    """Do nothing: nobody waits for it."""
