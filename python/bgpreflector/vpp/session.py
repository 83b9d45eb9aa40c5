"""The API session for everything rare: version, interfaces, tables, the FIB source, events.

Routes do not go through it: packing one message here costs as much as a hundred routes on the
bulk connection.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
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

from .client import ClientSettings, connected_client
from .end_client import end_client
from .fib_sources import FibSource
from .greeting import greet
from .interfaces import VppInterfaces
from .pairs import Pair, Pairs, pairs_of, process_behind

_log = logging.getLogger(__name__)

CLIENT_NAME = "bgpreflector"
"""Under this name, and this name with ``-bulk``, VPP lists our two connections."""

Table = tuple[int, bool]
"""An IP table of VPP's: its id, and whether it is IPv6."""

EAGAIN = -165
"""VPP's ``retval`` (``vnet/error.h``) where a list goes on from a cursor."""

_FAILURES = (VPPIOError, VPPRuntimeError, VPPValueError, OSError)


def _text(field: object) -> str:
    return str(field).rstrip("\0")


def table_name(table_id: int) -> str:
    """The name of the tables that we create, in either family."""
    return f"{CLIENT_NAME}-{table_id}"


class VppSettings(ClientSettings, Protocol):
    """How VPP is reached; the ``vpp`` section of the configuration."""

    @property
    def connect_timeout(self) -> float:
        """Seconds that connecting may take."""

    @property
    def keepalive_interval(self) -> float:
        """Seconds after which an idle VPP is pinged, 0 for never."""

    @property
    def rate_limit(self) -> int | None:
        """The most route requests a second, ``None`` for as many as VPP takes."""

    @property
    def max_in_flight(self) -> int:
        """Unanswered requests on the bulk connection."""

    @property
    def fib_source(self) -> FibSourceConfig:
        """Our FIB source."""

    @property
    def max_held(self) -> float:
        """The share of prefixes that VPP may be unable to have without a warning."""

    @property
    def guard(self) -> GuardConfig:
        """What a first sync may delete by itself."""

    @property
    def unmapped(self) -> Fallback:
        """What VPP is given for a route that it cannot have."""

    @property
    def unmapped_legs(self) -> PartlyMapped:
        """What becomes of a route that VPP can have only some next hops of."""

    @property
    def interfaces(self) -> InterfacesConfig:
        """How Linux interfaces are found in VPP."""


