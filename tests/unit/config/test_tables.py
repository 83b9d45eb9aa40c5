"""Kernel tables that are named one by one, by a range, or all of them."""

from __future__ import annotations

import pytest

from bgpreflector.config import Config, loads
from bgpreflector.config.override import override
from config.config_support import problems

ALL = (1, 0xFFFFFFFF)


@pytest.mark.parametrize(
    ("text", "tables", "ranges"),
    [
        ("", (254,), ()),
        ('tables = "all"', (254,), (ALL,)),
        ('tables = ["all"]', (), (ALL,)),
        ('tables = ["main", "1000-1999"]', (254,), ((1000, 1999),)),
        ('tables = ["1000-1999"]', (), ((1000, 1999),)),
        ('discover = ["5-5", "all"]', (254,), ((5, 5), ALL)),
        ('tables = ["main", "7-9"]\ndiscover = ["all"]', (254,), (ALL, (7, 9))),
    ],
)
def test_ways_to_name_them(
    text: str, tables: tuple[int, ...], ranges: tuple[tuple[int, int], ...]
) -> None:
    kernel = loads(f"[kernel]\n{text}").kernel
    assert (kernel.tables, kernel.discover) == (tables, ranges)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('tables = ["main", "9-7"]', 'kernel.discover[0] = "9-7": must be "all" or a range'),
        ('tables = ["0-7"]', 'kernel.discover[0] = "0-7": must be "all" or a range'),
        ('discover = ["1-4294967296"]', 'kernel.discover[0] = "1-4294967296": must be'),
        ('discover = ["al"]', 'kernel.discover[0] = "al": must be "all" or a range'),
        ('tables = ["mian"]', 'kernel.tables[0] = "mian": must be a kernel table'),
        ("tables = []", "kernel.tables = []: must not be empty"),
        ("tables = 254", "kernel.tables = 254: must be a list"),
        ('discover = ["all", "all"]', "must name everything once"),
    ],
)
def test_wrong_tables_are_refused(text: str, problem: str) -> None:
    assert problem in problems(f"[kernel]\n{text}")[0]


def test_what_was_read_can_be_read_again() -> None:
    """As it is where the command line overrides a file."""
    config = loads('[kernel]\ntables = "all"\n[vpp.tables]\n1000 = 10\nmain = 3')
    again = override(config, {"vpp": {"max_in_flight": 7}}, source="command line")
    assert again.kernel.tables == (254,)
    assert again.kernel.discover == (ALL,)
    assert Config.model_validate(again.model_dump()) == again
    assert again.table_map == {254: 3}
    assert again.further_tables == {1000: 10}


def test_several_are_shown_in_short() -> None:
    config = loads('[kernel]\ntables = ["main", 7, "1000-1999", "all"]\n[vpp.tables]\n7 = 7')
    assert config.kernel.tables_text == "254, 7, 1000-1999, all others"


def test_free_tables_of_vpp() -> None:
    config = loads('[kernel]\ntables = "all"\n[vpp]\nfree_tables = "50-59"\n[vpp.tables]\n7 = 60')
    assert config.free_tables == (50, 59)
    assert Config.model_validate(config.model_dump()) == config
    assert loads("").free_tables is None


@pytest.mark.parametrize("text", ['"all"', '"9-7"', '"1-4294967295"', "7", '["7-9"]', '"0-9"'])
def test_what_is_no_range_of_vpp_tables(text: str) -> None:
    assert "must be a range of VPP tables" in problems(f"[vpp]\nfree_tables = {text}")[0]


def test_a_free_table_is_not_one_that_is_named() -> None:
    (problem,) = problems('[vpp]\nfree_tables = "50-59"\n[vpp.tables]\n1000 = 55')
    assert "must not contain VPP table 55" in problem
