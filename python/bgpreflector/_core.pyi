"""The Rust core: the route table, the kernel reader and the bulk connection to VPP."""

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address
from os import PathLike
from typing import TypeAlias, final

__all__ = [
    "Adopted",
    "CommitReport",
    "Engine",
    "Flushed",
    "FpmStatus",
    "KernelRoute",
    "LookupCheck",
    "NextHop",
    "NextHopSetView",
    "RequestList",
    "ResyncReport",
    "RouteBatch",
    "RouteChange",
    "RouteListing",
    "RouteView",
    "Simulator",
    "Status",
    "VppAudit",
    "init_logging",
    "next_log",
    "retval_meaning",
]

@final
class NextHop:
    """One next hop of a kernel route."""

    @property
    def gateway(self) -> IPv4Address | IPv6Address | None: ...
    @property
    def interface(self) -> int:
        """Kernel interface index, 0 where the kernel names none."""
    @property
    def weight(self) -> int:
        """1 to 65,536."""
    @property
    def onlink(self) -> bool: ...
    @property
    def labels(self) -> list[int]:
        """MPLS labels pushed, outermost first."""

@final
class RouteView:
    """One kernel route and what VPP has of it."""

    @property
    def table(self) -> int:
        """Kernel table."""
    @property
    def prefix(self) -> str: ...
    @property
    def tos(self) -> int: ...
    @property
    def metric(self) -> int: ...
    @property
    def protocol(self) -> int:
        """``rtm_protocol``."""
    @property
    def source(self) -> str:
        """Its source: ``kernel``, ``fpm``, or ``injected`` for a handler's route."""
    @property
    def route_type(self) -> str:
        """As iproute2 names it: ``unicast``, ``blackhole``, ``throw``; else ``type N``."""
    @property
    def next_hops(self) -> list[NextHop]:
        """Those of a next-hop object included; empty while the object is not known."""
    @property
    def next_hop_id(self) -> int | None:
        """Id of the next-hop object, where the route uses one."""
    @property
    def state(self) -> str:
        """``installed``, ``queued``, ``held``, ``rejected``, ``not_best`` or ``foreign``."""
    @property
    def reason(self) -> str | None:
        """Why, where the state alone does not say it."""
    @property
    def substitute(self) -> str | None:
        """Its substitute in VPP, if it is held: ``next_hops``, ``drop`` or ``punt``."""
    @property
    def installed(self) -> list[str]:
        """Paths that VPP has acknowledged for the prefix, as text."""
    @property
    def installed_paths(self) -> list[_PathTuple]:
        """The same as VPP's API names their fields."""

@final
class KernelRoute:
    """A route as the kernel itself shows it; the properties are those of :class:`RouteView`."""

    @property
    def table(self) -> int: ...
    @property
    def prefix(self) -> str: ...
    @property
    def tos(self) -> int: ...
    @property
    def metric(self) -> int: ...
    @property
    def protocol(self) -> int: ...
    @property
    def route_type(self) -> str: ...
    @property
    def next_hops(self) -> list[NextHop]: ...
    @property
    def next_hop_id(self) -> int | None: ...

@final
class LookupCheck:
    """What the kernel answers for a prefix, and whether VPP forwards so."""

    @property
    def table(self) -> int:
        """Kernel table."""
    @property
    def prefix(self) -> str:
        """Destination."""
    @property
    def address(self) -> IPv4Address | IPv6Address:
        """The address within it that the kernel was asked for."""
    @property
    def kernel(self) -> KernelRoute | None:
        """What the kernel forwards that address by."""
    @property
    def error(self) -> int | None:
        """Its ``errno`` where it does not."""
    @property
    def expected(self) -> list[str]:
        """The paths that its answer means for VPP."""
    @property
    def reason(self) -> str | None:
        """Why it means none."""
    @property
    def installed(self) -> list[str]:
        """The paths that VPP has for the prefix."""
    @property
    def verdict(self) -> str:
        """``alike``, ``different``, ``elsewhere`` (the kernel decides by a table that is not
        mirrored) or ``unknown`` (longer prefixes are in the way, or a change is under way)."""

