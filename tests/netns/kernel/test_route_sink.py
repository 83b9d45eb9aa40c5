"""A custom sink gets the kernel's routes, one by one or by batch."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from ipaddress import ip_address, ip_network
from typing import cast

import pytest

from bgpreflector import _core
from bgpreflector.config import Config
from bgpreflector.controller import (
    Backoff,
    BatchNotConsumedError,
    CommitResult,
    Controller,
    Event,
    EventHandler,
    FullResync,
    KubeStateData,
    Observer,
    OperationsFailedError,
    ResyncOperations,
    Transaction,
)
from bgpreflector.errors import RouteRefusedError
from bgpreflector.reflector import (
    ContivConf,
    KernelRouteWatcher,
    NextHop,
    Refusal,
    Route,
    RouteOperation,
    RoutePath,
    RouteSink,
    kernel_engine,
    new_plugin,
    use_config,
    use_sink,
)
from lab import Namespace, ip_batch, wait_until

pytestmark = pytest.mark.root


class ListingSink(RouteSink):
    """Keeps a line for each operation, and the routes."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.routes: dict[str, RouteOperation] = {}
        self.refuse: set[str] = set()
        self.failure: Exception | None = None
        self.attempts = 0

    def _record(self, operation: RouteOperation) -> None:
        self.attempts += 1
        if self.failure is not None:
            raise self.failure
        if str(operation.network) in self.refuse:
            raise RouteRefusedError("no room", retriable=True)
        self.lines.append(str(operation))

    def put_route(self, operation: RouteOperation) -> None:
        self._record(operation)
        self.routes[str(operation.network)] = operation

    def delete_route(self, operation: RouteOperation) -> None:
        self._record(operation)
        del self.routes[str(operation.network)]


class BatchSink(ListingSink):
    """Is asked what it has, and gets batches."""

    def __init__(self, *there: RouteOperation) -> None:
        super().__init__()
        self.there = {str(route.network): route for route in there}
        self.sizes: list[int] = []

    def installed(self) -> Iterable[RouteOperation]:
        return list(self.there.values())

    def apply(self, operations: Sequence[RouteOperation]) -> Iterator[Refusal]:
        self.sizes.append(len(operations))
        for operation in operations:
            if str(operation.network) in self.refuse:
                yield Refusal(operation, "never", retriable=False)
                continue
            self.lines.append(str(operation))
            if operation.is_delete:
                del self.there[str(operation.network)]
            else:
                self.there[str(operation.network)] = operation


@pytest.fixture
def kernel(make_namespace: Callable[[str], Namespace]) -> Namespace:
    """One link."""
    made = make_namespace("sink")
    made.add_link("one", "10.0.0.1/24")
    return made


@contextmanager
def reflecting(kernel: Namespace, sink: RouteSink, *handlers: EventHandler) -> Iterator[Controller]:
    """The kernel's routes in the sink."""
    config = Config.model_validate(
        {
            "kernel": {"namespace": str(kernel.path)},
            "controller": {"retry_delay": 0.05, "healing_delay": 0.05},
        }
    )
    reflector = new_plugin(use_config(config), use_sink(sink))
    controller = Controller([reflector, *handlers], sink, config.controller)
    controller.start()
    try:
        controller.push_event(FullResync("startup", blocking=True))
        yield controller
    finally:
        controller.close()
        reflector.close()


def wait_lines(sink: ListingSink, *lines: str) -> None:
    """Wait until these were the lines since the last call, in any order."""
    wait_until(lambda: sorted(sink.lines), 30, str(lines), accept=lambda t: t == sorted(lines))
    sink.lines.clear()


