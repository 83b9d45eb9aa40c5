"""The state machine: what may happen, in any order."""

from __future__ import annotations

import functools
import signal
from collections.abc import Callable
from typing import ClassVar, Concatenate, ParamSpec

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from lab.vpp.others import API, DROP, OTHER
from oracle.operations import LINKS, PREFIXES

from . import kernel_changes as kernel
from .world import World

TIMEOUT = 12
"""Steps after which all must agree, if none of them asked for it."""

OURS_TOO = (*PREFIXES[4][:4], *PREFIXES[6][:4], "0.0.0.0/0", "2001:db8::/64")
NOT_OURS = ("192.0.2.0/24", "2001:db8:ff::/48")
POISONS = (PREFIXES[4][0], PREFIXES[4][3], PREFIXES[6][1])
"""Prefixes that may crash VPP."""

OTHERS_PLACES = tuple((source, prefix) for source in (OTHER, API) for prefix in OURS_TOO + NOT_OURS)
"""Sources and prefixes of VPP's other users."""

OTHERS_HOPS: tuple[dict[str, int] | None, ...] = (
    {DROP: 1},
    {"10.9.0.2": 1},
    {"10.9.0.2": 1, "fd09::3": 4},
    None,
)
"""Next hops and weights, or no route."""

FAULTS = (
    {"fault": "stall", "on": True},
    {"fault": "mute", "on": True},
    *({"fault": "rate_limit", "per_second": rate} for rate in (100, 1000)),
    *({"fault": "drop", "after": after, "mid_frame": after > 1} for after in (0, 1, 2, 20, 150)),
    *(
        {"fault": "fail_nth", "nth": nth, "retval": retval, "every": every}
        for nth, retval, every in ((1, -68, True), (1, -54, False), (2, -3, True), (10, -1, True))
    ),
)

signals = st.sampled_from((signal.SIGTERM, signal.SIGKILL))
durations = st.sampled_from((0.05, 0.05, 0.2, 1.0))
vpp_is_there = precondition(lambda self: not self.away)
vpp_is_healthy = precondition(lambda self: self.healthy)
# A start takes longest: it must not be every second step.
daemon_is_due = precondition(lambda self: self.unsettled > 2)


P = ParamSpec("P")


def step(
    function: Callable[Concatenate[Reflection, P], None],
) -> Callable[Concatenate[Reflection, P], None]:
    """One step of the machine, and the checks that follow each."""

    @functools.wraps(function)
    def run(self: Reflection, /, *args: P.args, **arguments: P.kwargs) -> None:
        shown = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
        self.begin(f"{function.__name__}({shown})")
        try:
            function(self, *args, **arguments)
            self.end()
        except Exception as error:
            self.fail_with(error)
            raise

    return run


