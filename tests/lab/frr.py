"""An FRR of our own in a namespace: zebra, bgpd and staticd, Debian's or one of another prefix."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .bird_config import Session
from .netns import Namespace
from .process import end_process, log_ends
from .requirements import NEW_FRR, PROGRAMS
from .wait import wait_until

START = 30.0
ESTABLISH = 60.0
STOP = 60.0
"""Seconds."""


class FrrError(RuntimeError):
    """FRR refused a command; the message is FRR's."""


@dataclass(frozen=True)
class Installation:
    """Where FRR's programs are, and which daemons it has."""

    programs: Path = PROGRAMS
    vtysh: str = "vtysh"
    daemons: tuple[str, ...] = ("zebra", "staticd", "bgpd")


def new_frr() -> Installation:
    """The one that accepts FPM results: zebra and bgpd alone."""
    prefix = Path(os.environ[NEW_FRR])
    return Installation(prefix / "sbin", str(prefix / "bin" / "vtysh"), ("zebra", "bgpd"))


DEBIAN = Installation()


class Frr:
    """The daemons of one router. Each starts, is killed or ended, and starts again."""

    def __init__(
        self,
        namespace: Namespace,
        configuration: Mapping[str, str],
        directory: Path,
        installation: Installation,
        sessions: Sequence[Session],
    ) -> None:
        self.namespace = namespace
        self._installation = installation
        self._sessions = sessions
        self._directory = directory
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        for daemon in installation.daemons:
            (directory / f"{daemon}.conf").write_text(configuration.get(daemon, ""))
        # Of vtysh itself, which complains where it finds none.
        for file in ("vtysh.conf", "frr.conf"):
            (directory / file).touch()
        # The daemons give up root's rights for those of the package's own user.
        for path in (directory, *directory.iterdir()):
            shutil.chown(path, "frr", "frr")

    def start(self, daemon: str, *options: str) -> None:
        """Starts ``zebra``, ``bgpd`` or ``staticd`` and waits until it answers."""
        with (self._directory / f"{daemon}.log").open("ab") as log:
            self._running[daemon] = self.namespace.start(
                str(self._installation.programs / daemon),
                "--config_file", str(self._directory / f"{daemon}.conf"),
                "--pid_file", str(self._directory / f"{daemon}.pid"),
                "--socket", str(self._directory / "zserv.api"),
                "--vty_socket", str(self._directory),
                "--vty_port", "0",
                "--log", "stdout",
                *options,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        wait_until(lambda: self._answers(daemon), START, f"{daemon} answers")

    def kill(self, daemon: str) -> None:
        """Ends a daemon with SIGKILL."""
        self._end(daemon, signal.SIGKILL)

    def stop(self, daemon: str) -> None:
        """Ends a daemon in order; zebra takes its routes out of the kernel unless it has ``-r``."""
        self._end(daemon, signal.SIGTERM)

    def kill_all(self) -> None:
        """Kills every running daemon."""
        for daemon in list(self._running):
            self.kill(daemon)

    def configure(self, *lines: str) -> None:
        """Takes lines of configuration over, as an operator types them."""
        self.vtysh("configure terminal", *lines)

    def vtysh(self, *commands: str, daemon: str | None = None) -> str:
        """What commands print. Raises `FrrError` with FRR's complaint."""
        arguments = [part for command in commands for part in ("-c", command)]
        only = [] if daemon is None else ["-d", daemon]
        done = subprocess.run(
            [
                self._installation.vtysh, "--vty_socket", str(self._directory),
                "--config_dir", str(self._directory), *only, *arguments,
            ],
            capture_output=True,
            text=True,
            check=False,
            timeout=START,
        )  # fmt: skip
        if done.returncode != 0 or "% " in done.stdout + done.stderr:
            raise FrrError(f"{'; '.join(commands)}: {done.stdout}{done.stderr}{self.log()}")
        return done.stdout

    def wait_established(self) -> None:
        """Waits until every BGP session is established."""
        wait_until(
            self._states,
            ESTABLISH,
            f"BGP sessions of {self.namespace.name} established",
            accept=lambda states: list(states.values()) == ["Established"] * len(self._sessions),
        )

    def log(self) -> str:
        """The end of what the daemons wrote."""
        return log_ends(sorted(self._directory.glob("*.log")))

    def _states(self) -> dict[str, str]:
        states: dict[str, str] = {}
        for family in ("ipv4", "ipv6"):
            shown: Mapping[str, Any] = json.loads(
                self.vtysh(f"show bgp {family} unicast summary json", daemon="bgpd")
            )
            states |= {name: peer["state"] for name, peer in shown.get("peers", {}).items()}
        return states

    def _answers(self, daemon: str) -> bool:
        if self._running[daemon].poll() is not None:
            raise FrrError(f"{daemon} ended: {self.log()}")
        try:
            return "FRRouting" in self.vtysh("show version", daemon=daemon)
        except FrrError:
            return False

    def _end(self, daemon: str, number: signal.Signals) -> None:
        if not end_process(self._running.pop(daemon), number, STOP):
            raise FrrError(f"{daemon} did not end within {STOP} s: {self.log()}")


def _bgp(router_id: str, sessions: Sequence[Session], more: str) -> str:
    neighbours = "".join(
        f" neighbor {s.neighbour} remote-as {s.neighbour_as}\n"
        f" neighbor {s.neighbour} timers connect 1\n"
        for s in sessions
    )
    families = "".join(
        f" address-family ipv{family} unicast\n"
        "  maximum-paths 8\n"
        + "".join(f"  neighbor {s.neighbour} activate\n" for s in sessions if s.family == family)
        + " exit-address-family\n"
        for family in (4, 6)
    )
    return (
        f"router bgp {sessions[0].local_as}\n"
        f" bgp router-id {router_id}\n"
        " no bgp ebgp-requires-policy\n"
        " no bgp network import-check\n"
        " no bgp default ipv4-unicast\n"
        f"{more}{neighbours}{families}"
    )


@contextmanager
def running_frr(
    namespace: Namespace,
    router_id: str,
    sessions: Sequence[Session],
    *zebra_options: str,
    installation: Installation = DEBIAN,
    zebra: str = "",
    bgp: str = "",
) -> Iterator[Frr]:
    """An FRR that runs in the namespace; killed and cleaned up at the end.

    ``zebra`` is zebra's configuration, ``bgp`` are further lines of ``router bgp``.
    """
    configuration = {"zebra": zebra, "bgpd": _bgp(router_id, sessions, bgp)}
    with _running(namespace, configuration, installation, sessions, zebra_options) as made:
        yield made


@contextmanager
def running_zebra(
    namespace: Namespace, zebra: str, staticd: str, *zebra_options: str
) -> Iterator[Frr]:
    """zebra and staticd with these configurations, without BGP."""
    installation = Installation(daemons=("zebra", "staticd"))
    configuration = {"zebra": zebra, "staticd": staticd}
    with _running(namespace, configuration, installation, (), zebra_options) as made:
        yield made


@contextmanager
def _running(
    namespace: Namespace,
    configuration: Mapping[str, str],
    installation: Installation,
    sessions: Sequence[Session],
    zebra_options: Sequence[str],
) -> Iterator[Frr]:
    # Not under pytest's directory: a socket's path has at most 107 bytes, and that of the user.
    with tempfile.TemporaryDirectory(prefix="bgpr-frr-") as directory:
        made = Frr(namespace, configuration, Path(directory), installation, sessions)
        try:
            for daemon in installation.daemons:
                made.start(daemon, *(zebra_options if daemon == "zebra" else ()))
            yield made
        finally:
            made.kill_all()
