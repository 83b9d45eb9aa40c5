"""The Rust core: the route table, the kernel reader and the bulk connection to VPP."""

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address
from os import PathLike
from typing import TypeAlias, final

__all__ = [
    "AdoptReport",
    "CommitReport",
    "Engine",
    "FlushReport",
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
    "VppAuditReport",
    "init_logging",
    "next_log_record",
    "retval_meaning",
]

@final
class NextHop:
    """One next hop of a kernel route."""

    @property
    def gateway(self) -> IPv4Address | IPv6Address | None: ...
    @property
    def interface(self) -> int:
        """Kernel interface index (``RTA_OIF``); 0 if the kernel gives none."""
    @property
    def weight(self) -> int:
        """1 to 65,536: ``rtnh_hops`` + 1, or the weight in a group (``nexthop_grp``)."""
    @property
    def onlink(self) -> bool: ...
    @property
    def labels(self) -> list[int]:
        """MPLS labels to push, outermost first (``MPLS_IPTUNNEL_DST``)."""

@final
class RouteView:
    """A route in the table and its state in VPP."""

    @property
    def table(self) -> int:
        """Kernel table (``RTA_TABLE``)."""
    @property
    def prefix(self) -> str: ...
    @property
    def tos(self) -> int: ...
    @property
    def metric(self) -> int:
        """``RTA_PRIORITY``; the lowest is preferred."""
    @property
    def protocol(self) -> int:
        """``rtm_protocol``; 12 is BIRD's."""
    @property
    def source(self) -> str:
        """``kernel``, ``fpm``, or ``injected`` for a handler's route."""
    @property
    def route_type(self) -> str:
        """iproute2's name: ``unicast``, ``blackhole``, ``throw`` and so on; else ``type N``."""
    @property
    def next_hops(self) -> list[NextHop]:
        """Those of the next-hop object, if the route uses one; empty while it is unknown."""
    @property
    def next_hop_id(self) -> int | None:
        """Id of the next-hop object (``RTA_NH_ID``), if the route uses one."""
    @property
    def state(self) -> str:
        """``installed``, ``queued``, ``held``, ``rejected``, ``not_best`` or ``foreign``."""
    @property
    def reason(self) -> str | None:
        """Why the route is held or rejected; ``None`` in other states."""
    @property
    def substitute(self) -> str | None:
        """What VPP has instead of a held route: ``next_hops``, ``drop`` or ``punt``."""
    @property
    def installed(self) -> list[str]:
        """Paths that VPP has acknowledged for the prefix, as text."""
    @property
    def installed_paths(self) -> list[_PathTuple]:
        """The same paths as tuples."""

@final
class KernelRoute:
    """A route from a kernel lookup; the properties are those of :class:`RouteView`."""

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
    """The kernel's lookup result for a prefix, compared with what VPP has."""

    @property
    def table(self) -> int:
        """Kernel table."""
    @property
    def prefix(self) -> str:
        """The prefix that was checked."""
    @property
    def address(self) -> IPv4Address | IPv6Address:
        """The address in the prefix that the kernel looked up."""
    @property
    def kernel(self) -> KernelRoute | None:
        """The route by which the kernel forwards the address, if any."""
    @property
    def error(self) -> int | None:
        """The kernel's ``errno`` if it does not forward the address."""
    @property
    def expected(self) -> list[str]:
        """The paths that VPP should have for the kernel's route, as text."""
    @property
    def reason(self) -> str | None:
        """Why VPP can have no paths for it."""
    @property
    def installed(self) -> list[str]:
        """The paths that VPP has for the prefix, as text."""
    @property
    def verdict(self) -> str:
        """``same``, ``different``, ``other_route`` (the kernel uses another table, or a route of a
        protocol that is not mirrored), or ``unknown`` (longer prefixes cover the address, or a
        change is in progress)."""

