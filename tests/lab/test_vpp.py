"""A real VPP of the laboratory: refusals are errors, a restart is empty, and nothing is left."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lab import Namespace
from lab.vpp import RealVpp, Startup, VppError

pytestmark = [pytest.mark.root, pytest.mark.vpp]

FOREIGN = "203.0.113.0/24"


def shared_memory(own: Namespace) -> list[Path]:
    """What a VPP in this namespace has left, or still has."""
    return list(Path("/dev/shm").glob(f"{own.name}-*"))


def test_it_has_a_loopback_and_takes_commands(real_vpp: RealVpp) -> None:
    assert "loop0" in real_vpp.cli("show interface")
    assert real_vpp.create_loopback("192.0.2.1/24") == "loop1"
    assert "192.0.2.1/24" in real_vpp.cli("show interface address")
    with pytest.raises(VppError, match="no such command"):
        real_vpp.cli("no such command")
    with pytest.raises(VppError, match="runs already"):
        real_vpp.start()


def test_it_restarts_empty(real_vpp: RealVpp) -> None:
    real_vpp.add_foreign_route(FOREIGN)
    assert real_vpp.has_foreign_route(FOREIGN)
    before = real_vpp.pid
    assert shared_memory(real_vpp.namespace)
    real_vpp.restart()
    assert real_vpp.pid not in (None, before)
    assert not real_vpp.has_foreign_route(FOREIGN)
    assert "loop0" in real_vpp.cli("show interface")


def test_its_startup_is_ours_to_choose(tmp_path: Path) -> None:
    startup = Startup(heap="512M", statseg="128M", plugins=["ping_plugin.so"])
    with RealVpp.running(tmp_path, startup) as running:
        assert "ping_plugin.so" in running.cli("show plugins")
        assert "af_packet_plugin.so" not in running.cli("show plugins")
        assert "512" in running.cli("show memory main-heap")
        left = running.namespace
    assert running.pid is None
    assert not left.path.exists()
    assert shared_memory(left) == []


def test_one_that_cannot_start_says_why(
    tmp_path: Path, make_namespace: Callable[[str], Namespace]
) -> None:
    own = make_namespace("vpp")
    broken = RealVpp(tmp_path, own, Startup(heap="512M } nonsense { 1"))
    with pytest.raises(VppError, match=r"ended.*nonsense"):
        broken.start()
    assert broken.pid is None
    assert own.processes() == []
    assert shared_memory(own) == []
