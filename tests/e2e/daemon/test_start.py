"""The start of the command line: a command loads what it uses, and no more."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bgpreflector.cli.app import command_line
from bgpreflector.cli.config_file import plain_socket
from bgpreflector.daemon.read_report import AnswerError, read_report
from bgpreflector.daemon.report import (
    HeldStatus,
    KernelStatus,
    LimitStatus,
    OverriddenPrefix,
    Requests,
    Resyncs,
    StatusReport,
    TableStatus,
    VppStatus,
)
from bgpreflector.defaults import DEFAULT_SOCKET
from lab.requirements import skip_if_lines_are_counted

LOADED = """
import json, sys
from bgpreflector.cli import main

def connecting(event, _):
    if event == "socket.connect":
        print(json.dumps(sorted(sys.modules)))
        sys.stdout.flush()

sys.addaudithook(connecting)
sys.argv = ["bgpreflector", *sys.argv[1:]]
main()
"""
"""Prints what is loaded when the daemon is asked."""

LIGHT = {"bgpreflector", "click"}
"""All that is loaded besides Python's own modules."""

HEAVY = {
    "asyncio",
    "bgpreflector._core",
    "bgpreflector.config",
    "bgpreflector.controller",
    "bgpreflector.reflector",
    "bgpreflector.routes.route",
    "bgpreflector.vpp",
    "concurrent.futures",
    "ctypes",
    "importlib.metadata",
    "logging",
    "subprocess",
}


def loaded_when_asked(*argv: str) -> set[str]:
    """The modules that are there when the command line asks a daemon; there is none."""
    skip_if_lines_are_counted()
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *argv],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 7, done.stderr
    return set(json.loads(done.stdout.splitlines()[0]))


def others(loaded: set[str]) -> set[str]:
    """Packages of ``loaded`` that are not Python's own, nor what a .pth file of tests loads."""
    python = sys.stdlib_module_names | {"__main__", "_distutils_hack", "coverage", "sitecustomize"}
    return {name.partition(".")[0] for name in loaded} - python


@pytest.mark.parametrize("form", [(), ("--json",), ("--check",), ("--legend",)])
def test_status_loads_no_daemon(form: tuple[str, ...], tmp_path: Path) -> None:
    """What a probe calls every few seconds asks the daemon before anything else is loaded."""
    file = tmp_path / "found.toml"
    file.write_text(f'[control]\nsocket = "{tmp_path}/control.sock"\n')
    loaded = loaded_when_asked("status", *form, "-c", str(file))
    assert "bgpreflector.control.client" in loaded
    assert others(loaded) <= LIGHT
    assert not HEAVY & loaded


def test_status_of_a_socket_reads_no_file(tmp_path: Path) -> None:
    loaded = loaded_when_asked("status", "--control", f"{tmp_path}/control.sock")
    assert not (HEAVY | {"tomllib"}) & loaded


def test_a_command_alone_is_as_among_the_others() -> None:
    whole = command_line()
    for name, among in whole.commands.items():
        alone = command_line(name)
        assert list(alone.commands) == [name]
        assert alone.commands[name].help == among.help
        params = [[p.opts for p in one.params] for one in (alone.commands[name], among)]
        assert params[0] == params[1]
        assert [p.opts for p in alone.params] == [p.opts for p in whole.params]
    assert list(command_line("staus").commands) == list(whole.commands)


REPORT = StatusReport(
    schema=3,
    version="1",
    pid=1,
    uptime_seconds=1.5,
    process_uptime_seconds=2.0,
    state="in_sync",
    in_sync=True,
    ready=True,
    paused=False,
    prefixes={"ipv4": {"installed": 3}},
    tables=(TableStatus(254, "ipv4", 0, {"installed": 3}),),
    unassigned_tables=(1002,),
    dirty=0,
    oldest_queued_seconds=None,
    queued_events=0,
    handler_errors={},
    next_hop_sets=1,
    path_sets=1,
    held_routes={},
    held=HeldStatus(0, 3, False, {}, "hold", {}),
    limit=LimitStatus(None, "refuse", False, 0),
    guard=None,
    hung=None,
    memory_bytes=1,
    source="kernel",
    fpm=None,
    kernel=KernelStatus(
        True, None, {}, {}, {}, 0, 0, False, 0, {"start": Resyncs(1, 0.5)}, {}, 1, 2
    ),
    vpp=VppStatus(
        True,
        None,
        "/s",
        "26.10",
        1.0,
        None,
        True,
        True,
        False,
        1,
        (OverriddenPrefix(0, "10.0.0.0/8", "cli"),),
        {"add": Requests(3, 0)},
        {},
        0,
        ("x",),
    ),
)


def test_a_report_is_read_as_it_was_written() -> None:
    answer = json.loads(json.dumps(REPORT.as_object()))
    assert read_report(answer) == REPORT
    assert read_report({**answer, "uptime_seconds": 2, "of_the_future": 1}) == replace(
        REPORT, uptime_seconds=2.0
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"dirty": True}, "dirty: True is no int"),
        ({"dirty": None}, "dirty: None is no int"),
        ({"tables": [{"table": 254}]}, r"tables\[0\].family is missing"),
        ({"prefixes": {"ipv4": []}}, r"prefixes.ipv4: \[\] is no dict"),
        ({"held": None}, "held: None is no dict"),
    ],
)
def test_an_answer_that_is_no_report(change: dict[str, object], said: str) -> None:
    with pytest.raises(AnswerError, match=said):
        read_report({**json.loads(json.dumps(REPORT.as_object())), **change})


@pytest.mark.parametrize(
    ("name", "text", "socket"),
    [
        ("a.toml", "", DEFAULT_SOCKET),
        ("a.toml", '[control]\nsocket = "/run/x"\n[kernel]\nwrong = 1', "/run/x"),
        ("a.toml", "control.socket = '/run/x'", "/run/x"),
        # What the configuration's own reader has to judge.
        ("a.toml", '[control]\nsocket = ""', None),
        ("a.toml", "[control]\nsocket = 5", None),
        ("a.toml", "control = 5", None),
        ("a.toml", "[control", None),
        ("contiv.conf", "", None),
    ],
)
def test_the_socket_of_a_file(name: str, text: str, socket: str | None, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    assert plain_socket(tmp_path / name) == socket


def test_the_socket_of_no_file(tmp_path: Path) -> None:
    assert plain_socket(tmp_path / "none.toml") is None
