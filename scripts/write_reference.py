"""Writes docs/configuration.md and docs/metrics.md from the code's own descriptions."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from bgpreflector.config import Config
from bgpreflector.metrics import METRICS

CONFIGURATION = Path("docs/configuration.md")
METRICS_PAGE = Path("docs/metrics.md")
HEAD = """# Configuration

One TOML file; every key has a default. `bgpreflector check FILE` names every mistake by its key,
and unknown keys are refused. A file named `*.yaml`, `*.yml` or `*.conf` is read as Contiv's
`contiv.conf`.
This page is generated from the code by `make reference`.
"""


METRICS_HEAD = """# Metrics and probes

With `[metrics] address = "127.0.0.1:9482"` the daemon serves `/metrics` for Prometheus,
`/-/healthy` (200 while its threads run) and `/-/ready` (200 if `bgpreflector_ready` is 1, else 503,
with the state as text) over HTTP. Nothing listens without an address. No label is a prefix, so
the number of series does not depend on the number of routes.
This page is generated from the code by `make reference`.

| metric | type | labels | meaning |
| --- | --- | --- | --- |
"""
METRICS_FOOT = """
Beside these there are those of prometheus-client about the process (`process_*`: memory, processor
time, open files, start time) and Python (`python_info`).
"""


def configuration_page() -> str:
    """docs/configuration.md as it has to be."""
    return HEAD + "".join(_section(Config, ""))


def metrics_page() -> str:
    """docs/metrics.md as it has to be."""
    rows = (f"| `{m.full_name}` | {m.kind} | {', '.join(m.labels)} | {m.help} |\n" for m in METRICS)
    return METRICS_HEAD + "".join(rows) + METRICS_FOOT


PAGES = {CONFIGURATION: configuration_page, METRICS_PAGE: metrics_page}


def _section(model: type[BaseModel], prefix: str) -> list[str]:
    keys, sections = [], []
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            path = f"{prefix}.{name}" if prefix else name
            sections += [f"\n## `[{path}]`\n\n{field.description}\n", *_section(kind, path)]
            continue
        default = field.get_default(call_default_factory=True, validated_data={})
        shown = "" if default is PydanticUndefined else _shown(default)
        keys.append(f"| `{name}` | {shown} | {field.description} |\n")
    table = ["\n| key | default | meaning |\n| --- | --- | --- |\n", *keys] if keys else []
    return table + sections


def _shown(default: object) -> str:
    return "none" if default is None else f"`{json.dumps(default, default=str)}`"


def main() -> int:
    """Writes the pages, or with ``--check`` says whether they are right."""
    if sys.argv[1:] != ["--check"]:
        for place, page in PAGES.items():
            place.write_text(page(), encoding="utf-8")
        return 0
    wrong = [
        place
        for place, page in PAGES.items()
        if not place.exists() or place.read_text(encoding="utf-8") != page()
    ]
    for place in wrong:
        sys.stderr.write(f"{place} is not up to date: run `make reference`\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
