"""Routes change while the kernel is dumped: a dump of IPv6 then lacks some that did not change."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest

from lab import BgpPair, Namespace, again_and_again, ip_batch, prefixes
from lab.vpp import SimulatedVpp

from .chain import Chain, running_chain
from .size import ROOMY, SMALLEST, Figures, sized
from .wave import GATEWAYS, add, at_once, delete, link

pytestmark = [pytest.mark.root, pytest.mark.timeout(900)]

RESYNCS = 10
ATTEMPTS = 1000
OVERLAP = 100
"""Notifications during a resync that show that it did not just end before the changes."""
COUNT = sized(quick=10_000, full=100_000)
MOVED = sized(quick=20_000, full=100_000)
"""With fewer, a table that took what three dumps in a row did not show for gone would pass."""


def resync_amid_changes(chain: Chain) -> str:
    """Resyncs until routes have changed during ten of them; says how it went."""
    overlapped = dumps = notified = 0
    for attempt in range(1, ATTEMPTS + 1):
        before = route_messages(chain)
        report = chain.engine.resync()
        # Those that were dumped count as messages, too.
        meanwhile = route_messages(chain) - before - report.dumped
        if meanwhile >= OVERLAP:
            overlapped, dumps, notified = overlapped + 1, dumps + report.dumps, notified + meanwhile
        if overlapped == RESYNCS:
            return (
                f"{RESYNCS} of {attempt} resyncs amid changes: {dumps} dumps, "
                f"{notified} notifications meanwhile"
            )
    raise AssertionError(f"only {overlapped} of {ATTEMPTS} resyncs were amid changes")


def route_messages(chain: Chain) -> int:
    """Messages about routes that the reader has had."""
    messages = chain.engine.status().messages
    return messages["new_route"] + messages["del_route"]


@contextmanager
def reflecting_bird(pair: BgpPair, simulator: SimulatedVpp) -> Iterator[Chain]:
    """The chain in sync, with IPv6 routes of BIRD."""
    pair.announce(COUNT, hosts=[10], families=[6])
    pair.wait_kernel()
    with running_chain(pair.router.namespace, simulator) as chain:
        chain.wait_in_sync(COUNT)
        yield chain


def check_deletions(chain: Chain, kept: Sequence[str]) -> None:
    """Routes were withdrawn from VPP, and none of those that the kernel kept."""
    assert chain.deleted(), "nothing was withdrawn"
    assert not chain.deleted() & set(kept), "withdrawn, although the kernel kept them"


@pytest.mark.bird
def test_bird_replaces_while_the_kernel_is_dumped(
    simulator: SimulatedVpp, bgp_pair: BgpPair, figures: Figures
) -> None:
    """Nothing was ever withdrawn, so nothing must be withdrawn from VPP."""
    with reflecting_bird(bgp_pair, simulator) as chain:
        with again_and_again(lambda number: bgp_pair.change_next_hop(10 + number % 2)):
            how = resync_amid_changes(chain)
        bgp_pair.wait_kernel()
        assert len(chain.wait_same()) == COUNT
        statistics = chain.statistics()
        assert statistics["replaces"] > 0
        assert statistics["deletes"] == statistics["deletes_of_absent"] == 0
        figures(f"{COUNT} IPv6 routes, replaced by BIRD: {how}; VPP: {statistics}")


@pytest.mark.bird
def test_bird_withdraws_others_while_the_kernel_is_dumped(
    simulator: SimulatedVpp, bgp_pair: BgpPair, figures: Figures
) -> None:
    """The first half comes and goes; the kernel's walk then skips routes of the second."""
    kept = prefixes(6, COUNT // 2, first=COUNT // 2)

    def announce(number: int) -> None:
        first = (number % 2) * (COUNT // 2)
        bgp_pair.announce(COUNT - first, families=[6], first=first)

    with reflecting_bird(bgp_pair, simulator) as chain:
        simulator.simulator.record_deletions()
        with again_and_again(announce):
            how = resync_amid_changes(chain)
        bgp_pair.wait_kernel()
        assert chain.wait_same().keys() >= set(kept)
        check_deletions(chain, kept)
        figures(f"{COUNT // 2} of {COUNT} IPv6 routes withdrawn by BIRD: {how}")


@pytest.mark.parametrize("buffer", [ROOMY, SMALLEST])
def test_others_move_while_the_kernel_is_dumped(
    buffer: int,
    simulator: SimulatedVpp,
    make_namespace: Callable[[str], Namespace],
    figures: Figures,
) -> None:
    """Without a BGP daemon, and so without its pauses.

    When a route was added, the kernel begins its walk anew and skips as many routes as it had
    shown: for each one in front that went meanwhile it skips one that stays.
    """
    kernel = make_namespace("churn")
    link(kernel, make_namespace("peer"))
    front, kept, behind = (prefixes(6, MOVED, first=n * MOVED) for n in range(3))
    at_once(kernel, [[add(prefix, GATEWAYS[6][0]) for prefix in part] for part in (front, kept)])
    there_and_back = [*moves(front, behind), *moves(behind, front)]

    with running_chain(kernel, simulator, kernel={"receive_buffer": buffer}) as chain:
        chain.wait_in_sync(2 * MOVED)
        simulator.simulator.record_deletions()
        with again_and_again(lambda _: ip_batch(kernel, there_and_back)):
            how = resync_amid_changes(chain)
        assert chain.wait_same().keys() == {*front, *kept}
        check_deletions(chain, kept)
        overruns = chain.engine.status().overruns
        assert overruns > 0 or buffer == ROOMY
        figures(f"{MOVED} IPv6 routes beside {MOVED} that move: {how}; {overruns} overruns")


def moves(away: list[str], to: list[str]) -> Iterator[str]:
    """Lines that delete each of ``away`` and add one of ``to`` for it."""
    for gone, come in zip(away, to, strict=True):
        yield delete(gone)
        yield add(come, GATEWAYS[6][0])
