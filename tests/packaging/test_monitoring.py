"""The Grafana dashboard and the alert rules use what the daemon exports, and the rules work."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser as promql
import pytest
import yaml
from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector

from bgpreflector.metrics import METRICS
from lab.command import ROOT, run_tool

PACKAGING = ROOT / "packaging"
DASHBOARD = PACKAGING / "grafana" / "bgpreflector.json"
RULES = PACKAGING / "prometheus" / "bgpreflector.rules.yml"
RULE_TESTS = PACKAGING / "prometheus" / "bgpreflector.test.yml"

TARGET_LABELS = frozenset({"job", "instance"})
"""What Prometheus itself adds to every series."""

TOOLS = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
"""Where programs are looked for."""

UNITS_A_SECOND = frozenset({"reqps", "mps", "eps"})
"""Grafana's ids of the units of rates."""

WIDTH = 24
"""Columns of Grafana's grid."""

SUFFIXES = {"histogram": ("_bucket", "_count", "_sum"), "summary": ("_count", "_sum")}


def exported() -> dict[str, frozenset[str]]:
    """Each series that there is, with its labels: ours, the process's, and Prometheus's own."""
    series = {"up": TARGET_LABELS}
    for metric in METRICS:
        for suffix in SUFFIXES.get(metric.kind, ("",)):
            le = {"le"} if suffix == "_bucket" else set()
            series[metric.full_name + suffix] = TARGET_LABELS | set(metric.labels) | le
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    for family in registry.collect():
        for sample in family.samples:
            series[sample.name] = TARGET_LABELS | set(sample.labels)
    return series


EXPORTED = exported()


def dashboard() -> dict[str, Any]:
    """As Grafana imports it."""
    return dict(json.loads(DASHBOARD.read_text()))


def panels() -> list[dict[str, Any]]:
    """Those that show something."""
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def unit_of(panel: dict[str, Any], target: dict[str, Any]) -> str:
    """Grafana's id of the unit that a query's values have: the panel's, unless overridden."""
    for override in panel["fieldConfig"]["overrides"]:
        assert override["matcher"]["id"] == "byFrameRefID"
        if override["matcher"]["options"] == target["refId"]:
            (only,) = override["properties"]
            return str(only["value"])
    return str(panel["fieldConfig"]["defaults"]["unit"])


def rules() -> list[dict[str, Any]]:
    """The alerts."""
    (group,) = yaml.safe_load(RULES.read_text())["groups"]
    return list(group["rules"])


def expressions() -> list[tuple[str, str]]:
    """Where each is, and what it says."""
    found = [(rule["alert"], rule["expr"]) for rule in rules()]
    for panel in panels():
        found += [(panel["title"], target["expr"]) for target in panel["targets"]]
    for annotation in dashboard()["annotations"]["list"]:
        if "expr" in annotation:
            found.append((annotation["name"], annotation["expr"]))
    return found


def parse(expression: str) -> promql.Expr:
    """With Grafana's intervals filled in as it fills them in."""
    return promql.parse(re.sub(r"\$__(rate_)?interval", "5m", expression))


def selectors(expression: promql.Expr) -> list[promql.VectorSelector]:
    """The series that it looks at."""
    found: list[promql.VectorSelector] = []

    def visit(node: promql.Expr) -> None:
        if isinstance(node, promql.VectorSelector):
            found.append(node)

    promql.walk(expression, visit)
    return found


def labels_of(expression: promql.Expr) -> set[str]:
    """All labels of all that it looks at."""
    return {label for one in selectors(expression) for label in EXPORTED[str(one.name)]}


def groupings(expression: promql.Expr) -> Iterator[tuple[set[str], set[str]]]:
    """The labels of each ``by`` and ``on``, with those that are there."""
    found: list[tuple[set[str], set[str]]] = []

    def visit(node: promql.Expr) -> None:
        if isinstance(node, promql.AggregateExpr) and node.modifier is not None:
            found.append((set(node.modifier.labels), labels_of(node)))
        elif isinstance(node, promql.BinaryExpr) and node.modifier is not None:
            matching = node.modifier.matching
            found.append((set(matching.labels if matching else ()), labels_of(node)))

    promql.walk(expression, visit)
    yield from found


@pytest.mark.parametrize(("where", "expression"), expressions())
def test_only_what_is_exported_is_used(where: str, expression: str) -> None:
    """Each series, each label, and each value that is asked for."""
    parsed = parse(expression)
    assert selectors(parsed), where
    helps = {metric.full_name: metric.help for metric in METRICS}
    for selector in selectors(parsed):
        name = str(selector.name)
        assert name in EXPORTED, f"{where}: the daemon does not export {name}"
        for matcher in selector.matchers.matchers:
            assert matcher.name in EXPORTED[name], f"{where}: {name} has no label {matcher.name}"
            if matcher.name not in TARGET_LABELS:
                assert f"{matcher.value} (" in helps[name], f"{where}: {name} is never such"
    for asked, there in groupings(parsed):
        assert asked <= there, where


