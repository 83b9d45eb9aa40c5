"""The end on a signal, whichever thread gets it."""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from daemon.running import running_daemon
from lab import wait_until
from lab.command import PROGRAM

TGKILL = {"x86_64": 234, "aarch64": 131}
"""Number of the system call (``__NR_tgkill``), by machine."""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_that_another_thread_gets(number: signal.Signals, tmp_path: Path) -> None:
    """The kernel may choose any; the main thread sleeps on and yet has to end."""
    call = TGKILL.get(platform.machine())
    if call is None:
        pytest.skip("system: the number of tgkill is not known for this machine: add it to TGKILL")
    path = tmp_path / "vpp.sock"
    arguments = ("simulate", "--socket", str(path))
    with subprocess.Popen([*PROGRAM, *arguments], stderr=subprocess.PIPE) as process:
        try:
            assert process.stderr is not None
            assert b"Listening" in process.stderr.readline()
            tasks = Path(f"/proc/{process.pid}/task")
            others = [int(task.name) for task in tasks.iterdir() if int(task.name) != process.pid]
            stat = tasks / str(process.pid) / "stat"
            wait_until(lambda: "S" in stat.read_text().split()[2], 10, "the main thread sleeps")
            libc = ctypes.CDLL(None, use_errno=True)
            done = libc.syscall(call, process.pid, others[0], int(number))
            assert done == 0, os.strerror(ctypes.get_errno())
            assert process.wait(20) == 0
        finally:
            process.kill()


def test_many_signals_are_one_and_the_end_is_first() -> None:
    """More of them than the buffer of what wakes has room for."""
    program = (
        "import os, signal, threading\n"
        "from bgpreflector.cli.signals import End\n"
        "end = End(signal.SIGHUP)\n"
        "for _ in range(2000): os.kill(os.getpid(), signal.SIGHUP)\n"
        "assert end.wait() == signal.SIGHUP\n"
        "threading.Timer(0.1, end.wake).start()\n"
        "assert end.wait() == 0\n"
        "for _ in range(2000): os.kill(os.getpid(), signal.SIGHUP)\n"
        "os.kill(os.getpid(), signal.SIGTERM)\n"
        "assert end.wait() == signal.SIGTERM\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_a_hang_up_before_anything_is_imported(tmp_path: Path) -> None:
    """It ends nothing: the command line ignores it before it imports what takes time."""
    program = (
        "import os, signal, sys\n"
        "import bgpreflector.cli as cli\n"
        "assert 'click' not in sys.modules and 'pydantic' not in sys.modules\n"
        "sys.argv = ['bgpreflector', 'run', '--config', sys.argv[1]]\n"
        "class Finder:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'click': os.kill(os.getpid(), signal.SIGHUP)\n"
        "sys.meta_path.insert(0, Finder())\n"
        "cli.main()\n"
    )
    none = tmp_path / "none.toml"
    done = subprocess.run(
        [sys.executable, "-c", program, str(none)], check=False, capture_output=True, text=True
    )
    assert done.returncode > 0, "not by a signal"
    assert "No such file" in done.stderr


@pytest.mark.root
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_end_while_vpp_is_mute_at_the_start(tmp_path: Path, number: signal.Signals) -> None:
    """At once, with 0: while it connects it has programmed nothing."""
    path, config = tmp_path / "vpp.sock", tmp_path / "c.toml"
    config.write_text("[vpp]\nconnect_timeout = 3600\nrequest_timeout = 3600\n")
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(path))
        mute.listen()
        arguments = ("--config", str(config), "--socket", str(path))
        with running_daemon(tmp_path / "d.log", *arguments) as daemon:
            connection, _ = mute.accept()
            daemon.process.send_signal(signal.SIGHUP)
            assert daemon.end(number) == 0, daemon.log()
            connection.close()
            assert "Traceback" not in daemon.log()
