"""Runs sequences, compares kernel, table and VPP, and shrinks what fails."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from .expected import Forwarding, forwarding
from .operations import COMMIT, QUIET, RESYNC, Generator, is_about_routes, is_operation
from .world import World, world

SETTLED = 2.0
"""Seconds within which table and VPP must say what the kernel does."""

VERIFIED = 0.3
"""Seconds within which the engine dumps the kernel after what can change routes in silence: before
that has happened, nothing else may go wrong, for it would be repaired unseen."""

PAUSE = 0.002
LONGEST_PAUSE = 0.05
"""Seconds between two looks: at first, and at most."""


@dataclass(frozen=True)
class Difference:
    """Kernel, table and VPP do not agree."""

    after: int
    """Lines done before it was seen."""

    lines: tuple[str, ...]

    def __str__(self) -> str:
        return "after the last operation:\n  " + "\n  ".join(self.lines)


def compare(seen: World, after: int) -> Difference | None:
    """Waits until kernel, table and VPP agree; the difference if they do not in time."""
    deadline = time.monotonic() + SETTLED
    pause = 0.0
    while True:
        seen.settle(pause)
        kernel, table, vpp = forwarding(seen.ip), seen.table(), seen.vpp()
        if kernel == table == vpp:
            break
        if time.monotonic() > deadline:
            return Difference(after, tuple(_lines(seen, kernel, table, vpp)))
        pause = min(max(pause * 2, PAUSE), LONGEST_PAUSE)
    refused = seen.refused()
    return Difference(after, (f"VPP refused {refused} requests",)) if refused else None


def _lines(seen: World, kernel: Forwarding, table: Forwarding, vpp: Forwarding) -> list[str]:
    keys = sorted(kernel.keys() | table.keys() | vpp.keys())
    return [
        f"table {key[0]} {key[1]}: kernel {kernel.get(key)}, table {table.get(key)}, "
        f"VPP {vpp.get(key)}; the engine holds: {seen.shown(key)}"
        for key in keys
        if not kernel.get(key) == table.get(key) == vpp.get(key)
    ]


def run(lines: Sequence[str], sysctls: Sequence[str] = ()) -> Difference | None:
    """Runs the lines in a world of their own; the first difference, if there is one.

    All is compared at each moment of quiet and at the end.
    """
    with world(sysctls) as made:
        resyncs = made.resyncs()
        verifies = False
        for done, line in enumerate(lines, 1):
            if is_operation(line) and not is_about_routes(line):
                resyncs, verifies = made.resyncs(), True
            _do(made, line)
            if line != QUIET and done < len(lines):
                continue
            difference = compare(made, done)
            if difference is None and verifies:
                made.wait_for_resync(resyncs, VERIFIED)
                difference = compare(made, done)
            if difference is not None:
                return difference
            verifies = False
        # What a message left in doubt is looked up by a dump, which may be due yet.
        made.wait_for_resync(made.resyncs(), VERIFIED)
        return _audit(made, len(lines))


def _audit(made: World, after: int) -> Difference | None:
    """What the engine itself finds at the end: also about routes that forward nothing now."""
    drifted = made.engine.audit().drifted
    lines = (f"table {table} {prefix}: {kind} at an audit" for table, prefix, kind in drifted)
    return Difference(after, tuple(lines)) if drifted else None


def _do(made: World, line: str) -> None:
    if line == COMMIT:
        made.settle(0)
    elif line == RESYNC:
        made.engine.resync()
    elif line != QUIET:
        # Many operations are refused, as they must be: what counts is the kernel.
        made.ip.run(line)


def shrink(lines: Sequence[str], sysctls: Sequence[str] = ()) -> list[str]:
    """The lines without those that the difference does not need."""
    kept = list(lines)
    size = max(1, len(kept) // 2)
    while True:
        at = 0
        removed = False
        while at < len(kept):
            tried = kept[:at] + kept[at + size :]
            if tried and run(tried, sysctls) is not None:
                kept, removed = tried, True
            else:
                at += size
        if size == 1 and not removed:
            return kept
        size = max(1, size // 2)


def check_seed(seed: int, count: int, sysctls: Sequence[str] = ()) -> int:
    """How many operations were done; fails with the shortest sequence that shows a difference."""
    lines = Generator(seed).draw(count)
    difference = run(lines, sysctls)
    if difference is None:
        return sum(map(is_operation, lines))
    shortest = shrink(lines[: difference.after], sysctls)
    last = run(shortest, sysctls)
    text = str(last) if last else f"seen once, {difference}"
    sequence = "\n  ".join(shortest)
    raise AssertionError(
        f"seed {seed} ({', '.join(sysctls)}), {text}\nshortest sequence:\n  {sequence}"
    )
