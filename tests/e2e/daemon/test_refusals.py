"""A VPP that goes on refusing routes: what that costs, and what comes of it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from daemon.running import RunningDaemon
from daemon.world import MIRRORED, reflecting, route
from lab import Namespace, ip_batch, wait_until
from lab.vpp import SimulatedVpp, wait_routes

pytestmark = pytest.mark.root

REFUSED = route(5)
INVALID_VALUE = -7
CONFIG = """
[controller]
retry_attempts = 1
retry_delay = 0.05
healing_delay = 0.05
"""


def configured(
    kernel: Namespace, simulator: SimulatedVpp, directory: Path, config: str
) -> AbstractContextManager[RunningDaemon]:
    """A daemon in sync with this configuration."""
    file = directory / "refusals.toml"
    file.write_text(config)
    return reflecting(kernel, simulator, directory / "d.log", "--config", str(file))


def test_the_kernel_is_not_read_again(
    kernel: Namespace, simulator: SimulatedVpp, tmp_path: Path
) -> None:
    """It has no part in it: VPP is read and asked again, at growing intervals, and others go in."""
    with configured(kernel, simulator, tmp_path, CONFIG) as daemon:
        before = daemon.status()["kernel"]["resyncs"]
        simulator.fault("fail_prefix", prefix=REFUSED, retval=INVALID_VALUE)
        moves = 0

        def healings() -> int:
            nonlocal moves
            moves += 1
            host = 3 + moves % 2
            ip_batch(kernel, [f"route replace {REFUSED} via 10.0.0.{host} proto 12"])
            return daemon.log().count("Resync: after refusals")

        wait_until(healings, 30, "VPP is read again", accept=lambda n: n >= 3)
        ip_batch(kernel, ["route add 41.0.0.0/24 via 10.0.0.2 proto 12"])
        wait_until(simulator.routes, 30, "goes in", accept=lambda seen: "41.0.0.0/24" in seen)
        assert daemon.status()["state"] == "rejected"
        assert daemon.status()["kernel"]["resyncs"] | {"audit": None} == before | {"audit": None}
        simulator.fault("fail_prefix", prefix=REFUSED, retval=0)
        ip_batch(kernel, [f"route replace {REFUSED} via 10.0.0.9 proto 12"])
        daemon.wait_in_sync()
        assert simulator.routes()[REFUSED] == frozenset({"10.0.0.9"})
        assert len(simulator.routes()) == MIRRORED + 1


def test_a_route_refused_for_good_does_not_have_vpp_read_again_and_again(
    kernel: Namespace, simulator: SimulatedVpp, tmp_path: Path
) -> None:
    """It stops forwarding meanwhile: once after the refusal, and seldom if at all thereafter."""

    def add(lines: list[str]) -> None:
        expected = len(simulator.routes()) + len(lines)
        ip_batch(kernel, lines)
        wait_routes(simulator, expected)

    with configured(kernel, simulator, tmp_path, CONFIG) as daemon:
        # So many that somebody else is quicker to take what the resync finds.
        more = [f"route add 42.{n >> 8}.{n % 256}.0/24 via 10.0.0.2 proto 12" for n in range(2000)]
        add(more)
        simulator.fault("fail_prefix", prefix=REFUSED, retval=INVALID_VALUE)
        ip_batch(kernel, [f"route replace {REFUSED} via 10.0.0.3 proto 12"])

        def healings() -> int:
            return daemon.log().count("Resync: after refusals")

        wait_until(healings, 30, "VPP is read again")
        for number in range(60):
            add([f"route add 41.0.{number}.0/24 via 10.0.0.2 proto 12"])
        assert healings() <= 2


def test_what_is_taken_in_the_end_goes_in_by_itself(
    kernel: Namespace, simulator: SimulatedVpp, tmp_path: Path
) -> None:
    """The resync after the last try finds it refused before, and sends it once more."""
    config = CONFIG.replace("healing_delay = 0.05", "healing_delay = 2")
    with configured(kernel, simulator, tmp_path, config) as daemon:
        before = daemon.status()["kernel"]["resyncs"]["requested"]
        simulator.fault("fail_prefix", prefix=REFUSED, retval=INVALID_VALUE)
        ip_batch(kernel, [f"route replace {REFUSED} via 10.0.0.3 proto 12"])
        wait_until(
            daemon.log,
            30,
            "given up",
            accept=lambda log: "not tried again before the next resync" in log,
        )
        assert simulator.routes()[REFUSED] == frozenset({"10.0.0.2"})
        simulator.fault("fail_prefix", prefix=REFUSED, retval=0)
        moved = frozenset({"10.0.0.3"})
        wait_until(simulator.routes, 30, "sent again", accept=lambda seen: seen[REFUSED] == moved)
        daemon.wait_in_sync()
        assert daemon.status()["kernel"]["resyncs"]["requested"] == before


def test_a_replacement_without_an_answer_is_not_in_sync(
    kernel: Namespace, simulator: SimulatedVpp, tmp_path: Path
) -> None:
    """VPP has a route for the prefix all the while, so no count tells."""
    config = "[vpp]\nrequest_timeout = 30.0\n"
    with configured(kernel, simulator, tmp_path, config) as daemon:
        simulator.hang()
        ip_batch(kernel, [f"route replace {REFUSED} via 10.0.0.3 proto 12"])
        wait_until(daemon.status, 30, "taken", accept=lambda seen: seen["oldest_queued_seconds"])
        status = wait_until(daemon.status, 30, "sent", accept=lambda seen: seen["dirty"] == 0)
        assert not status["in_sync"], status
        simulator.resume()
        daemon.wait_in_sync()
        assert simulator.routes()[REFUSED] == frozenset({"10.0.0.3"})