class Reflection(RuleBasedStateMachine):
    """One kernel, one VPP, and one daemon after the other.

    What may happen next must not depend on how far the daemon is: that does not repeat itself.
    """

    steps: ClassVar[int] = 0
    """Steps done by all of them."""

    compared: ClassVar[int] = 0
    """Routes that were the same, at all quiet moments together."""

    failure: ClassVar[str | None] = None
    """The first failure with what led to it."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.healthy = True
        """Whether VPP runs and has no fault."""
        self.away = False
        """Whether VPP has ended."""
        self._trace: list[str] = []
        self.unsettled = 0
        """Steps since all agreed."""

    def teardown(self) -> None:
        """Ends every process."""
        self.world.close()

    def begin(self, step: str) -> None:
        """Records the start of a step."""
        type(self).steps += 1
        self.unsettled += 1
        self._trace.append(step)

    def end(self) -> None:
        """Others' routes are untouched at any time, and all agree before long."""
        self.world.check_others()
        if self.unsettled >= TIMEOUT:
            self.settle()

    def fail_with(self, error: Exception) -> None:
        """Keeps the first failure, for the case that it is not seen again."""
        if type(self).failure is None:
            steps = "\n".join(self._trace)
            notes = "\n".join(getattr(error, "__notes__", ()))
            type(self).failure = f"{steps}\n{error}\n{notes}"

    def settle(self) -> None:
        """Waits until kernel and VPP agree."""
        type(self).compared += self.world.agree()
        self.healthy, self.away, self.unsettled = True, False, 0

    def settle_first(self) -> None:
        """Waits until all agree before something is done."""
        self.settle()
        self.unsettled = 1

    @rule()
    @precondition(lambda self: self.unsettled)
    @step
    def agree(self) -> None:
        """A quiet moment. Its name comes first, so that shorter sequences end with it."""
        self.settle()

    # The kernel

    @rule(lines=kernel.changes)
    @step
    def change_kernel(self, lines: list[str]) -> None:
        """Changes a few routes."""
        self.world.change(lines)

    @rule(lines=st.one_of(kernel.links, kernel.links, kernel.flushes))
    @step
    def change_kernel_without_a_message(self, lines: list[str]) -> None:
        """What takes routes away, not all with a message."""
        self.world.change(lines)

    @rule(block=kernel.blocks)
    @step
    def change_many(self, block: kernel.Block) -> None:
        """Some hundred routes at once."""
        self.world.change(block.lines())

    # VPP

    @rule(shift=st.sampled_from((0, 1, 10, None)))
    @vpp_is_there
    @step
    def restart_vpp(self, shift: int | None) -> None:
        """It forgets everything and comes back at once, or not."""
        if shift is None:
            self.healthy, self.away = False, True
            self.world.stop_vpp()
        else:
            self.world.restart_vpp(shift)

    @rule(order=st.sampled_from(FAULTS), block=kernel.blocks, seconds=durations)
    @vpp_is_there
    @step
    def fail(self, order: dict[str, object], block: kernel.Block, seconds: float) -> None:
        """VPP has a fault from a kernel change on."""
        self.healthy = False
        self.world.order_fault(order)
        self.world.change(block.lines())
        self.world.await_progress(seconds)

    @rule(prefix=st.sampled_from(POISONS), block=kernel.blocks)
    @vpp_is_there
    @step
    def poison(self, prefix: str, block: kernel.Block) -> None:
        """A prefix crashes VPP, until all agree but for that, whatever else happens meanwhile."""
        self.healthy = False
        self.world.poison_with(prefix)
        family = 6 if ":" in prefix else 4
        self.world.change([f"-{family} route replace blackhole {prefix} proto {kernel.BIRD}"])
        self.world.change(block.lines())

    @rule()
    @precondition(lambda self: not self.healthy)
    @step
    def recover(self) -> None:
        """Ends all faults."""
        self.world.recover()
        self.healthy, self.away = not self.world.poisons, False

    @rule(number=st.sampled_from(range(len(LINKS))))
    @vpp_is_healthy
    @step
    def delete_interface(self, number: int) -> None:
        """Routes through it have to wait."""
        self.world.others.delete_loopback(f"loop{number}")

    @rule(number=st.sampled_from(range(len(LINKS))), other_index=st.booleans())
    @vpp_is_healthy
    @step
    def make_interface(self, number: int, other_index: bool) -> None:
        """Makes one that was deleted."""
        self.world.others.create_loopbacks([number], other_index=other_index)

    @rule(place=st.sampled_from(OTHERS_PLACES), hops=st.sampled_from(OTHERS_HOPS))
    @vpp_is_healthy
    @step
    def change_others_route(self, place: tuple[str, str], hops: dict[str, int] | None) -> None:
        """Somebody else's, that is none of our business."""
        if hops is None:
            self.world.others.delete_route(*place)
        else:
            self.world.others.set_route(*place, hops)

    # The daemon

    @rule(seconds=durations)
    @precondition(lambda self: self.unsettled)
    @step
    def wait_for_progress(self, seconds: float) -> None:
        """Lets the daemon do what it is about to do, the next thing at least."""
        self.world.await_progress(seconds)

    @rule(number=signals)
    @step
    def end_daemon(self, number: int) -> None:
        """It stays away until it is started."""
        self.world.service.end(number)

    @rule(wait=st.booleans())
    @step
    def start_daemon(self, wait: bool) -> None:
        """Whatever VPP does at present."""
        self.world.service.start()
        if wait:
            self.world.service.await_first_resync()

    @rule(block=kernel.blocks, after=st.sampled_from((1, 5, 40, 200)), number=signals)
    @daemon_is_due
    @step
    def end_daemon_in_mid_batch(self, block: kernel.Block, after: int, number: int) -> None:
        """When VPP has had so many requests of a change."""
        self.settle_first()
        self.world.end_daemon_in_mid_batch(block.lines(), after, number)

    @rule(block=kernel.blocks)
    @daemon_is_due
    @step
    def restart_daemon_amid_changes(self, block: kernel.Block) -> None:
        """What the kernel does not change meanwhile is never absent from VPP."""
        self.settle_first()
        self.world.restart_daemon_amid_changes(block.lines())

    @rule(number=signals)
    @daemon_is_due
    @step
    def restart_daemon_quietly(self, number: int) -> None:
        """A restart where nothing else happens sends no route request."""
        self.settle_first()
        self.world.restart_daemon(number)
