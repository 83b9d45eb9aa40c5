"""A real FRR's routes in VPP, through all that happens to an FRR."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from daemon.running import RunningDaemon, running_daemon
from frr.router import LINKS, PEER, Routers, address, looked_up, running_routers
from lab import Namespace, prefixes, wait_until
from lab.vpp import Routes, SimulatedVpp, Vpp, differences

pytestmark = [pytest.mark.root, pytest.mark.bird, pytest.mark.frr, pytest.mark.timeout(300)]

COUNT = 10_000
"""Prefixes of each family."""

FOLLOWS = 60
"""Seconds that zebra, the kernel and VPP get."""

RETAINED = 3600
"""Seconds after a restart in which zebra keeps the routes of its former self."""


@contextmanager
def reflected(
    routers: Routers, vpp: Vpp, tmp_path: Path, *, tables: str = ""
) -> Iterator[RunningDaemon]:
    """A daemon that mirrors all that is FRR's, over both links."""
    config = tmp_path / "bgpreflector.toml"
    links = "".join(f'{link} = "{vpp.interface}"\n' for link in LINKS)
    config.write_text(
        f'[kernel]\nprotocols = ["frr"]\n{tables}\n[vpp.interfaces.map]\n{links}', encoding="utf-8"
    )
    arguments = ("--socket", str(vpp.socket), "--config", str(config))
    with running_daemon(tmp_path / "run.log", *arguments, namespace=routers.namespace) as daemon:
        daemon.wait_listening()
        yield daemon


def same(
    routers: Routers, vpp: Vpp, wanted: Sequence[str], right: Callable[[Routes], bool]
) -> Routes:
    """Waits until the kernel's lookups are as expected, and VPP forwards the same."""

    kernel: Routes = {}

    def difference() -> tuple[bool, int, list[tuple[str, object, object]], Counter[object]]:
        nonlocal kernel
        kernel = looked_up(routers.namespace, wanted)
        different = differences(kernel, vpp.routes())
        return right(kernel), len(different), different[:3], Counter(kernel.values())

    wait_until(
        difference,
        FOLLOWS,
        "the kernel is right, and VPP forwards as it does",
        accept=lambda seen: seen[:2] == (True, 0),
        interval=0.2,
    )
    return kernel


def next_hops(count: int, number: int) -> Callable[[Routes], bool]:
    """So many prefixes, and each by so many next hops."""
    return lambda seen: len(seen) == count and {len(hops) for hops in seen.values()} == {number}  # type: ignore[arg-type]


def group_of(kernel: Namespace, prefix: str) -> int:
    """The next-hop object of a route."""
    (route,) = kernel.ip_json("-6" if ":" in prefix else "-4", "route", "show", prefix)
    return int(route["nhid"])


