"""What VPP must have under our source, from what the kernel forwards by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from oracle.expected import Forwarding, Meaning, forwarding
from oracle.iproute import running
from oracle.operations import LINKS

VPP_TABLES = {254: 0, 1000: 10}
"""VPP table for a kernel table."""

SPECIAL = {"drop": "blackhole", "icmp-unreach": "unreachable", "icmp-prohibit": "prohibit"}

Snapshot = Iterable[tuple[int, str, list[tuple[str, int, int]]]]


def kernel_forwarding(namespace: str) -> Forwarding:
    """By VPP table and prefix, with VPP's interfaces."""
    with running(namespace) as ip:
        routes = forwarding(ip)
    return {
        (VPP_TABLES[table], prefix): _on_vpp(meaning) for (table, prefix), meaning in routes.items()
    }


def _on_vpp(meaning: Meaning) -> Meaning:
    if not isinstance(meaning, list):
        return meaning
    loopbacks = {link: f"loop{number}" for number, link in enumerate(LINKS)}
    return sorted((gateway, loopbacks[device], weight) for gateway, device, weight in meaning)


def vpp_forwarding(snapshot: Snapshot, names: Mapping[int, str]) -> Forwarding:
    """In the same words; ``names`` are those of the interfaces."""
    return {
        (table, prefix): SPECIAL.get(paths[0][0])
        or sorted((hop, names.get(index, str(index)), weight) for hop, index, weight in paths)
        for table, prefix, paths in snapshot
    }


def differences(kernel: Forwarding, vpp: Forwarding) -> list[str]:
    """One line for each prefix that is not the same on both sides."""
    return [
        f"table {key[0]} {key[1]}: kernel {kernel.get(key)}, VPP {vpp.get(key)}"
        for key in sorted(kernel.keys() | vpp.keys())
        if kernel.get(key) != vpp.get(key)
    ]
