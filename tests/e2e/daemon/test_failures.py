"""Failures, and the operator's messages."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from daemon.running import running_daemon
from daemon.world import reflecting, route
from lab import Namespace, ip_batch, wait_until
from lab.command import run_command
from lab.vpp import SimulatedVpp, wait_routes

COUNT = 2_000


def test_a_wrong_configuration_names_every_key(tmp_path: Path) -> None:
    """Exit code 78, and what is allowed."""
    file = tmp_path / "wrong.toml"
    file.write_text('[vpp]\nmax_in_flight = 0\nfoo = 1\n[kernel]\nprotocols = ["brd"]\n')
    for command in (["check", str(file)], ["run", "--config", str(file)]):
        done = run_command(*command, exit_code=78)
        for key in ("vpp.max_in_flight", "vpp.foo", "kernel.protocols"):
            assert key in done.stderr
        assert "Traceback" not in done.stderr


def test_a_right_configuration_is_said_to_be(tmp_path: Path) -> None:
    """Also as JSON, whole, with what is not ours in a file of Contiv's."""
    file = tmp_path / "right.toml"
    file.write_text("[vpp]\nmax_in_flight = 64\n")
    run_command("check", str(file))
    shown = json.loads(run_command("check", str(file), "--json").stdout)
    assert shown.pop("configuration")["vpp"]["max_in_flight"] == 64
    assert shown == {"schema": 1, "valid": True, "problems": [], "ignored": [], "environment": {}}
    contiv = tmp_path / "contiv.conf"
    contiv.write_text("mainVRFID: 7\nnatExternalTraffic: true\n")
    shown = json.loads(run_command("check", str(contiv), "--json").stdout)
    assert shown["configuration"]["vpp"]["tables"] == {"254": 7}
    assert shown["ignored"] == ["natExternalTraffic"]


def test_mistakes_as_json(tmp_path: Path) -> None:
    """The same object, with each mistake by its key, and the value where one is refused."""
    file = tmp_path / "wrong.toml"
    file.write_text("[vpp]\nmax_in_flight = 0\nfoo = 1\n")
    done = run_command("check", str(file), "--json", exit_code=78)
    shown = json.loads(done.stdout)
    problems = {problem["key"]: problem for problem in shown.pop("problems")}
    assert shown.pop("environment") == {}
    assert shown == {"schema": 1, "valid": False, "ignored": [], "configuration": None}
    assert problems.keys() == {"vpp.max_in_flight", "vpp.foo"}
    assert problems["vpp.max_in_flight"]["value"] == 0
    assert all(problem["message"] in done.stderr for problem in problems.values())
    file.write_text("[vpp\n")
    shown = json.loads(run_command("check", str(file), "--json", exit_code=78).stdout)
    assert [problem["key"] for problem in shown["problems"]] == [""]


def test_a_socket_that_is_not_there(tmp_path: Path) -> None:
    """Exit code 4, the path, and what to look at."""
    path = tmp_path / "nowhere.sock"
    done = run_command("run", "--no-wait", "--socket", str(path), exit_code=4)
    assert str(path) in done.stderr
    assert "is VPP running" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_socket_that_nobody_listens_on(tmp_path: Path) -> None:
    """The file alone is no VPP."""
    path = tmp_path / "stale.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
    done = run_command("run", "--no-wait", "--socket", str(path), exit_code=4)
    assert str(path) in done.stderr


def _close_the_first(listener: socket.socket) -> None:
    listener.accept()[0].close()


def test_a_vpp_that_comes_later(tmp_path: Path) -> None:
    """It is waited for, alive and not ready; the service manager hears what for."""
    path, manager_at = tmp_path / "vpp" / "api.sock", tmp_path / "notify"
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(manager_at))
        manager.settimeout(30)
        environment = {"NOTIFY_SOCKET": str(manager_at)}
        arguments = ("--socket", str(path), "--interface", "f0=loop0")
        with running_daemon(tmp_path / "d.log", *arguments, environment=environment) as daemon:
            said = manager.recv(4096).decode()
            assert said.splitlines() == ["READY=1", f"STATUS=waiting for VPP at {path}"]
            lost = daemon.wait_state("vpp_lost")
            assert (lost["ready"], lost["vpp"]["connected"]) == (False, False)
            said = daemon.ask("status", "--check", exit_code=4)
            assert said.startswith(f"waiting for VPP at {path}")
            with SimulatedVpp.running(path.parent) as vpp:
                assert vpp.socket == path
                wait_until(daemon.status, 60, "ready", accept=lambda seen: seen["ready"])


def test_an_end_while_vpp_is_waited_for(tmp_path: Path) -> None:
    """At once, and with 0."""
    arguments = ("--socket", str(tmp_path / "nowhere.sock"))
    with running_daemon(tmp_path / "d.log", *arguments) as daemon:
        daemon.wait_listening()
        wait_until(daemon.log, 30, "it waits", accept=lambda log: "waiting for it" in log)
        assert daemon.end() == 0, daemon.log()


