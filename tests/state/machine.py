"""The state machine: what may happen, in any order."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from lab.vpp.others import API, DROP, OTHER
from oracle.operations import LINKS, PREFIXES

from . import kernel_changes as kernel
from .world import World

PATIENCE = 12
"""Steps after which all must agree, if none of them asked for it."""

OURS_TOO = (*PREFIXES[4][:4], *PREFIXES[6][:4], "0.0.0.0/0", "2001:db8::/64")
NOT_OURS = ("192.0.2.0/24", "2001:db8:ff::/48")
OTHERS_PLACES = (
    *((OTHER, prefix) for prefix in OURS_TOO + NOT_OURS),
    # A better source hides our route for the same prefix from us: see test_hidden.py.
    *((API, prefix) for prefix in NOT_OURS),
)
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
vpp_is_there = precondition(lambda self: not self.away)
vpp_is_healthy = precondition(lambda self: self.healthy)
# A start takes longer than all else: it shall not be every second step.
daemon_is_due = precondition(lambda self: self.unsettled > 2)


class Reflection(RuleBasedStateMachine):
    """One kernel, one VPP, and one daemon after the other.

    What may happen next must not depend on how far the daemon is: that does not repeat itself.
    """

    steps: ClassVar[int] = 0
    """Steps done by all of them."""

    compared: ClassVar[int] = 0
    """Routes that were the same, at all quiet moments together."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.healthy = True
        """Whether VPP is there and does as it is told."""
        self.away = False
        """Whether VPP has ended."""
        self.unsettled = 0
        """Steps since all agreed."""

    def teardown(self) -> None:
        """Leaves nothing behind."""
        self.world.close()

    @contextmanager
    def _step(self) -> Iterator[World]:
        """One step; others' routes are untouched at any time, and all agree before long."""
        type(self).steps += 1
        self.unsettled += 1
        yield self.world
        self.world.check_others()
        if self.unsettled >= PATIENCE:
            self._agree()

    def _agree(self) -> None:
        type(self).compared += self.world.agree()
        self.healthy, self.away, self.unsettled = True, False, 0

    @rule()
    @precondition(lambda self: self.unsettled)
    def agree(self) -> None:
        """A quiet moment. Its name comes first, so that shorter sequences end with it."""
        with self._step():
            self._agree()

    # The kernel

    @rule(lines=kernel.changes)
    def change_kernel(self, lines: list[str]) -> None:
        """A few routes."""
        with self._step() as world:
            world.change(lines)

    @rule(lines=st.one_of(kernel.links, kernel.links, kernel.flushes))
    def change_kernel_in_silence(self, lines: list[str]) -> None:
        """What takes routes away, not all with a message."""
        with self._step() as world:
            world.change(lines)

    @rule(block=kernel.blocks)
    def change_many(self, block: kernel.Block) -> None:
        """Some hundred routes at once."""
        with self._step() as world:
            world.change(block.lines())

    # VPP

    @rule(shift=st.sampled_from((0, 1, 10, None)))
    @vpp_is_there
    def restart_vpp(self, shift: int | None) -> None:
        """It forgets everything and comes back at once, or not."""
        with self._step() as world:
            if shift is None:
                self.healthy, self.away = False, True
                world.stop_vpp()
            else:
                world.restart_vpp(shift)

    @rule(order=st.sampled_from(FAULTS))
    @vpp_is_there
    def fail(self, order: dict[str, object]) -> None:
        """VPP does not do as it is told."""
        with self._step() as world:
            self.healthy = False
            world.order_fault(order)

    @rule()
    @precondition(lambda self: not self.healthy)
    def recover(self) -> None:
        """No faults any more."""
        with self._step() as world:
            world.recover()
            self.healthy, self.away = True, False

    @rule(number=st.sampled_from(range(len(LINKS))))
    @vpp_is_healthy
    def delete_interface(self, number: int) -> None:
        """Routes through it have to wait."""
        with self._step() as world:
            world.others.delete_loopback(f"loop{number}")

    @rule(number=st.sampled_from(range(len(LINKS))), other_index=st.booleans())
    @vpp_is_healthy
    def make_interface(self, number: int, other_index: bool) -> None:
        """Makes one that was deleted."""
        with self._step() as world:
            world.others.create_loopbacks([number], other_index=other_index)

    @rule(place=st.sampled_from(OTHERS_PLACES), hops=st.sampled_from(OTHERS_HOPS))
    @vpp_is_healthy
    def change_others_route(self, place: tuple[str, str], hops: dict[str, int] | None) -> None:
        """Somebody else's, that is none of our business."""
        with self._step() as world:
            if hops is None:
                world.others.delete_route(*place)
            else:
                world.others.set_route(*place, hops)

    # The daemon

    @rule(seconds=st.sampled_from((0.05, 0.05, 0.2, 1.0)))
    @precondition(lambda self: self.unsettled)
    def wait_for_progress(self, seconds: float) -> None:
        """Lets the daemon do what it is about to do, the next thing at least."""
        with self._step() as world:
            world.await_progress(seconds)

    @rule(number=signals)
    def end_daemon(self, number: int) -> None:
        """It stays away until it is started."""
        with self._step() as world:
            world.service.end(number)

    @rule(wait=st.booleans())
    def start_daemon(self, wait: bool) -> None:
        """Whatever VPP does at present."""
        with self._step() as world:
            world.service.start()
            if wait:
                world.service.await_first_resync()

    @rule(block=kernel.blocks, after=st.sampled_from((1, 5, 40, 200)), number=signals)
    @daemon_is_due
    def end_daemon_in_mid_batch(self, block: kernel.Block, after: int, number: int) -> None:
        """When VPP has had so many requests of a change."""
        self._agree()
        with self._step() as world:
            world.end_daemon_in_mid_batch(block.lines(), after, number)

    @rule(block=kernel.blocks)
    @daemon_is_due
    def restart_daemon_amid_changes(self, block: kernel.Block) -> None:
        """What the kernel does not change meanwhile is never absent from VPP."""
        self._agree()
        with self._step() as world:
            world.restart_daemon_amid_changes(block.lines())

    @rule(number=signals)
    @daemon_is_due
    def restart_daemon_quietly(self, number: int) -> None:
        """A restart where nothing else happens sends no route request."""
        self._agree()
        with self._step() as world:
            world.restart_daemon(number)
