"""A real zebra and bgpd that believe the results: BGP announces what VPP has acknowledged."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from daemon.running import RunningDaemon, running_daemon
from lab import Bird, BirdConfig, Session, connect, namespace, running_bird, wait_until
from lab.frr import Frr, new_frr, running_frr
from lab.vpp import SimulatedVpp, Vpp

pytestmark = [
    pytest.mark.root,
    pytest.mark.bird,
    pytest.mark.new_frr,
    pytest.mark.timeout(300),
]

TIMEOUT = 60.0
CONFIGURATION = """
[source]
kind = "fpm"

[fpm]
quiet_time = 0.5

[vpp.interfaces.map]
upstream = "{interface}"
"""
SUBNETS = {"upstream": "192.168.100.{}", "downstream": "192.168.101.{}", "unmapped": "10.99.0.{}"}
UPSTREAM, ROUTER, DOWNSTREAM = 1, 2, 3
WORKS, WAITS, PAUSED, REFUSED, HELD, LAST = (f"198.18.{number}.0/24" for number in range(6))
ADDRESS = re.compile(r"^\d+\.\d+\.\d+\.\d+/\d+", re.MULTILINE)
NO_SUCH_TABLE = -3


@dataclass
class Chain:
    """A peer that announces, the router, and a peer that hears what the router announces."""

    upstream: Bird
    router: Frr
    downstream: Bird

    def announce(self, *prefixes: str, via: str = "upstream") -> None:
        """Announces these and withdraws all others."""
        routes = {SUBNETS[via].format(UPSTREAM): prefixes}
        self.upstream.configure(replace(self.upstream.config, routes=routes))

    def heard(self) -> set[str]:
        """What the router has announced."""
        return set(ADDRESS.findall(self.downstream.birdc("show", "route", "table", "master4")))

    def wait_heard(self, *prefixes: str) -> None:
        """Waits until that is this."""
        wait_until(
            self.heard, TIMEOUT, f"{prefixes} announced", accept=lambda seen: seen == {*prefixes}
        )

    def bgp(self, prefix: str) -> dict[str, Any]:
        """What bgpd has of a prefix; empty where it has none."""
        shown = json.loads(self.router.vtysh(f"show bgp ipv4 unicast {prefix} json", daemon="bgpd"))
        paths = shown.get("paths", [])
        return dict(paths[0]) | {"to": shown.get("advertisedTo", {})} if paths else {}

    def wait_bgp(self, prefix: str, *, pending: bool) -> None:
        """Waits until bgpd has the prefix and waits for its result, or has got one."""
        wait_until(
            lambda: self.bgp(prefix),
            TIMEOUT,
            f"{prefix} {'pending' if pending else 'with a result'} in bgpd",
            accept=lambda path: bool(path) and path.get("fibPending", False) == pending,
        )

    def wait_kernel(self, prefix: str) -> None:
        """Waits until the router's kernel has the prefix."""
        show = ("-4", "route", "show", prefix)
        wait_until(lambda: self.router.namespace.ip_json(*show), TIMEOUT, f"{prefix} in the kernel")

    def zebra(self, prefix: str) -> str:
        """Its route as zebra shows it."""
        return self.router.vtysh(f"show ip route {prefix}", daemon="zebra")


def session(local: int, neighbour: int, link: str) -> Session:
    """A BGP session over a link."""
    subnet = SUBNETS[link]
    return Session(
        subnet.format(local), subnet.format(neighbour), 65000 + local, 65000 + neighbour,
        next_hop_self=link != "upstream",
    )  # fmt: skip


