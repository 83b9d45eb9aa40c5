"""``bgpreflector run`` as a supervisor runs it."""

from __future__ import annotations

import signal
from contextlib import suppress
from pathlib import Path

from bgpreflector.control import ControlClient
from bgpreflector.errors import ControlError
from daemon.running import RunningDaemon
from lab import Namespace, wait_until
from oracle.operations import LINKS

from .expected import VPP_TABLES

NO_VPP = 4
"""Exit code of a start without a VPP that answers."""

START = 30.0
"""Seconds that a start may take on a busy machine."""

SHOWN = 4000
"""Characters of the log's end that an error shows."""

CONFIG = """
[vpp]
wait = false
api_socket = "{socket}"
connect_timeout = 0.5
request_timeout = 0.5
max_in_flight = 16

[vpp.interfaces]
map = {{ {interfaces} }}

[vpp.tables]
{vpp_tables}

[kernel]
namespace = "{namespace}"
tables = {kernel_tables}

[controller]
healing_delay = 0.1
retry_delay = 0.05
"""
"""Small times, so that what waits for them ends soon; few requests in flight, so that much can
happen between two of them."""


class Service:
    """One daemon after the other, each with a log of its own."""

    def __init__(self, directory: Path, namespace: Namespace, socket: Path) -> None:
        self._directory = directory
        self._config = directory / "bgpreflector.toml"
        self._config.write_text(
            CONFIG.format(
                socket=socket,
                namespace=namespace.name,
                kernel_tables=list(VPP_TABLES),
                vpp_tables="\n".join(f"{kernel} = {vpp}" for kernel, vpp in VPP_TABLES.items()),
                interfaces=", ".join(f'{link} = "loop{n}"' for n, link in enumerate(LINKS)),
            )
        )
        self._starts = 0
        self._daemon: RunningDaemon | None = None

    @property
    def runs(self) -> bool:
        """Whether it was started and not ended since."""
        return self._daemon is not None

    def start(self) -> None:
        """Starts it unless it runs."""
        if self._daemon is None:
            self._starts += 1
            log = self._directory / f"run-{self._starts}.log"
            self._daemon = RunningDaemon("--config", str(self._config), log=log)

    def end(self, number: int) -> None:
        """Ends it with a signal and checks that it ends as it should."""
        daemon, self._daemon = self._daemon, None
        if daemon is None:
            return
        code = daemon.end(number)
        expected = {-signal.SIGKILL} if number == signal.SIGKILL else {0}
        # A daemon that had not got so far does not know of signals, or of a VPP.
        early = {-number, NO_VPP} if not _connected(daemon) else set()
        assert code in expected | early, f"exit code {code}:\n{_tail(daemon)}"
        # What goes wrong is expected to, and is said in words.
        assert "Traceback" not in daemon.log(), _tail(daemon)

    def kill(self) -> None:
        """Ends it whatever it does."""
        daemon, self._daemon = self._daemon, None
        if daemon is not None and daemon.process.poll() is None:
            daemon.end(signal.SIGKILL)

    def check(self) -> None:
        """Sees that it runs; one that found no VPP at its start is started again."""
        daemon = self._daemon
        if daemon is None or (code := daemon.process.poll()) is None:
            return
        if code == NO_VPP and not _connected(daemon):
            self._daemon = None
            self.start()
            return
        raise AssertionError(f"the daemon has ended with exit code {code}:\n{_tail(daemon)}")

    def await_connection(self) -> None:
        """Waits until it has connected to VPP and is about to read it."""
        self._await("Connected to VPP")

    def await_first_resync(self) -> None:
        """Waits until its first resync is done, or it has ended for want of a VPP."""
        self._await("Resync done: ")

    def _await(self, words: str) -> None:
        daemon = self._daemon
        assert daemon is not None
        wait_until(
            lambda: words in daemon.log() or daemon.process.poll() is not None,
            START,
            f"the daemon has logged {words!r}",
            interval=0.001,
        )
        self.check()

    def release(self) -> None:
        """Releases the routes that are held because they crashed VPP."""
        self._ask("release")

    def approve(self) -> None:
        """Lets the first sync delete most of what VPP has, if it waits for that."""
        if self._daemon is not None and "until `bgpreflector resume`" in self._daemon.log():
            self._ask("resume")

    def _ask(self, command: str) -> None:
        assert self._daemon is not None
        with suppress(ControlError), ControlClient(self._daemon.control, timeout=60) as client:
            client.ask(command).end  # noqa: B018

    def log(self) -> str:
        """The end of what the last one logged."""
        return "" if self._daemon is None else _tail(self._daemon)


def _connected(daemon: RunningDaemon) -> bool:
    return "Connected to VPP" in daemon.log()


def _tail(daemon: RunningDaemon) -> str:
    return daemon.log()[-SHOWN:]
