"""Contiv's names in TOML, and Contiv's own file."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from bgpreflector.config import Config, ConfigError, load, loads, loads_contiv
from config.config_support import problems

if TYPE_CHECKING:
    from pathlib import Path

CONTIV_CONF = """
nodeToNodeTransport: vxlan
mtuSize: 1450
mainVRFID: 7
podVRFID: 8
ipamConfig:
  useExternalIPAM: true
  podSubnetCIDR: 10.1.0.0/16
  srv6:
    sfcIDLengthUsedInSidForServiceFunction: 16
nodeConfig:
- nodeName: one
  mainVPPInterface:
    interfaceName: GigabitEthernet0/9/0
- nodeName: two
  gateway: 192.0.2.1
  mainVPPInterface:
    interfaceName: GigabitEthernet0/8/0
    ip: 192.0.2.2/24
"""


def test_contiv_names_are_read_in_toml() -> None:
    config = loads('useExternalIPAM = false\nmainVRFID = 7\nmainInterfaceName = "Gig0"')
    assert config.use_external_ipam is False
    assert config.table_map == {254: 7}
    assert config.vpp.interfaces.main_interface == "Gig0"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "useExternalIPAM = true\nuse_external_ipam = true",
            (
                "useExternalIPAM = true: says the same as use_external_ipam, which is given too; "
                "keep one of them"
            ),
        ),
        (
            "mainVRFID = 7\n[vpp.tables]\n254 = 7",
            "mainVRFID = 7: says the same as vpp.tables.254, which is given too; keep one of them",
        ),
        (
            'mainInterfaceName = "a"\n[vpp.interfaces]\nmain_interface = "b"',
            (
                'mainInterfaceName = "a": says the same as vpp.interfaces.main_interface, which is '
                "given too; keep one of them"
            ),
        ),
    ],
)
def test_both_names_of_one_key_are_refused(text: str, problem: str) -> None:
    assert problems(text) == [problem]


def test_wrong_values_are_named_by_contiv_names() -> None:
    found = problems('useExternalIPAM = 1\nmainVRFID = "x"\nmainInterfaceName = ""')
    assert [problem.split(" = ")[0] for problem in found] == [
        "useExternalIPAM",
        "mainInterfaceName",
        "mainVRFID",
    ]


def test_other_tables_may_stand_beside_the_main_vrf() -> None:
    config = loads("mainVRFID = 7\n[kernel]\ntables = [254, 5]\n[vpp.tables]\n5 = 6")
    assert config.table_map == {254: 7, 5: 6}


@pytest.mark.parametrize("name", ["contiv.conf", "contiv.yaml", "contiv.yml"])
def test_a_contiv_file_is_read_for_the_node(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text(CONTIV_CONF)
    config = load(path, node_name="two")
    assert config.use_external_ipam is True
    assert config.table_map == {254: 7}
    assert config.vpp.interfaces.main_interface == "GigabitEthernet0/8/0"
    assert config.vpp.interfaces.strategies[-1] == "main"
    assert config.kernel == Config().kernel


def test_ignored_keys_are_listed() -> None:
    assert loads_contiv(CONTIV_CONF, node_name="two").ignored == (
        "nodeToNodeTransport",
        "mtuSize",
        "podVRFID",
        "ipamConfig.podSubnetCIDR",
        "ipamConfig.srv6.sfcIDLengthUsedInSidForServiceFunction",
        "nodeConfig[0].nodeName",
        "nodeConfig[0].mainVPPInterface.interfaceName",
        "nodeConfig[1].nodeName",
        "nodeConfig[1].gateway",
        "nodeConfig[1].mainVPPInterface.ip",
    )


def test_the_node_is_that_of_kubernetes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose name for it need not be the host's."""
    monkeypatch.setenv("NODE_NAME", "one")
    config = loads_contiv(CONTIV_CONF)
    assert config.vpp.interfaces.main_interface == "GigabitEthernet0/9/0"
    other = loads_contiv(CONTIV_CONF, node_name="two")
    assert other.vpp.interfaces.main_interface == "GigabitEthernet0/8/0"


def test_the_node_is_this_host_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NODE_NAME", raising=False)
    host = socket.gethostname()
    config = loads_contiv(CONTIV_CONF.replace("nodeName: one", f"nodeName: {host}"))
    assert config.vpp.interfaces.main_interface == "GigabitEthernet0/9/0"


def test_a_node_without_an_entry_has_no_main_interface() -> None:
    config = loads_contiv(CONTIV_CONF, node_name="three")
    assert config.vpp.interfaces.main_interface is None
    assert "main" not in config.vpp.interfaces.strategies


@pytest.mark.parametrize("text", ["", "mainVRFID: 0", "ipamConfig:\n  contivCIDR: 10.0.0.0/8"])
def test_a_contiv_file_without_external_ipam_means_off(text: str) -> None:
    assert loads_contiv(text).use_external_ipam is False


def test_wrong_values_of_a_contiv_file_are_named_as_they_stand_there() -> None:
    assert problems("mainVRFID: x\nipamConfig: {useExternalIPAM: 3}", loads_contiv) == [
        "ipamConfig.useExternalIPAM = 3: must be true or false",
        'mainVRFID = "x": must be a whole number',
    ]


def test_toml_under_a_yaml_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "reflector.conf"
    path.write_text("use_external_ipam = true\n")
    with pytest.raises(ConfigError, match=r"a TOML file must be named \*\.toml"):
        load(path)


def test_broken_yaml_is_refused_with_its_line() -> None:
    with pytest.raises(ConfigError, match=r"(?s)not YAML.*line 1"):
        loads_contiv("a: [")