@final
class NextHopSetView:
    """A set of next hops that kernel routes share."""

    @property
    def family(self) -> str:
        """``ipv4`` or ``ipv6``."""
    @property
    def route_type(self) -> str:
        """As :attr:`RouteView.route_type`."""
    @property
    def next_hop_id(self) -> int | None:
        """Id of the next-hop object that it is."""
    @property
    def next_hops(self) -> list[NextHop]:
        """Those of the object included; empty while the object is not known."""
    @property
    def routes(self) -> int:
        """Kernel routes that use it."""
    @property
    def paths(self) -> list[_PathTuple]:
        """Desired paths."""
    @property
    def reason(self) -> str | None:
        """Why VPP can have none."""

@final
class RouteChange:
    """One change of a batch; ``str()`` is a line for a person to read."""

    @property
    def operation(self) -> str:
        """``add``, ``replace``, ``delete``, or ``none`` where nothing is to be done any more."""
    @property
    def table(self) -> int:
        """Kernel table."""
    @property
    def prefix(self) -> str: ...
    @property
    def installed(self) -> list[str]:
        """Paths that VPP has, as text."""
    @property
    def desired(self) -> list[str]:
        """Desired paths, as text."""
    @property
    def installed_paths(self) -> list[_PathTuple]:
        """Paths that VPP has."""
    @property
    def desired_paths(self) -> list[_PathTuple]:
        """Desired paths."""

@final
class RouteBatch:
    """Dirty prefixes taken together; opaque but for its figures."""

    def __len__(self) -> int: ...
    @property
    def adds(self) -> int: ...
    @property
    def replaces(self) -> int: ...
    @property
    def deletes(self) -> int: ...
    @property
    def is_taken(self) -> bool:
        """Whether it was committed, or its requests opened; not if it was released before."""
    def changes(self, limit: int, start: int = 0) -> Iterator[RouteChange]:
        """At most ``limit`` changes from ``start`` on, as they stand now; none once it was
        committed. Those for which meanwhile nothing is to be done are left out or ``none``."""
    def release(self) -> None:
        """Give the prefixes back unsent; they are dirty again. Idempotent."""

_PathTuple: TypeAlias = tuple[
    int, int, IPv4Address | IPv6Address | None, int, int, int, int, Sequence[int]
]

_Alike: TypeAlias = tuple[str, int, str, list[NextHop], int]
"""State, protocol, route type and next hops, and how many routes share them."""

@final
class RequestList:
    """A batch's requests, for somebody else to send and to answer for."""

    def __len__(self) -> int:
        """Requests, answered or not."""
    def request(self, index: int) -> tuple[int, str, list[_PathTuple] | None]:
        """VPP table, prefix and desired paths, ``None`` to delete it.

        A path is ``type``, ``proto``, next hop, ``sw_if_index``, ``table_id``, weight,
        preference and labels. Raises ``ValueError`` if the request is not open.
        """
    def answer(self, index: int, retval: int) -> None:
        """Take note of VPP's answer. Raises ``ValueError`` if the request is not open."""
    def ended_vpp(self, index: int) -> bool:
        """Take note that VPP went while this request, and no other, had no answer; whether its
        prefix is held from now on."""
    def release(self) -> None:
        """Give what has no answer back: it is dirty again. Idempotent."""

@final
class ResyncReport:
    """What a resync with the kernel found."""

    @property
    def dumped(self) -> int:
        """Routes that the dumps showed."""
    @property
    def removed(self) -> int:
        """Routes that were held and that the kernel no longer has."""
    @property
    def dumps(self) -> int:
        """Dumps that it took."""
    @property
    def complete(self) -> bool:
        """Whether every family could be compared; if not, another resync follows by itself."""
    @property
    def duration(self) -> float:
        """Seconds."""
    @property
    def drift(self) -> dict[str, int]:
        """What an audit repaired, by kind: ``missing``, ``different``, ``stale``."""
    @property
    def drifted(self) -> list[tuple[int, str, str]]:
        """Some of that: kernel table, prefix, kind."""

