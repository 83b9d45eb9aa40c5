"""A route that crashes VPP keeps neither VPP down nor the other routes out."""

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

from .support import DEVICE, MAIN, Programmer, kernel_with_routes, prefixes

POISON = "30.0.77.0/24"
ROUTES = 600
RESTARTS = int(os.environ.get("QUARANTINE_RESTARTS", "5"))
"""Of a real VPP, each of which takes a second or two."""

GATEWAYS = ("192.168.100.12", "192.168.100.13")


def send(programmer: Programmer) -> bool:
    """As the daemon does: connect if that is needed, read VPP, send. Whether it went through."""
    try:
        programmer.sink.resync()
        programmer.sink.flush()
    except VppLostError:
        # Whatever is left of the connections is of the run of VPP that has ended.
        programmer.sink.close()
        return False
    return True


def rounds_until_all_is_sent(programmer: Programmer, most: int) -> int:
    """How often VPP crashed before all went through."""
    for done in range(most):
        if send(programmer):
            return done
    raise AssertionError(f"VPP crashed {most} times")


def in_vpp(vpp: SimulatedVpp) -> set[str]:
    return {prefix for _, prefix, _ in vpp.simulator.snapshot("bgpreflector")}


def test_what_ends_vpp_again_and_again_is_held(
    simulator: SimulatedVpp,
    program: Callable[..., Programmer],
    caplog: pytest.LogCaptureFixture,
) -> None:
    programmer = program(simulator)
    simulator.fault("crash_at", prefix=POISON, on=True)
    programmer.announce(prefixes(ROUTES))
    assert rounds_until_all_is_sent(programmer, 10) == 3
    assert in_vpp(simulator) == set(prefixes(ROUTES)) - {POISON}
    assert programmer.engine.crashed_vpp() == [(0, POISON)]
    (route,) = programmer.engine.routes_of(254, POISON)
    assert (route.state.split()[0], programmer.engine.held_count()) == ("held", 1)
    assert simulator.simulator.statistics()["crashes"] == 3


def test_it_stays_held_while_other_things_change_and_goes_in_when_released(
    simulator: SimulatedVpp, program: Callable[..., Programmer]
) -> None:
    programmer = program(simulator)
    simulator.fault("crash_at", prefix=POISON, on=True)
    programmer.announce(prefixes(ROUTES))
    rounds_until_all_is_sent(programmer, 10)
    # VPP starts again with other numbers of its interfaces: it is the same route all the same.
    simulator.fault("restart", shift=3)
    rounds_until_all_is_sent(programmer, 3)
    assert simulator.simulator.statistics()["crashes"] == 3
    simulator.fault("crash_at", prefix=POISON, on=False)
    assert programmer.engine.release("198.51.100.0/24") == 0
    assert programmer.engine.release(POISON) == 1
    assert send(programmer)
    assert in_vpp(simulator) == set(prefixes(ROUTES))
    assert programmer.engine.held_count() == 0


def test_another_version_of_vpp_is_given_it_again(
    simulator: SimulatedVpp, program: Callable[..., Programmer]
) -> None:
    programmer = program(simulator)
    simulator.fault("crash_at", prefix=POISON, on=True)
    programmer.announce(prefixes(ROUTES))
    rounds_until_all_is_sent(programmer, 10)
    version = programmer.sink.session.version()
    assert programmer.engine.set_vpp_version(version) == 0
    assert programmer.engine.set_vpp_version("99.02-release") == 1
    assert programmer.engine.crashed_vpp() == []


def test_others_ends_of_vpp_hold_no_route(
    simulator: SimulatedVpp, program: Callable[..., Programmer]
) -> None:
    """VPP is killed again and again amid a sync, with hundreds of requests under way."""
    programmer = program(simulator)
    programmer.announce(prefixes(ROUTES))
    for after in (100, 1, 50):
        simulator.fault("drop", after=after, mid_frame=True)
        assert not send(programmer)
        simulator.fault("restart")
    rounds_until_all_is_sent(programmer, 2)
    assert in_vpp(simulator) == set(prefixes(ROUTES))
    assert programmer.engine.crashed_vpp() == []


def test_paths_that_end_vpp_with_every_prefix_are_held_for_all(
    simulator: SimulatedVpp, program: Callable[..., Programmer]
) -> None:
    """Two prefixes tell, where no other with such paths went in."""
    programmer = program(simulator)
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


def slow(simulator: SimulatedVpp) -> SimulatedVpp:
    """One whose route messages the encoder does not know."""
    simulator.fault("change_crc", message="ip_route_add_del_v2", crc="0badcafe")
    return simulator


