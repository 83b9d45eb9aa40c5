"""What is built once for several of the tests."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from lab.maturin import MATURIN

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def native_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """That which `make test-wheel` has built and installed, or else a new one."""
    built = os.environ.get("BGPREFLECTOR_TESTS_WHEEL")
    if built is not None:
        return ROOT / built
    if shutil.which("cargo") is None:
        pytest.skip("no `cargo`: install a Rust toolchain to build the wheel")
    folder = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [*MATURIN, "build", "--release", "--locked", "--out", str(folder)],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = folder.glob("*.whl")
    return wheel
