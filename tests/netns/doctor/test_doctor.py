"""``bgpreflector doctor`` as a process: each problem that it knows, made on purpose."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from daemon.world import COUNT, kernel_of, reflecting, route
from lab import Namespace, ip_batch
from lab.command import PROGRAM
from lab.vpp import RealVpp, SimulatedVpp, Startup, Vpp

pytestmark = pytest.mark.root

FINDINGS = 8


@dataclass
class Doctor:
    """The command and where it looks."""

    kernel: Namespace
    socket: Path
    directory: Path

    def run(
        self, *arguments: str, config: str = "", exit_code: int = 0, prefix: tuple[str, ...] = ()
    ) -> str:
        """What it prints."""
        file = self.directory / "doctor.toml"
        control = self.directory / "d.sock"
        file.write_text(f'{config}\n[control]\nsocket = "{control}"\n')
        done = subprocess.run(
            [
                *prefix,
                *(*PROGRAM, "doctor", "--config", str(file)),
                *("--socket", str(self.socket), "--netns", str(self.kernel.path), *arguments),
            ],
            check=False,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == exit_code, done.stdout + done.stderr
        assert done.stderr == ""
        return done.stdout

    def findings(self, *arguments: str, **options: Any) -> list[dict[str, Any]]:
        """The same as objects; each that is not well says what to do."""
        report = json.loads(self.run("--json", *arguments, **options))
        assert report["schema"] == 1
        found: list[dict[str, Any]] = report["findings"]
        for finding in found:
            assert set(finding) == {"check", "severity", "object", "what", "do"}
            assert (finding["do"] is None) == (finding["severity"] == "ok"), finding
        for severity in ("error", "warning"):
            counted = sum(finding["severity"] == severity for finding in found)
            assert report[f"{severity}s"] == counted
        return found


def unwell(findings: list[dict[str, Any]]) -> dict[str, str]:
    """Those that are not well: the severity by check and object."""
    return {
        f"{f['check']}: {f['object']}": f["severity"] for f in findings if f["severity"] != "ok"
    }


@pytest.fixture
def kernel(make_namespace: Callable[[str], Namespace]) -> Namespace:
    """Routes through two links, one of them with a VPP interface."""
    return kernel_of(make_namespace)


@pytest.fixture
def doctor(kernel: Namespace, vpp: Vpp, tmp_path: Path) -> Doctor:
    """For a VPP of either kind."""
    return Doctor(kernel, vpp.socket, tmp_path)


@pytest.fixture
def simulated(kernel: Namespace, simulator: SimulatedVpp, tmp_path: Path) -> Doctor:
    """For the embedded VPP, which can be made to fail."""
    return Doctor(kernel, simulator.socket, tmp_path)


BOTH = ("--interface", "f0=loop0", "--interface", "g0=loop0")
SIMULATED = {"memory: main heap": "warning", "memory: stats segment": "warning"}
"""The embedded VPP has no memory to speak of."""


def test_all_is_well(doctor: Doctor, vpp: Vpp) -> None:
    """Every part is looked at, and nothing is changed."""
    findings = doctor.findings(*BOTH)
    assert unwell(findings) == ({} if isinstance(vpp, RealVpp) else SIMULATED)
    by = {f"{f['check']}: {f['object']}": f["what"] for f in findings}
    assert by["routes: table 254 ipv6"] == f"{COUNT} routes of protocol bird"
    assert "loop0 (sw_if_index 1)" in by["interfaces: f0"]
    assert by["interfaces: g0"].startswith("1 route;")
    assert str(vpp.api.show_version().version) in by["vpp: version"]
    assert {"daemon", "configuration", "kernel", "memory"} <= {f["check"] for f in findings}
    if isinstance(vpp, RealVpp):
        assert f"of which {2 * COUNT + 2:,} are to come" in by["memory: main heap"]
    assert vpp.source() is None, "nothing is added to VPP"


def test_people_read_lines(simulated: Doctor) -> None:
    """What is wrong, and below it what to do; warnings count with --strict alone."""
    text = simulated.run("--interface", "f0=loop0")
    assert "warning interfaces: g0: 1 route through it" in text
    assert '\n        -> name one in vpp.interfaces.map (g0 = "..."' in text
    assert text.endswith(" findings\n")
    simulated.run("--interface", "f0=loop0", "--strict", exit_code=FINDINGS)


def test_interfaces(doctor: Doctor, vpp: Vpp) -> None:
    """None that stands for any; one that is not there; one that is down."""
    findings = doctor.findings(exit_code=FINDINGS)
    assert (
        unwell(findings).items() >= {"interfaces: f0": "error", "interfaces: g0": "error"}.items()
    )
    arguments = ("--interface", "f0=loop0", "--interface", "g0=nothing")
    found = unwell(doctor.findings(*arguments, exit_code=FINDINGS))
    assert found.items() >= {"interfaces: nothing": "error", "interfaces: g0": "warning"}.items()
    assert "interfaces: f0" not in found
    assert vpp.api.sw_interface_set_flags(sw_if_index=1, flags=0).retval == 0
    findings = doctor.findings(*BOTH)
    assert unwell(findings)["interfaces: f0"] == "warning"
    recursive = '[vpp.interfaces]\nstrategies = ["recursive"]\n'
    assert "interfaces: f0" not in unwell(doctor.findings(config=recursive))


def test_no_vpp(simulated: Doctor, simulator: SimulatedVpp) -> None:
    """Nothing there, no socket, one that does not answer: the kernel is looked at anyway."""
    gone = simulated.directory / "gone.sock"
    simulated.socket, there = gone, simulated.socket
    findings = simulated.findings(exit_code=FINDINGS)
    assert unwell(findings) == {f"vpp: {gone}": "error"}
    assert "not there" in findings[-1]["what"]
    gone.write_text("")
    assert "no socket" in simulated.findings(exit_code=FINDINGS)[-1]["what"]
    simulated.socket = there
    simulator.hang()
    config = "[vpp]\nconnect_timeout = 0.5\nrequest_timeout = 1"
    assert unwell(simulated.findings(config=config, exit_code=FINDINGS)) == {
        f"vpp: {there}": "error"
    }


def test_messages_of_another_layout(simulated: Doctor, simulator: SimulatedVpp) -> None:
    """Routes through vpp_papi."""
    simulator.fault("change_crc", message="ip_route_add_del_v2", crc="00000000")
    assert unwell(simulated.findings(*BOTH))["vpp: messages"] == "warning"


def test_a_source_of_another_priority(simulated: Doctor, simulator: SimulatedVpp) -> None:
    """It cannot be changed while VPP runs."""
    simulator.api.fib_source_add(src={"name": "bgpreflector", "priority": 0x90, "id": 0})
    findings = simulated.findings(*BOTH)
    assert unwell(findings) == SIMULATED | {"vpp: FIB source bgpreflector": "warning"}
    said = {f["object"]: f for f in findings if f["check"] == "vpp" and f["severity"] == "warning"}
    assert "it has priority 144" in said["FIB source bgpreflector"]["what"]
    assert "restart VPP" in said["FIB source bgpreflector"]["do"]


def test_other_writers(kernel: Namespace, tmp_path: Path) -> None:
    """The plugin that does the same, and a route that hides one of ours."""
    directory = tmp_path / "vpp"
    directory.mkdir()
    plugins = ["linux_cp_plugin.so", "linux_nl_plugin.so"]
    with SimulatedVpp.running(directory, plugins=plugins) as vpp:
        # Of a prefix that the kernel has, too.
        vpp.add_foreign_route(route(7))
        with reflecting(kernel, vpp, tmp_path / "d.log") as daemon:
            doctor = Doctor(kernel, vpp.socket, tmp_path)
            findings = doctor.findings(*BOTH, "--control", str(daemon.control))
    found = unwell(findings)
    assert found.items() >= SIMULATED.items()
    assert set(found) - set(SIMULATED) == {"vpp: linux_nl plugin", "daemon: FIB sources"}
    hidden = next(f for f in findings if f["check"] == "daemon" and f["do"])
    assert f"1 of our prefixes by other routes, such as {route(7)} by API" in hidden["what"]
    assert any(f["check"] == "daemon" and f["what"].endswith("in sync") for f in findings)


def test_no_routes(simulated: Doctor, make_namespace: Callable[[str], Namespace]) -> None:
    """None at all; and some of another protocol than is mirrored."""
    simulated.kernel = make_namespace("empty")
    findings = simulated.findings(exit_code=FINDINGS)
    assert unwell(findings)["routes: protocol bird"] == "error"
    simulated.kernel = kernel_of(make_namespace)
    arguments = ("--protocol", "186", *BOTH)
    findings = simulated.findings(*arguments, exit_code=FINDINGS)
    none = next(f for f in findings if f["object"] == "protocol bgp")
    assert f"{2 * COUNT + 3} of protocol bird" in none["do"]
    assert "kernel.protocols" in none["do"]


def test_a_namespace_that_is_not_there(simulated: Doctor) -> None:
    """VPP is looked at all the same."""
    findings = simulated.findings("--netns", "no-such-namespace", exit_code=FINDINGS)
    assert "kernel.namespace" in next(f["do"] for f in findings if f["severity"] == "error")
    assert "vpp: version" in {f"{f['check']}: {f['object']}" for f in findings}


def test_what_the_kernel_keeps_silent_about(simulated: Doctor, kernel: Namespace) -> None:
    """Of the namespace that is read, not of this one; a warning only where nobody looks."""
    kernel.sysctl("ipv4/nexthop_compat_mode", 0)
    kernel.sysctl("ipv6/route/skip_notify_on_dev_down", 1)
    assert unwell(simulated.findings(*BOTH)) == SIMULATED
    found = unwell(simulated.findings(*BOTH, config="[kernel]\naudit_interval = 0"))
    assert found == SIMULATED | {
        "kernel: net.ipv4.nexthop_compat_mode": "warning",
        "kernel: net.ipv6.route.skip_notify_on_dev_down": "warning",
    }
    kernel.sysctl("ipv4/conf/f0/ignore_routes_with_linkdown", 1)
    found = unwell(simulated.findings(*BOTH))
    assert found["kernel: net.ipv4.conf.f0.ignore_routes_with_linkdown"] == "warning"


@pytest.mark.skipif(
    shutil.which("setpriv") is None, reason="no setpriv: install util-linux and run the tests again"
)
def test_a_receive_buffer_that_is_not_granted(simulated: Doctor) -> None:
    """Without the capability, and for more than net.core.rmem_max."""
    config = '[kernel]\nreceive_buffer = "512 MiB"'
    without = ("setpriv", "--bounding-set", "-net_admin")
    findings = simulated.findings(*BOTH, config=config, prefix=without)
    assert unwell(findings) == SIMULATED | {"kernel: kernel.receive_buffer": "warning"}
    what = next(f for f in findings if f["object"] == "kernel.receive_buffer")
    assert "without CAP_NET_ADMIN" in what["what"]
    assert f"net.core.rmem_max={512 << 20}" in what["do"]
    assert unwell(simulated.findings(*BOTH, config=config)) == SIMULATED


def test_more_routes_than_the_limit(simulated: Doctor) -> None:
    """Before they are kept out."""
    found = unwell(simulated.findings(*BOTH, config="[kernel]\nmax_routes = 100"))
    assert found == SIMULATED | {"routes: kernel.max_routes": "warning"}


def test_mistakes_in_the_configuration(simulated: Doctor) -> None:
    """Each by its key; nothing else can be looked at then."""
    config = "[kernel]\nprotocol = 12\ntables = [0]"
    findings = simulated.findings(config=config, exit_code=FINDINGS)
    assert [f["object"] for f in findings] == ["kernel.tables[0]", "kernel.protocol"] or {
        f["object"] for f in findings
    } == {"kernel.protocol", "kernel.tables[0]"}
    contiv = simulated.directory / "contiv.conf"
    contiv.write_text("useExternalIPAM: false\n")
    report = simulated.findings("--config", str(contiv), exit_code=FINDINGS)
    assert unwell(report)["configuration: use_external_ipam"] == "error"


@pytest.mark.vpp
def test_memory_that_is_too_small(kernel: Namespace, tmp_path: Path) -> None:
    """VPP would abort: said before, with how much it takes."""
    many = [f"route add 11.{n >> 8}.{n & 255}.0/24 via 10.0.0.2 proto 12" for n in range(40_000)]
    ip_batch(kernel, many)
    with RealVpp.running(tmp_path, Startup(heap="512M", statseg="4M")) as vpp:
        doctor = Doctor(kernel, vpp.socket, tmp_path)
        findings = doctor.findings(*BOTH, exit_code=FINDINGS)
        assert unwell(findings) == {"memory: stats segment": "error"}
        todo = next(f["do"] for f in findings if f["severity"] == "error")
        assert "statseg { size }" in todo
        assert "kernel.max_routes" in todo
