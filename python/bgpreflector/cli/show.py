"""``bgpreflector show``: the tables of a running daemon."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from bgpreflector.routes.names import table_name
from bgpreflector.routes.paths import path_text
from bgpreflector.routes.rows import next_hops_text, route_line
from bgpreflector.units import counted

from . import options
from .command_group import CommandGroup
from .daemon import daemon_at
from .kernel_routes import kernel_routes
from .output import say, say_json, say_rows
from .route_table import (
    one_route,
    print_kernel_routes,
    print_routes,
    print_summary,
)
from .settings import read_config, say_configuration
from .table import print_table
from .targets import address, address_or_prefix, prefix

SCHEMA = 3
"""Version of the JSON lines; it grows when a field changes its meaning or goes."""

Row = Mapping[str, Any]


@click.group(cls=CommandGroup)
def show() -> None:
    """Show a running daemon's tables."""


@show.command(short_help="List the kernel's routes and their state in VPP.")
@click.argument(
    "target",
    type=address_or_prefix,
    required=False,
    help="A prefix, or an address: only the routes of its longest match.",
)
@click.option(
    "--in",
    "within",
    type=prefix,
    metavar="PREFIX",
    help="Only routes to this prefix and within it.",
)
@click.option("--next-hop", type=address, metavar="ADDRESS", help="Only routes with this gateway.")
@click.option("--interface", metavar="NAME", help="Only routes out of this kernel interface.")
@click.option("--rejected", is_flag=True, help="Only routes that VPP refused.")
@click.option(
    "--queued", is_flag=True, help="Only routes with a change that VPP has not answered yet."
)
@click.option(
    "--held",
    is_flag=True,
    help="Only routes that VPP cannot have now, with the reason.",
)
@click.option(
    "--all",
    "every",
    is_flag=True,
    help="Include routes of other protocols and routes that are not best.",
)
@click.option(
    "--summary",
    is_flag=True,
    help="Count by state, protocol, interface and next hop instead.",
)
@click.option(
    "--wide", "-w", is_flag=True, help="Show every next hop, table, protocol, metric and source."
)
@click.option("--kernel", is_flag=True, help="Read the kernel directly, without a daemon.")
@options.config_file
@options.control_socket
@options.netns
@options.protocols
@options.as_json_lines
def routes(
    target: str | None,
    within: str | None,
    next_hop: str | None,
    interface: str | None,
    rejected: bool,
    queued: bool,
    held: bool,
    every: bool,
    summary: bool,
    wide: bool,
    kernel: bool,
    config: Path | None,
    control: Path | None,
    netns: str | None,
    protocol: tuple[str, ...],
    as_json: bool,
) -> None:
    """List the kernel's routes and their state in VPP: IPv4 first, by table and prefix.

    States: installed (VPP has it), queued (VPP has not answered a change yet), held (VPP cannot
    have it now: the reason follows), rejected (VPP refused it), and with --all not_best (a better
    route of the prefix forwards) or foreign (of a protocol that is not mirrored).

    --netns and --protocol need --kernel, which does not show VPP.
    """
    chosen = {"rejected": rejected, "queued": queued, "held": held}
    states = [state for state, wanted in chosen.items() if wanted]
    filtered = bool(within or next_hop or interface or states)
    if kernel:
        if target or filtered or control or summary:
            raise click.BadParameter("--kernel goes with --all, --netns and --protocol only")
        _kernel(config, netns, protocol, every=every, as_json=as_json)
        return
    if netns or protocol:
        raise click.BadParameter("--netns and --protocol go with --kernel only")
    if target and (filtered or summary):
        raise click.BadParameter(
            "a prefix or an address goes without --in, --next-hop, --interface, --rejected, "
            "--queued, --held and --summary"
        )
    wanted = {
        "within": within,
        "states": states,
        "every": every,
        "next_hop": next_hop,
        "interface": interface,
    }
    with daemon_at(control, config) as daemon:
        if summary:
            found = daemon.ask("routes_summary", **wanted).end
            if as_json:
                say_json(found)
            else:
                print_summary(found)
            return
        answer = daemon.ask("routes", prefix=target, **wanted)
        if as_json:
            say_rows(SCHEMA, answer)
        else:
            nothing = "no such routes" if target or filtered else "no routes"
            print_routes(answer, wide=wide, nothing=nothing)


def _kernel(
    config: Path | None,
    netns: str | None,
    protocol: tuple[str, ...],
    *,
    every: bool,
    as_json: bool,
) -> None:
    say_configuration(config)
    settings = read_config(config, netns=netns, protocols=protocol)
    if settings.is_fpm:
        say(
            "These are the kernel's: the daemon's come from zebra (source.kind is \"fpm\"), see "
            "`bgpreflector show routes`",
            err=True,
        )
    rows = kernel_routes(settings, every=every)
    if as_json:
        say_rows(SCHEMA, rows)
    else:
        print_kernel_routes(rows, "no routes")


@show.command(short_help="Explain how VPP forwards an address.")
@click.argument(
    "target",
    type=address_or_prefix,
    help="An address, for its longest match, or a prefix.",
)
@options.config_file
@options.control_socket
@options.as_json
def route(target: str, config: Path | None, control: Path | None, as_json: bool) -> None:
    """Show what the kernel, our table and VPP have for an address, and why they differ.

    For a prefix, the kernel looks up an address in it that no longer prefix covers.
    """
    with daemon_at(control, config) as daemon:
        found = daemon.ask("route", **{"prefix" if "/" in target else "address": target}).end
        if as_json:
            say_json(found)
            return
        for line in _explained(found):
            say(line)


