"""A kernel, a VPP with other users, and the daemon between them."""

from __future__ import annotations

import json
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from itertools import groupby
from pathlib import Path
from typing import ClassVar

from vpp_papi.vpp_papi import VPPRuntimeError

from lab import ConditionNotMet, ip_batch, namespace, wait_until
from lab.vpp import OtherUsers, SimulatedVpp
from lab.vpp.api import SOURCE
from lab.vpp.others import API, RefusedByVppError
from oracle.operations import SPECIAL

from . import kernel_changes as kernel
from .expected import differences, kernel_forwarding, vpp_forwarding
from .service import Service

LOOPBACKS = ("loop0", "loop1", "loop2", "loop3")
"""VPP's interfaces: one for each link, and one for its other users."""

SETTLE = 30.0
"""Seconds within which all must agree once nothing goes wrong any more."""

SHRINK = 10.0
"""The same after a failure: enough to see it again in the many shorter sequences that are tried."""

MARK = "203.0.113.1/32"
"""A prefix that only `World.agree` changes."""


class World:
    """Everything that the state machine acts on; each has its own."""

    settle: ClassVar[float] = SETTLE

    def __init__(self) -> None:
        self._stack = ExitStack()
        try:
            self._set_up()
        except BaseException:
            self._stack.close()
            raise

    def _set_up(self) -> None:
        directory = tempfile.TemporaryDirectory(prefix="bgpr-state-")
        self._directory = Path(self._stack.enter_context(directory))
        self.namespace = self._stack.enter_context(namespace("state"))
        ip_batch(self.namespace, kernel.set_up())
        self.vpp = self._new_vpp()
        self._stack.callback(self._end_vpp)
        self.others = OtherUsers(self.vpp)
        self._vpp_away = False
        self._marks = 0
        self.poisons: set[str] = set()
        """Prefixes that crash VPP."""
        self.service = Service(self._directory, self.namespace, self.vpp.socket)
        self._stack.callback(self.service.kill)
        self.service.start()

    def _new_vpp(self) -> SimulatedVpp:
        return SimulatedVpp(self._directory / "api.sock", LOOPBACKS)

    def _end_vpp(self) -> None:
        self.vpp.simulator.stop()

    def close(self) -> None:
        """Ends everything and leaves nothing behind."""
        self._stack.close()

    def change(self, lines: Iterable[str]) -> None:
        """Changes the kernel. What it refuses is left out: what counts is what it has then.

        A batch has one family, which ``-4`` or ``-6`` before its lines tell.
        """
        for family, group in groupby(lines, lambda line: line[:2]):
            words = ["ip", "-netns", self.namespace.name, family, "-force", "-batch", "-"]
            text = "".join(f"{line[3:]}\n" for line in group)
            subprocess.run(words, input=text, text=True, check=False, capture_output=True)

    @property
    def route_requests(self) -> int:
        """Route requests that VPP has had since it was started."""
        return self.vpp.simulator.statistics()["route_requests"]

    def restart_vpp(self, shift: int) -> None:
        """VPP starts again, with interface indices that are that much higher."""
        self.vpp.fault("restart", shift=shift)
        self.others.forget()

    def stop_vpp(self) -> None:
        """VPP ends, and its socket goes."""
        self._end_vpp()
        self.others.forget()
        self._vpp_away = True

    def recover(self) -> None:
        """VPP runs and has no fault."""
        if self._vpp_away:
            self.vpp = self.others.vpp = self._new_vpp()
            self._vpp_away = False
        self.vpp.fault("clear")
        for prefix in self.poisons:
            self.vpp.fault("crash_at", prefix=prefix, on=True)

    def poison_with(self, prefix: str) -> None:
        """VPP crashes whenever a route for the prefix is added, and restarts empty."""
        self.poisons.add(prefix)
        self.vpp.fault("crash_at", prefix=prefix, on=True)

    def _cure(self) -> None:
        """What crashes VPP keeps no other route out; once it does not, an operator releases it."""
        if not self.poisons:
            return
        self._wait_until_same()
        for prefix in self.poisons:
            self.vpp.fault("crash_at", prefix=prefix, on=False)
        self.poisons.clear()
        # Whether it ended recently or not: it has no routes of others now.
        self.restart_vpp(0)
        self._wait_until(self._let_in, "VPP has what crashed it before")

    def _let_in(self) -> list[str]:
        """Again where the daemon only now takes the restart for an end over the route."""
        found = self._differences()
        if found:
            self.service.release()
        return found

    def agree(self) -> int:
        """Ends all faults and waits until VPP has what the kernel has; how many routes that are.

        Then once more with a mark, which is changed so that whatever came before it is through.
        """
        self.recover()
        self._wait_until(self._missing_loopbacks, "VPP has its interfaces")
        self.service.start()
        self._cure()
        routes = self._wait_until_same()
        self._wait_until(self.others.dead_paths, "all paths lead to interfaces that are there")
        self._marks += 1
        kind = SPECIAL[self._marks % len(SPECIAL)]
        self.change([f"-4 route replace {kind} {MARK} proto {kernel.BIRD}"])
        self._wait_until_same()
        self.check_others()
        return routes

    def restart_daemon(self, number: int) -> None:
        """Restarts the daemon by a signal where nothing else happens: it sends no route."""
        before = kernel_forwarding(self.namespace.name)
        self.service.end(number)
        wait_until(
            lambda: self.vpp.simulator.statistics()["clients"],
            SETTLE,
            "VPP has seen the daemon's end",
            accept=lambda clients: not clients,
        )
        requests = self.route_requests
        self.service.start()
        self.service.await_first_resync()
        self._wait_until_same()
        sent = self.route_requests - requests
        # A carrier that comes late is a change.
        if kernel_forwarding(self.namespace.name) == before:
            assert sent <= self._hiding, f"{sent} route requests for none:\n{self.service.log()}"

    @property
    def _hiding(self) -> int:
        """Routes of others behind which ours may be, unseen: there one request is in order."""
        return len(self.others.put[API])

    def order_fault(self, order: Mapping[str, object]) -> None:
        """Gives VPP a fault."""
        self.vpp.simulator.fault(json.dumps(order))

    def await_progress(self, seconds: float) -> None:
        """Waits until the daemon does something that can be seen from outside, or so long."""
        before = self._progress()
        with suppress(ConditionNotMet):
            wait_until(lambda: self._progress() != before, seconds, "something happens")

    def _progress(self) -> object:
        return self.vpp.simulator.statistics(), self.service.log()

    def restart_daemon_amid_changes(self, lines: Iterable[str]) -> None:
        """Restarts the daemon and changes the kernel while it resynchronises.

        Only what the kernel has no more is deleted from VPP.
        """
        before = kernel_forwarding(self.namespace.name)
        self.service.end(signal.SIGKILL)
        deletes = self._deletes
        self.service.start()
        self.service.await_connection()
        self.change(lines)
        self._wait_until_same()
        gone = before.keys() - kernel_forwarding(self.namespace.name).keys()
        deletes = self._deletes - deletes
        assert deletes <= len(gone) + self._hiding, (
            f"{deletes} deletes for {len(gone)}:\n{self.service.log()}"
        )

    @property
    def _deletes(self) -> int:
        statistics = self.vpp.simulator.statistics()
        return statistics["deletes"] + statistics["deletes_of_absent"]

    def end_daemon_in_mid_batch(self, lines: Iterable[str], after: int, number: int) -> None:
        """Ends the daemon once VPP has had so many of the requests that a change needs.

        Where it sends fewer, because the kernel refuses the change or has made it before, the
        daemon is ended afterwards.
        """
        self.vpp.fault("rate_limit", per_second=2000)
        before = self.route_requests
        self.change(lines)
        with suppress(ConditionNotMet):
            wait_until(lambda: self.route_requests >= before + after, 0.5, "", interval=0.001)
        self.service.end(number)
        self.vpp.fault("clear")

    def check_others(self) -> None:
        """Sees that other users' routes are those that they have put, unchanged."""
        if not self._vpp_away and not self.poisons:
            assert self.others.found() == self.others.put

    def _missing_loopbacks(self) -> list[str]:
        """Makes those that are missing."""
        with self._poison_may_end_vpp() as ended:
            self.others.create_loopbacks(range(len(LOOPBACKS)), other_index=True)
        return ended

    @contextmanager
    def _poison_may_end_vpp(self) -> Iterator[list[str]]:
        """Yields what is then said of it, where it does so in the middle of a question to it."""
        ended: list[str] = []
        if self.poisons:
            # VPP may have ended since it was last asked, with its interfaces.
            self.others.forget()
        try:
            yield ended
        except (OSError, VPPRuntimeError, RefusedByVppError) as error:
            # Started again, it has an interface that was missing a moment ago.
            if not self.poisons:
                raise
            ended.append(f"VPP ended: {error}")

    def _differences(self) -> list[str]:
        """Between kernel and VPP; the prefixes that crash VPP do not count."""
        self.service.check()
        with self._poison_may_end_vpp() as ended:
            names = self.others.interface_names()
        if ended:
            return ended
        vpp = vpp_forwarding(self.vpp.simulator.snapshot(SOURCE), names)
        kernel = kernel_forwarding(self.namespace.name)
        for forwarding in (kernel, vpp):
            for place in [place for place in forwarding if place[1] in self.poisons]:
                del forwarding[place]
        return differences(kernel, vpp)

    def _wait_until_same(self) -> int:
        same = "VPP has what the kernel forwards by"
        self._wait_until(lambda: self._meant(self._differences()), same)
        return len(self.vpp.simulator.snapshot(SOURCE))

    def _meant(self, found: list[str]) -> list[str]:
        """Also where a start finds most routes deleted: nobody deleted them by mistake."""
        if found:
            self.service.approve()
        return found

    def _wait_until(self, differences: Callable[[], list[str]], message: str) -> None:
        """Waits until there are none."""
        try:
            wait_until(
                differences,
                self.settle,
                message,
                accept=lambda found: not found,
                interval=0.06,
            )
        except ConditionNotMet as error:
            World.settle = SHRINK
            error.add_note(f"The daemon's log:\n{self.service.log()}")
            raise