class VppSession:
    """One connection through ``vpp_papi``.

    The client is not thread-safe: the event loop makes all calls, one at a time. Errors
    are :class:`VppConnectError` while connecting and :class:`VppLostError` afterwards.
    """

    def __init__(self, settings: VppSettings, namespace: Path | None = None) -> None:
        """``namespace`` is the file of the one that the kernel is read in, by default our own."""
        self._settings = settings
        self._namespace = namespace
        self._client: Any = None
        self._healthy = False
        self._on_change: Callable[[], None] | None = None
        self._deleted: SimpleQueue[int] = SimpleQueue()
        self._door: socket | None = None
        self._priority_told = False

    def connect(self) -> None:
        """Connect and shake hands; a connection that is open is closed first.

        Raises :class:`bgpreflector.errors.VppMessageError` where VPP lacks what is needed.
        """
        self.close()
        self._client = connected_client(self._settings, CLIENT_NAME)
        self._healthy, self._priority_told = True, False

    @property
    def api_socket(self) -> str:
        """VPP's API socket."""
        return self._settings.api_socket

    def knock(self) -> None:
        """See whether VPP answers at its API socket, as the kernel takes connections for one that
        hangs, too.

        Raises ``OSError`` if not, ``TimeoutError`` among them. From any thread; :meth:`close`
        ends it.
        """
        with socket(AF_UNIX) as door:
            self._door = door
            try:
                door.settimeout(self._settings.connect_timeout)
                door.connect(self._settings.api_socket)
                greet(door)
            finally:
                self._door = None

    @property
    def connected(self) -> bool:
        """Whether :meth:`connect` succeeded and :meth:`close` was not called since."""
        return self._client is not None

    @property
    def usable(self) -> bool:
        """Whether it is connected and no request has gone without an answer.

        vpp_papi does not go on well after one: its reader may have ended, and an answer that comes
        late is taken for the next one's.
        """
        return self._client is not None and self._healthy

    def call(self, message: str, **fields: object) -> Any:
        """Send one request; its reply, or the list of details. A refusal is not an error."""
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
        """Whether this VPP has a message of the name."""
        return self._client is not None and hasattr(self._client.api, message)

    def version(self) -> str:
        """VPP's version, as ``show version`` has it."""
        return str(self.call("show_version").version)

    def interfaces(self) -> VppInterfaces:
        """All interfaces and, where the linux-cp plugin is loaded, its pairs."""
        details = self.call("sw_interface_dump", sw_if_index=0xFFFFFFFF, name_filter_valid=False)
        by_name = {_text(d.interface_name): int(d.sw_if_index) for d in details}
        addresses = {_text(d.interface_name): bytes(d.l2_address.packed) for d in details}
        pairs = self._pairs()
        return VppInterfaces(
            by_name,
            pairs.by_linux,
            {name: address for name, address in addresses.items() if any(address)},
            self._own_taps(),
            pairs.elsewhere,
            pairs.ambiguous,
        )

    def _own_taps(self) -> frozenset[str]:
        """VPP's ends of taps whose Linux end has the same name, as ``create tap`` gives it."""
        if not self.has("sw_interface_tap_v2_dump"):
            return frozenset()
        taps = self.call("sw_interface_tap_v2_dump", sw_if_index=0xFFFFFFFF)
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
        """In pieces: VPP ends the list after a millisecond, and goes on from a cursor."""
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
            raise VppError(f"VPP refused to add the FIB source {name!r}: retval {reply.retval}")
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
        # The first, should somebody have added several of the name.
        return next((source for source in self.fib_sources() if source.name == name), None)

    def _warn_of_priority(self, source: FibSource, priority: int) -> None:
        if source.priority != priority and not self._priority_told:
            self._priority_told = True
            _log.warning(
                "VPP has the FIB source %s with priority %d where %d is configured: a source's "
                "priority cannot be changed before VPP is restarted",
                source.name,
                source.priority,
                priority,
            )

    def tables(self) -> dict[Table, str]:
        """VPP's IP tables (id, whether IPv6) and their names."""
        return {
            (int(d.table.table_id), bool(d.table.is_ip6)): str(d.table.name).rstrip("\0")
            for d in self.call("ip_table_dump")
        }

    def own_tables(self) -> list[Table]:
        """Those that we have created: they bear our name. Table 0 is VPP's own."""
        named = self.tables().items()
        return [table for table, name in named if table[0] and name == table_name(table[0])]

    def missing_tables(self, tables: Iterable[Table]) -> list[Table]:
        """Those of the IP tables that VPP lacks."""
        present = self.tables()
        return [table for table in tables if table not in present]

    def ensure_tables(self, tables: Iterable[Table]) -> list[Table]:
        """Create the IP tables that VPP lacks; those that were created."""
        missing = self.missing_tables(tables)
        for table in missing:
            self._add_del_table(table, is_add=True)
        return missing

    def remove_table(self, table: Table) -> None:
        """Delete an IP table, which must be empty: its routes would come back with its id."""
        self._add_del_table(table, is_add=False)

    def _add_del_table(self, table: Table, *, is_add: bool) -> None:
        table_id, is_ip6 = table
        fields = {"table_id": table_id, "is_ip6": is_ip6, "name": table_name(table_id)}
        reply = self.call("ip_table_add_del", is_add=is_add, table=fields)
        if reply.retval != 0:
            what = "add" if is_add else "delete"
            raise VppError(f"VPP refused to {what} IP table {table_id}: retval {reply.retval}")

    def sources_in(self, table: Table) -> set[int] | None:
        """Ids of the FIB sources that forward prefixes of a table; ``None`` if VPP cannot tell."""
        if not self.has("ip_route_v2_dump"):
            return None
        fields = {"table_id": table[0], "is_ip6": table[1]}
        return {int(d.route.src) for d in self.call("ip_route_v2_dump", table=fields, src=0)}

    def watch_interfaces(self, on_change: Callable[[], None]) -> None:
        """Have ``on_change`` called, on a thread of the client's, when interfaces change."""
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

        Others may have these indices now: VPP gives those first that were freed last, and
        tells of a deletion and what followed at once in one event.
        """
        deleted = set()
        with suppress(Empty):
            while True:
                deleted.add(self._deleted.get_nowait())
        return deleted

    def close(self, *, goodbye: bool = True) -> None:
        """Disconnect, without the farewell that VPP would have to answer if not ``goodbye``.

        Twice is fine.
        """
        client, self._client = self._client, None
        self._on_change = None
        door = self._door
        if door is not None:
            # Nobody there any more is as good: it may just have closed itself.
            with suppress(OSError):
                door.shutdown(SHUT_RDWR)
        if client is not None:
            end_client(client, goodbye=goodbye and self._healthy)
