"""Check VPP's memory against the table: VPP aborts without memory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bgpreflector import _core
from bgpreflector.errors import VppError, VppLostError
from bgpreflector.units import size_text
from bgpreflector.vpp import FibProgrammer

from .finding import Finding, error, ok, warning

CHECK = "memory"

UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
FREE = re.compile(r"total: ([\d.]+)([KMGT]?),.*free: ([\d.]+)([KMGT]?)", re.IGNORECASE)


@dataclass(frozen=True)
class _Memory:
    name: str
    command: str
    setting: str
    route: int
    """Bytes that a route takes of it: twice to three times what VPP 26.10 was seen to take, as its
    vectors are copied when they grow."""

    each_thread: bool


HEAP = _Memory(
    "main heap", "show memory main-heap", "memory { main-heap-size }", 640, each_thread=False
)
STATISTICS = _Memory(
    "stats segment", "show memory stats-segment", "statseg { size }", 128, each_thread=True
)


def missing_routes(engine: _core.Engine) -> int:
    """How many routes VPP may get yet."""
    counts_by_family = engine.status().prefixes.values()
    # Held routes may follow, too; those with a substitute are desired and held.
    return sum(
        c["desired"] + c["held"] - c["substituted"] - c["installed"] for c in counts_by_family
    )


def memory_findings(wanted: int, sink: FibProgrammer) -> Iterator[Finding]:
    """Check for room for so many further routes."""
    threads = _threads(sink)
    for memory in (HEAP, STATISTICS):
        yield _finding(sink, memory, max(0, wanted), threads if memory.each_thread else 1)


def _finding(sink: FibProgrammer, memory: _Memory, wanted: int, threads: int) -> Finding:
    reply = sink.session.call("cli_inband", cmd=memory.command)
    found = FREE.search(str(reply.reply)) if reply.retval == 0 else None
    if found is None:
        return warning(
            CHECK,
            memory.name,
            f"VPP does not report its size ({memory.command})",
            f"see that {memory.setting} in startup.conf is enough: about "
            f"{memory.route * threads} bytes a route",
        )
    total, free = _bytes(found[1], found[2]), _bytes(found[3], found[4])
    room = free // (memory.route * threads)
    room_text = (
        f"{size_text(free)} of {size_text(total)} are free: enough for about {room:,} more "
        f"routes, of which {wanted:,} are to come"
    )
    if room >= wanted:
        return ok(CHECK, memory.name, room_text)
    needed = total + (wanted - room) * memory.route * threads
    return error(
        CHECK,
        memory.name,
        f"{room_text}: VPP aborts where it is used up",
        f"set {memory.setting} in VPP's startup.conf to {-(-needed // UNITS['M'])}M at least, or "
        "fewer routes by kernel.max_routes",
    )


def _bytes(number: str, unit: str) -> int:
    return int(float(number) * UNITS[unit.upper()])


def _threads(sink: FibProgrammer) -> int:
    """VPP's threads: the main one and the workers, each of which counts packets by itself."""
    try:
        return max(1, int(sink.session.call("show_threads").count))
    except VppLostError:
        raise
    except VppError:
        return 1