@final
class NextHopSetView:
    """A next-hop set and how many routes share it."""

    @property
    def family(self) -> str:
        """``ipv4`` or ``ipv6``."""
    @property
    def route_type(self) -> str:
        """See :attr:`RouteView.route_type`."""
    @property
    def next_hop_id(self) -> int | None:
        """Id of the next-hop object, if the set is one."""
    @property
    def next_hops(self) -> list[NextHop]:
        """Those of the next-hop object, if the set is one; empty while it is unknown."""
    @property
    def routes(self) -> int:
        """Number of routes that use the set."""
    @property
    def paths(self) -> list[_PathTuple]:
        """The paths that VPP should have; empty if the routes are held."""
    @property
    def reason(self) -> str | None:
        """Why the routes are held."""

@final
class RouteChange:
    """One change of a batch. ``str()`` gives a readable line."""

    @property
    def operation(self) -> str:
        """``add``, ``replace``, ``delete``, or ``none`` if no request is needed any more."""
    @property
    def table(self) -> int:
        """Kernel table."""
    @property
    def prefix(self) -> str: ...
    @property
    def installed(self) -> list[str]:
        """Paths that VPP has, as text; empty if it has no route of ours."""
    @property
    def desired(self) -> list[str]:
        """Paths that VPP should have, as text; empty to delete the prefix."""
    @property
    def installed_paths(self) -> list[_PathTuple]:
        """:attr:`installed` as tuples."""
    @property
    def desired_paths(self) -> list[_PathTuple]:
        """:attr:`desired` as tuples."""

@final
class RouteBatch:
    """Dirty prefixes that are committed together. ``len()`` is their number."""

    def __len__(self) -> int: ...
    @property
    def adds(self) -> int: ...
    @property
    def replaces(self) -> int: ...
    @property
    def deletes(self) -> int: ...
    @property
    def is_consumed(self) -> bool:
        """Whether the batch was committed or its requests were opened, not released."""
    def changes(self, limit: int, start: int = 0) -> Iterator[RouteChange]:
        """At most ``limit`` changes from index ``start`` on, in their current state.

        A prefix that no longer needs a request is left out, or has the operation ``none``. A
        consumed batch has no changes.
        """
    def release(self) -> None:
        """Return the prefixes unsent: they are dirty again. Idempotent."""

_PathTuple: TypeAlias = tuple[
    int, int, IPv4Address | IPv6Address | None, int, int, int, int, Sequence[int]
]
"""A path of VPP's API (``fib_path`` in ``fib_types.api``): ``type``, ``proto``, next hop,
``sw_if_index``, ``table_id``, weight, preference, and the labels to push."""

_RouteGroup: TypeAlias = tuple[str, int, str, list[NextHop], int]
"""State, protocol, route type and next hops, and the number of routes that share them."""

@final
class RequestList:
    """A batch's requests, for a caller that sends them itself."""

    def __len__(self) -> int:
        """The number of requests, answered or not."""
    def request(self, index: int) -> tuple[int, str, list[_PathTuple] | None]:
        """VPP table, prefix, and the paths to set; ``None`` to delete the prefix.

        Raises ``ValueError`` if the request is not open.
        """
    def answer(self, index: int, retval: int) -> None:
        """Record VPP's return code. Raises ``ValueError`` if the request is not open."""
    def record_crash(self, index: int) -> bool:
        """Record that VPP exited while only this request was unanswered.

        Returns whether the prefix is held from now on.
        """
    def release(self) -> None:
        """Return the unanswered requests: their prefixes are dirty again. Idempotent."""

@final
class ResyncReport:
    """The result of a resync with the kernel."""

    @property
    def dumped(self) -> int:
        """Routes in the dumps."""
    @property
    def removed(self) -> int:
        """Routes removed from the table because the kernel no longer has them."""
    @property
    def dumps(self) -> int:
        """Number of dumps."""
    @property
    def complete(self) -> bool:
        """Whether every family was compared; if not, another resync is scheduled."""
    @property
    def duration(self) -> float:
        """Seconds."""
    @property
    def drift(self) -> dict[str, int]:
        """Differences that an audit repaired, by kind: ``missing``, ``different``, ``stale``."""
    @property
    def drifted(self) -> list[tuple[int, str, str]]:
        """A sample of them: kernel table, prefix, kind."""

