"""The ``[kernel]`` section: which routes are read, and how."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from .section import Section, without_repetition
from .tables import HIGHEST, TableRange, ranges_apart
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
    """Which routes of the kernel are mirrored, and how they are read."""

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
        description='Further kernel tables, each mirrored as soon as it has a route: "all", or '
        'ranges such as "1000-1999". They may stand in kernel.tables as well. Each goes into the '
        "VPP table that vpp.tables names, else into that of its own number, which is created where "
        "VPP lacks it, and removed when the kernel's has no routes any more.",
    )
    tables: tuple[KernelTable, ...] = Field(
        default=(254,),
        description='Kernel tables to mirror, by number or name such as "main"; or "all", or with '
        'ranges such as "1000-1999" among them: those are followed as they appear '
        "(kernel.discover). Default: main.",
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
        description='Prefixes to mirror: "10.0.0.0/8" stands for it and everything within it, '
        '"10.0.0.0/8{16,24}" for what of that is 16 to 24 bits long. Default: all. Where a '
        "family has one, only what is allowed is mirrored.",
    )
    deny: tuple[PrefixRule, ...] = Field(
        default=(),
        description="Prefixes not to mirror, written likewise. Of all entries of both lists that "
        "match, the one with the longest prefix decides, and deny between equals.",
    )
    foreign_routes: Literal["hide", "ignore"] = Field(
        default="hide",
        description="What a better route of another protocol does to ours: hide it, so that VPP "
        "forwards as the kernel does, or nothing.",
    )
    max_routes: OptionalCount = Field(
        default=None,
        description="The most prefixes that VPP is given, both families and all tables together: "
        "a guard against a BGP peer that sends far more than it should. Default: as many as the "
        "kernel has.",
    )
    max_routes_action: Literal["refuse", "warn"] = Field(
        default="refuse",
        description="What becomes of prefixes beyond max_routes: they are kept out of VPP until "
        "others have gone, while those that are in stay in and are kept up to date; or they go "
        "in, and a warning is logged. A lower limit takes nothing out of VPP that is in.",
    )

    audit_interval: Seconds = Field(
        default=300.0,
        description="Seconds between audits, which dump the kernel's routes, compare them with "
        "the table and repair, count and log what differs. 0 for none.",
    )
    stale_routes_time: Seconds = Field(
        default=0.0,
        description="Seconds from the start in which routes stay in VPP that an earlier run put "
        "there and that the kernel lacks: the time that the BGP daemon needs after a restart "
        "of the host. Without it they go as soon as the kernel's routes are known for certain.",
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
        """The tables, for people: those that are named, then the ranges."""
        ranges = ("all others" if r == (1, HIGHEST) else f"{r[0]}-{r[1]}" for r in self.discover)
        return ", ".join([*map(str, self.tables), *ranges])

    @property
    def prefix_rules(self) -> list[tuple[str, int, int, bool]]:
        """Both lists: prefix, shortest and longest length, whether it allows."""
        lists = ((self.allow, True), (self.deny, False))
        return [(*parse_rule(rule), allow) for rules, allow in lists for rule in rules]
