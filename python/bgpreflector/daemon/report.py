"""The state of a running daemon, as it is told: its types alone, for those who read it too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import Enum

SCHEMA = 2
"""Version of :class:`StatusReport`; it grows when a field changes its meaning or goes."""


class State(Enum):
    """How things stand; of several that apply the first."""

    ENDED = "ended"
    """The daemon has ended, or one of its threads."""

    VPP_LOST = "vpp_lost"
    """There is no connection to VPP."""

    KERNEL_UNREAD = "kernel_unread"
    """The kernel's routes have not been read yet."""

    SOURCE_LOST = "source_lost"
    """zebra, which tells of the routes, is not connected: VPP keeps those that it has."""

    PAUSED = "paused"
    """VPP is sent nothing, as somebody asked for."""

    GUARDED = "guarded"
    """The first sync would delete too much: that waits for somebody to say so."""

    REFUSED = "refused"
    """VPP refused routes."""

    SYNCHRONISING = "synchronising"
    """VPP is still being sent what it lacks."""

    HELD = "held"
    """As in sync, but VPP cannot have more of the prefixes than is allowed for."""

    IN_SYNC = "in_sync"
    """VPP has acknowledged all that it shall have."""


@dataclass(frozen=True)
class Resyncs:
    """Resyncs with the kernel of one reason."""

    count: int
    seconds: float
    """That all of them took."""


@dataclass(frozen=True)
class KernelStatus:
    """The kernel's side."""

    synchronised: bool
    """Whether all of it has been read once."""

    namespace: str | None
    """``None`` for the daemon's own."""

    messages: Mapping[str, int]
    """By type."""

    skipped: Mapping[str, int]
    """Messages not taken, by reason."""

    anomalies: Mapping[str, int]
    """What the kernel said that did not fit what was known."""

    overruns: int
    """Times that it dropped notifications."""

    drops: int
    """Notifications that it dropped."""

    dump_ended_early: bool
    """Whether its last dump ended early, at a route too large for a netlink message: what is behind
    that is kept and not compared."""

    unverified_prefixes: int
    """Prefixes that its last dumps did not show and that stay, as its answers do not tell whether
    it has them."""

    resyncs: Mapping[str, Resyncs]
    """By reason."""

    drift: Mapping[str, int]
    """Differences that audits found and repaired, by kind."""

    receive_buffer_wanted_bytes: int
    receive_buffer_bytes: int
    """That the kernel granted: it counts twice what it was asked for."""


@dataclass(frozen=True)
class FpmStatus:
    """zebra's side, where that tells of the routes."""

    listen: str | None
    """Where it is listened at."""

    peer: str | None
    """Who is connected."""

    settled: bool
    """Whether it has shown all its routes, and those that it lacks are gone."""

    connections: int
    refused: int
    """Connections refused, as there was one already."""

    protocol_errors: int
    """Connections closed, as what came was no FPM."""

    frames: int
    sweeps: int
    """Connections that have shown all their routes."""

    swept: int
    """Routes of earlier connections that were removed then."""

    answers: Mapping[str, int]
    """Answers sent: ``offload`` (VPP has a route), ``offload_failed``."""

    answers_waiting: int


@dataclass(frozen=True)
class OverriddenPrefix:
    """A prefix that VPP forwards by another source's route."""

    table: int
    """VPP table."""

    prefix: str
    source: str


@dataclass(frozen=True)
class Requests:
    """Route requests of one operation."""

    done: int
    refused: int


