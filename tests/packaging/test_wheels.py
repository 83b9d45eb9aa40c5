"""Wheels for this system, and those for others that are built: they are what their tags say."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

from build_wheels import TARGETS
from lab.command import ROOT

MACHINES = {"x86_64": "Advanced Micro Devices X86-64", "aarch64": "AArch64"}
LIBRARIES = {
    "manylinux": {"libc.so.6", "libdl.so.2", "libgcc_s.so.1", "libm.so.6", "libpthread.so.0"},
    "musllinux": {"libc.so"},
}
"""What a system of the kind has: there is nothing else to install."""

HERE = "here"
TAG = re.compile(r"(?P<system>many|musl)linux_(?P<major>\d+)_(?P<minor>\d+)_(?P<machine>\w+)")


@pytest.fixture(params=[HERE, *TARGETS])
def path(request: pytest.FixtureRequest) -> Path:
    """The wheel that is built here as it comes, or that of a target in dist/."""
    if request.param == HERE:
        return Path(request.getfixturevalue("native_wheel"))
    system, machine = TARGETS[request.param], request.param.partition("-")[0]
    name = f"bgpreflector-{version('bgpreflector')}-cp311-abi3-*{system}_{machine}.whl"
    found = sorted((ROOT / "dist").glob(name))
    if not found:
        pytest.skip(f"system: no wheel for {request.param} in dist/: build it with `make wheels`")
    return found[0]


@pytest.fixture
def tag(path: Path) -> re.Match[str]:
    """The system that it is for, as its name says."""
    found = TAG.search(path.stem.rpartition("-")[2].split(".")[0])
    assert found is not None
    return found


@pytest.fixture
def wheel(path: Path) -> zipfile.ZipFile:
    """Its files."""
    return zipfile.ZipFile(path)


@pytest.fixture
def module(wheel: zipfile.ZipFile, tmp_path: Path) -> Path:
    """The compiled module out of it."""
    if shutil.which("readelf") is None:
        pytest.skip("no readelf: install it (Debian: binutils) to look into the module")
    return Path(wheel.extract("bgpreflector/_core.abi3.so", tmp_path))


def readelf(option: str, module: Path) -> str:
    """What it prints, in full."""
    done = subprocess.run(
        ["readelf", "--wide", option, str(module)], check=True, capture_output=True, text=True
    )
    return done.stdout


def test_its_tags_and_files(wheel: zipfile.ZipFile, tag: re.Match[str]) -> None:
    """One wheel for each Python from 3.11 on, with its licences and its bill of materials."""
    names = set(wheel.namelist())
    (info,) = {name.split("/")[0] for name in names if ".dist-info/" in name}
    tags = re.findall(r"^Tag: (.*)$", wheel.read(f"{info}/WHEEL").decode(), re.MULTILINE)
    assert f"cp311-abi3-{tag[0]}" in tags
    assert all(tag.startswith("cp311-abi3-") for tag in tags)
    bill = f"{info}/sboms/bgpreflector-python.cyclonedx.json"
    assert {
        "bgpreflector/__init__.py",
        "bgpreflector/_core.pyi",
        "bgpreflector/py.typed",
        f"{info}/licenses/LICENSE",
        f"{info}/licenses/THIRD-PARTY-LICENSES",
        bill,
    } <= names
    assert [name for name in names if name.endswith(".so")] == ["bgpreflector/_core.abi3.so"]
    assert json.loads(wheel.read(bill))["bomFormat"] == "CycloneDX"


def test_its_module_is_for_the_machine(module: Path, tag: re.Match[str]) -> None:
    header = readelf("--file-header", module)
    assert re.search(rf"Machine: +{re.escape(MACHINES[tag['machine']])}\n", header)
    assert re.search(r"\bPyInit__core\b", readelf("--dyn-syms", module))


def test_its_module_needs_the_c_library_alone(module: Path, tag: re.Match[str]) -> None:
    """And one of the version that is named does."""
    loaders = r"ld-linux-[\w-]+\.so\.\d"
    needed = {
        name
        for name in re.findall(r"\(NEEDED\).*\[(.*)\]", readelf("--dynamic", module))
        if not re.fullmatch(loaders, name)
    }
    assert needed <= LIBRARIES[f"{tag['system']}linux"]
    wanted = set(re.findall(r"@GLIBC_(\d+)\.(\d+)", readelf("--dyn-syms", module)))
    newest = max(((int(major), int(minor)) for major, minor in wanted), default=None)
    if tag["system"] == "musl":
        assert newest is None
    else:
        assert newest is not None
        assert newest <= (int(tag["major"]), int(tag["minor"]))
