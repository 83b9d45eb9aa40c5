"""Network namespaces: made, entered, connected, and always removed."""

from __future__ import annotations

import ctypes
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from .wait import wait_until

T = TypeVar("T")

CLONE_NEWNET = 0x40000000
SETTLE = 10.0
"""Seconds that links and killed processes get."""

_numbers = itertools.count()


@dataclass(frozen=True)
class Namespace:
    """A network namespace that ``ip netns`` knows by name."""

    name: str

    @property
    def path(self) -> Path:
        """The file that the namespace is mounted on."""
        return Path("/run/netns") / self.name

    def command(self, *argv: str) -> list[str]:
        """The command line that runs ``argv`` in the namespace, in the same process id."""
        return ["ip", "netns", "exec", self.name, *argv]

    def run(self, *argv: str, stdin: str | None = None) -> str:
        """Runs a command in the namespace and returns its output.

        Raises ``RuntimeError`` with the command's own words where it fails.
        """
        return run(*self.command(*argv), stdin=stdin)

    def ip(self, *argv: str) -> str:
        """Runs ``ip`` in the namespace and returns its output."""
        return run("ip", "-netns", self.name, *argv)

    def ip_json(self, *argv: str) -> list[dict[str, Any]]:
        """Runs ``ip -json`` in the namespace, names as numbers, and returns what it lists."""
        output = self.ip("-N", "-json", *argv).strip()
        listed: list[dict[str, Any]] = json.loads(output) if output else []
        return [entry for entry in listed if entry]

    def start(self, *argv: str, **options: Any) -> subprocess.Popen[bytes]:
        """Starts a command in the namespace; ``options`` are those of ``Popen``."""
        return subprocess.Popen(self.command(*argv), **options)

    def call(self, function: Callable[[], T]) -> T:
        """Calls ``function`` in a new thread inside the namespace and returns its result.

        Sockets that it makes belong to the namespace, wherever they are used later.
        """
        result: Future[T] = Future()

        def body() -> None:
            try:
                _enter(self.path)
                result.set_result(function())
            except BaseException as error:  # noqa: BLE001 - raised again by the caller
                result.set_exception(error)

        threading.Thread(target=body, name=f"in-{self.name}", daemon=True).start()
        return result.result()

    def add_link(self, name: str, *addresses: str, index: int | None = None) -> None:
        """A veth pair of ``NAME`` and ``NAMEp``, both up; ``NAME`` gets addresses like
        ``192.0.2.1/24``, and the index where one is given."""
        number = () if index is None else ("index", str(index))
        self.ip("link", "add", name, *number, "type", "veth", "peer", "name", f"{name}p")
        for end in (f"{name}p", name):
            self.ip("link", "set", end, "up")
        self.add_addresses(name, addresses)

    def add_addresses(self, device: str, addresses: Iterable[str]) -> None:
        """Adds addresses like ``192.0.2.1/24``, those of IPv6 without duplicate detection."""
        for address in addresses:
            nodad = ["nodad"] if ":" in address else []
            self.ip("address", "add", address, "dev", device, *nodad)

    def sysctl(self, key: str, value: str | int) -> None:
        """Sets ``net.KEY`` in the namespace, for instance ``ipv6/conf/all/accept_dad``."""
        self.call(lambda: (Path("/proc/sys/net") / key).write_text(f"{value}\n"))

    def processes(self) -> list[int]:
        """The ids of the processes in the namespace."""
        return [int(pid) for pid in run("ip", "netns", "pids", self.name).split()]


def run(*argv: str, stdin: str | None = None) -> str:
    """Runs a command; raises ``RuntimeError`` with its own words where it fails."""
    done = subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        error = done.stderr.strip()[-2000:] or done.stdout.strip()[-2000:]
        raise RuntimeError(f"{' '.join(argv)}: exit status {done.returncode}: {error}")
    return done.stdout


@contextmanager
def namespace(label: str = "ns") -> Iterator[Namespace]:
    """A new namespace with its loopback up and without duplicate address detection.

    Whatever runs in it at the end is killed: a namespace that is in use would live on.
    """
    made = Namespace(f"bgpr-{os.getpid()}-{next(_numbers)}-{label}")
    run("ip", "netns", "add", made.name)
    try:
        for scope in ("all", "default"):
            made.sysctl(f"ipv6/conf/{scope}/accept_dad", 0)
        made.ip("link", "set", "lo", "up")
        yield made
    finally:
        for pid in made.processes():
            # A process of the test itself may have a thread here; that one ends with its socket.
            if pid != os.getpid():
                _kill(pid)
        wait_until(
            lambda: [pid for pid in made.processes() if pid != os.getpid()],
            SETTLE,
            f"processes in {made.name} after SIGKILL",
            accept=lambda left: not left,
        )
        run("ip", "netns", "delete", made.name)


def connect(
    left: Namespace,
    right: Namespace,
    device: str,
    left_addresses: Sequence[str] = (),
    right_addresses: Sequence[str] = (),
) -> None:
    """A veth pair named ``device`` on both sides, up, with addresses like ``192.0.2.1/24``.

    Returns when both sides have carrier and a link-local address.
    """
    left.ip("link", "add", device, "type", "veth", "peer", "name", device, "netns", right.name)
    for side, addresses in ((left, left_addresses), (right, right_addresses)):
        side.add_addresses(device, addresses)
        side.ip("link", "set", device, "up")
    for side in (left, right):
        wait_until(
            lambda side=side: side.ip_json("address", "show", "dev", device),  # type: ignore[misc]
            SETTLE,
            f"{device} in {side.name} up with a link-local address",
            accept=_ready,
        )


def _ready(listed: list[dict[str, Any]]) -> bool:
    addresses = [entry for link in listed for entry in link["addr_info"]]
    return (
        all(link["operstate"] == "UP" for link in listed)
        and any(entry["local"].startswith("fe80:") for entry in addresses)
        and not any(entry.get("tentative") for entry in addresses)
    )


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _enter(path: Path) -> None:
    """Moves the calling thread into a namespace."""
    with path.open("rb") as file:
        if sys.version_info >= (3, 12):
            os.setns(file.fileno(), CLONE_NEWNET)
            return
        if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), CLONE_NEWNET) != 0:
            error = ctypes.get_errno()
            raise OSError(error, os.strerror(error), str(path))