@dataclass(frozen=True)
class VppStatus:
    """VPP's side."""

    connected: bool
    lost: str | None
    """Why it is not connected."""

    socket: str
    version: str | None
    connected_seconds: float | None
    next_try_seconds: float | None
    """Until it is tried again to connect; ``None`` where that is under way, or not needed."""

    bulk: bool
    """Whether routes go over the bulk connection, rather than the slow way."""

    resynchronised: bool
    """Whether a resync has gone through since it was connected to."""

    linux_nl: bool
    """Whether it mirrors the kernel's routes by itself, too."""

    overridden: int
    """Prefixes that it forwards by other sources' routes, when that was looked up last."""

    overridden_prefixes: tuple[OverriddenPrefix, ...]
    """Some of them."""

    requests: Mapping[str, Requests]
    """Route requests, by operation."""

    drift: Mapping[str, int]
    """Differences that audits found, by kind."""

    missing_interfaces: tuple[str, ...]
    """Configured VPP interfaces that it does not have."""


@dataclass(frozen=True)
class TableStatus:
    """A mirrored kernel table, one family."""

    table: int
    family: str
    vpp_table: int
    prefixes: Mapping[str, int]
    """``kernel`` (routes), ``mirrored`` (``desired``, ``held``, both), ``desired``, ``installed``,
    ``held``, ``substituted`` (both ``desired`` and ``held``: VPP is given something else),
    ``failed``, ``unconfirmed``."""


@dataclass(frozen=True)
class LimitStatus:
    """The limit of prefixes."""

    max_routes: int | None
    """``None`` where there is no limit."""

    action: str
    """``refuse`` or ``warn``."""

    exceeded: bool
    """Whether there are more, or were just now."""

    held: int
    """Prefixes that VPP is not given, as it is to have no more."""


@dataclass(frozen=True)
class HeldStatus:
    """Prefixes that VPP cannot have, but for those beyond ``kernel.max_routes``."""

    prefixes: int
    of: int
    """All that VPP should have."""

    too_many: bool
    """Whether they are more than ``vpp.max_held`` allows for."""

    interfaces: Mapping[str, int]
    """Those of them for whose interface nothing stands in VPP, by its name."""

    unmapped: str
    """``vpp.unmapped``: ``hold``, ``drop`` or ``punt``."""

    substitutes: Mapping[str, int]
    """Prefixes that VPP shall have something else for: ``drop``, ``punt``, or ``legs`` (some of the
    route's next hops), of which the last are none of :attr:`prefixes`."""


@dataclass(frozen=True)
class GuardStatus:
    """Deletions that wait for ``bgpreflector resume``."""

    deletions: int
    of: int
    """Routes of ours that VPP had when the daemon came."""

    reason: str
    left: int
    """Routes in VPP tables that a reload would not clear."""


@dataclass(frozen=True)
class StatusReport:
    """How a daemon does."""

    schema: int
    version: str
    pid: int
    uptime_seconds: float
    """Since the configuration was read that it has."""

    process_uptime_seconds: float

    state: str
    """A value of :class:`State`."""

    in_sync: bool
    ready: bool
    """In sync, or in sync before and now behind by less than :data:`READY_LAG` seconds; and no more
    prefixes held than is allowed for; and nothing hangs."""

    paused: bool
    prefixes: Mapping[str, Mapping[str, int]]
    """By family, as :attr:`TableStatus.prefixes`."""

    tables: tuple[TableStatus, ...]
    dirty: int
    """Prefixes that wait for a request."""

    oldest_waiting_seconds: float | None
    """That the oldest of the changes has waited that VPP has not answered."""

    queued_events: int
    handler_errors: Mapping[str, int]
    """Exceptions of event handlers, by the handler's name."""

    next_hop_sets: int
    path_sets: int
    held_routes: Mapping[str, int]
    """Routes of mirrored protocols that VPP cannot have, by reason."""

    held: HeldStatus
    limit: LimitStatus
    guard: GuardStatus | None
    """``None`` where no deletion waits for somebody."""

    hung: str | None
    """Which thread does not get on with what it has to do; ``None`` where all is well."""

    memory_bytes: int
    """Resident memory."""

    source: str
    """Who tells of the routes: ``kernel`` or ``fpm``."""

    fpm: FpmStatus | None
    """``None`` where the kernel tells of the routes."""

    kernel: KernelStatus
    vpp: VppStatus

    def as_object(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)
