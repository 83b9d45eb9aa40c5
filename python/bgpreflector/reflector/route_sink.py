"""Base class of a custom sink, which gets routes one by one or by batch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import ip_network
from typing import TYPE_CHECKING, cast

from bgpreflector.config import Config
from bgpreflector.controller import CommitResult, OperationFailure
from bgpreflector.controller.sink import MAX_FAILURES
from bgpreflector.errors import RouteRefusedError
from bgpreflector.fib_types import INDEX_INVALID, PathType
from bgpreflector.routes.batch import NO_LIMIT
from bgpreflector.routes.injected_routes import InjectedRoutes
from bgpreflector.routes.operation import Refusal, RouteOperation, RoutePath, RouteType

from .deps import kernel_engine, source_engine
from .watcher import KernelRouteWatcher

if TYPE_CHECKING:
    from bgpreflector import _core
    from bgpreflector.controller import Transaction

    from .deps import ContivConf
    from .plugin import BGPReflector, Option

CHUNK = 4096
"""Operations that a sink gets at a time."""

UNKNOWN = 0
"""The index of an interface that is not known yet; the others count from 1."""

LOOPBACK = "lo"

# A refusal as the engine takes it, in the codes of VPP's API (vnet/error.h).
UNSPECIFIED, UNSUPPORTED = -1, -126

PATH_TYPES = {
    RouteType.UNICAST: PathType.NORMAL,
    RouteType.LOCAL: PathType.LOCAL,
    RouteType.BLACKHOLE: PathType.DROP,
    RouteType.UNREACHABLE: PathType.ICMP_UNREACH,
    RouteType.PROHIBIT: PathType.ICMP_PROHIBIT,
}
"""The engine's numbers, which are those of VPP's API."""

ROUTE_TYPES = {int(path_type): route_type for route_type, path_type in PATH_TYPES.items()}


class RouteSink:
    """A :class:`~bgpreflector.controller.Sink` for another forwarder than VPP, or none.

    Override :meth:`put_route` and :meth:`delete_route` to get routes one by one, or
    :meth:`apply` to get many at once; :meth:`installed`, where routes may be lost or may
    be there from before. :func:`use_sink` gives it the routes of a reflector. The event loop
    makes every call, one at a time.

    Once the method has returned, the route is in place. Refuse one by
    :class:`~bgpreflector.errors.RouteRefusedError`: it is tried again as the configuration's
    ``controller`` says. Any other exception means that the forwarder was not reached: what it
    did not get comes again with the healing resync that follows. Both puts and deletes may come
    twice.
    """

    def __init__(self) -> None:
        self._reflector: BGPReflector | None = None
        self._opened: _core.Engine | None = None
        self._injected: InjectedRoutes | None = None
        self._numbers: dict[str, int] = {}
        self._names: dict[int, str] = {}

    def put_route(self, operation: RouteOperation) -> None:
        """Install the route, with these paths in place of any others."""
        raise NotImplementedError(f"{type(self).__name__} has neither put_route() nor apply()")

    def delete_route(self, operation: RouteOperation) -> None:
        """Remove the route of the prefix."""
        raise NotImplementedError(f"{type(self).__name__} has neither delete_route() nor apply()")

    def apply(self, operations: Sequence[RouteOperation]) -> Iterable[Refusal]:
        """Do all of these, at most 4,096 and one a prefix, and return those that are refused."""
        refused = []
        for operation in operations:
            try:
                if operation.is_delete:
                    self.delete_route(operation)
                else:
                    self.put_route(operation)
            except RouteRefusedError as error:
                refused.append(Refusal(operation, str(error), error.retriable))
        return refused

    def installed(self) -> Iterable[RouteOperation] | None:
        """The routes that are there, read at every full or downstream resync.

        ``None``: just those that the sink was given; then nothing is read.
        """
        return None

    def resync(self) -> None:
        """Compare :meth:`installed` with what was sent; what differs is sent again."""
        engine = self._engine()
        if engine is None:
            return
        self._add_links(engine)
        found = self.installed()
        if found is None:
            return
        routes = list(found)
        self._add_interfaces(
            engine, (path.interface for route in routes for path in route.paths if path.interface)
        )
        engine.begin_adoption()
        for route in routes:
            paths = [self._path_tuple(route, path) for path in route.paths]
            engine.adopt_route(route.table, str(route.network), paths)

    def commit(self, txn: Transaction) -> CommitResult:
        """Send what the transaction changes. Raises what :meth:`apply` raises."""
        engine = self._engine()
        if engine is None or self._injected is None:
            # A handler's own routes have nowhere to go without a reflector's table.
            raise RuntimeError(
                f"{type(self).__name__} has no routes: make the reflector with "
                "new_plugin(use_config(config), use_sink(sink))"
            )
        batches = cast("list[_core.RouteBatch]", list(txn.batches))
        injected = self._injected.take(txn)
        if injected is not None:
            batches.append(injected)
        if self._add_links(engine) or not batches:
            batches.append(engine.take_batch(NO_LIMIT))
        return self._send(engine, batches)

    def retry(self) -> CommitResult:
        """Send again what was refused."""
        engine = self._engine()
        if engine is None:
            return CommitResult()
        engine.retry_rejected()
        return self._send(engine, [engine.take_batch(NO_LIMIT)])

    def attach(self, reflector: BGPReflector) -> None:
        """Take the routes of a reflector; :func:`use_sink` calls it."""
        self._reflector = reflector
        reflector.deps.watcher = lambda conf: KernelRouteWatcher(self._open(conf))

    def _engine(self) -> _core.Engine | None:
        """``None`` before there is a configuration, which the reflector misses, too."""
        conf = None if self._reflector is None else self._reflector.deps.contiv_conf
        return self._opened or (None if conf is None else self._open(conf))

    def _open(self, conf: ContivConf) -> _core.Engine:
        if self._opened is None:
            made = source_engine(conf) if isinstance(conf, Config) else kernel_engine(conf)
            self._opened = cast("_core.Engine", made)
            self._injected = InjectedRoutes(self._opened, conf.kernel.protocols[0])
        return self._opened

    def _add_links(self, engine: _core.Engine) -> bool:
        """Whether there are interfaces that were not known."""
        return self._add_interfaces(
            engine, (name for _, name, _ in engine.links()), first=not self._numbers
        )

    def _add_interfaces(
        self, engine: _core.Engine, names: Iterable[str], *, first: bool = False
    ) -> bool:
        new = sorted({name for name in names if name != LOOPBACK} - self._numbers.keys())
        if not new and not first:
            return False
        for name in new:
            number = len(self._numbers) + 1
            self._numbers[name], self._names[number] = number, name
        # A route through a new link comes, too: its interface is looked up when it is sent.
        engine.set_interfaces(self._numbers, UNKNOWN, recursive=False)
        return True

    def _send(self, engine: _core.Engine, batches: Sequence[_core.RouteBatch]) -> CommitResult:
        applied = failed = 0
        failures: list[OperationFailure] = []
        for batch in batches:
            requests = engine.open_requests(batch)
            try:
                for start in range(0, len(requests), CHUNK):
                    refused = self._send_chunk(requests, start, min(start + CHUNK, len(requests)))
                    failed += len(refused)
                    applied += min(CHUNK, len(requests) - start) - len(refused)
                    failures += refused[: MAX_FAILURES - len(failures)]
            finally:
                # What has no answer, as after an exception, is dirty again.
                requests.release()
        return CommitResult(applied, failed, engine.held_count(), tuple(failures))

    def _send_chunk(
        self, requests: _core.RequestList, start: int, end: int
    ) -> list[OperationFailure]:
        indices = {self._operation(*requests.request(index)): index for index in range(start, end)}
        refused = {
            refusal.operation: refusal
            for refusal in self.apply(tuple(indices))
            if refusal.operation in indices
        }
        for operation, index in indices.items():
            refusal = refused.get(operation)
            code = 0 if refusal is None else UNSPECIFIED if refusal.retriable else UNSUPPORTED
            requests.answer(index, code)
        return [
            OperationFailure(
                f"{operation.network} in table {operation.table}", found.message, found.retriable
            )
            for operation, found in refused.items()
        ]

    def _operation(
        self, table: int, prefix: str, paths: list[_core._PathTuple] | None
    ) -> RouteOperation:
        return RouteOperation(table, ip_network(prefix), tuple(map(self._path, paths or ())))

    def _path(self, path: _core._PathTuple) -> RoutePath:
        path_type, _, gateway, interface, _, weight, _, labels = path
        name = self._names.get(interface)
        return RoutePath(gateway, name, weight, tuple(labels), ROUTE_TYPES[path_type])

    def _path_tuple(self, route: RouteOperation, path: RoutePath) -> _core._PathTuple:
        version = route.network.version if path.gateway is None else path.gateway.version
        forwards = path.route_type is RouteType.UNICAST
        number = self._numbers.get(path.interface or "", UNKNOWN if forwards else INDEX_INVALID)
        proto = int(version == 6)  # noqa: PLR2004 - FIB_API_PATH_NH_PROTO_IP6 is 1
        return (
            PATH_TYPES[path.route_type],
            proto,
            path.gateway,
            number,
            0,
            path.weight,
            0,
            list(path.labels),
        )


def use_sink(sink: RouteSink) -> Option:
    """Make an option that gives a custom sink the reflector's routes.

    Examples:
        >>> from bgpreflector.config import Config
        >>> from bgpreflector.reflector import new_plugin, use_config
        >>> sink = RouteSink()
        >>> reflector = new_plugin(use_config(Config()), use_sink(sink))
    """
    return sink.attach
