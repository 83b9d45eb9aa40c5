"""Completion beside a running daemon."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bgpreflector.cli import completion_vpp
from bgpreflector.cli.completion import offers
from lab import Namespace, wait_until
from lab.vpp import SimulatedVpp

from .running import running_daemon


@pytest.mark.root
def test_interfaces_of_vpp_are_the_daemons(
    make_namespace: Callable[[str], Namespace],
    simulator: SimulatedVpp,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By name, as VPP has them; those that no interface of the kernel is mapped to, too."""
    monkeypatch.setattr(completion_vpp, "TIMEOUT", 30)
    kernel = make_namespace("completion")
    with running_daemon(
        tmp_path / "d.log", "--socket", str(simulator.socket), namespace=kernel
    ) as daemon:
        daemon.wait_listening()
        before = ["run", "--control", str(daemon.control), "--interface"]
        found = wait_until(lambda: offers(before, "eth0="), 30, "VPP is connected", accept=bool)
        assert ("eth0=loop0", "VPP interface") in found, json.dumps(found)
        assert daemon.end() == 0
    assert offers(before, "eth0=") == []
