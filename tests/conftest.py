"""Skips what cannot run here, saying why, and hands out the laboratory."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bgpreflector.cli.config_file import VARIABLE
from bgpreflector.config.environment import given_by
from bgpreflector.config.vpp import API_DIRECTORY
from lab import BgpPair, Namespace, namespace, running_bgp_pair
from lab.requirements import missing
from lab.skips import (
    pytest_make_collect_report,
    pytest_runtest_makereport,
    pytest_terminal_summary,
)
from lab.vpp import RealVpp, SimulatedVpp, Vpp
from lab.vpp.real import api_directory

__all__ = [
    "pytest_make_collect_report",
    "pytest_runtest_makereport",
    "pytest_terminal_summary",
]

MARKERS = ("root", "bird", "frr", "new_frr", "vpp")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skips a marked test that lacks what it needs; `lab.skips` says where that fails."""
    for marker in MARKERS:
        if item.get_closest_marker(marker):
            _require(marker)


@pytest.fixture(scope="session", autouse=True)
def no_configuration_of_the_host(tmp_path_factory: pytest.TempPathFactory) -> None:
    """All that is started has the defaults, also where the package's file is installed."""
    for variable in given_by(os.environ).values():
        del os.environ[variable]
    empty = tmp_path_factory.mktemp("configuration") / "empty.toml"
    empty.touch()
    os.environ[VARIABLE] = str(empty)


@pytest.fixture(scope="session", autouse=True)
def api_of_the_real_vpp() -> None:
    """Where the files of its API are, for all that is started."""
    if api_directory().is_dir():
        os.environ.setdefault(API_DIRECTORY, str(api_directory()))


@pytest.fixture
def make_namespace() -> Iterator[Callable[[str], Namespace]]:
    """Makes network namespaces that go with the test."""
    _require("root")
    with ExitStack() as stack:
        yield lambda label: stack.enter_context(namespace(label))


@pytest.fixture
def bgp_pair() -> Iterator[BgpPair]:
    """Two BIRDs with established sessions, nothing announced yet."""
    _require("root")
    _require("bird")
    with running_bgp_pair() as pair:
        yield pair


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[SimulatedVpp]:
    """The embedded VPP."""
    place = tmp_path / "vpp"
    place.mkdir()
    with SimulatedVpp.running(place) as running:
        yield running


@pytest.fixture
def real_vpp(tmp_path: Path) -> Iterator[RealVpp]:
    """A real VPP with one loopback, in a namespace of its own."""
    _require("root")
    _require("vpp")
    with RealVpp.running(tmp_path) as running:
        yield running


@pytest.fixture(params=["simulator", pytest.param("vpp", marks=[pytest.mark.vpp])])
def vpp(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Vpp]:
    """The embedded VPP, then a real one where there is one."""
    place = tmp_path / "vpp"
    place.mkdir()
    kind = SimulatedVpp if request.param == "simulator" else RealVpp
    with kind.running(place) as running:
        yield running


def _require(marker: str) -> None:
    reason = missing(marker)
    if reason is not None:
        pytest.skip(f"{marker}: {reason}")
