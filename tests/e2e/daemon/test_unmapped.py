"""``vpp.unmapped``: what VPP does with prefixes that it cannot have, as an operator sees it."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

import pytest

from daemon.running import RunningDaemon, running_daemon
from daemon.world import COUNT, kernel_of
from lab import Namespace, ip_batch, wait_until
from lab.vpp import SimulatedVpp

pytestmark = pytest.mark.root

UNMAPPED = "40.0.0.0/24"
"""Through g0, for which VPP has nothing."""

NEXT_HOPS = "41.0.0.0/24"
"""Through f0 and g0."""


class Harness:
    """A kernel, a VPP, and a configuration that changes."""

    def __init__(self, kernel: Namespace, vpp: SimulatedVpp, directory: Path) -> None:
        self.kernel, self.vpp, self.file = kernel, vpp, directory / "bgpreflector.toml"

    def write(self, lines: str, interfaces: str = 'f0 = "loop0"') -> None:
        """A configuration with lines of its section ``vpp``."""
        self.file.write_text(
            f'[kernel]\nnamespace = "{self.kernel.name}"\n'
            f'[vpp]\napi_socket = "{self.vpp.socket}"\n{lines}\n'
            f"[vpp.interfaces]\nmap = {{ {interfaces} }}\n"
            '[metrics]\naddress = "127.0.0.1:0"\n'
        )

    def vpp_has(self, prefix: str, what: object) -> None:
        """Waits until VPP has these routes."""
        wait_until(
            lambda: self.vpp.routes().get(prefix), 30, str(what), accept=lambda now: now == what
        )


@pytest.fixture
def harness(
    make_namespace: Callable[[str], Namespace], simulator: SimulatedVpp, tmp_path: Path
) -> Harness:
    """With a default route, and one of two next hops, one through the link that VPP lacks."""
    kernel = kernel_of(make_namespace)
    next_hops = "nexthop via 10.0.0.2 nexthop via 10.9.0.2"
    ip_batch(
        kernel,
        [
            f"route add {NEXT_HOPS} proto 12 {next_hops}",
            "route add 0.0.0.0/0 via 10.0.0.2 proto 12",
        ],
    )
    return Harness(kernel, simulator, tmp_path)


def test_each_choice_is_shown_explained_and_changed_by_a_signal(
    harness: Harness, tmp_path: Path
) -> None:
    """From ``hold``, the default, over both others and back."""
    harness.write("")
    with running_daemon(tmp_path / "d.log", "--config", str(harness.file)) as daemon:
        wait_until(daemon.answers, 30, "it listens")
        held = daemon.wait_in_sync()["held"]
        assert (held["prefixes"], held["unmapped"], held["substitutes"]) == (
            1,
            "hold",
            {"next_hops": 1},
        )
        assert UNMAPPED not in harness.vpp.routes()
        harness.vpp_has(NEXT_HOPS, frozenset({"10.0.0.2"}))
        why = daemon.ask("show", "route", "40.0.0.1")
        assert f"{UNMAPPED} is not in VPP: no VPP interface mapped to" in why
        assert "VPP forwards it by 0.0.0.0/0" in why
        assert "instead" not in daemon.ask("show", "routes", UNMAPPED)

        for unmapped, kind, said in (
            ("drop", "drop", "VPP drops what goes there"),
            ("punt", "local", "VPP hands what goes there to the kernel"),
        ):
            harness.write(f'unmapped = "{unmapped}"')
            daemon.process.send_signal(signal.SIGHUP)
            harness.vpp_has(UNMAPPED, kind)
            held = daemon.wait_in_sync()["held"]
            assert (held["prefixes"], held["unmapped"]) == (1, unmapped)
            assert held["substitutes"] == {"next_hops": 1, unmapped: 1}
            harness.vpp_has(NEXT_HOPS, frozenset({"10.0.0.2"}))
            assert f"; {said}" in daemon.ask("show", "route", "40.0.0.1")
            assert "those of its next hops" in daemon.ask("show", "route", "41.0.0.1")
            shown = daemon.ask("show", "routes", "--held")
            assert f"instead: {unmapped} (" in shown
            assert "instead: next_hops (" in shown
            verb = "drops" if unmapped == "drop" else "hands to the kernel"
            assert f", VPP {verb} 1" in daemon.ask("status", "--check")
            assert f'substituted_prefixes{{by="{unmapped}"}} 1.0' in metrics(daemon)
            daemon.ask("audit", "--config", str(harness.file))

        harness.write('unmapped = "drop"\nunmapped_next_hops = "whole"')
        daemon.process.send_signal(signal.SIGHUP)
        harness.vpp_has(NEXT_HOPS, "drop")
        harness.write('unmapped = "hold"\nunmapped_next_hops = "whole"')
        daemon.process.send_signal(signal.SIGHUP)
        harness.vpp_has(NEXT_HOPS, None)
        assert daemon.wait_in_sync()["held"]["substitutes"] == {}
        assert UNMAPPED not in harness.vpp.routes()
        assert daemon.end() == 0, daemon.log()


@pytest.mark.parametrize("unmapped", ["drop", "punt"])
def test_a_mistaken_map_drops_no_table(harness: Harness, tmp_path: Path, unmapped: str) -> None:
    """Replacing most routes by drops is what the guard withholds as deletions."""
    harness.write(f'unmapped = "{unmapped}"')
    with running_daemon(tmp_path / "d.log", "--config", str(harness.file)) as daemon:
        wait_until(daemon.answers, 30, "it listens")
        daemon.wait_in_sync()
        before = harness.vpp.routes()
        harness.write(f'unmapped = "{unmapped}"', interfaces='typo0 = "loop0"')
        daemon.process.send_signal(signal.SIGHUP)
        guarded = wait_until(
            daemon.status, 30, "guarded", accept=lambda seen: seen["state"] == "guarded"
        )
        # The default route and that of two next hops, too.
        assert guarded["guard"]["deletions"] == 2 * COUNT + 2
        assert harness.vpp.routes() == before
        daemon.ask("resume")
        harness.vpp_has("30.0.0.0/24", {"drop": "drop", "punt": "local"}[unmapped])
        assert daemon.end() == 0, daemon.log()


def metrics(daemon: RunningDaemon) -> str:
    """As Prometheus reads them."""
    address = daemon.log().rsplit("http://")[-1].split("/metrics")[0]
    with urlopen(f"http://{address}/metrics") as answer:
        return str(answer.read().decode())
