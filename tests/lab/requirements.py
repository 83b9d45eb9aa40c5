"""What a machine must have for the marked tests."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

PROGRAMS = Path("/usr/lib/frr")
"""Where Debian's package of FRR puts the daemons."""

NEW_FRR = "BGPREFLECTOR_TESTS_FRR"
"""Environment variable: the prefix of an FRR whose zebra accepts FPM results (8.5 or newer)."""

COUNTED = "COVERAGE_PROCESS_CONFIG"
"""Environment variable by which coverage reaches processes that tests start."""

PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"


@cache
def missing(marker: str) -> str | None:
    """Why tests with this marker cannot run here and what makes them run; None if they can."""
    check = {
        "root": _no_namespaces,
        "bird": _no_bird,
        "frr": _no_frr,
        "new_frr": _no_new_frr,
        "vpp": _no_vpp,
    }.get(marker)
    return check() if check else None


def _no_namespaces() -> str | None:
    if shutil.which("ip", path=PATH) is None:
        return "no `ip`: apt-get install iproute2"
    if os.geteuid() != 0:
        return "network namespaces need root: run the tests as root (sudo .venv/bin/pytest)"
    name = f"bgpr-{os.getpid()}-probe"
    done = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return (
            f"`ip netns add` is refused ({done.stderr.strip()}): run where CAP_SYS_ADMIN and "
            "CAP_NET_ADMIN are granted, for instance in a privileged container"
        )
    subprocess.run(["ip", "netns", "delete", name], check=True)
    return None


def _no_bird() -> str | None:
    if shutil.which("bird", path=PATH) and shutil.which("birdc", path=PATH):
        return None
    return "no `bird`: apt-get install --no-install-recommends bird2"


def _no_frr() -> str | None:
    daemons = ("zebra", "bgpd", "staticd")
    if shutil.which("vtysh", path=PATH) and all((PROGRAMS / name).exists() for name in daemons):
        return None
    return "no `zebra`, `bgpd`, `staticd` and `vtysh`: apt-get install --no-install-recommends frr"


def _no_new_frr() -> str | None:
    prefix = os.environ.get(NEW_FRR)
    wanted = ("sbin/zebra", "sbin/bgpd", "bin/vtysh")
    if prefix and all((Path(prefix) / name).exists() for name in wanted):
        return None
    return (
        f"Debian's FRR has no use for FPM results: build FRR 8.5 or newer and set {NEW_FRR} to its "
        f"prefix, with {', '.join(wanted)}"
    )


def _no_vpp() -> str | None:
    if shutil.which("vpp"):
        has_ethtool = shutil.which("ethtool", path=PATH)
        return None if has_ethtool else "no `ethtool`: apt-get install ethtool"
    return "no `vpp` on PATH: install FD.io VPP (24.06 or newer) and run the tests again"


def skip_if_lines_are_counted() -> None:
    """For a test of which modules a process loads: coverage loads some into each."""
    if COUNTED in os.environ:
        pytest.skip("coverage: it loads modules into each process: run the test without --cov")
