"""Writes the references of docs/, and what completion offers, from the code's own descriptions."""

from __future__ import annotations

import sys
from pathlib import Path

from bgpreflector.metrics import METRICS
from commands_page import commands_page
from completion_words import completion_words
from config_keys import Section, sections

CONFIGURATION = Path("docs/configuration.md")
METRICS_PAGE = Path("docs/metrics.md")
COMMANDS_PAGE = Path("docs/commands.md")
COMPLETION = Path("python/bgpreflector/cli/completion.json")
HEAD = """# Configuration

One TOML file; every key has a default. `bgpreflector check FILE` names every mistake by its key,
and unknown keys are refused. A time is a number of seconds, or a text with units: `"200ms"`,
`"90s"`, `"5m"`, `"1h30m"`. A file named `*.yaml`, `*.yml` or `*.conf` is read as Contiv's
`contiv.conf`.

The environment's values go before the file's, and the command line's before both. The variable of a
key is its name behind `BGPREFLECTOR_`, in capitals and with `_` for the dots:
`BGPREFLECTOR_VPP_API_SOCKET` is `vpp.api_socket`, `BGPREFLECTOR_VPP_FIB_SOURCE_NAME` is
`vpp.fib_source.name`. A list is written `bird,frr-static` or as in TOML, a table
`eth0=GigabitEthernet0/8/0,eth1=2` or as in TOML (it is merged with the file's), a text without
quotes. An empty variable is as unset; one that is like a key and none is a mistake. `check` and the
first line of the log say which keys the environment gives.

With `--json` `check` prints `{"schema": 1, "valid": true, "problems": [], "environment": {},
"ignored": [], "configuration": {…}}`: of a file with mistakes `configuration` is null, and
`problems` has an object for each, with `key` (empty for the file itself), `message`, and `value`
where one is refused.
This page is generated from the code by `make reference`.
"""


METRICS_HEAD = """# Metrics and probes

With `[metrics] address = "127.0.0.1:19482"` the daemon serves `/metrics` for Prometheus,
`/-/healthy` (200 while its threads run and get on, else 503 with the name of what hangs) and
`/-/ready` (200 if `bgpreflector_ready` is 1, else 503, with the state as text) over HTTP, and a
page at `/` that leads to them. Nothing
listens without an address. No label is a prefix, so the number of series does not depend on the
number of routes. This page is generated from the code by `make reference`.

The port is any that you choose. The range (9100 to 9999) that
[Prometheus's list](https://github.com/prometheus/prometheus/wiki/Default-port-allocations) hands
out is full, so the examples have 19482, outside of it; 9482, which they had, is that of VPP's own
exporter (TNSR's, for instance). 19482 is registered nowhere: tell Prometheus by its configuration.

| metric | type | labels | meaning |
| --- | --- | --- | --- |
"""
METRICS_FOOT = """
Beside these there are those of prometheus-client about the process (`process_*`: memory, processor
time, open files, start time) and Python (`python_info`).
"""


def configuration_page() -> str:
    """docs/configuration.md as it has to be."""
    return HEAD + "".join(map(_section, sections()))


def metrics_page() -> str:
    """docs/metrics.md as it has to be."""
    rows = (f"| `{m.full_name}` | {m.kind} | {', '.join(m.labels)} | {m.help} |\n" for m in METRICS)
    return METRICS_HEAD + "".join(rows) + METRICS_FOOT


PAGES = {
    CONFIGURATION: configuration_page,
    METRICS_PAGE: metrics_page,
    COMMANDS_PAGE: commands_page,
    COMPLETION: completion_words,
}


def _section(section: Section) -> str:
    head = f"\n## `[{section.name}]`\n\n{section.help}\n" if section.name else ""
    if not section.keys:
        return head
    return f"{head}\n| key | default | meaning |\n| --- | --- | --- |\n" + "".join(
        f"| `{key.name}` | {_shown(key.default)} | {key.help} |\n" for key in section.keys
    )


def _shown(default: str | None) -> str:
    return "none" if default is None else f"`{default}`" if default else ""


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
