"""The ``[kernel]`` section: which routes are read, and how."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from .section import Section, without_repetition
from .values import Bytes, KernelTable, Namespace, Protocol

_NETNS = Path("/run/netns")


class KernelConfig(Section):
    """Which routes of the kernel are mirrored, and how they are read."""

    protocols: tuple[Protocol, ...] = Field(
        default=(12,),
        min_length=1,
        description="Routing protocols (rtm_protocol) to mirror, by number or name such as "
        '"bird". Default: BIRD\'s, 12.',
    )
    tables: tuple[KernelTable, ...] = Field(
        default=(254,),
        min_length=1,
        description='Kernel tables to mirror, by number or name such as "main". Default: main.',
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
    foreign_routes: Literal["hide", "ignore"] = Field(
        default="hide",
        description="What a better route of another protocol does to ours: hide it, so that VPP "
        "forwards as the kernel does, or nothing.",
    )

    _unique = field_validator("protocols", "tables", "families")(without_repetition)

    @property
    def namespace_path(self) -> Path | None:
        """The namespace's file, ``None`` for the program's own namespace."""
        return None if self.namespace is None else _NETNS / self.namespace
