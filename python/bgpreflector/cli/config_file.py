"""Which configuration file a command reads."""

from __future__ import annotations

import os
from pathlib import Path

from bgpreflector.defaults import DEFAULT_SOCKET

DEFAULT_FILE = Path("/etc/bgpreflector/bgpreflector.toml")
"""The package's own; where it is not there, every key has its default."""

VARIABLE = "BGPREFLECTOR_CONFIG"
"""The environment variable that names another; empty is as unset."""

SOCKET_VARIABLE = "BGPREFLECTOR_CONTROL_SOCKET"
"""The environment's ``control.socket``; empty is as unset."""


def config_file(given: Path | None) -> Path | None:
    """The file to read: the given one, else that of the environment, else the default if it is
    there; ``None`` for none."""
    if given is not None:
        return given
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named)
    return DEFAULT_FILE if DEFAULT_FILE.exists() else None


def where_from(given: Path | None) -> str:
    """The file, and by what it was chosen, in a phrase."""
    file = config_file(given)
    if file is None:
        return f"defaults ({DEFAULT_FILE} is not there)"
    if given is None and os.environ.get(VARIABLE):
        return f"{file} (${VARIABLE})"
    return str(file)


_CONTROL = r"^\s*\[control\]\s*(?:#[^\n]*)?$(.*?)(?=^\s*\[|\Z)"
_SOCKET = r"""^\s*socket\s*=\s*(?:"([^"\n]+)"|'([^'\n]+)')"""


def readable(file: Path) -> str | None:
    """A file's text; ``None`` where there is none, and of a pipe, which can be read only once."""
    try:
        if not file.is_file():
            return None
        return file.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None


def socket_in(text: str) -> str | None:
    """``control.socket`` of a TOML file that has mistakes elsewhere."""
    import re  # noqa: PLC0415 - seldom used

    section = re.search(_CONTROL, text, re.MULTILINE | re.DOTALL)
    found = None if section is None else re.search(_SOCKET, section[1], re.MULTILINE)
    return None if found is None else found[1] or found[2]


def likely_socket(file: Path | None) -> str | None:
    """The control socket by the environment, else by a file as :func:`plain_socket` reads it, else
    the default."""
    return os.environ.get(SOCKET_VARIABLE) or (
        DEFAULT_SOCKET if file is None else plain_socket(file)
    )


def plain_socket(file: Path) -> str | None:
    """``control.socket`` of a TOML file, or the default; ``None`` where it takes more to tell.

    The file is not validated.
    """
    import tomllib  # noqa: PLC0415 - a control socket by its path needs no file

    text = None if file.suffix != ".toml" else readable(file)
    try:
        section = tomllib.loads(text or "").get("control", {})
    except tomllib.TOMLDecodeError:
        return None
    socket = section.get("socket", DEFAULT_SOCKET) if isinstance(section, dict) else None
    absolute = isinstance(socket, str) and socket.startswith("/")
    return socket if text is not None and absolute else None
