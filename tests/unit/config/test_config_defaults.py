"""The defaults, and that a configuration is read-only."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import BaseModel, ValidationError

from bgpreflector.config import Config, loads
from bgpreflector.config.vpp import API_DIRECTORY

if TYPE_CHECKING:
    from collections.abc import Iterator


def test_an_empty_file_is_the_default_configuration() -> None:
    assert loads("") == Config()


def test_the_defaults_are_those_of_the_daemon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(API_DIRECTORY, raising=False)
    config = Config()
    assert config.use_external_ipam is True
    assert config.ignored == ()
    assert config.model_dump() == {
        "use_external_ipam": True,
        "source": {"kind": "kernel"},
        "fpm": {"listen": "127.0.0.1:2620", "quiet_time": 5.0, "stale_routes_time": 0.0},
        "kernel": {
            "protocols": (12,),
            "discover": (),
            "tables": (254,),
            "families": ("ipv4", "ipv6"),
            "receive_buffer": 32 * 1024 * 1024,
            "namespace": None,
            "allow": (),
            "deny": (),
            "foreign_routes": "hide",
            "audit_interval": 300.0,
            "max_routes": None,
            "max_routes_action": "refuse",
            "stale_routes_time": 0.0,
        },
        "vpp": {
            "api_socket": "/run/vpp/api.sock",
            "api_directory": "/usr/share/vpp/api",
            "max_in_flight": 1024,
            "rate_limit": None,
            "connect_timeout": 5.0,
            "request_timeout": 10.0,
            "keepalive_interval": 5.0,
            "audit_interval": 0.0,
            "on_exit": "keep",
            "wait": True,
            "max_held": 0.1,
            "unmapped": "hold",
            "unmapped_next_hops": "skip",
            "guard": {"share": 0.5, "routes": 100},
            "fib_source": {"name": "bgpreflector", "priority": 0x88},
            "interfaces": {
                "map": {},
                "main_interface": None,
                "strategies": ("map", "linux-cp", "name"),
            },
            "tables": {254: 0},
            "free_tables": None,
        },
        "controller": {
            "healing_delay": 5.0,
            "periodic_resync": 0.0,
            "retry_attempts": 3,
            "retry_delay": 1.0,
        },
        "handlers": {"load": (), "options": {}},
        "log": {"level": "info", "format": "text"},
        "control": {
            "socket": "/run/bgpreflector/control.sock",
            "group": "",
            "mode": None,
            "role": "read-only",
            "lock_directory": "/run/bgpreflector",
        },
        "metrics": {"address": None},
    }


def test_a_configuration_is_read_only() -> None:
    config = Config()
    with pytest.raises(ValidationError, match="frozen"):
        config.use_external_ipam = False
    with pytest.raises(ValidationError, match="frozen"):
        config.vpp.max_in_flight = 1


def sections(section: type[BaseModel]) -> Iterator[type[BaseModel]]:
    yield section
    for field in section.model_fields.values():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from sections(kind)


@pytest.mark.parametrize("section", list(sections(Config)))
def test_every_key_is_described(section: type[BaseModel]) -> None:
    assert [n for n, f in section.model_fields.items() if not f.description] == []


def test_everything_can_be_set() -> None:
    config = loads(
        """
        use_external_ipam = false
        [kernel]
        protocols = ["bird", 186, "STATIC"]
        tables = ["main", 1000]
        families = ["ipv6"]
        receive_buffer = "64 MiB"
        namespace = "blue"
        foreign_routes = "ignore"
        [vpp]
        api_socket = "/tmp/api.sock"
        max_in_flight = 64
        connect_timeout = 1
        request_timeout = 2.5
        on_exit = "flush"
        [vpp.fib_source]
        name = "mine"
        priority = 0xc8
        [vpp.interfaces]
        strategies = ["main", "map", "recursive"]
        main_interface = 3
        [vpp.interfaces.map]
        eth0 = "GigabitEthernet0/8/0"
        eth1 = 2
        [vpp.tables]
        1000 = 10
        [controller]
        healing_delay = 0
        periodic_resync = 60
        retry_attempts = 0
        retry_delay = 0.5
        [log]
        level = "debug"
        format = "json"
        """
    )
    assert config.use_external_ipam is False
    assert config.kernel.protocols == (12, 186, 4)
    assert config.kernel.receive_buffer == 64 * 1024 * 1024
    assert config.kernel.namespace_path == Path("/run/netns/blue")
    assert config.vpp.interfaces.map == {"eth0": "GigabitEthernet0/8/0", "eth1": 2}
    assert config.vpp.interfaces.main_interface == 3
    assert config.vpp.fib_source.priority == 200
    assert config.table_map == {254: 0, 1000: 10}
    assert config.controller.periodic_resync == 60.0


def test_a_namespace_may_be_a_path() -> None:
    config = loads('[kernel]\nnamespace = "/proc/1/ns/net"')
    assert config.kernel.namespace_path == Path("/proc/1/ns/net")
    assert Config().kernel.namespace_path is None


def test_the_main_table_goes_to_table_0_unless_the_map_has_it() -> None:
    assert loads("[vpp.tables]\n100 = 10").vpp.tables == {254: 0, 100: 10}
    assert loads("[vpp.tables]\nmain = 10").vpp.tables == {254: 10}


def test_only_mirrored_tables_are_in_the_table_map() -> None:
    config = loads("[kernel]\ntables = [100]\n[vpp.tables]\n100 = 10\n200 = 20")
    assert config.table_map == {100: 10}


def test_a_main_interface_is_the_last_strategy_unless_strategies_are_given() -> None:
    assert loads('mainInterfaceName = "x"').vpp.interfaces.strategies[-1] == "main"
    config = loads('[vpp.interfaces]\nmain_interface = "x"\nstrategies = ["main"]')
    assert config.vpp.interfaces.strategies == ("main",)


@pytest.mark.parametrize(
    ("written", "host", "port"),
    [("127.0.0.1:19482", "127.0.0.1", 19482), ("[::1]:0", "::1", 0), ("0.0.0.0:80", "0.0.0.0", 80)],
)
def test_an_address_to_listen_at(written: str, host: str, port: int) -> None:
    """With its port, and IPv6 in brackets."""
    metrics = loads(f'[metrics]\naddress = "{written}"').metrics
    assert metrics.listen is not None
    assert (str(metrics.listen.host), metrics.listen.port) == (host, port)
    assert str(metrics.listen) == written


def test_an_empty_address_switches_off() -> None:
    """A control socket is required only if it was named."""
    off = loads('[control]\nsocket = ""\n[metrics]\naddress = ""')
    assert off.control.socket is None
    assert off.metrics.listen is None
    assert loads('[control]\nsocket = "/c.sock"').control.is_explicit
    assert not loads("").control.is_explicit
