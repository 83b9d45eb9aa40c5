"""Prints what `make coverage` measured: a table in Markdown, a row for each crate and package.

Usage: coverage_table.py target/coverage/rust.json target/coverage/python.json; the first is of
`cargo llvm-cov report --json --summary-only`, the second of `coverage json`. In a workflow of
GitHub's the table goes into the run's summary, too.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]


def of_rust(report: Path) -> tuple[Counter[str], Counter[str]]:
    """All lines and those that ran, by crate."""
    lines: Counter[str] = Counter()
    covered: Counter[str] = Counter()
    for file in json.loads(report.read_text())["data"][0]["files"]:
        crate = "/".join(Path(file["filename"]).relative_to(ROOT).parts[:2])
        lines[crate] += file["summary"]["lines"]["count"]
        covered[crate] += file["summary"]["lines"]["covered"]
    return lines, covered


def of_python(report: Path) -> tuple[Counter[str], Counter[str]]:
    """All lines and those that ran, by package."""
    lines: Counter[str] = Counter()
    covered: Counter[str] = Counter()
    for name, file in json.loads(report.read_text())["files"].items():
        _, *within = Path(name).parent.parts
        package = ".".join(within)
        lines[package] += file["summary"]["num_statements"]
        covered[package] += file["summary"]["covered_lines"]
    return lines, covered


def table(measured: list[tuple[str, Counter[str], Counter[str]]]) -> str:
    """In Markdown, by language, with a sum for each."""
    rows = ["| | lines | tested |", "| --- | ---: | ---: |"]
    for language, lines, covered in measured:
        rows += [row(f"`{name}`", lines[name], covered[name]) for name in sorted(lines)]
        rows.append(row(f"**{language}**", lines.total(), covered.total()))
    return "\n".join(rows) + "\n"


def row(name: str, lines: int, covered: int) -> str:
    """Of the table."""
    return f"| {name} | {lines:,} | {100 * covered / max(lines, 1):.1f} % |"


def main() -> int:
    """Prints the table."""
    rust, python = (Path(argument) for argument in sys.argv[1:])
    made = table([("Rust", *of_rust(rust)), ("Python", *of_python(python))])
    commit = subprocess.run(
        ["git", "log", "-1", "--format=%h of %cs"],
        cwd=ROOT, check=False, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    text = f"Lines that tests run, at commit {commit or 'unknown'}:\n\n{made}"
    sys.stdout.write(text)
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(summary).open("a") as file:
            file.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
