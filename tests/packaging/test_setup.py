"""What make's set-up says on a machine that lacks something."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lab.command import ROOT, run_tool

TOOLS = ("bash", "dirname", "head", "id", "sed", "sort")


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A folder for PATH with nothing in it but what every Debian has."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found is not None, f"{tool} is part of every Debian"
        (folder / tool).symlink_to(found)
    return folder


def add_program(folder: Path, name: str, says: str) -> None:
    """A program that says one line."""
    program = folder / name
    program.write_text(f"#!{folder / 'bash'}\necho '{says}'\n")
    program.chmod(0o755)


def set_up(path: Path) -> str:
    """What the set-up complains of; it must fail."""
    done = subprocess.run(
        [str(path / "bash"), str(ROOT / "scripts" / "setup.sh")],
        env={"PATH": str(path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stderr


def test_no_python(bare: Path) -> None:
    assert "Python 3.11 or newer is needed" in set_up(bare)


def test_no_rust(bare: Path) -> None:
    (bare / "python3").symlink_to(sys.executable)
    assert "a Rust toolchain is needed" in set_up(bare)


def test_old_rust(bare: Path) -> None:
    (bare / "python3").symlink_to(sys.executable)
    add_program(bare, "cargo", "cargo 1.9.0 (of old)")
    assert re.search(r"Rust [\d.]+ or newer is needed, this is 1\.9\.0", set_up(bare))


def test_make_help_lists_every_target() -> None:
    said = run_tool("make", "--no-print-directory", "help")
    listed = {line.split()[0] for line in said.splitlines()}
    makefile = (ROOT / "Makefile").read_text().replace("\\\n", " ")
    declared = re.search(r"^\.PHONY:(.*)$", makefile, re.MULTILINE)
    assert declared is not None
    assert listed == set(declared[1].split())
