"""The systemd unit, by systemd's own tools."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bgpreflector.cli.exit_codes import ExitCode

UNITS = Path(__file__).parents[2] / "packaging" / "systemd"
UNIT = "bgpreflector.service"
INSTALLED = "/usr/bin/bgpreflector"
EXPOSURE = 20
"""Tenths of what `systemd-analyze security` may find at most."""

pytestmark = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None,
    reason="no systemd-analyze: install Debian's package systemd and run the tests again",
)


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs ``systemd-analyze``."""
    return subprocess.run(
        ["systemd-analyze", *arguments], check=False, capture_output=True, text=True, timeout=60
    )


def verify(unit: Path) -> subprocess.CompletedProcess[str]:
    """Has systemd check a unit."""
    # The manual that it names is installed with it, and not here.
    return analyze("verify", "--man=no", str(unit))


def systemd_version() -> int:
    """Its number."""
    found = re.match(r"systemd (\d+)", analyze("--version").stdout)
    assert found is not None
    return int(found[1])


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit as installed, with a program that is there."""
    text = (UNITS / UNIT).read_text()
    assert INSTALLED in text
    path = tmp_path / UNIT
    path.write_text(text.replace(INSTALLED, sys.executable))
    return path


def test_the_unit_is_valid(unit: Path) -> None:
    """Every directive is known, and nothing is warned of."""
    done = verify(unit)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_unit_with_its_addition_is_valid(unit: Path) -> None:
    """For newer versions; an older one minds the type alone, and says so."""
    shutil.copytree(UNITS / f"{UNIT}.d", unit.parent / f"{UNIT}.d")
    done = verify(unit)
    said = (done.stdout + done.stderr).splitlines()
    if systemd_version() < 253:
        assert len(said) == 1
        assert "Failed to parse service type, ignoring: notify-reload" in said.pop()
    assert (done.returncode, said) == (0, [])


def test_the_unit_exposes_little(unit: Path) -> None:
    """By systemd's own measure."""
    done = analyze("security", "--offline=yes", f"--threshold={EXPOSURE}", str(unit))
    assert done.returncode == 0, done.stdout


def test_what_stays_wrong_is_not_started_again() -> None:
    """A configuration with a mistake, which failed every two seconds for ever."""
    lines = (UNITS / UNIT).read_text().splitlines()
    (prevented,) = (line for line in lines if line.startswith("RestartPreventExitStatus="))
    codes = {int(code) for code in prevented.partition("=")[2].split()}
    assert codes == {ExitCode.USAGE, ExitCode.CONFIG}
    assert ExitCode.CONFIG == os.EX_CONFIG
    assert not codes & {ExitCode.VPP, ExitCode.KERNEL, ExitCode.DAEMON, ExitCode.BUSY}


def test_its_commands_are_ours() -> None:
    """With options that exist."""
    commands = re.findall(rf"^Exec\w+={INSTALLED} (.+)$", (UNITS / UNIT).read_text(), re.MULTILINE)
    assert len(commands) == 2
    for command in commands:
        name, *options = command.split()
        done = subprocess.run(
            [sys.executable, "-m", "bgpreflector", name, "--help"],
            check=True,
            capture_output=True,
            text=True,
            env={"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"},
        )
        for option in options[::2]:
            assert option in done.stdout
