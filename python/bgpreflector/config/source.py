"""The ``[source]`` and ``[fpm]`` sections: the source of the routes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from .metrics import Address, parse_address
from .protocols import GROUPS
from .section import Section
from .values import PositiveSeconds, Seconds

FRR_PROTOCOLS = GROUPS["frr"]
"""Protocols of FRR's routes in zebra (``zebra2proto``): zebra, babel, bgp to srte."""


class SourceConfig(Section):
    """The source of the routes."""

    kind: Literal["kernel", "fpm"] = Field(
        default="kernel",
        description='"kernel": routes are read from the kernel. "fpm": FRR\'s zebra sends them '
        "(module dplane_fpm_nl) and is notified of what VPP has acknowledged; links are still "
        "read from the kernel. The default of kernel.protocols is then all of FRR's.",
    )


def _address(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(  # noqa: TRY004 - pydantic's validators raise ValueError
            'must be an address and a port such as "127.0.0.1:2620"'
        )
    return str(parse_address(value))


class FpmConfig(Section):
    """The listener for zebra."""

    listen: Annotated[str, BeforeValidator(_address)] = Field(
        default="127.0.0.1:2620",
        description="Listen address and port for zebra (`fpm address 127.0.0.1`), in the "
        "network namespace kernel.namespace. Anybody who can connect can put routes into VPP: "
        "FPM has no authentication.",
    )
    quiet_time: PositiveSeconds = Field(
        default=5.0,
        description="Seconds without a route that the connection had not shown before, after its "
        "first one, that count as the end of zebra's initial routes, as FPM does not mark that "
        "end: VPP is then programmed. Routes that it has not sent are removed from VPP after so "
        "many seconds without any message. 60 times that is the longest for both. zebra pauses "
        "for a second when its buffer is full, so less than 2 is too short for a large table.",
    )
    stale_routes_time: Seconds = Field(
        default=0.0,
        description="Seconds after a connection starts for which routes that it has not sent "
        "stay in VPP: the time that the BGP daemon needs after a restart of zebra. 0: they are "
        "removed once the connection is quiet.",
    )

    @property
    def address(self) -> Address:
        """The address taken apart."""
        return parse_address(self.listen)
