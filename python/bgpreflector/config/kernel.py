"""The ``[kernel]`` section: which routes are read, and how."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from bgpreflector.rtnetlink import RT_TABLE_MAIN, RT_TABLE_MAX

from .section import Section, without_repetition
from .tables import TableRange, ranges_apart
from .values import (
    Bytes,
    KernelTable,
    Namespace,
    OptionalCount,
    PrefixRule,
    Protocols,
    Seconds,
    parse_rule,
)

_NETNS = Path("/run/netns")


class KernelConfig(Section):
    """Which kernel routes are mirrored, and how they are read."""

    protocols: Protocols = Field(
        default=(12,),
        min_length=1,
        description="Routing protocols (rtm_protocol) to mirror, by number or name: those of "
        'linux/rtnetlink.h, of FRR ("bgp", "ospf", "isis", …; its static routes, 196, are '
        '"frr-static") and of the host\'s /etc/iproute2/rt_protos; or by a group: "frr" for all of '
        "FRR's, \"all\" for all but the kernel's own routes and redirects. Default: BIRD's, 12.",
    )
    discover: tuple[TableRange, ...] = Field(
        default=(),
        description='Kernel tables to discover, each mirrored as soon as it has a route: "all", '
        'or ranges such as "1000-1999". They may also be written in kernel.tables. Each goes '
        "into the VPP table that vpp.tables names, else into the one of the same number, which "
        "is created if it is missing and removed when the kernel's table is empty.",
    )
    tables: tuple[KernelTable, ...] = Field(
        default=(RT_TABLE_MAIN,),
        description='Kernel tables to mirror, by number or name such as "main". "all" and '
        'ranges such as "1000-1999" are discovered (kernel.discover). Default: main.',
    )
    families: tuple[Literal["ipv4", "ipv6"], ...] = Field(
        default=("ipv4", "ipv6"), min_length=1, description="Address families to mirror."
    )
    receive_buffer: Bytes = Field(
        default=32 << 20,
        description="Receive buffer of the notification socket, in bytes or as a size such as "
        '"32 MiB". A route message takes 832 bytes in the kernel, so the default holds 40,000. '
        "Above net.core.rmem_max it needs CAP_NET_ADMIN.",
    )
    namespace: Namespace = Field(
        default=None,
        description="Network namespace to read, as a name of `ip netns` or the path of its file. "
        "Default: the program's own.",
    )
    allow: tuple[PrefixRule, ...] = Field(
        default=(),
        description='Prefixes to mirror: "10.0.0.0/8" matches it and everything within it, '
        '"10.0.0.0/8{16,24}" the prefixes within it of length 16 to 24. Default: all. A family '
        "that has an entry mirrors only what is allowed.",
    )
    deny: tuple[PrefixRule, ...] = Field(
        default=(),
        description="Prefixes not to mirror, in the same syntax. Of all matching entries of "
        "both lists the one with the longest prefix decides, and deny between equals.",
    )
    foreign_routes: Literal["hide", "ignore"] = Field(
        default="hide",
        description="What a better route of another protocol does to ours: hide it, so that VPP "
        "forwards like the kernel, or nothing.",
    )
    max_routes: OptionalCount = Field(
        default=None,
        description="The most prefixes to program into VPP, both families and all tables "
        "together: a guard against a BGP peer that sends far more than it should. Default: no "
        "limit.",
    )
    max_routes_action: Literal["refuse", "warn"] = Field(
        default="refuse",
        description='What to do with prefixes beyond max_routes. "refuse": hold them until '
        'others are withdrawn; those in VPP stay and are kept up to date. "warn": program them '
        "and log a warning. A lower limit removes no route from VPP.",
    )

    audit_interval: Seconds = Field(
        default=300.0,
        description="Seconds between audits, which dump the kernel's routes, compare them with "
        "the table, and repair, count and log what differs. 0 for none.",
    )
    stale_routes_time: Seconds = Field(
        default=0.0,
        description="Seconds after the start for which stale routes of an earlier run, missing "
        "in the kernel, stay in VPP: the time that the BGP daemon needs after a reboot. 0: they "
        "are deleted as soon as a resync is certain.",
    )

    @model_validator(mode="before")
    @classmethod
    def _ranges_apart(cls, section: object) -> object:
        return ranges_apart(section)

    @field_validator("tables")
    @classmethod
    def _some(cls, tables: tuple[int, ...], info: ValidationInfo) -> tuple[int, ...]:
        if not tables and not info.data.get("discover"):
            raise ValueError("must not be empty")
        return tables

    _unique = field_validator("protocols", "tables", "discover", "families", "allow", "deny")(
        without_repetition
    )

    @property
    def namespace_path(self) -> Path | None:
        """The namespace's file, ``None`` for the program's own namespace."""
        return None if self.namespace is None else _NETNS / self.namespace

    @property
    def tables_text(self) -> str:
        """The tables as text: the configured ones, then the ranges."""
        ranges = (
            "all others" if r == (1, RT_TABLE_MAX) else f"{r[0]}-{r[1]}" for r in self.discover
        )
        return ", ".join([*map(str, self.tables), *ranges])

    @property
    def prefix_rules(self) -> list[tuple[str, int, int, bool]]:
        """Both lists: prefix, shortest and longest length, whether it allows."""
        lists = ((self.allow, True), (self.deny, False))
        return [(*parse_rule(rule), allow) for rules, allow in lists for rule in rules]
