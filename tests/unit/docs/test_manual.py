"""The manual pages and the commands reference say what the command line does."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from bgpreflector.cli.app import command_line
from command_tree import Command, commands
from write_man import pages

TREE = list(commands(command_line()))


def test_every_command_has_its_page() -> None:
    names = {name for name, _ in pages()}
    assert {"bgpreflector.1", "bgpreflector.toml.5", "bgpreflector-show-routes.1"} <= names
    assert len(names) == 2 + sum(not command.group for command in TREE)


@pytest.mark.parametrize("command", TREE, ids=lambda command: command.name)
def test_the_tree_is_what_the_help_says(command: Command) -> None:
    printed = CliRunner().invoke(command_line(), [*command.path[1:], "--help"]).stdout
    options_text = printed.partition("\nOptions:\n")[2]
    options = re.findall(r"^  (-[^\s,]+(?:, -[^\s,]+)*)", options_text, re.MULTILINE)
    help_itself = frozenset({"-h", "--help"})
    assert {frozenset(names.split(", ")) for names in options} == {
        help_itself,
        *(frozenset(one.names) for one in command.options),
    }
    arguments = [one.metavar if one.required else f"[{one.metavar}]" for one in command.arguments]
    assert printed.splitlines()[0].split("[OPTIONS]")[1].split()[: len(arguments)] == arguments


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
