"""What tests ask of any VPP, and the way there: its own Python client, ``vpp_papi``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

from vpp_papi import VPPApiClient

SOURCE = "bgpreflector"

Routes = dict[str, object]
"""By prefix: the name of a special path, or the gateways ("" for none)."""

SPECIAL = {1: "local", 2: "drop", 5: "icmp-unreach", 6: "icmp-prohibit"}
"""FIB_API_PATH_TYPE_*: the paths that end a packet's way in VPP."""

NO_INTERFACE = 0xFFFFFFFF


class Vpp(Protocol):
    """What the tests need of a VPP."""

    @property
    def socket(self) -> Path:
        """The path of its API socket."""

    @property
    def api_directory(self) -> Path:
        """Where the description of its API is, if that is in files."""

    @property
    def api(self) -> Any:
        """``vpp_papi``'s methods."""

    @property
    def interface(self) -> str:
        """The name of an interface that it has."""

    def routes(self) -> Routes:
        """The routes under our source in table 0."""

    def add_foreign_route(self, prefix: str, table: int = 0) -> None:
        """Adds a route that is none of ours."""

    def has_foreign_route(self, prefix: str) -> bool:
        """Whether the foreign route is there."""

    def remove_foreign_route(self, prefix: str, table: int = 0) -> None:
        """Removes the foreign route again."""

    def tamper(self, prefix: str, *, delete: bool = False, source: int | None = None) -> None:
        """Adds a drop route under a source, ours where none is named, or deletes what that has,
        behind our back."""

    def source(self) -> int | None:
        """Id of our FIB source, or None while VPP does not have it."""

    def unresolved(self, prefixes: Iterable[str]) -> int:
        """How many of these forward nothing because the interface of a path was deleted."""

    def recreate_interface(self) -> None:
        """Deletes the interface and makes one of the same name and index."""

    def hang(self) -> None:
        """Makes it stop reading and answering, with its sockets open."""

    def resume(self) -> None:
        """Ends that; twice is fine."""


class ApiUser:
    """What a VPP of either kind can only be asked through the API."""

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
        for details in self.api.fib_source_dump():
            if str(details.src.name).rstrip("\0") == SOURCE:
                return int(details.src.id)
        return None

    def add_foreign_route(self, prefix: str, table: int = 0) -> None:
        """Adds a drop route under the API's own source."""
        reply = self.api.ip_route_add_del(is_add=True, route=_drop(prefix, table))
        assert reply.retval == 0, reply

    def tamper(self, prefix: str, *, delete: bool = False, source: int | None = None) -> None:
        """Adds a drop route under a source, or deletes what that has, behind our back."""
        route = _drop(prefix) | {"src": self.source() if source is None else source}
        if delete:
            route |= {"n_paths": 0, "paths": []}
        reply = self.api.ip_route_add_del_v2(is_add=not delete, route=route)
        assert reply.retval == 0, reply

    def unresolved(self, prefixes: Iterable[str]) -> int:
        """Counts them by the debug CLI."""
        shown = (self.api.cli_inband(cmd=f"show ip fib {prefix}").reply for prefix in prefixes)
        return sum("unresolved" in str(text) for text in shown)

    def recreate_interface(self) -> None:
        """The first loopback, with the addresses that it had."""
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
        """Looks the foreign route up exactly."""
        reply = self.api.ip_route_lookup_v2(prefix=prefix, exact=True)
        return bool(reply.retval == 0)


def _drop(prefix: str, table: int = 0) -> dict[str, Any]:
    """A route that drops. One of the drop type outside table 0 crashes VPP before 24.10; one
    through the prefix's own address, which drops as well, does not."""
    label = {"is_uniform": 0, "label": 0, "ttl": 0, "exp": 0}
    drop = {
        "sw_if_index": NO_INTERFACE,
        "table_id": 0,
        "rpf_id": NO_INTERFACE,
        "weight": 1,
        "preference": 0,
        "type": 2 if table == 0 else 0,
        "flags": 0,
        "proto": 0,
        "nh": {} if table == 0 else {"address": {"ip4": prefix.partition("/")[0]}},
        "n_labels": 0,
        "label_stack": [label] * 16,
    }
    return {"table_id": table, "prefix": prefix, "n_paths": 1, "paths": [drop]}


def meaning(gateways: frozenset[str]) -> object:
    """A route of `Routes`: the special path's name alone, or the gateways."""
    return next(iter(gateways & frozenset(SPECIAL.values())), gateways)
