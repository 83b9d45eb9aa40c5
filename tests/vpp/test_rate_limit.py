"""A limit on requests a second."""

from __future__ import annotations

import threading

import pytest

from bgpreflector.vpp.rate_limit import RateLimiter
from lab import wait_until
from lab.vpp import SimulatedVpp
from vpp.support import MakeProgrammer, prefixes


def test_papi_keeps_the_limit() -> None:
    """By a clock of its own: four a second, the first at once, nothing saved up."""
    now = 0.0

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    limiter = RateLimiter(4, clock=lambda: now, sleep=sleep)
    sent = []
    for _ in range(5):
        limiter.wait()
        sent.append(now)
    assert sent == [0.0, 0.25, 0.5, 0.75, 1.0]
    now = 100.0
    limiter.wait()
    limiter.wait()
    assert now == 100.25


def test_without_a_limit_nobody_waits() -> None:
    limiter = RateLimiter(None, sleep=lambda _: pytest.fail("waited"))
    for _ in range(100):
        limiter.wait()


@pytest.mark.papi
def test_a_commit_under_a_limit_can_be_held(
    simulator: SimulatedVpp, make_programmer: MakeProgrammer
) -> None:
    """It ends with the requests that are in flight; the rest stays dirty and goes later."""
    programmer = make_programmer(simulator, rate_limit=1)
    programmer.announce(prefixes(1000))
    commit = threading.Thread(target=programmer.sink.flush)
    commit.start()
    requests = lambda: simulator.simulator.statistics()["route_requests"]  # noqa: E731
    wait_until(requests, 30, "a request")
    programmer.sink.set_paused(on=True)
    commit.join(60)
    assert not commit.is_alive()
    status = programmer.engine.status()
    installed = status.prefixes["ipv4"]["installed"]
    assert 0 < installed < 1000
    assert installed + status.dirty == 1000
    assert programmer.engine.vpp_lost() is None or not programmer.sink.has_bulk
    programmer.sink.set_paused(on=False)


def test_a_commit_under_a_limit_ends(
    simulator: SimulatedVpp, make_programmer: MakeProgrammer
) -> None:
    """With everything in VPP, though `max_in_flight` and the limit both stop it again and again."""
    programmer = make_programmer(simulator, rate_limit=20_000, max_in_flight=7)
    assert programmer.install(prefixes(5000)).applied == 5000
    assert len(simulator.routes()) == 5000


def test_closing_does_not_wait(simulator: SimulatedVpp, make_programmer: MakeProgrammer) -> None:
    """Neither for the limit nor for VPP."""
    programmer = make_programmer(simulator, rate_limit=1)
    programmer.announce(prefixes(1000))
    ended: list[BaseException] = []

    def commit() -> None:
        try:
            programmer.sink.flush()
        except BaseException as error:  # noqa: BLE001 - looked at below
            ended.append(error)

    thread = threading.Thread(target=commit)
    thread.start()
    wait_until(lambda: simulator.simulator.statistics()["route_requests"], 30, "a request is made")
    programmer.engine.disconnect()
    thread.join(60)
    assert "closed" in str(ended)
    status = programmer.engine.status()
    assert status.prefixes["ipv4"]["installed"] + status.dirty == 1000


def test_a_new_connection_is_paused_like_the_old_one(
    simulator: SimulatedVpp, make_programmer: MakeProgrammer
) -> None:
    """A resync may still be on its way when the end has begun."""
    programmer = make_programmer(simulator)
    programmer.sink.set_paused(on=True)
    programmer.engine.disconnect()
    programmer.sink.resync()
    programmer.announce(prefixes(100))
    assert programmer.sink.flush().applied == 0
    assert programmer.engine.status().dirty == 100
    programmer.sink.set_paused(on=False)
    assert programmer.sink.flush().applied == 100
