"""The control protocol's requests, as the daemon takes them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from typing import TypeAlias

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StrictInt, ValidationError

from .lines import VERSION, Code, Row

Answering: TypeAlias = Generator[Sequence[Row], None, Mapping[str, object]]
"""An answer in progress: yields pages of rows, and returns the end."""

Handler: TypeAlias = Callable[[Mapping[str, object]], Answering]
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
        ": ".join(filter(None, (".".join(map(str, detail["loc"])), _message(detail["msg"]))))
        for detail in error.errors(include_url=False, include_input=False, include_context=False)
    )
    return "; ".join(found)


def _message(text: str) -> str:
    """Without what Pydantic puts before the text of a validator of ours."""
    return text.removeprefix("Value error, ")
