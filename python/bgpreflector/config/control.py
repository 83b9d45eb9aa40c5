"""The ``[control]`` section: the socket by which a running daemon is asked and told."""

from __future__ import annotations

from pydantic import Field

from .section import Section
from .values import OptionalSocketPath

DEFAULT_SOCKET = "/run/bgpreflector/control.sock"


class ControlConfig(Section):
    """The Unix socket that ``status``, ``show`` and the like speak to."""

    socket: OptionalSocketPath = Field(
        default=DEFAULT_SOCKET,
        description="Unix socket for `bgpreflector status` and the like, which only its owner and "
        "root can use (mode 0600); empty for none. Its directory is made where that is possible. "
        "A daemon that cannot have the default one runs without; one that is named here is "
        "insisted on. Every daemon of a host needs its own.",
    )

    @property
    def insists(self) -> bool:
        """Whether the socket was named, rather than taken by default."""
        return "socket" in self.model_fields_set
