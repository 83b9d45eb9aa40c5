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

NAMED = 20
"""The most overridden prefixes in a report."""


def status_of(daemon: Daemon, figures: _core.Status | None = None) -> StatusReport:
    """Collect a daemon's status, from any thread; ``figures`` are its engine's."""
    hung = daemon.hung
    figures = figures or daemon.engine.status()
    vpp, fpm = _vpp(daemon, figures), _fpm(daemon)
    # Read once: it may change meanwhile, and the report must not contradict itself.
    paused = daemon.paused
    held = _held(daemon, figures)
    found = _State(
        paused=paused,
        source_lost=fpm is not None and fpm.peer is None,
        too_many_held=held.too_many,
    )
    state = _state(daemon, figures, vpp, found)
    return StatusReport(
        schema=SCHEMA,
        version=version("bgpreflector"),
        pid=os.getpid(),
        uptime_seconds=time.monotonic() - daemon.began,
        process_uptime_seconds=_process_uptime(),
        state=state.value,
        in_sync=state in (State.IN_SYNC, State.HELD),
        ready=_ready(state, figures, vpp) and not held.too_many and hung is None,
        paused=paused,
        prefixes={f: _prefixes(counts) for f, counts in sorted(figures.prefixes.items())},
        tables=tuple(
            TableStatus(table, family, daemon.vpp_table(table), _prefixes(prefixes))
            for table, family, prefixes in figures.tables
        ),
        dirty=figures.dirty,
        oldest_queued_seconds=figures.oldest_queued,
        queued_events=daemon.controller.queued,
        handler_errors=_sorted(daemon.controller.handler_errors),
        next_hop_sets=figures.next_hop_sets,
        path_sets=figures.path_sets,
        held_routes=_sorted(figures.held_routes),
        held=held,
        limit=_limit(daemon, figures),
        guard=_guard(daemon),
        hung=hung,
        memory_bytes=_memory(),
        source=daemon.config.source.kind,
        fpm=fpm,
        kernel=_kernel(daemon, figures),
        vpp=vpp,
    )


@dataclass(frozen=True)
class _State:
    """Values that are read once."""

    paused: bool
    source_lost: bool
    too_many_held: bool


def _state(daemon: Daemon, figures: _core.Status, vpp: VppStatus, looked: _State) -> State:
    rejected = any(counts["rejected"] for counts in figures.prefixes.values())
    found = {
        State.ENDED: not daemon.alive,
        State.VPP_LOST: not vpp.connected,
        State.KERNEL_UNREAD: not figures.synchronised,
        State.SOURCE_LOST: looked.source_lost,
        State.PAUSED: looked.paused,
        State.GUARDED: _guard(daemon) is not None,
        State.REJECTED: rejected,
        State.SYNCHRONISING: not daemon.in_sync_by(figures),
        State.HELD: looked.too_many_held,
    }
    return next((state for state, applies in found.items() if applies), State.IN_SYNC)


def _ready(state: State, figures: _core.Status, vpp: VppStatus) -> bool:
    if state is not State.SYNCHRONISING:
        return state is State.IN_SYNC
    return vpp.resynchronised and (figures.oldest_queued or 0.0) < READY_LAG


def _held(daemon: Daemon, figures: _core.Status) -> HeldStatus:
    held, of = held_prefixes(figures)
    unmapped = figures.held_routes.get("no_interface", 0)
    return HeldStatus(
        prefixes=held,
        of=of,
        too_many=held > daemon.config.vpp.max_held * of,
        interfaces=_sorted(daemon.engine.held_interfaces()) if unmapped else {},
        unmapped=daemon.config.vpp.unmapped,
        substitutes={name: n for name, n in _sorted(figures.substitutes).items() if n},
    )


def _limit(daemon: Daemon, figures: _core.Status) -> LimitStatus:
    settings = daemon.config.kernel
    return LimitStatus(
        max_routes=settings.max_routes,
        action=settings.max_routes_action,
        exceeded=figures.limit_exceeded,
        held=figures.held_routes.get("over_limit", 0),
    )


def _guard(daemon: Daemon) -> GuardStatus | None:
    waiting, left = daemon.sink.guard.waiting, daemon.left
    if waiting is None:
        return GuardStatus(0, 0, "", left) if left else None
    return GuardStatus(waiting.deletions, waiting.of, waiting.reason, left)


def _kernel(daemon: Daemon, figures: _core.Status) -> KernelStatus:
    settings = daemon.config.kernel
    path = settings.namespace_path
    return KernelStatus(
        synchronised=figures.synchronised,
        namespace=None if path is None else str(path),
        messages=_sorted(figures.messages),
        skipped=_sorted(figures.skipped),
        anomalies=_sorted(figures.anomalies),
        overruns=figures.overruns,
        drops=figures.drops,
        dump_ended_early=figures.dump_ended_early,
        unverified_prefixes=figures.unverified_prefixes,
        resyncs={
            reason: Resyncs(count, figures.resync_seconds[reason])
            for reason, count in _sorted(figures.resyncs).items()
        },
        drift=_sorted(figures.drift),
        receive_buffer_wanted_bytes=settings.receive_buffer,
        receive_buffer_bytes=figures.receive_buffer,
    )


def _fpm(daemon: Daemon) -> FpmStatus | None:
    fpm = daemon.engine.fpm()
    if fpm is None:
        return None
    return FpmStatus(
        listen=fpm.listen,
        peer=fpm.peer,
        settled=fpm.settled,
        connections=fpm.connections,
        refused=fpm.refused,
        protocol_errors=fpm.protocol_errors,
        frames=fpm.frames,
        sweeps=fpm.sweeps,
        swept=fpm.swept,
        answers=_sorted(fpm.answers),
        answers_queued=fpm.answers_queued,
    )


def _vpp(daemon: Daemon, figures: _core.Status) -> VppStatus:
    sink = daemon.sink
    lost, seen, overridden = sink.lost, sink.seen, sink.others.overridden
    return VppStatus(
        connected=not lost,
        lost=(daemon.engine.vpp_lost() or "not connected") if lost else None,
        socket=daemon.config.vpp.api_socket,
        version=seen.version,
        connected_seconds=(None if lost or seen.since is None else time.monotonic() - seen.since),
        next_try_seconds=daemon.monitor.next_try_seconds if lost else None,
        bulk=sink.has_bulk,
        resynchronised=seen.resynchronised,
        linux_nl=sink.others.linux_nl,
        overridden=overridden.count,
        overridden_prefixes=tuple(
            OverriddenPrefix(table, prefix, source)
            for table, prefix, source in overridden.some[:NAMED]
        ),
        requests={name: Requests(*results) for name, results in sorted(figures.requests.items())},
        drift=daemon.monitor.drift,
        unresolved=len(daemon.monitor.unresolved),
        missing_interfaces=seen.interface_map.missing,
    )


def _sorted(figures: Mapping[str, int]) -> dict[str, int]:
    """Return it in a stable order."""
    return dict(sorted(figures.items()))


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
