"""Status, listings, explanations and metrics while the kernel's routes change all the time."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bgpreflector.control import ControlClient
from e2e.daemon import RunningDaemon
from e2e.test_metrics import Scraper, Values, scraper_of
from e2e.world import COUNT, HELD, MIRRORED, kernel_of, reflecting, route
from lab import Namespace, again_and_again, ip_batch, read_forwarding, wait_until
from lab.vpp import Vpp
from soak.prober import sound

pytestmark = pytest.mark.root

LOOKS = 12
"""At each thing between two quiet moments."""


@pytest.fixture
def kernel(make_namespace: Callable[[str], Namespace]) -> Namespace:
    """With all sorts of routes."""
    return kernel_of(make_namespace)


def churn(kernel: Namespace, chance: random.Random) -> None:
    """Routes move, go and come, and are all there then."""
    some = [(n, f) for f in (4, 6) for n in chance.sample(range(COUNT), 60)]
    lines = [f"route del {route(n, f)} proto 12" for n, f in some[::2]]
    lines += [f"route replace {there(n, f, chance.randrange(4))}" for n, f in some]
    ip_batch(kernel, lines)


def there(number: int, family: int, neighbour: int) -> str:
    """A route as ``ip route`` takes it."""
    gateway = f"10.0.0.{2 + neighbour}" if family == 4 else f"fd00::{2 + neighbour}"
    return f"{route(number, family)} via {gateway} proto 12"


def test_nothing_contradicts(kernel: Namespace, vpp: Vpp, tmp_path: Path) -> None:
    """Never in between, and at quiet moments all agree with the kernel and VPP."""
    config = tmp_path / "metrics.toml"
    config.write_text('[metrics]\naddress = "127.0.0.1:0"\n[vpp]\naudit_interval = 1\n')
    with reflecting(kernel, vpp, tmp_path / "d.log", "--config", str(config)) as daemon:
        scraper = scraper_of(daemon)
        counted = counters(scraper.values())
        for turn in range(3):
            chance = random.Random(turn)
            churning = again_and_again(lambda _, chance=chance: churn(kernel, chance))  # type: ignore[misc]
            with churning, ControlClient(daemon.control, timeout=60) as client:
                before = requests(counted)
                for look in range(LOOKS):
                    status = dict(client.ask("status").end)
                    sound(status)
                    sound_rows(client)
                    sound_explanation(client, f"30.0.{look * 7 % 256}.1")
                    counted = grown(counted, counters(scraper.values()))
                assert requests(counted) > before + LOOKS, "it went on meanwhile"
            quiet(kernel, vpp, daemon, scraper)
        drift = daemon.status()
        assert not any(drift["kernel"]["drift"].values()), drift
        assert not any(drift["vpp"]["drift"].values()), drift


def sound_rows(client: ControlClient) -> None:
    """A state fits to what is shown of it. A listing is read page by page, so that a prefix that
    goes and comes may be in it twice."""
    for row in client.ask("routes", every=True):
        if row["state"] == "installed":
            assert row["installed"], row
        assert (row["reason"] is not None) == (row["state"] in ("held", "failed")), row


def sound_explanation(client: ControlClient, address: str) -> None:
    """That all is well is only said where all is."""
    found: Any = client.ask("route", address=address).end
    assert found["why"], found
    (table,) = found["tables"]
    for row in table["routes"]:
        assert row["state"] in ("installed", "waiting"), found
    if any("as the kernel does" in reason for reason in found["why"]):
        assert table["vpp"] is not None, found


def counters(values: Values) -> Values:
    """Those that only grow."""
    ends = ("_total", "_count", "_sum", "_bucket")
    return {
        key: value
        for key, value in values.items()
        if key[0].startswith("bgpreflector_") and key[0].endswith(ends)
    }


def requests(values: Values) -> float:
    """All that VPP has answered."""
    name = "bgpreflector_vpp_requests_total"
    return sum(value for key, value in values.items() if key[0] == name)


def grown(before: Values, after: Values) -> Values:
    """None has fallen, or gone."""
    for key, value in before.items():
        assert after[key] >= value, key
    return after


def quiet(kernel: Namespace, vpp: Vpp, daemon: RunningDaemon, scraper: Scraper) -> None:
    """What the kernel has, VPP has, and each of the ways to ask says so."""
    wanted = {
        key.prefix: "drop" if isinstance(kind, str) else frozenset(hop.gateway for hop in kind)
        for key, kind in read_forwarding(kernel).items()
        if key.prefix != "40.0.0.0/24"
    }
    assert len(wanted) == MIRRORED
    wait_until(vpp.routes, 30, "VPP has it", accept=lambda seen: seen == wanted)
    status = wait_until(daemon.status, 30, "in sync", accept=lambda seen: seen["in_sync"])
    sound(status)
    rows = daemon.ask_json("show", "routes")[:-1]
    assert len(rows) == MIRRORED + HELD
    installed = [row for row in rows if row["state"] == "installed"]
    assert {row["prefix"] for row in installed} == set(wanted)
    for row in installed:
        gateways = frozenset(hop["gateway"] for hop in row["next_hops"])
        assert wanted[row["prefix"]] in ("drop", gateways), row
    values = scraper.values()
    for table in status["tables"]:
        for state, count in table["prefixes"].items():
            labels = {"family": table["family"], "table": "254", "state": state}
            assert values["bgpreflector_prefixes", frozenset(labels.items())] == count
    assert values["bgpreflector_in_sync", frozenset()] == 1
    assert sum(t["prefixes"]["installed"] for t in status["tables"]) == len(wanted)
    (explained,) = daemon.ask_json("show", "route", "30.0.9.1")
    assert explained["why"] == ["VPP forwards 30.0.9.0/24 as the kernel does"]
    assert explained["kernel"]["next_hops"] == explained["tables"][0]["routes"][0]["next_hops"]
