"""VPP interfaces that are deleted and made anew, with the index that they had."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from daemon.running import running_daemon
from lab import Namespace, wait_until
from lab.vpp import SimulatedVpp, Vpp
from vpp.support import DEVICE, Programmer, kernel_with_routes, prefixes

pytestmark = pytest.mark.few_releases

COUNT = 50
ALL = prefixes(COUNT)
OTHER = "192.168.100.13"


def recreate(vpp: Vpp, made: Programmer) -> None:
    """Returns when the sink has heard of it and has not looked yet."""
    heard = threading.Event()
    made.sink.on_interface_change(heard.set)
    vpp.recreate_interface()
    assert heard.wait(30)


def test_routes_through_it_forward_again(vpp: Vpp, program: Callable[..., Programmer]) -> None:
    """Though names and indices are as before when VPP is looked at."""
    made = program(vpp)
    made.announce(ALL[COUNT // 2 :], OTHER)
    assert made.install(ALL[: COUNT // 2]).applied == COUNT
    assert vpp.unresolved(ALL) == 0
    recreate(vpp, made)
    assert vpp.unresolved(ALL) == COUNT, "what this is about"
    made.sink.refresh_interfaces()
    assert made.sink.flush().applied == COUNT, "deleted"
    assert vpp.routes() == {}
    assert made.sink.flush().applied == COUNT, "added"
    assert len(vpp.routes()) == COUNT
    assert vpp.unresolved(ALL) == 0


def test_it_is_not_used_before_all_have_gone(vpp: Vpp, program: Callable[..., Programmer]) -> None:
    """Some may be held in a batch of somebody else's: they have the same paths."""
    made = program(vpp)
    made.install(ALL)
    made.announce(ALL[:5], OTHER)
    held = made.engine.take_batch(5)
    recreate(vpp, made)
    made.sink.refresh_interfaces()
    assert made.sink.flush().applied == COUNT - 5
    assert made.sink.flush().applied == 0
    held.release()
    assert made.sink.flush().applied == 5
    assert made.sink.flush().applied == COUNT
    assert vpp.unresolved(ALL) == 0
    assert len(vpp.routes()) == COUNT


@pytest.mark.parametrize("meanwhile", ["resync", "lost connection"])
def test_resyncs_do_not_forget_it(
    meanwhile: str, vpp: Vpp, program: Callable[..., Programmer]
) -> None:
    """What VPP has is read again while the routes are to go."""
    made = program(vpp)
    made.install(ALL)
    recreate(vpp, made)
    if meanwhile == "lost connection":
        made.sink.refresh_interfaces()
        made.engine.disconnect()
    made.sink.resync()
    assert made.sink.flush().applied == COUNT
    assert made.sink.flush().applied == COUNT
    assert vpp.unresolved(ALL) == 0
    assert len(vpp.routes()) == COUNT


def test_through_papi_too(simulator: SimulatedVpp, program: Callable[..., Programmer]) -> None:
    """Through vpp_papi."""
    simulator.fault("change_crc", message="ip_route_add_del_v2", crc="0badcafe")
    made = program(simulator)
    made.install(ALL)
    recreate(simulator, made)
    made.sink.refresh_interfaces()
    assert made.sink.flush().applied == COUNT
    assert made.sink.flush().applied == COUNT
    assert simulator.unresolved(ALL) == 0


def test_one_that_nothing_leads_through(vpp: Vpp, program: Callable[..., Programmer]) -> None:
    """Its index is used at once."""
    made = program(vpp)
    recreate(vpp, made)
    made.sink.refresh_interfaces()
    assert made.install(ALL).applied == COUNT
    assert vpp.unresolved(ALL) == 0


@pytest.mark.root
def test_the_daemon_heals_it(
    vpp: Vpp, make_namespace: Callable[[str], Namespace], tmp_path: Path
) -> None:
    """By itself, three times in a row."""
    kernel = kernel_with_routes(make_namespace("again"), COUNT)
    arguments = ("--socket", str(vpp.socket), "--interface", f"{DEVICE}={vpp.interface}")
    with running_daemon(tmp_path / "run.log", *arguments, namespace=kernel) as daemon:
        state = lambda: (len(vpp.routes()), vpp.unresolved(ALL))  # noqa: E731
        whole = (COUNT, 0)
        wait_until(state, 30, "all routes", accept=lambda seen: seen == whole)
        for _ in range(3):
            vpp.recreate_interface()
            wait_until(state, 30, "all routes forward again", accept=lambda seen: seen == whole)
        assert daemon.end() == 0, daemon.log()


@pytest.mark.root
@pytest.mark.parametrize("after", ["a restart", "an unclean end"])
def test_while_no_daemon_runs(
    after: str, vpp: Vpp, make_namespace: Callable[[str], Namespace], tmp_path: Path
) -> None:
    """The next one finds out, and once is enough."""
    kernel = kernel_with_routes(make_namespace("away"), COUNT)
    arguments = ("--socket", str(vpp.socket), "--interface", f"{DEVICE}={vpp.interface}")
    state = lambda: (len(vpp.routes()), vpp.unresolved(ALL))  # noqa: E731
    with running_daemon(tmp_path / "one.log", *arguments, namespace=kernel) as daemon:
        wait_until(state, 30, "all routes", accept=lambda seen: seen == (COUNT, 0))
        daemon.end(signal.SIGTERM if after == "a restart" else signal.SIGKILL)
    vpp.recreate_interface()
    assert (len(vpp.routes()), vpp.unresolved(ALL)) == (COUNT, COUNT), "what this is about"
    with running_daemon(tmp_path / "two.log", *arguments, namespace=kernel) as daemon:
        wait_until(state, 30, "all routes forward again", accept=lambda seen: seen == (COUNT, 0))
        assert "deleted while nobody was connected (sw_if_index 1)" in daemon.log()
        assert daemon.end() == 0, daemon.log()
    with running_daemon(tmp_path / "three.log", *arguments, namespace=kernel) as daemon:
        resynced = lambda: "Resync done: " in daemon.log()  # noqa: E731
        wait_until(resynced, 30, "the first resync is done")
        assert "nobody was connected" not in daemon.log()
        assert "0 changes applied" in daemon.log()


def test_while_no_daemon_runs_with_another_index(
    vpp: Vpp, program: Callable[..., Programmer]
) -> None:
    """Then the paths differ, which an adoption sees."""
    before = program(vpp)
    before.install(ALL)
    before.sink.close()
    assert vpp.api.delete_loopback(sw_if_index=1).retval == 0
    for instance in (7, 0):
        reply = vpp.api.create_loopback_instance(is_specified=True, user_instance=instance)
        assert (reply.retval, reply.sw_if_index == 1) == (0, instance == 7)
    made = program(vpp)
    made.announce(ALL)
    made.sink.resync()
    while made.sink.flush().applied:
        pass
    paths = {
        path.sw_if_index
        for details in vpp.api.ip_route_v2_dump(
            table={"table_id": 0, "is_ip6": False}, src=vpp.source()
        )
        for path in details.route.paths
    }
    assert paths == {made.sink.seen.interfaces.by_name["loop0"]}
    assert len(vpp.routes()) == COUNT
