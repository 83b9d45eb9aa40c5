"""Refusals by VPP, on the bulk connection and through vpp_papi."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from daemon.running import RunningDaemon, running_daemon
from lab import Namespace, ip_batch, wait_until
from lab.vpp import SimulatedVpp
from vpp.support import MakeProgrammer, kernel_with_routes, prefixes, vpp_options
from vpp.test_flush import flush

EAGAIN, INVALID_VALUE = -165, -7
V2 = (
    "ip_route_add_del_v2",
    "ip_route_add_del_v2_reply",
    "ip_route_v2_dump",
    "ip_route_v2_details",
)


@pytest.mark.papi
def test_they_are_explained_and_tried_again_where_that_may_help(
    simulator: SimulatedVpp, make_programmer: MakeProgrammer
) -> None:
    """By VPP's own meaning of its return code."""
    programmer = make_programmer(simulator)
    later, never, unknown, *_ = announced = prefixes(10)
    refused = {later: EAGAIN, never: INVALID_VALUE, unknown: -9999}
    for prefix, retval in refused.items():
        simulator.fault("fail_prefix", prefix=prefix, retval=retval)
    result = programmer.install(announced)
    assert (result.applied, result.failed) == (7, 3)
    failures = {failure.key.split()[0]: failure for failure in result.failures}
    assert "EAGAIN" in failures[later].message
    assert "INVALID_VALUE" in failures[never].message
    assert "-9999" in failures[unknown].message
    assert {prefix: failure.retriable for prefix, failure in failures.items()} == {
        later: True,
        never: False,
        unknown: True,
    }
    before = simulator.simulator.statistics()["route_requests"]
    for prefix in refused:
        simulator.fault("fail_prefix", prefix=prefix, retval=0)
    assert programmer.sink.retry().applied == 2
    assert simulator.simulator.statistics()["route_requests"] == before + 2
    programmer.sink.resync()
    assert programmer.sink.flush().applied == 1, "a resync tries everything"
    assert len(simulator.routes()) == 10


@pytest.mark.few_releases
@pytest.mark.papi
def test_what_many_refusals_cost_is_bounded(
    simulator: SimulatedVpp, make_programmer: MakeProgrammer
) -> None:
    """All are counted, and some are named."""
    programmer = make_programmer(simulator)
    simulator.fault("fail_nth", nth=1, retval=INVALID_VALUE, every=True)
    result = programmer.install(prefixes(150))
    assert (result.applied, result.failed, len(result.failures)) == (0, 150, 100)


class Version1:
    """A kernel with 100 routes, and a VPP that knows the first version of the messages alone."""

    def __init__(self, simulator: SimulatedVpp, kernel: Namespace, log: Path) -> None:
        for message in V2:
            simulator.fault("remove_message", message=message)
        self.kernel = kernel
        self._simulator = simulator
        self._log = log

    def routes(self) -> int:
        """Those of the API's own source."""
        return len(self._simulator.simulator.snapshot("API"))

    def running(self, *more: str) -> AbstractContextManager[RunningDaemon]:
        """A daemon between the two."""
        options = (*vpp_options(self._simulator), *more)
        return running_daemon(self._log, *options, namespace=self.kernel)


@pytest.fixture
def version1(
    simulator: SimulatedVpp, make_namespace: Callable[[str], Namespace], tmp_path: Path
) -> Version1:
    kernel = kernel_with_routes(make_namespace("version1"), 100)
    return Version1(simulator, kernel, tmp_path / "run.log")


@pytest.mark.root
def test_a_vpp_without_version_2_of_the_messages(
    simulator: SimulatedVpp, version1: Version1
) -> None:
    """Routes have the API's own source, with a warning; a flush does not recognise them."""
    with version1.running() as daemon:
        wait_until(version1.routes, 30, "all routes", accept=lambda n: n == 100)
        ip_batch(version1.kernel, ["route del 30.0.0.0/24 proto 12"])
        wait_until(version1.routes, 30, "one less", accept=lambda n: n == 99)
        assert daemon.end() == 0, daemon.log()
        for word in ("ip_route_add_del_v2", "API's own FIB source"):
            assert word in daemon.log()
    assert simulator.routes() == {}
    done = flush(simulator)
    assert done.returncode == 4
    assert "cannot tell our routes" in done.stderr
    assert version1.routes() == 99


@pytest.mark.root
def test_its_routes_are_flushed_on_exit(simulator: SimulatedVpp, version1: Version1) -> None:
    """The daemon knows which are its own."""
    simulator.add_foreign_route("203.0.113.0/24")
    with version1.running("--on-exit", "flush") as daemon:
        wait_until(version1.routes, 30, "all routes", accept=lambda n: n == 101)
        assert daemon.end() == 0, daemon.log()
    assert version1.routes() == 1