@final
class CommitReport:
    """What became of a batch: prefixes by outcome."""

    @property
    def added(self) -> int: ...
    @property
    def replaced(self) -> int: ...
    @property
    def deleted(self) -> int: ...
    @property
    def unchanged(self) -> int:
        """Nothing was to be done any more."""
    @property
    def failed(self) -> int:
        """VPP refused."""
    @property
    def failures(self) -> list[tuple[int, str, int, str, bool]]:
        """Some of the refusals: VPP table, prefix, ``retval``, meaning, whether to retry."""

@final
class Adopted:
    """What was read of VPP."""

    @property
    def routes(self) -> int:
        """Routes under our source that are installed state now."""
    @property
    def elsewhere(self) -> int:
        """Routes under our source in VPP tables that are not ours."""

@final
class Flushed:
    """What a flush found and did."""

    @property
    def tables(self) -> list[tuple[int, bool, int, int, int]]:
        """By VPP table: id, whether IPv6, routes of ours that VPP showed, how many of them it
        deleted, and refusals, those for routes that it did not show included."""
    @property
    def failures(self) -> list[tuple[int, str, int, str, bool]]:
        """Some of the refusals: VPP table, prefix, ``retval``, meaning, whether to retry."""

@final
class VppAudit:
    """What an audit of VPP found."""

    @property
    def shown(self) -> int:
        """Routes under our source that VPP showed."""
    @property
    def drift(self) -> dict[str, int]:
        """Differences by kind: ``missing``, ``different``, ``unexpected``, ``overridden``."""
    @property
    def drifted(self) -> list[tuple[int, str, str]]:
        """Some of them: VPP table, prefix, kind."""

@final
class FpmStatus:
    """zebra's connection in figures."""

    @property
    def listen(self) -> str | None:
        """Where it is listened at; ``None`` before that."""
    @property
    def peer(self) -> str | None:
        """Who is connected."""
    @property
    def settled(self) -> bool:
        """Whether the connection has shown all its routes, and those that it lacks are gone."""
    @property
    def connections(self) -> int: ...
    @property
    def refused(self) -> int:
        """Connections refused, as there was one already."""
    @property
    def protocol_errors(self) -> int:
        """Connections closed, as what came was no FPM."""
    @property
    def frames(self) -> int: ...
    @property
    def sweeps(self) -> int:
        """Connections that have shown all their routes."""
    @property
    def swept(self) -> int:
        """Routes of earlier connections that were removed then."""
    @property
    def answers(self) -> dict[str, int]:
        """Answers sent: ``offload``, ``offload_failed``."""
    @property
    def answers_queued(self) -> int:
        """Prefixes that wait to be answered for."""

