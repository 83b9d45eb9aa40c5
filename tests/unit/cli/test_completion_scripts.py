"""What shells run to complete, shown and put where they read it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import shellingham

from bgpreflector.cli.completion_scripts import SCRIPTS, CompletionError, current_shell, install
from lab.command import PROGRAM

COMMAND = " ".join(PROGRAM)


def run_in_bash(command: str, **environment: str) -> str:
    """What a command prints that is a child of bash."""
    return subprocess.run(
        ["bash", "--norc", "-c", f"{command}; exit $?"],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    ).stdout


@pytest.mark.parametrize("shell", SCRIPTS)
def test_what_packages_install(shell: str) -> None:
    printed = run_in_bash(COMMAND, _BGPREFLECTOR_COMPLETE=f"source_{shell}")
    assert printed == SCRIPTS[shell]


def test_zsh_finds_what_it_completes_in_the_first_line() -> None:
    """Otherwise compinit ignores the file."""
    assert SCRIPTS["zsh"].startswith("#compdef bgpreflector\n")


def test_the_script_that_is_shown_is_that_of_the_packages() -> None:
    assert run_in_bash(f"{COMMAND} --show-completion") == SCRIPTS["bash"]


def test_installed_twice_for_bash(tmp_path: Path) -> None:
    (tmp_path / ".bashrc").write_text("alias l=ls")
    for _ in range(2):
        printed = run_in_bash(f"{COMMAND} --install-completion", HOME=str(tmp_path))
        assert printed.startswith(f"bash completion installed in {tmp_path}/.bash_completions/")
    file = tmp_path / ".bash_completions" / "bgpreflector.sh"
    assert file.read_text() == SCRIPTS["bash"]
    assert (tmp_path / ".bashrc").read_text() == f"alias l=ls\nsource '{file}'\n"


@pytest.mark.parametrize(
    ("shell", "place", "reads"),
    [
        ("zsh", ".zfunc/_bgpreflector", {".zshrc"}),
        ("fish", ".config/fish/completions/bgpreflector.fish", set()),
    ],
)
def test_installed_for_others(
    shell: str, place: str, reads: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert install(shell) == tmp_path / place
    assert (tmp_path / place).read_text() == SCRIPTS[shell]
    assert {file.name for file in tmp_path.glob(".*rc")} == reads


def test_a_shell_that_has_no_completion(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shellingham, "detect_shell", lambda: ("tcsh", "/bin/tcsh"))
    with pytest.raises(CompletionError, match="for tcsh; there is completion for bash, zsh, fish"):
        current_shell()

    def none() -> None:
        raise shellingham.ShellDetectionFailure

    monkeypatch.setattr(shellingham, "detect_shell", none)
    with pytest.raises(CompletionError, match="cannot be detected"):
        current_shell()
