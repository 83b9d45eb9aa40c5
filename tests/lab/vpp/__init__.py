"""VPPs to reflect into: the embedded one, and a real one where there is one."""

from __future__ import annotations

from .api import Routes, Vpp, differences, kernel_routes, wait_routes
from .others import OtherUsers
from .real import RealVpp, VppError
from .simulated import RELEASES, SimulatedVpp
from .startup import Startup

__all__ = [
    "RELEASES",
    "OtherUsers",
    "RealVpp",
    "Routes",
    "SimulatedVpp",
    "Startup",
    "Vpp",
    "VppError",
    "differences",
    "kernel_routes",
    "wait_routes",
]
