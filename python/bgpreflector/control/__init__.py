"""Status and commands of a running daemon, over a Unix socket that only its owner can use.

:class:`ControlServer` serves the commands that :func:`commands_of` makes of a daemon;
:class:`ControlClient` is the other end.
"""

from .client import Answer, ControlClient
from .commands import READ_ONLY, commands_of
from .place import Access
from .protocol import VERSION, Handler, Row
from .server import ControlServer

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
