"""The ``[control]`` section: the socket for status and commands."""

from __future__ import annotations

from pydantic import Field

from .section import Section
from .values import OptionalDirectory, OptionalSocketPath

DEFAULT_SOCKET = "/run/bgpreflector/control.sock"
DEFAULT_LOCKS = "/run/bgpreflector"


class ControlConfig(Section):
    """The Unix socket of ``status``, ``show`` and the other commands."""

    socket: OptionalSocketPath = Field(
        default=DEFAULT_SOCKET,
        description="Unix socket of `bgpreflector status` and the other commands. Only its "
        "owner and root can connect (mode 0600). Empty: no socket. Its directory is created if "
        "possible. If the default socket cannot be created the daemon runs without it; if a "
        "configured one cannot, it ends. Every daemon on a host needs its own.",
    )
    lock_directory: OptionalDirectory = Field(
        default=DEFAULT_LOCKS,
        description="Directory of the lock that each writer to VPP holds (run, flush, audit "
        "--repair): a second writer with the same API socket and FIB source ends and names the "
        "first. All writers on a host need the same directory; one in a container that does not "
        "share it is not detected. Empty: no lock.",
    )

    @property
    def is_explicit(self) -> bool:
        """Whether the socket is configured rather than the default."""
        return "socket" in self.model_fields_set
