"""The edges of the program: output that is full or closed, and text that a terminal would obey."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

PROGRAM = f"{sys.executable} -m bgpreflector"


def shell(command: str) -> subprocess.CompletedProcess[str]:
    """What a command of the shell does."""
    return subprocess.run(
        command, shell=True, check=False, capture_output=True, text=True, timeout=60
    )


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """A configuration that has nothing wrong."""
    file = tmp_path / "good.toml"
    file.write_text("")
    return file


def test_markup_in_a_name_is_text(tmp_path: Path) -> None:
    """Neither an error of its own nor obeyed; escape sequences are shown."""
    for name in ("[/x].toml", "[bold]x.toml", "\x1b[2J.toml"):
        done = shell(f"{PROGRAM} check '{tmp_path}/{name}'")
        assert "No such file" in done.stderr
        assert "Traceback" not in done.stderr
        assert name.replace("\x1b", "\\x1b") in done.stderr
        assert "\x1b" not in done.stderr


def test_standard_error_that_is_closed(tmp_path: Path) -> None:
    """The exit status says what is wrong all the same."""
    wrong = shell(f"{PROGRAM} check {tmp_path}/none.toml")
    closed = shell(f"{PROGRAM} check {tmp_path}/none.toml 2>&-")
    full = shell(f"{PROGRAM} check {tmp_path}/none.toml 2>/dev/full")
    assert closed.returncode == full.returncode == wrong.returncode not in (0, 1)


def test_standard_output_that_is_full_or_closed(good: Path) -> None:
    """A sentence, no traceback, and no success."""
    done = shell(f"{PROGRAM} check {good} >/dev/full")
    assert done.returncode == 1
    assert done.stderr == ("error: the output cannot be written: No space left on device\n")
    assert shell(f"{PROGRAM} check {good} >&-").returncode == 0


def test_a_disk_that_is_full_elsewhere_is_not_the_output() -> None:
    """The traceback shows what could not be written."""
    program = (
        "import errno, os, sys; import bgpreflector.cli.app as app; "
        "full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)); "
        "app.command_line = lambda _: lambda **_: (_ for _ in ()).throw(full); "
        "app.main()"
    )
    done = shell(f'{sys.executable} -c "{program}"')
    assert done.returncode == 1
    assert "the output cannot be written" not in done.stderr
    assert done.stderr.endswith("OSError: [Errno 28] No space left on device\n")
    for command in ("--help", "--version", "nonsense --help"):
        written = shell(f"{PROGRAM} {command} >/dev/full")
        assert "Traceback" not in written.stderr


def test_what_is_closed_is_no_socket() -> None:
    """The next descriptor that is opened does not get what is said."""
    program = "import os; from bgpreflector.cli.output import open_standard; open_standard(); "
    seen = "print(os.open('/etc/hostname', 0) > 2)"
    done = shell(f'{sys.executable} -c "{program}{seen}" 0<&- 2>&-')
    assert done.stdout == "True\n"


@contextmanager
def daemon_that_says(path: Path, *answers: bytes) -> Iterator[None]:
    """Answers the requests of each connection with a line of its own, whatever is asked."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    threading.Thread(target=answer, args=(connection,), daemon=True).start()

        def answer(connection: socket.socket) -> None:
            with connection, connection.makefile("rb") as requests, suppress(OSError):
                for line in answers:
                    requests.readline()
                    connection.sendall(line + b"\n")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(30)


OBEYED = "\x1b[31m"
"""What a terminal would obey, and Linux has no objection to in an interface's name."""

SAID = {
    "show interfaces": {
        "interface": OBEYED,
        "index": 1,
        "up": True,
        "mapped_by": "map",
        "vpp_interface": OBEYED,
        "sw_if_index": 1,
        "routes": 1,
    },
    "audit --repair": {"vpp_table": 0, "prefix": OBEYED, "kind": OBEYED},
}
"""A row of what some commands list."""


@pytest.mark.parametrize("command", SAID)
def test_a_name_that_a_terminal_would_obey_is_shown(tmp_path: Path, command: str) -> None:
    """Wherever it comes from: the kernel, VPP, or a route's creator."""
    end: dict[str, object] = {"count": 1, "found": {OBEYED: 1}, "left": {}, "state": "in_sync"}
    row = json.dumps({"row": SAID[command]}).encode()
    with daemon_that_says(tmp_path / "c.sock", row + b"\n" + json.dumps({"end": end}).encode()):
        done = shell(f"{PROGRAM} {command} --control {tmp_path}/c.sock")
    assert done.returncode == 0, done.stderr
    assert "\\x1b[31m" in done.stdout
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize(
    ("end", "code", "said"),
    [
        (">/dev/full", 1, "error: the output cannot be written: No space left on device\n"),
        ("| true", 0, ""),
    ],
)
def test_a_list_whose_last_lines_cannot_be_written(
    tmp_path: Path, end: str, code: int, said: str
) -> None:
    """Those that are in the buffer until the end: a full disk fails, a reader that has gone not."""
    row = json.dumps({"row": SAID["show interfaces"]}).encode()
    with daemon_that_says(tmp_path / "c.sock", row + b'\n{"end": {"count": 1}}'):
        command = f"{PROGRAM} show interfaces --control {tmp_path}/c.sock"
        done = shell(f"{{ {command}; echo $? >{tmp_path}/code; }} {end}")
    assert (tmp_path / "code").read_text() == f"{code}\n"
    assert done.stderr == said


