"""VPP interfaces that are deleted and created again, with the index that they had."""

from __future__ import annotations

import functools
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from daemon.running import running_daemon
from lab import Namespace, wait_until
from lab.vpp import Vpp
from vpp.support import MakeProgrammer, Programmer, kernel_with_routes, prefixes, vpp_options

pytestmark = pytest.mark.few_releases

COUNT = 50
ALL = prefixes(COUNT)
OTHER = "192.168.100.13"


def state_of(vpp: Vpp) -> tuple[int, int]:
    """How many routes VPP has, and how many of them forward nothing."""
    return len(vpp.routes()), vpp.unresolved(ALL)


def recreate(vpp: Vpp, programmer: Programmer) -> None:
    """Returns when the sink has the event, and has not read the interfaces yet."""
    notified = threading.Event()
    programmer.sink.on_interface_change(notified.set)
    vpp.recreate_interface()
    assert notified.wait(30)


@pytest.mark.papi
def test_routes_through_it_forward_again(vpp: Vpp, make_programmer: MakeProgrammer) -> None:
    """Though names and indices are as before when VPP is looked at."""
    programmer = make_programmer(vpp)
    programmer.announce(ALL[COUNT // 2 :], OTHER)
    assert programmer.install(ALL[: COUNT // 2]).applied == COUNT
    assert vpp.unresolved(ALL) == 0
    recreate(vpp, programmer)
    assert vpp.unresolved(ALL) == COUNT, "the precondition"
    programmer.sink.refresh_interfaces()
    assert programmer.sink.flush().applied == COUNT, "deleted"
    assert vpp.routes() == {}
    assert programmer.sink.flush().applied == COUNT, "added"
    assert len(vpp.routes()) == COUNT
    assert vpp.unresolved(ALL) == 0


def test_it_is_not_used_before_all_have_gone(vpp: Vpp, make_programmer: MakeProgrammer) -> None:
    """Some may be held in a batch of somebody else's: they have the same paths."""
    programmer = make_programmer(vpp)
    programmer.install(ALL)
    programmer.announce(ALL[:5], OTHER)
    held = programmer.engine.take_batch(5)
    recreate(vpp, programmer)
    programmer.sink.refresh_interfaces()
    assert programmer.sink.flush().applied == COUNT - 5
    assert programmer.sink.flush().applied == 0
    held.release()
    assert programmer.sink.flush().applied == 5
    assert programmer.sink.flush().applied == COUNT
    assert vpp.unresolved(ALL) == 0
    assert len(vpp.routes()) == COUNT


@pytest.mark.parametrize("meanwhile", ["resync", "lost connection"])
def test_resyncs_do_not_forget_it(
    meanwhile: str, vpp: Vpp, make_programmer: MakeProgrammer
) -> None:
    """What VPP has is read again while the routes are to go."""
    programmer = make_programmer(vpp)
    programmer.install(ALL)
    recreate(vpp, programmer)
    if meanwhile == "lost connection":
        programmer.sink.refresh_interfaces()
        programmer.engine.disconnect()
    programmer.sink.resync()
    assert programmer.sink.flush().applied == COUNT
    assert programmer.sink.flush().applied == COUNT
    assert vpp.unresolved(ALL) == 0
    assert len(vpp.routes()) == COUNT


def test_one_that_nothing_leads_through(vpp: Vpp, make_programmer: MakeProgrammer) -> None:
    """Its index is used at once."""
    programmer = make_programmer(vpp)
    recreate(vpp, programmer)
    programmer.sink.refresh_interfaces()
    assert programmer.install(ALL).applied == COUNT
    assert vpp.unresolved(ALL) == 0


@pytest.mark.root
def test_the_daemon_heals_it(
    vpp: Vpp, make_namespace: Callable[[str], Namespace], tmp_path: Path
) -> None:
    """By itself, three times in a row."""
    kernel = kernel_with_routes(make_namespace("again"), COUNT)
    with running_daemon(tmp_path / "run.log", *vpp_options(vpp), namespace=kernel) as daemon:
        state = functools.partial(state_of, vpp)
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
    state = functools.partial(state_of, vpp)
    with running_daemon(tmp_path / "one.log", *vpp_options(vpp), namespace=kernel) as daemon:
        wait_until(state, 30, "all routes", accept=lambda seen: seen == (COUNT, 0))
        daemon.end(signal.SIGTERM if after == "a restart" else signal.SIGKILL)
    vpp.recreate_interface()
    assert state() == (COUNT, COUNT), "the precondition"
    with running_daemon(tmp_path / "two.log", *vpp_options(vpp), namespace=kernel) as daemon:
        wait_until(state, 30, "all routes forward again", accept=lambda seen: seen == (COUNT, 0))
        assert "deleted while nobody was connected (sw_if_index 1)" in daemon.log()
        assert daemon.end() == 0, daemon.log()
    with running_daemon(tmp_path / "three.log", *vpp_options(vpp), namespace=kernel) as daemon:
        resynced = lambda: "Resync done: " in daemon.log()  # noqa: E731
        wait_until(resynced, 30, "the first resync is done")
        assert "nobody was connected" not in daemon.log()
        assert "0 changes applied" in daemon.log()


def test_while_no_daemon_runs_with_another_index(vpp: Vpp, make_programmer: MakeProgrammer) -> None:
    """Then the paths differ, which an adoption sees."""
    before = make_programmer(vpp)
    before.install(ALL)
    before.sink.close()
    assert vpp.api.delete_loopback(sw_if_index=1).retval == 0
    for instance in (7, 0):
        reply = vpp.api.create_loopback_instance(is_specified=True, user_instance=instance)
        assert (reply.retval, reply.sw_if_index == 1) == (0, instance == 7)
    programmer = make_programmer(vpp)
    programmer.announce(ALL)
    programmer.sink.resync()
    while programmer.sink.flush().applied:
        pass
    indices = {path.sw_if_index for details in vpp.dump() for path in details.route.paths}
    assert indices == {programmer.sink.vpp_state.interfaces.by_name["loop0"]}
    assert len(vpp.routes()) == COUNT
