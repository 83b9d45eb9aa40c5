"""The ``[control]`` section: the socket by which a running daemon is asked and told."""

from __future__ import annotations

from pydantic import Field

from .section import Section
from .values import OptionalDirectory, OptionalSocketPath

DEFAULT_SOCKET = "/run/bgpreflector/control.sock"
DEFAULT_LOCKS = "/run/bgpreflector"


class ControlConfig(Section):
    """The Unix socket that ``status``, ``show`` and the like speak to."""

    socket: OptionalSocketPath = Field(
        default=DEFAULT_SOCKET,
        description="Unix socket for `bgpreflector status` and the like, which only its owner and "
        "root can use (mode 0600); empty for none. Its directory is made where that is possible. "
        "A daemon that cannot have the default one runs without; one that is named here is "
        "insisted on. Every daemon of a host needs its own.",
    )
    lock_directory: OptionalDirectory = Field(
        default=DEFAULT_LOCKS,
        description="Directory of the lock that whoever writes to VPP holds (run, flush, audit "
        "--repair): a second one with the same API socket and FIB source ends, and names the "
        "first. All of a host have to have the same; what runs in a container that does not share "
        "it is not seen. Empty for no lock.",
    )

    @property
    def insists(self) -> bool:
        """Whether the socket was named, rather than taken by default."""
        return "socket" in self.model_fields_set
