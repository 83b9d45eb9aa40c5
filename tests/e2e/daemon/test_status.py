"""Reports of a daemon that changes while it is looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import cycle

import pytest

from bgpreflector.config import Config
from bgpreflector.daemon.daemon import Daemon
from bgpreflector.daemon.report import State
from bgpreflector.daemon.status import status_of
from bgpreflector.vpp import DeletionGuard, WithheldDeletions
from lab import Namespace, wait_until
from lab.vpp import SimulatedVpp

pytestmark = pytest.mark.root


def alternating(first: object, second: object) -> property:
    """An attribute that is something else whenever it is read."""
    turns = cycle([first, second])
    return property(lambda _: next(turns))


@pytest.fixture
def daemon(make_namespace: Callable[[str], Namespace], simulator: SimulatedVpp) -> Iterator[Daemon]:
    """In sync, with no routes."""
    kernel = make_namespace("status")
    values = {"kernel": {"namespace": kernel.name}, "vpp": {"api_socket": str(simulator.socket)}}
    made = Daemon(Config.model_validate(values))
    try:
        made.start()
        wait_until(lambda: made.in_sync, 30, "in sync")
        yield made
    finally:
        made.stop()


def test_a_pause_meanwhile_contradicts_nothing(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The report is of the time before or after, whenever the daemon is paused or goes on."""
    for first in (False, True):
        monkeypatch.setattr(Daemon, "paused", alternating(first, not first))
        report = status_of(daemon)
        assert report.paused is first
        assert (report.state == State.PAUSED.value) is first


def test_an_approval_meanwhile_contradicts_nothing(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guard, too, is of one moment."""
    waiting = WithheldDeletions(150, 200, "a typing error")
    for first, second in ((waiting, None), (None, waiting)):
        monkeypatch.setattr(DeletionGuard, "waiting", alternating(first, second))
        report = status_of(daemon)
        assert (report.guard is None) is (first is None)
        assert (report.state == State.GUARDED.value) is (first is not None)
