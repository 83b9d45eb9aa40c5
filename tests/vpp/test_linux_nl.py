"""VPP's linux_nl plugin mirrors the same kernel beside us."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon.running import RunningDaemon, running_daemon
from lab import Namespace, ip_batch, wait_until
from lab.vpp import RealVpp, Startup
from vpp.support import DEVICE, kernel_with_routes, prefixes, vpp_options

pytestmark = [pytest.mark.root, pytest.mark.vpp]

PLUGINS = ["linux_cp_plugin.so", "linux_nl_plugin.so", "linux_cp_unittest_plugin.so"]
COUNT = 50


def routes(verb: str, found: list[str]) -> list[str]:
    """Lines for ``ip -batch``."""
    return [f"route {verb} {prefix} via 192.168.100.12 proto 12 metric 32" for prefix in found]


def test_it_is_said_what_its_routes_override(tmp_path: Path) -> None:
    """VPP forwards by its routes; ours come and go behind them."""
    startup = Startup(heap="512M", statseg="128M", plugins=PLUGINS)
    with RealVpp.running(tmp_path, startup) as vpp:
        kernel = kernel_with_routes(vpp.namespace, 0)
        pair(vpp, kernel)
        ip_batch(kernel, routes("add", prefixes(COUNT)))
        wait_until(lambda: len(theirs(vpp)), 30, "linux_nl's", accept=lambda n: n == COUNT)
        options = vpp_options(vpp)
        with running_daemon(tmp_path / "run.log", *options, namespace=kernel) as daemon:
            warning = f"VPP forwards {COUNT} of our prefixes by routes of other FIB sources (lcp-rt"
            wait_until(daemon.log, 30, "what it overrides", accept=lambda log: warning in log)
            assert "VPP has the linux_nl plugin" in daemon.log()
            vpp_status = daemon.status()["vpp"]
            assert (vpp_status["linux_nl"], vpp_status["overridden"]) == (True, COUNT)
            status = " ".join(daemon.ask("status").split())
            assert "its linux_nl plugin mirrors routes, too" in status
            assert f"overridden {COUNT} by other sources' routes" in status
            assert vpp.routes() == {}, "hidden"

            ip_batch(kernel, routes("del", prefixes(COUNT)))
            wait_until(lambda: theirs(vpp), 30, "linux_nl's go", accept=lambda found: not found)
            wait_until(lambda: installed(daemon), 30, "ours go", accept=lambda count: count == 0)
            assert not [prefix for prefix in prefixes(COUNT) if vpp.has_foreign_route(prefix)]
            daemon.ask("resync")
            assert daemon.status()["vpp"]["overridden"] == 0
            assert daemon.end() == 0, daemon.log()


def installed(daemon: RunningDaemon) -> int:
    """Routes that VPP has acknowledged to the daemon."""
    return sum(counts["installed"] for counts in daemon.status()["prefixes"].values())


def pair(vpp: RealVpp, kernel: Namespace) -> None:
    """Makes the kernel's link the plugin's counterpart of VPP's first loopback.

    The plugin makes taps, which need ``/dev/vhost-net``; its test command takes what is there and
    counts the kernel's interface index up at each call, failed ones included.
    """
    vpp.create_loopback()
    index = kernel.ip_json("link", "show", "dev", DEVICE)[0]["ifindex"]
    for _ in range(index - 1):
        assert vpp.api.cli_inband(cmd="test lcp add").retval != 0
    vpp.cli("test lcp add phy loop0 host loop1")


def theirs(vpp: RealVpp) -> set[str]:
    """Prefixes of ours that VPP forwards by routes of the plugin."""
    ids = [s.src.id for s in vpp.api.fib_source_dump() if str(s.src.name).startswith("lcp-rt")]
    table = {"table_id": 0, "is_ip6": False}
    found = {
        str(d.route.prefix)
        for source in ids
        for d in vpp.api.ip_route_v2_dump(table=table, src=source)
    }
    return found & set(prefixes(COUNT))
