"""The ``[control]`` section: the socket for status and commands."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bgpreflector.defaults import DEFAULT_SOCKET

from .section import Section
from .values import FileMode, OptionalDirectory, OptionalSocketPath

DEFAULT_LOCKS = "/run/bgpreflector"


class ControlConfig(Section):
    """The Unix socket of ``status``, ``show`` and the other commands."""

    socket: OptionalSocketPath = Field(
        default=DEFAULT_SOCKET,
        description="Unix socket of `bgpreflector status` and the other commands. Only its "
        "owner and root can connect, unless control.group or control.mode lets others. Empty: no "
        "socket. Its directory is created if "
        "possible. If the default socket cannot be created the daemon runs without it; if a "
        "configured one cannot, it ends. Every daemon on a host needs its own.",
    )
    group: str = Field(
        default="",
        max_length=64,
        description="Group of the socket's file, by name or number: its members can connect (mode "
        "660, unless control.mode says otherwise). Empty for the daemon's own group.",
    )
    mode: FileMode | None = Field(
        default=None,
        description='Mode of the socket\'s file, such as "660". Default: 600, or 660 with a group.',
    )
    role: Literal["read-only", "operator"] = Field(
        default="read-only",
        description="What a client other than root and the daemon's own user may do where group or "
        "mode lets it connect: read-only: status, show, monitor; operator: every command.",
    )
    lock_directory: OptionalDirectory = Field(
        default=DEFAULT_LOCKS,
        description="Directory of the lock that each writer to VPP holds (run, flush, audit "
        "--repair): a second writer with the same API socket and FIB source ends and names the "
        "first. All writers on a host need the same directory; one in a container that does not "
        "share it is not detected. Empty: no lock.",
    )

    @property
    def file_mode(self) -> int:
        """Mode of the socket's file."""
        if self.mode is not None:
            return int(self.mode, 8)
        return 0o660 if self.group else 0o600

    @property
    def is_explicit(self) -> bool:
        """Whether the socket is configured rather than the default."""
        return "socket" in self.model_fields_set
