"""What ``show route`` says of routes for some packets only, and of what forwards the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bgpreflector.control import ControlClient
from bgpreflector.errors import RefusedByDaemonError
from daemon.running import RunningDaemon
from daemon.world import make_links, reflecting
from lab import Namespace, ip_batch
from lab.command import run_command
from lab.vpp import SimulatedVpp

pytestmark = pytest.mark.root

ROUTES = [
    "route add default via 10.0.0.2 proto 12",
    "route add 40.0.1.0/24 via 10.0.0.3 tos 0x10 proto 12",
    "route add 40.0.1.0/25 via 10.0.0.4 tos 0x08 proto 4",
    "route add 2001:db8::/32 via fd00::2 proto 12",
    "route add 2001:db8:1::/48 from 2001:db8:f::/48 via fd00::3 proto 12",
]


@pytest.fixture
def daemon(
    make_namespace: Callable[[str], Namespace], simulator: SimulatedVpp, tmp_path: Path
) -> Iterator[RunningDaemon]:
    """In sync."""
    kernel = make_namespace("explained")
    make_links(kernel)
    ip_batch(kernel, ROUTES)
    with reflecting(kernel, simulator, tmp_path / "d.log", wait=False) as daemon:
        daemon.wait_in_sync()
        yield daemon


def test_routes_for_a_type_of_service(daemon: RunningDaemon) -> None:
    """They are shown, and what forwards the other packets is compared."""
    for target in ("40.0.1.1", "40.0.1.0/24"):
        shown = daemon.ask("show", "route", target)
        assert "table main  40.0.1.0/24 via 10.0.0.3 f0 proto bird tos 16  [held" in shown
        others = "only, which VPP cannot tell; the others go by 0.0.0.0/0\n"
        assert f"=> 40.0.1.0/24 is for packets with TOS 16 {others}" in shown
        assert "=> VPP forwards 0.0.0.0/0 as the kernel does\n" in shown
        longer = f"=> 40.0.1.0/25 is for packets with TOS 8 {others}" in shown
        assert longer == ("/" not in target)
        assert "does not hold" not in shown
        assert "none of ours" not in shown


def test_routes_for_some_sources(daemon: RunningDaemon) -> None:
    """Their prefix is in no table, and not unknown."""
    command = ("show", "route", "2001:db8:1::/48", "--control", str(daemon.control))
    told = run_command(*command, exit_code=None).stderr
    assert "2001:db8:1::/48 is not in VPP: it applies to packets from 2001:db8:f::/48 only" in told
    assert "no mirrored table" not in told
    shown = daemon.ask("show", "route", "2001:db8:1::1")
    assert "=> VPP forwards 2001:db8::/32 as the kernel does\n" in shown


def test_a_request_without_either(daemon: RunningDaemon) -> None:
    """The answer says what to give, in our words alone."""
    with (
        ControlClient(daemon.control) as client,
        pytest.raises(RefusedByDaemonError, match=r"^give an address or a prefix$"),
    ):
        _ = client.ask("route").end


def test_several_tables_are_named(
    make_namespace: Callable[[str], Namespace], simulator: SimulatedVpp, tmp_path: Path
) -> None:
    """A sentence that is said of two tables says of which."""
    kernel = make_namespace("explained")
    make_links(kernel)
    held = [f"route add 40.0.0.0/24 via 10.9.0.2 proto 12 table {t}" for t in (1000, 1001)]
    ip_batch(kernel, held)
    config = tmp_path / "tables.toml"
    config.write_text('[kernel]\ntables = ["1000-1999"]\n')
    given = ("--config", str(config))
    with reflecting(kernel, simulator, tmp_path / "d.log", *given, wait=False) as daemon:
        daemon.wait_in_sync()
        told = daemon.ask("show", "route", "40.0.0.1")
        for table in (1000, 1001):
            assert f"=> VPP's table {table}: 40.0.0.0/24 is not in VPP: no VPP interface" in told
