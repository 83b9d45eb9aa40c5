"""FRR's zebra and staticd in a namespace: Debian's, which have no use for answers (8.4.4)."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab import Namespace, wait_until

PROGRAMS = Path("/usr/lib/frr")
MODULE = "dplane_fpm_nl"
TIMEOUT = 30.0


def is_there() -> bool:
    """Whether FRR is installed."""
    return (PROGRAMS / "zebra").exists() and shutil.which("vtysh") is not None


class Frr:
    """zebra with its forwarding plane manager, and staticd."""

    def __init__(self, namespace: Namespace, directory: Path, configuration: str) -> None:
        self._namespace = namespace
        self._directory = directory
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._config = directory / "frr.conf"
        self._config.write_text(configuration)

    def start(self) -> None:
        """Starts both and waits until they answer."""
        self._start("zebra", "-M", MODULE)
        self._start("staticd")
        self.vtysh("show version")
        self._vtysh("-b", "-f", str(self._config))

    def _start(self, name: str, *more: str) -> None:
        files = self._directory
        with (files / f"{name}.err").open("wb") as errors:
            self._processes[name] = self._namespace.start(
                str(PROGRAMS / name), "-f", "/dev/null", "-z", str(files / "zserv.api"),
                "-i", str(files / f"{name}.pid"), "--vty_socket", str(files), *more,
                stdout=subprocess.DEVNULL, stderr=errors,
            )  # fmt: skip
        socket = files / f"{name}.vty"
        wait_until(socket.exists, TIMEOUT, f"{name} listens: {(files / f'{name}.err').read_text()}")

    def vtysh(self, *commands: str) -> str:
        """What the commands print."""
        return self._vtysh(*(part for command in commands for part in ("-c", command)))

    def configure(self, *lines: str) -> None:
        """Changes the configuration."""
        self.vtysh("configure terminal", *lines)

    def _vtysh(self, *arguments: str) -> str:
        return self._namespace.run("vtysh", "--vty_socket", str(self._directory), *arguments)

    def version(self) -> tuple[int, ...]:
        """As it says."""
        found = re.search(r"FRRouting (\d+)\.(\d+)", self.vtysh("show version"))
        assert found is not None
        return tuple(map(int, found.groups()))

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Ends both."""
        for process in self._processes.values():
            os.kill(process.pid, number)
            process.wait(TIMEOUT)
        self._processes.clear()
        for path in self._directory.glob("*.vty"):
            path.unlink(missing_ok=True)


@contextmanager
def frr(namespace: Namespace, configuration: str) -> Iterator[Frr]:
    """One that runs."""
    with tempfile.TemporaryDirectory(prefix="bgpr-frr-") as directory:
        # It gives up root's rights.
        shutil.chown(directory, "frr", "frr")
        made = Frr(namespace, Path(directory), configuration)
        made.start()
        try:
            yield made
        finally:
            made.kill()
