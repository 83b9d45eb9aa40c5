"""What was last seen of VPP, for whoever shows the state."""

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
    """When VPP was connected to last, in seconds of ``time.monotonic()``."""

    resynchronised: bool = False
    """Whether a resync has gone through since then."""

    interfaces: VppInterfaces = field(default_factory=VppInterfaces)
    """VPP's interfaces."""

    interface_map: InterfaceMap = field(default_factory=lambda: InterfaceMap({}))
    """What they stand for."""

    def connected(self, version: str) -> None:
        """Take note of a new connection."""
        self.version, self.since = version, time.monotonic()
        self.resynchronised = False
