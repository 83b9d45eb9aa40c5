"""Writes docs/configuration.md from the configuration's own descriptions."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from bgpreflector.config import Config

PAGE = Path("docs/configuration.md")
HEAD = """# Configuration

One TOML file; every key has a default. `bgpreflector check FILE` names every mistake by its key,
and unknown keys are refused. A file named `*.yaml`, `*.yml` or `*.conf` is read as Contiv's
`contiv.conf`.
This page is generated from the code by `make reference`.
"""


def page() -> str:
    """The page as it has to be."""
    return HEAD + "".join(_section(Config, ""))


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
    """Writes the page, or with ``--check`` says whether it is right."""
    if sys.argv[1:] == ["--check"]:
        right = PAGE.read_text(encoding="utf-8") == page()
        if not right:
            sys.stderr.write(f"{PAGE} is not up to date: run `make reference`\n")
        return 0 if right else 1
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
