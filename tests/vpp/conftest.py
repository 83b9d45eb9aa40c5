"""A sink with an engine that reads no kernel, and VPPs for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bgpreflector.config.vpp import API_DIRECTORY
from lab.vpp import RELEASES, RealVpp, SimulatedVpp, Vpp
from vpp.support import Programmer


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory for a VPP."""
    place = tmp_path / "vpp"
    place.mkdir()
    return place


REAL = pytest.param("vpp", marks=[pytest.mark.vpp])

FEW = ("24.02", "26.06")
"""Releases for tests that take long: one that needs its API's files, and one that does not."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Runs each test with every release, or with few (the marker ``few_releases``)."""
    few = metafunc.definition.get_closest_marker("few_releases")
    releases = FEW if few else RELEASES
    for fixture, params in (("vpp", [*releases, REAL]), ("simulator", releases)):
        if fixture in metafunc.fixturenames:
            metafunc.parametrize(fixture, params, indirect=True)


@pytest.fixture
def vpp(
    request: pytest.FixtureRequest, place: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Vpp]:
    """The embedded VPP as each release, then a real one where there is one."""
    if request.param == "vpp":
        with RealVpp.running(place) as real:
            yield real
        return
    with SimulatedVpp.running(place, release=request.param) as simulated:
        monkeypatch.setenv(API_DIRECTORY, str(simulated.api_directory))
        yield simulated


@pytest.fixture
def simulator(
    request: pytest.FixtureRequest, place: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SimulatedVpp]:
    """The embedded VPP as each release."""
    with SimulatedVpp.running(place, release=request.param) as running:
        monkeypatch.setenv(API_DIRECTORY, str(running.api_directory))
        yield running


@pytest.fixture
def program() -> Iterator[Callable[..., Programmer]]:
    """Makes programmers of a VPP, with settings of the ``vpp`` section."""
    with ExitStack() as stack:
        yield lambda vpp, **settings: stack.enter_context(Programmer.of(vpp, **settings))
