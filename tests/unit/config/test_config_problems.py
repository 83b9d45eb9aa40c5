"""Wrong configurations: every problem by its key, with what is allowed."""

from __future__ import annotations

import json
import os
import select
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from bgpreflector.cli.app import command_line
from bgpreflector.config import ConfigError, load, loads, loads_contiv
from config.config_support import problems
from lab import wait_until

if TYPE_CHECKING:
    from pathlib import Path


DURATION = 'must be a number of seconds or a duration such as "90s", "5m" or "1h30m"'
BYTES = 'must be a number of bytes or a size such as "32 MiB"'
PROTOCOL = (
    'must be a protocol, 1 to 255 or a name such as "bird" or "bgp", or one of the groups '
    '"frr" and "all"'
)
NAMESPACE = "must be a name as in `ip netns list` or an absolute path"
SOCKET = "must be an absolute path of at most 107 bytes"
TABLE = 'must be a kernel table, 1 to 4294967295, "main", or another name of iproute2\'s rt_tables'
LINUX = "must be the name of a Linux interface: 1 to 15 characters, no space, / or :"
VPP = "must be a VPP interface: its name, 1 to 63 characters without space, or its sw_if_index"
RULE = 'must be a prefix such as "10.0.0.0/8" or "10.0.0.0/8{16,24}": '
LISTEN = 'must be an address and a port such as "127.0.0.1:19482" or "[::1]:19482"'
VPP_SOURCE = "must not be a FIB source of VPP itself or a plugin, whose routes would count as ours"
SOURCE = "must be 1 to 63 printable ASCII characters without space"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('use_external_ipam = "yes"', 'use_external_ipam = "yes": must be true or false'),
        ("kernel = 3", "kernel = 3: must be a section"),
        ('[control]\nsocket = "c.sock"', f'control.socket = "c.sock": {SOCKET}'),
        ("[control]\nsocket = 1", f"control.socket = 1: {SOCKET}"),
        ("[metrics]\naddress = 19482", f"metrics.address = 19482: {LISTEN}"),
        ('[metrics]\naddress = "::1:19482"', f'metrics.address = "::1:19482": {LISTEN}'),
        ('[metrics]\naddress = "localhost:1"', f'metrics.address = "localhost:1": {LISTEN}'),
        (
            '[metrics]\naddress = "127.0.0.1:65536"',
            f'metrics.address = "127.0.0.1:65536": {LISTEN}',
        ),
        ("[kernel]\nprotocols = 12", "kernel.protocols = 12: must be a list"),
        ("[kernel]\nprotocols = []", "kernel.protocols = []: must not be empty"),
        ("[kernel]\nprotocols = [256]", f"kernel.protocols[0] = 256: {PROTOCOL}"),
        ("[kernel]\nprotocols = [true]", f"kernel.protocols[0] = true: {PROTOCOL}"),
        (
            '[kernel]\nprotocols = [4, "brid"]',
            f'kernel.protocols[1] = "brid": {PROTOCOL}; did you mean "bird"?',
        ),
        (
            '[kernel]\nprotocols = [12, "bird"]',
            'kernel.protocols = [12, "bird"]: must name everything once; named twice: 12',
        ),
        ("[kernel]\ntables = [0]", f"kernel.tables[0] = 0: {TABLE}"),
        (
            '[kernel]\nfamilies = ["inet"]',
            'kernel.families[0] = "inet": must be "ipv4" or "ipv6"',
        ),
        ('[kernel]\nreceive_buffer = "3 foo"', f'kernel.receive_buffer = "3 foo": {BYTES}'),
        ("[kernel]\nreceive_buffer = 1", "kernel.receive_buffer = 1: must be at least 65536"),
        ('[kernel]\nnamespace = "a/b"', f'kernel.namespace = "a/b": {NAMESPACE}'),
        (
            '[kernel]\nforeign_routes = "hid"',
            'kernel.foreign_routes = "hid": must be "hide" or "ignore"; did you mean "hide"?',
        ),
        (
            '[kernel]\nallow = ["10.0.0.0"]',
            f'kernel.allow[0] = "10.0.0.0": {RULE}not ADDRESS/LENGTH or ADDRESS/LENGTH{{LOW,HIGH}}',
        ),
        (
            '[kernel]\ndeny = ["10.0.0.1/8"]',
            f'kernel.deny[0] = "10.0.0.1/8": {RULE}10.0.0.1/8 has host bits set',
        ),
        (
            '[kernel]\ndeny = ["::/0{8,4}"]',
            (
                f'kernel.deny[0] = "::/0{{8,4}}": {RULE}lengths within ::/0 are 0 to 128, '
                "the lower one first"
            ),
        ),
        (
            "[kernel]\nallow = [7]",
            f"kernel.allow[0] = 7: {RULE}not ADDRESS/LENGTH or ADDRESS/LENGTH{{LOW,HIGH}}",
        ),
        (
            '[kernel]\nallow = ["10.0.0.0/8", "10.0.0.0/8"]',
            (
                'kernel.allow = ["10.0.0.0/8", "10.0.0.0/8"]: must name everything once; '
                "named twice: 10.0.0.0/8"
            ),
        ),
        ('[vpp]\napi_socket = "api.sock"', f'vpp.api_socket = "api.sock": {SOCKET}'),
        ("[vpp]\nmax_in_flight = 0", "vpp.max_in_flight = 0: must be at least 1"),
        ("[vpp]\nmax_in_flight = 70000", "vpp.max_in_flight = 70000: must be at most 65536"),
        ("[vpp]\nmax_in_flight = 1.5", "vpp.max_in_flight = 1.5: must be a whole number"),
        ("[vpp]\nrate_limit = 0", "vpp.rate_limit = 0: must be at least 1"),
        ("[vpp]\nkeepalive_interval = -1.0", "vpp.keepalive_interval = -1.0: must be at least 0"),
        ('[vpp]\nrequest_timeout = "1 x"', f'vpp.request_timeout = "1 x": {DURATION}'),
        ('[vpp]\nrequest_timeout = "2h"', "vpp.request_timeout = 7200.0: must be at most 3600"),
        ('[vpp]\nrequest_timeout = ""', f'vpp.request_timeout = "": {DURATION}'),
        ("[vpp]\nconnect_timeout = 0", "vpp.connect_timeout = 0: must be more than 0"),
        ('[vpp.fib_source]\nname = "a b"', f'vpp.fib_source.name = "a b": {SOURCE}'),
        *(
            (f'[vpp.fib_source]\nname = "{name}"', f'vpp.fib_source.name = "{name}": {VPP_SOURCE}')
            for name in ("interface", "recursive-resolution", "API", "lcp-rt")
        ),
        ("[vpp.fib_source]\npriority = 255", "vpp.fib_source.priority = 255: must be at most 254"),
        ('[vpp.interfaces.map]\neth0 = "a b"', f'vpp.interfaces.map.eth0 = "a b": {VPP}'),
        ('[vpp.interfaces.map]\n"a/b" = 1', f"vpp.interfaces.map.a/b: {LINUX}"),
        ("[vpp.interfaces]\nmain_interface = -1", f"vpp.interfaces.main_interface = -1: {VPP}"),
        (
            '[vpp.interfaces]\nstrategies = ["main"]',
            (
                'vpp.interfaces.strategies = ["main"]: must not have "main" without '
                "vpp.interfaces.main_interface"
            ),
        ),
        (
            '[vpp.interfaces]\nmain_interface = 1\nstrategies = ["name"]',
            (
                'vpp.interfaces.strategies = ["name"]: must have "main" for '
                "vpp.interfaces.main_interface to be used"
            ),
        ),
        (
            '[vpp.interfaces]\nstrategies = ["name"]\nmap = { eth0 = 1 }',
            (
                'vpp.interfaces.strategies = ["name"]: must have "map" for '
                "vpp.interfaces.map to be used"
            ),
        ),
        ("[vpp.tables]\nfoo = 1", f"vpp.tables.foo: {TABLE}"),
        ("[vpp.tables]\n5 = -1", "vpp.tables.5 = -1: must be at least 0"),
        (
            "[vpp.tables]\nmain = 1\n254 = 2",
            'vpp.tables = {"main": 1, "254": 2}: must name everything once; named twice: 254',
        ),
        (
            "[kernel]\ntables = [254, 100]",
            (
                "vpp.tables: must say into which VPP table kernel table 100, which is in "
                "kernel.tables, goes; for instance 100 = 100"
            ),
        ),
        (
            "[kernel]\ntables = [254, 100]\n[vpp.tables]\n100 = 0",
            (
                "vpp.tables: must not send two kernel tables, 254 and 100, into VPP table 0: their "
                "routes would replace each other"
            ),
        ),
        (
            "[controller]\nhealing_delay = nan",
            "controller.healing_delay = NaN: must be a finite number",
        ),
        ("[controller]\nretry_attempts = -1", "controller.retry_attempts = -1: must be at least 0"),
        (
            '[log]\nlevel = "warn"',
            (
                'log.level = "warn": must be "debug", "info", "warning" or "error"; did you mean '
                '"warning"?'
            ),
        ),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(text: str, problem: str) -> None:
    assert problems(text) == [problem]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[vpp]\nmax_in_flght = 1", 'vpp.max_in_flght: unknown key; did you mean "max_in_flight"?'),
        ("max_in_flight = 1", "max_in_flight: unknown key; did you mean vpp.max_in_flight?"),
        ("useExternalIpam = true", 'useExternalIpam: unknown key; did you mean "useExternalIPAM"?'),
        ("[vpp.fib_source]\nnme = 'x'", 'vpp.fib_source.nme: unknown key; did you mean "name"?'),
        ("[log]\nzzz = 1", "log.zzz: unknown key; known here: level, format"),
    ],
)
def test_an_unknown_key_is_refused_with_a_suggestion(text: str, problem: str) -> None:
    assert problems(text) == [problem]


