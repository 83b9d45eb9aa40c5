"""linux-cp's pairs: all of them, of which a reply has as many as VPP finds in a millisecond, and
those of the namespace that is read."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from bgpreflector.config import VppConfig
from bgpreflector.vpp import VppSession
from bgpreflector.vpp.interfaces import VppInterfaces
from lab import Namespace
from lab.vpp import SimulatedVpp
from vpp.support import Programmer, session_at

PAIRS = [(f"loop{number}", f"eth{number}") for number in range(300)]


@pytest.mark.parametrize("release", ["24.02", "26.06"])
@pytest.mark.parametrize("at_once", [0, 1, 7, 100, 299, 300, 301])
def test_all_of_them_are_found(tmp_path: Path, release: str, at_once: int) -> None:
    with vpp_with(tmp_path, PAIRS, release=release) as vpp:
        vpp.fault("pairs_at_once", count=at_once)
        found = interfaces(session_at(vpp.socket, api_directory=str(vpp.api_directory)))
    assert sorted(found.pairs) == sorted(linux for _, linux in PAIRS)


def vpp_with(
    directory: Path, pairs: list[tuple[str, str]], **settings: object
) -> AbstractContextManager[SimulatedVpp]:
    """A VPP with these pairs."""
    names = [name for name, _ in pairs]
    return SimulatedVpp.running(directory, interfaces=names, pairs=pairs, **settings)


def interfaces(session: VppSession) -> VppInterfaces:
    """What a session finds."""
    session.connect()
    try:
        return session.interfaces()
    finally:
        session.close()


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
        with vpp_with(tmp_path, pairs) as vpp:
            config = VppConfig(api_socket=str(vpp.socket))
            seen = interfaces(VppSession(config, namespace))
        index = [seen.by_name[name] for name, _ in pairs]
        wanted = {"eth0": index[found[0]], "eth1": index[5]}
        if found[1] is not None:
            wanted["eth0.100"] = index[found[1]]
        assert seen.pairs == wanted
        assert len(seen.other_namespaces) == len(pairs) - len(wanted)
        assert seen.ambiguous == ()


def test_pairs_that_cannot_be_told_apart_map_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Both namespaces are out of sight: no guess, and a warning."""
    pairs = [("loop0", "hidden/eth0"), ("loop1", "unseen/eth0"), ("loop2", "hidden/eth2")]
    with vpp_with(tmp_path, pairs) as vpp:
        seen = interfaces(session_at(vpp.socket))
        with caplog.at_level(logging.WARNING), Programmer.of(vpp):
            pass
    assert (set(seen.pairs), seen.ambiguous) == ({"eth2"}, ("eth0",))
    assert "Several linux-cp pairs have a Linux end eth0" in caplog.text
