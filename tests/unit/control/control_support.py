"""A control server with commands that count, fail and wait."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bgpreflector.control import VERSION, Access, ControlServer
from bgpreflector.control.protocol import Answering, RefusedError
from bgpreflector.control.server import Limits
from bgpreflector.errors import KernelError, VppError

RELEASED = threading.Event()


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
    """Answers when :data:`RELEASED` is set."""
    yield ()
    assert RELEASED.wait(30)
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
        RELEASED.set()
        server.close()
        RELEASED.clear()


def connection_to(path: Path) -> socket.socket:
    """A connection for bytes."""
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(30)
    connection.connect(str(path))
    return connection


def send_request(connection: socket.socket, command: str, **arguments: object) -> None:
    """Sends a request, whose answer is not read."""
    request = {"version": VERSION, "command": command, "arguments": arguments}
    connection.sendall(json.dumps(request).encode() + b"\n")


NOBODY = 65534
BECOME = """
os.setgroups([])
os.setgid(int(sys.argv.pop()))
os.setuid(int(sys.argv.pop()))
"""
HOLD = """
held = [socket.socket(socket.AF_UNIX) for _ in range(int(sys.argv[2]))]
for connection in held:
    connection.connect(sys.argv[1])
print("connected", flush=True)
sys.stdin.read()
"""


@contextmanager
def connections_of_other_user(path: Path, number: int, group: int) -> Iterator[None]:
    """Idle connections of the user :data:`NOBODY`."""
    program = f"import os, socket, sys\n{BECOME}{HOLD}"
    argv = [sys.executable, "-c", program, *map(str, (path, number, NOBODY, group))]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "connected\n"
        yield
        other.communicate()


def as_other_user(imports: str, code: str, *arguments: object, group: int = NOBODY) -> str:
    """What code prints that runs as the user :data:`NOBODY`.

    It becomes that user after its imports: ``nobody`` need not be able to read these files.
    """
    program = f"import os, sys\n{imports}{BECOME}{code}"
    argv = [sys.executable, "-c", program, *map(str, arguments), str(NOBODY), str(group)]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()
