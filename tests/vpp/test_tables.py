"""IP tables of VPP: created where they are missing, and removed at a flush if we created them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bgpreflector.controller import CommitResult
from daemon.running import running_daemon
from lab import Namespace, ip_batch, wait_until
from lab.vpp import Vpp
from vpp.support import (
    BIRD,
    GATEWAY,
    MakeProgrammer,
    Programmer,
    kernel_with_routes,
    prefixes,
    vpp_options,
)

TABLES = {"tables": {254: 10, 100: 20}}
"""Kernel tables to VPP tables."""


def tables(programmer: Programmer) -> set[tuple[int, bool]]:
    """All but VPP's own table 0."""
    return {table for table in programmer.sink.session.tables() if table[0] != 0}


def delete_routes(programmer: Programmer) -> CommitResult:
    """What a flush does first."""
    programmer.engine.forget_kernel()
    return programmer.sink.flush()


BOTH = {(10, False), (10, True), (20, False), (20, True)}


def test_ours_are_removed(vpp: Vpp, make_programmer: MakeProgrammer) -> None:
    """Once nothing is in them; and their routes do not come back with them."""
    programmer = make_programmer(vpp, **TABLES)
    assert tables(programmer) == BOTH
    programmer.announce(prefixes(30))
    for table in (254, 100):
        programmer.announce(["2001:db8::/32"], "fd00:100::12", table=table)
    assert programmer.install(prefixes(10), table=100).applied == 42
    assert programmer.sink.remove_tables() == [], "our routes are in them"
    assert tables(programmer) == BOTH
    assert delete_routes(programmer).applied == 42
    assert set(programmer.sink.remove_tables()) == BOTH
    assert tables(programmer) == set()
    assert programmer.sink.remove_tables() == []

    programmer.sink.connect()
    assert tables(programmer) == BOTH
    programmer.sink.resync()
    assert programmer.engine.status().prefixes["ipv4"]["installed"] == 0


def test_those_with_others_routes_stay(
    vpp: Vpp, make_programmer: MakeProgrammer, caplog: pytest.LogCaptureFixture
) -> None:
    """Of every run; each family for itself."""
    programmer = make_programmer(vpp, **TABLES)
    vpp.add_foreign_route("203.0.113.0/24", table=10)
    assert set(programmer.sink.remove_tables()) == BOTH - {(10, False)}
    assert "IPv4 table 10 stays" in caplog.text
    assert "API" in caplog.text
    vpp.remove_foreign_route("203.0.113.0/24", table=10)
    assert programmer.sink.remove_tables() == [(10, False)]


def test_those_of_another_instance_stay(vpp: Vpp, make_programmer: MakeProgrammer) -> None:
    """Each knows its own by the name of its FIB source."""
    one = make_programmer(vpp, **TABLES)
    source = {"name": "an-instance-with-a-name-as-long-as-vpp-allows" + "x" * 18}
    two = make_programmer(vpp, tables={254: 30}, fib_source=source)
    assert set(two.sink.session.own_tables()) == {(30, False), (30, True)}
    assert set(two.sink.remove_tables()) == {(30, False), (30, True)}
    assert tables(one) == BOTH
    assert set(one.sink.remove_tables()) == BOTH


def test_those_that_others_made_stay(vpp: Vpp, make_programmer: MakeProgrammer) -> None:
    """They have another name."""
    table = {"table_id": 10, "is_ip6": False, "name": "an operator's"}
    assert vpp.api.ip_table_add_del(is_add=True, table=table).retval == 0
    programmer = make_programmer(vpp, **TABLES)
    assert programmer.install(prefixes(5)).applied == 5
    assert delete_routes(programmer).applied == 5
    assert set(programmer.sink.remove_tables()) == BOTH - {(10, False)}
    assert tables(programmer) == {(10, False)}


def delete_table(vpp: Vpp) -> None:
    """Deletes a table as its owner does."""
    for is_ip6 in (False, True):
        table = {"table_id": 10, "is_ip6": is_ip6}
        assert vpp.api.ip_table_add_del(is_add=False, table=table).retval == 0


def test_one_that_is_deleted_meanwhile_is_created_again(
    vpp: Vpp, make_programmer: MakeProgrammer
) -> None:
    """A resync reads all that a connect reads, so that what was refused is sent again."""
    programmer = make_programmer(vpp, tables={254: 10})
    assert programmer.install(prefixes(20)).applied == 20
    delete_table(vpp)
    programmer.announce(prefixes(30)[20:])
    assert programmer.sink.flush().failed == 10, "the precondition"
    programmer.sink.resync()
    assert programmer.sink.flush().failed == 0
    assert (10, False) in tables(programmer)
    assert {str(details.route.prefix) for details in vpp.dump(10)} == set(prefixes(30))
    assert not programmer.has_drifted()


@pytest.mark.root
@pytest.mark.few_releases
@pytest.mark.parametrize("by", ["itself", "resync"])
def test_the_daemon_heals_a_deleted_table(
    by: str, vpp: Vpp, make_namespace: Callable[[str], Namespace], tmp_path: Path
) -> None:
    """By itself once VPP refuses something, and at an operator's word."""
    kernel = kernel_with_routes(make_namespace("table"), 20)
    delay = 0.2 if by == "itself" else 3600.0
    file = tmp_path / "config.toml"
    file.write_text(
        f"[controller]\nhealing_delay = {delay}\nretry_attempts = 1\nretry_delay = 0.1\n"
        "[kernel]\ntables = [254]\n[vpp.tables]\n254 = 10\n"
    )
    options = ("--config", str(file), *vpp_options(vpp))
    with running_daemon(tmp_path / "run.log", *options, namespace=kernel) as daemon:
        wait_until(daemon.answers, 30, "it listens")
        in_sync = lambda: daemon.status()["in_sync"]  # noqa: E731
        wait_until(in_sync, 30, "all routes")
        delete_table(vpp)
        ip_batch(kernel, [f"route add 31.0.0.0/24 via {GATEWAY} proto {BIRD} metric 32"])
        wait_until(lambda: " refused: " in daemon.log(), 30, "VPP refuses it")
        if by == "resync":
            daemon.ask("resync")
        wait_until(in_sync, 30, "all routes again")
        assert len(vpp.dump(10)) == 21
        assert daemon.end() == 0, daemon.log()
