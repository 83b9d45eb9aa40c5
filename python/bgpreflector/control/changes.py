"""The last route changes as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .protocol import Row

if TYPE_CHECKING:
    from bgpreflector.daemon.daemon import Daemon


def change_rows(daemon: Daemon, since: int) -> list[Row]:
    """The changes after that number, oldest first.

    ``number`` counts from 1 on, ``time`` is in seconds since the epoch, ``table`` the kernel's;
    ``paths`` are the desired ones, none to delete the prefix.
    """
    return [
        {
            "number": number,
            "time": at,
            "operation": change.operation,
            "table": change.table,
            "prefix": change.prefix,
            "paths": change.desired,
        }
        for number, at, change in daemon.engine.recent_changes(since)
    ]