@final
class CommitReport:
    """The result of a commit: the number of prefixes by outcome."""

    @property
    def added(self) -> int: ...
    @property
    def replaced(self) -> int: ...
    @property
    def deleted(self) -> int: ...
    @property
    def unchanged(self) -> int:
        """No request was needed any more."""
    @property
    def failed(self) -> int:
        """VPP refused the request."""
    @property
    def failures(self) -> list[tuple[int, str, int, str, bool]]:
        """Some of the refusals: VPP table, prefix, ``retval``, meaning, whether to retry."""

@final
class AdoptReport:
    """The result of an adoption."""

    @property
    def routes(self) -> int:
        """Routes under our source that now count as installed."""
    @property
    def other_tables(self) -> int:
        """Routes under our source in VPP tables that are not mirrored into."""

@final
class FlushReport:
    """The result of a flush."""

    @property
    def tables(self) -> list[tuple[int, bool, int, int, int]]:
        """By VPP table: id, whether IPv6, our routes in its dump, how many of them it deleted,
        and refusals, also of routes that the dump did not show."""
    @property
    def failures(self) -> list[tuple[int, str, int, str, bool]]:
        """Some of the refusals: VPP table, prefix, ``retval``, meaning, whether to retry."""

@final
class VppAuditReport:
    """The result of an audit of VPP."""

    @property
    def dumped(self) -> int:
        """Routes under our source in VPP's dump."""
    @property
    def drift(self) -> dict[str, int]:
        """Differences by kind: ``missing``, ``different``, ``unexpected``, ``overridden``."""
    @property
    def drifted(self) -> list[tuple[int, str, str]]:
        """A sample of them: VPP table, prefix, kind."""

@final
class FpmStatus:
    """The state and counters of zebra's FPM connection."""

    @property
    def listen(self) -> str | None:
        """Listen address; ``None`` until the socket listens."""
    @property
    def peer(self) -> str | None:
        """The peer's address; ``None`` if none is connected."""
    @property
    def synchronised(self) -> bool:
        """Whether zebra has sent all its routes on this connection and the others were removed."""
    @property
    def connections(self) -> int: ...
    @property
    def refused(self) -> int:
        """Connections refused because there was one already."""
    @property
    def protocol_errors(self) -> int:
        """Connections closed because of malformed data."""
    @property
    def frames(self) -> int: ...
    @property
    def sweeps(self) -> int:
        """Connections on which all routes were sent."""
    @property
    def swept(self) -> int:
        """Routes of earlier connections that were removed afterwards."""
    @property
    def results(self) -> dict[str, int]:
        """Results sent to zebra, by kind: ``offload``, ``offload_failed``."""
    @property
    def results_queued(self) -> int:
        """Prefixes whose result has not been sent yet."""

