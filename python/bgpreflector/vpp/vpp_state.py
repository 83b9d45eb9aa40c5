"""VPP's state as last seen."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from .interfaces import InterfaceMap, VppInterfaces


@dataclass
class VppState:
    """Written by the event loop, read by any thread."""

    version: str | None = None
    """``None`` before the first connection."""

    since: float | None = None
    """Time of the last connect, in seconds of ``time.monotonic()``."""

    resynchronised: bool = False
    """Whether a resync has succeeded since then."""

    interfaces: VppInterfaces = field(default_factory=VppInterfaces)
    """VPP's interfaces."""

    interface_map: InterfaceMap = field(default_factory=lambda: InterfaceMap({}))
    """Their mapping to Linux interfaces."""

    def connected(self, version: str) -> None:
        """Record a new connection."""
        self.version, self.since = version, time.monotonic()
        self.resynchronised = False
