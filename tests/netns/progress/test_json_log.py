"""What the compiled module logs has fields where the log is JSON, and is a sentence else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from daemon.running import running_daemon
from lab import Namespace, ip_batch, wait_until
from lab.vpp import SimulatedVpp

ROUTES = 5
LIMIT = 2


@pytest.mark.root
@pytest.mark.parametrize("form", ["text", "json"])
def test_records_of_the_compiled_module(
    make_namespace: Callable[[str], Namespace],
    simulator: SimulatedVpp,
    tmp_path: Path,
    form: str,
) -> None:
    kernel = make_namespace("json")
    kernel.ip("link", "add", "f0", "type", "veth", "peer", "name", "f1")
    kernel.ip("addr", "add", "10.0.0.1/24", "dev", "f0")
    for link in ("f0", "f1"):
        kernel.ip("link", "set", link, "up")
    ip_batch(
        kernel, [f"route add 11.0.{n}.0/24 via 10.0.0.2 dev f0 proto 12" for n in range(ROUTES)]
    )
    config = tmp_path / "log.toml"
    config.write_text(
        f'[log]\nformat = "{form}"\n[kernel]\nmax_routes = {LIMIT}\n'
        "[vpp.interfaces]\nmap = { f0 = 1 }\n"
    )
    arguments = ("--config", str(config), "--socket", str(simulator.socket))
    with running_daemon(tmp_path / "d.log", *arguments, namespace=kernel) as daemon:
        wait_until(
            lambda: len(simulator.routes()), 60, "up to the limit", accept=lambda n: n == LIMIT
        )
        assert daemon.end() == 0
        log = daemon.log()
    if form == "text":
        assert "prefixes are more than kernel.max_routes (2): VPP keeps" in log
        assert "max_routes=" not in log
        return
    records = [json.loads(line) for line in log.splitlines()]
    native = [one for one in records if one["logger"].startswith("bgpreflector.engine")]
    (exceeded,) = [one for one in native if one["event"] == "limit exceeded"]
    assert exceeded["prefixes"] > LIMIT
    assert (exceeded["max_routes"], exceeded["action"]) == (LIMIT, "refuse")
    (buffer,) = [one for one in native if one["event"] == "receive buffer"]
    assert buffer["granted_bytes"] > 0
    assert not [one for one in native if len(one["event"]) > len("message not from the kernel")]
