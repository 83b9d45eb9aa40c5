"""What is built once for several of the tests."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from lab.command import ROOT, run_tool
from lab.maturin import MATURIN


@pytest.fixture(scope="session")
def native_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """That which `make test-wheel` has built and installed, or else a new one."""
    built = os.environ.get("BGPREFLECTOR_TESTS_WHEEL")
    if built is not None:
        return ROOT / built
    if shutil.which("cargo") is None:
        pytest.skip("no `cargo`: install a Rust toolchain to build the wheel")
    folder = tmp_path_factory.mktemp("wheel")
    run_tool(*MATURIN, "build", "--release", "--locked", "--out", folder)
    (wheel,) = folder.glob("*.whl")
    return wheel
