"""The set-up beside linux-cp: VPP has the interfaces, Linux the routes, linux_nl is not loaded."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from daemon.running import RunningDaemon, running_daemon
from lab import Bird, BirdConfig, Namespace, Session, running_bird, wait_until
from lab.frr import Frr, running_frr
from lab.vpp.linux_cp import (
    KERNEL_HOST,
    KERNEL_PREFIX,
    NEIGHBOUR,
    ROUTER,
    TAP,
    LinuxCpRouter,
)

pytestmark = [pytest.mark.root, pytest.mark.vpp, pytest.mark.bird]

ANNOUNCED, HOST = "198.51.100.0/24", "198.51.100.9"
BIRD, FRR_BGP = "12", "186"


@contextmanager
def neighbour(wire: Namespace) -> Iterator[Bird]:
    """A BGP neighbour that announces :data:`ANNOUNCED`, and has a host in it."""
    wire.ip("addr", "add", f"{HOST}/32", "dev", "lo")
    config = BirdConfig(
        NEIGHBOUR,
        [],
        more=f"""protocol static own {{ ipv4; route {ANNOUNCED} blackhole; }}
protocol bgp uplink {{
  local {NEIGHBOUR} as 64501;
  neighbor {ROUTER} as 64500;
  connect delay time 1;
  connect retry time 1;
  error wait time 1, 1;
  ipv4 {{ import all; export all; }};
}}""",
    )
    with running_bird(wire, config) as peer:
        yield peer


SESSION = Session(ROUTER, NEIGHBOUR, 64500, 64501)


def bird_router(kernel: Namespace) -> AbstractContextManager[Bird]:
    """BIRD on the router."""
    return running_bird(kernel, BirdConfig(ROUTER, [SESSION], install=True))


def frr_router(kernel: Namespace) -> AbstractContextManager[Frr]:
    """FRR on the router."""
    return running_frr(kernel, ROUTER, [SESSION])


@contextmanager
def mirroring(
    router: LinuxCpRouter, directory: Path, protocol: str, lines: str = "", priority: int = 0x88
) -> Iterator[RunningDaemon]:
    """The daemon with a minimal configuration: it finds the pairs itself."""
    file = directory / "bgpreflector.toml"
    file.write_text(
        f"[kernel]\nprotocols = [{protocol}]\n"
        f'[vpp]\napi_socket = "{router.vpp.socket}"\n{lines}\n'
        f"[vpp.fib_source]\npriority = {priority}\n"
    )
    options = ("--config", str(file))
    with running_daemon(directory / "d.log", *options, namespace=router.kernel) as daemon:
        wait_until(daemon.answers, 30, "it listens")
        yield daemon


@pytest.mark.parametrize(
    ("routing", "protocol"),
    [
        pytest.param(bird_router, BIRD, id="bird"),
        pytest.param(frr_router, FRR_BGP, id="frr", marks=pytest.mark.frr),
    ],
)
def test_routes_go_through_the_pair(
    tmp_path: Path,
    routing: Callable[[Namespace], AbstractContextManager[object]],
    protocol: str,
) -> None:
    """BGP over the tap, routes mirrored through the pair, the neighbour resolved by VPP."""
    with LinuxCpRouter.running(tmp_path) as router:
        router.configure()
        assert router.reaches(router.wire, ROUTER), "the kernel is reached through VPP"
        with (
            neighbour(router.wire),
            routing(router.kernel),
            mirroring(router, tmp_path, protocol) as daemon,
        ):
            wait_until(router.vpp.routes, 60, "mirrored", accept=lambda seen: ANNOUNCED in seen)
            daemon.wait_in_sync()
            assert TAP in daemon.ask("show", "interfaces")
            assert re.search("host-eth0 +linux-cp pair", daemon.ask("show", "interfaces"))
            # The kernel does not forward it: it has neither the client's link nor its address.
            assert router.reaches(router.client, HOST)
            assert NEIGHBOUR in router.vpp.cli("show ip neighbors")
            assert f"VPP forwards {ANNOUNCED} as the kernel does" in daemon.ask(
                "show", "route", HOST
            )
            router.vpp.cli("set interface state host-eth0 down")
            wait_until(router.vpp.routes, 60, "gone with the link", accept=lambda seen: not seen)
            assert daemon.end() == 0, daemon.log()


@pytest.mark.parametrize(
    ("unmapped", "reached"), [("hold", False), ("drop", False), ("punt", True)]
)
def test_only_punt_forwards_what_vpp_has_no_interface_for(
    tmp_path: Path, unmapped: str, *, reached: bool
) -> None:
    """A host behind a link of the kernel's; VPP has a default route to somewhere else."""
    with LinuxCpRouter.running(tmp_path) as router:
        router.configure()
        router.vpp.cli(f"ip route add 0.0.0.0/0 via {NEIGHBOUR} host-eth0")
        router.kernel.ip("route", "add", KERNEL_PREFIX, "via", "172.16.0.2", "proto", BIRD)
        with mirroring(router, tmp_path, BIRD, f'unmapped = "{unmapped}"') as daemon:
            daemon.wait_in_sync()
            assert daemon.status()["held"]["interfaces"] == {"mgmt0": 1}
            assert router.reaches(router.wire, KERNEL_HOST) is reached
            explanations = {
                "hold": "VPP forwards it by 0.0.0.0/0",
                "drop": "VPP drops what goes there",
                "punt": "VPP hands what goes there to the kernel",
            }
            assert explanations[unmapped] in daemon.ask("show", "route", KERNEL_HOST)
            where = ("--netns", str(router.kernel.path))
            daemon.ask("audit", "--config", str(tmp_path / "bgpreflector.toml"), *where)
            assert daemon.end() == 0, daemon.log()


@pytest.mark.parametrize("priority", [0x88, 0x0F])
def test_beside_linux_nl_the_lower_priority_wins(tmp_path: Path, priority: int) -> None:
    """Two copies; below linux_nl's 0x10 ours is the one that forwards."""
    with LinuxCpRouter.running(tmp_path, ["linux_nl_plugin.so"]) as router:
        router.configure()
        router.kernel.ip("route", "add", ANNOUNCED, "via", NEIGHBOUR, "proto", BIRD)
        ours = priority < 0x10
        with mirroring(router, tmp_path, BIRD, priority=priority) as daemon:
            daemon.wait_in_sync()
            fib = wait_until(
                lambda: router.vpp.cli(f"show ip fib {ANNOUNCED}"),
                30,
                "both have it",
                accept=lambda text: "lcp-rt" in text and "bgpreflector" in text,
            )
            active = next(line for line in fib.splitlines() if "active" in line)
            assert ("bgpreflector" if ours else "lcp-rt") in active
            daemon.ask("resync")
            daemon.wait_in_sync()
            assert daemon.status()["vpp"]["overridden"] == (0 if ours else 1)
            assert (ANNOUNCED in router.vpp.routes()) is ours
            assert daemon.end() == 0, daemon.log()
