"""That a test which is skipped for a reason that is not allowed fails, and the rest is counted."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lab.skips import MAY_SKIP, kind_of

TESTS = Path(__file__).parents[1]

MODULE = """
import pytest

@pytest.mark.vpp
def test_marked():
    pytest.skip("vpp: no `vpp` on PATH")

def test_without_the_marker():
    pytest.skip("vpp: no `vpp` on PATH")

@pytest.mark.skipif(True, reason="no lintian: install it")
def test_without_its_tool():
    raise AssertionError

@pytest.fixture
def wheel():
    pytest.skip("system: no wheel for it")

def test_of_a_wheel(wheel):
    raise AssertionError

@pytest.mark.xfail(reason="no kind of skip", strict=True)
def test_that_must_fail():
    raise AssertionError

def test_that_passes():
    pass
"""


def run(place: Path, module: str, may_skip: str | None, *more: str) -> tuple[int, str]:
    """pytest's exit code and output."""
    (place / "test_it.py").write_text(module)
    (place / "pytest.ini").write_text("[pytest]\nmarkers =\n    vpp\n")
    environment = {key: value for key, value in os.environ.items() if key != MAY_SKIP}
    if may_skip is not None:
        environment[MAY_SKIP] = may_skip
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "lab.skips", "-p", "no:cacheprovider", "-ra",
         *more, str(place)],
        env=environment | {"PYTHONPATH": str(TESTS)},
        check=False,
        capture_output=True,
        text=True,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_any_is_allowed_on_a_developers_machine(tmp_path: Path) -> None:
    code, output = run(tmp_path, MODULE, None)
    assert code == 0
    assert "1 passed, 4 skipped, 1 xfailed" in output
    assert "skipped, no real VPP: 2\n" in output
    assert "skipped, other: 1\n" in output


@pytest.mark.parametrize("more", [(), ("-n", "2")], ids=["alone", "workers"])
def test_what_is_not_allowed_fails(tmp_path: Path, more: tuple[str, ...]) -> None:
    code, output = run(tmp_path, MODULE, "vpp,system", *more)
    assert code == 1
    assert "1 failed, 1 passed, 2 skipped, 1 xfailed, 1 error" in output
    assert "allows that for system, vpp only: Skipped: no lintian: install it" in output
    assert "skipped for want of a real VPP, and not marked so: Skipped: vpp: no" in output
    assert "FAILED" in output
    assert "::test_without_the_marker" in output


def test_a_module_that_is_skipped_as_a_whole(tmp_path: Path) -> None:
    module = "import pytest\npytest.importorskip('no_such_module')\n"
    code, output = run(tmp_path, module, "vpp,system")
    assert code == pytest.ExitCode.INTERRUPTED
    assert "could not import 'no_such_module'" in output


def test_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    code, output = run(tmp_path, MODULE, "vpp,toolz")
    assert code != 0
    assert f"{MAY_SKIP}: not known: toolz" in output


@pytest.mark.parametrize(
    ("reason", "kind"), [("Skipped: vpp: none", "vpp"), ("no vpp: none", ""), ("other: x", "")]
)
def test_kinds(reason: str, kind: str) -> None:
    assert kind_of(reason) == kind
