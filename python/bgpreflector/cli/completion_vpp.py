"""VPP's interfaces for completion, as a running daemon knows them: VPP itself is not asked.

It imports little, as :mod:`.completion` does; where something goes wrong, nothing is offered.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Mapping

TIMEOUT = 0.05
"""Seconds for all of it: a key was pressed."""

MAX_ANSWER = 1 << 20
"""The most bytes of an answer."""

REQUEST = b'{"version": 1, "command": "vpp_interfaces", "arguments": {}}\n'


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


def _control_socket(values: Mapping[str, str]) -> str | None:
    """As the commands find it."""
    found = values.get("--control")
    if found is not None:
        return found
    from pathlib import Path  # noqa: PLC0415 - where the option does not tell

    from .config_file import config_file, likely_socket  # noqa: PLC0415 - likewise

    named = values.get("--config")
    return likely_socket(config_file(Path(named) if named else None))


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
