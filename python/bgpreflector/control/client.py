"""The client of the control socket, for the command line and other tools."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self, cast

from bgpreflector.errors import ControlError, RefusedByDaemonError

from .lines import request_line

CONNECT_TIMEOUT = 5.0
"""Connect timeout in seconds."""

MAX_ANSWER_LINE = 16 << 20
"""The most bytes of a line of an answer; what is longer comes from no daemon."""

NO_DAEMON = "the process that answers there is no bgpreflector daemon"


class Answer:
    """A daemon's answer: rows as they arrive, then :attr:`end`."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines = lines
        self._end: Mapping[str, object] | None = None

    def __iter__(self) -> Iterator[Mapping[str, object]]:
        """The rows. Raises :class:`ControlError` if the connection ends, and
        :class:`RefusedByDaemonError`."""
        for line in self._lines:
            kind, value = _parsed(line)
            if kind == "row":
                yield value
            elif kind == "end":
                self._end = value
                return
            else:
                raise RefusedByDaemonError(str(value["code"]), str(value["message"]))
        raise ControlError("the daemon closed the connection within its answer: has it ended?")

    @property
    def end(self) -> Mapping[str, object]:
        """The end of the answer; unread rows are skipped."""
        if self._end is None:
            for _ in self:
                pass
        return cast("Mapping[str, object]", self._end)


class ControlClient:
    """A connection to a daemon, for one request after the other; a context manager."""

    def __init__(self, path: Path, *, timeout: float | None = None) -> None:
        """``timeout`` is the longest silence within an answer, in seconds.

        Raises :class:`ControlError`.
        """
        self.path = path
        """The daemon's control socket."""

        self._socket = socket.socket(socket.AF_UNIX)
        try:
            self._socket.settimeout(CONNECT_TIMEOUT)
            self._socket.connect(str(path))
        except OSError as error:
            self._socket.close()
            raise ControlError(_unreachable(path, error)) from error
        self._socket.settimeout(timeout)
        self._file = self._socket.makefile("rb")

    def ask(self, command: str, **arguments: object) -> Answer:
        """Send a request. An answer must be read to its end before the next one."""
        try:
            self._socket.sendall(request_line(command, arguments))
        except (BrokenPipeError, ConnectionResetError):
            # The reason may have arrived before the connection closed.
            pass
        except OSError as error:
            raise ControlError(f"cannot send a request to the daemon: {error}") from error
        return Answer(self._lines())

    def _lines(self) -> Iterator[bytes]:
        try:
            # Not the file itself: a closed iterator closes what it yields from.
            yield from iter(lambda: self._file.readline(MAX_ANSWER_LINE), b"")
        except TimeoutError as error:
            raise ControlError("the daemon does not answer; its log may say why") from error
        except OSError as error:
            raise ControlError(f"the connection failed within the answer: {error}") from error

    def close(self) -> None:
        """Disconnect. Idempotent."""
        self._file.close()
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _parsed(line: bytes) -> tuple[str, Any]:
    """A line's kind and its fields, both as the protocol has them. Raises :class:`ControlError`."""
    try:
        kind, value = next(iter(json.loads(line).items()))
    except (ValueError, AttributeError, StopIteration, RecursionError) as error:
        raise ControlError(NO_DAEMON) from error
    required = {"row": (), "end": (), "error": ("code", "message")}.get(kind)
    if required is None or not isinstance(value, dict) or not value.keys() >= set(required):
        raise ControlError(NO_DAEMON)
    return kind, value


def _unreachable(path: Path, error: OSError) -> str:
    reason = error.strerror or str(error)
    if isinstance(error, FileNotFoundError | ConnectionRefusedError):
        hint = "is the daemon running, and is this its control.socket?"
    elif isinstance(error, PermissionError):
        hint = "only the daemon's own user and root may use it: try with sudo"
    else:
        hint = "try again"
    return f"no daemon answers at {path}: {reason}; {hint}"
