"""Protocols by their names: the kernel's, FRR's and the host's."""

from __future__ import annotations

from pathlib import Path

import pytest

from bgpreflector.config import ConfigError, loads
from bgpreflector.config.iproute2 import names_by_number
from bgpreflector.config.protocols import (
    GROUPS,
    ProtocolNames,
    protocol_name,
    protocol_names,
    protocols_text,
)
from config.config_support import problems

FRR = {
    "zebra": 11,
    "babel": 42,
    "bgp": 186,
    "isis": 187,
    "ospf": 188,
    "rip": 189,
    "ripng": 190,
    "nhrp": 191,
    "eigrp": 192,
    "ldp": 193,
    "sharp": 194,
    "pbr": 195,
    "frr-static": 196,
    "openfabric": 197,
    "srte": 198,
}
"""As zebra/rt_netlink.h has them."""


def protocols(text: str) -> tuple[int, ...]:
    """The numbers that a list in the file means."""
    return loads(f"[kernel]\nprotocols = {text}").kernel.protocols


@pytest.mark.parametrize(("name", "number"), FRR.items())
def test_each_of_frr_has_a_name(name: str, number: int) -> None:
    assert protocols(f'["{name}"]') == (number,)
    assert protocols(f'["{name.upper()}"]') == (number,)
    assert ProtocolNames({}).name(number) == name
    assert number in GROUPS["frr"]


def test_groups() -> None:
    assert protocols('["frr"]') == tuple(FRR.values())
    assert protocols('["bird"]') == (12,)
    assert set(protocols('["all"]')) == set(range(1, 256)) - {1, 2}


def test_a_group_goes_together_with_its_members() -> None:
    both = protocols('["frr", "bgp", "bird"]')
    assert both == (*FRR.values(), 12)
    assert protocols('["ospf", "frr"]')[0] == FRR["ospf"]
    with pytest.raises(ConfigError, match="named twice: 186"):
        protocols('["bgp", "frr", 186]')


def test_an_unknown_name_is_refused_by_its_place() -> None:
    first, second = problems('[kernel]\nprotocols = ["frr", "opsf", "nobody"]')
    assert first.startswith('kernel.protocols[1] = "opsf": ')
    assert first.endswith('; did you mean "ospf"?')
    assert second.startswith('kernel.protocols[2] = "nobody": ')
    assert '"frr" and "all"' in second


def test_several_are_shown_by_their_groups() -> None:
    assert protocols_text(protocols('["bird", "frr"]')) == "frr, bird"
    assert protocols_text(protocols('["all"]')) == "all"
    assert protocols_text(protocols('["all", "kernel"]')) == "all, kernel"
    assert protocols_text((12, 250)) == "bird, 250"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A host with iproute2's files in both places."""
    files = {
        "etc/iproute2/rt_protos": "# no name\n4 static\n186\tbgp\n0x64  mine\nbroken\n7 a b\nx y\n",
        "etc/iproute2/rt_protos.d/frr.conf": "196 static # FRR's\n200 etc\n",
        "etc/iproute2/rt_protos.d/README": "201 not-a-conf\n",
        "etc/iproute2/rt_protos.d/directory.conf/file": "205 within\n",
        "usr/share/iproute2/rt_protos": "202 hidden\n",
        "usr/share/iproute2/rt_protos.d/frr.conf": "203 overridden\n",
        "usr/share/iproute2/rt_protos.d/more.conf": "200 usr\n204 Vendor\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_the_host_has_names_as_iproute2_reads_them(root: Path) -> None:
    assert names_by_number("rt_protos", root) == {
        4: "static",
        100: "mine",
        186: "bgp",
        196: "static",
        200: "etc",
        204: "Vendor",
    }
    assert names_by_number("rt_tables", root) == {}


def test_a_distribution_without_etc(tmp_path: Path) -> None:
    (tmp_path / "usr/lib/iproute2").mkdir(parents=True)
    (tmp_path / "usr/lib/iproute2/rt_tables").write_text("254 main\n77 isp\n")
    assert names_by_number("rt_tables", tmp_path) == {254: "main", 77: "isp"}


def test_what_is_shown_can_be_written(root: Path) -> None:
    names = protocol_names(root)
    assert [names.name(number) for number in (4, 196, 100, 204, 205)] == [
        "static",
        "frr-static",
        "mine",
        "Vendor",
        "205",
    ]
    for number in range(1, 256):
        shown = names.name(number)
        assert shown == str(number) or names.number(shown) == number
    assert names.number("vendor") == 204
    assert "Vendor" in names.known()


def test_a_name_of_the_host_takes_precedence() -> None:
    names = ProtocolNames({186: "edge", 201: "bgp", 0: "unspec", 999: "beyond"})
    assert (names.name(186), names.name(201)) == ("edge", "bgp")
    assert (names.number("edge"), names.number("bgp")) == (186, 201)
    assert names.number("beyond") is None
    assert names.number("unspec") is None


def test_this_host() -> None:
    assert protocol_name(12) == "bird"
    assert protocol_name(186) == "bgp"


def test_tables_by_the_names_of_the_host(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "etc/iproute2/rt_tables").write_text("1000 blue\n254 renamed\n")
    monkeypatch.setattr(
        "bgpreflector.config.values.names_by_number",
        lambda database: names_by_number(database, root),
    )
    config = loads('[kernel]\ntables = ["main", "Blue"]\n[vpp.tables]\nblue = 10')
    assert config.table_map == {254: 0, 1000: 10}
