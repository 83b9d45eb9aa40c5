"""The exceptions of bgpreflector.

The Rust core raises the ones about the kernel and VPP; they are defined here so that Python
code can catch them without knowing the core.
"""

from __future__ import annotations


class ReflectorError(Exception):
    """Base of all errors that bgpreflector raises itself."""


class KernelError(ReflectorError):
    """The kernel's routes cannot be read: socket, namespace, or a dump that was refused."""


class VppError(ReflectorError):
    """VPP cannot be programmed."""


class VppConnectError(VppError):
    """No VPP answers at the socket."""


class VppMessageError(VppError):
    """VPP lacks a required message or has another layout of it."""


class VppLostError(VppError):
    """The connection to VPP ended, or VPP does not answer; the table is intact."""


class SimulatorError(ReflectorError):
    """The VPP simulator cannot start."""


class ControlError(ReflectorError):
    """The control socket cannot be created, or no daemon answers there."""


class RefusedByDaemonError(ControlError):
    """A daemon refused a request."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        """Kind of error: ``bgpreflector.control.protocol.Code``."""


class WriterError(ReflectorError):
    """Another process writes to this VPP under our FIB source."""
