"""The ``[vpp]`` section: how VPP is reached and what is told to it."""

from __future__ import annotations

import os
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from .section import Section, without_repetition
from .values import (
    KernelTable,
    LinuxInterface,
    OptionalRate,
    OptionalVppInterface,
    PositiveSeconds,
    Seconds,
    Share,
    SocketPath,
    SourceName,
    StrictBool,
    StrictInt,
    VppInterface,
    VppTable,
    kernel_table,
)

API_DIRECTORY = "BGPREFLECTOR_API_DIRECTORY"
"""The environment variable for commands that are told a socket and no configuration."""

PACKAGED_API = "/usr/share/vpp/api"

Strategy = Literal["map", "linux-cp", "name", "recursive", "main"]

Fallback = Literal["hold", "drop", "punt"]
PartlyMapped = Literal["skip", "whole"]

MAIN_TABLES = {254: 0}
"""The kernel's main table goes to VPP's table 0 unless the map says otherwise."""


class FibSourceConfig(Section):
    """The FIB source under which all routes are installed."""

    name: SourceName = Field(
        default="bgpreflector",
        description="Name of the source. Routes of the source are taken as ours, also those of "
        "an earlier run, so two instances on one VPP need two names.",
    )
    priority: StrictInt = Field(
        default=0x88,
        ge=1,
        le=254,
        description="Priority of the source, 1 to 254; where two sources have a prefix the lower "
        "one wins. The default, 0x88, lies just behind VPP's own API (0x80) and CLI (0x81) "
        "sources: a static route that an operator sets by hand wins over a learned one, as on "
        "any router, and a learned one still wins over neighbours' host routes (0xd0).",
    )


class InterfacesConfig(Section):
    """Which VPP interface is mapped to a Linux interface."""

    map: dict[LinuxInterface, VppInterface] = Field(
        default_factory=dict,
        description="VPP interface, by name or sw_if_index, for a Linux interface.",
    )
    main_interface: OptionalVppInterface = Field(
        default=None,
        description='VPP interface of the "main" strategy, by name or sw_if_index. Contiv\'s '
        "mainInterfaceName.",
    )
    strategies: tuple[Strategy, ...] = Field(
        default=(),
        description='How the VPP interface is found, in order: "map" (the table above), '
        '"linux-cp" (pairs of that plugin), "name" (equal names and hardware addresses, '
        'as an equal name may be the other end of a tap; "map" and "linux-cp" go before it), '
        '"recursive" (none: VPP '
        'resolves the gateway by its own FIB), "main" (always main_interface). Default: map, '
        "linux-cp, name; and main, where main_interface is set.",
    )

    _unique = field_validator("strategies")(without_repetition)

    @field_validator("strategies")
    @classmethod
    def _usable(cls, strategies: tuple[Strategy, ...], info: ValidationInfo) -> tuple[str, ...]:
        main = info.data.get("main_interface")
        if "main_interface" not in info.data:
            return strategies
        if not strategies:
            return ("map", "linux-cp", "name", *(("main",) if main is not None else ()))
        if "main" in strategies and main is None:
            raise ValueError('must not have "main" without vpp.interfaces.main_interface')
        if main is not None and "main" not in strategies:
            raise ValueError('must have "main" for vpp.interfaces.main_interface to be used')
        if info.data.get("map") and "map" not in strategies:
            raise ValueError('must have "map" for vpp.interfaces.map to be used')
        return strategies


class GuardConfig(Section):
    """What a first sync may delete by itself."""

    share: Share = Field(
        default=0.5,
        description="A start, or a reload, that would delete more than this share of our routes in "
        "VPP, and at least as many as guard.routes, deletes none of them before `bgpreflector "
        "resume` (or a start with --yes): an interface map with a typing error, or a wrong table, "
        "shall not empty a router. New and changed routes go in meanwhile. 1 for no guard.",
    )
    routes: StrictInt = Field(
        default=100,
        ge=1,
        description="Fewer deletions than this never wait.",
    )


