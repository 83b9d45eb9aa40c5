"""``bgpreflector doctor``."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import click
from click.exceptions import Exit
from rich.console import Console
from rich.text import Text

from bgpreflector.config import Config, ConfigError
from bgpreflector.doctor import SCHEMA, Finding, Severity, check_up
from bgpreflector.units import counted

from . import options
from .exit_codes import ExitCode
from .output import plain, say
from .settings import COMMAND_LINE, read_config

STYLES = {Severity.OK: "green", Severity.WARNING: "yellow", Severity.ERROR: "bold red"}


@click.command(short_help="Find what keeps routes out of VPP; change nothing.")
@options.configuration
@options.control_socket
@click.option("--strict", is_flag=True, help="Exit with 8 for warnings, too.")
@options.as_json
def doctor(
    config: Path | None,
    socket: Path | None,
    netns: str | None,
    protocol: tuple[str, ...],
    interface: tuple[str, ...],
    control: Path | None,
    strict: bool,
    as_json: bool,
) -> None:
    """Check the kernel, the BGP daemon's routes, VPP and the configuration; change nothing.

    Each finding says what, of which object, and what to do. Exit status 8 if there is an error,
    with --strict also if there is a warning; 0 if not. Run it as the user that the daemon has.
    """
    # What the parts would log is among the findings.
    logging.disable(logging.CRITICAL)
    findings = []
    try:
        settings = read_config(
            config,
            socket=socket,
            netns=netns,
            protocols=protocol,
            interfaces=interface,
            control={} if control is None else {"socket": str(control)},
        )
    except ConfigError as wrong:
        findings = _mistakes(wrong)
        _print(findings, as_json=as_json)
    else:
        findings = _check_up(settings, as_json=as_json)
    severities = {finding.severity for finding in findings}
    _conclude(findings, as_json=as_json)
    if Severity.ERROR in severities or (strict and Severity.WARNING in severities):
        raise Exit(ExitCode.FINDINGS)


def _check_up(settings: Config, *, as_json: bool) -> list[Finding]:
    """Each finding is shown as soon as it is known: some take a while."""
    findings = []
    for finding in check_up(settings):
        findings.append(finding)
        _print([finding], as_json=as_json)
    return findings


def _mistakes(wrong: ConfigError) -> list[Finding]:
    where = "on the command line" if wrong.source == COMMAND_LINE else f"in {wrong.source}"
    return [
        Finding(
            "configuration",
            Severity.ERROR,
            problem.key or wrong.source,
            problem.what,
            f"correct it {where}; docs/configuration.md has every key",
        )
        for problem in wrong.problems
    ]


def _print(findings: list[Finding], *, as_json: bool) -> None:
    if as_json:
        return
    console = Console(highlight=False, soft_wrap=True)
    for finding in findings:
        text = Text()
        text.append(f"{finding.severity.value:<8}", STYLES[finding.severity])
        text.append(plain(f"{finding.check}: {finding.object}: {finding.what}"))
        if finding.do is not None:
            text.append(plain(f"\n        -> {finding.do}"))
        console.print(text)


def _conclude(findings: list[Finding], *, as_json: bool) -> None:
    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    warnings = sum(finding.severity is Severity.WARNING for finding in findings)
    if as_json:
        listed = [finding.as_object() for finding in findings]
        result = {"schema": SCHEMA, "errors": errors, "warnings": warnings, "findings": listed}
        say(json.dumps(result))
    else:
        counts = ((errors, "error"), (warnings, "warning"), (len(findings), "finding"))
        say(", ".join(counted(*each) for each in counts))
