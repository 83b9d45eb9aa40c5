"""The workflows: what actionlint says, and that all they run is this project's own and there."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.command import ROOT, run_tool

GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
TOOLS = Path(sys.executable).parent


def jobs() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every job, with a name for it."""
    for path in WORKFLOWS:
        for name, job in yaml.safe_load(path.read_text())["jobs"].items():
            yield f"{path.stem}: {name}", job


def commands() -> Iterator[str]:
    """All that is run; a matrix's values in their places."""
    for _, job in jobs():
        matrix = job.get("strategy", {}).get("matrix", {})
        for step in job["steps"]:
            command = step.get("run", "")
            names = re.findall(r"\$\{\{ matrix\.(\w+) \}\}", command)
            for value in matrix[names[0]] if names else [None]:
                yield re.sub(r"\$\{\{ matrix\.\w+ \}\}", str(value), command)


def test_actionlint_has_no_complaint() -> None:
    """With shellcheck for what is run."""
    run_tool(TOOLS / "actionlint", "-shellcheck", TOOLS / "shellcheck", *WORKFLOWS)


def test_what_is_run_can_be_run_anywhere() -> None:
    """`.ci/run` or targets of make; besides, a toolchain's own parts and the publishing."""
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    ours = re.compile(r"(?:\.github/as_root )?(?P<what>\.ci/run|make (?P<targets>.+))")
    others = ("rustup ", "gh release create ", "mkdir pypi ")
    seen: set[str] = set()
    for command in filter(None, commands()):
        found = ours.fullmatch(command.strip())
        assert found or command.startswith(others), command
        if found and found["targets"]:
            asked = {one for one in found["targets"].split() if "=" not in one and '"' not in one}
            assert asked <= targets, command
            seen |= asked
        elif found:
            seen.add(found["what"])
    wanted = {"test", "docs", "fuzz", "soak", "matrix", "packages", "advisories", "coverage"}
    assert wanted | {".ci/run"} <= seen


def test_every_python_that_is_named_is_tested() -> None:
    """On both processors, of which `.ci/run` has one Python of one."""
    (matrix,) = [job["strategy"]["matrix"] for name, job in jobs() if name == "ci: tests"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = re.findall(r"Python :: (3\.\d+)", "\n".join(project["classifiers"]))
    assert matrix["python"] == named
    assert len(matrix["machine"]) == 2
    (everything,) = [job for name, job in jobs() if name == "ci: everything"]
    (python,) = [
        step["with"]["python-version"]
        for step in everything["steps"]
        if "setup-python" in step.get("uses", "")
    ]
    assert matrix["exclude"] == [{"python": python, "machine": everything["runs-on"]}]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_no_workflow_may_write_by_default(path: Path) -> None:
    """And none leaves a token beside the sources."""
    workflow = yaml.safe_load(path.read_text())
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] > 0
        for step in job["steps"]:
            if "actions/checkout@" in step.get("uses", ""):
                assert step["with"]["persist-credentials"] is False


def test_what_is_kept_up_to_date_is_there() -> None:
    """Each folder of Dependabot's has what it looks for."""
    files = {"cargo": "Cargo.lock", "uv": "uv.lock", "docker": "Dockerfile", "github-actions": ""}
    updates = yaml.safe_load((GITHUB / "dependabot.yml").read_text())["updates"]
    assert {one["package-ecosystem"] for one in updates} == set(files)
    for one in updates:
        for folder in one.get("directories", [one.get("directory")]):
            assert (ROOT / folder.lstrip("/") / files[one["package-ecosystem"]]).exists()


def test_the_forms_are_forms() -> None:
    """With a label for each field, and a command that exists in each that asks for one."""
    for path in sorted((GITHUB / "ISSUE_TEMPLATE").glob("[!c]*.yml")):
        form = yaml.safe_load(path.read_text())
        assert {"name", "description", "body"} <= set(form)
        fields = [one for one in form["body"] if one["type"] != "markdown"]
        assert len({one["id"] for one in fields}) == len(fields)
        assert all(one["attributes"]["label"] for one in fields)


def test_hooks_run_what_is_there() -> None:
    """Tools of .venv, and scripts of the tree."""
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    for hook in hooks:
        program, *arguments = hook["entry"].split()
        assert program == "cargo" or (TOOLS / Path(program).name).exists(), hook["id"]
        for script in (one for one in arguments if one.startswith("scripts/")):
            assert (ROOT / script).exists()