def test_all_problems_are_reported_at_once() -> None:
    found = problems(
        """
        max_in_flght = 3
        use_external_ipam = 1
        useExternalIPAM = true
        [kernel]
        protocols = ["brid", 300]
        foreign_routes = "x"
        [vpp]
        max_in_flight = 0
        [vpp.interfaces]
        strategies = ["main"]
        [log]
        level = 3
        """
    )
    assert [line.split(": ")[0].split(" = ")[0] for line in found] == [
        "useExternalIPAM",
        "use_external_ipam",
        "kernel.protocols[0]",
        "kernel.protocols[1]",
        "kernel.foreign_routes",
        "vpp.max_in_flight",
        "vpp.interfaces.strategies",
        "log.level",
        "max_in_flght",
    ]


def test_the_error_names_the_file_and_all_problems(tmp_path: Path) -> None:
    path = tmp_path / "reflector.toml"
    path.write_text("[vpp]\nmax_in_flight = 0\nmax_in_flght = 0\n")
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert str(caught.value) == (
        f"{path}: the configuration cannot be used:\n"
        "  vpp.max_in_flight = 0: must be at least 1\n"
        '  vpp.max_in_flght: unknown key; did you mean "max_in_flight"?'
    )


def test_broken_toml_is_refused_with_its_place() -> None:
    assert problems("a = 1\nb = =\n") == [
        "this is not TOML: Invalid value (at line 2, column 5)",
    ]