@final
class Status:
    """The engine's state and counters. Counters start with the engine."""

    @property
    def prefixes(self) -> dict[str, dict[str, int]]:
        """By family: ``kernel``, ``desired``, ``installed``, ``held``, ``substituted``,
        ``rejected``, ``unconfirmed``."""
    @property
    def tables(self) -> list[tuple[int, str, dict[str, int]]]:
        """Kernel table, family, and the same counts."""
    @property
    def dirty(self) -> int:
        """Dirty prefixes."""
    @property
    def oldest_queued(self) -> float | None:
        """Age in seconds of the oldest change that VPP has not answered."""
    @property
    def latency(self) -> list[tuple[float, int]]:
        """Cumulative histogram: upper bound in seconds, and the changes whose batch VPP answered
        within it."""
    @property
    def latency_sum(self) -> float:
        """Sum of the latencies of all changes, in seconds."""
    @property
    def requests(self) -> dict[str, tuple[int, int]]:
        """Route requests by operation (``add``, ``replace``, ``delete``): done, refused."""
    @property
    def next_hop_sets(self) -> int: ...
    @property
    def path_sets(self) -> int: ...
    @property
    def messages(self) -> dict[str, int]:
        """Kernel messages by type."""
    @property
    def skipped(self) -> dict[str, int]:
        """Kernel messages that were skipped, by reason."""
    @property
    def anomalies(self) -> dict[str, int]:
        """Kernel messages that contradict the table, by kind."""
    @property
    def overruns(self) -> int:
        """Times that the kernel dropped notifications (``ENOBUFS``)."""
    @property
    def drops(self) -> int:
        """Notifications that the kernel dropped, by its own count."""
    @property
    def dump_ended_early(self) -> bool:
        """Whether the last dump ended early, at a route too large for a netlink message."""
    @property
    def unverified_prefixes(self) -> int:
        """Prefixes that the last dumps did not show and that stay because lookups are
        inconclusive."""
    @property
    def synchronised(self) -> bool:
        """Whether all of the kernel's routes have been read once."""
    @property
    def resyncs(self) -> dict[str, int]:
        """Number of resyncs, by reason."""
    @property
    def resync_seconds(self) -> dict[str, float]:
        """Total duration of the resyncs in seconds, by reason."""
    @property
    def drift(self) -> dict[str, int]:
        """Differences that audits found and repaired, by kind."""
    @property
    def held_routes(self) -> dict[str, int]:
        """Held routes of mirrored protocols, by reason."""
    @property
    def substitutes(self) -> dict[str, int]:
        """Held prefixes with a substitute in VPP, by kind: ``next_hops`` (some of the route's),
        ``drop``, ``punt``."""
    @property
    def limit_exceeded(self) -> bool:
        """Whether there are more prefixes than ``max_routes``."""
    @property
    def receive_buffer(self) -> int:
        """Receive buffer that the kernel granted, in bytes (``SO_RCVBUF``)."""

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
        refuse_over_limit: bool = False,
        discover: Sequence[tuple[int, int]] = ...,
        table_map: Mapping[int, int] = ...,
        free_tables: tuple[int, int] | None = None,
        fpm: tuple[str, float, float] | None = None,
    ) -> Engine:
        """Nothing is opened before :meth:`start`.

        ``protocols`` are mirrored (``rtm_protocol``). ``tables`` maps kernel tables to VPP tables.
        ``families`` are ``ipv4`` and ``ipv6``. ``foreign_routes`` is ``hide`` or ``ignore``.
        ``receive_buffer`` is in bytes; ``namespace`` is a path.

        A prefix rule is a prefix, the minimum and maximum length that it matches within, and
        whether it allows. ``audit_interval`` (0: never) and ``stale_routes_time`` are in seconds.
        Above ``max_routes`` prefixes are held with ``refuse_over_limit``, else only warned about.

        ``discover`` are ranges (lowest, highest) of kernel tables that are mirrored as soon as
        they have a route: into the VPP table of ``table_map``, else into a free one of the range
        ``free_tables``, or without that range into the table of the same number.

        ``fpm`` makes zebra the source of the routes: listen address (``127.0.0.1:2620``), seconds
        without data after which a connection has sent all its routes, and seconds after which
        routes that it has not sent are removed.

        Raises ``ValueError`` for an unknown family or ``foreign_routes``, or an invalid prefix.
        """
    def mirrored_tables(self) -> list[tuple[int, int, bool, bool, bool]]:
        """Kernel table, VPP table, and whether it is IPv6, was discovered, and has routes."""
    def unassigned_tables(self) -> list[int]:
        """Discovered kernel tables that are not mirrored: another one uses their VPP table, or no
        VPP table is free."""
    def set_vpp_tables(self, ours: list[tuple[int, int]], others: list[int]) -> None:
        """Set the tables that VPP has: ours (kernel table, VPP table) and those of others.

        The choice among ``free_tables`` depends on them. Adopt VPP's routes again afterwards.
        """
    def discover_vpp_table(self, vpp_table: int, is_ip6: bool) -> bool:
        """Mirror into a VPP table of an earlier run; ``False`` if it is not one of ours."""
    def check_start(self, replaced: Engine) -> None:
        """Try what :meth:`start` needs and wrong settings can spoil: namespace, address for zebra.

        The address may still be in use by ``replaced``. Raises ``KernelError``.
        """
    def start(self) -> None:
        """Subscribe to the kernel's notifications. Raises ``KernelError``. Idempotent."""
    def audit(self) -> ResyncReport:
        """Resync, and report differences that no notification explains. Raises ``KernelError``."""
    def last_drift(self) -> list[tuple[int, str, str]]:
        """A sample of the last differences that an audit repaired: kernel table, prefix, kind."""
    def fpm(self) -> FpmStatus | None:
        """The state of zebra's connection; ``None`` if the kernel is the source."""
    def resync(self) -> ResyncReport:
        """Dump links, next-hop objects and routes, and make the table equal. Blocks.

        Only links if zebra is the source. Raises ``KernelError``.
        """
    def wait_dirty(self, timeout: float | None = None) -> bool:
        """Wait until the kernel has been read and a prefix is dirty.

        ``False`` after ``timeout`` seconds, or once the engine is closed or has failed.
        """
    def take_batch(self, limit: int) -> RouteBatch:
        """Take at most ``limit`` dirty prefixes, which are then not dirty; may be empty."""
    def recent_changes(self, since: int) -> list[tuple[int, float, RouteChange]]:
        """The last changes sent to VPP whose number is above ``since``: number, seconds since the
        epoch, change."""
    def take_injected(
        self,
        withdrawn: Sequence[tuple[int, str]],
        announced: Sequence[
            tuple[int, str, Sequence[tuple[IPv4Address | IPv6Address | None, int, int]]]
        ],
        *,
        protocol: int,
    ) -> RouteBatch:
        """Withdraw and announce injected routes, then take all dirty prefixes.

        A route is a kernel table and a prefix; announced ones have next hops as in
        :meth:`announce`. Their metric is 0. A resync does not remove them. Raises ``ValueError``.
        """
    def failure(self) -> str | None:
        """Why the kernel reader has failed; ``None`` if it has not."""
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
        """Open the bulk connection; an open one is replaced. Times are in seconds.

        ``name`` is the client name that VPP shows. ``max_in_flight`` limits unanswered requests,
        ``rate_limit`` route requests a second. A silent VPP is pinged every
        ``keepalive_interval`` (0: never). Raises ``VppConnectError``, or ``VppMessageError`` if
        VPP's messages have another layout.
        """
    def set_vpp_version(self, version: str) -> int:
        """Set VPP's version (``show_version``) before routes are sent.

        It selects the requests that crash this release and are sent in another form
        (``docs/compatibility.md``); without it all known ones are. Releases routes that crashed
        another version, and returns their number.
        """
    def crashed_vpp(self) -> list[tuple[int, str]]:
        """VPP table and prefix of the routes held because they crashed VPP."""
    def release(self, prefix: str | None = None) -> int:
        """Release a prefix of :meth:`crashed_vpp`, in all VPP tables, or all; return how many.

        Raises ``ValueError``.
        """
    def liveness(self) -> dict[str, tuple[bool, int]]:
        """By thread (``kernel reader``, ``bulk connection``, ``listener for zebra``): whether it
        has work, and a counter of its progress. Does not block."""
    def heartbeat(self) -> int:
        """A counter of the progress that callers wait for: answered route requests, other reads
        from VPP, buffers of a kernel dump. Takes no lock."""
    def disconnect(self) -> None:
        """Close the bulk connection. Idempotent."""
    def vpp_lost(self) -> str | None:
        """Why the bulk connection ended; ``None`` while it is open."""
    def wait_vpp_lost(self) -> str:
        """Wait until the bulk connection ends; return why."""
    def commit(self, batch: RouteBatch, source: int) -> CommitReport:
        """Send a batch's requests under a FIB source (its id) and wait for VPP's answers.

        Raises ``VppLostError`` if the connection ends first: unanswered prefixes are dirty again.
        Raises ``ValueError`` if the batch was committed or released before.
        """
    def adopt(self, source: int, *, better: Sequence[int] = ...) -> AdoptReport:
        """Dump VPP's routes under a FIB source, and record them as installed.

        A dump shows no route of ours behind one of the ``better`` sources: prefixes of these
        that are not desired are deleted as a precaution. Raises ``VppLostError``.
        """
    def audit_vpp(
        self, source: int, *, better: Sequence[int] = ..., repair: bool, limit: int = 100
    ) -> VppAuditReport:
        """Compare VPP's routes under a FIB source with what it has acknowledged.

        A route that is not in the dump is ``overridden`` if one of the ``better`` sources has the
        prefix, else ``missing``. ``repair`` makes differing prefixes dirty; the sample has at most
        ``limit`` differences. Raises ``VppLostError``.
        """
    def set_paused(self, on: bool) -> None:
        """Make commits end early, with unsent prefixes dirty again, or stop doing so."""
    def open_requests(self, batch: RouteBatch) -> RequestList:
        """A batch's requests, for a caller that sends them itself. Raises ``ValueError``."""
    def forget_installed(self) -> None:
        """Forget all installed routes: VPP has none of ours, or they are unknown."""
    def begin_adoption(self) -> None:
        """Start an adoption: call :meth:`adopt_route` for each route of VPP."""
    def assume_shadowed(self, vpp_table: int, prefix: str) -> None:
        """Assume that a route of ours is hidden behind another source's for a prefix."""
    def adopt_route(self, vpp_table: int, prefix: str, paths: Sequence[_PathTuple]) -> bool:
        """Record a route of VPP under our source as installed; ``False`` if the VPP table is not
        mirrored into."""
    def compare_route(
        self, vpp_table: int, prefix: str, paths: Sequence[_PathTuple]
    ) -> tuple[list[str], str | None]:
        """A route of VPP under our source: its paths as text, and how they differ from what VPP
        has acknowledged: ``different``, ``unexpected`` or ``None``."""
    def overridden(
        self, sources: Sequence[int], *, limit: int
    ) -> tuple[int, list[tuple[int, str, int]]]:
        """Our routes that one of these FIB sources overrides: their number, and at most ``limit``
        of them: VPP table, prefix, source id. Raises ``VppLostError``."""
    def flush(
        self,
        source: int,
        *,
        better: Sequence[int],
        tables: Sequence[tuple[int, bool]],
        dry_run: bool,
    ) -> FlushReport:
        """Delete all routes under a FIB source from VPP tables (id, whether IPv6).

        Routes that are hidden behind the ``better`` sources are deleted too. ``dry_run`` only
        counts. The engine's own table does not change. Raises ``VppLostError``.
        """
    def held_count(self) -> int:
        """Number of held prefixes, in constant time."""
    def withhold_deletions(self, gone: Sequence[int]) -> None:
        """Keep deletions out of batches, except of routes through these ``sw_if_index``."""
    def release_deletions(self) -> None:
        """Let deletions into batches again."""
    def withheld_deletions(self) -> tuple[int, int]:
        """Number of withheld deletions, and of those among them whose prefix is held."""
    def held_interfaces(self) -> dict[str, int]:
        """Routes held because no VPP interface is mapped, by kernel interface name."""
    def uses_interface(self, sw_if_index: int) -> bool:
        """Whether desired or installed paths use a VPP interface."""
    def path_set_examples(self) -> list[tuple[int, str, list[int]]]:
        """One installed route for each path set that forwards: VPP table, prefix, and the
        interfaces of its paths (``sw_if_index``)."""
    def is_installed(self, vpp_table: int, prefix: str) -> bool:
        """Whether VPP has acknowledged a route of ours for a prefix. Raises ``ValueError``."""
    def announce(
        self,
        table: int,
        prefix: str,
        next_hops: Sequence[tuple[IPv4Address | IPv6Address | None, int, int]],
        *,
        protocol: int,
        metric: int = 0,
        route_type: str = "unicast",
    ) -> None:
        """Add a route as if the kernel had announced it. The next resync checks it.

        A next hop is a gateway, a kernel interface index and a weight. ``route_type`` may also be
        ``blackhole``, ``unreachable`` or ``prohibit``. Raises ``ValueError``.
        """
    def announce_link(self, index: int, name: str, *, vrf_table: int | None = None) -> None:
        """Add a link that is up as if the kernel had announced it. The next resync checks it.

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
        """Remove a route as if the kernel had withdrawn it. Raises ``ValueError``."""
    def retry_rejected(self) -> int:
        """Make rejected prefixes dirty again unless the code is permanent; return how many."""
    def forget_kernel(self) -> None:
        """Forget all kernel and injected routes: every installed route becomes a deletion."""
    def set_interfaces(
        self,
        interfaces: Mapping[str, int],
        unmapped: int | None,
        recursive: bool,
        *,
        fallback: str = "hold",
        skip_next_hops: bool = False,
        same_mac: Mapping[str, tuple[int, bytes]] | None = None,
    ) -> None:
        """Set the ``sw_if_index`` of each kernel interface.

        Next hops through other interfaces use the ``sw_if_index`` ``unmapped``, or are resolved
        by VPP's own FIB if ``recursive``; else their route is held. For a held route VPP gets
        ``fallback``: ``hold`` (nothing), ``drop`` or ``punt``; with ``skip_next_hops`` it gets the
        next hops that it can have. ``same_mac`` has further interfaces by name: ``sw_if_index`` and
        hardware address, valid while the kernel's interface has that address. Raises
        ``ValueError``.
        """
    def mapped_interfaces(self) -> dict[str, int]:
        """``sw_if_index`` by kernel interface name."""
    def links(self) -> list[tuple[int, str, bool]]:
        """The kernel's links: index, name, whether up."""
    def vrfs(self) -> list[tuple[int, int]]:
        """The VRF devices: interface index and routing table."""
    def label_routes(
        self,
    ) -> list[tuple[int, int, list[tuple[list[int], IPv4Address | IPv6Address | None, int]]]]:
        """Routes by MPLS label, which are not mirrored: label, protocol, next hops.

        A next hop is the outgoing labels (none: pop), gateway and interface index.
        """
    def status(self) -> Status:
        """Current state and counters."""
    def routes(self, cursor: int, limit: int) -> tuple[list[RouteView], int | None]:
        """About ``limit`` kernel routes from ``cursor`` (0: the first) on, in no order, and the
        next cursor, ``None`` at the end. A page may be empty. :class:`RouteListing` sorts and
        filters.
        """
    def lookup(self, address: IPv4Address | IPv6Address) -> tuple[KernelRoute | None, int | None]:
        """The kernel's route to an address (``RTM_GETROUTE``), or its ``errno``.

        Raises ``KernelError``.
        """
    def check_lookups(self, prefixes: Sequence[tuple[int, str]]) -> list[LookupCheck]:
        """Compare what VPP has for prefixes (kernel table, prefix) with the kernel's lookup of an
        address in each. Raises ``KernelError``, ``ValueError``."""
    def sample_installed(self, count: int, seed: int) -> list[tuple[int, str]]:
        """Kernel table and prefix of about ``count`` installed routes, evenly spread; ``seed``
        selects which."""
    def compare_with_kernel(
        self, route: KernelRoute, vpp_table: int, prefix: str, paths: Sequence[_PathTuple]
    ) -> tuple[bool, list[str], str | None]:
        """Compare a kernel route with VPP's paths for a prefix.

        Whether both forward the same, the paths that VPP should have as text, and why it can have
        none.
        """
    def sysctl(self, key: str) -> str | None:
        """The value of ``/proc/sys/net/KEY`` (``ipv4/ip_forward``) in the engine's namespace.

        ``None`` if the kernel has no such setting. Raises ``KernelError``.
        """
    def routes_of(self, table: int, prefix: str) -> list[RouteView]:
        """All routes of a prefix in a kernel table. Raises ``ValueError``."""
    def close(self) -> None:
        """Stop the threads, end every wait, and empty the table. Idempotent."""

