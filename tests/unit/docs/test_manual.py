"""The manual pages and the commands reference say what the command line does."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer

from bgpreflector.cli.app import command_line
from command_tree import Command, commands
from write_man import pages

TREE = list(commands(command_line()))


def test_every_command_has_its_page() -> None:
    names = {name for name, _ in pages()}
    assert {"bgpreflector.1", "bgpreflector.toml.5", "bgpreflector-show-routes.1"} <= names
    assert len(names) == 2 + sum(not command.group for command in TREE)


@pytest.mark.parametrize("command", TREE, ids=lambda command: command.name)
def test_the_tree_is_what_the_program_takes(command: Command) -> None:
    parsed: Any = typer.main.get_command(command_line())
    for name in command.path[1:]:
        parsed = parsed.commands[name]
    taken = {
        frozenset([*one.opts, *one.secondary_opts])
        for one in parsed.params
        if one.param_type_name == "option" and not one.name.endswith("_completion")
    }
    assert {frozenset(one.names) for one in command.options} == taken
    required = {one.metavar for one in command.parameters if one.required}
    assert len(required) == sum(one.required for one in parsed.params)


def test_a_formatter_finds_nothing_wrong(tmp_path: Path) -> None:
    written = [tmp_path / name for name, _ in pages()]
    for (_, text), path in zip(pages(), written, strict=True):
        path.write_text(text, encoding="utf-8")
    checks = {
        "mandoc": ["mandoc", "-T", "lint", "-W", "warning", *map(str, written)],
        "groff": ["groff", "-man", "-Tutf8", "-ww", "-z", "-K", "utf8", *map(str, written)],
    }
    for program in checks:
        if shutil.which(program) is None:
            pytest.skip(f"no {program}: apt-get install mandoc groff-base")
    for check in checks.values():
        done = subprocess.run(check, check=False, capture_output=True, text=True)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_roff_leaves_the_words_as_they_are(tmp_path: Path) -> None:
    program = shutil.which("groff")
    if program is None:
        pytest.skip("no groff: apt-get install groff-base")
    for name, text in pages():
        if name == "bgpreflector.toml.5":
            (tmp_path / name).write_text(text, encoding="utf-8")
    shown = subprocess.run(
        [program, "-man", "-Tascii", "-P-cbou", "-rLL=500n", str(tmp_path / "bgpreflector.toml.5")],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert '"10.0.0.0/8{16,24}" the prefixes within it of length 16 to 24' in shown
