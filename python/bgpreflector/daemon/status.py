"""Collect the status of a running daemon, for people, machines and probes."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from bgpreflector.vpp import held_prefixes

from .report import (
    SCHEMA,
    FpmStatus,
    GuardStatus,
    HeldStatus,
    KernelStatus,
    LimitStatus,
    OverriddenPrefix,
    Requests,
    Resyncs,
    State,
    StatusReport,
    TableStatus,
    VppStatus,
)

if TYPE_CHECKING:
    from bgpreflector import _core

    from .daemon import Daemon

READY_LAG = 10.0
"""Seconds that a change may wait before a daemon that was in sync is no longer ready."""

_STARTTIME = 19
"""Place of the 22nd field of ``/proc/PID/stat`` behind the name, which is the second one."""

MAX_LISTED = 20
"""The most overridden prefixes in a report."""


def status_of(daemon: Daemon, engine_status: _core.Status | None = None) -> StatusReport:
    """Collect a daemon's status, from any thread; ``engine_status`` if it was read already."""
    hung = daemon.hung
    engine_status = engine_status or daemon.engine.status()
    vpp, fpm = _vpp(daemon, engine_status), _fpm(daemon)
    # Read once: it may change meanwhile, and the report must not contradict itself.
    paused = daemon.paused
    held, guard = _held(daemon, engine_status), _guard(daemon)
    once = _State(
        paused=paused,
        source_lost=fpm is not None and fpm.peer is None,
        guarded=guard is not None,
        too_many_held=held.too_many,
    )
    state = _state(daemon, engine_status, vpp, once)
    return StatusReport(
        schema=SCHEMA,
        version=version("bgpreflector"),
        pid=os.getpid(),
        uptime_seconds=time.monotonic() - daemon.began,
        process_uptime_seconds=_process_uptime(),
        state=state.value,
        in_sync=state in (State.IN_SYNC, State.HELD),
        ready=_ready(state, engine_status, vpp) and not held.too_many and hung is None,
        paused=paused,
        prefixes={f: _prefixes(counts) for f, counts in sorted(engine_status.prefixes.items())},
        tables=tuple(
            TableStatus(table, family, daemon.vpp_table(table), _prefixes(prefixes))
            for table, family, prefixes in sorted(engine_status.tables, key=lambda row: row[:2])
        ),
        unassigned_tables=tuple(daemon.engine.unassigned_tables()),
        dirty=engine_status.dirty,
        oldest_queued_seconds=engine_status.oldest_queued,
        queued_events=daemon.controller.queued,
        handler_errors=_sorted(daemon.controller.handler_errors),
        next_hop_sets=engine_status.next_hop_sets,
        path_sets=engine_status.path_sets,
        held_routes=_sorted(engine_status.held_routes),
        held=held,
        limit=_limit(daemon, engine_status),
        guard=guard,
        hung=hung,
        memory_bytes=_memory(),
        source=daemon.config.source.kind,
        fpm=fpm,
        kernel=_kernel(daemon, engine_status),
        vpp=vpp,
    )


@dataclass(frozen=True)
class _State:
    """Values that are read once."""

    paused: bool
    source_lost: bool
    guarded: bool
    too_many_held: bool


def _state(daemon: Daemon, engine_status: _core.Status, vpp: VppStatus, once: _State) -> State:
    rejected = any(counts["rejected"] for counts in engine_status.prefixes.values())
    found = {
        State.ENDED: not daemon.alive,
        State.VPP_LOST: not vpp.connected,
        State.KERNEL_UNREAD: not engine_status.synchronised,
        State.SOURCE_LOST: once.source_lost,
        State.PAUSED: once.paused,
        State.GUARDED: once.guarded,
        State.REJECTED: rejected,
        State.SYNCHRONISING: not daemon.in_sync_by(engine_status),
        State.HELD: once.too_many_held,
    }
    return next((state for state, applies in found.items() if applies), State.IN_SYNC)


def _ready(state: State, engine_status: _core.Status, vpp: VppStatus) -> bool:
    if state is not State.SYNCHRONISING:
        return state is State.IN_SYNC
    return vpp.resynchronised and (engine_status.oldest_queued or 0.0) < READY_LAG


def _held(daemon: Daemon, engine_status: _core.Status) -> HeldStatus:
    held, total = held_prefixes(engine_status)
    unmapped = engine_status.held_routes.get("no_interface", 0)
    return HeldStatus(
        prefixes=held,
        total=total,
        too_many=held > daemon.config.vpp.max_held * total,
        interfaces=_sorted(daemon.engine.held_interfaces()) if unmapped else {},
        unmapped=daemon.config.vpp.unmapped,
        substitutes={name: n for name, n in _sorted(engine_status.substitutes).items() if n},
    )


