"""IP tables of VPP's: made where they lack, and removed at a flush if we made them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bgpreflector.controller import CommitResult
from lab.vpp import Vpp
from vpp.support import Programmer, prefixes

PLACE = {"tables": {254: 10, 100: 20}}
"""Kernel tables to VPP tables."""


def tables(made: Programmer) -> set[tuple[int, bool]]:
    """All but VPP's own table 0."""
    return {table for table in made.sink.session.tables() if table[0] != 0}


def emptied(made: Programmer) -> CommitResult:
    """What a flush does first."""
    made.engine.forget_kernel()
    return made.sink.flush()


BOTH = {(10, False), (10, True), (20, False), (20, True)}


def test_ours_are_removed(vpp: Vpp, program: Callable[..., Programmer]) -> None:
    """Once nothing is in them; and their routes do not come back with them."""
    made = program(vpp, **PLACE)
    assert tables(made) == BOTH
    made.announce(prefixes(30))
    for table in (254, 100):
        made.announce(["2001:db8::/32"], "fd00:100::12", table=table)
    assert made.install(prefixes(10), table=100).applied == 42
    assert made.sink.remove_tables() == [], "our routes are in them"
    assert tables(made) == BOTH
    assert emptied(made).applied == 42
    assert set(made.sink.remove_tables()) == BOTH
    assert tables(made) == set()
    assert made.sink.remove_tables() == []

    made.sink.connect()
    assert tables(made) == BOTH
    made.sink.resync()
    assert made.engine.status().prefixes["ipv4"]["installed"] == 0


def test_those_with_others_routes_stay(
    vpp: Vpp, program: Callable[..., Programmer], caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever put them there; each family for itself."""
    made = program(vpp, **PLACE)
    vpp.add_foreign_route("203.0.113.0/24", table=10)
    assert set(made.sink.remove_tables()) == BOTH - {(10, False)}
    assert "IPv4 table 10 stays" in caplog.text
    assert "API" in caplog.text
    vpp.remove_foreign_route("203.0.113.0/24", table=10)
    assert made.sink.remove_tables() == [(10, False)]


def test_those_that_others_made_stay(vpp: Vpp, program: Callable[..., Programmer]) -> None:
    """They bear another name."""
    table = {"table_id": 10, "is_ip6": False, "name": "an operator's"}
    assert vpp.api.ip_table_add_del(is_add=True, table=table).retval == 0
    made = program(vpp, **PLACE)
    assert made.install(prefixes(5)).applied == 5
    assert emptied(made).applied == 5
    assert set(made.sink.remove_tables()) == BOTH - {(10, False)}
    assert tables(made) == {(10, False)}
