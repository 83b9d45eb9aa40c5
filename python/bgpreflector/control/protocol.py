"""The control protocol: JSON, one object a line.

A request is ``{"version": 1, "command": NAME, "arguments": {...}}``. It is answered by any
number of ``{"row": {...}}`` and, last, either ``{"end": {...}}`` or
``{"error": {"code": CODE, "message": TEXT}}``. Then the next request may follow. The version
rises when a request or an answer changes its meaning; fields may be added without that.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StrictInt, ValidationError

VERSION = 1

LINE = 16 * 1024
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

Handler: TypeAlias = Callable[
    [Mapping[str, object]], Generator[Sequence[Row], None, Mapping[str, object]]
]
"""Serves one command: takes its arguments, yields pages of rows, and returns the end.

It runs on a thread of its own and may wait; it is closed if the client goes away. Raises
:class:`RefusedError` or any :class:`bgpreflector.errors.ReflectorError`.
"""


class RefusedError(Exception):
    """A request that cannot be served, and why."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code


class Request(BaseModel):
    """A request."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: StrictInt
    command: str = Field(max_length=64)
    arguments: dict[str, JsonValue] = Field(default_factory=dict)


def parse_request(line: bytes) -> Request:
    """Read a line. Raises :class:`RefusedError`."""
    try:
        request = Request.model_validate_json(line)
    except ValidationError as error:
        raise RefusedError("request", f"this is no request: {problems(error)}") from error
    if request.version != VERSION:
        raise RefusedError(
            "version",
            f"this daemon speaks version {VERSION} of the control protocol, not "
            f"{request.version}: use the command line that was installed with it",
        )
    return request


def problems(error: ValidationError) -> str:
    """Pydantic's errors in a line."""
    found = (
        ": ".join(filter(None, (".".join(map(str, detail["loc"])), detail["msg"])))
        for detail in error.errors(include_url=False, include_input=False, include_context=False)
    )
    return "; ".join(found)


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