def test_another_program_at_the_socket(tmp_path: Path) -> None:
    """A server that closes at once is no VPP either."""
    path = tmp_path / "other.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        threading.Thread(target=_close_the_first, args=(listener,), daemon=True).start()
        done = run_command("run", "--no-wait", "--socket", str(path), exit_code=4)
    assert "Traceback" not in done.stderr


AS_NOBODY = """
import os, pathlib, sys
from bgpreflector.daemon import instance_lock
import bgpreflector.cli.app, bgpreflector.cli.doctor, bgpreflector.cli.run
from bgpreflector.cli import config_file, main
# Their directories may be root's.
instance_lock.lock_path = lambda config: None
os.environ[config_file.VARIABLE] = ""
config_file.DEFAULT_FILE = pathlib.Path("/nowhere")
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
sys.argv[0] = "bgpreflector"
main()
"""


def as_nobody(vpp: SimulatedVpp, *command: str) -> subprocess.CompletedProcess[str]:
    """Runs a command as a user who may use neither the socket nor another namespace."""
    vpp.socket.chmod(0o600)
    return subprocess.run(
        [sys.executable, "-c", AS_NOBODY, *command, "--socket", str(vpp.socket)],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.root
def test_the_doctor_says_what_its_user_may_not(
    simulator: SimulatedVpp, make_namespace: Callable[[str], Namespace], tmp_path: Path
) -> None:
    """Neither VPP, the kernel nor a daemon can be looked at."""
    kernel = make_namespace("kernel")
    control = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX) as daemon:
        daemon.bind(str(control))
        daemon.listen()
        control.chmod(0o600)
        done = as_nobody(
            simulator, "doctor", "--netns", str(kernel.path), "--control", str(control)
        )
    assert done.returncode == 8, done.stderr
    assert "user 65534 may not use it" in done.stdout
    assert "only the daemon's own user and root may use it" in done.stdout
    assert "2 errors, 1 warning, 4 findings" in done.stdout
    assert "as root: entering another namespace needs CAP_SYS_ADMIN" in done.stdout


@pytest.mark.root
def test_no_permission_to_the_socket(simulator: SimulatedVpp) -> None:
    """As an ordinary user, with the socket's owner alone allowed."""
    done = as_nobody(simulator, "run", "--no-wait")
    assert done.returncode == 4, done.stderr
    assert "Permission denied" in done.stderr
    assert "member of the socket's group" in done.stderr


@pytest.mark.root
def test_a_namespace_that_is_not_there(simulator: SimulatedVpp) -> None:
    """Exit code 5, with the namespace's name."""
    done = run_command(
        "run", "--socket", str(simulator.socket), "--netns", "no-such-namespace", exit_code=5
    )
    assert "no-such-namespace" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture
def kernel(make_namespace: Callable[[str], Namespace]) -> Namespace:
    """With routes that VPP can have."""
    made = make_namespace("failures")
    made.add_link("f0", "10.0.0.1/24")
    ip_batch(made, (f"route add {route(n)} via 10.0.0.2 proto 12" for n in range(COUNT)))
    return made


