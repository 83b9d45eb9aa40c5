"""Handlers of other packages, loaded by the configuration."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bgpreflector.config import Config, ConfigError, loads
from bgpreflector.control import ControlClient
from bgpreflector.daemon.handlers import load_handlers
from bgpreflector.errors import RefusedByDaemonError
from daemon.harness import Harness
from lab import Namespace, ip_batch, wait_until
from lab.command import run_command
from lab.vpp import SimulatedVpp, wait_routes

MODULE = '''
from bgpreflector import Handler
from bgpreflector.reflector import BGPRouteBatchUpdate

class Noting(Handler):
    """Appends to a file what is called."""

    def __init__(self, *, file, word="update"):
        self.file, self.word = file, word

    def note(self, what):
        with open(self.file, "a") as file:
            file.write(what + "\\n")

    def start(self, event_loop):
        self.note("start")

    def close(self):
        self.note("close")

    def handles_event(self, event):
        return isinstance(event, BGPRouteBatchUpdate) or self.word == "resync"

    def resync(self, event, kube_state_data, resync_count, txn):
        raise ValueError("boom in resync")

    def update(self, event, txn):
        self.note(self.word)
        raise RuntimeError("after all, no")
'''

METADATA = "Metadata-Version: 2.1\nName: noting\nVersion: 1\n"
ENTRY_POINTS = "[bgpreflector.handlers]\nnoting = noting_module:Noting\n"


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The folder that a package with an entry point is installed in."""
    folder = tmp_path / "site"
    information = folder / "noting-1.dist-info"
    information.mkdir(parents=True)
    (folder / "noting_module.py").write_text(MODULE)
    (information / "METADATA").write_text(METADATA)
    (information / "entry_points.txt").write_text(ENTRY_POINTS)
    return folder


@pytest.fixture
def importable(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within this process."""
    monkeypatch.syspath_prepend(installed)


@pytest.mark.usefixtures("importable")
@pytest.mark.parametrize("name", ["noting", "noting_module:Noting"])
def test_a_handler_is_loaded_by_its_name(name: str) -> None:
    config = loads(
        f'[handlers]\nload = ["{name}"]\n[handlers.options."{name}"]\nfile = "f"\nword = "w"\n'
    )
    (handler,) = load_handlers(config)
    assert (handler.name, vars(handler)) == ("Noting", {"file": "f", "word": "w"})


@pytest.mark.usefixtures("importable")
def test_what_is_installed_is_not_loaded_unasked() -> None:
    assert load_handlers(Config()) == []


@pytest.mark.usefixtures("importable")
@pytest.mark.parametrize(
    ("name", "options", "key", "said"),
    [
        ("other", {}, "handlers.load", "there is no handler other: installed are noting"),
        ("no_module:Noting", {}, "handlers.load", "No module named 'no_module'"),
        ("noting_module:Other", {}, "handlers.load", "no attribute 'Other'"),
        ("noting", {"size": 1}, "handlers.options.noting", "unexpected keyword argument 'size'"),
        ("pathlib:PurePath", {}, "handlers.load", "has no handles_event, resync, update, revert"),
    ],
)
def test_a_handler_that_cannot_be_loaded_is_named(
    name: str, options: dict[str, object], key: str, said: str
) -> None:
    handlers = {"load": [name], "options": {name: options}}
    with pytest.raises(ConfigError) as caught:
        load_handlers(Config.model_validate({"handlers": handlers}))
    (problem,) = caught.value.problems
    assert problem.key == key
    assert said in problem.message


def test_options_of_a_handler_that_is_not_loaded_are_a_mistake() -> None:
    with pytest.raises(ConfigError, match=r"must be of handlers in handlers\.load, not of other"):
        loads('[handlers]\nload = ["noting"]\n[handlers.options.other]\nfile = "f"\n')


@pytest.mark.root
def test_the_daemon_calls_it_and_a_reload_makes_it_anew(
    kernel: Namespace,
    simulator: SimulatedVpp,
    installed: Path,
    tmp_path: Path,
) -> None:
    """What it raises is counted, and the routes go on; what cannot be loaded changes nothing."""
    harness = Harness(kernel, simulator, tmp_path)
    notes = tmp_path / "notes"

    def configure(word: str, load: str = "noting") -> None:
        harness.write(
            more=f'[handlers]\nload = ["{load}"]\n'
            f'[handlers.options.{load}]\nfile = "{notes}"\nword = "{word}"\n'
        )

    def withdraw(number: int, word: str) -> None:
        before = len(harness.vpp.routes())
        ip_batch(harness.kernel, [f"route del 30.0.{number}.0/24 proto 12"])
        wait_routes(harness.vpp, before - 1)
        wait_until(notes.read_text, 30, word, accept=lambda text: word in text.splitlines())

    def resyncs() -> int:
        count: int = daemon.status()["kernel"]["resyncs"]["requested"]["count"]
        return count

    configure("one")
    path = os.pathsep.join([str(installed), os.environ.get("PYTHONPATH", "")])
    with harness.running(PYTHONPATH=path) as daemon:
        withdraw(20, "one")
        wait_until(
            lambda: daemon.status()["handler_errors"]["Noting"],
            30,
            "each is counted",
            accept=lambda count: count == notes.read_text().count("one"),
        )
        configure("two")
        assert daemon.ask_json("reload")[0]["changed"] == ["handlers.options"]
        # What the new daemon's first resync sees is no update.
        wait_until(resyncs, 30, "its first resync")
        withdraw(21, "two")
        configure("three", load="missing")
        with (
            ControlClient(daemon.control) as client,
            pytest.raises(RefusedByDaemonError, match="there is no handler missing"),
        ):
            _ = client.ask("reload").end
        withdraw(22, "two")
        assert resyncs() == 1
        assert daemon.end() == 0, daemon.log()
    assert set(notes.read_text().splitlines()) == {"start", "one", "two", "close"}
    assert notes.read_text().count("start") == notes.read_text().count("close") == 2


@pytest.mark.root
def test_a_handler_that_fails_in_a_resync_is_named(
    kernel: Namespace, simulator: SimulatedVpp, installed: Path, tmp_path: Path
) -> None:
    """And that the resync was done, as VPP has the routes."""
    harness = Harness(kernel, simulator, tmp_path)
    options = f'{{ file = "{tmp_path}/notes", word = "resync" }}'
    harness.write(more=f'[handlers]\nload = ["noting"]\noptions.noting = {options}\n')
    path = os.pathsep.join([str(installed), os.environ.get("PYTHONPATH", "")])
    with harness.running(PYTHONPATH=path) as daemon:
        routes = simulator.routes()
        for _ in range(2):
            command = ("resync", "--control", str(daemon.control))
            told = run_command(*command, exit_code=1).stderr
            assert told == (
                "error: handler Noting failed, and all else of the full resync was done: "
                "ValueError: boom in resync; the daemon's log has more\n"
            )
        assert simulator.routes() == routes