def test_routes_come_one_by_one(kernel: Namespace) -> None:
    """With names of interfaces, several paths, and what is no unicast."""
    kernel.ip("route", "add", "192.0.2.0/24", "via", "10.0.0.2", "proto", "bird")
    kernel.ip("route", "add", "2001:db8::/32", "via", "fe80::1", "dev", "one", "proto", "bird")
    kernel.ip("route", "add", "unreachable", "198.51.100.0/24", "proto", "bird")
    sink = ListingSink()
    with reflecting(kernel, sink):
        wait_lines(
            sink,
            "put 192.0.2.0/24 via 10.0.0.2 dev one",
            "put 2001:db8::/32 via fe80::1 dev one",
            "put 198.51.100.0/24 unreachable",
        )
        ways = ("nexthop", "via", "10.0.0.3", "weight", "2", "nexthop", "via", "10.0.0.4")
        kernel.ip("route", "replace", "192.0.2.0/24", "proto", "bird", *ways)
        wait_lines(
            sink,
            "put 192.0.2.0/24 nexthop via 10.0.0.3 dev one weight 2 nexthop via 10.0.0.4 dev one",
        )
        kernel.ip("route", "del", "192.0.2.0/24")
        wait_lines(sink, "delete 192.0.2.0/24")


def test_a_route_through_a_new_link_comes_with_its_name(kernel: Namespace) -> None:
    sink = ListingSink()
    with reflecting(kernel, sink):
        kernel.add_link("two")
        kernel.ip("route", "add", "192.0.2.0/24", "dev", "two", "proto", "bird")
        wait_until(lambda: sink.lines, 30, "the route")
        assert sink.lines == ["put 192.0.2.0/24 dev two"]


def test_a_caller_that_waits_gets_the_refusals(kernel: Namespace) -> None:
    kernel.ip("route", "add", "192.0.2.0/24", "via", "10.0.0.2", "proto", "bird")
    kernel.ip("route", "add", "192.0.3.0/24", "via", "10.0.0.2", "proto", "bird")
    sink = ListingSink()
    sink.refuse = {"192.0.2.0/24"}
    said = "1 change applied, 1 refused, 0 held: 192.0.2.0/24 in table 0: no room"
    with pytest.raises(OperationsFailedError, match=said), reflecting(kernel, sink):
        pass
    assert sink.lines == ["put 192.0.3.0/24 via 10.0.0.2 dev one"]


def test_a_refusal_holds_nothing_up_and_ends(kernel: Namespace) -> None:
    sink = ListingSink()
    sink.refuse = {"192.0.2.0/24"}
    with reflecting(kernel, sink):
        kernel.ip("route", "add", "192.0.2.0/24", "via", "10.0.0.2", "proto", "bird")
        kernel.ip("route", "add", "192.0.3.0/24", "via", "10.0.0.2", "proto", "bird")
        wait_lines(sink, "put 192.0.3.0/24 via 10.0.0.2 dev one")
        sink.refuse = set()
        wait_lines(sink, "put 192.0.2.0/24 via 10.0.0.2 dev one")


def test_a_forwarder_that_is_gone_gets_the_routes_when_it_is_back(kernel: Namespace) -> None:
    sink = ListingSink()
    with reflecting(kernel, sink):
        sink.failure = ConnectionError("gone")
        kernel.ip("route", "add", "192.0.2.0/24", "via", "10.0.0.2", "proto", "bird")
        wait_until(lambda: sink.attempts, 30, "two attempts", accept=lambda n: n >= 2)
        assert sink.routes == {}
        sink.failure = None
        wait_until(lambda: sink.routes, 30, "the route", accept=lambda r: "192.0.2.0/24" in r)


def test_what_is_there_is_compared_and_batches_come(kernel: Namespace) -> None:
    """What is right is not told again, what is stale goes."""
    prefixes = [f"30.{n >> 8}.{n & 255}.0/24" for n in range(5000)]
    ip_batch(kernel, (f"route add {prefix} via 10.0.0.2 proto bird" for prefix in prefixes))
    path = (RoutePath(ip_address("10.0.0.2"), "one"),)
    right = [RouteOperation(0, ip_network(prefix), path) for prefix in prefixes[:100]]
    wrong = RouteOperation(0, ip_network(prefixes[100]), (RoutePath(ip_address("10.0.0.9")),))
    stale = RouteOperation(0, ip_network("192.0.2.0/24"), path)
    sink = BatchSink(*right, wrong, stale)
    with reflecting(kernel, sink) as controller:
        assert sink.sizes == [4096, 5000 - 100 + 1 - 4096]
        assert "delete 192.0.2.0/24" in sink.lines
        assert f"put {prefixes[100]} via 10.0.0.2 dev one" in sink.lines
        assert sorted(sink.there) == sorted(prefixes)
        sink.lines.clear()
        del sink.there[prefixes[7]]
        controller.push_event(FullResync("lost one", blocking=True))
        assert sink.lines == [f"put {prefixes[7]} via 10.0.0.2 dev one"]


