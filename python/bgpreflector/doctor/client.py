"""Ask a running daemon."""

from __future__ import annotations

from pathlib import Path

from bgpreflector.control import ControlClient

READ_TIMEOUT = 30.0
"""Seconds without an answer before a request fails."""


def daemon_client(socket: str) -> ControlClient:
    """A connection to the daemon of a control socket. Raises ``ControlError``."""
    return ControlClient(Path(socket), timeout=READ_TIMEOUT)
