"""Checks every crate's licence and source as deny.toml wants them.

A full cargo-deny takes minutes to build; what is needed of it is this.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path


def main() -> int:
    """Prints every crate that is refused; 1 if there is one."""
    allowed = set(tomllib.loads(Path("deny.toml").read_text())["licenses"]["allow"])
    metadata = json.loads(
        subprocess.run(
            ["cargo", "metadata", "--format-version", "1", "--locked"],
            check=True,
            capture_output=True,
        ).stdout
    )
    refused = [
        f"{package['name']} {package['version']}: {reason}"
        for package in metadata["packages"]
        for reason in _reasons(package, allowed)
    ]
    for line in refused:
        sys.stderr.write(f"not allowed: {line}\n")
    sys.stdout.write(f"{len(metadata['packages'])} crates, {len(refused)} refused\n")
    return 1 if refused else 0


def _reasons(package: dict[str, str | None], allowed: set[str]) -> list[str]:
    licence, source = package["license"] or "none stated", package["source"]
    reasons = [] if _is_allowed(licence, allowed) else [f"licence {licence}"]
    # This repository's own have no source; what is left to refuse is git.
    if source is not None and not source.startswith("registry+"):
        reasons.append(f"source {source}")
    return reasons


def _is_allowed(expression: str, allowed: set[str]) -> bool:
    """Whether an SPDX expression can be met: every AND part, by one of its OR parts."""
    text = expression.replace("/", " OR ")
    parts = re.split(r"\s+AND\s+", text.replace("(", "").replace(")", ""))
    return all(any(one.strip() in allowed for one in part.split(" OR ")) for part in parts)


if __name__ == "__main__":
    sys.exit(main())
