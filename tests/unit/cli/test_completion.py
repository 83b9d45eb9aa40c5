"""What a shell offers: commands, options, files, network namespaces, interfaces, names."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from bgpreflector.cli import completion, completion_vpp
from bgpreflector.cli.completion import offers
from lab import Namespace
from lab.command import PROGRAM, run_command
from lab.requirements import skip_if_lines_are_counted


def words(line: str) -> list[str]:
    """What is offered for the last word of a line."""
    *before, current = line.split(" ")
    return [word for word, _ in offers(before, current)]


@pytest.fixture
def links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some interfaces and network namespaces."""
    for name, there in (("LINKS", ("eth0", "eth1", "lo")), ("NAMESPACES", ("dataplane", "other"))):
        for one in there:
            (tmp_path / name / one).mkdir(parents=True)
        monkeypatch.setattr(completion, name, str(tmp_path / name))


def test_commands_and_options() -> None:
    assert {"run", "show", "status", "plan"} <= set(words(""))
    assert words("re") == ["resync", "resume", "release", "reload"]
    assert words("show r") == ["routes", "route"]
    assert {"--config", "--netns", "--help"} <= set(words("run -"))
    assert "--netns" not in words("run --netns x -"), "it was given"
    assert "--protocol" in words("run --protocol bird -"), "it may be given again"
    assert {"--json", "--control"} <= set(words("status ")), "there is nothing but options"
    assert words("run --nowhere ") == words("run ")


@pytest.mark.usefixtures("links")
def test_values() -> None:
    assert words("run --netns ") == ["dataplane", "other"]
    assert words("run --netns=d") == ["--netns=dataplane"]
    assert words("run --interface ") == ["eth0=", "eth1="], "nothing is mapped to lo"
    assert words("show routes --interface e") == ["eth0", "eth1"]
    assert words("run --on-exit ") == ["keep", "flush"]
    assert words("run --protocol bi") == ["bird"]
    assert {"frr", "all"} <= set(words("run --protocol "))
    # What bash makes of --netns=d: "=" is a word of its own.
    assert words("run --netns = d") == ["dataplane"]


def test_a_host_without_network_namespaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is nothing to offer: `ip netns` makes the directory with the first one."""
    monkeypatch.setattr(completion, "NAMESPACES", str(tmp_path / "none"))
    assert words("run --netns ") == []


@pytest.mark.usefixtures("links")
def test_files_are_left_to_the_shell() -> None:
    """Where there is nothing, it offers them."""
    for line in ("run -c ", "run --config=", "check ", "status --control /run/", "run --netns /"):
        assert words(line) == [], line


def complete(shell: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the program as a shell's script does."""
    variables = {"_BGPREFLECTOR_COMPLETE": f"complete_{shell}", **environment}
    return run_command(exit_code=None, environment=variables)


def test_each_shell_in_its_way() -> None:
    line = "bgpreflector run --on-exit "
    bash = complete("bash", COMP_WORDS=line.replace(" ", "\n"), COMP_CWORD="3")
    assert (bash.returncode, bash.stdout) == (0, "keep\nflush\n")
    zsh = complete("zsh", _TYPER_COMPLETE_ARGS=line)
    assert zsh.stdout == '_arguments \'*: :(("keep"\n"flush"))\'\n'
    assert complete("zsh", _TYPER_COMPLETE_ARGS="bgpreflector run -c ").stdout == "_files\n"
    fish = complete("fish", _TYPER_COMPLETE_ARGS=line, _TYPER_COMPLETE_FISH_ACTION="get-args")
    assert fish.stdout == "keep\nflush\n"
    for end, code in (("-c ", 1), ("", 0)):
        arguments = f"bgpreflector run {end}"
        done = complete(
            "fish", _TYPER_COMPLETE_ARGS=arguments, _TYPER_COMPLETE_FISH_ACTION="is-args"
        )
        assert done.returncode == code


def test_a_quotation_that_is_not_closed_yet() -> None:
    """The words before it count, and there is no traceback."""
    for shell, offered in (("zsh", "_files\n"), ("fish", "")):
        done = complete(shell, _TYPER_COMPLETE_ARGS="bgpreflector run --config 'a fi")
        assert (done.returncode, done.stdout, done.stderr) == (0, offered, "")
    words = '_arguments \'*: :(("keep"\n"flush"))\'\n'
    assert complete("zsh", _TYPER_COMPLETE_ARGS="bgpreflector run -c 'a --on-exit ").stdout == words


