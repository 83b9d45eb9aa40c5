"""The exceptions of bgpreflector.

The Rust core raises the ones about the kernel and VPP; they are defined here so that Python
code can catch them without knowing the core.
"""

from __future__ import annotations


class ReflectorError(Exception):
    """Base of all errors that bgpreflector raises itself."""

    needs_resync = False
    """Whether a healing resync follows where an event handler raises it."""


class KernelError(ReflectorError):
    """The kernel's routes cannot be read: socket, namespace, or a dump that was refused."""


class SourceError(ReflectorError):
    """The routes do not come from where they would have to be read."""


class VppError(ReflectorError):
    """VPP cannot be programmed."""

    needs_resync = True
    """What VPP has may not be what it is thought to have."""


class VppConnectError(VppError):
    """No VPP answers at the socket."""


class VppMessageError(VppError):
    """A required message is missing in VPP, or has another layout."""


class VppLostError(VppError):
    """The connection to VPP ended, or VPP does not answer; the table is intact."""


class SimulatorError(ReflectorError):
    """The VPP simulator cannot start."""


class RouteRefusedError(ReflectorError):
    """A :class:`bgpreflector.RouteSink` cannot do one operation; the others go on."""

    def __init__(self, message: str, *, retriable: bool = True) -> None:
        super().__init__(message)
        self.retriable = retriable
        """Whether trying the same again can help."""


class ControlError(ReflectorError):
    """The control socket cannot be created, or no daemon answers there."""


class RefusedByDaemonError(ControlError):
    """A daemon refused a request."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        """Kind of error: ``bgpreflector.control.lines.Code``."""


class WriterError(ReflectorError):
    """Another process writes to this VPP under our FIB source."""
