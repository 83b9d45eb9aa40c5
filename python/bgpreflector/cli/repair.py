"""``bgpreflector audit --repair``: by the running daemon, or without one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from click.exceptions import Exit

from bgpreflector.audit.difference import Audit
from bgpreflector.units import counts_text

from .daemon import daemon_at
from .exit_codes import ExitCode
from .output import say, say_json


def repair_by_daemon(control: Path | None, config: Path | None, *, as_json: bool) -> None:
    """Ask the daemon to audit and repair, by its own configuration."""
    with daemon_at(control, config) as daemon:
        answer = daemon.ask("repair")
        rows = []
        for row in answer:
            rows.append(row)
            if not as_json:
                say(_line(row))
        end: Any = answer.end
        if as_json:
            say_json({**end, "differences": rows})
        else:
            say(_summary(end))
        left = end["left"]
    if left is None or any(left.values()):
        raise Exit(ExitCode.DIFFERENT)


def _line(row: Any) -> str:
    return f"{row['kind']:<10} {row['prefix']} VPP table {row['vpp_table']}"


def _summary(end: Any) -> str:
    if end["found"] is None:
        return "VPP cannot be audited over this connection; it was resynchronised"
    left = counts_text(end["left"]) or "nothing"
    result = f"found: {counts_text(end['found']) or 'nothing'}; left: {left}"
    return f"{result}; {end['state'].replace('_', ' ')}"


def repair(both: Audit) -> int:
    """Send the changes to VPP; return how many it made."""
    repaired, refusals = both.repair()
    for refusal in refusals:
        say(f"VPP refused: {refusal}", err=True)
    return repaired
