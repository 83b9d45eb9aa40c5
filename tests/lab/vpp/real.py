"""A real VPP in a namespace of its own."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lab.netns import Namespace, namespace
from lab.process import end_process, log_ends
from lab.wait import wait_until

from .api import SPECIAL, Routes, Vpp, route_of
from .startup import Startup

START = 60.0
STOP = 30.0
"""Seconds."""

ADDRESSES = ("192.168.100.99/24", "fd00:100::99/64")
"""Of ``loop0``: on the subnets that `lab.bgp_pair` takes its next hops from."""


class VppError(RuntimeError):
    """VPP refused a command; the message is VPP's."""


class RealVpp(Vpp):
    """One VPP process: starts with one loopback, is asked, is killed, starts again empty."""

    interface = "loop0"
    addresses = ADDRESSES

    def __init__(self, directory: Path, namespace: Namespace, startup: Startup) -> None:
        super().__init__(directory / "api.sock", api_directory())
        self.namespace = namespace
        self.startup = startup
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Starts VPP and waits until its API answers. Raises `VppError` with its words if not."""
        if self._process:
            raise VppError(f"VPP in {self.namespace.name} runs already")
        program = shutil.which("vpp")
        if program is None:
            raise VppError("vpp is not on PATH: install FD.io VPP")
        file = self.startup.write(self._directory, self.namespace.name)
        self.socket.unlink(missing_ok=True)
        with (self._directory / "output").open("wb") as output:
            self._process = self.namespace.start(
                program, "-c", str(file),
                stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            )  # fmt: skip
        try:
            wait_until(self._answers, START, f"VPP in {self.namespace.name} answers")
            self.create_loopback(*self.addresses)
        except BaseException:
            self.kill()
            raise

    def kill(self) -> None:
        """Ends VPP with SIGKILL."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
        self.close()
        self._remove_shared_memory()

    def stop(self) -> None:
        """Ends VPP in order. Raises `VppError` if it does not end."""
        # Before VPP goes: the client says graceful and waits for the answer.
        self.close()
        process, self._process = self._process, None
        if process is None:
            return
        has_ended = end_process(process, signal.SIGTERM, STOP)
        self._remove_shared_memory()
        if not has_ended:
            raise VppError(f"VPP did not end within {STOP:g} s: {self.log()}")

    def restart(self) -> None:
        """Starts VPP again, killing it first if it runs: it knows nothing of before."""
        self.kill()
        self.start()

    def hang(self) -> None:
        """Stops VPP with SIGSTOP: its sockets stay open."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Continues VPP with SIGCONT."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    def cli(self, command: str) -> str:
        """What VPP answers to a command of its debug CLI. Raises `VppError` if it refuses."""
        reply = self.api.cli_inband(cmd=command)
        if reply.retval != 0:
            raise VppError(f"{command}: retval {reply.retval}: {reply.reply}")
        return str(reply.reply)

    def create_loopback(self, *addresses: str) -> str:
        """Makes a loopback interface, up, with addresses like ``192.0.2.1/24``; its name."""
        return self._bring_up(self.cli("create loopback interface"), addresses)

    def create_host_interface(self, device: str, *addresses: str) -> str:
        """Makes an interface (af_packet) on a link of VPP's namespace, up; its name, host-DEVICE.

        The link is best a `lab.connect` to another namespace without an address on this side.
        """
        return self._bring_up(self.cli(f"create host-interface name {device}"), addresses)

    def routes(self) -> Routes:
        """The routes under our source in table 0, from a dump."""
        if self.source() is None:
            return {}
        routes = [d.route for is_ip6 in (False, True) for d in self.dump(is_ip6=is_ip6)]
        return {
            str(route.prefix): route_of(frozenset(map(_gateway, route.paths))) for route in routes
        }

    def log(self) -> str:
        """The end of what VPP wrote."""
        return log_ends(self._directory / name for name in ("output", "vpp.log"))

    def _bring_up(self, printed: str, addresses: Sequence[str]) -> str:
        name = printed.strip()
        self.cli(f"set interface state {name} up")
        for address in addresses:
            self.cli(f"set interface ip address {name} {address}")
        return name

    def _answers(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise VppError(f"VPP in {self.namespace.name} ended: {self.log()}")
        if not self.socket.exists():
            return False
        try:
            return bool(self.api.show_version().retval == 0)
        except Exception:  # noqa: BLE001 - vpp_papi raises what it will until VPP listens
            return False

    def _remove_shared_memory(self) -> None:
        """A VPP that is killed cannot do it."""
        for file in Path("/dev/shm").glob(f"{self.namespace.name}-*"):
            file.unlink(missing_ok=True)

    @staticmethod
    @contextmanager
    def running(directory: Path, startup: Startup | None = None) -> Iterator[RealVpp]:
        """A new one with its files in ``directory``; ended and cleaned up at the end.

        Sockets are made in ``directory``, so its path must leave room in their 107 bytes.
        """
        with namespace("vpp") as own:
            made = RealVpp(directory, own, startup or Startup())
            made.start()
            try:
                yield made
            except BaseException:
                made.kill()
                raise
            made.stop()


def api_directory() -> Path:
    """Beside the program: ``bin/vpp`` and ``share/vpp/api``."""
    program = shutil.which("vpp") or "/usr/bin/vpp"
    return Path(program).resolve().parent.parent / "share" / "vpp" / "api"


def _gateway(path: Any) -> str:
    special = SPECIAL.get(int(path.type))
    if special is not None:
        return special
    text = str(path.nh.address.ip6 if int(path.proto) == 1 else path.nh.address.ip4)
    return "" if text in ("0.0.0.0", "::") else text