FAULTS = {
    "closes in mid-stream": {"name": "drop", "after": COUNT // 2},
    "closes in mid-frame": {"name": "drop", "after": COUNT // 3, "mid_frame": True},
    "refuses every tenth": {"name": "fail_nth", "nth": 10, "retval": -5, "every": True},
}


@pytest.mark.root
@pytest.mark.parametrize("fault", FAULTS)
def test_nothing_is_lost(
    fault: str,
    kernel: Namespace,
    simulator: SimulatedVpp,
    tmp_path: Path,
) -> None:
    """Whatever VPP does to the first sync, it ends with all routes."""
    simulator.fault(**FAULTS[fault])  # type: ignore[arg-type]
    with reflecting(kernel, simulator, tmp_path / "run.log", wait=False) as daemon:
        wait_until(
            lambda: simulator.simulator.statistics()["route_requests"], 30, "the sync has begun"
        )
        if "every" in FAULTS[fault]:
            wait_until(
                lambda: simulator.simulator.statistics()["refused"], 30, "requests are refused"
            )
            simulator.fault("clear")
        wait_until(
            lambda: (len(simulator.routes()), daemon.process.poll()),
            60,
            "VPP has all routes",
            accept=lambda seen: seen[0] == COUNT,
        )
        assert daemon.end() == 0, daemon.log()


@pytest.mark.root
def test_a_vpp_that_restarts_gets_everything_again(
    kernel: Namespace, simulator: SimulatedVpp, tmp_path: Path
) -> None:
    """With other interface indices than before, and kernel changes meanwhile."""
    with reflecting(kernel, simulator, tmp_path / "run.log", wait=False) as daemon:
        wait_routes(simulator, COUNT)
        simulator.fault("restart", shift=10)
        ip_batch(kernel, ["route del 30.0.0.0/24 proto 12"])
        wait_routes(simulator, COUNT - 1, timeout=60)
        assert daemon.process.poll() is None, daemon.log()


@pytest.mark.root
def test_a_vpp_that_stays_away_is_waited_for(tmp_path: Path, kernel: Namespace) -> None:
    """Without a storm of attempts; when it is back it gets everything."""
    with (
        SimulatedVpp.running(tmp_path) as first,
        reflecting(kernel, first, tmp_path / "run.log", wait=False) as daemon,
    ):
        wait_routes(first, COUNT)
        first.close()
        first.simulator.stop()
        wait_until(lambda: daemon.log().count("connecting again"), 30, "the loss is noticed")
        with SimulatedVpp.running(tmp_path) as second:
            wait_routes(second, COUNT, timeout=60)
        assert daemon.log().count("Resync: VPP connection") == 1, daemon.log()
        assert daemon.end() == 0, daemon.log()


@pytest.mark.root
def test_a_vpp_with_another_layout_is_programmed_through_papi(
    kernel: Namespace, simulator: SimulatedVpp, tmp_path: Path
) -> None:
    """Through vpp_papi, with a warning that names message, CRC and version; adopted likewise."""
    simulator.fault("change_crc", message="ip_route_add_del_v2", crc="0badcafe")
    with reflecting(kernel, simulator, tmp_path / "one.log", wait=False) as daemon:
        wait_routes(simulator, COUNT, timeout=60)
        ip_batch(kernel, ["route del 30.0.0.0/24 proto 12"])
        wait_routes(simulator, COUNT - 1)
        assert daemon.end() == 0, daemon.log()
        for word in ("ip_route_add_del_v2", "521ef330", "0badcafe", "26.10"):
            assert word in daemon.log()
    sent = simulator.simulator.statistics()["route_requests"]
    ip_batch(kernel, ["route del 30.0.1.0/24 proto 12"])
    with reflecting(kernel, simulator, tmp_path / "two.log", wait=False):
        wait_routes(simulator, COUNT - 2)
    assert simulator.simulator.statistics()["route_requests"] == sent + 1


@pytest.mark.root
def test_the_end_may_take_the_routes_along(
    kernel: Namespace, simulator: SimulatedVpp, tmp_path: Path
) -> None:
    """``--on-exit flush``, and nobody else's."""
    simulator.add_foreign_route("203.0.113.0/24")
    log, at_exit = tmp_path / "run.log", ("--on-exit", "flush")
    with reflecting(kernel, simulator, log, *at_exit, wait=False) as daemon:
        wait_routes(simulator, COUNT)
        assert daemon.end() == 0, daemon.log()
    assert simulator.routes() == {}
    assert simulator.has_foreign_route("203.0.113.0/24")


@pytest.mark.root
def test_an_end_that_cannot_take_the_routes_along(
    kernel: Namespace, simulator: SimulatedVpp, tmp_path: Path
) -> None:
    """VPP has gone before: it is said, and the daemon ends all the same."""
    log, at_exit = tmp_path / "run.log", ("--on-exit", "flush")
    with reflecting(kernel, simulator, log, *at_exit, wait=False) as daemon:
        wait_routes(simulator, COUNT)
        simulator.close()
        simulator.simulator.stop()
        daemon.wait_state("vpp_lost")
        assert daemon.end() == 0, daemon.log()
        assert "VPP is not connected: our routes stay in it" in daemon.log()


@pytest.mark.root
def test_a_restart_of_the_daemon_sends_nothing(
    kernel: Namespace, simulator: SimulatedVpp, tmp_path: Path
) -> None:
    """What VPP has is adopted."""
    with reflecting(kernel, simulator, tmp_path / "one.log", wait=False):
        wait_routes(simulator, COUNT)
    sent = simulator.simulator.statistics()["route_requests"]
    ip_batch(kernel, ["route del 30.0.0.0/24 proto 12"])
    with reflecting(kernel, simulator, tmp_path / "two.log", wait=False):
        wait_routes(simulator, COUNT - 1)
    assert simulator.simulator.statistics()["route_requests"] == sent + 1


@pytest.mark.root
def test_show_routes_shows_the_kernel(kernel: Namespace) -> None:
    """Without a daemon: a JSON object a line."""
    done = run_command("show", "routes", "--kernel", "--json", "--netns", kernel.name)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(lines) == COUNT
    assert lines[0]["protocol"] == 12
    assert lines[0]["next_hops"][0]["gateway"] == "10.0.0.2"
    assert lines[0]["next_hops"][0]["interface"] == "f0"


@pytest.mark.parametrize("command", ["plan", "flush", "audit", "doctor", "run --no-wait"])
def test_a_vpp_that_accepts_no_connection(tmp_path: Path, command: str) -> None:
    """As one that hangs while others wait for it: the kernel would have us wait without end."""
    path, config = tmp_path / "full.sock", tmp_path / "short.toml"
    config.write_text("[vpp]\nconnect_timeout = 1\n")
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as waiting:
        listener.bind(str(path))
        listener.listen(0)
        waiting.connect(str(path))
        arguments = (*command.split(), "--config", str(config), "--socket", str(path))
        done = run_command(*arguments, exit_code=8 if command == "doctor" else 4)
    assert "Traceback" not in done.stderr
    assert "accepts no connection" in done.stdout + done.stderr
