"""VPPs for the tests from end to end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.vpp import RealVpp, SimulatedVpp, Vpp


@pytest.fixture(params=["simulator", pytest.param("vpp", marks=[pytest.mark.vpp])])
def vpp(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Vpp]:
    """The embedded VPP, then a real one where there is one."""
    place = tmp_path / "vpp"
    place.mkdir()
    kind = SimulatedVpp if request.param == "simulator" else RealVpp
    with kind.running(place) as running:
        yield running
