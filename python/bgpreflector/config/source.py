"""The ``[source]`` and ``[fpm]`` sections: who tells of the routes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from .metrics import Address, parse_address
from .protocols import GROUPS
from .section import Section
from .values import PositiveSeconds, Seconds

FRR_PROTOCOLS = GROUPS["frr"]
"""What zebra marks its daemons' routes with (``zebra2proto``): zebra, babel, bgp to srte."""


class SourceConfig(Section):
    """Who tells of the routes."""

    kind: Literal["kernel", "fpm"] = Field(
        default="kernel",
        description='"kernel": the routes are read of the kernel. "fpm": FRR\'s zebra sends them '
        "(its module dplane_fpm_nl), and is told what VPP has acknowledged; links are read of the "
        "kernel all the same. kernel.protocols then are FRR's unless they are named.",
    )


def _address(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(  # noqa: TRY004 - pydantic's validators raise ValueError
            'must be an address and a port such as "127.0.0.1:2620"'
        )
    return str(parse_address(value))


class FpmConfig(Section):
    """How zebra is listened to."""

    listen: Annotated[str, BeforeValidator(_address)] = Field(
        default="127.0.0.1:2620",
        description="Address and port at which zebra is waited for (`fpm address 127.0.0.1`), in "
        "the network namespace kernel.namespace. Whoever can connect to it can put routes into "
        "VPP: there is no authentication.",
    )
    quiet_time: PositiveSeconds = Field(
        default=5.0,
        description="Seconds in which a connection says nothing, after it has said something of a "
        "route, that count as the end of what it has to show: zebra does not say where that is. "
        "Routes that it has not shown go from VPP then. zebra pauses for a second where it fills "
        "its buffer, so less than 2 is too short for a large table.",
    )
    grace: Seconds = Field(
        default=0.0,
        description="Seconds from the beginning of a connection in which routes stay in VPP that "
        "it has not shown: the time that the BGP daemon needs after a restart of zebra's. Without "
        "it they go once the connection is quiet.",
    )

    @property
    def address(self) -> Address:
        """The address taken apart."""
        return parse_address(self.listen)
