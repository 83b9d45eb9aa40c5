"""A sink with an engine that reads no kernel, and VPPs for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from lab.vpp import RealVpp, SimulatedVpp, Vpp
from vpp.support import Programmer


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory for a VPP."""
    place = tmp_path / "vpp"
    place.mkdir()
    return place


@pytest.fixture(params=["simulator", pytest.param("vpp", marks=[pytest.mark.vpp])])
def vpp(request: pytest.FixtureRequest, place: Path) -> Iterator[Vpp]:
    """The embedded VPP, then a real one where there is one."""
    kind = SimulatedVpp if request.param == "simulator" else RealVpp
    with kind.running(place) as running:
        yield running


@pytest.fixture
def simulator(place: Path) -> Iterator[SimulatedVpp]:
    """The embedded VPP."""
    with SimulatedVpp.running(place) as running:
        yield running


@pytest.fixture
def program() -> Iterator[Callable[..., Programmer]]:
    """Makes programmers of a VPP, with settings of the ``vpp`` section."""
    with ExitStack() as stack:
        yield lambda vpp, **settings: stack.enter_context(Programmer.of(vpp, **settings))