@final
class Status:
    """The engine's figures."""

    @property
    def prefixes(self) -> dict[str, dict[str, int]]:
        """By family: ``kernel``, ``desired``, ``installed``, ``held``, ``substituted``,
        ``rejected``, ``unconfirmed``."""
    @property
    def tables(self) -> list[tuple[int, str, dict[str, int]]]:
        """By kernel table and family, likewise."""
    @property
    def dirty(self) -> int:
        """Prefixes that wait for a request."""
    @property
    def oldest_queued(self) -> float | None:
        """Seconds that the change has waited that waits the longest."""
    @property
    def latency(self) -> list[tuple[float, int]]:
        """Seconds, and how many changes waited no longer for their batch to be answered."""
    @property
    def latency_sum(self) -> float:
        """Seconds that all changes waited together."""
    @property
    def requests(self) -> dict[str, tuple[int, int]]:
        """Route requests that VPP did and refused, by operation: ``add``, ``replace``,
        ``delete``."""
    @property
    def next_hop_sets(self) -> int: ...
    @property
    def path_sets(self) -> int: ...
    @property
    def messages(self) -> dict[str, int]:
        """Kernel messages by type."""
    @property
    def skipped(self) -> dict[str, int]:
        """Kernel messages not taken, by reason."""
    @property
    def anomalies(self) -> dict[str, int]:
        """What the kernel said that did not fit what was known."""
    @property
    def overruns(self) -> int:
        """Times that the kernel dropped notifications."""
    @property
    def drops(self) -> int:
        """Notifications that the kernel dropped."""
    @property
    def dump_ended_early(self) -> bool:
        """Whether the last dump ended early, at a route too large for a netlink message."""
    @property
    def unverified_prefixes(self) -> int:
        """Prefixes that the last dumps did not show and that stay, as the kernel's answers do not
        tell whether it has them."""
    @property
    def synchronised(self) -> bool:
        """Whether all of the kernel has been read once."""
    @property
    def resyncs(self) -> dict[str, int]:
        """Resyncs done, by reason."""
    @property
    def resync_seconds(self) -> dict[str, float]:
        """Seconds that they took, by reason."""
    @property
    def drift(self) -> dict[str, int]:
        """Differences that audits found and repaired, by kind."""
    @property
    def held_routes(self) -> dict[str, int]:
        """Routes of mirrored protocols that VPP cannot have, by reason."""
    @property
    def substitutes(self) -> dict[str, int]:
        """Prefixes with a substitute in VPP, by its kind: ``next_hops`` (some of the
        route's), ``drop``, ``punt``."""
    @property
    def limit_exceeded(self) -> bool:
        """Whether there are more prefixes than ``max_routes``."""
    @property
    def receive_buffer(self) -> int:
        """Bytes that the kernel granted."""

