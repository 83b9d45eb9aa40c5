"""Other users of the same VPP: their routes and their interfaces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from typing import Any

from vpp_papi import VPPApiClient

from .api import NO_INTERFACE, fib_path, source_id
from .simulated import SimulatedVpp

API = "API"
"""The source of a route whose client names none."""

OTHER = "other"
"""A client's own source; ours takes precedence."""

OTHER_PRIORITY = 0xB0
DROP = "drop"
SPARE = 100
"""First instance of loopbacks that only take an index."""

PathRow = tuple[str, int, int]
"""Of `bgpreflector._core.Simulator.snapshot`: next hop, ``sw_if_index``, weight."""

RoutesBySource = dict[str, dict[str, list[PathRow]]]
"""By source and prefix."""


class OtherUsers:
    """Puts routes of other sources into VPP and records them, to see that they stay unchanged.

    Each call has a connection of its own: it must survive a fault that drops connections.
    """

    def __init__(self, vpp: SimulatedVpp) -> None:
        self.vpp = vpp
        self.put: RoutesBySource = {API: {}, OTHER: {}}
        self._names: dict[int, str] | None = None

    def forget(self) -> None:
        """VPP has started again: nothing is left of what was put."""
        self.put = {API: {}, OTHER: {}}
        self._names = None

    def found(self) -> RoutesBySource:
        """What VPP has of them in table 0."""
        return {
            source: {
                prefix: sorted(paths) for _, prefix, paths in self.vpp.simulator.snapshot(source)
            }
            for source in self.put
        }

    def set_route(self, source: str, prefix: str, next_hops: Mapping[str, int]) -> None:
        """Replaces a route by paths with weights: gateways on ``loop3``, or `DROP` alone."""
        with self._client() as api:
            if DROP in next_hops:
                index, paths = NO_INTERFACE, [fib_path(type=2, weight=next_hops[DROP])]
            else:
                index = _indices(api)["loop3"]
                paths = [fib_path(hop, index, weight=weight) for hop, weight in next_hops.items()]
            _send(api, source, prefix, paths, is_add=True)
        self.put[source][prefix] = sorted((hop, index, weight) for hop, weight in next_hops.items())

    def delete_route(self, source: str, prefix: str) -> None:
        """Deletes a route, which may be absent."""
        with self._client() as api:
            _send(api, source, prefix, [], is_add=False)
        self.put[source].pop(prefix, None)

    def interface_names(self) -> dict[int, str]:
        """By ``sw_if_index``; read only once, as nobody else changes them."""
        if self._names is None:
            with self._client() as api:
                self._names = {index: name for name, index in _indices(api).items()}
        return self._names

    def dead_paths(self) -> list[str]:
        """Paths through interfaces that were deleted, as the debug CLI shows them."""
        with self._client() as api:
            shown = [str(api.cli_inband(cmd=f"show {ip} fib").reply) for ip in ("ip", "ip6")]
        return [line for text in shown for line in text.splitlines() if "if_index:" in line]

    def delete_loopback(self, name: str) -> None:
        """Deletes a loopback, which may be absent."""
        self._names = None
        with self._client() as api:
            index = _indices(api).get(name)
            if index is not None:
                _check(api.delete_loopback(sw_if_index=index))

    def create_loopbacks(self, instances: Iterable[int], *, other_index: bool = False) -> None:
        """Makes each ``loop{instance}`` that is not there.

        VPP gives it the index that was freed last; with ``other_index``, another loopback that is
        made first takes that.
        """
        present = set(self.interface_names().values())
        missing = [n for n in instances if f"loop{n}" not in present]
        if not missing:
            return
        self._names = None
        spare = iter(n for n in count(SPARE) if f"loop{n}" not in present)
        with self._client() as api:
            for instance in missing:
                if other_index:
                    _create_loopback(api, next(spare))
                _create_loopback(api, instance)

    @contextmanager
    def _client(self) -> Iterator[Any]:
        client = VPPApiClient(server_address=str(self.vpp.socket), bootstrapapi=True)
        client.connect("others")
        try:
            yield client.api
        finally:
            client.disconnect()


def _send(
    api: Any, source: str, prefix: str, paths: list[dict[str, object]], *, is_add: bool
) -> None:
    route = {
        "table_id": 0,
        "prefix": prefix,
        "n_paths": len(paths),
        "paths": paths,
        "src": _source(api, source),
    }
    _check(api.ip_route_add_del_v2(is_add=is_add, is_multipath=False, route=route))


def _source(api: Any, name: str) -> int:
    if name == API:
        return 0
    known = source_id(api, name)
    if known is not None:
        return known
    made = api.fib_source_add(src={"name": name, "priority": OTHER_PRIORITY, "id": 0})
    _check(made)
    return int(made.id)


def _indices(api: Any) -> dict[str, int]:
    details = api.sw_interface_dump(sw_if_index=NO_INTERFACE, name_filter_valid=False)
    return {str(d.interface_name).rstrip("\0"): int(d.sw_if_index) for d in details}


def _create_loopback(api: Any, instance: int) -> None:
    _check(api.create_loopback_instance(is_specified=True, user_instance=instance))


class RefusedByVppError(AssertionError):
    """VPP refused a request."""


def _check(reply: Any) -> None:
    if reply.retval != 0:
        raise RefusedByVppError(str(reply))
