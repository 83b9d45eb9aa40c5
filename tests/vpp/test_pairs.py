"""linux-cp's pairs, of which VPP tells as many as it finds in a millisecond."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bgpreflector import _core
from bgpreflector.config import VppConfig
from bgpreflector.vpp import VppSession

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