@final
class Engine:
    """The route table with the kernel reader and the bulk connection to VPP.

    Every method may be called from any thread; those that wait release the GIL.
    """

    def __new__(
        cls,
        *,
        protocols: Sequence[int],
        tables: Mapping[int, int],
        families: Sequence[str],
        foreign_routes: str,
        receive_buffer: int,
        namespace: str | PathLike[str] | None = None,
        prefix_rules: Sequence[tuple[str, int, int, bool]] = ...,
        audit_interval: float = 0.0,
        stale_routes_time: float = 0.0,
        max_routes: int | None = None,
        refuse: bool = False,
        discover: Sequence[tuple[int, int]] = ...,
        table_map: Mapping[int, int] = ...,
        free_tables: tuple[int, int] | None = None,
        fpm: tuple[str, float, float] | None = None,
    ) -> Engine:
        """``tables`` maps kernel tables to VPP tables. Nothing is opened before ``start()``.

        Those in the ranges ``discover``, the lowest and the highest of each, are mirrored as soon
        as they have a route, into the VPP table of ``table_map``, else into a free one of
        ``free_tables``, the lowest and the highest, or without that into the one of their own
        number.

        A prefix rule is a prefix, the shortest and the longest length of what it matches within
        that, and whether it allows. ``audit_interval`` (0: never) and ``stale_routes_time`` are
        seconds.
        ``refuse``: prefixes beyond ``max_routes`` wait, and are not only warned of.
        ``fpm``: where zebra is listened to (``127.0.0.1:2620``), which then tells of the routes
        in the kernel's place; the seconds of quiet after which a connection has shown all of them,
        and the seconds from its beginning in which those stay that it has not shown.

        Raises ``ValueError`` for an unknown family or ``foreign_routes``, or what is no prefix.
        """
    def mirrored_tables(self) -> list[tuple[int, int, bool, bool, bool]]:
        """Kernel table, VPP table, whether IPv6, discovered, and in use: has any routes."""
    def tables_left_out(self) -> list[int]:
        """Kernel tables to be discovered whose VPP table has another one's routes, or for which
        none is free."""
    def vpp_tables_found(self, ours: list[tuple[int, int]], others: list[int]) -> None:
        """Which tables VPP has: kernel and VPP table of ours by name, and those of others.

        What ``free_tables`` are chosen depends on it; VPP's routes have to be read again.
        """
    def discover_vpp_table(self, vpp_table: int, is_ip6: bool) -> bool:
        """Adopt what an earlier run put into a VPP table; ``False``: none that is mirrored."""
    def start(self) -> None:
        """Subscribe to the kernel's notifications. Raises ``KernelError``. Idempotent."""
    def audit(self) -> ResyncReport:
        """As :meth:`resync`, and report what differed though no notification explains it."""
    def last_drift(self) -> list[tuple[int, str, str]]:
        """Some of what the last audit that found anything repaired: table, prefix, kind."""
    def fpm(self) -> FpmStatus | None:
        """zebra's connection; ``None`` where the kernel tells of the routes."""
    def resync(self) -> ResyncReport:
        """Dump the kernel; the table then says what the kernel says. Raises ``KernelError``.

        Where zebra tells of the routes, the links alone.
        """
    def wait_dirty(self, timeout: float | None = None) -> bool:
        """Wait until the kernel has been read and a prefix is dirty.

        ``False`` after ``timeout`` seconds and once the engine is closed or has failed.
        """
    def take_batch(self, limit: int) -> RouteBatch:
        """Take at most ``limit`` dirty prefixes; may be empty."""
    def recent_changes(self, since: int) -> list[tuple[int, float, RouteChange]]:
        """Of the last changes that were sent, those after the one of that number: number, seconds
        since the epoch, change."""
    def take_injected(
        self,
        withdrawn: Sequence[tuple[int, str]],
        announced: Sequence[
            tuple[int, str, Sequence[tuple[IPv4Address | IPv6Address | None, int, int]]]
        ],
        *,
        protocol: int,
    ) -> RouteBatch:
        """Withdraw and announce routes that are not the kernel's, and take all that is dirty then.

        They are given by kernel table and prefix, announced ones with next hops as in
        :meth:`announce`, and have metric 0. No resync takes them away. Raises ``ValueError``.
        """
    def failure(self) -> str | None:
        """Why the kernel reader ended by itself."""
    def connect(
        self,
        *,
        socket: str | PathLike[str],
        name: str,
        max_in_flight: int,
        connect_timeout: float,
        request_timeout: float,
        keepalive_interval: float = 0.0,
        rate_limit: int | None = None,
    ) -> None:
        """Open the bulk connection, in place of one that is open. Times in seconds.

        A VPP that has nothing to say is pinged every ``keepalive_interval``, at 0 never.
        ``rate_limit`` is the most route requests a second.
        Raises ``VppConnectError``, or ``VppMessageError`` where VPP's messages differ.
        """
    def connected_to(self, version: str) -> int:
        """Take note of VPP's version, as ``show_version`` tells it, before routes are sent.

        It decides what would end this VPP (``docs/compatibility.md``) and is sent in another
        form; until it is known, all that would end any. Routes over which a VPP of another
        version ended are let in again; how many.
        """
    def ended_vpp(self) -> list[tuple[int, str]]:
        """VPP table and prefix of the routes that are held as VPP ended over them."""
    def release(self, prefix: str | None = None) -> int:
        """Let one of them, in all VPP tables, or all in again; how many there were. Raises
        ``ValueError``."""
    def pulses(self) -> dict[str, tuple[bool, int]]:
        """For ``kernel reader``, ``bulk connection`` and ``listener for zebra``, where there is
        one: whether it has something to do, and a number that grows as it gets on. Waits for
        none."""
    def steps(self) -> int:
        """What grows while that gets on which somebody waits for: route requests that VPP has
        answered, reads of what else it says, buffers of a dump of the kernel. Waits for no lock."""
    def disconnect(self) -> None:
        """Close the bulk connection. Idempotent."""
    def vpp_lost(self) -> str | None:
        """Why the bulk connection ended; ``None`` while it stands."""
    def wait_vpp_lost(self) -> str:
        """Wait until the bulk connection ends; why it did."""
    def commit(self, batch: RouteBatch, source: int) -> CommitReport:
        """Send what the batch needs under a FIB source and wait for VPP's answers.

        Raises ``VppLostError`` if the connection ends first: the rest is dirty again.
        Raises ``ValueError`` if the batch was committed or released already.
        """
    def adopt(self, source: int, *, better: Sequence[int] = ...) -> Adopted:
        """Take what VPP has under a FIB source as installed.

        Where one of the ``better`` sources has a route, VPP does not show ours: what the kernel
        lacks there is deleted unseen. Raises ``VppLostError``.
        """
    def audit_vpp(
        self, source: int, *, better: Sequence[int] = ..., repair: bool, limit: int = 100
    ) -> VppAudit:
        """Compare what VPP shows under a FIB source with what it has acknowledged.

        Where one of the ``better`` sources has a prefix ours is overridden; where another has it
        and ours is not shown, it is missing. ``repair`` makes what differs dirty; ``limit``
        differences are named. Raises ``VppLostError``.
        """
    def pause_requests(self, on: bool) -> None:
        """Have commits end early from now on, what they have not sent staying dirty; or not."""
    def open_requests(self, batch: RouteBatch) -> RequestList:
        """The requests that a batch needs, to be sent some other way. Raises ``ValueError``."""
    def forget_installed(self) -> None:
        """VPP has nothing of ours, or what it has is unknown."""
    def begin_adoption(self) -> None:
        """Start an adoption: ``adopt_route()`` follows for each route of VPP."""
    def suspect_shadowed(self, vpp_table: int, prefix: str) -> None:
        """VPP may have a route of ours for a prefix, unseen behind that of a better source."""
    def adopt_route(self, vpp_table: int, prefix: str, paths: Sequence[_PathTuple]) -> bool:
        """Take a route that VPP has under our source as installed; false in a foreign table."""
    def compare_route(
        self, vpp_table: int, prefix: str, paths: Sequence[_PathTuple]
    ) -> tuple[list[str], str | None]:
        """A route that VPP shows under our source: its paths as text, and how they differ from
        what VPP has acknowledged: ``different``, ``unexpected`` or ``None``."""
    def overridden(
        self, sources: Sequence[int], *, limit: int
    ) -> tuple[int, list[tuple[int, str, int]]]:
        """How many of our routes VPP does not forward by, because one of these FIB sources has a
        better one for the prefix; and some: VPP table, prefix, source. Raises ``VppLostError``.
        """
    def flush(
        self,
        source: int,
        *,
        better: Sequence[int],
        tables: Sequence[tuple[int, bool]],
        dry_run: bool,
    ) -> Flushed:
        """Delete everything under a FIB source from VPP tables (id, whether IPv6).

        Under routes of the ``better`` sources VPP does not show ours: there they are deleted
        unseen. The engine's table does not change: for callers that mirror nothing. Raises
        ``VppLostError``.
        """
    def held(self) -> int:
        """Prefixes that VPP cannot have now: a figure that is kept, where :meth:`status` counts."""
    def withhold_deletions(self, gone: Sequence[int]) -> None:
        """Hand out no deletions from now on, but for routes through these ``sw_if_index``."""
    def release_deletions(self) -> None:
        """Hand deletions out again."""
    def withheld_deletions(self) -> tuple[int, int]:
        """Deletions that wait, and how many of them are of prefixes that VPP cannot have."""
    def held_interfaces(self) -> dict[str, int]:
        """Count routes held because no VPP interface is mapped to theirs, by interface name."""
    def leads_through(self, sw_if_index: int) -> bool:
        """Whether desired or installed paths use one of VPP's interfaces."""
    def examples(self) -> list[tuple[int, str, list[int]]]:
        """VPP table and prefix of one route for each set of paths that VPP has, and the
        interfaces (``sw_if_index``) that it leads through, where there are any."""
    def has_installed(self, vpp_table: int, prefix: str) -> bool:
        """Whether VPP has acknowledged a route of ours for a prefix. Raises ``ValueError``."""
    def announce(
        self,
        table: int,
        prefix: str,
        next_hops: Sequence[tuple[IPv4Address | IPv6Address | None, int, int]],
        *,
        protocol: int,
        metric: int = 0,
        kind: str = "unicast",
    ) -> None:
        """Enter a route as if the kernel had announced it; the next resync compares it.

        A next hop is gateway, interface index and weight. ``kind`` may be ``blackhole``,
        ``unreachable`` or ``prohibit``. Raises ``ValueError``.
        """
    def announce_link(self, index: int, name: str, *, vrf_table: int | None = None) -> None:
        """Enter a link that is up as if the kernel had announced it; the next resync compares it.

        ``vrf_table`` is the routing table of a VRF device.
        """
    def withdraw(
        self,
        table: int,
        prefix: str,
        next_hops: Sequence[tuple[IPv4Address | IPv6Address | None, int, int]],
        *,
        protocol: int,
        metric: int = 0,
    ) -> None:
        """Take a route away as if the kernel had withdrawn it. Raises ``ValueError``."""
    def retry_rejected(self) -> int:
        """Make the prefixes dirty again that VPP refused and may take later; how many."""
    def forget_kernel(self) -> None:
        """Forget all kernel routes and our own, so that all installed routes become deletions."""
    def set_interfaces(
        self,
        interfaces: Mapping[str, int],
        unmapped: int | None,
        recursive: bool,
        *,
        fallback: str = "hold",
        skip_next_hops: bool = False,
        alike: Mapping[str, tuple[int, bytes]] | None = None,
    ) -> None:
        """Set the ``sw_if_index`` of each kernel interface.

        A next hop through any other goes out of ``unmapped``, or is left to VPP's own FIB
        if ``recursive``, or makes its route wait. VPP is given ``fallback`` (``hold``, ``drop``,
        ``punt``) for a route that it cannot have, or with ``skip_next_hops`` those of its next hops
        that it can have. ``alike`` has an index and a hardware address for an interface that
        ``interfaces`` does not name, for as long as that has the same address. Raises
        ``ValueError``.
        """
    def mapped_interfaces(self) -> dict[str, int]:
        """The ``sw_if_index`` of each kernel interface that is mapped to one."""
    def links(self) -> list[tuple[int, str, bool]]:
        """The kernel's links: index, name, whether up."""
    def vrfs(self) -> list[tuple[int, int]]:
        """The VRF devices among them: index, and the routing table."""
    def label_routes(
        self,
    ) -> list[tuple[int, int, list[tuple[list[int], IPv4Address | IPv6Address | None, int]]]]:
        """The routes by MPLS label, none of which VPP gets: label, protocol, next hops.

        A next hop is the labels put in the label's place (none: it is popped), gateway and
        interface index.
        """
    def status(self) -> Status: ...
    def routes(self, cursor: int, limit: int) -> tuple[list[RouteView], int | None]:
        """About ``limit`` kernel routes from ``cursor`` (0: the first) on, as they come, and the
        next cursor; a page may be empty though there is another. :class:`RouteListing` has them in
        order, or some of them.
        """
    def lookup(self, address: IPv4Address | IPv6Address) -> tuple[KernelRoute | None, int | None]:
        """By which route the kernel forwards to an address, asked of the kernel itself; where it
        does not, its ``errno``. Raises ``KernelError``."""
    def check_lookups(self, prefixes: Sequence[tuple[int, str]]) -> list[LookupCheck]:
        """Compare what VPP has for prefixes of kernel tables with what the kernel itself answers
        for an address of each. Raises ``KernelError``, ``ValueError``."""
    def sample_installed(self, count: int, turn: int) -> list[tuple[int, str]]:
        """Kernel table and prefix of about ``count`` of the routes that VPP has, spread over all;
        ``turn`` chooses which."""
    def compare_with_kernel(
        self, route: KernelRoute, vpp_table: int, prefix: str, paths: Sequence[_PathTuple]
    ) -> tuple[bool, list[str], str | None]:
        """Whether VPP forwards as a kernel route by the paths that it has for a prefix, the paths
        that the route means for VPP, and why it can have none."""
    def sysctl(self, key: str) -> str | None:
        """The kernel's setting ``net.KEY``, such as ``ipv4/ip_forward``, in the namespace that is
        read; ``None`` where it has none. Raises ``KernelError``."""
    def routes_of(self, table: int, prefix: str) -> list[RouteView]:
        """The kernel routes of one prefix. Raises ``ValueError``."""
    def close(self) -> None:
        """End the threads and every wait, and empty the table. Idempotent."""

