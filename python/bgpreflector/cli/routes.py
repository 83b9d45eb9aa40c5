"""``bgpreflector show routes``: the kernel's routes, through our decoder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated

import typer

from bgpreflector import _core
from bgpreflector.reflector import kernel_engine

from .options import ConfigFile, Netns, Protocols, read_config

show = typer.Typer(help="Show what there is.", no_args_is_help=True)

PAGE = 1000


@show.callback()
def _show() -> None:
    pass


@show.command()
def routes(
    config: ConfigFile = None,
    netns: Netns = None,
    protocol: Protocols = None,
    every: Annotated[
        bool, typer.Option("--all", help="Routes of other protocols and not the best ones too.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """The kernel's routes of the mirrored tables, read through our own decoder."""
    settings = read_config(config, netns=netns, protocols=protocol)
    engine = kernel_engine(settings)
    assert isinstance(engine, _core.Engine)  # noqa: S101 - the default factory makes no other
    try:
        engine.start()
        engine.resync()
        names = {index: name for index, name, _ in engine.links()}
        for view in views(engine):
            if every or view.state not in ("foreign", "not_best"):
                typer.echo(_json(view, names) if as_json else _line(view, names))
    finally:
        engine.close()


def views(engine: _core.Engine) -> Iterator[_core.RouteView]:
    """All kernel routes, a page at a time: no list of a million is ever made."""
    cursor: int | None = 0
    while cursor is not None:
        page, cursor = engine.routes(cursor, PAGE)
        yield from page


def _next_hop(hop: _core.NextHop, names: dict[int, str]) -> dict[str, object]:
    return {
        "gateway": None if hop.gateway is None else str(hop.gateway),
        "interface": names.get(hop.interface, str(hop.interface)),
        "weight": hop.weight,
        "onlink": hop.onlink,
        "labels": hop.labels,
    }


def _json(view: _core.RouteView, names: dict[int, str]) -> str:
    return json.dumps(
        {
            "prefix": view.prefix,
            "table": view.table,
            "type": view.route_type,
            "protocol": view.protocol,
            "metric": view.metric,
            "tos": view.tos,
            "next_hops": [_next_hop(hop, names) for hop in view.next_hops],
            "next_hop_id": view.next_hop_id,
        }
    )


def _line(view: _core.RouteView, names: dict[int, str]) -> str:
    parts = [view.prefix]
    if view.route_type != "unicast":
        parts.insert(0, view.route_type)
    if view.next_hop_id is not None:
        parts.append(f"nhid {view.next_hop_id}")
    for hop in view.next_hops:
        if len(view.next_hops) > 1:
            parts.append("nexthop")
        if hop.gateway is not None:
            parts.append(f"via {hop.gateway}")
        parts.append(f"dev {names.get(hop.interface, hop.interface)}")
        if len(view.next_hops) > 1:
            parts.append(f"weight {hop.weight}")
    parts += [f"proto {view.protocol}", f"metric {view.metric}", f"table {view.table}"]
    return " ".join(parts)
