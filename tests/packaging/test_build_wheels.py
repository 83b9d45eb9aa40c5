"""How the wheels' builder finds a way for a target, with a compiler that only answers."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

import build_wheels
from build_wheels import Way
from lab.command import ROOT

MUSL = "aarch64-unknown-linux-musl"


def add_compiler(folder: Path) -> Path:
    """A compiler whose libraries and sources are in the folder; where its program is."""
    program = folder / "bin" / "rustc"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "{folder}/$2"\n')
    program.chmod(0o755)
    return program.parent


@pytest.fixture
def compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only one; its libraries and sources are in the folder."""
    monkeypatch.setenv("PATH", str(add_compiler(tmp_path)))
    monkeypatch.setattr(build_wheels, "CROSS", tmp_path / "absent")
    return tmp_path


def add_file(path: Path) -> None:
    """An empty file."""
    path.parent.mkdir(parents=True)
    path.touch()


def test_no_library_and_no_source(compiler: Path) -> None:
    assert build_wheels._way(MUSL) is None


def test_an_installed_library_is_taken(compiler: Path) -> None:
    add_file(compiler / "target-libdir" / "libstd-0123.rlib")
    add_file(compiler / "sysroot" / "lib/rustlib/src/rust/library/Cargo.lock")
    assert build_wheels._way(MUSL) == Way(str(compiler / "bin"), compiles_library=False)


def test_a_library_is_compiled_from_its_source(compiler: Path) -> None:
    add_file(compiler / "sysroot" / "lib/rustlib/src/rust/library/Cargo.lock")
    assert build_wheels._way(MUSL) == Way(str(compiler / "bin"), compiles_library=True)


def test_a_library_goes_before_a_source(
    compiler: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even that of the second compiler before the source of the first."""
    add_file(compiler / "sysroot" / "lib/rustlib/src/rust/library/Cargo.lock")
    second = tmp_path / "second"
    add_file(second / "target-libdir" / "libstd-0123.rlib")
    programs = add_compiler(second)
    monkeypatch.setattr(build_wheels, "CROSS", programs)
    path = f"{programs}{os.pathsep}{compiler / 'bin'}"
    assert build_wheels._way(MUSL) == Way(path, compiles_library=False)


def test_a_module_for_musl_is_linked_to_it(compiler: Path) -> None:
    """By default a program would be made that needs no library, and no Python could load it."""
    way = Way(str(compiler / "bin"), compiles_library=True)
    assert "-crt-static" in way.environment(MUSL)["RUSTFLAGS"]
    assert "-crt-static" not in way.environment("aarch64-unknown-linux-gnu").get("RUSTFLAGS", "")


def test_where_there_is_no_debian(tmp_path: Path) -> None:
    """The tools say what they need."""
    for tool in ("dirname", "realpath", "sed"):
        found = shutil.which(tool)
        assert found is not None
        (tmp_path / tool).symlink_to(found)
    bash = shutil.which("bash")
    assert bash is not None
    done = subprocess.run(
        [bash, str(ROOT / "scripts" / "cross.sh"), "rust", str(tmp_path / "rust")],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "this needs Debian's apt-get" in done.stderr
