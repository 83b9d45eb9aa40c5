"""Which tests may be skipped: `.ci/run` names the kinds, and any other skip fails there.

A skip's reason begins with its kind, as in ``vpp: no `vpp` on PATH``.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator

import pytest

MAY_SKIP = "BGPREFLECTOR_TESTS_MAY_SKIP"
"""Environment variable: the kinds, comma separated; where it is not set, every skip is allowed."""

KINDS = {
    "vpp": "no real VPP",
    "root": "no right to make network namespaces",
    "bird": "no BIRD",
    "frr": "no FRR",
    "new_frr": "no FRR that accepts FPM results",
    "system": "for another processor or C library than this machine's",
    "kernel": "the kernel was built without it",
    "release": "another release or build of VPP or FRR is meant",
    "coverage": "lines are counted, which loads modules of its own",
}
"""What a reason may begin with, and what that means."""


def allowed() -> frozenset[str] | None:
    """The kinds; None for any. Raises ``UsageError`` for one that is not known."""
    skippable = os.environ.get(MAY_SKIP)
    if skippable is None:
        return None
    kinds = frozenset(kind for kind in skippable.split(",") if kind)
    if unknown := kinds - KINDS.keys():
        raise pytest.UsageError(f"{MAY_SKIP}: not known: {', '.join(sorted(unknown))}")
    return kinds


def kind_of(reason: str) -> str:
    """What a reason begins with; empty where that is none of the kinds."""
    begin = reason.removeprefix("Skipped: ").partition(":")[0]
    return begin if begin in KINDS else ""


def refusal(reason: str, marked: bool) -> str | None:
    """Why a skip is not allowed; ``marked``: the test has the marker of the reason's kind."""
    kinds = allowed()
    if kinds is None:
        return None
    kind = kind_of(reason)
    if kind not in kinds:
        known = ", ".join(sorted(kinds)) or "none"
        return f"skipped, though {MAY_SKIP} allows that for {known} only: {reason}"
    if kind == "vpp" and not marked:
        return f"skipped for want of a real VPP, and not marked so: {reason}"
    return None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Fails a test that is skipped for a reason that is not allowed."""
    report: pytest.TestReport = yield  # type: ignore[assignment]
    if report.skipped and not hasattr(report, "wasxfail"):
        kind = kind_of(_reason(report))
        marked = item.get_closest_marker(kind) is not None if kind else False
        _refuse(report, marked)
    return report  # type: ignore[return-value]


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Iterator[None]:
    """Likewise a module that is skipped as a whole."""
    report: pytest.CollectReport = yield  # type: ignore[assignment]
    if report.skipped:
        _refuse(report, marked=False)
    return report  # type: ignore[return-value]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says how many were skipped of each kind."""
    reasons = (_reason(report) for report in terminalreporter.stats.get("skipped", []))
    counts = Counter(kind_of(reason) or "other" for reason in reasons)
    for kind, count in sorted(counts.items()):
        terminalreporter.write_line(f"skipped, {KINDS.get(kind, kind)}: {count}")


def _refuse(report: pytest.TestReport | pytest.CollectReport, marked: bool) -> None:
    refused = refusal(_reason(report), marked)
    if refused is not None:
        report.outcome = "failed"
        report.longrepr = refused


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    return str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else ""