def test_every_metric_is_shown() -> None:
    """In the dashboard: all that can be looked at can be seen."""
    shown = {
        str(selector.name)
        for panel in panels()
        for target in panel["targets"]
        for selector in selectors(parse(target["expr"]))
    }
    for metric in METRICS:
        assert any(name.startswith(metric.full_name) for name in shown), metric.full_name


def test_panels_name_labels_that_they_have() -> None:
    """In their legends; and each can be filtered by job and router."""
    for panel in panels():
        for target in panel["targets"]:
            expression = parse(target["expr"])
            kept = [asked for asked, _ in groupings(expression)]
            for label in re.findall(r"{{(\w+)}}", target["legendFormat"]):
                assert any(label in labels for labels in kept), panel["title"]
            for selector in selectors(expression):
                names = [matcher.name for matcher in selector.matchers.matchers]
                assert set(names) >= TARGET_LABELS, panel["title"]


def test_rates_have_a_unit_a_second() -> None:
    """Nobody has to guess what a number is of; a quotient of rates is of another unit."""
    for panel in panels():
        for target in panel["targets"]:
            expression = target["expr"]
            is_rate = (
                re.match(r"sum( by \([^)]*\))? ?\(rate\(", expression) and "/" not in expression
            )
            # Seconds a second are a share.
            units = {"percentunit"} if "_seconds_total" in expression else UNITS_A_SECOND
            if is_rate:
                assert unit_of(panel, target) in units, panel["title"]
            else:
                assert unit_of(panel, target) not in UNITS_A_SECOND, panel["title"]


def test_quantiles_are_named_by_their_share() -> None:
    """p50, p90, p99, as every other dashboard names them."""
    named = []
    for panel in panels():
        for target in panel["targets"]:
            quantile = re.match(r"histogram_quantile\(0\.(\d+)", target["expr"])
            if quantile is not None:
                assert target["legendFormat"] == f"p{quantile[1]:0<2}", panel["title"]
                named.append(target["legendFormat"])
    assert named == ["p50", "p90", "p99"]


def test_panels_have_places_of_their_own() -> None:
    """And numbers, and a word of explanation."""
    taken: dict[tuple[int, int], str] = {}
    everything = dashboard()["panels"]
    assert len({panel["id"] for panel in everything}) == len(everything)
    for panel in everything:
        grid = panel["gridPos"]
        assert grid["x"] + grid["w"] <= WIDTH
        for x in range(grid["x"], grid["x"] + grid["w"]):
            for y in range(grid["y"], grid["y"] + grid["h"]):
                assert (x, y) not in taken, f"{panel['title']} lies on {taken[x, y]}"
                taken[x, y] = panel["title"]
    assert all(panel["description"] for panel in panels())
    variables = {variable["name"] for variable in dashboard()["templating"]["list"]}
    assert set(re.findall(r"\$(?:{)?([a-z]\w+)", DASHBOARD.read_text())) == variables


def test_alerts_tell_what_to_do() -> None:
    """And how urgent it is."""
    for rule in rules():
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}
        assert set(rule["annotations"]) == {"summary", "description"}
        asked = parse(rule["expr"])
        for label in re.findall(r"\$labels\.(\w+)", str(rule["annotations"])):
            assert label in labels_of(asked), rule["alert"]


def test_every_alert_has_a_test_that_fires_it() -> None:
    """And one in which it is silent."""
    fired: set[str] = set()
    silent: set[str] = set()
    for case in yaml.safe_load(RULE_TESTS.read_text())["tests"]:
        for check in case["alert_rule_test"]:
            (fired if check["exp_alerts"] else silent).add(check["alertname"])
    names = {rule["alert"] for rule in rules()}
    assert fired == names
    assert silent == names


@pytest.mark.parametrize("arguments", [("check", RULES), ("test", RULE_TESTS)], ids=str)
def test_promtool_has_no_complaint(arguments: tuple[str, Path]) -> None:
    """Prometheus's own check of the rules, and their unit tests."""
    promtool = shutil.which("promtool", path=TOOLS)
    if promtool is None:
        pytest.skip("no promtool: run `scripts/setup.sh extract prometheus:promtool`")
    assert "SUCCESS" in run_tool(promtool, arguments[0], "rules", arguments[1])
