"""A zebra that does what a script says: a RIB, sent as ``zebra/dplane_fpm_nl.c`` sends it."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable
from dataclasses import dataclass, field

from lab import Namespace
from oracle.expected import Forwarding, Meaning

from . import wire
from .wire import Hop, Result

PORT = 2620
KINDS = {6: "blackhole", 7: "unreachable", 8: "prohibit"}

Key = tuple[int, str]
"""Table and prefix."""


@dataclass(frozen=True)
class Route:
    """zebra's route of a prefix."""

    protocol: int
    kind: int = 1
    hops: tuple[Hop, ...] = ()
    group: int | None = None
    """Id of its next-hop group, in the run of zebra that gave it."""

    run: int = 0


@dataclass
class Zebra:
    """Its RIB, its next-hop groups, its connection, and what the other side must know by now."""

    namespace: Namespace
    port: int = PORT
    replaces: bool = False
    """Whether it replaces routes by one message (``fpm use-route-replace``, FRR 10)."""

    rib: dict[Key, Route] = field(default_factory=dict)
    groups: dict[tuple[int, int], tuple[Hop, ...]] = field(default_factory=dict)
    """By run and id."""

    announced: dict[Key, Route] = field(default_factory=dict)
    """Routes that were sent, over this connection or an earlier one, and not withdrawn."""

    sent: set[Key] = field(default_factory=set)
    """Those of this connection."""

    results: dict[Key, Result] = field(default_factory=dict)
    run: int = 0
    _next_id: int = 1
    _socket: socket.socket | None = None
    _unread: bytes = b""

    @property
    def is_connected(self) -> bool:
        """Whether it has a connection."""
        return self._socket is not None

    def restart(self) -> None:
        """Ends and begins anew, with an empty RIB and ids from 1."""
        self.disconnect()
        self.run += 1
        self._next_id = 1
        self.rib.clear()

    def connect(self) -> None:
        """Connects; sends nothing yet. A connection that the other side has ended is closed."""
        if self._socket is not None:
            self._socket.close()
        address = ("127.0.0.1", self.port)
        self._socket = self.namespace.call(lambda: socket.create_connection(address, 10))
        # Waits for room to write, and never to read.
        self._socket.settimeout(None)
        self.sent.clear()
        self.results.clear()
        self._unread = b""

    def disconnect(self, half: bytes = b"") -> None:
        """Breaks off, perhaps within a frame."""
        if self._socket is not None:
            if half:
                self._socket.sendall(half)
            self._hang_up(self._socket)
            self._socket = None

    def _hang_up(self, opened: socket.socket) -> None:
        """Closes it once the other side has read all that was sent: results that are left unread
        would have it reset, and take with them what is still under way."""
        opened.settimeout(10)
        with opened:
            try:
                opened.shutdown(socket.SHUT_WR)
                while opened.recv(1 << 16):
                    pass
            except ConnectionError:
                pass  # It has hung up before.
            except OSError as error:
                if error.errno != errno.ENOTCONN:
                    raise

    def show(self, keys: Iterable[Key] | None = None, *, end: bool = False) -> None:
        """Sends the groups and then the routes, all of them or some, as after each connection."""
        used = {route.group for route in self.rib.values() if route.group is not None}
        # As a hash table has them: a group before its members, too.
        for number in sorted(used, reverse=True):
            self._send(*self._of_group(number))
        shown = list(self.rib) if keys is None else list(keys)
        for key in shown:
            self._announce(key, withdrawn=None)
        if end:
            self._send(wire.end())

    def install(self, key: Key, route: Route) -> None:
        """Installs or replaces a route."""
        old = self.rib.get(key)
        self.rib[key] = route
        if self.is_connected:
            if route.group is not None:
                self._send(*self._of_group(route.group))
            self._announce(key, withdrawn=old)

    def delete(self, key: Key) -> None:
        """Removes a route."""
        route = self.rib.pop(key)
        if self.is_connected:
            self._send(wire.withdrawal(key[1], protocol=route.protocol, table=key[0]))
            self.announced.pop(key, None)
            self.results.pop(key, None)
            self.sent.discard(key)

    def new_group(self, hops: tuple[Hop, ...]) -> int:
        """Makes a group, which is not announced yet."""
        self._next_id += 1 + len(hops)
        self.groups[self.run, self._next_id] = hops
        return self._next_id

    def change_group(self, number: int, hops: tuple[Hop, ...]) -> None:
        """Replaces the members of a group."""
        hops = hops[: len(self.groups[self.run, number])]
        self.groups[self.run, number] = hops
        if self.is_connected:
            self._send(*self._of_group(number))

    def expected(
        self, mirrored: Iterable[int], down: set[int], names: dict[int, str]
    ) -> Forwarding:
        """The routes that VPP must have."""
        result: Forwarding = {}
        for key, route in self.announced.items():
            if route.protocol not in mirrored:
                continue
            meaning = self._meaning(route, down, names)
            if meaning:
                result[key] = meaning
        return result

    def _meaning(self, route: Route, down: set[int], names: dict[int, str]) -> Meaning:
        if route.kind != 1:
            return KINDS[route.kind]
        hops = route.hops
        if route.group is not None:
            hops = self.groups[route.run, route.group]
        weights: dict[tuple[str, str], int] = {}
        for hop in hops:
            if hop.interface not in down:
                next_hop = (hop.gateway, names[hop.interface])
                weights[next_hop] = weights.get(next_hop, 0) + hop.weight
        if len(weights) == 1:
            weights = dict.fromkeys(weights, 1)
        return sorted((*next_hop, weight) for next_hop, weight in weights.items())

    def swept(self) -> None:
        """The other side has removed what this connection did not show."""
        self.announced = {key: route for key, route in self.announced.items() if key in self.sent}

    def hear(self) -> None:
        """Reads the results that there are."""
        if self._socket is None:
            return
        while True:
            try:
                data = self._socket.recv(1 << 16, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            assert data, "the other side has hung up"
            found, self._unread = wire.results(self._unread + data)
            for result in found:
                self.results[result.table, result.prefix] = result

    def result(self, key: Key) -> Result | None:
        """The one for a route by now."""
        self.hear()
        return self.results.get(key)

    def _of_group(self, number: int) -> list[bytes]:
        hops = self.groups[self.run, number]
        if len(hops) == 1:
            return [wire.next_hop(number, hops[0])]
        ids = [number - len(hops) + at for at in range(len(hops))]
        members = [(i, hop.weight) for i, hop in zip(ids, hops, strict=True)]
        single = [wire.next_hop(i, hop) for i, hop in zip(ids, hops, strict=True)]
        return [wire.group(number, members), *single]

    def _announce(self, key: Key, withdrawn: Route | None) -> None:
        route = self.rib[key]
        said = wire.route(
            key[1],
            table=key[0],
            protocol=route.protocol,
            kind=route.kind,
            hops=route.hops,
            group=route.group,
            # FRR 8.4.4 sets it for IPv4 only.
            replace=self.replaces or ":" not in key[1],
        )
        if withdrawn is not None and not self.replaces:
            gone = wire.withdrawal(key[1], protocol=withdrawn.protocol, table=key[0])
            self.send(wire.frame(gone, said))
        else:
            self.send(wire.frame(said))
        self.announced[key] = route
        self.sent.add(key)
        self.results.pop(key, None)

    def _send(self, *messages: bytes) -> None:
        for message in messages:
            self.send(wire.frame(message))

    def send(self, data: bytes) -> None:
        """Sends bytes to the listener."""
        assert self._socket is not None
        self._socket.sendall(data)
