"""A start or a reload that would take most routes out of VPP waits; everything else goes on."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from daemon.running import RunningDaemon, running_daemon
from lab import Namespace, ip_batch, wait_until
from lab.vpp import SimulatedVpp

pytestmark = pytest.mark.root

COUNT = 200


def routes(verb: str, numbers: Sequence[int] = range(COUNT)) -> list[str]:
    """Lines for ``ip -batch``."""
    return [f"route {verb} 30.0.{n}.0/24 via 10.0.0.2 proto 12" for n in numbers]


@pytest.fixture
def kernel(make_namespace: Callable[[str], Namespace]) -> Namespace:
    """Two links; all routes go through the first."""
    made = make_namespace("guard")
    for number, link in enumerate(("f0", "g0")):
        made.ip("link", "add", link, "type", "veth", "peer", "name", f"{link}p")
        made.ip("addr", "add", f"10.{number}.0.1/24", "dev", link)
        made.ip("link", "set", link, "up")
        made.ip("link", "set", f"{link}p", "up")
    ip_batch(made, routes("add"))
    return made


@pytest.fixture
def config(simulator: SimulatedVpp, tmp_path: Path) -> Path:
    """A configuration file, right so far."""
    file = tmp_path / "guard.toml"
    write(file, simulator)
    return file


def write(file: Path, vpp: SimulatedVpp, first: str = "f0", table: int = 0) -> None:
    """The file, with a name for the first link."""
    file.write_text(
        f'[vpp]\napi_socket = "{vpp.socket}"\n'
        f'[vpp.interfaces.map]\n{first} = "{vpp.interface}"\ng0 = "{vpp.interface}"\n'
        f"[vpp.tables]\nmain = {table}\n"
    )


def run_once(config: Path, kernel: Namespace, vpp: SimulatedVpp, log: Path) -> None:
    """An earlier run, which leaves its routes."""
    with running_daemon(log, "--config", str(config), namespace=kernel) as daemon:
        wait_until(vpp.routes, 30, "all", accept=lambda seen: len(seen) == COUNT)
        assert daemon.end() == 0, daemon.log()


def state(daemon: RunningDaemon, wanted: str) -> dict[str, object]:
    """The daemon's status once it is in a state."""
    wait_until(daemon.answers, 30, "it listens")
    return wait_until(daemon.status, 30, wanted, accept=lambda seen: seen["state"] == wanted)


def deletions(vpp: SimulatedVpp) -> int:
    """That VPP was asked for."""
    return int(vpp.simulator.statistics()["deletes"])


def test_an_interface_map_with_a_typing_error(
    kernel: Namespace, config: Path, simulator: SimulatedVpp, tmp_path: Path
) -> None:
    """Routes stay and what is new goes in, until somebody says so; all surfaces tell it."""
    run_once(config, kernel, simulator, tmp_path / "one.log")
    write(config, simulator, first="f00")
    with config.open("a") as file:
        file.write('[metrics]\naddress = "127.0.0.1:0"\n')
    given = ("--config", str(config))
    with running_daemon(tmp_path / "two.log", *given, namespace=kernel) as daemon:
        seen = state(daemon, "guarded")
        reason = f"{COUNT} VPP cannot have (no VPP interface mapped to f0: {COUNT})"
        expected = {"deletions": COUNT, "total": COUNT, "reason": reason, "unmirrored_routes": 0}
        assert (seen["guard"], seen["ready"], seen["in_sync"]) == (expected, False, False)
        assert f"{COUNT} of the {COUNT} routes" in daemon.log()
        said = daemon.ask("status", "--check", exit_code=6)
        assert f"{COUNT} of {COUNT} routes are not deleted" in said
        assert reason in said
        address = daemon.log().split("http://")[1].split("/metrics")[0]
        with urlopen(f"http://{address}/metrics") as metrics:
            assert f"bgpreflector_guarded_deletions {COUNT}.0" in metrics.read().decode()
        with pytest.raises(HTTPError, match="503"):
            urlopen(f"http://{address}/-/ready")
        ip_batch(kernel, ["route add 31.0.0.0/24 via 10.1.0.2 proto 12"])
        wait_until(simulator.routes, 30, "the new one", accept=lambda seen: len(seen) == COUNT + 1)
        # Read again, it is still the first sync.
        daemon.ask("resync")
        assert state(daemon, "guarded")["guard"] == expected
        assert len(simulator.routes()) == COUNT + 1
        # Who ends a pause has not approved of that.
        daemon.ask("pause")
        daemon.ask("resume")
        assert state(daemon, "guarded")["guard"] == expected
        assert deletions(simulator) == 0
        daemon.ask("resume")
        assert list(simulator.routes()) == ["31.0.0.0/24"]
        assert daemon.status()["guard"] is None


def test_a_bgp_daemon_that_comes_late(
    kernel: Namespace, config: Path, simulator: SimulatedVpp, tmp_path: Path
) -> None:
    """Nothing is deleted, and nobody has to say anything; a later withdrawal passes at once."""
    run_once(config, kernel, simulator, tmp_path / "one.log")
    ip_batch(kernel, routes("del"))
    given = ("--config", str(config))
    with running_daemon(tmp_path / "two.log", *given, namespace=kernel) as daemon:
        guard = state(daemon, "guarded")["guard"]
        assert isinstance(guard, dict)
        assert "the kernel has no route of protocol bird in kernel table 254" in guard["reason"]
        ip_batch(kernel, routes("add"))
        state(daemon, "in_sync")
        assert deletions(simulator) == 0
        ip_batch(kernel, routes("del"))
        wait_until(simulator.routes, 30, "none", accept=lambda seen: not seen)
        state(daemon, "in_sync")


def test_few_deletions_and_said_ones_do_not_wait(
    kernel: Namespace, config: Path, simulator: SimulatedVpp, tmp_path: Path
) -> None:
    """Half of the routes, and all of them with --yes."""
    run_once(config, kernel, simulator, tmp_path / "one.log")
    half = range(COUNT // 2)
    ip_batch(kernel, routes("del", half))
    given = ("--config", str(config))
    with running_daemon(tmp_path / "two.log", *given, namespace=kernel) as daemon:
        state(daemon, "in_sync")
        assert len(simulator.routes()) == COUNT // 2
    ip_batch(kernel, routes("del", range(COUNT // 2, COUNT)))
    with running_daemon(tmp_path / "three.log", *given, "--yes", namespace=kernel) as daemon:
        state(daemon, "in_sync")
        assert simulator.routes() == {}


def test_a_reload_that_would_empty_vpp(
    kernel: Namespace, config: Path, simulator: SimulatedVpp, tmp_path: Path
) -> None:
    """By the map, or by a table that is mirrored no more; the right file again heals it."""
    with running_daemon(tmp_path / "d.log", "--config", str(config), namespace=kernel) as daemon:
        state(daemon, "in_sync")
        write(config, simulator, first="f00")
        daemon.process.send_signal(signal.SIGHUP)
        state(daemon, "guarded")
        write(config, simulator)
        daemon.process.send_signal(signal.SIGHUP)
        state(daemon, "in_sync")
        assert (len(simulator.routes()), deletions(simulator)) == (COUNT, 0)
        write(config, simulator, table=10)
        daemon.ask("reload")
        guard = state(daemon, "guarded")["guard"]
        assert isinstance(guard, dict)
        assert guard["unmirrored_routes"] == COUNT
        assert "tables 0 are not mirrored into any more" in daemon.log()
        assert deletions(simulator) == 0
        daemon.ask("resume")
        state(daemon, "in_sync")
        assert deletions(simulator) == COUNT
