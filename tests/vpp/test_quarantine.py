"""A route that crashes VPP is held; VPP lives, and gets all other routes."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from bgpreflector.errors import VppLostError
from daemon.running import running_daemon
from lab import Namespace, wait_until
from lab.vpp import RealVpp, SimulatedVpp

from .support import (
    MAIN,
    MakeProgrammer,
    Programmer,
    kernel_with_routes,
    prefixes,
    use_papi,
    vpp_options,
)

CRASHING = "30.0.77.0/24"
"""The prefix that crashes VPP."""

ROUTES = 600
RESTARTS = int(os.environ.get("QUARANTINE_RESTARTS", "5"))
"""Of a real VPP, each of which takes a second or two."""

GATEWAYS = ("192.168.100.12", "192.168.100.13")


@pytest.fixture
def programmer(simulator: SimulatedVpp, make_programmer: MakeProgrammer) -> Programmer:
    """One of a VPP that :data:`CRASHING` crashes."""
    simulator.fault("crash_at", prefix=CRASHING, on=True)
    return make_programmer(simulator)


def send(programmer: Programmer) -> bool:
    """Connects if that is needed, reads VPP, sends, as the daemon does. Whether that succeeded."""
    try:
        programmer.sink.resync()
        programmer.sink.flush()
    except VppLostError:
        # What is left of the connections belongs to the VPP that has ended.
        programmer.sink.close()
        return False
    return True


def rounds_until_all_is_sent(programmer: Programmer, most: int) -> int:
    """How often VPP crashed before everything was sent."""
    for done in range(most):
        if send(programmer):
            return done
    raise AssertionError(f"VPP crashed {most} times")


def in_vpp(vpp: SimulatedVpp) -> set[str]:
    return {prefix for _, prefix, _ in vpp.simulator.snapshot("bgpreflector")}


def test_what_crashes_vpp_again_and_again_is_held(
    simulator: SimulatedVpp, programmer: Programmer
) -> None:
    programmer.announce(prefixes(ROUTES))
    assert rounds_until_all_is_sent(programmer, 10) == 3
    assert in_vpp(simulator) == set(prefixes(ROUTES)) - {CRASHING}
    assert programmer.engine.crashed_vpp() == [(0, CRASHING)]
    (route,) = programmer.engine.routes_of(254, CRASHING)
    assert (route.state.split()[0], programmer.engine.held_count()) == ("held", 1)
    assert simulator.simulator.statistics()["crashes"] == 3


def test_it_stays_held_over_restarts_until_it_is_released(
    simulator: SimulatedVpp, programmer: Programmer
) -> None:
    programmer.announce(prefixes(ROUTES))
    rounds_until_all_is_sent(programmer, 10)
    # VPP starts again with other numbers of its interfaces: it is the same route all the same.
    simulator.fault("restart", shift=3)
    rounds_until_all_is_sent(programmer, 3)
    assert simulator.simulator.statistics()["crashes"] == 3
    simulator.fault("crash_at", prefix=CRASHING, on=False)
    assert programmer.engine.release("198.51.100.0/24") == 0
    assert programmer.engine.release(CRASHING) == 1
    assert send(programmer)
    assert in_vpp(simulator) == set(prefixes(ROUTES))
    assert programmer.engine.held_count() == 0


def test_another_version_of_vpp_is_given_it_again(programmer: Programmer) -> None:
    programmer.announce(prefixes(ROUTES))
    rounds_until_all_is_sent(programmer, 10)
    version = programmer.sink.session.version()
    assert programmer.engine.set_vpp_version(version) == 0
    assert programmer.engine.set_vpp_version("99.02-release") == 1
    assert programmer.engine.crashed_vpp() == []


def test_a_vpp_that_is_killed_holds_no_route(
    simulator: SimulatedVpp, make_programmer: MakeProgrammer
) -> None:
    """Again and again during a sync, with hundreds of requests in flight."""
    programmer = make_programmer(simulator)
    programmer.announce(prefixes(ROUTES))
    for after in (100, 1, 50):
        simulator.fault("drop", after=after, mid_frame=True)
        assert not send(programmer)
        simulator.fault("restart")
    rounds_until_all_is_sent(programmer, 2)
    assert in_vpp(simulator) == set(prefixes(ROUTES))
    assert programmer.engine.crashed_vpp() == []


def test_paths_that_crash_vpp_with_every_prefix_are_held_for_all(
    simulator: SimulatedVpp, make_programmer: MakeProgrammer
) -> None:
    """Two prefixes suffice, where no other with these paths is installed."""
    programmer = make_programmer(simulator)
    bad = prefixes(40)
    for prefix in bad:
        simulator.fault("crash_at", prefix=prefix, on=True)
    programmer.announce(bad, "192.168.100.66")
    good = prefixes(ROUTES)[40:]
    programmer.announce(good)
    assert rounds_until_all_is_sent(programmer, 8) == 4
    assert in_vpp(simulator) == set(good)
    assert programmer.engine.held_count() == len(bad)
    assert programmer.engine.release() == 2


@pytest.mark.few_releases
def test_through_papi_it_is_held_too(
    simulator: SimulatedVpp,
    make_programmer: MakeProgrammer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One request is in flight there at a time, so it is the only suspect."""
    use_papi(simulator)
    programmer = make_programmer(simulator, request_timeout=5.0)
    assert not programmer.sink.has_bulk
    simulator.fault("crash_at", prefix=CRASHING, on=True)
    good = prefixes(40)
    programmer.announce([*good[:20], CRASHING, *good[20:]])
    assert rounds_until_all_is_sent(programmer, 10) == 3
    assert in_vpp(simulator) == set(good)
    assert programmer.engine.crashed_vpp() == [(0, CRASHING)]
    report = re.findall(r"For a report of the fault to VPP: ip_route_add_del_v2 \{.*", caplog.text)
    assert len(report) == 1, caplog.text
    assert CRASHING in report[0]
    simulator.fault("crash_at", prefix=CRASHING, on=False)
    assert programmer.engine.release(CRASHING) == 1
    assert rounds_until_all_is_sent(programmer, 2) == 0
    assert in_vpp(simulator) == {*good, CRASHING}


