"""The API session for rare calls: version, interfaces, tables, the FIB source, events.

Routes do not go through it: packing one message here costs as much as a hundred routes on the
bulk connection.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from socket import AF_UNIX, SHUT_RDWR, socket
from typing import Any, Protocol

from vpp_papi import VPPIOError
from vpp_papi.vpp_papi import VPPRuntimeError, VPPValueError

from bgpreflector.config import (
    Fallback,
    FibSourceConfig,
    GuardConfig,
    InterfacesConfig,
    PartlyMapped,
)
from bgpreflector.errors import VppError, VppLostError
from bgpreflector.fib_types import INDEX_INVALID
from bgpreflector.log_fields import fields

from .client import ClientSettings, connected_client
from .end_client import end_client
from .fib_sources import FibSource
from .interfaces import VppInterfaces
from .pairs import Pair, Pairs, pairs_of, process_behind
from .probe import probe
from .table_names import TableNames

_log = logging.getLogger(__name__)

CLIENT_NAME = "bgpreflector"
"""VPP lists our two connections under this name and this name with ``-bulk``."""

Table = tuple[int, bool]
"""An IP table of VPP's: its id, and whether it is IPv6."""

NO_SOURCE = 0
"""``FIB_SOURCE_INVALID``: the id in VPP's reply, without an error, when it has 255 sources."""

LAST_VPP_SOURCE = "interpose"
"""``FIB_SOURCE_LAST``: sources up to it are VPP's own."""

EAGAIN = -165
"""VPP's ``retval`` (``vnet/error.h``) for a list that continues from a cursor."""

_FAILURES = (VPPIOError, VPPRuntimeError, VPPValueError, OSError)


def _text(field: object) -> str:
    return str(field).rstrip("\0")


class VppSettings(ClientSettings, Protocol):
    """How to reach VPP: the ``vpp`` section of the configuration."""

    @property
    def connect_timeout(self) -> float:
        """Connect timeout in seconds."""

    @property
    def keepalive_interval(self) -> float:
        """Seconds after which an idle VPP gets a keepalive, 0 for never."""

    @property
    def rate_limit(self) -> int | None:
        """The most route requests a second, ``None`` for no limit."""

    @property
    def max_in_flight(self) -> int:
        """The most unanswered requests on the bulk connection."""

    @property
    def fib_source(self) -> FibSourceConfig:
        """Our FIB source."""

    @property
    def max_held(self) -> float:
        """The share of prefixes that may be held without a warning."""

    @property
    def guard(self) -> GuardConfig:
        """What a first sync may delete without approval."""

    @property
    def unmapped(self) -> Fallback:
        """What VPP gets in place of a held route."""

    @property
    def unmapped_next_hops(self) -> PartlyMapped:
        """What VPP gets for a route of which only some next hops resolve."""

    @property
    def interfaces(self) -> InterfacesConfig:
        """How Linux interfaces map to VPP's."""


