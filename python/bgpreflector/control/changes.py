"""The last route changes as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bgpreflector.routes.paths import path_rows

from .lines import Row
from .routes import vpp_interface_names

if TYPE_CHECKING:
    from bgpreflector.daemon.daemon import Daemon


def change_rows(daemon: Daemon, since: int) -> list[Row]:
    """The changes after that number, oldest first.

    ``number`` counts from 1 on, ``unix_seconds`` is since the epoch, ``table`` the kernel's;
    ``paths`` are the desired ones, none to delete the prefix.
    """
    vpp_names = vpp_interface_names(daemon)
    return [
        {
            "number": number,
            "unix_seconds": at,
            "operation": change.operation,
            "table": change.table,
            "prefix": change.prefix,
            "paths": path_rows(change.desired_paths, vpp_names),
        }
        for number, at, change in daemon.engine.recent_changes(since)
    ]