class VppConfig(Section):
    """How VPP is reached and what is told to it."""

    api_socket: SocketPath = Field(
        default="/run/vpp/api.sock", description="VPP's API socket (socksvr in startup.conf)."
    )
    api_directory: str = Field(
        default_factory=lambda: os.environ.get(API_DIRECTORY) or PACKAGED_API,
        min_length=1,
        description="Where the description of VPP's API (`.api.json` files) is. Only read where "
        "VPP does not hand it out itself, as before 24.06. By default that of the environment "
        f"variable {API_DIRECTORY}, or where VPP's packages put it, {PACKAGED_API}.",
    )
    wait: StrictBool = Field(
        default=True,
        description="Whether a VPP that cannot be reached at the start is waited for, not ready "
        "meanwhile; otherwise the program ends with exit status 4. One that goes away later always "
        "is waited for.",
    )
    max_in_flight: StrictInt = Field(
        default=1024,
        ge=1,
        le=65536,
        description="Route requests that may be unanswered at a time.",
    )
    rate_limit: OptionalRate = Field(
        default=None,
        description="The most route requests a second, for a VPP whose main thread forwards while "
        "it learns. Default: as many as VPP takes.",
    )
    connect_timeout: PositiveSeconds = Field(
        default=5.0, description="Seconds to wait for the connection and its handshake."
    )
    request_timeout: PositiveSeconds = Field(
        default=10.0, description="Seconds without any answer after which VPP counts as lost."
    )
    audit_interval: Seconds = Field(
        default=0.0,
        description="Seconds between audits, which read all routes that VPP has under our source, "
        "compare them with what it has acknowledged, and repair, count and log what differs. "
        "0 for none. VPP does not forward while it lists its routes (about a second for a "
        "million), so an interval of an hour or more is wise for large tables.",
    )
    keepalive_interval: Seconds = Field(
        default=5.0,
        description="Seconds after which a VPP that has had nothing to say is pinged, so that one "
        "that hangs is noticed before there are routes to send; 0 for never.",
    )
    on_exit: Literal["keep", "flush"] = Field(
        default="keep",
        description="What becomes of our routes in VPP, and of the tables that "
        "were created for them, when the program ends.",
    )
    fib_source: FibSourceConfig = Field(
        default_factory=FibSourceConfig, description="The FIB source of our routes."
    )
    guard: GuardConfig = Field(
        default_factory=GuardConfig,
        description="What the first sync after a start or a reload may delete by itself.",
    )
    max_held: Share = Field(
        default=0.1,
        description="The share of prefixes that VPP cannot have (as no VPP interface is mapped to "
        "theirs, for instance) above which the daemon is not ready and warns, though in sync. "
        "1 for never.",
    )
    unmapped: Fallback = Field(
        default="hold",
        description="What VPP is given for a prefix whose route it cannot have (`show routes "
        '--held`): "hold" (nothing: it forwards the prefix by a shorter one that it has), "drop" '
        '(a drop), or "punt" (a path of type local: VPP hands the packets to the kernel, where '
        "linux-cp or the like takes them, and the kernel forwards them). Prefixes beyond "
        "kernel.max_routes, and those held as they ended VPP, are given nothing.",
    )
    unmapped_legs: PartlyMapped = Field(
        default="skip",
        description="What becomes of a route of several next hops of which VPP can have only some: "
        '"skip" (it goes in with those) or "whole" (the whole prefix by vpp.unmapped).',
    )
    interfaces: InterfacesConfig = Field(
        default_factory=InterfacesConfig, description="From Linux to VPP interfaces."
    )
    tables: dict[KernelTable, VppTable] = Field(
        default_factory=lambda: dict(MAIN_TABLES),
        description="VPP table for a kernel table, each by number, the kernel's also by name. "
        "The main table, 254, goes to 0 unless it is named here. Contiv's mainVRFID is the "
        "table of main.",
    )

    @field_validator("tables", mode="before")
    @classmethod
    def _named_once(cls, tables: object) -> object:
        if isinstance(tables, dict):
            numbers = [kernel_table(key) for key in tables if _is_table(key)]
            without_repetition(tuple(numbers))
        return tables

    @field_validator("tables")
    @classmethod
    def _with_main(cls, tables: dict[int, int]) -> dict[int, int]:
        return MAIN_TABLES | tables


def _is_table(key: object) -> bool:
    try:
        kernel_table(key)
    except ValueError:
        return False
    return True
