"""Arguments that do not go together, or are none: exit status 2, and what to do instead."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from bgpreflector.cli.app import command_line
from lab.command import run_command

REFUSED = [
    ("audit --repair --dry-run", "--dry-run and --repair exclude each other"),
    ("audit --no-daemon", "--no-daemon needs --repair"),
    ("audit --repair --netns red", "leave them out, or say --no-daemon"),
    ("check a.toml --config a.toml", "name the file once: as FILE, or by --config"),
    ("release", "name a prefix, or say --all"),
    ("release 10.0.0.0/8 --all", "name a prefix, or say --all"),
    ("release 10.0.0.0/33", "'10.0.0.0/33' is no prefix, such as 192.0.2.0/24"),
    ("show route eth0", "'eth0' is no address"),
    ("show route 10.0.0.0/x", "'10.0.0.0/x' is no prefix"),
]


@pytest.mark.parametrize(("arguments", "error"), REFUSED, ids=[one for one, _ in REFUSED])
def test_arguments_that_are_refused(arguments: str, error: str) -> None:
    """Before a file is read or a daemon is asked: neither is there."""
    done = CliRunner().invoke(command_line(), arguments.split())
    assert done.exit_code == 2, done.output
    assert error in done.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--interface", "e0"], "configuration: --interface: must be LINUX=VPP, for instance"),
        (["--protocol", "nope"], 'kernel.protocols[0]: "nope": must be a protocol'),
    ],
)
def test_the_doctor_names_a_wrong_option_once(arguments: list[str], said: str) -> None:
    """And suggests nothing that is not like it."""
    # As a process: it switches logs off.
    told = run_command("doctor", *arguments, exit_code=8).stdout
    assert said in told
    assert "-> correct it on the command line;" in told
    assert "did you mean" not in told
