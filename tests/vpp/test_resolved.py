"""What VPP has acknowledged and does not forward by: an interface down, a loop, an unused table."""

from __future__ import annotations

import logging
from typing import cast

import pytest

from bgpreflector.controller import Event, UpdateOperations
from bgpreflector.vpp import VppMonitor
from bgpreflector.vpp.audit import VppAuditDue
from bgpreflector.vpp.resolved import read
from lab.vpp import RealVpp, Vpp
from vpp.support import GATEWAY, MakeProgrammer, Programmer

PREFIX, V6 = "30.0.0.0/24", "2001:db8:1::/48"
CIRCLE = ("40.0.0.0/24", "40.0.1.0/24")
OWN = "192.168.100.99/24"

TWO_NEXT_HOPS = """\
ipv4-VRF:0, fib_index:0, flow hash:[src dst sport dport proto flowlabel ] epoch:0 flags:none
30.0.10.0/24 fib:0 index:34 locks:2
  bgpreflector refs:1 src-flags:added,contributing,active,
    path-list:[38] locks:2 flags:shared, uPRF-list:32 len:1 itfs:[1, ]
      path:[44] pl-index:38 ip4 weight=1 pref=0 attached-nexthop:{first}
        192.168.100.2 loop0
      [@0]: arp-ipv4: via 192.168.100.2 loop0
      path:[45] pl-index:38 ip4 weight=3 pref=0 attached-nexthop:  oper-flags:resolved,
        192.168.100.3 loop1
      [@0]: ipv4 via 192.168.100.3 loop1: mtu:9000 next:3 flags:[] 020000000001dead000000000800
  default-route refs:1 entry-flags:drop, src-flags:added,
    path-list:[18] locks:2 flags:drop, uPRF-list:14 len:0 itfs:[]
      path:[26] pl-index:18 ip4 weight=1 pref=0 special:  cfg-flags:drop,
        [@0]: dpo-drop ip4

 forwarding:   unicast-ip4-chain
  [@0]: dpo-load-balance: [proto:ip4 index:35 buckets:4 uRPF:32 to:[0:0]]
    [0-2] [@5]: ipv4 via 192.168.100.3 loop1: mtu:9000 next:3 flags:[] 020000000001dead000000000800
{rest}"""
"""What VPP 26.10 says of a route with two next hops."""


def trouble(programmer: Programmer, prefix: str) -> str | None:
    """Why VPP does not forward a prefix."""
    return programmer.look_up(prefix)[1].trouble


def test_an_interface_that_is_down(vpp: Vpp, make_programmer: MakeProgrammer) -> None:
    """VPP shows the path as before, and drops."""
    programmer = make_programmer(vpp)
    programmer.install([PREFIX])
    programmer.install([V6], "fd00:100::2")
    programmer.announce_special("unreachable", CIRCLE[0])
    programmer.sink.flush()
    assert {trouble(programmer, prefix) for prefix in (PREFIX, V6, CIRCLE[0])} == {None}
    entry, resolved = programmer.look_up(PREFIX)
    assert resolved.dpos == (f"via {GATEWAY} {vpp.interface}",)
    assert entry.entered
    assert list(programmer.sink.fib.unresolved()) == []
    assert vpp.api.sw_interface_set_flags(sw_if_index=1, flags=0).retval == 0
    assert programmer.look_up(PREFIX)[0].paths == entry.paths
    for prefix in (PREFIX, V6):
        assert "VPP drops it" in str(trouble(programmer, prefix))
    # A drop route is no problem.
    assert trouble(programmer, CIRCLE[0]) is None
    assert {prefix for _, prefix, _ in programmer.sink.fib.unresolved()} == {PREFIX, V6}


def test_an_audit_finds_what_vpp_does_not_forward_by(
    vpp: Vpp, make_programmer: MakeProgrammer, caplog: pytest.LogCaptureFixture
) -> None:
    """It warns once, and says when that is over."""
    programmer = make_programmer(vpp)
    events: list[Event] = []
    monitor = VppMonitor(programmer.engine, programmer.sink, events.append)

    def audit() -> str:
        return monitor.update(VppAuditDue(), cast("UpdateOperations", None))

    programmer.install([PREFIX])
    with caplog.at_level(logging.INFO, "bgpreflector.vpp.monitor"):
        audit()
        assert (monitor.unresolved, caplog.messages) == ((), [])
        assert vpp.api.sw_interface_set_flags(sw_if_index=1, flags=0).retval == 0
        assert "does not forward by 1 of their sets of paths" in audit()
        audit()
        ((table, prefix, why),) = monitor.unresolved
        assert (table, prefix) == (0, PREFIX)
        (warning,) = caplog.messages
        assert f"{PREFIX} (table 0): {why}" in warning
        assert vpp.api.sw_interface_set_flags(sw_if_index=1, flags=1).retval == 0
        audit()
    assert monitor.unresolved == ()
    assert caplog.messages[1:] == ["VPP forwards by all sets of paths of ours again"]


def test_next_hops_in_a_circle(vpp: Vpp, make_programmer: MakeProgrammer) -> None:
    """Each is looked up by the other; one in a connected network of VPP is resolved."""
    programmer = make_programmer(vpp, interfaces={"strategies": ["recursive"]})
    if not isinstance(vpp, RealVpp):
        reply = vpp.api.sw_interface_add_del_address(sw_if_index=1, is_add=True, prefix=OWN)
        assert reply.retval == 0
    programmer.install([PREFIX])
    programmer.install([CIRCLE[0]], "40.0.1.1")
    programmer.install([CIRCLE[1]], "40.0.0.1")
    assert trouble(programmer, PREFIX) is None
    for prefix in CIRCLE:
        assert "looked up in a circle" in str(trouble(programmer, prefix))
    assert {prefix for _, prefix, _ in programmer.sink.fib.unresolved()} == set(CIRCLE)


def test_a_table_without_an_interface(vpp: Vpp, make_programmer: MakeProgrammer) -> None:
    """Its routes are resolved, and no packet is looked up there."""
    programmer = make_programmer(vpp, tables={254: 10})
    programmer.install([PREFIX])
    entry, resolved = programmer.look_up(PREFIX, 10)
    assert resolved.trouble is None
    assert not entry.entered
    if isinstance(vpp, RealVpp):
        moved = vpp.create_loopback()
        vpp.cli(f"set interface ip table {moved} 10")
        programmer.sink.refresh_interfaces()
        assert programmer.look_up(PREFIX, 10)[0].entered


def test_a_next_hop_that_is_not_resolved() -> None:
    """VPP forwards by the others alone."""
    rest = "    [3] [@3]: arp-ipv4: via 192.168.100.2 loop0\n"
    found = read(TWO_NEXT_HOPS.format(first="  oper-flags:resolved,", rest=rest))
    assert found is not None
    assert (found.source, found.trouble) == ("bgpreflector", None)
    assert set(found.dpos) == {"via 192.168.100.2 loop0", "via 192.168.100.3 loop1"}
    found = read(TWO_NEXT_HOPS.format(first=" ", rest=""))
    assert found is not None
    assert str(found.trouble).startswith("VPP has not resolved 1 of its paths")
    assert read("unknown input") is None
