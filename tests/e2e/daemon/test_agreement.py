"""Status, listings, explanations and metrics while the kernel's routes change all the time."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from bgpreflector.control import ControlClient
from daemon.running import RunningDaemon
from daemon.test_metrics import Scraper, Values, scraper_of
from daemon.world import COUNT, HELD, MIRRORED, reflecting, route
from lab import Namespace, again_and_again, ip_batch, read_forwarding, wait_until
from lab.vpp import Vpp
from soak.prober import sound

pytestmark = pytest.mark.root

LOOKS = 12
"""At each thing between two quiet moments."""


def churn(kernel: Namespace, chance: random.Random, count: int = COUNT) -> None:
    """Some of the first ``count`` routes of each family move, go and come, and are there then."""
    some = [(n, f) for f in (4, 6) for n in chance.sample(range(count), 60)]
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


def test_kernel_and_vpp_are_told_right_while_others_change(
    kernel: Namespace, vpp: Vpp, tmp_path: Path
) -> None:
    """Of what rests each answer is what both have; of what moves it is what they may have."""
    moving = COUNT // 2
    resting = [route(number, family) for family in (4, 6) for number in range(moving, COUNT)]
    config = tmp_path / "metrics.toml"
    config.write_text('[metrics]\naddress = "127.0.0.1:0"\n')
    with reflecting(kernel, vpp, tmp_path / "d.log", "--config", str(config)) as daemon:
        scraper, chance = scraper_of(daemon), random.Random(0)
        churning = again_and_again(lambda _: churn(kernel, chance, moving))
        with churning as began, ControlClient(daemon.control, timeout=60) as client:
            assert began.wait(30)
            answered = requests(scraper.values())
            for look in range(LOOKS):
                rests, moves = moving + look * 7 % moving, look * 7 % moving
                resting_is_right(kernel, vpp, client, rests)
                moving_is_possible(client, moves)
                rows = {row["prefix"]: row for row in client.ask("routes")}
                assert {rows[prefix]["state"] for prefix in resting} == {"installed"}
                figures = installed_figures(client, scraper)
                assert all(len(resting) < n <= MIRRORED for n in figures), figures
            assert requests(scraper.values()) > answered + LOOKS, "it went on meanwhile"


def resting_is_right(kernel: Namespace, vpp: Vpp, client: ControlClient, number: int) -> None:
    """The kernel's route and VPP's, as each of them shows it."""
    prefix = route(number)
    (line,) = kernel.ip_json("route", "show", prefix)
    found: Any = client.ask("route", address=prefix.replace("0/24", "1")).end
    assert found["why"] == [f"VPP forwards {prefix} as the kernel does"]
    (hop,) = found["kernel"]["next_hops"]
    assert (hop["gateway"], hop["interface"]) == (line["gateway"], line["dev"])
    (table,) = found["tables"]
    (row,) = table["routes"]
    assert row["state"] == "installed"
    assert table["vpp"] == table["vpp_forwards_by"]
    assert table["vpp"]["paths"] == row["installed"]
    assert vpp.routes()[prefix] == frozenset({line["gateway"]})
    assert line["gateway"] == row["installed"][0]["next_hop"]


def moving_is_possible(client: ControlClient, number: int) -> None:
    """It is there by one of the neighbours, or just not."""
    found: Any = client.ask("route", address=route(number).replace("0/24", "1")).end
    neighbours = {f"10.0.0.{2 + n}" for n in range(4)}
    if found["kernel"] is not None:
        assert {hop["gateway"] for hop in found["kernel"]["next_hops"]} <= neighbours
    (table,) = found["tables"]
    for row in table["routes"]:
        assert {hop["gateway"] for hop in row["next_hops"]} <= neighbours, found


def installed_figures(client: ControlClient, scraper: Scraper) -> list[float]:
    """How many prefixes VPP has, by status and by metrics."""
    status: Any = client.ask("status").end
    values = scraper.values()
    return [
        sum(counts["installed"] for counts in status["prefixes"].values()),
        sum(
            value
            for (name, labels), value in values.items()
            if name == "bgpreflector_prefixes" and ("state", "installed") in labels
        ),
    ]


def test_vpp_is_told_right_while_the_kernel_changes(
    kernel: Namespace, vpp: Vpp, tmp_path: Path
) -> None:
    """Paused, VPP stands still: each answer about it is exactly what it has, all the time."""
    config = tmp_path / "metrics.toml"
    config.write_text('[metrics]\naddress = "127.0.0.1:0"\n')
    with reflecting(kernel, vpp, tmp_path / "d.log", "--config", str(config)) as daemon:
        scraper, chance = scraper_of(daemon), random.Random(0)
        daemon.ask("pause")
        daemon.wait_state("paused")
        has = vpp.routes()
        churning = again_and_again(lambda _: churn(kernel, chance))
        with churning as began, ControlClient(daemon.control, timeout=60) as client:
            assert began.wait(30)
            messages = daemon.status()["kernel"]["messages"]["new_route"]
            for _ in range(LOOKS):
                assert installed_figures(client, scraper) == [len(has), len(has)]
                rows: list[Any] = list(client.ask("routes", every=True))
                for row in rows:
                    if row["prefix"] in has and not isinstance(has[row["prefix"]], str):
                        gateways = {path["next_hop"] for path in row["installed"]}
                        assert gateways == has[row["prefix"]], row
            assert vpp.routes() == has
            assert daemon.status()["kernel"]["messages"]["new_route"] > messages
        daemon.ask("resume")
        quiet(kernel, vpp, daemon, scraper)


def sound_rows(client: ControlClient) -> None:
    """A state fits to what is shown of it. A listing is read page by page, so that a prefix that
    goes and comes may be in it twice."""
    for row in client.ask("routes", every=True):
        if row["state"] == "installed":
            assert row["installed"], row
        assert (row["reason"] is not None) == (row["state"] in ("held", "rejected")), row


def sound_explanation(client: ControlClient, address: str) -> None:
    """That all is well is only said where all is."""
    found: Any = client.ask("route", address=address).end
    assert found["why"], found
    (table,) = found["tables"]
    for row in table["routes"]:
        assert row["state"] in ("installed", "queued"), found
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
    status = daemon.wait_in_sync()
    sound(status)
    rows = daemon.ask_json("show", "routes")
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