@pytest.mark.few_releases
@pytest.mark.papi
def test_a_mute_vpp_makes_no_suspects(
    simulator: SimulatedVpp, make_programmer: MakeProgrammer
) -> None:
    """It has not ended, however often that happens to the same route."""
    programmer = make_programmer(simulator, request_timeout=0.3, connect_timeout=0.3)
    assert send(programmer)
    programmer.announce([CRASHING])
    for _ in range(4):
        simulator.fault("mute", on=True)
        with pytest.raises(VppLostError):
            programmer.sink.flush()
        programmer.sink.close()
        simulator.fault("mute", on=False)
        programmer.sink.resync()
    assert send(programmer)
    assert (in_vpp(simulator), programmer.engine.crashed_vpp()) == ({CRASHING}, [])


@pytest.mark.few_releases
@pytest.mark.parametrize("seed", range(4))
def test_many_restarts_with_a_route_that_crashes_vpp(
    simulator: SimulatedVpp, programmer: Programmer, seed: int
) -> None:
    """Kills by others, restarts, changes of routes: VPP always gets all but what crashes it."""
    chance = random.Random(seed)
    wanted = dict.fromkeys(prefixes(60), GATEWAYS[0]) | {CRASHING: GATEWAYS[0]}
    for prefix, gateway in wanted.items():
        programmer.announce([prefix], gateway)
    for _ in range(50):
        match chance.randrange(4):
            case 0:
                simulator.fault("restart", shift=chance.randrange(4))
            case 1:
                after = chance.randrange(1, 80)
                simulator.fault("drop", after=after, mid_frame=chance.random() < 0.5)
                if not send(programmer):
                    simulator.fault("restart")
                simulator.fault("clear")
                simulator.fault("crash_at", prefix=CRASHING, on=True)
            case _:
                for prefix in chance.sample(sorted(wanted), 5):
                    old, wanted[prefix] = wanted[prefix], chance.choice(GATEWAYS)
                    programmer.withdraw([prefix], old)
                    programmer.announce([prefix], wanted[prefix])
                if chance.random() < 0.7:
                    simulator.fault("restart")
        rounds_until_all_is_sent(programmer, 6)
        assert in_vpp(simulator) == set(wanted) - {CRASHING}
        assert {prefix for _, prefix in programmer.engine.crashed_vpp()} <= {CRASHING}
    # Each of two sets of paths was tried at most thrice, and then no other.
    assert simulator.simulator.statistics()["crashes"] <= 6


