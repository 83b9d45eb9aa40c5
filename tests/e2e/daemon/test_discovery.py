"""Kernel tables that come and go, followed without being named (``kernel.tables = "all"``)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from daemon.running import RunningDaemon, running_daemon
from daemon.test_metrics import scraper_of
from lab import Namespace, ip_batch, wait_until
from lab.command import run_command
from lab.vpp import SimulatedVpp, Vpp

pytestmark = pytest.mark.root

FOLLOWS = 30

TablePrefix = tuple[int, str]


@pytest.fixture
def kernel(make_namespace: Callable[[str], Namespace]) -> Namespace:
    """A link and a route in main."""
    made = make_namespace("tables")
    made.add_link("f0", "10.0.0.1/24", "fd00::1/64")
    ip_batch(made, ["route add 30.0.0.0/24 via 10.0.0.2 proto 12"])
    return made


@contextmanager
def following(
    kernel: Namespace, vpp: Vpp, tmp_path: Path, tables: str, more: str = ""
) -> Iterator[RunningDaemon]:
    """A daemon with these tables that is in sync."""
    config = tmp_path / "tables.toml"
    config.write_text(
        f'[kernel]\ntables = {tables}\n[vpp.interfaces.map]\nf0 = "{vpp.interface}"\n{more}'
    )
    arguments = ("--socket", str(vpp.socket), "--config", str(config))
    with running_daemon(tmp_path / "d.log", *arguments, namespace=kernel) as daemon:
        daemon.wait_in_sync(FOLLOWS)
        yield daemon


def prefixes(vpp: SimulatedVpp) -> set[TablePrefix]:
    """VPP table and prefix of each route of ours."""
    return {(table, prefix) for table, prefix, _ in vpp.simulator.snapshot("bgpreflector")}


def tables(vpp: Vpp) -> set[tuple[int, bool, str]]:
    """VPP's IP tables but its own."""
    listed = (details.table for details in vpp.api.ip_table_dump())
    return {
        (int(t.table_id), bool(t.is_ip6), str(t.name).rstrip("\0")) for t in listed if t.table_id
    }


def settled(vpp: SimulatedVpp, routes: set[TablePrefix], named: set[tuple[int, bool, str]]) -> None:
    """Waits until VPP has these routes, and these tables."""
    wait_until(
        lambda: (prefixes(vpp), tables(vpp)),
        FOLLOWS,
        "VPP's routes and tables",
        accept=lambda seen: seen == (routes, named),
    )


MAIN = (0, "30.0.0.0/24")


def test_tables_come_and_go(kernel: Namespace, simulator: SimulatedVpp, tmp_path: Path) -> None:
    """Each goes into VPP's table of its number, or the one named; VPP's goes after the last."""
    one = (1000, False, "bgpreflector-1000")
    with following(kernel, simulator, tmp_path, '"all"', "[vpp.tables]\n2000 = 20") as daemon:
        settled(simulator, {MAIN}, set())
        ip_batch(kernel, ["route add 40.0.0.0/24 via 10.0.0.2 proto 12 table 1000"])
        settled(simulator, {MAIN, (1000, "40.0.0.0/24")}, {one})
        ip_batch(
            kernel,
            [
                "route add 2001:db8::/48 via fd00::2 proto 12 table 1000",
                "route add 41.0.0.0/24 via 10.0.0.2 proto 12 table 2000",
            ],
        )
        two, six = (20, False, "bgpreflector-20"), (1000, True, "bgpreflector-1000")
        every = {MAIN, (1000, "40.0.0.0/24"), (1000, "2001:db8::/48"), (20, "41.0.0.0/24")}
        settled(simulator, every, {one, two, six})
        status = daemon.status()
        shown = {(t["table"], t["vpp_table"]) for t in status["tables"]}
        assert shown >= {(254, 0), (1000, 1000), (2000, 20)}
        (row,) = daemon.ask_json("show", "routes", "41.0.0.0/24")
        assert row["vpp_table"] == 20
        assert "41.0.0.0/24 table 2000  " in daemon.ask("show", "routes")

        kernel.ip("route", "flush", "table", "2000")
        settled(simulator, every - {(20, "41.0.0.0/24")}, {one, six})
        # It comes again, as a link that goes and comes has it.
        ip_batch(kernel, ["route add 41.0.0.0/24 via 10.0.0.2 proto 12 table 2000"])
        settled(simulator, every, {one, two, six})
        kernel.ip("link", "del", "f0")
        settled(simulator, set(), set())
        assert daemon.end() == 0, daemon.log()


