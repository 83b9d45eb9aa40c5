"""Runs tests against wheels for other systems, each with a Python of its system.

Usage: try_wheels.py FOLDER [PYTEST-ARGUMENT…]

FOLDER has the wheels. The Pythons are those that `scripts/cross.sh python .tools/python-LIBC-ARCH
LIBC ARCH` gets; a wheel without one is named and left out. That for this system has a way of its
own: `make test-wheel`.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path
from platform import machine

# Emulated there is no netlink as the kernel has it: qemu translates it, and knows a part.
TESTS = ["tests/unit/config", "tests/unit/control", "tests/unit/controller", "tests/unit/reflector",
         "tests/unit/simulator", "tests/netns/progress", "-m", "not root and not slow"]  # fmt: skip
PLATFORMS = {
    "glibc": ("manylinux_2_17", "manylinux2014", "manylinux_2_28"),
    "musl": ("musllinux_1_1", "musllinux_1_2"),
}
"""Which wheels of others its system takes: Debian's glibc is newer than these."""


def main() -> int:
    """1 if a test failed, or if no wheel could be tried."""
    folder, *arguments = sys.argv[1:]
    tried = [
        _try(wheel, libc, architecture, arguments or TESTS)
        for wheel in sorted(Path(folder).glob(f"bgpreflector-{version('bgpreflector')}-*.whl"))
        for libc, architecture in [_system(wheel)]
        if (libc, architecture) != ("glibc", machine())
        if _python(libc, architecture).exists() or _leave_out(wheel, libc, architecture)
    ]
    return 0 if tried and all(tried) else 1


def _system(wheel: Path) -> tuple[str, str]:
    found = re.search(r"-(many|musl)linux\w*?_(x86_64|aarch64)[.]", wheel.name)
    if found is None:
        raise SystemExit(f"{wheel}: not known for which system it is")
    return {"many": "glibc", "musl": "musl"}[found[1]], found[2]


def _python(libc: str, architecture: str) -> Path:
    return Path(f".tools/python-{libc}-{architecture}/python").resolve()


def _leave_out(wheel: Path, libc: str, architecture: str) -> bool:
    place = _python(libc, architecture).parent
    said = f"not tried: {wheel.name}: no Python ({place.name}; see scripts/cross.sh)\n"
    sys.stderr.write(said)
    return False


def _try(wheel: Path, libc: str, architecture: str, arguments: list[str]) -> bool:
    libraries = Path(f"target/tried/{libc}-{architecture}").resolve()
    development = tomllib.loads(Path("pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]["dev"]
    tools = [one for one in development if one.startswith(("pytest", "hypothesis"))]
    platforms = [f"--platform={one}_{architecture}" for one in PLATFORMS[libc]]
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--upgrade",
         "--only-binary=:all:", "--python-version=3.11", *platforms, f"--target={libraries}",
         str(wheel), *tools],
        check=True,
    )  # fmt: skip
    sys.stderr.write(f"{wheel.name}:\n")
    done = subprocess.run(
        [_python(libc, architecture), "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
        env=os.environ | {"PYTHONPATH": str(libraries), "PYTHONDONTWRITEBYTECODE": "1"},
        check=False,
    )
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
