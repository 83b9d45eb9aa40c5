"""The types of a running daemon's status report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import Enum

SCHEMA = 3
"""Version of :class:`StatusReport`; it grows when a field changes its meaning or goes."""


class State(Enum):
    """The daemon's state: the first that applies."""

    ENDED = "ended"
    """The daemon has ended, or one of its threads."""

    VPP_LOST = "vpp_lost"
    """There is no connection to VPP."""

    KERNEL_UNREAD = "kernel_unread"
    """The kernel's routes have not been read yet."""

    SOURCE_LOST = "source_lost"
    """zebra, the source of the routes, is not connected: VPP keeps its routes."""

    PAUSED = "paused"
    """Programming is paused by an operator."""

    GUARDED = "guarded"
    """The first sync would delete too much and waits for approval."""

    REJECTED = "rejected"
    """VPP refused routes."""

    SYNCHRONISING = "synchronising"
    """VPP is being programmed."""

    HELD = "held"
    """In sync, but more prefixes are held than ``vpp.max_held`` allows."""

    IN_SYNC = "in_sync"
    """VPP has acknowledged all desired routes."""


@dataclass(frozen=True)
class Resyncs:
    """Kernel resyncs of one reason."""

    count: int
    seconds: float
    """Total duration."""


@dataclass(frozen=True)
class KernelStatus:
    """The kernel's side."""

    synchronised: bool
    """Whether all of it has been read at least once."""

    namespace: str | None
    """``None`` for the daemon's own."""

    messages: Mapping[str, int]
    """By type."""

    skipped: Mapping[str, int]
    """Messages not taken, by reason."""

    anomalies: Mapping[str, int]
    """Notifications that contradict the table."""

    overruns: int
    """Overruns: times that it dropped notifications."""

    drops: int
    """Notifications that it dropped."""

    dump_ended_early: bool
    """Whether its last dump ended early, at a route too large for a netlink message: routes
    after it are kept and not compared."""

    unverified_prefixes: int
    """Prefixes that its last dumps did not show and that stay because lookups are inconclusive."""

    resyncs: Mapping[str, Resyncs]
    """By reason."""

    drift: Mapping[str, int]
    """Differences that audits found and repaired, by kind."""

    receive_buffer_wanted_bytes: int
    receive_buffer_bytes: int
    """That the kernel granted: it counts twice what it was asked for."""


@dataclass(frozen=True)
class FpmStatus:
    """zebra's side, if it is the source."""

    listen: str | None
    """Listen address."""

    peer: str | None
    """The peer's address."""

    synchronised: bool
    """Whether it has sent all its routes and the others were removed."""

    connections: int
    refused: int
    """Connections refused because there was one already."""

    protocol_errors: int
    """Connections closed because of a protocol error."""

    frames: int
    sweeps: int
    """Connections that have sent all their routes."""

    swept: int
    """Routes of earlier connections that were removed then."""

    results: Mapping[str, int]
    """Results sent: ``offload`` (VPP has a route), ``offload_failed``."""

    results_queued: int


@dataclass(frozen=True)
class OverriddenPrefix:
    """A prefix that another FIB source overrides."""

    vpp_table: int
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
    """Whether routes go over the bulk connection, rather than ``vpp_papi``."""

    resynchronised: bool
    """Whether a resync has succeeded since the last connect."""

    linux_nl: bool
    """Whether its linux_nl plugin mirrors the kernel's routes too."""

    overridden: int
    """Prefixes that other sources override, as of the last lookup."""

    overridden_prefixes: tuple[OverriddenPrefix, ...]
    """A sample of them."""

    requests: Mapping[str, Requests]
    """Route requests, by operation."""

    drift: Mapping[str, int]
    """Differences that audits found, by kind."""

    unresolved: int
    """Sets of paths that VPP has and does not forward by, as of its last audit."""

    missing_interfaces: tuple[str, ...]
    """Configured VPP interfaces that VPP does not have."""

    @property
    def answered_requests(self) -> int:
        """Route requests that VPP has answered."""
        return sum(requests.done + requests.refused for requests in self.requests.values())


@dataclass(frozen=True)
class TableStatus:
    """A mirrored kernel table, one family."""

    table: int
    family: str
    vpp_table: int
    prefixes: Mapping[str, int]
    """``kernel`` (routes), ``mirrored`` (``desired``, ``held``, both), ``desired``, ``installed``,
    ``held``, ``substituted`` (both ``desired`` and ``held``: VPP is given something else),
    ``rejected``, ``unconfirmed``."""


@dataclass(frozen=True)
class LimitStatus:
    """The limit of prefixes."""

    max_routes: int | None
    """``None`` where there is no limit."""

    action: str
    """``refuse`` or ``warn``."""

    exceeded: bool
    """Whether the limit is exceeded."""

    held: int
    """Prefixes held by the limit."""


@dataclass(frozen=True)
class HeldStatus:
    """Held prefixes, except those beyond ``kernel.max_routes``."""

    prefixes: int
    total: int
    """All prefixes that VPP should have."""

    too_many: bool
    """Whether they exceed ``vpp.max_held``."""

    interfaces: Mapping[str, int]
    """Those without a VPP interface, by interface name."""

    unmapped: str
    """``vpp.unmapped``: ``hold``, ``drop`` or ``punt``."""

    substitutes: Mapping[str, int]
    """Prefixes with a substitute: ``drop``, ``punt``, or ``next_hops`` (some of the route's),
    the last not counted in :attr:`prefixes`."""


@dataclass(frozen=True)
class GuardStatus:
    """Deletions that wait for ``bgpreflector resume``."""

    deletions: int
    total: int
    """Our routes in VPP when the daemon started."""

    reason: str
    unmirrored_routes: int
    """Our routes that a reload left in VPP tables that are no longer mirrored."""


@dataclass(frozen=True)
class StatusReport:
    """The status of a daemon."""

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
    prefixes held than allowed; and no thread hangs."""

    paused: bool
    prefixes: Mapping[str, Mapping[str, int]]
    """By family, as :attr:`TableStatus.prefixes`."""

    tables: tuple[TableStatus, ...]
    unassigned_tables: tuple[int, ...]
    """Discovered kernel tables that are not mirrored, as there is no VPP table for them."""

    dirty: int
    """Dirty prefixes."""

    oldest_queued_seconds: float | None
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
    """``None`` if no deletion waits for approval."""

    hung: str | None
    """Which thread hangs; ``None`` if none does."""

    memory_bytes: int
    """Resident memory."""

    source: str
    """Source of the routes: ``kernel`` or ``fpm``."""

    fpm: FpmStatus | None
    """``None`` if the kernel is the source."""

    kernel: KernelStatus
    vpp: VppStatus

    def as_object(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)
