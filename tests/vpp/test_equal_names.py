"""An interface is more than its name: equal names alone map nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bgpreflector.config import InterfacesConfig, VppConfig
from bgpreflector.vpp import VppSession
from bgpreflector.vpp.interfaces import VppInterfaces, map_interfaces
from daemon.running import running_daemon
from lab import Namespace, wait_until
from lab.vpp import SimulatedVpp

ADDRESS = "de:ad:00:00:00:00"
"""Of the embedded VPP's first interface."""


@pytest.mark.few_releases
@pytest.mark.root
def test_an_interface_of_the_same_name_alone_is_not_mapped(
    make_namespace: Callable[[str], Namespace], simulator: SimulatedVpp, tmp_path: Path
) -> None:
    """A default route via VPP's own address, through what only has the name of VPP's interface."""
    kernel = make_namespace("taps")
    kernel.add_link("loop0", "192.168.100.1/24")
    kernel.ip("route", "add", "default", "via", "192.168.100.99", "proto", "12")
    arguments = ("--socket", str(simulator.socket))
    with running_daemon(tmp_path / "d.log", *arguments, namespace=kernel) as daemon:
        wait_until(daemon.answers, 30, "it listens")
        seen = daemon.wait_in_sync()
        assert seen["held"]["interfaces"] == {"loop0": 1}
        assert simulator.routes() == {}
        assert "none: its routes are held" in daemon.ask("show", "interfaces")
        # One and the same device, as a driver that shares it with Linux shows it.
        kernel.ip("link", "set", "loop0", "address", ADDRESS)
        wait_until(simulator.routes, 30, "it is mapped", accept=bool)
        assert re.search(r"loop0 +(\S+ )*same name and address", daemon.ask("show", "interfaces"))
        kernel.ip("link", "set", "loop0", "address", "de:ad:00:00:00:01")
        wait_until(simulator.routes, 30, "it is no longer mapped", accept=lambda routes: not routes)
        assert daemon.end() == 0, daemon.log()


def test_both_ends_of_one_tap_are_never_one_interface() -> None:
    """Not even with the same hardware address; a pair or the map takes precedence over a name."""
    address = b"\x02\xfe\0\0\0\1"
    vpp = VppInterfaces(
        by_name={"tap0": 1, "eth0": 2, "eth1": 3},
        pairs={"eth1": 4},
        addresses={"tap0": address, "eth0": address, "eth1": address},
        taps={"tap0"},
    )
    found = map_interfaces(InterfacesConfig(strategies=("name", "linux-cp")), vpp)
    assert found.same_mac == {"eth0": (2, address), "eth1": (3, address)}
    assert found.map == {"eth1": 4}
    assert found.without({2}).same_mac == {"eth1": (3, address)}


def test_the_ends_of_taps_are_read_from_vpp(monkeypatch: pytest.MonkeyPatch) -> None:
    """VPP's name of each, and that of its Linux end."""

    def call(_: VppSession, message: str, **__: Any) -> list[SimpleNamespace]:
        assert message == "sw_interface_tap_v2_dump"
        ends = (("tap0", "tap0"), ("tap1", "host1"))
        return [SimpleNamespace(dev_name=vpp, host_if_name=linux) for vpp, linux in ends]

    monkeypatch.setattr(VppSession, "call", call)
    monkeypatch.setattr(VppSession, "has", lambda *_: True)
    assert VppSession(VppConfig())._own_taps() == {"tap0"}