def test_a_file_that_is_missing_or_not_utf_8(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file or directory"):
        load(tmp_path / "none.toml")
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load(binary)


HUGE_NUMBER = "9" * 4301
DEPTH = 20000
BROKEN_YAML = {
    "a date of 30 February": "mainVRFID: 2026-02-30",
    "an alias within itself": "a: &a [*a]",
    "aliases of aliases": "\n".join(
        ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
        + [f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 10)}]" for n in range(9)]
    ),
    "a huge number": f"mainVRFID: {HUGE_NUMBER}",
    "deep nesting": "a: " + "[" * DEPTH + "]" * DEPTH,
    "an empty integer": 'mainVRFID: !!int ""',
    "an invalid boolean": "mainVRFID: !!bool perhaps",
    "an invalid time": "mainVRFID: !!timestamp noon",
    "a surrogate": "a: \ud800",
}


@pytest.mark.parametrize("text", BROKEN_YAML.values(), ids=BROKEN_YAML.keys())
def test_broken_yaml_is_a_configuration_error(text: str) -> None:
    """Whatever the parser raises for it."""
    with pytest.raises(ConfigError, match=r"^contiv\.conf: "):
        loads_contiv(text)


@pytest.mark.parametrize(
    "text",
    [
        f"a = {HUGE_NUMBER}",
        "a = " + "[" * DEPTH + "]" * DEPTH,
        "[" + ".".join("a" * 2000) + "]",
        "a = 2026-02-30",
    ],
    ids=["number", "lists", "sections", "date"],
)
def test_broken_toml_is_a_configuration_error(text: str) -> None:
    """Whatever the parser raises for it."""
    with pytest.raises(ConfigError, match=r"^mine: "):
        loads(text, source="mine")


