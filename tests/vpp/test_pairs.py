"""linux-cp's pairs: all of them, of which VPP tells as many as it finds in a millisecond, and those
of the namespace that is read."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bgpreflector import _core
from bgpreflector.config import VppConfig
from bgpreflector.vpp import FibProgrammer, VppSession
from bgpreflector.vpp.interfaces import VppInterfaces
from lab import Namespace

PAIRS = [(f"loop{number}", f"eth{number}") for number in range(300)]


@pytest.fixture(params=["24.02", "26.06"])
def many_pairs(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[_core.Simulator]:
    """A VPP with many pairs."""
    made = _core.Simulator(
        socket=tmp_path / "api.sock",
        interfaces=[name for name, _ in PAIRS],
        pairs=PAIRS,
        release=request.param,
    )
    (tmp_path / "simulator.api.json").write_text(made.api_description())
    yield made
    made.stop()


@pytest.mark.parametrize("at_once", [0, 1, 7, 100, 299, 300, 301])
def test_all_of_them_are_found(many_pairs: _core.Simulator, tmp_path: Path, at_once: int) -> None:
    many_pairs.fault(json.dumps({"fault": "pairs_at_once", "count": at_once}))
    settings = {"api_socket": str(tmp_path / "api.sock"), "api_directory": str(tmp_path)}
    session = VppSession(VppConfig.model_validate(settings))
    session.connect()
    try:
        interfaces = session.interfaces()
    finally:
        session.close()
    assert sorted(interfaces.pairs) == sorted(linux for _, linux in PAIRS)


def interfaces(
    directory: Path, pairs: list[tuple[str, str]], namespace: Path | None = None
) -> VppInterfaces:
    """What a session finds at a VPP with these pairs."""
    vpp = _core.Simulator(
        socket=directory / "api.sock", interfaces=[name for name, _ in pairs], pairs=pairs
    )
    session = VppSession(VppConfig(api_socket=str(directory / "api.sock")), namespace)
    try:
        session.connect()
        return session.interfaces()
    finally:
        session.close()
        vpp.stop()


@pytest.mark.root
def test_one_name_in_two_namespaces_is_two_interfaces(
    make_namespace: Callable[[str], Namespace], tmp_path: Path
) -> None:
    """Also those of sub-interfaces, and of the namespace that VPP itself is in."""
    one, other = make_namespace("one"), make_namespace("other")
    pairs = [
        ("loop0", f"{one.name}/eth0"),
        ("loop1", f"{other.name}/eth0"),
        ("loop0.100", f"{one.name}/eth0.100"),
        ("loop1.100", f"{other.name}/eth0.100"),
        ("loop2", "eth0"),
        ("loop3", f"{one.path}/nowhere/eth1"),
    ]
    for namespace, found in ((one.path, (0, 2)), (other.path, (1, 3)), (None, (4, None))):
        seen = interfaces(tmp_path, pairs, namespace)
        index = [seen.by_name[name] for name, _ in pairs]
        wanted = {"eth0": index[found[0]], "eth1": index[5]}
        if found[1] is not None:
            wanted["eth0.100"] = index[found[1]]
        assert seen.pairs == wanted
        assert len(seen.other_namespaces) == len(pairs) - len(wanted)
        assert seen.ambiguous == ()


def test_what_cannot_be_told_apart_stands_for_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Both namespaces are out of sight: no guess, and a warning."""
    pairs = [("loop0", "hidden/eth0"), ("loop1", "unseen/eth0"), ("loop2", "hidden/eth2")]
    seen = interfaces(tmp_path, pairs)
    assert (set(seen.pairs), seen.ambiguous) == ({"eth2"}, ("eth0",))
    vpp = _core.Simulator(
        socket=tmp_path / "api.sock", interfaces=[name for name, _ in pairs], pairs=pairs
    )
    settings = VppConfig(api_socket=str(tmp_path / "api.sock"))
    engine = _core.Engine(
        protocols=[12],
        tables={254: 0},
        families=["ipv4"],
        foreign_routes="hide",
        receive_buffer=1 << 20,
    )
    sink = FibProgrammer(engine, settings, tables=[(0, False)], protocol=12)
    try:
        with caplog.at_level(logging.WARNING):
            sink.connect()
        assert "Several linux-cp pairs have a Linux end eth0" in caplog.text
    finally:
        sink.close()
        engine.close()
        vpp.stop()
