"""Runs sequences, compares kernel, table and VPP, and shrinks what fails."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace

from .doing import CHURN, churning, do
from .expected import Forwarding, Listing, listing
from .forwarder import Maker, embedded
from .judge import Judgement, judge, queries
from .more_operations import COMPAT, MoreOperations, Variant, variant_of
from .operations import PROTOCOLS, QUIET, TABLES, is_about_routes, is_operation
from .world import World, world

VERIFIED = 0.3
"""Seconds within which the engine dumps the kernel after what can change routes in silence: before
that has happened, nothing else may go wrong, for it would be repaired unseen."""

PAUSE = 0.002
LONGEST_PAUSE = 0.05
"""Seconds between two looks: at first, and at most."""

LOOKS = 40
"""At least: a machine that stood still meanwhile has had no time."""

QUICK = 1.0
"""Seconds that all have to agree while a sequence is shortened."""

FLUSH_FOREIGN = tuple(
    f"-{family} route flush table {table} proto {protocol}"
    for family in (4, 6)
    for table in TABLES
    for protocol in sorted(set(PROTOCOLS) - {"12"})
)

SHOWN = 8
"""Lines of a difference."""

SHRINKING = float(os.environ.get("ORACLE_SHRINKING", "60"))
"""Seconds in which a sequence is shortened, at most."""


@dataclass(frozen=True)
class Difference:
    """Kernel, table and VPP do not agree."""

    after: int
    """Lines done before it was seen."""

    lines: tuple[str, ...]
    within: float = 0.0
    """Seconds in which it did not go."""

    def __str__(self) -> str:
        more = len(self.lines) - SHOWN
        shown = (*self.lines[:SHOWN], *([f"and {more} more"] if more > 0 else []))
        beside = f", {self.within:g} s later" if self.within else ""
        return f"after the last operation{beside}:\n  " + "\n  ".join(shown)


def compare(seen: World, after: int, settled: float) -> Difference | None:
    """Waits until kernel, table and VPP agree; the difference if they do not in time."""
    deadline = time.monotonic() + settled
    pause = 0.0
    for look in itertools.count(1):
        seen.settle(pause)
        lines = tuple(_look(seen))
        if not lines:
            break
        if look > LOOKS and time.monotonic() > deadline:
            return Difference(after, lines, settled)
        pause = min(max(pause * 2, PAUSE), LONGEST_PAUSE)
    refused = seen.refused()
    return Difference(after, (f"VPP refused {refused} requests",)) if refused else None


def _look(seen: World) -> Iterator[str]:
    """Where they do not agree now."""
    failure = seen.engine.failure()
    if failure is not None:
        yield f"the engine has ended: {failure}"
        return
    listed = _without_churn(listing(seen.ip))
    table, vpp = (
        {key: found for key, found in routes.items() if not key[1].startswith(CHURN)}
        for routes in (seen.table(), seen.vpp())
    )
    asked = queries(listed, vpp)
    judged = judge(listed, seen.lookups.ask(asked), seen.foreign)
    found = False
    for line in _lines(seen, judged, table, vpp):
        found = True
        yield line
    for (number, address), verdict, prefix in judged.broken_by(vpp):
        found = True
        yield f"table {number} {address}: kernel {verdict}, the longest of VPP's routes is {prefix}"
    if not found:
        yield from seen.forwarder.broken(asked, vpp)


def _without_churn(listed: Listing) -> Listing:
    kept = {k: routes for k, routes in listed.every.items() if not k[1].startswith(CHURN)}
    return replace(listed, every=kept)


def _lines(seen: World, judged: Judgement, table: Forwarding, vpp: Forwarding) -> Iterator[str]:
    for key in sorted(judged.routes.keys() | table.keys() | vpp.keys()):
        if not (table.get(key) == vpp.get(key) and judged.allows(key, vpp.get(key))):
            yield (
                f"table {key[0]} {key[1]}: kernel {judged.routes.get(key)}, table {table.get(key)},"
                f" VPP {vpp.get(key)}; the engine holds: {seen.shown(key)}"
            )


def run(
    lines: Sequence[str], variant: Variant | None = None, make: Maker = embedded
) -> Difference | None:
    """Runs the lines in a world of their own; the first difference, if there is one.

    All is compared at each moment of quiet and at the end.
    """
    kind = variant or Variant("usual", COMPAT)
    with world(kind.sysctls, make, **kind.settings) as made:
        with churning(made) if kind.churn else nullcontext():
            difference = _run(made, lines, kind)
        if difference is None and kind.churn:
            made.ip.run(f"-6 route flush root {CHURN}:/32")
            difference = compare(made, len(lines), kind.settled)
        if difference is None and made.foreign != "hide":
            # What they hid from the list is compared now.
            made.ip.run("; ".join(FLUSH_FOREIGN))
            difference = compare(made, len(lines), kind.settled)
        return difference or _end(made, len(lines))


def _run(made: World, lines: Sequence[str], kind: Variant) -> Difference | None:
    resyncs = made.resyncs()
    verifies = False
    for done, line in enumerate(lines, 1):
        if not verifies and is_operation(line) and not is_about_routes(line):
            resyncs, verifies = made.resyncs() if made.is_running else 0, True
        do(made, line)
        if line != QUIET and done < len(lines):
            continue
        made.start(whole=not kind.churn)
        difference = compare(made, done, kind.settled)
        if difference is None and verifies:
            made.wait_for_resync(resyncs, VERIFIED)
            difference = compare(made, done, kind.settled)
        if difference is not None:
            return difference
        verifies = False
    return None


def _end(made: World, after: int) -> Difference | None:
    """What the engine itself finds at the end: also about routes that forward nothing now."""
    # What a message left in doubt is looked up by a dump, which may be due yet.
    made.wait_for_resync(made.resyncs(), VERIFIED)
    drifted = made.engine.audit().drifted
    lines = (f"table {table} {prefix}: {kind} at an audit" for table, prefix, kind in drifted)
    return Difference(after, tuple(lines)) if drifted else None


def shrink(lines: Sequence[str], variant: Variant, make: Maker = embedded) -> list[str]:
    """The lines without those that the difference does not need, as far as time allows."""
    kept = list(lines)
    size = max(1, len(kept) // 2)
    deadline = time.monotonic() + SHRINKING
    quick = replace(variant, settled=min(variant.settled, QUICK))
    while True:
        at = 0
        removed = False
        while at < len(kept):
            if time.monotonic() > deadline:
                return kept
            tried = kept[:at] + kept[at + size :]
            if tried and run(tried, quick, make) is not None:
                kept, removed = tried, True
            else:
                at += size
        if size == 1 and not removed:
            return kept
        size = max(1, size // 2)


def in_series(lines: Sequence[str], length: int) -> Iterator[str]:
    """The lines with moments of quiet after ``length`` operations each, and no others."""
    done = 0
    for line in lines:
        if line != QUIET:
            yield line
            done += is_operation(line)
            if is_operation(line) and done % length == 0:
                yield QUIET


def check_seed(
    seed: int, count: int, make: Maker = embedded, *, together: int | None = None
) -> int:
    """How many operations were done; fails with the shortest sequence that shows a difference.

    ``together`` is how many operations are done before all are compared, by default a few.
    """
    variant = variant_of(seed)
    lines = MoreOperations(seed, variant).draw(count)
    if together is not None:
        lines = list(in_series(lines, together))
    difference = run(lines, variant, make)
    if difference is None:
        return sum(map(is_operation, lines))
    shortest = shrink(lines[: difference.after], variant, make)
    last = run(shortest, variant, make)
    text = str(last) if last else f"seen once, {difference}"
    sequence = "\n  ".join(shortest)
    raise AssertionError(f"seed {seed} ({variant.name}), {text}\nshortest sequence:\n  {sequence}")
