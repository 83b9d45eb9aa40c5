"""Routes as rows, a page at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from bgpreflector import _core
from bgpreflector.routes.rows import route_row

from .protocol import RefusedError, Row

if TYPE_CHECKING:
    from bgpreflector.daemon.daemon import Daemon

PAGE = 500
"""Routes in a page."""

BY_INDEX = re.compile(r"the kernel's interface (\d+)$")
"""How ``Held::NoInterface`` of the core ends."""

STATES = ("installed", "waiting", "held", "failed", "not_best", "foreign")
"""``RouteState::name`` of the core."""

MIRRORED = ("installed", "waiting", "held", "failed")
"""States of forwarding routes of mirrored protocols."""


def route_pages(
    daemon: Daemon, states: Sequence[str], within: str | None, *, every: bool
) -> Iterator[Sequence[Row]]:
    """The routes in some states, within a prefix; by default the mirrored ones.

    Raises :class:`RefusedError`.
    """
    unknown = [state for state in states if state not in STATES]
    if unknown:
        raise RefusedError(
            "arguments", f"no state {', '.join(unknown)}; there are: {', '.join(STATES)}"
        )
    wanted = states or (STATES if every else MIRRORED)
    names = link_names(daemon)
    cursor: int | None = 0
    while cursor is not None:
        try:
            views, cursor = daemon.engine.routes(cursor, PAGE, states=wanted, within=within)
        except ValueError as error:
            raise RefusedError("arguments", str(error)) from error
        yield [mirrored_row(daemon, view, names) for view in views]


def routes_to(daemon: Daemon, prefix: str) -> list[Row]:
    """All routes of a prefix, in all mirrored tables. Raises :class:`RefusedError`."""
    names = link_names(daemon)
    try:
        views = [
            view
            for table in daemon.kernel_tables
            for view in daemon.engine.routes_of(table, prefix)
        ]
    except ValueError as error:
        raise RefusedError("arguments", str(error)) from error
    return [mirrored_row(daemon, view, names) for view in views]


def mirrored_row(daemon: Daemon, view: _core.RouteView, names: dict[int, str]) -> Row:
    """A route of the table, with its state in VPP."""
    return route_row(view, names) | {
        "source": view.source,
        "vpp_table": daemon.vpp_table(view.table),
        "state": view.state,
        "reason": named_reason(view.reason, names),
        "substitute": view.substitute,
        "installed": view.installed,
    }


def named_reason(reason: str | None, names: Mapping[int, str]) -> str | None:
    """The core's hold reason, with the interface by name.

    The core knows interfaces by index, as the kernel's routes do.
    """
    waits = None if reason is None else BY_INDEX.search(reason)
    if waits is None or int(waits[1]) not in names:
        return reason
    return BY_INDEX.sub(f"{names[int(waits[1])]} (vpp.interfaces)", str(reason))


def link_names(daemon: Daemon) -> dict[int, str]:
    """The kernel's interfaces by index."""
    return {index: name for index, name, _ in daemon.engine.links()}
