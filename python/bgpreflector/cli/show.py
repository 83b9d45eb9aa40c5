"""``bgpreflector show``: what a running daemon holds."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from bgpreflector.routes.rows import next_hops_text, route_line

from .daemon import daemon_at, echo_json
from .kernel_routes import kernel_routes
from .options import ConfigFile, ControlSocket, Netns, Protocols, read_config, say_configuration
from .output import say

show = typer.Typer(help="Show what a running daemon holds.", no_args_is_help=True)

SCHEMA = 1
"""Version of the JSON lines; it grows when a field changes its meaning or goes."""

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line, a summary last.")]

Row = Mapping[str, Any]


@show.callback()
def _show() -> None:
    pass


@show.command()
def routes(
    prefix: Annotated[
        str | None, typer.Argument(metavar="[PREFIX]", help="Only the routes of this prefix.")
    ] = None,
    within: Annotated[
        str | None,
        typer.Option("--in", metavar="PREFIX", help="Only those to this prefix and within it."),
    ] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Those that VPP refused.")] = False,
    waiting: Annotated[
        bool, typer.Option("--waiting", help="Those of which VPP has not answered a change yet.")
    ] = False,
    held: Annotated[
        bool,
        typer.Option(
            "--held", "--unmirrored", help="Those that VPP cannot have now, with the reason."
        ),
    ] = False,
    every: Annotated[
        bool, typer.Option("--all", help="Routes of other protocols and not the best ones too.")
    ] = False,
    kernel: Annotated[
        bool,
        typer.Option("--kernel", help="Ask no daemon, but read the kernel itself."),
    ] = False,
    config: ConfigFile = None,
    control: ControlSocket = None,
    netns: Netns = None,
    protocol: Protocols = None,
    as_json: AsJson = False,
) -> None:
    """The kernel's routes, and what VPP has of each.

    A line ends with the route's state: installed (VPP has it), waiting (VPP has not answered a
    change of it yet), held (VPP cannot have it now: the reason follows), failed (VPP refused it),
    and with --all not_best (a better one of its prefix forwards) or foreign (of a protocol that is
    not mirrored).

    --netns and --protocol are for --kernel, which shows no VPP.
    """
    chosen = {"failed": failed, "waiting": waiting, "held": held}
    states = [state for state, wanted in chosen.items() if wanted]
    if kernel:
        if prefix or within or states or control:
            raise typer.BadParameter("--kernel goes with --all, --netns and --protocol only")
        _kernel(config, netns, protocol, every=every, as_json=as_json)
        return
    if netns or protocol:
        raise typer.BadParameter("--netns and --protocol go with --kernel only")
    if prefix and (within or states):
        raise typer.BadParameter("a prefix goes without --in, --failed, --waiting, --held")
    wanted = {"prefix": prefix, "within": within, "states": states, "every": every}
    _listing(control, config, "routes", _route, as_json=as_json, **wanted)


def _listing(
    control: Path | None,
    config: Path | None,
    command: str,
    line: Callable[[Row], str],
    *,
    as_json: bool,
    **arguments: object,
) -> None:
    with daemon_at(control, config) as daemon:
        answer = daemon.ask(command, **arguments)
        if as_json:
            echo_json(answer)
            return
        for row in answer:
            say(line(row))


def _kernel(
    config: Path | None,
    netns: str | None,
    protocol: list[str] | None,
    *,
    every: bool,
    as_json: bool,
) -> None:
    count = 0
    say_configuration(config)
    for row in kernel_routes(read_config(config, netns=netns, protocols=protocol), every=every):
        say(json.dumps(row) if as_json else route_line(row))
        count += 1
    if as_json:
        say(json.dumps({"schema": SCHEMA, "count": count}))


def _route(row: Row) -> str:
    state = row["state"] if row["reason"] is None else f"{row['state']}: {row['reason']}"
    if row.get("substitute") is not None:
        state += f"; instead: {row['substitute']}"
    # Most are the kernel's, of which nothing needs to be said.
    told = "" if row["source"] == "kernel" else f" source {row['source']}"
    shown = f"{route_line(row)}{told}  [{state}]"
    if row["installed"]:
        shown += f" VPP table {row['vpp_table']}: {', '.join(row['installed'])}"
    return shown


@show.command()
def route(
    address: Annotated[
        str, typer.Argument(help="An address, of which the longest match is shown.")
    ],
    config: ConfigFile = None,
    control: ControlSocket = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """What the kernel, our table and VPP have for an address, and why they differ."""
    with daemon_at(control, config) as daemon:
        found = daemon.ask("route", address=address).end
        if as_json:
            say(json.dumps(found))
            return
        for line in _explained(found):
            say(line)


def _explained(found: Row) -> list[str]:
    kernel = found["kernel"]
    lines = [f"kernel  {found['kernel_error'] if kernel is None else route_line(kernel)}"]
    for table in found["tables"]:
        where = f"table {table['table']}"
        held = [f"{where}  {_route(row)}" for row in table["routes"]]
        lines += held or [f"{where}  nothing that matches"]
        lines.append(f"VPP     {_entry(table['vpp'])} (table {table['vpp_table']})")
        if table["vpp_forwards_by"] != table["vpp"]:
            lines.append(f"        it forwards by {_entry(table['vpp_forwards_by'])}")
        resolved = table["vpp_resolved"]
        if resolved is not None and not resolved["special"]:
            lines.append(f"        resolved: {', '.join(resolved['ends'])}")
    return lines + [f"=> {reason}" for reason in found["why"]]


def _entry(entry: Row | None) -> str:
    if entry is None:
        return "nothing"
    source = "" if entry["source"] is None else f" of source {entry['source']}"
    return f"{entry['prefix']} {', '.join(entry['paths']) or 'no paths'}{source}"


@show.command("next-hops")
def next_hops(
    config: ConfigFile = None, control: ControlSocket = None, as_json: AsJson = False
) -> None:
    """The sets of next hops that routes share, and what VPP shall have for each."""
    _listing(control, config, "next_hops", _next_hops, as_json=as_json)


def _next_hops(row: Row) -> str:
    nhid = "" if row["next_hop_id"] is None else f"nhid {row['next_hop_id']} "
    kind = "" if row["type"] == "unicast" else f"{row['type']} "
    meaning = row["reason"] or ", ".join(row["paths"])
    hops = next_hops_text(row["next_hops"])
    return f"{row['family']} {row['routes']:>8} routes  {kind}{nhid}{hops}  => {meaning}"


@show.command()
def interfaces(
    config: ConfigFile = None, control: ControlSocket = None, as_json: AsJson = False
) -> None:
    """The kernel's interfaces, and the VPP interface that stands for each."""
    _listing(control, config, "interfaces", _interface, as_json=as_json)


_FOUND = {
    "none": "no VPP interface: routes through it are held",
    "recursive": "VPP's own FIB finds the interface",
}


def _interface(row: Row) -> str:
    state = "absent" if row["index"] is None else "up" if row["up"] else "down"
    meaning = _FOUND.get(row["found"], f"{row['vpp_interface']} (sw_if_index {row['sw_if_index']})")
    if row["found"] == "main":
        meaning += ", the main interface"
    used = f"{row['next_hop_sets']} next-hop sets"
    return f"{row['interface']:<16} {state:<6} {used:<18} => {meaning}"
