"""In sync is not enough: held routes are reported, and too many of them are not ready."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from daemon.running import running_daemon
from daemon.world import COUNT, kernel_of, reflecting
from lab import Namespace, ip_batch, wait_until
from lab.vpp import SimulatedVpp

pytestmark = pytest.mark.root


def test_no_interface_is_mapped(
    make_namespace: Callable[[str], Namespace], simulator: SimulatedVpp, tmp_path: Path
) -> None:
    """Nothing is in VPP: every surface says so, and for which interfaces."""
    kernel = kernel_of(make_namespace)
    config = tmp_path / "held.toml"
    config.write_text('[metrics]\naddress = "127.0.0.1:0"\n')
    given = ("--config", str(config), "--socket", str(simulator.socket))
    with running_daemon(tmp_path / "d.log", *given, namespace=kernel) as daemon:
        wait_until(daemon.answers, 30, "it listens")
        seen = wait_until(daemon.status, 30, "held", accept=lambda seen: seen["state"] == "held")
        held = 2 * COUNT + 1
        assert seen["held"] == {
            "prefixes": held,
            "total": held + 1,
            "too_many": True,
            "interfaces": {"f0": 2 * COUNT, "g0": 1},
            "unmapped": "hold",
            "substitutes": {},
        }
        assert (seen["in_sync"], seen["ready"]) == (True, False)
        where = f"no VPP interface mapped to f0: {2 * COUNT}, g0: 1"
        first = daemon.ask("status", "--check", exit_code=6)
        assert first == f"in sync, but not well, {held} of {held + 1} prefixes held ({where})\n"
        (warning,) = [line for line in daemon.log().splitlines() if "cannot have" in line]
        assert "warning" in warning
        assert f"VPP cannot have {held} of {held + 1} prefixes" in warning
        assert f"no VPP interface mapped to f0: {2 * COUNT}" in warning
        address = daemon.log().split("http://")[1].split("/metrics")[0]
        with pytest.raises(HTTPError, match="503"):
            urlopen(f"http://{address}/-/ready")
        with urlopen(f"http://{address}/metrics") as metrics:
            text = metrics.read().decode()
        assert f"bgpreflector_held_ratio {held / (held + 1)}" in text
        assert "bgpreflector_in_sync 1.0" in text
        assert "bgpreflector_ready 0.0" in text


def test_a_few_held_are_said_and_allowed_for(
    make_namespace: Callable[[str], Namespace], simulator: SimulatedVpp, tmp_path: Path
) -> None:
    """One of many; and a tenth is the limit."""
    kernel = kernel_of(make_namespace)
    with reflecting(kernel, simulator, tmp_path / "d.log") as daemon:
        all_of_it = 2 * COUNT + 2
        where = "no VPP interface mapped to g0: 1"
        said = f"in sync, 1 of {all_of_it} prefixes held ({where})\n"
        assert daemon.ask("status", "--check") == said
        assert "cannot have" not in daemon.log()
        (warning,) = [line for line in daemon.log().splitlines() if "VPP has not" in line]
        assert "warning" in warning
        assert f"VPP has not 1 of {all_of_it} prefixes: {where}" in warning
        more = range(1, COUNT // 2)
        ip_batch(kernel, [f"route add 41.0.{n}.0/24 via 10.9.0.2 proto 12" for n in more])
        wait_until(daemon.status, 30, "held", accept=lambda seen: seen["state"] == "held")
        ip_batch(kernel, [f"route del 41.0.{n}.0/24 proto 12" for n in more])
        wait_until(daemon.status, 30, "well", accept=lambda seen: seen["ready"])
