"""A running daemon and a peer that sends more than it should: kernel.max_routes."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest

from daemon.test_metrics import scraper_of
from daemon.world import HELD, MIRRORED, reflecting, route
from lab import Namespace, ip_batch, wait_until
from lab.vpp import Vpp, wait_routes

pytestmark = pytest.mark.root

LIMIT = MIRRORED + 10
FLOOD = [f"50.{n >> 8}.{n & 255}.0/24" for n in range(5000)]


def config(tmp_path: Path, action: str) -> tuple[str, str]:
    """The option that sets the limit."""
    file = tmp_path / "limit.toml"
    file.write_text(
        f'[kernel]\nmax_routes = {LIMIT}\nmax_routes_action = "{action}"\n'
        '[metrics]\naddress = "127.0.0.1:0"\n'
    )
    return "--config", str(file)


def flood(kernel: Namespace, verb: str = "add") -> None:
    """Announces more routes than the limit allows."""
    ip_batch(kernel, [f"route {verb} {prefix} via 10.0.0.2 proto 12" for prefix in FLOOD])


def test_refused_beyond_the_limit(kernel: Namespace, vpp: Vpp, tmp_path: Path) -> None:
    """What is in stays, follows the kernel, and goes; the rest waits, and goes in when it may."""
    with reflecting(kernel, vpp, tmp_path / "d.log", *config(tmp_path, "refuse")) as daemon:
        scraper = scraper_of(daemon)
        before = set(vpp.routes())
        flood(kernel)
        full = MIRRORED + len(FLOOD) - LIMIT
        wait_until(daemon.status, 30, "all seen", accept=lambda s: s["limit"]["held"] == full)
        daemon.wait_in_sync()
        seen = vpp.routes()
        assert len(seen) == LIMIT
        assert before < set(seen)
        rows = daemon.ask_json("show", "routes", "--held")
        assert len(rows) == full + HELD
        held = [row["prefix"] for row in rows if "kernel.max_routes" in row["reason"]]
        assert len(held) == full
        assert scraper.value("held_routes", reason="over_limit") == full
        assert scraper.value("max_routes_exceeded") == 1
        assert scraper.value("max_routes", action="refuse") == LIMIT
        assert "kernel.max_routes" in daemon.ask("status")
        shown = daemon.ask("show", "route", held[0].split("/")[0])
        assert 'VPP drops it by 0.0.0.0/0 (kernel.max_routes_action is "refuse")' in shown
        assert "vpp.unmapped" not in shown

        ip_batch(kernel, [f"route replace {route(1)} via 10.0.0.3 proto 12"])
        wait_until(vpp.routes, 30, "moved", accept=lambda s: s[route(1)] == frozenset(["10.0.0.3"]))
        ip_batch(kernel, [f"route del {route(n)} proto 12" for n in range(2, 7)])
        wait_until(daemon.status, 30, "room", accept=lambda s: s["limit"]["held"] == full - 5)
        # The table makes room before VPP is asked: until then VPP has as many, but the old ones.
        gone = {route(n) for n in range(2, 7)}
        filled = wait_until(
            vpp.routes, 30, "filled", accept=lambda s: len(s) == LIMIT and not gone & set(s)
        )
        assert before - gone < set(filled)

        flood(kernel, "del")
        # Meanwhile others of the flood take the places of those that are gone.
        left = before - gone
        wait_until(lambda: set(vpp.routes()), 30, "as before", accept=lambda s: s == left)
        assert scraper.value("max_routes_exceeded") == 1, "it would be passed again too easily"
        ip_batch(kernel, [f"route del {route(n)} proto 12" for n in range(10, 40)])
        scraper.wait("max_routes_exceeded", 0)
        warnings = re.findall(r".*kernel\.max_routes.*", daemon.log())
        assert len(warnings) == 2, warnings


def test_an_earlier_run_keeps_its_routes(kernel: Namespace, vpp: Vpp, tmp_path: Path) -> None:
    """A restart and a reload in the middle of a flood change nothing in VPP."""
    arguments = config(tmp_path, "refuse")
    with reflecting(kernel, vpp, tmp_path / "a.log", *arguments) as daemon:
        flood(kernel)
        wait_routes(vpp, LIMIT)
        daemon.wait_in_sync()
    before = vpp.routes()
    with reflecting(kernel, vpp, tmp_path / "b.log", *arguments, wait=False) as daemon:
        daemon.wait_in_sync()
        assert vpp.routes() == before
        assert not any(r["done"] for r in daemon.status()["vpp"]["requests"].values())
        Path(arguments[1]).write_text(f"[kernel]\nmax_routes = {LIMIT + 100}\n[metrics]\n"
                                      'address = "127.0.0.1:0"\n')  # fmt: skip
        daemon.process.send_signal(signal.SIGHUP)
        wait_routes(vpp, LIMIT + 100)
        assert set(before) < set(vpp.routes())


def test_a_warning_keeps_nothing_out(kernel: Namespace, vpp: Vpp, tmp_path: Path) -> None:
    """It is said once, and seen."""
    with reflecting(kernel, vpp, tmp_path / "d.log", *config(tmp_path, "warn")) as daemon:
        flood(kernel)
        every = MIRRORED + len(FLOOD)
        wait_routes(vpp, every)
        daemon.wait_in_sync()
        assert daemon.status()["limit"] == {
            "max_routes": LIMIT,
            "action": "warn",
            "exceeded": True,
            "held": 0,
        }
        assert scraper_of(daemon).value("max_routes_exceeded") == 1
        assert len(re.findall(r"kernel\.max_routes_action", daemon.log())) == 1
