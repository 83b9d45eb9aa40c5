"""The embedded VPP."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bgpreflector import _core

from .api import SOURCE, Routes, Vpp, route_of

RELEASES = ("22.10", "24.02", "25.06", "26.06", "26.10")
"""Those that the embedded VPP plays."""


class SimulatedVpp(Vpp):
    """The embedded VPP."""

    interface = "loop0"

    def __init__(
        self,
        socket: Path,
        interfaces: Sequence[str] | None = None,
        **settings: Any,
    ) -> None:
        """``settings`` are those of ``bgpreflector._core.Simulator``."""
        super().__init__(socket, socket.parent / "api")
        self.simulator = _core.Simulator(socket=socket, interfaces=interfaces, **settings)
        self._describe()

    def _describe(self) -> None:
        """Writes the API description, as VPP's packages do."""
        self.api_directory.mkdir(exist_ok=True)
        file = self.api_directory / "simulator.api.json"
        file.write_text(self.simulator.api_description())

    def routes(self) -> Routes:
        """The routes under our source in table 0, from a snapshot."""
        return {
            prefix: route_of(frozenset(gateway for gateway, _, _ in hops))
            for _, prefix, hops in self.simulator.snapshot(SOURCE)
        }

    def hang(self) -> None:
        """Stops reading, by the fault ``stall``."""
        self.fault("stall", on=True)

    def resume(self) -> None:
        """Ends the fault ``stall``."""
        self.fault("stall", on=False)

    def fault(self, name: str, **fields: object) -> None:
        """Injects a fault."""
        self.simulator.fault(json.dumps({"fault": name, **fields}))
        self._describe()

    @staticmethod
    @contextmanager
    def running(directory: Path, **settings: Any) -> Iterator[SimulatedVpp]:
        """A new one; its API socket is made in ``directory``."""
        made = SimulatedVpp(directory / "api.sock", **settings)
        try:
            yield made
        finally:
            made.close()
            made.simulator.stop()
