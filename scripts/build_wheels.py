"""Builds a wheel for each target that a compiler at hand can compile for, and says which are not.

Usage: build_wheels.py FOLDER [TARGET…]

The first compiler is that of PATH. Where it has neither a target's standard library nor the source
to compile one from, that which `scripts/cross.sh rust .tools/rust` gets is the second.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

TARGETS = {
    "x86_64-unknown-linux-gnu": "manylinux_2_17",
    "aarch64-unknown-linux-gnu": "manylinux_2_17",
    "x86_64-unknown-linux-musl": "musllinux_1_2",
    "aarch64-unknown-linux-musl": "musllinux_1_2",
}
"""The oldest systems that each is for, as maturin names them."""

CROSS = Path(".tools/rust/bin").resolve()
MISSING = """not built: {target}: no compiler here has its standard library or the source of one:
  rustup target add {target}, or rustup component add rust-src, or on Debian 12
  scripts/cross.sh rust .tools/rust
"""


@dataclass(frozen=True)
class Way:
    """How to compile for a target."""

    path: str
    """Where the compiler is found."""

    compiles_library: bool

    def environment(self, target: str) -> dict[str, str]:
        """The compiler's environment variables."""
        # Maturin asks the first Python of PATH for zig.
        variables = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{self.path}"}
        if self.compiles_library:
            # A stable compiler takes -Z build-std then too. What two compilers have compiled lies
            # apart, so that neither begins anew for the other.
            variables |= {
                "RUSTC_BOOTSTRAP": "1",
                "CARGO_TARGET_DIR": str(_target_folder() / "cross"),
            }
        if target.endswith("-musl"):
            # For musl the default is a program that needs no libraries; a module needs its Python.
            given = os.environ.get("RUSTFLAGS", "")
            variables["RUSTFLAGS"] = f"{given} -C target-feature=-crt-static".strip()
        return os.environ | variables


def main() -> int:
    """1 if one that was asked for by name cannot be built."""
    folder, *asked = sys.argv[1:]
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check",
         "maturin[zig]>=1.9,<2"],
        check=True,
    )  # fmt: skip
    targets, missing = asked or list(TARGETS), []
    if not CROSS.exists() and not all(_way(target) for target in targets):
        subprocess.run(["scripts/cross.sh", "rust", str(CROSS.parent)], check=False)
    for target in targets:
        if (way := _way(target)) is not None:
            _build(target, way, folder)
        else:
            missing.append(target)
    for target in missing:
        sys.stderr.write(MISSING.format(target=target))
    return 1 if asked and missing else 0


def _way(target: str) -> Way | None:
    """The library as it is, of the first compiler that has it; else its source."""
    here = os.environ["PATH"]
    paths = [here, *([f"{CROSS}{os.pathsep}{here}"] if CROSS.exists() else [])]
    for path in paths:
        if any(Path(_ask(path, "target-libdir", target)).glob("libstd-*")):
            return Way(path, compiles_library=False)
    for path in paths:
        sources = Path(_ask(path, "sysroot", target), "lib/rustlib/src/rust/library")
        if (sources / "Cargo.lock").exists():
            return Way(path, compiles_library=True)
    return None


def _ask(path: str, what: str, target: str) -> str:
    done = subprocess.run(
        ["rustc", "--print", what, "--target", target],
        env=os.environ | {"PATH": path},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def _target_folder() -> Path:
    return Path(os.environ.get("CARGO_TARGET_DIR", "target")).resolve()


def _build(target: str, way: Way, folder: str) -> None:
    """With zig as the linker: it has the libraries of every system to link against."""
    library = ["-Z", "build-std=std,panic_abort"] if way.compiles_library else []
    subprocess.run(
        [sys.executable, "-m", "maturin", "build", "--release", "--locked", "--zig",
         "--target", target, "--compatibility", TARGETS[target], "--out", folder, *library],
        check=True,
        env=way.environment(target),
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
