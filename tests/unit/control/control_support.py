"""A control server with commands that count, fail and wait."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bgpreflector.control import Access, ControlServer
from bgpreflector.control.protocol import Answering, RefusedError
from bgpreflector.control.server import Limits
from bgpreflector.errors import KernelError, VppError

HELD = threading.Event()


def count(arguments: Mapping[str, object]) -> Answering:
    """Rows in pages of a thousand."""
    wanted = arguments["to"]
    assert isinstance(wanted, int)
    for first in range(0, wanted, 1000):
        yield [{"number": n} for n in range(first, min(first + 1000, wanted))]
    return {"count": wanted}


def fail(arguments: Mapping[str, object]) -> Answering:
    """Raises what is asked for, after a row."""
    yield [{"number": 0}]
    raise {
        "refused": RefusedError("arguments", "not like this"),
        "vpp": VppError("VPP is gone"),
        "kernel": KernelError("no kernel"),
        "os": FileNotFoundError(2, "No such file"),
        "bug": ZeroDivisionError("by nought"),
    }[str(arguments["kind"])]


def hold(_: Mapping[str, object]) -> Answering:
    """Answers when it is let go."""
    yield ()
    assert HELD.wait(30)
    return {}


HANDLERS = {"count": count, "fail": fail, "hold": hold}


@contextmanager
def serving(
    path: Path,
    limits: Limits | None = None,
    access: Access | None = None,
    others_may: Collection[str] = (),
) -> Iterator[ControlServer]:
    """A server with :data:`HANDLERS`."""
    server = ControlServer(path, HANDLERS, access=access, others_may=others_may, limits=limits)
    server.start()
    try:
        yield server
    finally:
        HELD.set()
        server.close()
        HELD.clear()


def raw(path: Path) -> socket.socket:
    """A connection for bytes."""
    made = socket.socket(socket.AF_UNIX)
    made.settimeout(30)
    made.connect(str(path))
    return made


def line(connection: socket.socket) -> dict[str, dict[str, object]]:
    """The next answer line."""
    found: dict[str, dict[str, object]] = json.loads(connection.makefile("rb").readline())
    return found