@pytest.mark.root
@pytest.mark.few_releases
def test_the_daemon_goes_on_without_it_and_an_operator_releases_it(
    simulator: SimulatedVpp, make_namespace: Callable[[str], Namespace], tmp_path: Path
) -> None:
    """With the message in full in its log, once."""
    simulator.fault("crash_at", prefix=CRASHING, on=True)
    kernel = kernel_with_routes(make_namespace("crashing"), 200)
    config = tmp_path / "run.toml"
    config.touch()
    options = ("--config", str(config), *vpp_options(simulator))
    with running_daemon(tmp_path / "run.log", *options, namespace=kernel) as daemon:
        rest = set(prefixes(200)) - {CRASHING}
        wait_until(
            lambda: in_vpp(simulator), 60, "all others", accept=lambda routes: routes == rest
        )
        wait_until(
            lambda: daemon.ask_json("show", "routes", "--held"),
            30,
            "it is held",
            accept=lambda rows: [row["prefix"] for row in rows if "prefix" in row] == [CRASHING],
        )
        text = daemon.log()
        assert text.count("For a report of the fault to VPP") == 1, text
        assert re.search(
            r"ip_route_add_del_v2, paths .*192\.168\.100\.12.*frame [0-9a-f]{446}", text
        )
        assert daemon.ask("release", CRASHING.replace("77", "78")).startswith("Released: 0")
        daemon.ask("release", exit_code=2)
        daemon.ask("release", "nonsense", exit_code=2)
        config.write_text("[controller]\nretry_attempts = 7\n")
        assert "controller.retry_attempts" in daemon.ask("reload")
        daemon.wait_in_sync(60)
        assert simulator.simulator.statistics()["crashes"] == 3, "a reload keeps it held"
        simulator.fault("crash_at", prefix=CRASHING, on=False)
        assert daemon.ask("release", "--all").startswith("Released: 1")
        wait_until(
            lambda: in_vpp(simulator), 30, "all", accept=lambda routes: routes == rest | {CRASHING}
        )
        assert daemon.end() == 0, daemon.log()
    assert simulator.simulator.statistics()["crashes"] == 3


@pytest.mark.vpp
@pytest.mark.root
def test_a_real_vpp_that_ends_over_a_route(
    real_vpp: RealVpp, make_programmer: MakeProgrammer
) -> None:
    """One that is taken for a later release, so that nothing is known beforehand."""
    version = str(real_vpp.api.show_version().version)
    if version.removeprefix("v") >= "26.02":
        pytest.skip(f"release: no route of ours crashes VPP {version}")
    programmer = make_programmer(real_vpp, taken_for="26.02-release", tables={MAIN: 0, 10: 10})
    good = prefixes(ROUTES)
    programmer.announce(good, table=MAIN)
    programmer.announce_special("unreachable", CRASHING, table=10)
    ends = 0
    while not send(programmer):
        ends += 1
        assert ends < 10
        real_vpp.restart()
    assert ends == 3
    assert programmer.engine.crashed_vpp() == [(10, CRASHING)]
    audit = programmer.audit()
    assert (audit.dumped, any(audit.drift.values())) == (ROUTES, False)
    # It stays held through random restarts; the others are always there.
    chance = random.Random(1)
    for _ in range(RESTARTS):
        real_vpp.restart()
        programmer.withdraw(dropped := chance.sample(good, 50))
        rounds = 0
        while not send(programmer):
            rounds += 1
            assert rounds < 3
        programmer.announce(dropped)
    assert send(programmer)
    assert programmer.engine.crashed_vpp() == [(10, CRASHING)]
    assert len(real_vpp.routes()) == ROUTES
