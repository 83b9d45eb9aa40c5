"""The Helm chart: linted and rendered by Helm's own code, and by Kubernetes' own schemas."""

from __future__ import annotations

import signal
import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from helm_python import HelmError
from helm_python.chart import Chart, lint

from bgpreflector.cli.exit_codes import ExitCode
from bgpreflector.config import Config
from bgpreflector.config.environment import PREFIX, with_environment
from bgpreflector.config.load import load, loads
from bgpreflector.config.metrics import parse_address
from lab import wait_until
from lab.command import ROOT

CHART = ROOT / "packaging" / "helm" / "bgpreflector"
KUBERNETES = ["1.29", "1.32", "1.35"]
REACHABLE = {"address": "0.0.0.0"}
CONTIV = "mainVRFID: 7\nnodeConfig:\n- nodeName: one\n"
VALUES: dict[str, dict[str, Any]] = {
    "defaults": {},
    "monitored": {"metrics": {**REACHABLE, "podMonitor": {"enabled": True, "labels": {"a": "b"}}}},
    "IPv6": {"metrics": {"address": "::"}},
    "Contiv": {"contivConfig": CONTIV},
    "environment": {"environment": {"BGPREFLECTOR_VPP_RATE_LIMIT": "10000"}},
    "no root": {"root": False, "vppGroup": 997},
    "no reload": {"reload": {"enabled": False}},
    "another place": {
        "vpp": {"socket": "/var/run/vpp2/api.sock"},
        "nodeLabel": {"key": "example.com/router", "value": "yes"},
        "nodeSelector": {"zone": "a"},
        "affinity": {"nodeAffinity": {}},
        "imagePullSecrets": [{"name": "registry"}],
        "podAnnotations": {"a": "b"},
        "podLabels": {"c": "d"},
    },
}


def rendered(values: Mapping[str, Any], name: str = "bgpreflector") -> list[dict[str, Any]]:
    """What would be applied."""
    files = Chart.load(CHART).render(dict(values), name=name, namespace="routing")
    texts = (text for path, text in files.items() if path.endswith(".yaml"))
    return [one for text in texts for one in yaml.safe_load_all(text) if one is not None]


