"""A BIRD 2 of our own in a namespace."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .bird_config import BirdConfig
from .netns import Namespace
from .process import end_process, log_ends
from .requirements import PATH
from .wait import wait_until

START = 15.0
ESTABLISH = 30.0
STOP = 60.0
"""Seconds; a BIRD that stops removes its routes from the kernel first."""


class BirdError(RuntimeError):
    """BIRD refused a command; the message is BIRD's."""


class Bird:
    """One BIRD process: starts, is reconfigured, is asked, is killed, starts again."""

    def __init__(self, namespace: Namespace, config: BirdConfig, directory: Path) -> None:
        self.namespace = namespace
        self.config = config
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Starts BIRD and waits until it answers. Raises `BirdError` with its words if it ends."""
        if self._process:
            raise BirdError(f"BIRD in {self.namespace.name} runs already")
        path = self.config.write(self._directory)
        self._socket.unlink(missing_ok=True)
        with (self._directory / "stderr").open("wb") as stderr:
            self._process = self.namespace.start(
                _program("bird"), "-f", "-c", str(path), "-s", str(self._socket),
                "-P", str(self._directory / "bird.pid"),
                stdin=subprocess.DEVNULL, stdout=stderr, stderr=stderr,
            )  # fmt: skip
        try:
            wait_until(self._answers, START, f"BIRD in {self.namespace.name} answers")
        except BaseException:
            self.kill()
            raise

    def kill(self) -> None:
        """Ends BIRD with SIGKILL: its routes stay in the kernel."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ends BIRD in order: it removes its routes from the kernel."""
        self._end(signal.SIGTERM)

    def restart(self) -> None:
        """Starts BIRD again, killing it first if it runs."""
        self.kill()
        self.start()

    def configure(self, config: BirdConfig) -> None:
        """Takes another configuration over, or raises `BirdError` with BIRD's complaint."""
        self.config = config
        config.write(self._directory)
        answer = self.birdc("configure")
        if "Reconfigur" not in answer:
            raise BirdError(f"BIRD in {self.namespace.name} refuses its configuration: {answer}")

    def birdc(self, *command: str) -> str:
        """What BIRD answers to a command."""
        done = subprocess.run(
            [_program("birdc"), "-s", str(self._socket), *command],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise BirdError(f"birdc {' '.join(command)}: {done.stdout}{done.stderr}{self.log()}")
        return done.stdout

    def sessions(self) -> dict[str, str]:
        """Each BGP session by its name: "Established", or what BIRD shows of its state instead."""
        lines = [line.split() for line in self.birdc("show", "protocols").splitlines()]
        return {
            words[0]: words[-1] if words[-1] == "Established" else " ".join(words[3:])
            for words in lines
            if len(words) > 3 and words[1] == "BGP"
        }

    def wait_established(self) -> None:
        """Waits until every BGP session is established."""
        wait_until(
            self.sessions,
            ESTABLISH,
            f"BGP sessions of {self.namespace.name} established",
            accept=lambda states: bool(states) and set(states.values()) == {"Established"},
        )

    def log(self) -> str:
        """The end of what BIRD wrote."""
        return log_ends(self._directory / name for name in ("stderr", "bird.log"))

    @property
    def _socket(self) -> Path:
        return self._directory / "bird.ctl"

    def _answers(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise BirdError(f"BIRD in {self.namespace.name} ended: {self.log()}")
        if not self._socket.exists():
            return False
        try:
            return "Daemon is up and running" in self.birdc("show", "status")
        except BirdError:
            return False

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is not None and not end_process(process, number, STOP):
            raise BirdError(f"BIRD did not end within {STOP} s: {self.log()}")


@contextmanager
def running_bird(namespace: Namespace, config: BirdConfig) -> Iterator[Bird]:
    """A BIRD that runs in the namespace; killed and cleaned up at the end."""
    # Not under pytest's directory: a socket's path has at most 107 bytes.
    with tempfile.TemporaryDirectory(prefix="bgpr-bird-") as directory:
        made = Bird(namespace, config, Path(directory))
        try:
            made.start()
            yield made
        finally:
            made.kill()


def _program(name: str) -> str:
    path = shutil.which(name, path=PATH)
    if path is None:
        raise BirdError(f"{name} is not installed (Debian: apt-get install bird2)")
    return path