def _limit(daemon: Daemon, engine_status: _core.Status) -> LimitStatus:
    settings = daemon.config.kernel
    return LimitStatus(
        max_routes=settings.max_routes,
        action=settings.max_routes_action,
        exceeded=engine_status.limit_exceeded,
        held=engine_status.held_routes.get("over_limit", 0),
    )


def _guard(daemon: Daemon) -> GuardStatus | None:
    waiting, unmirrored = daemon.sink.guard.waiting, daemon.unmirrored.withheld
    if waiting is None:
        return GuardStatus(0, 0, "", unmirrored) if unmirrored else None
    return GuardStatus(waiting.deletions, waiting.total, waiting.reason, unmirrored)


def _kernel(daemon: Daemon, engine_status: _core.Status) -> KernelStatus:
    settings = daemon.config.kernel
    path = settings.namespace_path
    return KernelStatus(
        synchronised=engine_status.synchronised,
        namespace=None if path is None else str(path),
        messages=_sorted(engine_status.messages),
        skipped=_sorted(engine_status.skipped),
        anomalies=_sorted(engine_status.anomalies),
        overruns=engine_status.overruns,
        drops=engine_status.drops,
        dump_ended_early=engine_status.dump_ended_early,
        unverified_prefixes=engine_status.unverified_prefixes,
        resyncs={
            reason: Resyncs(count, engine_status.resync_seconds[reason])
            for reason, count in _sorted(engine_status.resyncs).items()
        },
        drift=_sorted(engine_status.drift),
        receive_buffer_wanted_bytes=settings.receive_buffer,
        receive_buffer_bytes=engine_status.receive_buffer,
    )


def _fpm(daemon: Daemon) -> FpmStatus | None:
    fpm = daemon.engine.fpm()
    if fpm is None:
        return None
    return FpmStatus(
        listen=fpm.listen,
        peer=fpm.peer,
        synchronised=fpm.synchronised,
        connections=fpm.connections,
        refused=fpm.refused,
        protocol_errors=fpm.protocol_errors,
        frames=fpm.frames,
        sweeps=fpm.sweeps,
        swept=fpm.swept,
        results=_sorted(fpm.results),
        results_queued=fpm.results_queued,
    )


def _vpp(daemon: Daemon, engine_status: _core.Status) -> VppStatus:
    sink = daemon.sink
    lost, seen, overridden = sink.lost, sink.vpp_state, sink.fib_sources.overridden
    return VppStatus(
        connected=not lost,
        lost=(daemon.engine.vpp_lost() or "not connected") if lost else None,
        socket=daemon.config.vpp.api_socket,
        version=seen.version,
        connected_seconds=(None if lost or seen.since is None else time.monotonic() - seen.since),
        next_try_seconds=daemon.monitor.next_try_seconds if lost else None,
        bulk=sink.has_bulk,
        resynchronised=seen.resynchronised,
        linux_nl=sink.fib_sources.linux_nl,
        overridden=overridden.count,
        overridden_prefixes=tuple(
            OverriddenPrefix(table, prefix, source)
            for table, prefix, source in overridden.some[:MAX_LISTED]
        ),
        requests={
            name: Requests(*results) for name, results in sorted(engine_status.requests.items())
        },
        drift=daemon.monitor.drift,
        unresolved=len(daemon.monitor.unresolved),
        missing_interfaces=seen.interface_map.missing,
    )


def _sorted(counts: Mapping[str, int]) -> dict[str, int]:
    """Return it in a stable order."""
    return dict(sorted(counts.items()))


def _prefixes(counts: Mapping[str, int]) -> dict[str, int]:
    # What is substituted is both desired and held.
    mirrored = counts["desired"] + counts["held"] - counts.get("substituted", 0)
    return _sorted({**counts, "mirrored": mirrored})


def _process_uptime() -> float:
    """Since the process began: ``starttime`` of proc(5) is in ticks since the system did."""
    after_name = Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    began = int(after_name[_STARTTIME]) / os.sysconf("SC_CLK_TCK")
    return time.clock_gettime(time.CLOCK_BOOTTIME) - began


def _memory() -> int:
    pages = Path("/proc/self/statm").read_text(encoding="utf-8").split()[1]
    return int(pages) * resource.getpagesize()
