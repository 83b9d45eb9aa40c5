"""The control protocol's lines, which client and server write.

A request is ``{"version": 1, "command": NAME, "arguments": {...}}``. It is answered by any
number of ``{"row": {...}}`` and, last, either ``{"end": {...}}`` or
``{"error": {"code": CODE, "message": TEXT}}``. Then the next request may follow. The version
rises when a request or an answer changes its meaning; fields may be added without that.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

VERSION = 1

MAX_REQUEST = 16 * 1024
"""The longest request, in bytes."""

Code = Literal[
    "request",
    "version",
    "command",
    "arguments",
    "forbidden",
    "busy",
    "failed",
    "config",
    "vpp",
    "kernel",
]
"""Kind of error: the request's or the daemon's."""

Row: TypeAlias = Mapping[str, object]


def row_lines(rows: Sequence[Row]) -> bytes:
    """A page of rows."""
    return b"".join(_line({"row": row}) for row in rows)


def end_line(end: Mapping[str, object]) -> bytes:
    """The end of an answer."""
    return _line({"end": end})


def error_line(code: Code, message: str) -> bytes:
    """The end of an answer that failed."""
    return _line({"error": {"code": code, "message": message}})


def request_line(command: str, arguments: Mapping[str, object]) -> bytes:
    """A request."""
    return _line({"version": VERSION, "command": command, "arguments": arguments})


def _line(value: Mapping[str, object]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"
