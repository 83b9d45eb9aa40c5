"""The wheel and the source distribution hold what a user needs, and work."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import sysconfig
import tarfile
import venv
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from lab.command import ROOT, run_tool
from lab.maturin import MATURIN

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def build(directory: Path, *arguments: str, suffix: str) -> Path:
    """Builds with maturin and returns the one file that came out."""
    if shutil.which("cargo") is None:
        pytest.skip("no `cargo`: install a Rust toolchain to build the distributions")
    run_tool(*MATURIN, *arguments, "--out", str(directory))
    (built,) = directory.glob(f"*{suffix}")
    return built


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution."""
    return build(tmp_path_factory.mktemp("sdist"), "sdist", suffix=".tar.gz")


def install(wheel: Path, directory: Path) -> Path:
    """Installs the wheel alone into a new environment that has its dependencies from here."""
    venv.create(directory, with_pip=False)
    python = directory / "bin" / "python"
    run_tool(sys.executable, "-m", "pip", "--python", str(python), "install", "-q", "--no-deps",
        str(wheel))  # fmt: skip
    libraries = run_tool(
        str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"
    )
    # A plain path, not a site: the editable install here stays out of sight. Written last, for pip
    # would take what is installed here for what is installed there.
    (Path(libraries.strip()) / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return directory / "bin"


def test_the_wheel_is_a_program_without_tests(native_wheel: Path) -> None:
    with zipfile.ZipFile(native_wheel) as archive:
        names = set(archive.namelist())
        (info,) = {name.split("/")[0] for name in names if ".dist-info/" in name}
        metadata = Parser().parsestr(archive.read(f"{info}/METADATA").decode())
        entry_points = archive.read(f"{info}/entry_points.txt").decode()
    assert not [name for name in names if name.startswith("tests") or ".pyc" in name]
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["License-Expression"] == "Apache-2.0"
    assert "bgpreflector=bgpreflector.cli:main" in entry_points.replace(" ", "")


def test_the_wheel_is_for_many_systems(native_wheel: Path) -> None:
    """Audited: it needs nothing of the system but what its tag promises."""
    assert "-manylinux" in native_wheel.name


def test_the_wheel_tells_what_is_linked_in(native_wheel: Path) -> None:
    """A bill of materials of its crates, and the licence of each."""
    with zipfile.ZipFile(native_wheel) as archive:
        (name,) = [name for name in archive.namelist() if "/sboms/" in name]
        bill = json.loads(archive.read(name))
        (name,) = [name for name in archive.namelist() if "/THIRD-PARTY-LICENSES" in name]
        licences = archive.read(name).decode()
    listed = {(one["name"], one["version"]) for one in bill["components"]}
    linked = set(re.findall(r"^([\w-]+) (\d\S*): ", licences, re.MULTILINE))
    assert ("pyo3", dict(linked)["pyo3"]) in listed
    assert linked <= listed


def test_the_tests_pass_with_the_wheel(native_wheel: Path, tmp_path: Path) -> None:
    """A part of them: `make test-wheel` runs them all."""
    programs = install(native_wheel, tmp_path / "environment")
    said = run_tool(
        str(programs / "python"), "-m", "pytest", "-q", "-p", "no:cacheprovider",
        "tests/unit/reflector", "tests/unit/simulator/test_command.py",
    )  # fmt: skip
    assert re.search(r"\d+ passed", said)
    assert not re.search(r"\d+ (failed|error)", said)


def test_the_wheel_works_without_a_rust_toolchain(native_wheel: Path, tmp_path: Path) -> None:
    programs = install(native_wheel, tmp_path / "environment")
    elsewhere = {"cwd": tmp_path, "PATH": str(programs)}
    where = "import bgpreflector._core as core; print(core.__file__)"
    loaded = run_tool(str(programs / "python"), "-c", where, **elsewhere)  # type: ignore[arg-type]
    assert Path(loaded.strip()).is_relative_to(tmp_path / "environment")
    said = run_tool(str(programs / "bgpreflector"), "--help", **elsewhere)  # type: ignore[arg-type]
    for command in ("run", "demo", "simulate", "show", "check"):
        assert command in said


def test_the_source_distribution_builds_by_itself(sdist: Path, tmp_path: Path) -> None:
    with tarfile.open(sdist) as archive:
        top, *_ = archive.getnames()[0].split("/")
        names = {name.removeprefix(f"{top}/") for name in archive.getnames()}
    # Not by tarfile: its filters are younger than the oldest Python that we take.
    run_tool("tar", "--extract", f"--file={sdist}", f"--directory={tmp_path}")
    assert {
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE",
        "Makefile",
        "README.md",
        "THIRD-PARTY-LICENSES",
        "docs/configuration.md",
        "packaging/systemd/bgpreflector.service",
        "pyproject.toml",
        "python/bgpreflector/_core.pyi",
        "python/bgpreflector/py.typed",
        "rust/core/src/lib.rs",
        "rust/engine/src/lib.rs",
        "rust/python/src/lib.rs",
        "rust/simulator/src/lib.rs",
        "scripts/setup.sh",
        "tests/packaging/test_distributions.py",
        "tests/vectors/netlink/cases.toml",
    } <= names
    assert not [name for name in names if name.endswith((".so", ".pyc"))]
    # Dependencies are compiled already. Our crates are built anew, since cargo goes by the time of
    # a file, and those of an archive are old.
    for path in (tmp_path / top / "rust").rglob("*"):
        path.touch()
    target = os.environ.get("CARGO_TARGET_DIR", str(ROOT / "target"))
    # Whether all that is needed is there is the same without optimisation, and takes a third.
    run_tool(
        *MATURIN, "build", "--out", str(tmp_path / "out"),
        cwd=tmp_path / top, CARGO_TARGET_DIR=target,
    )  # fmt: skip
    (built,) = (tmp_path / "out").glob("*.whl")
    programs = install(built, tmp_path / "environment")
    said = run_tool(str(programs / "bgpreflector"), "--version", cwd=tmp_path)
    assert said.split()[0] == "bgpreflector"