class VppSession:
    """One connection through ``vpp_papi``.

    The client is not thread-safe: the event loop makes all calls, one at a time. Errors
    are :class:`VppConnectError` while connecting and :class:`VppLostError` afterwards.
    """

    def __init__(self, settings: VppSettings, namespace: Path | None = None) -> None:
        """``namespace`` is the file of the network namespace to read, by default our own."""
        self._settings = settings
        self.table_names = TableNames(settings.fib_source.name)
        self._namespace = namespace
        self._client: Any = None
        self._healthy = False
        self._on_change: Callable[[], None] | None = None
        self._deleted: SimpleQueue[int] = SimpleQueue()
        self._probing: socket | None = None
        self._priority_reported = False

    def connect(self) -> None:
        """Connect; an open connection is closed first.

        Raises :class:`bgpreflector.errors.VppMessageError` if a required message is missing.
        """
        self.close()
        self._client = connected_client(self._settings, CLIENT_NAME)
        self._healthy, self._priority_reported = True, False

    @property
    def api_socket(self) -> str:
        """VPP's API socket."""
        return self._settings.api_socket

    def probe(self) -> None:
        """Probe whether VPP answers at its API socket: the kernel accepts connections also for a
        VPP that hangs.

        Raises ``OSError`` if not, ``TimeoutError`` among them. From any thread; :meth:`close`
        ends it.
        """
        with socket(AF_UNIX) as connection:
            self._probing = connection
            try:
                connection.settimeout(self._settings.connect_timeout)
                connection.connect(self._settings.api_socket)
                probe(connection)
            finally:
                self._probing = None

    @property
    def connected(self) -> bool:
        """Whether it is connected."""
        return self._client is not None

    @property
    def usable(self) -> bool:
        """Whether it is connected and no request has timed out.

        vpp_papi is unusable after a timeout: its reader may have ended, and a late reply is taken
        for the next one's.
        """
        return self._client is not None and self._healthy

    def call(self, message: str, **fields: object) -> Any:
        """Send one request; return its reply or details. A ``retval`` below 0 is no error."""
        if self._client is None:
            raise VppLostError("not connected to VPP")
        try:
            return getattr(self._client.api, message)(**fields)
        except AttributeError as error:
            raise VppError(
                f"this VPP has no message {message}: a plugin is not loaded, or VPP is too old"
            ) from error
        except _FAILURES as error:
            self._healthy = False
            raise VppLostError(f"VPP did not answer {message}: {error}") from error

    def has(self, message: str) -> bool:
        """Whether this VPP has the message."""
        return self._client is not None and hasattr(self._client.api, message)

    def version(self) -> str:
        """VPP's version as in ``show version``."""
        return str(self.call("show_version").version)

    def interfaces(self) -> VppInterfaces:
        """All interfaces and, if linux-cp is loaded, its pairs."""
        details = self.call("sw_interface_dump", sw_if_index=INDEX_INVALID, name_filter_valid=False)
        by_name = {_text(d.interface_name): int(d.sw_if_index) for d in details}
        addresses = {_text(d.interface_name): bytes(d.l2_address.packed) for d in details}
        pairs = self._pairs()
        return VppInterfaces(
            by_name,
            pairs.by_linux,
            {name: address for name, address in addresses.items() if any(address)},
            self._own_taps(),
            pairs.other_namespaces,
            pairs.ambiguous,
        )

    def _own_taps(self) -> frozenset[str]:
        """Taps whose Linux end has the same name, the default of ``create tap``."""
        if not self.has("sw_interface_tap_v2_dump"):
            return frozenset()
        taps = self.call("sw_interface_tap_v2_dump", sw_if_index=INDEX_INVALID)
        ends = ((_text(tap.dev_name), _text(tap.host_if_name)) for tap in taps)
        return frozenset(name for name, linux in ends if name == linux)

    def _pairs(self) -> Pairs:
        if not self.has("lcp_itf_pair_get"):
            return Pairs()
        pairs = [
            Pair(int(d.phy_sw_if_index), _text(d.host_if_name), _text(d.netns))
            for d in self._pair_details()
        ]
        if not pairs:
            return Pairs()
        vpp = process_behind(self._settings.api_socket, self._settings.connect_timeout)
        return pairs_of(pairs, self._namespace, vpp)

    def _pair_details(self) -> list[Any]:
        """Read all pages: VPP ends a page after a millisecond and continues from a cursor."""
        found: list[Any] = []
        cursor = 0
        while True:
            # VPP answers this message's v2 with the reply of the first: vpp_papi waits in vain.
            reply, details = self.call("lcp_itf_pair_get", cursor=cursor)
            found.extend(details)
            if reply.retval != EAGAIN:
                return found
            if reply.cursor == cursor:
                raise VppError(f"VPP's list of linux-cp pairs does not go on from {cursor}")
            cursor = reply.cursor

    def fib_source(self, name: str, priority: int) -> int:
        """Id of the FIB source ``name``; it is added only if it is not there.

        VPP makes a new source at every request, and never frees one.
        """
        source = self._source(name)
        if source is not None:
            self._warn_of_priority(source, priority)
            return source.id
        reply = self.call("fib_source_add", src={"name": name, "priority": priority, "id": 0})
        if reply.retval != 0:
            raise VppError(f"VPP refused to add the FIB source {name}: retval {reply.retval}")
        if reply.id == NO_SOURCE:
            raise VppError(
                f"VPP cannot add the FIB source {name}: it has {len(self.fib_sources())}, and "
                "frees none. Restart VPP, or give vpp.fib_source.name the name of an unused one"
            )
        return int(reply.id)

    def find_fib_source(self, name: str) -> int | None:
        """Id of the FIB source ``name``, ``None`` if VPP has none."""
        source = self._source(name)
        return None if source is None else source.id

    def fib_sources(self) -> list[FibSource]:
        """All FIB sources: VPP's own, its plugins' and its clients'."""
        return [
            FibSource(
                int(details.src.id), str(details.src.name).rstrip("\0"), int(details.src.priority)
            )
            for details in self.call("fib_source_dump")
        ]

    def _source(self, name: str) -> FibSource | None:
        sources = self.fib_sources()
        last = next((source.id for source in sources if source.name == LAST_VPP_SOURCE), NO_SOURCE)
        # The first, should somebody have added several of the name.
        found = next((source for source in sources if source.name == name), None)
        if found is not None and found.id <= last:
            raise VppError(f"the FIB source {name} is VPP's own: vpp.fib_source.name needs another")
        return found

    def _warn_of_priority(self, source: FibSource, priority: int) -> None:
        if source.priority != priority and not self._priority_reported:
            self._priority_reported = True
            _log.warning(
                "VPP has the FIB source %s with priority %d where %d is configured: a source's "
                "priority cannot be changed before VPP is restarted",
                source.name,
                source.priority,
                priority,
                extra=fields(
                    "priority differs",
                    fib_source=source.name,
                    priority=source.priority,
                    configured=priority,
                ),
            )

    def tables(self) -> dict[Table, str]:
        """VPP's IP tables (id, whether IPv6) and their names."""
        return {
            (int(d.table.table_id), bool(d.table.is_ip6)): str(d.table.name).rstrip("\0")
            for d in self.call("ip_table_dump")
        }

    def own_tables(self) -> list[Table]:
        """The tables with our name. Table 0 is VPP's own."""
        named, is_ours = self.tables().items(), self.table_names.is_ours
        return [table for table, name in named if table[0] and is_ours(table[0], name)]

    def missing_tables(self, tables: Iterable[Table]) -> list[Table]:
        """The IP tables that are missing in VPP."""
        present = self.tables()
        return [table for table in tables if table not in present]

    def ensure_tables(
        self, tables: Iterable[Table], chosen: Mapping[int, int] | None = None
    ) -> list[Table]:
        """Create the IP tables that are missing in VPP; return them.

        ``chosen``: the kernel table of those that were free.
        """
        missing = self.missing_tables(tables)
        for table in missing:
            name = self.table_names.name(table[0], (chosen or {}).get(table[0]))
            self._add_del_table(table, name, is_add=True)
        return missing

    def remove_table(self, table: Table) -> None:
        """Delete an IP table. It must be empty: its routes would reappear with its id."""
        self._add_del_table(table, self.table_names.name(table[0]), is_add=False)

    def _add_del_table(self, table: Table, name: str, *, is_add: bool) -> None:
        table_id, is_ip6 = table
        fields = {"table_id": table_id, "is_ip6": is_ip6, "name": name}
        reply = self.call("ip_table_add_del", is_add=is_add, table=fields)
        if reply.retval != 0:
            what = "add" if is_add else "delete"
            raise VppError(f"VPP refused to {what} IP table {table_id}: retval {reply.retval}")

    def sources_in(self, table: Table) -> set[int] | None:
        """Ids of the FIB sources that forward in a table; ``None`` if VPP does not report them."""
        if not self.has("ip_route_v2_dump"):
            return None
        fields = {"table_id": table[0], "is_ip6": table[1]}
        return {int(d.route.src) for d in self.call("ip_route_v2_dump", table=fields, src=0)}

    def watch_interfaces(self, on_change: Callable[[], None]) -> None:
        """Call ``on_change`` on a thread of the client when interfaces change."""
        self._on_change = on_change
        self._client.register_event_callback(self._event)
        self.call("want_interface_events", enable_disable=True, pid=0)

    def _event(self, name: str, message: Any) -> None:
        if name != "sw_interface_event":
            return
        if message.deleted:
            self._deleted.put(int(message.sw_if_index))
        on_change = self._on_change
        if on_change is not None:
            on_change()

    def deleted_interfaces(self) -> set[int]:
        """``sw_if_index`` of the interfaces that were deleted since the last call.

        Other interfaces may have these indices now: VPP reuses the index freed last first, and
        may report a deletion and a creation in one event.
        """
        deleted = set()
        with suppress(Empty):
            while True:
                deleted.add(self._deleted.get_nowait())
        return deleted

    def close(self, *, graceful: bool = True) -> None:
        """Disconnect; without ``graceful`` no ``sockclnt_delete`` is sent. Idempotent."""
        client, self._client = self._client, None
        self._on_change = None
        connection = self._probing
        if connection is not None:
            # The peer may just have closed the connection.
            with suppress(OSError):
                connection.shutdown(SHUT_RDWR)
        if client is not None:
            end_client(client, graceful=graceful and self._healthy)
