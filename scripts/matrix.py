"""Runs the tests that need a real VPP against several, and writes the table of their results.

Usage: matrix.py [--write docs/compatibility.md] VPP … [-- PYTEST ARGUMENTS]; each VPP is a
directory as `make install` of VPP makes it, with ``bin/vpp``.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

BEGIN, END = "<!-- matrix: made by `make matrix` -->", "<!-- end of matrix -->"
RESULTS = Path("target/matrix")


@dataclass(frozen=True)
class Result:
    """What the tests marked ``vpp`` did with one VPP."""

    name: str
    passed: int
    skipped: int
    failed: tuple[str, ...]

    def row(self) -> str:
        """Of the table."""
        failed = ", ".join(f"`{name}`" for name in self.failed) or "none"
        return f"| {self.name} | {self.passed} | {self.skipped} | {failed} |"


def run(vpp: Path, arguments: list[str]) -> Result:
    """Runs them."""
    name = re.sub(r"^vpp-", "", vpp.name)
    report = RESULTS / f"{name}.xml"
    libraries = ":".join(str(path.parent) for path in vpp.glob("lib/**/libvlib.so"))
    environment = {
        **os.environ,
        "PATH": f"{vpp / 'bin'}:{os.environ['PATH']}",
        "LD_LIBRARY_PATH": libraries,
        # Before 24.06 VPP hands out no description of its API.
        "BGPREFLECTOR_API_DIRECTORY": str(vpp / "share/vpp/api"),
        "BGPREFLECTOR_TESTS_MAY_SKIP": "bird,kernel,release,system",
    }
    command = [sys.executable, "-m", "pytest", "-q", "-m", "vpp", f"--junitxml={report}"]
    report.unlink(missing_ok=True)
    subprocess.run([*command, *arguments], env=environment, check=False)
    return read(name, report)


def read(name: str, report: Path) -> Result:
    """Reads a report of pytest's. Raises ``OSError`` where there is none."""
    passed, skipped, failed = 0, 0, []
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - pytest wrote it
        outcomes = {child.tag for child in case}
        if outcomes & {"failure", "error"}:
            failed.append(str(case.get("name")))
        elif "skipped" in outcomes:
            skipped += 1
        else:
            passed += 1
    return Result(name, passed, skipped, tuple(sorted(set(failed))))


def table(results: list[Result]) -> str:
    """The table in Markdown, newest release first."""
    ordered = sorted(results, key=lambda result: result.name, reverse=True)
    rows = "\n".join(result.row() for result in ordered)
    return f"| VPP | passed | skipped | failed |\n| --- | --- | --- | --- |\n{rows}\n"


def write(page: Path, results: list[Result]) -> None:
    """Puts the table between its marks."""
    before, _, rest = page.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n\n{table(results)}\n{END}{after}")


def main() -> int:
    """Returns 1 if anything failed."""
    words = sys.argv[1:]
    cut = words.index("--") if "--" in words else len(words)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path)
    parser.add_argument("vpps", nargs="+", type=Path)
    wanted = parser.parse_args(words[:cut])
    RESULTS.mkdir(parents=True, exist_ok=True)
    results = [run(vpp, words[cut + 1 :]) for vpp in wanted.vpps]
    sys.stdout.write(table(results))
    if wanted.write:
        write(wanted.write, results)
    return int(any(result.failed for result in results))


if __name__ == "__main__":
    sys.exit(main())
