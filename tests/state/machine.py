"""The state machine: what may happen, in any order."""

from __future__ import annotations

import signal
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from lab.prefixes import Family
from lab.vpp.others import API, DROP, OTHER
from oracle.operations import LINKS, PREFIXES

from . import kernel_changes as kernel
from .world import World

PATIENCE = 10
"""Steps after which all must agree, if none of them asked for it."""

OTHERS_PREFIXES = (
    *(prefix for prefix in (*PREFIXES[4], *PREFIXES[6]) if prefix != "default"),
    "0.0.0.0/0",
    "192.0.2.0/24",
    "2001:db8:ff::/48",
)
"""Prefixes of VPP's other users: most are ours, too."""

OTHERS_HOPS: tuple[dict[str, int], ...] = (
    {DROP: 1},
    {"10.9.0.2": 1},
    {"10.9.0.2": 1, "10.9.0.3": 4},
)
REFUSALS = (-1, -3, -52, -54, -68)

numbers = st.sampled_from(range(len(LINKS)))
blocks = st.sampled_from(kernel.BLOCKS)
ways = st.sampled_from(range(len(LINKS) + 1))
hosts = st.sampled_from((2, 3))
signals = st.sampled_from((signal.SIGTERM, signal.SIGKILL))
counts = st.sampled_from((1, 5, 40, 200))
sources = st.sampled_from((API, OTHER))
others_prefixes = st.sampled_from(OTHERS_PREFIXES)

vpp_is_there = precondition(lambda self: not self.away)
vpp_is_healthy = precondition(lambda self: self.healthy)


class Reflection(RuleBasedStateMachine):
    """One kernel, one VPP, and one daemon after the other.

    What there is to do must not depend on how far the daemon is: it may not repeat itself.
    """

    steps: ClassVar[int] = 0
    """Steps done by all of them."""

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

    @invariant()
    def others_routes_are_untouched(self) -> None:
        """At any time."""
        self.world.check_others()

    @invariant()
    def all_agree_in_the_end(self) -> None:
        """At the latest after so many steps."""
        if self.unsettled >= PATIENCE:
            self.agree()

    def _step(self) -> None:
        type(self).steps += 1
        self.unsettled += 1

    def _fault(self, name: str, **fields: object) -> None:
        self._step()
        self.healthy = False
        self.world.vpp.fault(name, **fields)

    @rule()
    def agree(self) -> None:
        """A quiet moment. Its name comes first, so that shorter sequences end with it."""
        self._step()
        self.world.agree()
        self.healthy, self.away, self.unsettled = True, False, 0

    # The kernel

    @rule(lines=kernel.changes)
    def change_routes(self, lines: list[str]) -> None:
        """A few routes."""
        self._step()
        self.world.change(lines)

    @rule(line=kernel.links())
    def change_link(self, line: str) -> None:
        """A link goes down or up."""
        self._step()
        self.world.change([line])

    @rule(line=kernel.flushes)
    def flush(self, line: str) -> None:
        """All routes of a table."""
        self._step()
        self.world.change([line])

    @rule(family=kernel.families, block=blocks, way=ways, host=hosts)
    def add_many(self, family: Family, block: int, way: int, host: int) -> None:
        """Some hundred routes at once, or other next hops for them."""
        self._step()
        self.world.change(kernel.block_put(family, block, way, host))

    @rule(family=kernel.families, block=blocks)
    def delete_many(self, family: Family, block: int) -> None:
        """Some hundred routes at once."""
        self._step()
        self.world.change(kernel.block_delete(family, block))

    # VPP

    @rule(shift=st.sampled_from((0, 1, 10)))
    @vpp_is_there
    def restart_vpp(self, shift: int) -> None:
        """It forgets everything."""
        self._step()
        self.world.restart_vpp(shift)

    @rule()
    @vpp_is_there
    def stop_vpp(self) -> None:
        """It stays away."""
        self._step()
        self.healthy, self.away = False, True
        self.world.stop_vpp()

    @rule()
    @vpp_is_there
    def stall(self) -> None:
        """It reads nothing any more."""
        self._fault("stall", on=True)

    @rule()
    @vpp_is_there
    def mute(self) -> None:
        """It does nothing of what it reads."""
        self._fault("mute", on=True)

    @rule(after=st.sampled_from((0, 1, 20, 150)), mid_frame=st.booleans())
    @vpp_is_there
    def drop_connections(self, after: int, mid_frame: bool) -> None:
        """After some requests."""
        self._fault("drop", after=after, mid_frame=mid_frame)

    @rule(nth=st.sampled_from((1, 2, 10)), retval=st.sampled_from(REFUSALS), every=st.booleans())
    @vpp_is_there
    def refuse(self, nth: int, retval: int, every: bool) -> None:
        """Some requests."""
        self._fault("fail_nth", nth=nth, retval=retval, every=every)

    @rule(per_second=st.sampled_from((100, 1000)))
    @vpp_is_there
    def slow_down(self, per_second: int) -> None:
        """Answers come late."""
        self._fault("rate_limit", per_second=per_second)

    @rule()
    def recover(self) -> None:
        """No faults any more."""
        self._step()
        self.world.recover()
        self.healthy, self.away = True, False

    @rule(number=numbers)
    @vpp_is_healthy
    def delete_interface(self, number: int) -> None:
        """Routes through it have to wait."""
        self._step()
        self.world.others.delete_loopback(f"loop{number}")

    @rule(number=numbers, other_index=st.booleans())
    @vpp_is_healthy
    def make_interface(self, number: int, other_index: bool) -> None:
        """Makes one that was deleted."""
        self._step()
        self.world.others.create_loopback(number, other_index=other_index)

    @rule(source=sources, prefix=others_prefixes, way=st.sampled_from(range(len(OTHERS_HOPS))))
    @vpp_is_healthy
    def put_others_route(self, source: str, prefix: str, way: int) -> None:
        """Somebody else's, that is none of our business."""
        self._step()
        hops = OTHERS_HOPS[way] if ":" not in prefix else {DROP: 1}
        self.world.others.set_route(source, prefix, hops)

    @rule(source=sources, prefix=others_prefixes)
    @vpp_is_healthy
    def delete_others_route(self, source: str, prefix: str) -> None:
        """By those whose it is."""
        self._step()
        self.world.others.delete_route(source, prefix)

    # The daemon

    @rule(number=signals)
    def end_daemon(self, number: int) -> None:
        """It stays away until it is started."""
        self._step()
        self.world.service.end(number)

    @rule()
    def start_daemon(self) -> None:
        """Whatever VPP does at present."""
        self._step()
        self.world.service.start()

    @rule(family=kernel.families, block=blocks, way=ways, host=hosts, after=counts)
    @vpp_is_healthy
    def kill_daemon_in_mid_batch(
        self, family: Family, block: int, way: int, host: int, after: int
    ) -> None:
        """When VPP has had so many requests of a change."""
        self._step()
        lines = kernel.block_put(family, block, way, host)
        self.world.kill_daemon_in_mid_batch(lines, after)

    @rule(number=signals)
    def restart_daemon_quietly(self, number: int) -> None:
        """A restart where nothing else happens sends no route request."""
        self.agree()
        self.world.restart_daemon(number)