def test_what_went_while_nobody_looked(
    kernel: Namespace, simulator: SimulatedVpp, tmp_path: Path
) -> None:
    """Routes and tables of an earlier run go with the next one; what is none of ours stays."""
    foreign = (3000, False, "theirs")
    simulator.api.ip_table_add_del(
        is_add=True, table={"table_id": 3000, "is_ip6": False, "name": "theirs"}
    )
    lines = [f"route add 40.0.0.0/24 via 10.0.0.2 proto 12 table {t}" for t in (1000, 1001, 3000)]
    ip_batch(kernel, lines)
    with following(kernel, simulator, tmp_path, '["main", "1000-3999"]') as daemon:
        everything = {(table, "40.0.0.0/24") for table in (1000, 1001, 3000)} | {MAIN}
        own = {(table, False, f"bgpreflector-{table}") for table in (1000, 1001)}
        settled(simulator, everything, {foreign, *own})
        assert daemon.end() == 0, daemon.log()
    for table in ("1001", "3000"):
        kernel.ip("route", "flush", "table", table)
    with following(kernel, simulator, tmp_path, '["main", "1000-3999"]') as daemon:
        # A route of ours in a table of another's name is not looked for: it has no route to go by.
        left = {MAIN, (1000, "40.0.0.0/24"), (3000, "40.0.0.0/24")}
        settled(simulator, left, {foreign, (1000, False, "bgpreflector-1000")})
        assert daemon.end() == 0, daemon.log()


def test_a_reload_follows_less(kernel: Namespace, simulator: SimulatedVpp, tmp_path: Path) -> None:
    """What is not followed any more is taken out of VPP, with the tables that were made for it."""
    numbers = (1000, 2000, 3000)
    lines = [f"route add 40.0.0.0/24 via 10.0.0.2 proto 12 table {t}" for t in numbers]
    ip_batch(kernel, lines)
    with following(kernel, simulator, tmp_path, '"all"') as daemon:
        config = tmp_path / "tables.toml"
        before, foreign = '"all"', set[tuple[int, bool, str]]()
        for now, left in (('"all"', 3), ('["main", "1000-1999"]', 1), ('["main"]', 0)):
            config.write_text(config.read_text().replace(f"= {before}\n", f"= {now}\n"))
            before = now
            daemon.ask("reload")
            there = numbers[:left]
            named = {(table, False, f"bgpreflector-{table}") for table in there}
            settled(
                simulator, {MAIN, *((table, "40.0.0.0/24") for table in there)}, named | foreign
            )
            if left == 3:
                # One that has a route of another source stays.
                simulator.add_foreign_route("60.0.0.0/24", table=3000)
                foreign = {(3000, False, "bgpreflector-3000")}
        assert "table 3000 stays, though we created it: it has routes of API" in daemon.log()
        assert daemon.end() == 0, daemon.log()


def test_two_of_one_number(kernel: Namespace, simulator: SimulatedVpp, tmp_path: Path) -> None:
    """Never do the routes of two kernel tables meet in one of VPP's; the log says which do not."""
    lines = [f"route add 40.0.0.0/24 via 10.0.0.2 proto 12 table {t}" for t in (20, 1000)]
    ip_batch(kernel, lines)
    with following(kernel, simulator, tmp_path, '"all"', "[vpp.tables]\n1000 = 20") as daemon:
        settled(simulator, {MAIN, (20, "40.0.0.0/24")}, {(20, False, "bgpreflector-20")})
        assert "Kernel table 20 is not mirrored" in daemon.log()
        assert {row["table"] for row in daemon.ask_json("show", "routes")} == {254, 1000}


def test_each_gets_a_free_one(kernel: Namespace, vpp: Vpp, tmp_path: Path) -> None:
    """Which it keeps over a restart of the daemon, by its name, and over one of VPP."""

    def make(number: int) -> None:
        vpp.api.ip_table_add_del(
            is_add=True, table={"table_id": number, "is_ip6": False, "name": "theirs"}
        )

    def look() -> tuple[set[tuple[int, bool, str]], set[TablePrefix]]:
        named = {table for table in tables(vpp) if table[2] != "theirs"}
        found = set()
        for number in {0, *(table[0] for table in tables(vpp))}:
            fields = {"table_id": number, "is_ip6": False}
            dumped = vpp.api.ip_route_v2_dump(table=fields, src=vpp.source() or 0)
            found |= {(number, str(details.route.prefix)) for details in dumped}
        return named, found if vpp.source() else set()

    def wait(named: set[tuple[int, bool, str]], routes: set[TablePrefix]) -> None:
        wait_until(look, FOLLOWS, "VPP's", accept=lambda found: found == (named, routes))

    make(50)
    more = '[vpp]\nfree_tables = "50-59"\non_exit = "keep"'
    lines = ["route add 40.0.0.0/24 via 10.0.0.2 proto 12 table 3000"]
    ip_batch(kernel, lines)
    first = (51, False, "bgpreflector-51-kernel-3000")
    every = {MAIN, (51, "40.0.0.0/24"), (53, "41.0.0.0/24")}
    with following(kernel, vpp, tmp_path, '"all"', more) as daemon:
        wait({first}, {MAIN, (51, "40.0.0.0/24")})
        # Somebody makes the next one, after we have looked.
        make(52)
        ip_batch(kernel, ["route add 41.0.0.0/24 via 10.0.0.2 proto 12 table 1000"])
        second = (53, False, "bgpreflector-53-kernel-1000")
        wait({first, second}, every)
        shown = {(t["table"], t["vpp_table"]) for t in daemon.status()["tables"]}
        assert {(3000, 51), (1000, 53)} <= shown
        assert daemon.end() == 0, daemon.log()
    wait({first, second}, every)
    # By number it would be 1000 that comes first.
    with following(kernel, vpp, tmp_path, '"all"', more) as daemon:
        wait({first, second}, every)
        asked = daemon.status()["vpp"]["requests"]
        assert not any(made["done"] for made in asked.values()), asked
        # An audit without a daemon reads the numbers of the same names.
        file = str(tmp_path / "tables.toml")
        of = ("--config", file, "--socket", str(vpp.socket), "--netns", str(kernel.path))
        run_command("audit", "--sample", "0", *of)
        # A reload makes another engine, which reads them too.
        config = tmp_path / "tables.toml"
        config.write_text(config.read_text().replace("[kernel]", '[kernel]\naudit_interval = "7m"'))
        assert "kernel.audit_interval" in daemon.ask("reload")
        daemon.wait_in_sync(FOLLOWS)
        wait({first, second}, every)
        kernel.ip("route", "flush", "table", "3000")
        wait({second}, {MAIN, (53, "41.0.0.0/24")})
        assert daemon.end() == 0, daemon.log()


