"""The configuration by environment variables."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bgpreflector.cli.settings import read_config
from bgpreflector.config import Config, ConfigError, loads, with_environment
from bgpreflector.config.environment import PREFIX, variables
from lab.command import run_command


def with_variables(text: str = "", **values: str) -> Config:
    """The configuration of a file and of variables, which are named without their prefix."""
    return with_environment(
        loads(text), {f"{PREFIX}{name}": value for name, value in values.items()}
    )


def test_no_two_keys_have_one_variable() -> None:
    names = variables()
    assert names["BGPREFLECTOR_VPP_FIB_SOURCE_NAME"] == ("vpp", "fib_source", "name")
    assert names["BGPREFLECTOR_USE_EXTERNAL_IPAM"] == ("use_external_ipam",)
    assert len(set(names.values())) == len(names)
    assert "BGPREFLECTOR_CONFIG" not in names, "the file's own"


def test_values_of_every_kind() -> None:
    config = with_variables(
        VPP_API_SOCKET="/run/other.sock",
        VPP_WAIT="false",
        VPP_MAX_IN_FLIGHT="7",
        VPP_MAX_HELD="0.5",
        VPP_ON_EXIT="flush",
        VPP_INTERFACES_MAP="eth0=GigabitEthernet0/8/0, eth1=2",
        VPP_INTERFACES_MAIN_INTERFACE="3",
        VPP_TABLES="{main = 7, 1000 = 8}",
        KERNEL_PROTOCOLS="bird,188",
        KERNEL_TABLES="main,1000-1999",
        KERNEL_ALLOW="10.0.0.0/8{16,24},2001:db8::/32",
        KERNEL_RECEIVE_BUFFER="64 MiB",
        KERNEL_AUDIT_INTERVAL="5m",
        KERNEL_MAX_ROUTES="1000",
        KERNEL_NAMESPACE="dataplane",
        CONTROL_MODE="660",
        LOG_FORMAT="json",
    )
    assert (config.vpp.api_socket, config.vpp.wait) == ("/run/other.sock", False)
    assert (config.vpp.max_in_flight, config.vpp.max_held, config.vpp.on_exit) == (7, 0.5, "flush")
    assert config.vpp.interfaces.map == {"eth0": "GigabitEthernet0/8/0", "eth1": 2}
    assert config.vpp.interfaces.main_interface == 3
    assert config.vpp.tables == {254: 7, 1000: 8}
    assert config.kernel.protocols == (12, 188)
    assert (config.kernel.tables, config.kernel.discover) == ((254,), ((1000, 1999),))
    assert config.kernel.allow == ("10.0.0.0/8{16,24}", "2001:db8::/32")
    assert (config.kernel.receive_buffer, config.kernel.audit_interval) == (64 << 20, 300)
    assert (config.kernel.max_routes, config.kernel.namespace) == (1000, "dataplane")
    assert (config.control.mode, config.log.format) == ("660", "json")


def test_variables_take_precedence_over_the_file() -> None:
    """Tables are merged, everything else is replaced; an empty variable is as unset."""
    file = """
        vpp.wait = false
        vpp.max_in_flight = 9
        vpp.interfaces.map = {eth0 = "a", eth1 = "b"}
    """
    config = with_variables(
        file, VPP_WAIT="true", VPP_MAX_IN_FLIGHT="", VPP_INTERFACES_MAP="eth1=c"
    )
    assert (config.vpp.wait, config.vpp.max_in_flight) == (True, 9)
    assert config.vpp.interfaces.map == {"eth0": "a", "eth1": "c"}
    assert with_variables(file) == loads(file)


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("VPP_WAIT", "maybe", "must be true or false"),
        ("VPP_MAX_IN_FLIGHT", "many", "must be a whole number"),
        ("KERNEL_PROTOCOLS", "brid", 'did you mean "bird"'),
        ("KERNEL_PROTOCOLS", "[12", "must be"),
        ("VPP_INTERFACES_MAP", "eth0", "must be a section"),
        ("VPP_API_SOKET", "/x", 'did you mean "BGPREFLECTOR_VPP_API_SOCKET"'),
    ],
)
def test_problems_name_the_variable(name: str, value: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        with_variables(**{name: value})
    assert f"{PREFIX}{name}" in str(caught.value)
    assert problem in str(caught.value)


def test_variables_of_others() -> None:
    """Kubernetes sets such variables in every container, for every service."""
    others = {
        "SERVICE_HOST": "10.0.0.1",
        "METRICS_SERVICE_HOST": "10.0.0.1",
        "METRICS_SERVICE_PORT_HTTP": "19482",
        "METRICS_PORT": "tcp://10.0.0.1:19482",
        "METRICS_PORT_19482_TCP_ADDR": "10.0.0.1",
        "TESTS_SIZE": "full",
    }
    assert with_variables(**others) == Config()


def test_check_shows_which_keys_are_of_the_environment(tmp_path: Path) -> None:
    """They take precedence over the file."""
    file = tmp_path / "a.toml"
    file.write_text('[kernel]\nprotocols = ["frr"]\n')
    environment = {f"{PREFIX}KERNEL_PROTOCOLS": "12"}

    def check(*arguments: str) -> str:
        return run_command("check", str(file), *arguments, environment=environment).stdout

    assert "kernel.protocols: by BGPREFLECTOR_KERNEL_PROTOCOLS" in check()
    found = json.loads(check("--json"))
    assert found["environment"] == {"kernel.protocols": "BGPREFLECTOR_KERNEL_PROTOCOLS"}
    assert found["configuration"]["kernel"]["protocols"] == [12]


def test_the_command_line_takes_precedence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BGPREFLECTOR_CONFIG", "")
    monkeypatch.setenv(f"{PREFIX}VPP_API_SOCKET", "/run/environment.sock")
    monkeypatch.setenv(f"{PREFIX}KERNEL_NAMESPACE", "environment")
    config = read_config(None, socket=Path("/run/option.sock"))
    assert config.vpp.api_socket == "/run/option.sock"
    assert config.kernel.namespace == "environment"