def _explained(found: Row) -> list[str]:
    kernel = found["kernel"]
    lines = [f"kernel  {found['kernel_error'] if kernel is None else route_line(kernel)}"]
    for table in found["tables"]:
        where = f"table {table_name(table['table'])}"
        rows = [(route_line(row), " ".join(one_route(row))) for row in table["routes"]]
        lines += [f"{where}  {line}  {more}" for line, more in rows]
        lines += [] if rows else [f"{where}  nothing that matches"]
        lines.append(f"VPP     {_entry(table['vpp'])} (table {table['vpp_table']})")
        if table["vpp_forwards_by"] != table["vpp"]:
            lines.append(f"        it forwards by {_entry(table['vpp_forwards_by'])}")
        resolved = table["vpp_resolved"]
        if resolved is not None and not resolved["special"]:
            lines.append(f"        resolved: {', '.join(resolved['dpos'])}")
    return lines + [f"=> {reason}" for reason in found["why"]]


def _entry(entry: Row | None) -> str:
    if entry is None:
        return "nothing"
    source = "" if entry["source"] is None else f" of source {entry['source']}"
    paths = ", ".join(map(path_text, entry["paths"])) or "no paths"
    return f"{entry['prefix']} {paths}{source}"


@show.command("next-hops", short_help="List the next-hop sets that routes share.")
@click.option("--all", "every", is_flag=True, help="Include sets of routes that are not mirrored.")
@options.config_file
@options.control_socket
@options.as_json_lines
def next_hops(every: bool, config: Path | None, control: Path | None, as_json: bool) -> None:
    """List the next-hop sets that mirrored routes share, and VPP's paths for each."""
    with daemon_at(control, config) as daemon:
        answer = daemon.ask("next_hops", every=every)
        if as_json:
            say_rows(SCHEMA, answer)
        else:
            print_table(("FAMILY", "ROUTES", "NEXT HOPS", "VPP"), _sets(answer), "no next hops")


def _sets(rows: Iterable[Row]) -> Iterable[list[str]]:
    for row in rows:
        nhid = "" if row["next_hop_id"] is None else f"nhid {row['next_hop_id']} "
        kind = "" if row["type"] == "unicast" else f"{row['type']} "
        paths = row["reason"] or ", ".join(map(path_text, row["paths"]))
        hops = f"{kind}{nhid}{next_hops_text(row['next_hops'])}".rstrip()
        yield [row["family"], counted(row["routes"], "route"), hops, paths]


@show.command(short_help="List routes by MPLS label, which are not mirrored.")
@options.config_file
@options.control_socket
@options.as_json_lines
def mpls(config: Path | None, control: Path | None, as_json: bool) -> None:
    """List the kernel's or zebra's routes by MPLS label, which are not mirrored."""
    with daemon_at(control, config) as daemon:
        answer = daemon.ask("label_routes")
        if as_json:
            say_rows(SCHEMA, answer)
        else:
            heads = ("LABEL", "PROTOCOL", "NEXT HOPS", "STATE")
            print_table(heads, map(_label_route, answer), "no MPLS routes")


def _label_route(row: Row) -> list[str]:
    hops = ", ".join(map(_label_hop, row["next_hops"]))
    return [str(row["label"]), row["protocol_name"], hops, f"held: {row['reason']}"]


def _label_hop(hop: Row) -> str:
    labels = "/".join(map(str, hop["labels"]))
    does = f"swap {labels}" if labels else "pop"
    via = "" if hop["gateway"] is None else f" via {hop['gateway']}"
    return f"{does}{via} {hop['interface']}"


@show.command(short_help="List the kernel's interfaces and the VPP interface of each.")
@options.config_file
@options.control_socket
@options.as_json_lines
def interfaces(config: Path | None, control: Path | None, as_json: bool) -> None:
    """List the kernel's interfaces, with the mirrored routes and the VPP interface of each."""
    with daemon_at(control, config) as daemon:
        answer = daemon.ask("interfaces")
        if as_json:
            say_rows(SCHEMA, answer)
        else:
            heads = ("INTERFACE", "STATE", "ROUTES", "VPP", "MAPPED BY")
            print_table(heads, map(_interface, answer), "no interfaces")


def _vrf(row: Row) -> str:
    if row["vrf"]["vpp_table"] is None:
        return f"none: table {row['vrf']['table']} is not mirrored"
    return f"lookup in table {row['vrf']['vpp_table']}"


_BY = {
    "map": "vpp.interfaces.map",
    "linux-cp": "linux-cp pair",
    "name": "same name and address",
    "main": "vpp.interfaces.main_interface",
    "vrf": "VRF",
}


def _interface(row: Row) -> list[str]:
    state = "absent" if row["index"] is None else "up" if row["up"] else "down"
    by = _BY.get(row["mapped_by"], "")
    if row["mapped_by"] == "recursive":
        vpp = "VPP's own FIB finds the interface"
    elif row["mapped_by"] == "vrf":
        vpp = _vrf(row)
    elif row["sw_if_index"] is not None:
        vpp = row["vpp_interface"] or f"sw_if_index {row['sw_if_index']}"
    elif row["mapped_by"] == "map":
        vpp = "not there in VPP"
    else:
        # Where no route of ours leads, nothing is amiss.
        vpp = "none: its routes are held" if row["routes"] else ""
    return [row["interface"], state, counted(row["routes"], "route"), vpp, by]