def test_a_full_table(vpp: Vpp, tmp_path: Path) -> None:
    """ECMP over two links, a session lost, zebra killed, restarted and ended, bgpd killed."""
    wanted = [*prefixes(4, COUNT), *prefixes(6, COUNT)]
    with running_routers() as routers, reflected(routers, vpp, tmp_path) as daemon:
        frr = routers.frr
        routers.announce(COUNT)
        same(routers, vpp, wanted, next_hops(2 * COUNT, 2))
        assert all(group_of(routers.namespace, prefix) for prefix in wanted[::COUNT])

        # A session is lost: one next hop each. It comes back: two again.
        for session in ("bgp4_2", "bgp6_2"):
            routers.peer.birdc("disable", session)
        same(routers, vpp, wanted, next_hops(2 * COUNT, 1))
        for session in ("bgp4_2", "bgp6_2"):
            routers.peer.birdc("enable", session)
        full = same(routers, vpp, wanted, next_hops(2 * COUNT, 2))

        # A zebra that is killed leaves its routes, and VPP has them all the while.
        frr.kill("zebra")
        assert looked_up(routers.namespace, wanted) == full == vpp.routes()

        # One that starts anew keeps them with -K; the groups of its former self stay in use.
        deleted = daemon.status()["kernel"]["messages"]["del_route"]
        frr.start("zebra", "-K", str(RETAINED), "-r")
        frr.wait_established()
        assert same(routers, vpp, wanted, next_hops(2 * COUNT, 2)) == full
        assert daemon.status()["kernel"]["messages"]["del_route"] == deleted

        # With -r one that ends in order leaves them too.
        frr.stop("zebra")
        assert looked_up(routers.namespace, wanted) == full == vpp.routes()

        # Without -K the next one removes what it finds. FRR 8.4 removes with it some of what bgpd
        # sends meanwhile, so that the kernel lacks routes until bgpd is started again.
        frr.start("zebra")
        frr.kill("bgpd")
        frr.start("bgpd")
        frr.wait_established()
        same(routers, vpp, wanted, next_hops(2 * COUNT, 2))

        # Without bgpd its routes go, half of them by the peer before that.
        routers.announce(COUNT // 2)
        same(routers, vpp, wanted, next_hops(COUNT, 2))
        frr.kill("bgpd")
        same(routers, vpp, wanted, lambda seen: seen == {})
        status = daemon.wait_in_sync(FOLLOWS)
        assert not any(status["kernel"]["drift"].values()), status
        assert daemon.end() == 0, daemon.log()


def test_static_routes(simulator: SimulatedVpp, tmp_path: Path) -> None:
    """Recursive next hops, blackholes and rejects, of protocol 196; and a table of its own."""
    recursive, hole, refuse, elsewhere = (
        ("203.0.113.0/24", "2001:db8:a::/48"),
        ("198.51.100.0/24", "2001:db8:b::/48"),
        ("198.18.0.0/24", "2001:db8:c::/48"),
        ("198.18.1.0/24", "2001:db8:d::/48"),
    )
    via = ("10.255.0.1", "2001:db8:ffff::1")
    resolved = (f"{via[0]}/32", f"{via[1]}/128")
    tables = 'tables = ["main", 100]\n[vpp.tables]\n100 = 100'
    wanted = [*recursive, *hole, *refuse]
    with (
        running_routers() as routers,
        reflected(routers, simulator, tmp_path, tables=tables) as daemon,
    ):
        kernel, frr = routers.namespace, routers.frr
        for family in (4, 6):
            kernel.ip(f"-{family}", "rule", "add", "fwmark", "100", "lookup", "100")

        def ours() -> Routes:
            return {
                prefix: hops
                for prefix, hops in simulator.routes().items()
                if prefix not in resolved and prefix not in elsewhere
            }

        def expect(expected: Routes) -> None:
            wait_until(
                lambda: (looked_up(kernel, wanted), ours()),
                FOLLOWS,
                "as the kernel looks it up",
                accept=lambda seen: seen == (expected, expected),
            )

        def static(*routes: str) -> None:
            # FRR's words for IPv6 differ by one letter.
            frr.configure(
                *(f"{'ipv6' if ':' in route else 'ip'} route {route}" for route in routes)
            )

        def to(link: int) -> tuple[frozenset[str], frozenset[str]]:
            return (
                frozenset({address(4, link, PEER)}),
                frozenset({address(6, link, PEER)}),
            )

        static(*(f"{resolved[n]} {address(family, 0, PEER)}" for n, family in enumerate((4, 6))))
        static(*(f"{recursive[n]} {via[n]}" for n in (0, 1)))
        static(*(f"{prefix} blackhole" for prefix in hole))
        static(*(f"{prefix} reject" for prefix in refuse))
        held = dict.fromkeys(hole, "drop") | dict.fromkeys(refuse, "icmp-unreach")
        expect(held | dict(zip(recursive, to(0), strict=True)))
        shown = daemon.ask("show", "routes", "--wide")
        assert " frr-static " in shown
        assert {row["protocol"] for row in daemon.ask_json("show", "routes")} == {196}

        # What the next hop is resolved by changes, and with it the route.
        static(*(f"{resolved[n]} {address(family, 1, PEER)}" for n, family in enumerate((4, 6))))
        static_gone = [
            f"no {'ipv6' if family == 6 else 'ip'} route {resolved[n]} {address(family, 0, PEER)}"
            for n, family in enumerate((4, 6))
        ]
        frr.configure(*static_gone)
        expect(held | dict(zip(recursive, to(1), strict=True)))

        # A table of its own goes into VPP's table 100.
        static(
            *(
                f"{elsewhere[n]} {address(family, 1, PEER)} table 100"
                for n, family in enumerate((4, 6))
            )
        )
        wait_until(
            lambda: {p: hops for p, hops in simulator.routes().items() if p in elsewhere},
            FOLLOWS,
            "in VPP's table 100",
            accept=lambda seen: seen == looked_up(kernel, elsewhere, table=100) != {},
        )
        assert {
            table
            for table, prefix, _ in simulator.simulator.snapshot("bgpreflector")
            if prefix in elsewhere
        } == {100}

        frr.kill("staticd")
        wait_until(simulator.routes, FOLLOWS, "none are left", accept=lambda seen: seen == {})
