"""The reflector as an event handler, call by call."""

from __future__ import annotations

import subprocess
import sys
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

import pytest

from bgpreflector import reflector
from bgpreflector.config import Config
from bgpreflector.controller import (
    Controller,
    DownstreamResync,
    EventMethod,
    FatalError,
    FullResync,
    HealingResync,
    HealingResyncType,
    Shutdown,
    Transaction,
    UpdateEvent,
    UpstreamResync,
)
from bgpreflector.reflector import (
    BGPReflector,
    BGPRouteBatchUpdate,
    BGPRouteUpdate,
    BGPRouteUpdateType,
    Deps,
    NextHop,
    Route,
    RouteWatchFailure,
    new_plugin,
    use_config,
    use_deps,
)
from reflector.reflector_support import (
    EventList,
    MemoryBatch,
    MemoryEngine,
    MemorySouthbound,
    RecordingWatcher,
)

if TYPE_CHECKING:
    from bgpreflector.controller import Event

NETWORK = ip_network("203.0.113.0/24")
ADD = BGPRouteUpdate(BGPRouteUpdateType.ROUTE_ADD, NETWORK, ip_address("192.0.2.1"))
DELETE = BGPRouteUpdate(BGPRouteUpdateType.ROUTE_DELETE, NETWORK, ip_address("192.0.2.1"))


class Other(UpdateEvent):
    """An update that is none of the reflector's."""

    @property
    def name(self) -> str:
        return "other"


def mixed_batch() -> MemoryBatch:
    """One route to add, one to replace, one to delete."""
    engine = MemoryEngine()
    engine.installed = {"10.1.0.0/16": "192.0.2.1", "10.2.0.0/16": "192.0.2.1"}
    changes = {"10.0.0.0/16": "192.0.2.1", "10.1.0.0/16": "192.0.2.2", "10.2.0.0/16": None}
    return MemoryBatch(engine, changes)


class PluginHarness:
    """A reflector between a watcher and an event loop that record what they get."""

    def __init__(self, *, use_external_ipam: bool = True) -> None:
        self.watcher = RecordingWatcher(mixed_batch())
        self.loop = EventList()

        def set_deps(deps: Deps) -> None:
            deps.contiv_conf = Config(use_external_ipam=use_external_ipam)
            deps.event_loop = self.loop
            deps.watcher = lambda conf: self.watcher

        self.plugin = new_plugin(use_deps(set_deps))

    def resync(self, count: int) -> Transaction:
        event = FullResync("test")
        txn = Transaction(event.method)
        self.plugin.resync(event, {}, count, txn)
        return txn

    def update(self, event: UpdateEvent) -> tuple[str, Transaction]:
        txn = Transaction(event.method)
        return self.plugin.update(event, txn), txn


@pytest.fixture
def harness() -> PluginHarness:
    return PluginHarness()


RESYNCS: list[Event] = [
    FullResync("x"),
    UpstreamResync("x"),
    DownstreamResync("x"),
    HealingResync(HealingResyncType.PERIODIC),
    HealingResync(HealingResyncType.AFTER_ERROR, ValueError()),
]
OWN: list[Event] = [ADD, DELETE, BGPRouteBatchUpdate(mixed_batch()), RouteWatchFailure(OSError())]
FOREIGN: list[Event] = [Shutdown(), Other()]


@pytest.mark.parametrize("event", RESYNCS + OWN, ids=str)
def test_resyncs_and_route_events_are_handled(event: Event) -> None:
    assert PluginHarness().plugin.handles_event(event)


@pytest.mark.parametrize("event", FOREIGN, ids=str)
def test_other_updates_are_not_handled(event: Event) -> None:
    assert not PluginHarness().plugin.handles_event(event)


@pytest.mark.parametrize("event", RESYNCS + OWN + FOREIGN, ids=str)
def test_nothing_is_handled_without_external_ipam(event: Event) -> None:
    assert not PluginHarness(use_external_ipam=False).plugin.handles_event(event)


def test_init_does_nothing(harness: PluginHarness) -> None:
    harness.plugin.init()
    assert harness.watcher.calls == []


def test_the_first_resync_starts_watching_before_it_reads(harness: PluginHarness) -> None:
    txn = harness.resync(1)
    assert harness.watcher.calls == ["start", "resync_batch"]
    assert harness.watcher.push_event == harness.loop.push_event
    assert txn.batches == (harness.watcher.batch,)


def test_later_resyncs_only_read(harness: PluginHarness) -> None:
    harness.resync(1)
    harness.resync(2)
    assert harness.watcher.calls == ["start", "resync_batch", "resync_batch"]


@pytest.mark.parametrize("call", ["start", "resync_batch"])
def test_every_error_of_a_resync_is_fatal(harness: PluginHarness, call: str) -> None:
    harness.watcher.error_in = call
    with pytest.raises(FatalError, match=f"{call} failed") as caught:
        harness.resync(1)
    assert isinstance(caught.value.original, OSError)


def test_a_watcher_that_cannot_start_is_closed(harness: PluginHarness) -> None:
    harness.watcher.error_in = "start"
    with pytest.raises(FatalError):
        harness.resync(1)
    assert harness.watcher.calls == ["start", "close"]


def test_a_route_add_is_put(harness: PluginHarness) -> None:
    change, txn = harness.update(ADD)
    route = Route(NETWORK, (NextHop(ip_address("192.0.2.1")),))
    assert change == "BGP route Add"
    assert dict(txn.values) == {route.key: route}


