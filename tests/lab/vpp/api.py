"""What tests ask of any VPP, and the way there: its own Python client, ``vpp_papi``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from vpp_papi import VPPApiClient

from lab.kernel import Forwarding, RouteKey
from lab.wait import wait_until

SOURCE = "bgpreflector"

Routes = dict[str, object]
"""By prefix: the name of a special path, or the gateways ("" for none)."""

SPECIAL = {1: "local", 2: "drop", 5: "icmp-unreach", 6: "icmp-prohibit"}
"""FIB_API_PATH_TYPE_*: the paths that end a packet's way in VPP."""

NO_INTERFACE = 0xFFFFFFFF


class Vpp(ABC):
    """A VPP, embedded or real, with what only its API can do."""

    interface: str
    """The name of an interface that it has."""

    addresses: Sequence[str] = ()
    """Of the first loopback."""

    def __init__(self, socket: Path, api_directory: Path) -> None:
        self.socket = socket
        self.api_directory = api_directory
        self._client: Any = None

    @property
    def api(self) -> Any:
        """``vpp_papi``'s methods, over a connection that is made at the first use."""
        if self._client is None:
            self._client = self._connected(bootstrapapi=True) or self._connected(
                apifiles=sorted(map(str, self.api_directory.rglob("*.api.json")))
            )
        return self._client.api

    @abstractmethod
    def routes(self) -> Routes:
        """The routes under our source in table 0."""

    @abstractmethod
    def hang(self) -> None:
        """Makes it stop reading and answering, with its sockets open."""

    @abstractmethod
    def resume(self) -> None:
        """Ends that; twice is fine."""

    def message(self, name: str) -> Any:
        """``vpp_papi``'s codec of a message."""
        assert self.api
        return self._client.messages[name]

    def _connected(self, **description: Any) -> Any:
        """None where VPP does not describe itself and is asked to."""
        client = VPPApiClient(server_address=str(self.socket), **description)
        try:
            client.connect("tests")
        except AttributeError as error:
            if error.name != "get_api_json":
                raise
            client.disconnect()
            return None
        return client

    def close(self) -> None:
        """Ends the connection; the next use makes another."""
        client, self._client = self._client, None
        if client is not None:
            client.disconnect()

    def source(self) -> int | None:
        """Id of our FIB source, or None while VPP does not have it."""
        return source_id(self.api, SOURCE)

    def dump(self, table: int = 0, *, is_ip6: bool = False) -> Any:
        """The routes under our source in a table, as ``vpp_papi`` shows them."""
        table_of = {"table_id": table, "is_ip6": is_ip6}
        return self.api.ip_route_v2_dump(table=table_of, src=self.source())

    def add_foreign_route(self, prefix: str, table: int = 0) -> None:
        """Adds a drop route under the API's own source, so none of ours."""
        reply = self.api.ip_route_add_del(is_add=True, route=_drop(prefix, table))
        assert reply.retval == 0, reply

    def tamper(self, prefix: str, *, delete: bool = False, source: int | None = None) -> None:
        """Adds a drop route under a source, ours where none is named, or deletes what that has,
        without the daemon."""
        route = _drop(prefix) | {"src": self.source() if source is None else source}
        if delete:
            route |= {"n_paths": 0, "paths": []}
        reply = self.api.ip_route_add_del_v2(is_add=not delete, route=route)
        assert reply.retval == 0, reply

    def unresolved(self, prefixes: Iterable[str]) -> int:
        """How many of these forward nothing because the interface of a path was deleted."""
        shown = (self.api.cli_inband(cmd=f"show ip fib {prefix}").reply for prefix in prefixes)
        return sum("unresolved" in str(text) for text in shown)

    def recreate_interface(self) -> None:
        """Deletes the first loopback and makes one of the same name, index and addresses."""
        old = 1
        assert self.api.delete_loopback(sw_if_index=old).retval == 0
        made = self.api.create_loopback()
        assert (made.retval, made.sw_if_index) == (0, old)
        assert self.api.sw_interface_set_flags(sw_if_index=old, flags=1).retval == 0
        for prefix in self.addresses:
            reply = self.api.sw_interface_add_del_address(
                sw_if_index=old, is_add=True, prefix=prefix
            )
            assert reply.retval == 0

    def remove_foreign_route(self, prefix: str, table: int = 0) -> None:
        """Removes the foreign route again."""
        route = {"table_id": table, "prefix": prefix, "n_paths": 0, "paths": []}
        reply = self.api.ip_route_add_del(is_add=False, route=route)
        assert reply.retval == 0, reply

    def has_foreign_route(self, prefix: str) -> bool:
        """Whether the foreign route is there."""
        reply = self.api.ip_route_lookup_v2(prefix=prefix, exact=True)
        return bool(reply.retval == 0)


def _drop(prefix: str, table: int = 0) -> dict[str, Any]:
    """A route that drops. One of the drop type outside table 0 crashes VPP before 24.10; one
    through the prefix's own address, which drops as well, does not."""
    drop = fib_path(type=2) if table == 0 else fib_path(prefix.partition("/")[0])
    return {"table_id": table, "prefix": prefix, "n_paths": 1, "paths": [drop]}


def fib_path(
    next_hop: str | None = None,
    interface: int = NO_INTERFACE,
    labels: Sequence[dict[str, int]] = (),
    **fields: object,
) -> dict[str, Any]:
    """A path as ``vpp_papi`` takes it; ``fields`` are further ones of VPP's ``fib_path``."""
    address = None if next_hop is None else ip_address(next_hop)
    label = {"is_uniform": 0, "label": 0, "ttl": 0, "exp": 0}
    return {
        "sw_if_index": interface,
        "table_id": 0,
        "rpf_id": NO_INTERFACE,
        "weight": 1,
        "preference": 0,
        "type": 0,
        "flags": 0,
        "proto": int(address is not None and address.version == 6),
        "nh": {} if address is None else {"address": {f"ip{address.version}": address.packed}},
        "n_labels": len(labels),
        "label_stack": [label | given for given in labels] + [label] * (16 - len(labels)),
    } | fields


def kernel_routes(forwarding: Mapping[RouteKey, Forwarding]) -> Routes:
    """What VPP has to have of one kernel table."""
    return {
        key.prefix: hops if isinstance(hops, str) else frozenset(hop.gateway or "" for hop in hops)
        for key, hops in forwarding.items()
    }


def differences(kernel: Routes, vpp: Routes) -> list[tuple[str, object, object]]:
    """Each prefix that kernel and VPP do not have alike, with what both have."""
    return [
        (prefix, kernel.get(prefix), vpp.get(prefix))
        for prefix in kernel.keys() | vpp.keys()
        if kernel.get(prefix) != vpp.get(prefix)
    ]


def wait_routes(vpp: Vpp, count: int, timeout: float = 30) -> Routes:
    """Waits until VPP has so many routes under our source in table 0; returns them."""
    return wait_until(
        vpp.routes, timeout, f"{count} routes in VPP", accept=lambda seen: len(seen) == count
    )


def source_id(api: Any, name: str) -> int | None:
    """Id of a FIB source, or None while VPP does not have it."""
    for details in api.fib_source_dump():
        if str(details.src.name).rstrip("\0") == name:
            return int(details.src.id)
    return None


def route_of(gateways: frozenset[str]) -> object:
    """A route of `Routes`: the special path's name alone, or the gateways."""
    return next(iter(gateways & frozenset(SPECIAL.values())), gateways)
