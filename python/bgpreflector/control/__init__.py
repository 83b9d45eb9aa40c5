"""Status and commands of a running daemon, over a Unix socket that only its owner can use.

:class:`ControlServer` serves the commands that :func:`commands_of` makes of a daemon;
:class:`ControlClient` is the other end.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from .client import Answer, ControlClient
from .lines import VERSION, Row

if TYPE_CHECKING:
    from .commands import READ_ONLY, commands_of
    from .protocol import Handler
    from .server import ControlServer
    from .socket_file import Access

__all__ = [
    "READ_ONLY",
    "VERSION",
    "Access",
    "Answer",
    "ControlClient",
    "ControlServer",
    "Handler",
    "Row",
    "commands_of",
]

_SERVER_SIDE = {
    "READ_ONLY": "commands",
    "Access": "socket_file",
    "ControlServer": "server",
    "Handler": "protocol",
    "commands_of": "commands",
}


def __getattr__(name: str) -> object:
    """Import the daemon's side when it is asked for: a client does not load it."""
    if name not in _SERVER_SIDE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_SERVER_SIDE[name]}", __name__), name)