@pytest.mark.parametrize("name", ["c.toml", "c.yaml"])
def test_a_byte_order_mark(tmp_path: Path, name: str) -> None:
    """UTF-8's is no part of the text; the error names UTF-16."""
    file = tmp_path / name
    text = "mainVRFID: 7" if name.endswith("yaml") else "mainVRFID = 7"
    file.write_text(text, encoding="utf-8-sig")
    assert load(file).table_map == {254: 7}
    file.write_text(text, encoding="utf-16")
    with pytest.raises(ConfigError, match="the file is not UTF-8 but UTF-16: save it as UTF-8"):
        load(file)


def test_a_kubernetes_manifest_is_recognised() -> None:
    """The error says where the configuration is in it."""
    config_map = "apiVersion: v1\nkind: ConfigMap\ndata:\n  contiv.conf: |\n    mainVRFID: 7\n"
    daemon_set = "apiVersion: apps/v1\nkind: DaemonSet\n"
    for text in (config_map, f"---\n{config_map}---\n{daemon_set}"):
        with pytest.raises(ConfigError, match=r"a Kubernetes manifest .* its ConfigMap"):
            loads_contiv(text)
    with pytest.raises(ConfigError, match="2 documents"):
        loads_contiv("mainVRFID: 7\n---\nmainVRFID: 8\n")


@pytest.mark.parametrize("path", ["/dev/zero", "/proc/self/mem", "/", "a\0b"])
def test_a_path_that_is_no_regular_file(path: str) -> None:
    """An endless device does not fill the memory."""
    with pytest.raises(ConfigError, match="cannot be read"):
        load(path)


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    """A named pipe for a configuration."""
    path = tmp_path / "c.toml"
    os.mkfifo(path)
    return path


@pytest.mark.parametrize(
    ("text", "table"),
    [("mainVRFID = 7", 7), (f"# {'x' * (1 << 17)}\nmainVRFID = 8", 8)],
    ids=["short", "more than a pipe holds"],
)
def test_a_pipe_is_read(pipe: Path, text: str, table: int) -> None:
    """To its end, as that of a shell's `<(…)`."""
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    writer = threading.Thread(target=pipe.write_text, args=(text,))
    writer.start()
    wait_until(lambda: select.select([reader], [], [], 0)[0], 30, "something is written")
    if table == 7:
        # A short text: the writer ends before it is read.
        writer.join()
    assert load(pipe).table_map == {254: table}
    writer.join()
    os.close(reader)


@pytest.mark.parametrize("silent", [False, True])
def test_an_empty_pipe_is_no_configuration(
    pipe: Path, silent: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pipe that was read is empty at a reload; a silent writer is waited for briefly."""
    # The package's `load` is the function.
    monkeypatch.setattr(sys.modules["bgpreflector.config.load"], "PIPE_TIMEOUT", 0.1)
    reader = os.open(pipe, os.O_RDWR if silent else os.O_RDONLY | os.O_NONBLOCK)
    with pytest.raises(ConfigError, match="a pipe that nobody writes to; a pipe can be read only"):
        load(f"/dev/fd/{reader}")
    os.close(reader)


def test_check_prints_json_that_is_json(tmp_path: Path) -> None:
    """It has neither nan nor inf."""
    file = tmp_path / "c.toml"
    file.write_text("[vpp]\naudit_interval = nan\nconnect_timeout = inf\nmax_in_flight = [inf]\n")
    done = CliRunner().invoke(command_line(), ["check", "--json", str(file)])

    def refuse_constant(name: str) -> None:
        raise AssertionError(name)

    printed = json.loads(done.stdout, parse_constant=refuse_constant)
    assert {problem["key"] for problem in printed["problems"]} == {
        "vpp.audit_interval",
        "vpp.connect_timeout",
        "vpp.max_in_flight",
    }


def test_a_long_value_is_cut_short() -> None:
    """The message is for a terminal and a log."""
    (problem,) = problems(f'use_external_ipam = "{"x" * 5000}"')
    assert len(problem) < 400
