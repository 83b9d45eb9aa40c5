"""VPP's interfaces for completion, as a running daemon knows them: VPP itself is not asked.

It imports little, as :mod:`.completion` does; where something goes wrong, nothing is offered.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Mapping

from bgpreflector.defaults import DEFAULT_SOCKET

TIMEOUT = 0.05
"""Seconds for all of it: a key was pressed."""

MAX_ANSWER = 1 << 20
"""The most bytes of an answer."""

REQUEST = b'{"version": 1, "command": "vpp_interfaces", "arguments": {}}\n'

DEFAULT_FILE = "/etc/bgpreflector/bgpreflector.toml"


def vpp_interfaces(values: Mapping[str, str]) -> list[str]:
    """VPP's names. ``values`` are those of the command line's options, by name."""
    path = _control_socket(values)
    if not path:
        return []
    try:
        answer = _ask(path)
        rows = [json.loads(line).get("row") for line in answer.splitlines()]
        return sorted(str(row["name"]) for row in rows if row is not None)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []


def _control_socket(values: Mapping[str, str]) -> str:
    """As the commands find it: the option, the environment, the file, the default."""
    found = values.get("--control", os.environ.get("BGPREFLECTOR_CONTROL_SOCKET"))
    if found is not None:
        return found
    named = values.get("--config") or os.environ.get("BGPREFLECTOR_CONFIG") or DEFAULT_FILE
    import tomllib  # noqa: PLC0415 - where nothing else tells

    try:
        with open(named, "rb") as file:  # noqa: PTH123 - pathlib takes its time
            in_file: object = tomllib.load(file).get("control", {}).get("socket", DEFAULT_SOCKET)
    except (OSError, ValueError, AttributeError):
        return DEFAULT_SOCKET
    return in_file if isinstance(in_file, str) else ""


def _ask(path: str) -> bytes:
    until = time.monotonic() + TIMEOUT
    answer = b""
    with socket.socket(socket.AF_UNIX) as asked:
        asked.settimeout(TIMEOUT)
        asked.connect(path)
        asked.sendall(REQUEST)
        while not answer.endswith(b"\n") or b'{"row"' in answer.splitlines()[-1]:
            left = until - time.monotonic()
            if left <= 0 or len(answer) > MAX_ANSWER:
                raise TimeoutError
            asked.settimeout(left)
            more = asked.recv(1 << 16)
            if not more:
                break
            answer += more
    return answer
