"""Which configuration file a command reads, and that it is said."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from bgpreflector.cli import config_file
from bgpreflector.cli.config_file import VARIABLE, where_from
from bgpreflector.cli.settings import read_config
from bgpreflector.config import loads
from lab.command import run_command


def test_the_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The option, then the environment, then the package's own, then every default."""
    files = {name: tmp_path / f"{name}.toml" for name in ("own", "named", "given")}
    for number, file in enumerate(files.values(), start=1):
        file.write_text(f"[vpp]\nmax_in_flight = {number}\n")
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(config_file, "DEFAULT_FILE", tmp_path / "absent.toml")
    assert read_config(None).vpp.max_in_flight == 1024
    assert "defaults" in where_from(None)
    monkeypatch.setattr(config_file, "DEFAULT_FILE", files["own"])
    assert (read_config(None).vpp.max_in_flight, where_from(None)) == (1, str(files["own"]))
    monkeypatch.setenv(VARIABLE, "")
    assert read_config(None).vpp.max_in_flight == 1
    monkeypatch.setenv(VARIABLE, str(files["named"]))
    assert read_config(None).vpp.max_in_flight == 2
    assert where_from(None) == f"{files['named']} (${VARIABLE})"
    assert read_config(files["given"]).vpp.max_in_flight == 3
    assert where_from(files["given"]) == str(files["given"])


def command(file: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs a command with a file named by the environment."""
    return run_command(*arguments, exit_code=None, environment={VARIABLE: str(file)})


def test_commands_read_it_and_say_so(tmp_path: Path) -> None:
    """Also those that only ask a daemon, where they cannot."""
    file = tmp_path / "mine.toml"
    socket = tmp_path / "control.sock"
    file.write_text(f'[control]\nsocket = "{socket}"\n[vpp]\napi_socket = "{tmp_path}/vpp"\n')
    checked = command(file, "check", "--json")
    assert json.loads(checked.stdout)["configuration"]["control"]["socket"] == str(socket)
    status = command(file, "status")
    assert status.returncode == 7
    assert str(socket) in status.stderr
    for arguments in (("flush",), ("plan",), ("audit",)):
        done = command(file, *arguments)
        assert done.returncode == 4, done.stderr
        assert str(file) in done.stderr


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("5m", 300), ("1h30m", 5400), ("1 h 5 min", 3900), ("200ms", 0.2), ("1d", 86400)],
)
def test_times_have_units(text: str, seconds: float) -> None:
    """A number is in seconds."""
    written = loads(f'[kernel]\naudit_interval = "{text}"').kernel.audit_interval
    assert written == loads(f"[kernel]\naudit_interval = {seconds}").kernel.audit_interval
    assert written == pytest.approx(seconds)
