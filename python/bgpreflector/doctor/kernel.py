"""Check the kernel: receive buffer, and settings that suppress notifications."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bgpreflector import _core
from bgpreflector.config import Config
from bgpreflector.units import size_text

from .finding import Finding, ok, warning

CHECK = "kernel"
CAP_NET_ADMIN = 12
"""Its bit (``linux/capability.h``)."""

ROUTE_MESSAGE = 832
"""Bytes of the buffer that a notification of an IPv4 route takes."""


def kernel_findings(config: Config, engine: _core.Engine) -> Iterator[Finding]:
    """Check the namespace of an engine that has started."""
    where = str(config.kernel.namespace_path or "this network namespace")
    if config.is_fpm:
        yield ok(CHECK, where, "its links can be read; the routes come from zebra")
        return
    yield ok(CHECK, where, "its routes can be read")
    yield _buffer(config, engine)
    yield from _notify_sysctls(config, engine)
    yield from _linkdown(engine)


def _buffer(config: Config, engine: _core.Engine) -> Finding:
    wanted = config.kernel.receive_buffer
    # The kernel doubles the requested size.
    granted = engine.status().receive_buffer // 2
    limit = _rmem_max()
    privileged = _has_net_admin()
    limits = f"{'with' if privileged else 'without'} CAP_NET_ADMIN"
    if limit:
        limits = f"net.core.rmem_max is {size_text(limit)}, {limits}"
    if granted >= wanted:
        return ok(CHECK, "kernel.receive_buffer", f"{size_text(wanted)} are granted ({limits})")
    return warning(
        CHECK,
        "kernel.receive_buffer",
        f"{size_text(granted)} of {size_text(wanted)} are granted, room for "
        f"{granted * 2 // ROUTE_MESSAGE:,} route "
        f"changes at once ({limits}): more lose notifications, each time at the cost of a dump",
        f"give the program CAP_NET_ADMIN, as the systemd unit does, or `sysctl -w "
        f"net.core.rmem_max={wanted}`",
    )


def _rmem_max() -> int | None:
    try:
        return int(Path("/proc/sys/net/core/rmem_max").read_text())
    except (OSError, ValueError):
        return None


def _has_net_admin() -> bool:
    lines = Path("/proc/self/status").read_text().splitlines()
    found = (line.split()[1] for line in lines if line.startswith("CapEff:"))
    return bool(int(next(found, "0"), 16) >> CAP_NET_ADMIN & 1)


@dataclass(frozen=True)
class _NotifySysctl:
    """A sysctl that suppresses notifications."""

    key: str
    disabled: str
    """The value that suppresses them."""

    what: str


NOTIFY_SYSCTLS = (
    _NotifySysctl(
        "ipv4/nexthop_compat_mode",
        "0",
        "where a next-hop object is replaced, its routes are not announced again",
    ),
    _NotifySysctl(
        "ipv6/route/skip_notify_on_dev_down",
        "1",
        "where a link goes down, the deletion of its IPv6 routes is not announced",
    ),
)


def _notify_sysctls(config: Config, engine: _core.Engine) -> Iterator[Finding]:
    for sysctl in NOTIFY_SYSCTLS:
        value = engine.sysctl(sysctl.key)
        name = _name(sysctl.key)
        if value is None:
            continue
        if value != sysctl.disabled:
            yield ok(CHECK, name, f"it is {value}: changes are announced")
        elif config.kernel.audit_interval:
            yield ok(
                CHECK,
                name,
                f"it is {value}: {sysctl.what}; that is followed by the messages of links and "
                "next-hop objects instead, and audits look for the rest",
            )
        else:
            yield warning(
                CHECK,
                name,
                f"it is {value}: {sysctl.what}, and audits, which would find what is missed, are "
                "switched off",
                f"set kernel.audit_interval, or `sysctl -w {name}={1 - int(value)}`",
            )


def _linkdown(engine: _core.Engine) -> Iterator[Finding]:
    """Interfaces whose next hops without carrier the kernel skips, unlike VPP."""
    for family in ("ipv4", "ipv6"):
        scopes = ["all", "default", *(name for _, name, _ in sorted(engine.links()))]
        keys = [f"{family}/conf/{scope}/ignore_routes_with_linkdown" for scope in scopes]
        on = [key for key in keys if engine.sysctl(key) == "1"]
        name = f"net.{family}.conf.*.ignore_routes_with_linkdown"
        if not on:
            yield ok(CHECK, name, "it is 0")
            continue
        yield warning(
            CHECK,
            ", ".join(map(_name, on)),
            "it is 1: the kernel forwards past next hops whose link has no carrier, without a "
            "message; VPP goes on to use them",
            "set it to 0, or have the BGP daemon notice dead links by BFD",
        )


def _name(key: str) -> str:
    return "net." + key.replace("/", ".")
