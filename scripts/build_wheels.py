"""Builds a wheel for each target whose standard library is installed, and says which are not.

Usage: build_wheels.py FOLDER [TARGET…]
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TARGETS = {
    "x86_64-unknown-linux-gnu": "manylinux_2_17",
    "aarch64-unknown-linux-gnu": "manylinux_2_17",
    "x86_64-unknown-linux-musl": "musllinux_1_2",
    "aarch64-unknown-linux-musl": "musllinux_1_2",
}
"""The oldest systems that each is for, as maturin names them."""


def main() -> int:
    """1 if one that was asked for by name cannot be built."""
    folder, *asked = sys.argv[1:]
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check",
         "maturin[zig]>=1.9,<2"],
        check=True,
    )  # fmt: skip
    missing = [target for target in asked or TARGETS if not _has_standard_library(target)]
    for target in asked or TARGETS:
        if target not in missing:
            _build(target, folder)
    for target in missing:
        sys.stderr.write(
            f"not built: {target} (its standard library: rustup target add {target})\n"
        )
    return 1 if asked and missing else 0


def _has_standard_library(target: str) -> bool:
    done = subprocess.run(
        ["rustc", "--print", "target-libdir", "--target", target],
        check=True,
        capture_output=True,
        text=True,
    )
    return any(Path(done.stdout.strip()).glob("libstd-*"))


def _build(target: str, folder: str) -> None:
    """With zig as the linker: it has the libraries of every system to link against."""
    # Maturin asks the first Python of PATH for zig.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(
        [sys.executable, "-m", "maturin", "build", "--release", "--locked", "--zig",
         "--target", target, "--compatibility", TARGETS[target], "--out", folder],
        check=True,
        env=os.environ | {"PATH": path},
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
