"""A real VPP beside its linux-cp plugin, as a router has the two.

linux-cp's taps need ``/dev/vhost-net``. Where that is missing the plugin's unittest commands take
an interface of VPP's that is there for the tap's: here af_packet on one end of a veth, whose other
end is the Linux end of the pair.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.netns import Namespace, namespace
from lab.wait import wait_until

from .real import RealVpp
from .startup import Startup

PLUGINS = ("af_packet_plugin.so", "linux_cp_plugin.so", "linux_cp_unittest_plugin.so")

TAP = "tap2"
"""Linux' end of the pair. The unittest plugin takes the number of its commands, failed ones
included, for its index, and names it by that."""

ROUTER, NEIGHBOUR = "10.0.0.1", "10.0.0.2"
CLIENT_GATEWAY, CLIENT = "10.1.0.1", "10.1.0.2"
KERNEL_HOST, KERNEL_PREFIX = "192.0.2.9", "192.0.2.0/24"
"""A host that only the kernel reaches, over a link that VPP does not have."""

LISTEN = """
import socket
s = socket.socket()
s.bind(("0.0.0.0", 81))
s.listen()
print("listening", flush=True)
while True:
    s.accept()[0].close()
"""
CONNECT = """
import socket, sys
socket.create_connection((sys.argv[1], 81), float(sys.argv[2])).close()
"""


@dataclass(frozen=True)
class LinuxCpRouter:
    """VPP with two interfaces, one of them paired, and the kernel with one that VPP has not."""

    vpp: RealVpp
    wire: Namespace
    """The neighbour's, at the paired interface."""

    client: Namespace
    """A host's at VPP's other interface."""

    @property
    def kernel(self) -> Namespace:
        """VPP's own: the Linux end of the pair is in it."""
        return self.vpp.namespace

    @staticmethod
    @contextmanager
    def running(directory: Path, plugins: Sequence[str] = ()) -> Iterator[LinuxCpRouter]:
        """A new one; ``plugins`` are loaded beside linux-cp."""
        startup = Startup(heap="512M", statseg="128M", plugins=(*PLUGINS, *plugins))
        with (
            RealVpp.running(directory, startup) as vpp,
            namespace("wire") as wire,
            namespace("client") as client,
            namespace("mgmt") as mgmt,
        ):
            made = LinuxCpRouter(vpp, wire, client)
            made._links(mgmt)
            made._pair()
            hosts = (wire, client, mgmt, vpp.namespace)
            servers = [
                host.start("python3", "-c", LISTEN, stdout=subprocess.PIPE) for host in hosts
            ]
            try:
                for server in servers:
                    assert server.stdout is not None
                    assert server.stdout.readline() == b"listening\n"
                yield made
            finally:
                for server in servers:
                    server.kill()
                    server.communicate()

    def _links(self, mgmt: Namespace) -> None:
        kernel = self.kernel
        pair = ("type", "veth", "peer", "name", "vtap2", "index", "9")
        kernel.ip("link", "add", TAP, "index", "2", *pair)
        ends = (("eth0", self.wire), ("eth1", self.client), ("mgmt0", mgmt))
        for device, host in ends:
            kernel.ip("link", "add", device, "type", "veth", "peer", "name", "peer")
            kernel.ip("link", "set", "peer", "netns", host.name)
        for host, address, router in (
            (self.wire, f"{NEIGHBOUR}/24", ROUTER),
            (self.client, f"{CLIENT}/24", CLIENT_GATEWAY),
            (mgmt, "172.16.0.2/24", "172.16.0.1"),
        ):
            _disable_checksum_offload(host, "peer")
            host.ip("link", "set", "lo", "up")
            host.ip("addr", "add", address, "dev", "peer")
            host.ip("link", "set", "peer", "up")
            host.ip("route", "add", "default", "via", router)
        mgmt.ip("addr", "add", f"{KERNEL_HOST}/32", "dev", "lo")
        for device in ("eth0", "eth1", "vtap2", TAP):
            _disable_checksum_offload(kernel, device)
            kernel.ip("link", "set", device, "up")
        kernel.sysctl("ipv4/ip_forward", 1)
        for device in ("eth0", "eth1", "vtap2"):
            # The kernel gets what VPP reads there as well; it must neither forward nor answer it.
            kernel.sysctl(f"ipv4/conf/{device}/forwarding", 0)
            kernel.sysctl(f"ipv4/conf/{device}/arp_ignore", 8)
            kernel.sysctl(f"ipv6/conf/{device}/disable_ipv6", 1)
        kernel.ip("addr", "add", "172.16.0.1/24", "dev", "mgmt0")
        kernel.ip("link", "set", "mgmt0", "up")

    def _pair(self) -> None:
        vpp, kernel = self.vpp, self.kernel
        if not hasattr(vpp.api, "af_packet_create"):
            pytest.skip("release: this VPP was built without af_packet, or without its API")
        for device in ("eth0", "eth1", "vtap2"):
            vpp.create_host_interface(device)
        addresses = {d.interface_name: str(d.l2_address) for d in vpp.api.sw_interface_dump()}
        # linux-cp gives its tap the interface's address, and takes in all that comes from it.
        kernel.ip("link", "set", TAP, "address", addresses["host-eth0"])
        neighbour = self.wire.ip_json("link", "show", "peer")[0]["address"]
        vpp.cli(f"set interface mac address host-vtap2 {neighbour}")
        assert vpp.api.cli_inband(cmd="test lcp add").retval != 0
        vpp.cli("test lcp add phy host-eth0 host host-vtap2")

    def configure(self) -> None:
        """What an operator does in VPP: addresses there, and linux-cp copies them to Linux."""
        self.vpp.cli("lcp lcp-sync on")
        self.vpp.cli(f"set interface ip address host-eth0 {ROUTER}/24")
        self.vpp.cli(f"set interface ip address host-eth1 {CLIENT_GATEWAY}/24")
        wait_until(
            lambda: self.kernel.ip("-4", "-o", "addr", "show", "dev", TAP),
            10,
            "the address is in Linux",
            accept=lambda shown: f"{ROUTER}/24" in shown,
        )

    @staticmethod
    def reaches(source: Namespace, address: str, seconds: float = 3.0) -> bool:
        """Whether a host opens a connection to an address within some seconds."""
        argv = source.command("python3", "-c", CONNECT, address, str(seconds))
        return subprocess.run(argv, check=False, capture_output=True).returncode == 0


def _disable_checksum_offload(host: Namespace, device: str) -> None:
    """VPP's af_packet would forward packets without checksums."""
    host.run("ethtool", "-K", device, "tx", "off")