def test_a_route_delete_is_deleted(harness: PluginHarness) -> None:
    change, txn = harness.update(DELETE)
    assert change == "BGP route Delete"
    assert list(txn.deletes()) == [ADD.route.key]
    assert list(txn.puts()) == []


@pytest.mark.parametrize("gateway", ["0.0.0.0", "::"])
def test_a_route_without_a_real_gateway_is_not_put(
    gateway: str, caplog: pytest.LogCaptureFixture
) -> None:
    event = BGPRouteUpdate(BGPRouteUpdateType.ROUTE_ADD, NETWORK, ip_address(gateway))
    change, txn = PluginHarness().update(event)
    assert change == ""
    assert txn.is_empty
    assert "203.0.113.0/24 is not reflected: its gateway is unspecified" in caplog.text


def test_a_batch_is_put_whole(harness: PluginHarness) -> None:
    batch = mixed_batch()
    change, txn = harness.update(BGPRouteBatchUpdate(batch))
    assert change == "BGP routes: 1 added, 1 replaced, 1 deleted"
    assert txn.batches == (batch,)
    assert not txn.values


def test_a_batch_that_a_resync_took_over_is_left_alone(harness: PluginHarness) -> None:
    event = BGPRouteBatchUpdate(mixed_batch())
    event.supersede()
    change, txn = harness.update(event)
    assert change == ""
    assert txn.is_empty
    assert txn.batches == ()


def test_a_dead_watcher_is_fatal(harness: PluginHarness) -> None:
    error = OSError("netlink is gone")
    with pytest.raises(FatalError, match="netlink is gone") as caught:
        harness.update(RouteWatchFailure(error))
    assert caught.value.original is error


def test_unknown_updates_change_nothing(harness: PluginHarness) -> None:
    change, txn = harness.update(Other())
    assert change == ""
    assert txn.is_empty


def test_revert_does_nothing(harness: PluginHarness) -> None:
    harness.resync(1)
    harness.plugin.revert(ADD)
    assert harness.watcher.calls == ["start", "resync_batch"]
    assert harness.loop.events == []


def test_close_ends_the_subscription_once(harness: PluginHarness) -> None:
    harness.plugin.close()
    harness.resync(1)
    harness.plugin.close()
    harness.plugin.close()
    assert harness.watcher.calls == ["start", "resync_batch", "close"]


def test_options_are_applied_in_order() -> None:
    calls: list[str] = []
    plugin = new_plugin(lambda p: calls.append(f"1 {p.name}"), lambda p: calls.append("2"))
    assert isinstance(plugin, BGPReflector)
    assert calls == ["1 bgpreflector", "2"]


def test_a_reflector_without_dependencies_says_that_it_has_no_configuration() -> None:
    plugin = new_plugin()
    plugin.deps.watcher = lambda conf: RecordingWatcher(mixed_batch())
    with pytest.raises(FatalError, match=r"no configuration.*use_config\(config\)"):
        plugin.init()
    controller = Controller([plugin], MemorySouthbound(MemoryEngine()), Config().controller)
    controller.start()
    with pytest.raises(FatalError, match="no configuration"):
        controller.push_event(FullResync("startup", blocking=True))
    controller.close()


def test_what_a_reflector_does_with_an_event_needs_no_configuration() -> None:
    txn = Transaction(EventMethod.UPDATE)
    assert new_plugin().update(ADD, txn) == "BGP route Add"


def test_a_reflector_without_an_event_loop_says_how_to_get_one() -> None:
    plugin = new_plugin(use_config(Config()))
    plugin.deps.watcher = lambda conf: RecordingWatcher(mixed_batch())
    with pytest.raises(FatalError, match="hand it to a Controller"):
        plugin.resync(FullResync("x"), {}, 1, Transaction(EventMethod.FULL_RESYNC))


def test_the_controller_is_the_event_loop_unless_another_is_given() -> None:
    plugin, other = new_plugin(), PluginHarness()
    southbound = MemorySouthbound(MemoryEngine())
    controller = Controller([plugin, other.plugin], southbound, Config().controller)
    assert plugin.deps.event_loop is controller
    assert other.plugin.deps.event_loop is other.loop


def test_the_default_plugin_is_made_once() -> None:
    assert isinstance(reflector.default_plugin, BGPReflector)
    assert reflector.default_plugin is reflector.default_plugin
    with pytest.raises(AttributeError, match="no attribute 'default_plugins'"):
        _ = reflector.default_plugins  # type: ignore[attr-defined]


def test_importing_loads_no_compiled_module_and_makes_no_plugin() -> None:
    code = (
        "import sys, bgpreflector.reflector as r\n"
        "assert 'bgpreflector._core' not in sys.modules\n"
        "assert 'default_plugin' not in vars(r)\n"
        "r.default_plugin\n"
        "assert 'bgpreflector._core' not in sys.modules\n"
    )
    path = [entry for entry in sys.path if entry]
    program = f"import sys; sys.path[:0] = {path!r}\n{code}"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_the_compiled_engine_takes_the_configuration() -> None:
    pytest.importorskip(
        "bgpreflector._core", reason="the compiled module is missing: run `maturin develop`"
    )
    engine = reflector.kernel_engine(Config())
    assert engine.failure() is None
    assert len(engine.take_batch(1)) == 0
    engine.close()
    assert engine.wait_dirty(None) is False