@final
class RouteListing:
    """A paged listing of an engine's routes. It is no snapshot: routes may change meanwhile."""

    def __new__(
        cls,
        engine: Engine,
        *,
        states: Sequence[str] = ...,
        within: str | None = None,
        gateway: IPv4Address | IPv6Address | None = None,
        interface: int | None = None,
    ) -> RouteListing:
        """Select routes in one of ``states`` (empty: all), to prefixes ``within`` one, and with a
        next hop of this gateway and kernel interface index. Raises ``ValueError``."""
    def next(self, limit: int) -> list[RouteView] | None:
        """The routes of the next ``limit`` prefixes, sorted by family, table and prefix.

        A page may be empty; ``None`` is the end.
        """
    def next_hop_sets(self, cursor: int, limit: int) -> tuple[list[NextHopSetView], int | None]:
        """The next-hop sets of these routes from ``cursor`` (0: the first) on, and the next cursor.

        :attr:`NextHopSetView.routes` counts only routes of the listing.
        """
    def groups(self, cursor: int) -> tuple[list[_RouteGroup], int | None]:
        """The routes from ``cursor`` (0: the first) on, counted by group, and the next cursor.

        A group may be in several pages: add up its counts.
        """

@final
class Simulator:
    """A simulator of VPP's socket API, on threads of its own until :meth:`stop`."""

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
        """Listen on ``socket``, with ``local0`` and ``interfaces`` (default: two loopbacks).

        ``pairs`` are linux-cp pairs (VPP interface, Linux interface). A client that is silent
        for ``keepalive`` seconds gets a keepalive request. ``plugins`` are
        ``linux_cp_plugin.so`` by default; ``linux_nl_plugin.so`` adds that plugin's FIB sources.
        ``release`` is the VPP release to simulate, such as ``24.02``; by default all messages
        exist and no request crashes it. Raises ``OSError``, and ``ValueError`` for an unknown
        release.
        """
    def statistics(self) -> dict[str, int]:
        """Counters since the start: ``route_requests``, ``adds``, ``replaces``, ``deletes``,
        ``deletes_of_absent``, ``refused``, ``crashes``. Current numbers: ``routes``, ``clients``.
        ``answered_at``: time of the last route reply, in nanoseconds of
        ``time.monotonic_ns()``."""
    def snapshot(self, source: str) -> list[tuple[int, str, list[tuple[str, int, int]]]]:
        """The routes of a FIB source, by its name: VPP table, prefix, paths.

        A path is a next hop (``local``, ``drop``, ``icmp-unreach`` or ``icmp-prohibit`` for a
        special one, empty for an attached one), ``sw_if_index`` and weight.
        """
    def record_deletions(self) -> None:
        """Record deleted prefixes from now on; earlier ones are forgotten."""
    def deletions(self) -> list[tuple[int, str]]:
        """VPP table and prefix of all deletions since :meth:`record_deletions`, once each, also of
        routes that did not exist or were added again."""
    def fault(self, request: str) -> None:
        """Inject a fault, given as JSON (``docs/simulator.md``). Raises ``ValueError``."""
    def api_description(self) -> str:
        """The messages in the format of VPP's ``.api.json`` files. Raises ``ValueError`` once it
        is stopped."""
    def stop(self) -> None:
        """Stop the threads and close the socket. Idempotent."""

def init_logging(level: int) -> None:
    """Queue the module's log records of at least this level of ``logging``."""

def next_log_record(wait: bool) -> tuple[int, str, str, dict[str, bool | int | float | str]] | None:
    """The next queued record: level, logger name, message, fields. ``wait`` blocks for one;
    else ``None`` if the queue is empty."""

def retval_meaning(retval: int) -> tuple[str, bool]:
    """The meaning of a VPP return code, and whether to retry the request."""
