"""Which configuration file a command reads, and that it names it."""

from __future__ import annotations

import json
import subprocess
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner

from bgpreflector.cli import config_file
from bgpreflector.cli.config_file import VARIABLE, where_from
from bgpreflector.cli.settings import read_config
from bgpreflector.config import ConfigError, loads
from lab.command import run_command


def test_the_order_of_precedence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The option, then the environment, then the package's own, then every default."""
    files = {name: tmp_path / f"{name}.toml" for name in ("default", "environment", "option")}
    for number, file in enumerate(files.values(), start=1):
        file.write_text(f"[vpp]\nmax_in_flight = {number}\n")
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(config_file, "DEFAULT_FILE", tmp_path / "absent.toml")
    assert read_config(None).vpp.max_in_flight == 1024
    assert "defaults" in where_from(None)
    monkeypatch.setattr(config_file, "DEFAULT_FILE", files["default"])
    assert (read_config(None).vpp.max_in_flight, where_from(None)) == (1, str(files["default"]))
    monkeypatch.setenv(VARIABLE, "")
    assert read_config(None).vpp.max_in_flight == 1
    monkeypatch.setenv(VARIABLE, str(files["environment"]))
    assert read_config(None).vpp.max_in_flight == 2
    assert where_from(None) == f"{files['environment']} (${VARIABLE})"
    assert read_config(files["option"]).vpp.max_in_flight == 3
    assert where_from(files["option"]) == str(files["option"])


def command(file: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs a command with a file named by the environment."""
    return run_command(*arguments, exit_code=None, environment={VARIABLE: str(file)})


def test_commands_read_it_and_say_so(tmp_path: Path) -> None:
    """Also those that only ask a daemon, where there is none."""
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


def test_check_without_a_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The defaults are not checked in its place."""
    check = import_module("bgpreflector.cli.check").check
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(config_file, "DEFAULT_FILE", tmp_path / "absent.toml")
    done = CliRunner().invoke(check, [])
    assert isinstance(done.exception, ConfigError)
    assert f"there is no such file; name one, or set ${VARIABLE}" in str(done.exception)


def test_a_file_that_is_not_utf_8_names_no_socket(tmp_path: Path) -> None:
    """So no daemon is asked, and the error is the file's."""
    file = tmp_path / "latin1.toml"
    file.write_bytes("[control]\nsocket = '/run/c.sock' # für".encode("latin-1"))
    done = command(file, "status")
    assert (done.returncode, done.stdout) == (78, "")
    assert "the file is not UTF-8" in done.stderr


def test_check_names_ignored_keys(tmp_path: Path) -> None:
    file = tmp_path / "contiv.yaml"
    file.write_text("ipamConfig: {useExternalIPAM: false}\nnatExternalTraffic: true\n")
    assert command(file, "check").stdout.splitlines()[:3] == [
        f"{file}: the configuration is valid",
        "  natExternalTraffic: not ours, ignored",
        "  use_external_ipam is false: nothing will be reflected",
    ]


def test_check_shows_discovered_tables(tmp_path: Path) -> None:
    """Which, and where each goes."""
    file = tmp_path / "tables.toml"
    line = "  discovered kernel tables: "
    file.write_text('[kernel]\ntables = ["main", "1000-1999"]\n')
    text = command(file, "check").stdout
    assert f"{line}1000-1999, each into the VPP table of its number\n" in text
    file.write_text('[kernel]\ntables = "all"\n[vpp]\nfree_tables = "50-59"\ntables = { 7 = 8 }\n')
    text = command(file, "check").stdout
    assert f"{line}all others, each into a free one of 50-59, 7 into 8\n" in text
    file.write_text("")
    assert line not in command(file, "check").stdout


def test_check_loads_handlers(tmp_path: Path) -> None:
    """As a run does: one that cannot be imported is a mistake of the file."""
    file = tmp_path / "handlers.toml"
    file.write_text('[handlers]\nload = ["nosuch:Thing"]\n')
    checked = command(file, "check")
    assert (checked.returncode, checked.stdout) == (78, "")
    assert f"{file}: the configuration cannot be used" in checked.stderr
    assert "handlers.load: nosuch:Thing cannot be imported" in checked.stderr
    shown = json.loads(command(file, "check", "--json").stdout)
    assert [problem["key"] for problem in shown["problems"]] == ["handlers.load"]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("5m", 300), ("1h30m", 5400), ("1 h 5 min", 3900), ("200ms", 0.2), ("1d", 86400)],
)
def test_times_have_units(text: str, seconds: float) -> None:
    """A number is in seconds."""
    written = loads(f'[kernel]\naudit_interval = "{text}"').kernel.audit_interval
    assert written == loads(f"[kernel]\naudit_interval = {seconds}").kernel.audit_interval
    assert written == pytest.approx(seconds)
