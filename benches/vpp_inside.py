"""VPP's own speed: its FIB from inside, and routes over its shared memory by a minimal client."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.vpp import RealVpp

ROOT = Path(__file__).parent.parent
EXAMPLE = "shared_memory"
LIBRARY = "libvapiclient.so"
MAX_IN_FLIGHT = 256
"""Requests that are not answered: with more of them messages leave the segment's rings."""

RATE = re.compile(r"([\d.e+]+) routes/sec")
FIRST = "16.0.0.0/24"
GATEWAY = "192.168.100.10"


@dataclass(frozen=True)
class Rates:
    """Routes a second."""

    adds: float
    deletes: float


def from_inside(vpp: RealVpp, count: int) -> Rates:
    """``count`` prefixes of 24 bits in a row by one command of VPP's CLI, which tells the rate."""
    adds, deletes = (
        _told(vpp.cli(f"ip route {verb} {FIRST} count {count} via {GATEWAY} {vpp.interface}"))
        for verb in ("add", "del")
    )
    return Rates(adds, deletes)


def _told(answer: str) -> float:
    found = RATE.search(answer)
    if found is None:
        raise RuntimeError(f"VPP tells no rate: {answer}")
    return float(found[1])


@contextmanager
def frames_in_files(directory: Path, *frames: bytes) -> Iterator[list[Path]]:
    """The frames as files, one each."""
    files = [directory / f"frames{number}" for number in range(len(frames))]
    for file, data in zip(files, frames, strict=True):
        file.write_bytes(data)
    yield files
    for file in files:
        file.unlink()


def over_shared_memory(vpp: RealVpp, adds: Path, deletes: Path, count: int) -> Rates:
    """By VPP's client library, loaded at run time, which never waits. Frames have client 0."""
    done = subprocess.run(
        [_client(), _library(), vpp.namespace.name, str(MAX_IN_FLIGHT), adds, deletes],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{EXAMPLE}: {done.stderr}")
    added, deleted = (count / float(line) for line in done.stdout.split())
    return Rates(added, deleted)


def _client() -> Path:
    """Built, where it is not yet."""
    subprocess.run(
        ["cargo", "build", "--quiet", "--release", "--locked", "--example", EXAMPLE,
         "--package", "bgpreflector-engine"],
        cwd=ROOT, check=True,
    )  # fmt: skip
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return target / "release" / "examples" / EXAMPLE


def _library() -> str:
    """Beside the program, else where the loader finds it. Skips where VPP came without it."""
    program = shutil.which("vpp")
    if program is not None:
        beside = Path(program).resolve().parent.parent / "lib"
        for found in beside.rglob(LIBRARY):
            return str(found)
    pytest.skip(f"VPP's client library {LIBRARY} is missing: install vpp's library packages")
