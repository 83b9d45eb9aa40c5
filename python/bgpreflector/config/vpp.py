"""The ``[vpp]`` section: how to reach VPP and what to program."""

from __future__ import annotations

import os
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from bgpreflector.rtnetlink import RT_TABLE_MAIN

from .section import Section, without_repetition
from .tables import VppTableRange
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
"""The environment variable for commands without a configuration."""

PACKAGED_API = "/usr/share/vpp/api"

Strategy = Literal["map", "linux-cp", "name", "recursive", "main"]

Fallback = Literal["hold", "drop", "punt"]
PartlyMapped = Literal["skip", "whole"]

MAIN_TABLES = {RT_TABLE_MAIN: 0}
"""The kernel's main table maps to VPP's table 0 by default."""


class FibSourceConfig(Section):
    """The FIB source under which all routes are installed."""

    name: SourceName = Field(
        default="bgpreflector",
        description="Name of the source. All routes of the source count as ours, also those of "
        "an earlier run: two instances on one VPP need two names. Before you change it, stop the "
        "daemon and run `bgpreflector flush` with the old name: routes of the old source stay in "
        "VPP otherwise.",
    )
    priority: StrictInt = Field(
        default=0x88,
        ge=1,
        le=254,
        description="Priority of the source, 1 to 254; the lowest forwards a prefix. The "
        "default, 0x88, is just behind VPP's own API (0x80) and CLI (0x81) sources: a static "
        "route of the operator takes precedence over a learned one, as on any router, and a "
        "learned one over neighbours' host routes (0xd0).",
    )


class InterfacesConfig(Section):
    """Which VPP interface is mapped to a Linux interface."""

    map: dict[LinuxInterface, VppInterface] = Field(
        default_factory=dict,
        description="VPP interface, by name or sw_if_index, of a Linux interface.",
    )
    main_interface: OptionalVppInterface = Field(
        default=None,
        description='VPP interface of the "main" strategy, by name or sw_if_index. Contiv\'s '
        "mainInterfaceName.",
    )
    strategies: tuple[Strategy, ...] = Field(
        default=(),
        description='Strategies to find the VPP interface, in order: "map" (the table above), '
        '"linux-cp" (its pairs), "name" (equal names and equal hardware addresses, as an equal '
        'name may be the other end of a tap; "map" and "linux-cp" take precedence), "recursive" '
        "(none: VPP resolves the gateway in its FIB, in table 0 whichever table the route is in), "
        '"main" (always main_interface). Default: '
        "map, linux-cp, name; and main, if main_interface is set.",
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
    """What a first sync may delete without approval."""

    share: Share = Field(
        default=0.5,
        description="A start or reload that would delete more than this share of our routes in "
        "VPP, and at least guard.routes, deletes none of them before `bgpreflector resume` (or "
        "a start with --yes), so that a wrong interface map or table does not empty a router. "
        "New and changed routes are programmed meanwhile. 1 for no guard.",
    )
    routes: StrictInt = Field(
        default=100,
        ge=1,
        description="Fewer deletions than this are never withheld.",
    )


class VppConfig(Section):
    """How to reach VPP and what to program."""

    api_socket: SocketPath = Field(
        default="/run/vpp/api.sock", description="VPP's API socket (socksvr in startup.conf)."
    )
    api_directory: str = Field(
        default_factory=lambda: os.environ.get(API_DIRECTORY) or PACKAGED_API,
        min_length=1,
        description="Directory of the description of VPP's API (`.api.json` files). Only used "
        "if VPP does not return it itself, before 24.06. By default that of the environment "
        f"variable {API_DIRECTORY}, or where VPP's packages put it, {PACKAGED_API}.",
    )
    wait: StrictBool = Field(
        default=True,
        description="Whether to wait, not ready, for a VPP that cannot be reached at the start; "
        "otherwise the program ends with exit status 4. A VPP that is lost later is always "
        "waited for.",
    )
    max_in_flight: StrictInt = Field(
        default=1024,
        ge=1,
        le=65536,
        description="The most unanswered route requests.",
    )
    rate_limit: OptionalRate = Field(
        default=None,
        description="The most route requests a second, for a VPP whose main thread also "
        "forwards. Default: no limit.",
    )
    connect_timeout: PositiveSeconds = Field(
        default=5.0, description="Seconds to wait for connect and handshake."
    )
    request_timeout: PositiveSeconds = Field(
        default=10.0, description="Seconds without an answer after which VPP counts as lost."
    )
    audit_interval: Seconds = Field(
        default=0.0,
        description="Seconds between audits, which dump VPP's routes of our source, compare "
        "them with what it has acknowledged, and repair, count and log what differs. 0 for "
        "none. VPP does not forward while it lists its routes (about a second for a million): "
        "use an hour or more for large tables.",
    )
    keepalive_interval: Seconds = Field(
        default=5.0,
        description="Seconds after which an idle VPP gets a keepalive, so that a hung VPP is "
        "noticed before there are routes to send. 0 for never.",
    )
    on_exit: Literal["keep", "flush"] = Field(
        default="keep",
        description="Keep or remove our routes, and the tables created for them, on exit. After a "
        "failure they always stay.",
    )
    fib_source: FibSourceConfig = Field(
        default_factory=FibSourceConfig, description="The FIB source of our routes."
    )
    guard: GuardConfig = Field(
        default_factory=GuardConfig,
        description="What the first sync after a start or a reload may delete without approval.",
    )
    max_held: Share = Field(
        default=0.1,
        description="The share of held prefixes (such as those with no VPP interface) above "
        "which the daemon warns and is not ready, though in sync. 1 for never.",
    )
    unmapped: Fallback = Field(
        default="hold",
        description='What VPP gets for a held prefix (`show routes --held`): "hold" (nothing: a '
        'shorter prefix forwards, if there is one), "drop" (a drop), or "punt" (a path of type '
        "local: VPP hands the packets to the kernel, where linux-cp or the like takes them, and "
        "the kernel forwards them). Prefixes beyond kernel.max_routes, and those held because "
        "they crashed VPP, get nothing.",
    )
    unmapped_next_hops: PartlyMapped = Field(
        default="skip",
        description="What to do with a route of which only some next hops resolve in VPP: "
        '"skip" (program those) or "whole" (treat the whole prefix by vpp.unmapped).',
    )
    interfaces: InterfacesConfig = Field(
        default_factory=InterfacesConfig, description="Mapping of Linux interfaces to VPP's."
    )
    tables: dict[KernelTable, VppTable] = Field(
        default_factory=lambda: dict(MAIN_TABLES),
        description="VPP table of a kernel table, each by number, the kernel's also by name. "
        "The main table, 254, goes to 0 by default. Contiv's mainVRFID is the table of main.",
    )

    free_tables: VppTableRange | None = Field(
        default=None,
        description='VPP tables, for instance "5000-5999", of discovered kernel tables '
        "(kernel.discover) that vpp.tables does not name: each gets the lowest one that VPP does "
        "not have, and keeps it over restarts. Without it the VPP table has the kernel table's "
        "number.",
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

    @field_validator("free_tables")
    @classmethod
    def _named_elsewhere(
        cls, free: tuple[int, int] | None, info: ValidationInfo
    ) -> tuple[int, int] | None:
        for kernel, vpp in info.data.get("tables", {}).items():
            if free is not None and free[0] <= vpp <= free[1]:
                raise ValueError(
                    f"must not contain VPP table {vpp}, into which vpp.tables sends kernel table "
                    f"{kernel}"
                )
        return free


def _is_table(key: object) -> bool:
    try:
        kernel_table(key)
    except ValueError:
        return False
    return True
