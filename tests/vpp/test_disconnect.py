"""The end of the bulk connection, as VPP sees it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import wait_until
from lab.vpp import RealVpp
from vpp.support import MAIN, make_engine


def connect_and_end(vpp_socket: Path) -> None:
    """A session without a request."""
    engine = make_engine({MAIN: 0})
    engine.connect(
        socket=vpp_socket, name="t", max_in_flight=1, connect_timeout=10, request_timeout=10
    )
    engine.close()


@pytest.mark.root
@pytest.mark.vpp
def test_vpp_keeps_no_connection_that_has_ended(real_vpp: RealVpp) -> None:
    """A VPP whose client only closes its socket may keep it, and read its end for ever."""

    def connections() -> int:
        assert real_vpp.pid is not None
        return sum(1 for _ in Path(f"/proc/{real_vpp.pid}/fd").iterdir())

    before = connections()
    for _ in range(5):
        connect_and_end(real_vpp.socket)
    wait_until(lambda: connections() == before, 10, "VPP has closed what has ended")