ASKING = [
    "status",
    "pause",
    "resume",
    "resync",
    "reload",
    "release 192.0.2.0/24",
    "audit --repair",
    "show route 192.0.2.1",
    "monitor --count 1",
]


@pytest.mark.parametrize("command", ASKING)
def test_a_daemon_that_is_older(tmp_path: Path, command: str) -> None:
    """A sentence with both versions, and what to do."""
    end = json.dumps({"end": {"version": "0.0.1"}}).encode()
    with daemon_that_says(tmp_path / "c.sock", end, end):
        done = shell(f"{PROGRAM} {command} --control {tmp_path}/c.sock")
    assert done.returncode == 7
    assert "the daemon is bgpreflector 0.0.1" in done.stderr
    assert "restart the daemon" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("source", ["kernel", "fpm"])
def test_the_doctor_of_a_daemon_that_is_older(tmp_path: Path, source: str) -> None:
    """The same, among its findings."""
    file = tmp_path / "c.toml"
    sections = f'[control]\nsocket = "{tmp_path}/c.sock"\n[vpp]\napi_socket = "/none"\n'
    file.write_text(f'{sections}[source]\nkind = "{source}"\n')
    end = json.dumps({"end": {"version": "0.0.1"}}).encode()
    with daemon_that_says(tmp_path / "c.sock", end, end):
        done = shell(f"{PROGRAM} doctor --config {file}")
    assert "the daemon is bgpreflector 0.0.1" in done.stdout, done.stderr
    assert "Traceback" not in done.stderr


NO_ANSWERS = [
    b"220 mail.example ESMTP",
    b"[]",
    b"{}",
    b"7",
    b"x" * (17 << 20),
    b'{"end": NaN}',
    b'{"error": 5}',
    b'{"error": {"message": "no"}}',
    b'{"row": 5}',
]
ANSWERS_OF_ANOTHER_FORM = [b'{"row": {"table": {}}}\n{"end": {}}', b'{"end": {"version": 7}}']


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        *(("status", answer) for answer in NO_ANSWERS + ANSWERS_OF_ANOTHER_FORM),
        *(("pause", answer) for answer in ANSWERS_OF_ANOTHER_FORM),
        ("monitor --count 1", b'{"end": {"version": 7}}'),
        ("show routes", b'{"row": {"table": {}}}\n{"end": {}}'),
    ],
    ids=lambda what: str(what[:20]),
)
def test_another_program_at_the_control_socket(tmp_path: Path, command: str, answer: bytes) -> None:
    """It is called one, or the daemon of another version that it says to be."""
    with daemon_that_says(tmp_path / "c.sock", answer):
        done = shell(f"{PROGRAM} {command} --control {tmp_path}/c.sock")
    assert done.returncode == 7
    another = "the daemon is bgpreflector 7" if b"version" in answer else "no bgpreflector daemon"
    assert another in done.stderr
    assert "Traceback" not in done.stderr


def test_an_error_is_an_object_where_json_is_asked_for(tmp_path: Path) -> None:
    """Of a daemon, a configuration and the command line alike, on standard error alone."""
    (tmp_path / "wrong.toml").write_text("[kernel]\nprotocol = 12\n")
    for command, code in (
        (f"status --control {tmp_path}/none.sock", 7),
        (f"status -c {tmp_path}/none.toml", 78),
        ("show routes nonsense", 2),
        ("show routes --nonsense", 2),
        (f"check {tmp_path}/none.toml", 78),
    ):
        done = shell(f"{PROGRAM} {command} --json")
        error = json.loads(done.stderr)["error"]
        assert (done.returncode, error["exit_code"]) == (code, code), done.stderr
        assert error["message"]


def test_a_refusal_of_the_daemon_is_no_wrong_command_line(tmp_path: Path) -> None:
    """Exit status 2 is for what the command line alone shows to be wrong."""
    refusal = {"error": {"code": "arguments", "message": "the kernel has no interface x"}}
    with daemon_that_says(tmp_path / "c.sock", json.dumps(refusal).encode()):
        done = shell(f"{PROGRAM} show routes --interface x --control {tmp_path}/c.sock")
    assert (done.returncode, done.stderr) == (1, "error: the kernel has no interface x\n")


@pytest.mark.parametrize("command", ["", "run", "show", "show routes", "check", "simulate"])
def test_the_help_is_prose(command: str) -> None:
    """No boxes, no type of Python's, no line in the middle of a sentence; ``-h`` is the same."""
    done = shell(f"COLUMNS=80 {PROGRAM} {command} --help")
    assert done.stdout == shell(f"COLUMNS=80 {PROGRAM} {command} -h").stdout
    assert not set("│╭<…").intersection(done.stdout), done.stdout
    assert "..." not in done.stdout.replace("[ARGS]...", "")
    assert max(map(len, done.stdout.splitlines())) <= 80
    for line in ("state\n", "state (sd_notify)"):
        assert command != "run" or (line in done.stdout) == line.endswith(")")


def test_the_version_has_a_short_option() -> None:
    assert shell(f"{PROGRAM} -V").stdout == shell(f"{PROGRAM} --version").stdout != ""