@pytest.mark.few_releases
def test_papi_holds_it_too(
    simulator: SimulatedVpp,
    program: Callable[..., Programmer],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One request is under way there at a time, so it is the only suspect."""
    programmer = program(slow(simulator), request_timeout=5.0)
    assert not programmer.sink.has_bulk
    simulator.fault("crash_at", prefix=POISON, on=True)
    good = prefixes(40)
    programmer.announce([*good[:20], POISON, *good[20:]])
    assert rounds_until_all_is_sent(programmer, 10) == 3
    assert in_vpp(simulator) == set(good)
    assert programmer.engine.crashed_vpp() == [(0, POISON)]
    said = re.findall(r"For a report of the fault to VPP: ip_route_add_del_v2 \{.*", caplog.text)
    assert len(said) == 1, caplog.text
    assert POISON in said[0]
    simulator.fault("crash_at", prefix=POISON, on=False)
    assert programmer.engine.release(POISON) == 1
    assert rounds_until_all_is_sent(programmer, 2) == 0
    assert in_vpp(simulator) == {*good, POISON}


@pytest.mark.few_releases
@pytest.mark.parametrize("way", ["fast", "slow"])
def test_a_mute_vpp_makes_no_suspects(
    way: str, simulator: SimulatedVpp, program: Callable[..., Programmer]
) -> None:
    """It has not ended, however often that happens to the same route."""
    if way == "slow":
        slow(simulator)
    patience = {"request_timeout": 0.3, "connect_timeout": 0.3}
    programmer = program(simulator, **patience)
    assert send(programmer)
    programmer.announce([POISON])
    for _ in range(4):
        simulator.fault("mute", on=True)
        with pytest.raises(VppLostError):
            programmer.sink.flush()
        programmer.sink.close()
        simulator.fault("mute", on=False)
        programmer.sink.resync()
    assert send(programmer)
    assert (in_vpp(simulator), programmer.engine.crashed_vpp()) == ({POISON}, [])


@pytest.mark.few_releases
@pytest.mark.parametrize("seed", range(4))
def test_two_hundred_restarts_with_a_poison_route(
    simulator: SimulatedVpp, program: Callable[..., Programmer], seed: int
) -> None:
    """Kills by others, restarts, changes of routes: VPP always gets all but what crashes it."""
    chance = random.Random(seed)
    programmer = program(simulator)
    simulator.fault("crash_at", prefix=POISON, on=True)
    wanted = dict.fromkeys(prefixes(60), GATEWAYS[0]) | {POISON: GATEWAYS[0]}
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
                simulator.fault("crash_at", prefix=POISON, on=True)
            case _:
                for prefix in chance.sample(sorted(wanted), 5):
                    old, wanted[prefix] = wanted[prefix], chance.choice(GATEWAYS)
                    programmer.withdraw([prefix], old)
                    programmer.announce([prefix], wanted[prefix])
                if chance.random() < 0.7:
                    simulator.fault("restart")
        rounds_until_all_is_sent(programmer, 6)
        assert in_vpp(simulator) == set(wanted) - {POISON}
        assert {prefix for _, prefix in programmer.engine.crashed_vpp()} <= {POISON}
    # Each of two sets of paths was tried at most thrice, and then no other.
    assert simulator.simulator.statistics()["crashes"] <= 6


@pytest.mark.root
@pytest.mark.few_releases
def test_the_daemon_goes_on_without_it_and_an_operator_releases_it(
    simulator: SimulatedVpp, make_namespace: Callable[[str], Namespace], tmp_path: Path
) -> None:
    """With the message in full in its log, once."""
    simulator.fault("crash_at", prefix=POISON, on=True)
    kernel = kernel_with_routes(make_namespace("poison"), 200)
    arguments = (
        "--socket",
        str(simulator.socket),
        "--interface",
        f"{DEVICE}={simulator.interface}",
    )
    with running_daemon(tmp_path / "run.log", *arguments, namespace=kernel) as daemon:
        rest = set(prefixes(200)) - {POISON}
        wait_until(lambda: in_vpp(simulator), 60, "all others", accept=lambda there: there == rest)
        wait_until(
            lambda: daemon.ask_json("show", "routes", "--held"),
            30,
            "it is held",
            accept=lambda rows: [row["prefix"] for row in rows if "prefix" in row] == [POISON],
        )
        text = daemon.log()
        assert text.count("For a report of the fault to VPP") == 1, text
        assert re.search(
            r"ip_route_add_del_v2, paths .*192\.168\.100\.12.*frame [0-9a-f]{446}", text
        )
        assert daemon.ask("release", POISON.replace("77", "78")).startswith("Released: 0")
        daemon.ask("release", exit_code=2)
        daemon.ask("release", "nonsense", exit_code=2)
        simulator.fault("crash_at", prefix=POISON, on=False)
        assert daemon.ask("release", "--all").startswith("Released: 1")
        wait_until(
            lambda: in_vpp(simulator), 30, "all", accept=lambda there: there == rest | {POISON}
        )
        assert daemon.end() == 0, daemon.log()
    assert simulator.simulator.statistics()["crashes"] == 3


@pytest.mark.vpp
@pytest.mark.root
def test_a_real_vpp_that_ends_over_a_route(
    real_vpp: RealVpp, program: Callable[..., Programmer]
) -> None:
    """One that is taken for a later release, so that nothing is known beforehand."""
    version = str(real_vpp.api.show_version().version)
    if version.removeprefix("v") >= "26.02":
        pytest.skip(f"release: no route of ours crashes VPP {version}")
    programmer = program(real_vpp, taken_for="26.02-release", tables={MAIN: 0, 10: 10})
    good = prefixes(ROUTES)
    programmer.announce(good, table=MAIN)
    programmer.announce_special("unreachable", POISON, table=10)
    ends = 0
    while not send(programmer):
        ends += 1
        assert ends < 10
        real_vpp.restart()
    assert ends == 3
    assert programmer.engine.crashed_vpp() == [(10, POISON)]
    audit = programmer.sink.audit(repair=False)
    assert audit is not None
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
    assert programmer.engine.crashed_vpp() == [(10, POISON)]
    assert len(real_vpp.routes()) == ROUTES
