"""``bgpreflector flush``: all of ours, and only ours."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from lab.command import run_command
from lab.vpp import SimulatedVpp, Vpp
from vpp.support import MakeProgrammer, prefixes

V6 = [f"2001:db8:{n:x}::/48" for n in range(20)]
pytestmark = pytest.mark.few_releases

FOREIGN = "203.0.113.0/24"


def flush(vpp: Vpp, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the command to its end."""
    return run_command("flush", "--socket", str(vpp.socket), *arguments, exit_code=None)


def flushed(vpp: Vpp, *arguments: str) -> dict[str, Any]:
    """Its report, where it succeeds."""
    done = flush(vpp, "--json", *arguments)
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def leave_routes(vpp: Vpp, make_programmer: MakeProgrammer) -> None:
    """Installs routes in three tables, one of them hidden, and others' routes."""
    programmer = make_programmer(vpp, tables={254: 0, 100: 10, 101: 20})
    programmer.announce(prefixes(100))
    programmer.announce(V6, "fd00:100::12")
    programmer.announce(prefixes(30), table=100)
    assert programmer.install(prefixes(5), table=101).applied == 155
    programmer.sink.close()
    vpp.add_foreign_route(FOREIGN)
    vpp.add_foreign_route(prefixes(1)[0])
    vpp.add_foreign_route(FOREIGN, table=20)


def ours(vpp: Vpp) -> int:
    """Routes that VPP shows under our source, in all tables."""
    tables = (details.table for details in vpp.api.ip_table_dump())
    return sum(len(vpp.dump(table.table_id, is_ip6=table.is_ip6)) for table in tables)


@pytest.mark.papi
def test_all_of_ours_goes_and_nothing_else(vpp: Vpp, make_programmer: MakeProgrammer) -> None:
    """Also from tables that are not configured, and what other sources' routes hide."""
    leave_routes(vpp, make_programmer)
    report = flushed(vpp, "--dry-run")
    assert (report["dry_run"], report["routes"], report["deleted"]) == (True, 154, 0)
    assert ours(vpp) == 154
    counts = {(t["table"], t["family"]): t["routes"] for t in report["tables"]}
    assert counts == {
        (0, "ipv4"): 99,
        (0, "ipv6"): 20,
        (10, "ipv4"): 30,
        (10, "ipv6"): 0,
        (20, "ipv4"): 5,
        (20, "ipv6"): 0,
    }
    assert len(report["own_tables"]) == 4

    report = flushed(vpp)
    assert (report["routes"], report["deleted"], report["failed"]) == (154, 154, 0)
    removed = {(t["table"], t["family"]) for t in report["removed_tables"]}
    assert removed == {(10, "ipv4"), (10, "ipv6"), (20, "ipv6")}
    assert ours(vpp) == 0
    hidden = prefixes(1)[0]
    assert vpp.has_foreign_route(FOREIGN)
    assert vpp.has_foreign_route(hidden)
    vpp.remove_foreign_route(hidden)
    assert not vpp.has_foreign_route(hidden), "ours was behind it"

    report = flushed(vpp)
    assert (report["routes"], report["deleted"], report["removed_tables"]) == (0, 0, [])


def test_a_vpp_that_does_not_know_us(vpp: Vpp) -> None:
    """No source is added to it, for none is ever freed."""
    before = len(vpp.api.fib_source_dump())
    done = flush(vpp)
    assert done.returncode == 0, done.stderr
    assert "no FIB source bgpreflector" in done.stdout
    assert len(vpp.api.fib_source_dump()) == before


def test_what_vpp_refuses_is_said(simulator: SimulatedVpp, make_programmer: MakeProgrammer) -> None:
    """With VPP's reason; the tables stay."""
    leave_routes(simulator, make_programmer)
    stays = prefixes(7)[6]
    simulator.fault("fail_prefix", prefix=stays, retval=-5)
    done = flush(simulator)
    assert done.returncode == 4
    assert stays in done.stdout
    assert "VPP error -5" in done.stdout
    assert ours(simulator) == 2, "in tables 0 and 10"
    simulator.fault("fail_prefix", prefix=stays, retval=0)
    assert flushed(simulator)["deleted"] == 2


def test_a_vpp_that_is_not_there(tmp_path: Path) -> None:
    """Exit status 4, as always."""
    done = run_command("flush", "--socket", str(tmp_path / "none.sock"), exit_code=4)
    assert "is VPP running" in done.stderr


@pytest.mark.slow
def test_a_full_table_goes_fast(simulator: SimulatedVpp, make_programmer: MakeProgrammer) -> None:
    """Many times the window, by dump and pipelined deletions."""
    programmer = make_programmer(simulator)
    assert programmer.install(prefixes(200_000)).applied == 200_000
    programmer.sink.close()
    assert flushed(simulator)["deleted"] == 200_000
    assert simulator.routes() == {}