class InjectingHandler(Observer):
    """Puts a route of its own."""

    route: Route | None = Route(ip_network("203.0.113.0/24"), (NextHop(ip_address("10.0.0.7")),))

    def handles_event(self, event: Event) -> bool:
        return event.method.is_resync

    def resync(
        self, event: Event, kube_state_data: KubeStateData, resync_count: int, txn: ResyncOperations
    ) -> None:
        if self.route is not None:
            txn.put(self.route.key, self.route)


def test_routes_of_a_handler_come_like_the_kernels(kernel: Namespace) -> None:
    sink, handler = ListingSink(), InjectingHandler()
    with reflecting(kernel, sink, handler) as controller:
        assert sink.lines == ["put 203.0.113.0/24 via 10.0.0.7"]
        handler.route = None
        controller.push_event(FullResync("again", blocking=True))
        assert sink.lines[-1] == "delete 203.0.113.0/24"


def test_a_sink_without_methods_says_which(kernel: Namespace) -> None:
    kernel.ip("route", "add", "192.0.2.0/24", "via", "10.0.0.2", "proto", "bird")
    with (
        pytest.raises(NotImplementedError, match="RouteSink has neither put_route"),
        reflecting(kernel, RouteSink()),
    ):
        pass


def test_a_sink_that_was_not_given_to_the_reflector_says_so(kernel: Namespace) -> None:
    config = Config.model_validate({"kernel": {"namespace": str(kernel.path)}})
    reflector = new_plugin(use_config(config))
    controller = Controller([reflector], ListingSink(), config.controller)
    controller.start()
    with pytest.raises(RuntimeError, match=r"use_sink\(sink\)"):
        controller.push_event(FullResync("startup", blocking=True))
    controller.close()
    reflector.close()


class IgnoringSink:
    """A sink that does nothing with the batches of a transaction."""

    def __init__(self) -> None:
        self.commits = 0

    def resync(self) -> None:
        pass

    def commit(self, txn: Transaction) -> CommitResult:
        self.commits += 1
        return CommitResult()

    def retry(self) -> CommitResult:
        return CommitResult()


class NotifyingBackoff(Backoff):
    """Says when a pause begins, which does not end by itself."""

    def __init__(self) -> None:
        super().__init__(3600)
        self.began = threading.Event()

    def next_delay(self) -> float | None:
        self.began.set()
        return super().next_delay()


def test_a_sink_that_takes_no_batch_is_not_asked_without_end(
    kernel: Namespace, caplog: pytest.LogCaptureFixture
) -> None:
    """It was, 100,000 times in three seconds."""
    kernel.ip("route", "add", "192.0.2.0/24", "via", "10.0.0.2", "proto", "bird")
    config = Config.model_validate({"kernel": {"namespace": str(kernel.path)}})
    sink, pausing = IgnoringSink(), NotifyingBackoff()
    watchers: list[KernelRouteWatcher] = []

    def watcher(conf: ContivConf) -> KernelRouteWatcher:
        engine = kernel_engine(conf)
        cast("_core.Engine", engine).set_interfaces({}, None, recursive=True)
        watchers.append(KernelRouteWatcher(engine, pause=pausing))
        # Else it may offer the route before the resync, which takes it back: one commit more.
        watchers[0].set_paused(on=True)
        return watchers[0]

    reflector = new_plugin(use_config(config))
    reflector.deps.watcher = watcher
    controller = Controller([reflector], sink, config.controller)
    controller.start()
    try:
        with pytest.raises(BatchNotConsumedError):
            controller.push_event(FullResync("startup", blocking=True))
        assert sink.commits == 1
        watchers[0].set_paused(on=False)
        assert pausing.began.wait(30)
        assert sink.commits == 2
        said = "commit() of the sink IgnoringSink has not taken 1 route changes"
        assert [said in r.message for r in caplog.records if r.levelname == "ERROR"] == [True]
    finally:
        controller.close()
        reflector.close()