def document(kind: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The one of a kind."""
    (found,) = [one for one in rendered(values) if one["kind"] == kind]
    return found


def pod(values: Mapping[str, Any]) -> dict[str, Any]:
    """Each node's."""
    return dict(document("DaemonSet", values)["spec"]["template"]["spec"])


def container(values: Mapping[str, Any], name: str = "bgpreflector") -> dict[str, Any]:
    """One in it."""
    (found,) = [one for one in pod(values)["containers"] if one["name"] == name]
    return dict(found)


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
def test_helm_lints_it(values: dict[str, Any]) -> None:
    """Strictly; an icon is no matter of ours."""
    report = lint(CHART, values, strict=True, kube_version="v1.35.0")
    assert report["errors"] == []
    assert [one["error"] for one in report["messages"]] == ["icon is recommended"]


@pytest.mark.parametrize("version", KUBERNETES)
@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
def test_kubernetes_knows_every_field(values: dict[str, Any], version: str) -> None:
    """By its own schemas, unknown fields refused; PodMonitor is the operator's."""
    documents = rendered(values)
    assert {"ConfigMap", "DaemonSet", "ServiceAccount"} <= {one["kind"] for one in documents}
    for one in documents:
        if one["kind"] != "PodMonitor":
            kubernetes_validate.validate(one, version, strict=True)


@pytest.mark.parametrize(
    "values",
    [
        {"metrics": {"address": "127.0.0.1", "port": 0}},
        {"vpp": {"socket": "api.sock"}},
        {"nodeLabel": "fd.io/vpp"},
        {"reloads": True},
        {"environment": {"LD_PRELOAD": "x"}},
        {"metrics": {"podMonitor": {"enabled": True}}},
        {"contivConfig": CONTIV, "metrics": {**REACHABLE, "podMonitor": {"enabled": True}}},
    ],
    ids=str,
)
def test_what_cannot_work_is_refused(values: dict[str, Any]) -> None:
    """By the values' schema, or by the template that knows better."""
    with pytest.raises(HelmError, match=r"schema|cannot reach the metrics"):
        rendered(values)


def test_the_pod_may_do_little() -> None:
    """One capability; nothing of the node's but its network and VPP's folder."""
    rights = container({})["securityContext"]
    assert rights["capabilities"] == {"drop": ["ALL"], "add": ["NET_ADMIN"]}
    assert container({}, "reload")["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    for one in pod({})["containers"]:
        assert one["securityContext"]["allowPrivilegeEscalation"] is False
        assert one["securityContext"]["readOnlyRootFilesystem"] is True
        assert "privileged" not in one["securityContext"]
    assert pod({})["securityContext"] == {"seccompProfile": {"type": "RuntimeDefault"}}
    assert not {"hostPID", "hostIPC"} & set(pod({}))
    assert pod({})["hostNetwork"] is True
    assert pod({})["automountServiceAccountToken"] is False
    host_paths = [one["hostPath"]["path"] for one in pod({})["volumes"] if "hostPath" in one]
    assert host_paths == ["/run/vpp"]


def test_without_root_it_has_no_capability() -> None:
    """And VPP's socket by its group."""
    rights = container(VALUES["no root"])["securityContext"]
    assert rights["runAsNonRoot"] is True
    assert rights["capabilities"] == {"drop": ["ALL"]}
    assert pod(VALUES["no root"])["securityContext"]["supplementalGroups"] == [997]


@pytest.mark.parametrize("kind", ["defaults", "monitored", "IPv6", "another place"])
def test_the_parts_fit(kind: str) -> None:
    """Labels, volumes, the configuration, its sockets, and the port that is probed."""
    values = VALUES[kind]
    spec = document("DaemonSet", values)["spec"]
    labels = spec["template"]["metadata"]["labels"]
    assert spec["selector"]["matchLabels"].items() <= labels.items()
    mounts = {one["name"]: one["mountPath"] for one in container(values)["volumeMounts"]}
    assert set(mounts) == {one["name"] for one in pod(values)["volumes"]}
    text = document("ConfigMap", values)["data"]["bgpreflector.toml"]
    assert container(values)["args"] == ["run", "--config", f"{mounts['config']}/bgpreflector.toml"]
    config = loads(text)
    assert str(Path(config.vpp.api_socket).parent) == mounts["vpp"]
    assert str(config.control.socket).startswith(mounts["control"])
    assert config.metrics.address is not None
    address = parse_address(config.metrics.address)
    (port,) = container(values)["ports"]
    assert port["containerPort"] == address.port
    probes = {
        "startupProbe": "/-/healthy",
        "livenessProbe": "/-/healthy",
        "readinessProbe": "/-/ready",
    }
    loopback = "::1" if kind == "IPv6" else "127.0.0.1"
    for probe, path in probes.items():
        asked = container(values)[probe]["httpGet"]
        assert asked == {"host": loopback, "path": path, "port": port["name"]}


def test_values_by_environment() -> None:
    """The daemon and what checks its configuration have the same."""
    for container in pod(VALUES["environment"])["containers"]:
        given = {one["name"]: one.get("value") for one in container["env"]}
        assert given["BGPREFLECTOR_VPP_RATE_LIMIT"] == "10000"
        made = with_environment(
            Config(), {name: value for name, value in given.items() if name.startswith(PREFIX)}
        )
        assert made.vpp.rate_limit == 10_000


def test_a_contiv_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The daemon reads it by its suffix, for the node as Kubernetes names it."""
    values = VALUES["Contiv"]
    file = Path(container(values)["args"][-1])
    assert file.suffix == ".conf"
    (tmp_path / file.name).write_text(document("ConfigMap", values)["data"][file.name])
    (given,) = container(values)["env"]
    assert given["valueFrom"] == {"fieldRef": {"fieldPath": "spec.nodeName"}}
    monkeypatch.setenv(given["name"], "one")
    assert load(tmp_path / file.name).table_map == {254: 7}
    assert "ports" not in container(values)


@pytest.mark.parametrize("code", [*sorted(ExitCode), 128 + signal.SIGKILL])
def test_a_contiv_configuration_is_probed_over_the_control_socket(
    code: int, tmp_path: Path
) -> None:
    """Live whatever VPP and the kernel do, unless a thread hangs or nobody answers."""
    live = {ExitCode.OK, ExitCode.VPP, ExitCode.KERNEL, ExitCode.DIFFERENT}
    expected = {
        "startupProbe": code in live,
        "livenessProbe": code in live,
        "readinessProbe": code == ExitCode.OK,
    }
    mounted = Mounted(tmp_path)
    mounted.answer(code)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    for probe, passes in expected.items():
        command = container(VALUES["Contiv"])[probe]["exec"]["command"]
        done = subprocess.run(command, env=environment, check=False)
        assert (done.returncode == 0) == passes, probe
    # Without --check a daemon that hangs ends it with 0.
    assert mounted.asked.read_text().splitlines() == ["status --check"] * len(expected)


def test_the_monitor_finds_the_pods() -> None:
    """By labels that they have, at a port that they name; under the name that the alerts go by."""
    values = VALUES["monitored"]
    monitor = document("PodMonitor", values)
    labels = document("DaemonSet", values)["spec"]["template"]["metadata"]["labels"]
    assert monitor["metadata"]["labels"]["a"] == "b"
    assert monitor["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert labels[monitor["spec"]["jobLabel"]] == "bgpreflector"
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    assert endpoint["port"] in {one["name"] for one in container(values)["ports"]}


def test_a_changed_configuration_restarts_where_nothing_reloads() -> None:
    """By an annotation that changes with it; else by nothing."""

    def annotations(**values: Any) -> Any:
        return document("DaemonSet", values)["spec"]["template"]["metadata"]["annotations"]

    off = {"enabled": False}
    first, second = (
        annotations(reload=off, config=text)["checksum/config"] for text in ("[vpp]", "[kernel]")
    )
    assert first != second
    assert annotations(config="[vpp]") == annotations(config="[kernel]")


def test_releases_of_other_names_stand_beside_it() -> None:
    """As Helm's charts do."""
    first, second = (
        {(one["kind"], one["metadata"]["name"]) for one in rendered({}, name)}
        for name in ("a", "b")
    )
    assert not first & second


def test_its_versions_and_addresses_are_the_projects() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    version = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["version"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert (chart["version"], chart["appVersion"]) == (version, version)
    assert chart["maintainers"] == project["maintainers"]
    assert chart["home"] == project["urls"]["Homepage"]
    assert chart["sources"] == [project["urls"]["Source"]]


class Mounted:
    """A ConfigMap as the kubelet mounts it, and a program that notes what it is asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "config"
        self.folder.mkdir()
        self.asked = folder / "asked"
        self.asked.touch()
        self.code = folder / "code"
        self.answer(0)
        program = folder / "bgpreflector"
        program.write_text(f'#!/bin/sh\necho "$*" >>{self.asked}\nexit $(cat {self.code})\n')
        program.chmod(0o755)

    def answer(self, code: int) -> None:
        """Whatever it is asked."""
        self.code.write_text(str(code))

    def change(self, name: str) -> None:
        """In one step, as the kubelet does."""
        link = self.folder / "..new"
        link.symlink_to(name)
        link.rename(self.folder / "..data")

    def times(self) -> int:
        """How often it was asked to reload."""
        return (
            self.asked.read_text()
            .splitlines()
            .count(f"reload --config {self.folder}/bgpreflector.toml")
        )

    @contextmanager
    def watched(self) -> Iterator[subprocess.Popen[bytes]]:
        """By the chart's script."""
        path = f"{self.asked.parent}:/usr/bin:/bin"
        config = f"{self.folder}/bgpreflector.toml"
        environment = {"PATH": path, "CONFIG": config, "SECONDS_BETWEEN": "0.05"}
        script = container({}, "reload")["args"][0]
        process = subprocess.Popen(["/bin/sh", "-c", script], env=environment)
        try:
            yield process
        finally:
            process.terminate()
            assert process.wait(10) == 0


def test_a_changed_config_map_is_reloaded_once(tmp_path: Path) -> None:
    """Even if the daemon refuses it, which then keeps the former."""
    mounted = Mounted(tmp_path)
    mounted.change("first")
    with mounted.watched() as watching:
        # It has looked at the first before the link changes.
        wait_until(lambda: _sleeps(watching.pid), 10, "it waits")
        mounted.change("second")
        wait_until(mounted.times, 10, "a reload", accept=lambda seen: seen >= 1)
        mounted.answer(ExitCode.CONFIG)
        mounted.change("third")
        wait_until(mounted.times, 10, "the next reload", accept=lambda seen: seen >= 2)
        mounted.answer(0)
        mounted.change("fourth")
        wait_until(mounted.times, 10, "the last reload", accept=lambda seen: seen >= 3)
    assert mounted.times() == 3


def test_a_reload_is_tried_until_a_daemon_answers(tmp_path: Path) -> None:
    mounted = Mounted(tmp_path)
    mounted.change("first")
    with mounted.watched() as watching:
        wait_until(lambda: _sleeps(watching.pid), 10, "it waits")
        mounted.answer(ExitCode.DAEMON)
        mounted.change("second")
        wait_until(mounted.times, 10, "three tries", accept=lambda seen: seen >= 3)


def _sleeps(process: int) -> bool:
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return any(Path(f"/proc/{child}/comm").read_text() == "sleep\n" for child in children)
