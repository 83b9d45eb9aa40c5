"""Reports of a daemon that changes while it is looked at."""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle

import pytest

from bgpreflector.config import Config
from bgpreflector.daemon.daemon import Daemon
from bgpreflector.daemon.report import State
from bgpreflector.daemon.status import status_of
from lab import Namespace, wait_until
from lab.vpp import SimulatedVpp

pytestmark = pytest.mark.root


def alternating(*, first: bool) -> property:
    """An attribute that is something else whenever it is read."""
    turns = cycle([first, not first])
    return property(lambda _: next(turns))


def test_a_pause_meanwhile_contradicts_nothing(
    make_namespace: Callable[[str], Namespace],
    simulator: SimulatedVpp,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The report is of the time before or after, whenever the daemon is paused or goes on."""
    kernel = make_namespace("status")
    values = {"kernel": {"namespace": kernel.name}, "vpp": {"api_socket": str(simulator.socket)}}
    daemon = Daemon(Config.model_validate(values))
    try:
        daemon.start()
        wait_until(lambda: daemon.in_sync, 30, "in sync")
        for first in (False, True):
            monkeypatch.setattr(Daemon, "paused", alternating(first=first))
            report = status_of(daemon)
            assert report.paused is first
            assert (report.state == State.PAUSED.value) is first
    finally:
        daemon.stop()