def test_none_is_free(kernel: Namespace, simulator: SimulatedVpp, tmp_path: Path) -> None:
    """The table that gets none is in the status, in a metric, and in what the doctor finds."""
    lines = [f"route add 40.0.0.0/24 via 10.0.0.2 proto 12 table {t}" for t in (1000, 1001, 1002)]
    ip_batch(kernel, lines)
    more = '[vpp]\nfree_tables = "5000-5001"\n[metrics]\naddress = "127.0.0.1:0"'
    with following(kernel, simulator, tmp_path, '["main", "1000-1999"]', more) as daemon:
        first, *rows = daemon.ask("status").splitlines()
        assert first == "in sync, 1 kernel table not mirrored"
        assert "unassigned 1002: no VPP table is left for it (`bgpreflector doctor`)" in "\n".join(
            rows
        )
        assert daemon.status()["unassigned_tables"] == [1002]
        assert scraper_of(daemon).value("unassigned_tables") == 1
        assert "Kernel table 1002 is not mirrored: none of vpp.free_tables is free" in daemon.log()
        found = doctor(daemon, kernel, simulator, tmp_path)
        (told,) = [f for f in found if f["object"] == "kernel table 1002"]
        assert told["severity"] == "warning"
        assert "widen it" in told["do"]


def test_tables_without_an_interface(
    kernel: Namespace, simulator: SimulatedVpp, tmp_path: Path
) -> None:
    """That no packet is looked up there is said of discovered tables too, by the table."""
    lines = [f"route add 40.0.0.0/24 via 10.0.0.2 proto 12 table {t}" for t in (1000, 1001)]
    ip_batch(kernel, lines)
    with following(kernel, simulator, tmp_path, '"all"') as daemon:
        told = set(daemon.ask("show", "route", "40.0.0.1").splitlines())
        nobody = "no interface of VPP is in its table {0}, so that no packet is looked up there"
        for table in (1000, 1001):
            reasons = [line for line in told if nobody.format(table) in line]
            assert len(reasons) == 1, told
        found = doctor(daemon, kernel, simulator, tmp_path)
        for table in (1000, 1001):
            (warned,) = [f for f in found if f["object"] == f"IPv4 table {table}"]
            assert nobody.format(table) in warned["what"]
        assert not [f for f in found if f["object"] == "IPv6 table 1000"]


def test_tables_are_in_order(kernel: Namespace, simulator: SimulatedVpp, tmp_path: Path) -> None:
    """Whenever each has come."""
    with following(kernel, simulator, tmp_path, '"all"') as daemon:
        for number, table in enumerate((2000, 1000, 3000), 1):
            ip_batch(kernel, [f"route add 40.0.0.0/24 via 10.0.0.2 proto 12 table {table}"])
            there = (2000, 1000, 3000)[:number]
            named = {(made, False, f"bgpreflector-{made}") for made in there}
            settled(simulator, {MAIN, *((made, "40.0.0.0/24") for made in there)}, named)
        rows = [(row["table"], row["family"]) for row in daemon.status()["tables"]]
        assert rows == sorted(rows)
        assert len(rows) > 3


def doctor(
    daemon: RunningDaemon, kernel: Namespace, vpp: Vpp, tmp_path: Path
) -> list[dict[str, Any]]:
    """Its findings."""
    file = ("--config", str(tmp_path / "tables.toml"), "--control", str(daemon.control))
    of = ("--socket", str(vpp.socket), "--netns", str(kernel.path))
    found: list[dict[str, Any]] = json.loads(run_command("doctor", "--json", *file, *of).stdout)[
        "findings"
    ]
    return found