@contextmanager
def running_chain() -> Iterator[Chain]:
    """All three, not yet with sessions: the router's bgpd waits for nothing but them."""
    with namespace("up") as up, namespace("router") as router, namespace("down") as down:
        for side, link, host in (
            (up, "upstream", UPSTREAM),
            (down, "downstream", DOWNSTREAM),
            (up, "unmapped", UPSTREAM),
        ):
            subnet = SUBNETS[link]
            there, here = f"{subnet.format(host)}/24", f"{subnet.format(ROUTER)}/24"
            connect(side, router, link, [there], [here])
        configs = [
            BirdConfig(SUBNETS[link].format(host), [session(host, ROUTER, link)])
            for link, host in (("upstream", UPSTREAM), ("downstream", DOWNSTREAM))
        ]
        sessions = [
            session(ROUTER, UPSTREAM, "upstream"),
            session(ROUTER, DOWNSTREAM, "downstream"),
        ]
        with (
            running_bird(up, configs[0]) as announcing,
            running_bird(down, configs[1]) as hearing,
            running_frr(
                router, SUBNETS["upstream"].format(ROUTER), sessions,
                "-M", "dplane_fpm_nl", "--asic-offload=notify_on_offload",
                installation=new_frr(),
                zebra="fpm address 127.0.0.1\n",
                bgp=" bgp suppress-fib-pending\n",
            ) as frr,
        ):  # fmt: skip
            frr.wait_established()
            yield Chain(announcing, frr, hearing)


@contextmanager
def running_router(vpp: Vpp, tmp_path: Path) -> Iterator[tuple[Chain, RunningDaemon]]:
    """The chain, and the daemon in the router's namespace."""
    file = tmp_path / "bgpreflector.toml"
    file.write_text(CONFIGURATION.format(interface=vpp.interface))
    with running_chain() as chain:
        given = ("--config", str(file), "--socket", str(vpp.socket))
        with running_daemon(tmp_path / "log", *given, namespace=chain.router.namespace) as daemon:
            daemon.wait_listening(TIMEOUT)
            yield chain, daemon


def test_a_prefix_is_announced_once_vpp_forwards_it(vpp: Vpp, tmp_path: Path) -> None:
    """Not before, though the kernel has it; and what is held is never announced."""
    with running_router(vpp, tmp_path) as (chain, daemon):
        chain.announce(WORKS)
        chain.wait_heard(WORKS)
        assert vpp.routes()[WORKS] == frozenset({SUBNETS["upstream"].format(UPSTREAM)})

        vpp.hang()
        chain.announce(WORKS, WAITS)
        chain.wait_kernel(WAITS)
        chain.wait_bgp(WAITS, pending=True)
        wait_until(lambda: daemon.ask_json("show", "routes", WAITS), TIMEOUT, "the daemon has it")
        assert chain.bgp(WAITS)["to"] == {}
        assert chain.heard() == {WORKS}
        vpp.resume()
        chain.wait_heard(WORKS, WAITS)
        assert WAITS in vpp.routes()

        daemon.ask("pause")
        chain.announce(WORKS, WAITS, PAUSED)
        chain.wait_kernel(PAUSED)
        chain.wait_bgp(PAUSED, pending=True)
        assert chain.bgp(PAUSED)["to"] == {}
        assert chain.heard() == {WORKS, WAITS}
        daemon.ask("resume")
        chain.wait_heard(WORKS, WAITS, PAUSED)

        # Through a link that no VPP interface is mapped to.
        chain.announce(WORKS, HELD, via="unmapped")
        chain.wait_kernel(HELD)
        wait_until(
            lambda: daemon.ask_json("show", "routes", "--held"),
            TIMEOUT,
            "held",
            accept=lambda rows: {row["prefix"] for row in rows} == {WORKS, HELD},
        )
        chain.wait_bgp(HELD, pending=True)
        assert chain.bgp(HELD)["to"] == {}
        # VPP had this one, and has it no longer: a failure, and BGP withdraws it.
        chain.wait_heard()
        assert vpp.routes() == {}

        chain.announce(LAST)
        chain.wait_heard(LAST)


def test_a_prefix_that_vpp_refuses_is_not_announced(
    simulator: SimulatedVpp, tmp_path: Path
) -> None:
    """Until VPP takes it."""
    with running_router(simulator, tmp_path) as (chain, daemon):
        simulator.fault("fail_prefix", prefix=REFUSED, retval=NO_SUCH_TABLE)
        chain.announce(WORKS, REFUSED)
        chain.wait_heard(WORKS)
        chain.wait_bgp(REFUSED, pending=False)
        assert "fibInstalled" not in chain.bgp(REFUSED)
        assert "OFFLOAD_FAILED" in chain.zebra(REFUSED) or " o " in chain.zebra(REFUSED)
        assert chain.heard() == {WORKS}
        simulator.fault("fail_prefix", prefix=REFUSED, retval=0)
        daemon.ask("resync")
        chain.wait_heard(WORKS, REFUSED)
