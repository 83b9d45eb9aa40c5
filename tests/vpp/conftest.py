"""A sink with an engine that reads no kernel, and VPPs for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from bgpreflector.config.vpp import API_DIRECTORY
from lab.vpp import RELEASES, RealVpp, SimulatedVpp, Vpp
from vpp.support import MakeProgrammer, Programmer, use_papi


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
    """Runs each test with every release, or with few (the marker ``few_releases``).

    With the marker ``papi`` it runs with each a second time, through vpp_papi.
    """
    markers = metafunc.definition
    releases = FEW if markers.get_closest_marker("few_releases") else RELEASES
    if markers.get_closest_marker("papi"):
        releases = (*releases, *(f"{release}-papi" for release in releases))
    for fixture, params in (("vpp", [*releases, REAL]), ("simulator", releases)):
        if fixture in metafunc.fixturenames:
            metafunc.parametrize(fixture, params, indirect=True)


@pytest.fixture
def vpp(request: pytest.FixtureRequest, place: Path) -> Iterator[Vpp]:
    """The embedded VPP as each release, then a real one where there is one."""
    if request.param == "vpp":
        with RealVpp.running(place) as real:
            yield real
        return
    with simulated_vpp(place, request.param) as simulated:
        yield simulated


@pytest.fixture
def simulator(request: pytest.FixtureRequest, place: Path) -> Iterator[SimulatedVpp]:
    """The embedded VPP as each release."""
    with simulated_vpp(place, request.param) as simulated:
        yield simulated


@contextmanager
def simulated_vpp(directory: Path, param: str) -> Iterator[SimulatedVpp]:
    """The embedded VPP as the release of a parameter, such as ``24.02-papi``."""
    release, _, papi = param.partition("-")
    with SimulatedVpp.running(directory, release=release) as vpp, pytest.MonkeyPatch.context() as m:
        m.setenv(API_DIRECTORY, str(vpp.api_directory))
        if papi:
            use_papi(vpp)
        yield vpp


@pytest.fixture
def make_programmer() -> Iterator[MakeProgrammer]:
    """Makes programmers of a VPP, with settings of the ``vpp`` section."""
    with ExitStack() as stack:
        yield lambda vpp, **settings: stack.enter_context(Programmer.of(vpp, **settings))