@final
class RouteListing:
    """A listing of an engine's routes, which goes on while they change; it holds no route."""

    def __new__(
        cls,
        engine: Engine,
        *,
        states: Sequence[str] = ...,
        within: str | None = None,
        gateway: IPv4Address | IPv6Address | None = None,
        interface: int | None = None,
    ) -> RouteListing:
        """Of the routes in one of the ``states``, where there are any, to prefixes ``within`` one,
        and with a next hop that has this gateway and kernel interface. Raises ``ValueError``."""
    def next(self, limit: int) -> list[RouteView] | None:
        """The next routes, of ``limit`` prefixes at most: by family, table and prefix. Perhaps
        none, though there are more; ``None`` at the end."""
    def next_hop_sets(self, cursor: int, limit: int) -> tuple[list[NextHopSetView], int | None]:
        """Next-hop sets of these routes from ``cursor`` (0: the first) on, and the next cursor;
        :attr:`NextHopSetView.routes` are then those of the listing."""
    def tally(self, cursor: int) -> tuple[list[_Alike], int | None]:
        """Counts the routes from ``cursor`` (0: the first) on; and the next cursor."""

@final
class Simulator:
    """A server that speaks VPP's socket API, on threads of its own until ``stop()``."""

    def __new__(
        cls,
        *,
        socket: str | PathLike[str],
        control_socket: str | PathLike[str] | None = None,
        interfaces: Sequence[str] | None = None,
        pairs: Sequence[tuple[str, str]] | None = None,
        keepalive: float | None = None,
        plugins: Sequence[str] | None = None,
        release: str | None = None,
    ) -> Simulator:
        """Listen on ``socket``; ``interfaces`` come after ``local0``, by default two loopbacks.

        ``pairs`` are linux-cp pairs (VPP interface, Linux interface); ``keepalive`` is the
        silence in seconds after which a client is asked for life. ``plugins``
        are by default ``linux_cp_plugin.so`` alone; with ``linux_nl_plugin.so`` it has that
        plugin's FIB sources. ``release`` is the release of VPP that it plays, for instance
        ``24.02``; by default one that has all messages and that no request ends. Raises
        ``OSError``, and ``ValueError`` for an unknown release.
        """
    def statistics(self) -> dict[str, int]:
        """Figures since the start: ``route_requests``, ``adds``, ``replaces``, ``deletes``,
        ``deletes_of_absent``, ``refused``, ``ends``; now: ``routes``, ``clients``; and
        ``answered_at``, when answers to route requests were last sent, nanoseconds of
        ``time.monotonic_ns()``."""
    def snapshot(self, source: str) -> list[tuple[int, str, list[tuple[str, int, int]]]]:
        """The routes of a FIB source, by name: VPP table, prefix, and its paths.

        A path is next hop (``drop``, ``icmp-unreach`` or ``icmp-prohibit`` for a special one,
        empty for an attached one), ``sw_if_index`` and weight.
        """
    def record_deletions(self) -> None:
        """Keep note of the prefixes that are deleted from now on, and forget earlier ones."""
    def deletions(self) -> list[tuple[int, str]]:
        """VPP table and prefix of what was deleted since ``record_deletions()``, once each,
        whether or not it was there, or is there again."""
    def fault(self, order: str) -> None:
        """Order a fault, as JSON: see ``docs/simulator.md``. Raises ``ValueError``."""
    def api_description(self) -> str:
        """What one of VPP's ``.api.json`` files would say of its messages. Raises
        ``ValueError`` once it is stopped."""
    def stop(self) -> None:
        """End it. Idempotent."""

def init_logging(level: int) -> None:
    """Keep the log records of the compiled module, of this level of ``logging`` at least."""

def next_log(wait: bool) -> tuple[int, str, str, dict[str, bool | int | float | str]] | None:
    """The next of them: level, logger's name, message, fields; ``wait`` for one, or ``None``."""

def retval_meaning(retval: int) -> tuple[str, bool]:
    """What VPP's return code means, and whether the request is worth another try."""