def test_bash_itself(tmp_path: Path) -> None:
    """The script that the packages install, with a word that has a space."""
    program = tmp_path / "bgpreflector"
    program.write_text(f'#!/bin/sh\nexec {" ".join(PROGRAM)} "$@"\n')
    program.chmod(0o755)
    script = run_command(environment={"_BGPREFLECTOR_COMPLETE": "source_bash"}).stdout
    press_tab = (
        "COMP_WORDS=(bgpreflector run -c 'a file.toml' --log-level ''); COMP_CWORD=5; "
        f"_bgpreflector_completion {program}; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", f"{script}\n{press_tab}"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == ["debug", "info", "warning", "error"], done.stderr


WITH_LONG_TIMEOUT = "import bgpreflector.cli.completion_vpp as vpp; vpp.TIMEOUT = 30; "


def loaded_for(line: str, before: str = "") -> tuple[list[str], set[str]]:
    """What bash is offered for the last word of a line, and the modules that this took."""
    code = (
        f"{before}import sys; from bgpreflector.cli import main; main(); "
        "print(*sys.modules, sep='\\n', file=sys.stderr)"
    )
    words = ["bgpreflector", *line.split(" ")]
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "_BGPREFLECTOR_COMPLETE": "complete_bash",
            "COMP_WORDS": "\n".join(words),
            "COMP_CWORD": str(len(words) - 1),
        },
    )
    return done.stdout.split(), set(done.stderr.split())


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("st", ["status"]),
        ("run --on-exit ", ["keep", "flush"]),
        ("run --netns no-namespace-has-this-name", []),
        ("run -c ", []),
        ("run --control SOCKET --interface eth0=l", ["eth0=loop0"]),
    ],
)
def test_the_program_is_not_imported(line: str, offered: list[str], tmp_path: Path) -> None:
    """Nor anything that is not Python's own: completion is fast."""
    skip_if_lines_are_counted()
    socket_path = tmp_path / "c.sock"
    thread = answering(socket_path, *ROWS) if "SOCKET" in line else None
    before = WITH_LONG_TIMEOUT if thread is not None else ""
    words, modules = loaded_for(line.replace("SOCKET", str(socket_path)), before)
    if thread is not None:
        thread.join()
    assert words == offered
    assert "bgpreflector.cli.completion" in modules
    ours = {name for name in modules if name.startswith("bgpreflector.")}
    assert ours <= {
        "bgpreflector.cli",
        "bgpreflector.cli.completion",
        "bgpreflector.cli.completion_vpp",
    }
    python = sys.stdlib_module_names | {"__main__", "_distutils_hack", "coverage", "sitecustomize"}
    assert {name.partition(".")[0] for name in modules} - python == {"bgpreflector"}
    assert not modules & {"asyncio", "inspect", "logging", "pathlib", "subprocess", "typing"}


@pytest.mark.root
def test_the_host_s_namespaces(make_namespace: Callable[[str], Namespace]) -> None:
    made = make_namespace("completion")
    assert made.path.name in words("run --netns ")


def answering(path: Path, *lines: bytes) -> threading.Thread:
    """Makes a control socket that answers one request with these lines."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen()

    def serve() -> None:
        with server, server.accept()[0] as client:
            client.recv(1024)
            client.sendall(b"".join(line + b"\n" for line in lines))

    made = threading.Thread(target=serve)
    made.start()
    return made


ROWS = (
    b'{"row": {"sw_if_index": 1, "name": "GigabitEthernet0/9/0"}}',
    b'{"row": {"sw_if_index": 2, "name": "loop0"}}',
    b'{"end": {"schema": 3}}',
)


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("eth0=", ["eth0=GigabitEthernet0/9/0", "eth0=loop0"]),
        ("eth0=l", ["eth0=loop0"]),
        # As bash splits it.
        ("eth0 =", ["=GigabitEthernet0/9/0", "=loop0"]),
        ("eth0 = lo", ["loop0"]),
    ],
)
def test_the_interfaces_of_vpp(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, offered: list[str]
) -> None:
    """After the kernel's; from the daemon that the command line or the file names."""
    monkeypatch.setattr(completion_vpp, "TIMEOUT", 30)
    socket_path, file = tmp_path / "c.sock", tmp_path / "of.toml"
    file.write_text(f'[control]\nsocket = "{socket_path}"\n')
    for option, path in (("--control", socket_path), ("-c", file)):
        thread = answering(socket_path, *ROWS)
        assert words(f"run {option} {path} --interface {line}") == offered
        thread.join()
        socket_path.unlink()


@pytest.mark.parametrize("answer", [b"", b"no JSON", b"[]", b'{"row": 3}', b'{"error": {}}'])
def test_no_interfaces_of_vpp_without_a_daemon(tmp_path: Path, answer: bytes) -> None:
    """And none from what is no daemon; no error either way."""
    socket_path = tmp_path / "c.sock"
    assert words(f"run --control {socket_path} --interface eth0=") == []
    thread = answering(socket_path, answer)
    assert words(f"run --control {socket_path} --interface eth0=") == []
    thread.join()


def test_a_daemon_that_does_not_answer_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(completion_vpp, "TIMEOUT", 0.01)
    socket_path = tmp_path / "c.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(socket_path))
        server.listen()
        assert words(f"run --control {socket_path} --interface eth0=") == []
