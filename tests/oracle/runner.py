"""Runs sequences against the table, compares, and shrinks what fails."""

from __future__ import annotations

import subprocess
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from bgpreflector import _core

from .expected import Forwarding, forwarding
from .operations import LINKS, TABLES, Generator

SETTLED = 3.0
"""Seconds within which the table must say what the kernel does."""

STEP = 5
"""Operations between two comparisons."""


@dataclass(frozen=True)
class Difference:
    """The table and the kernel do not agree."""

    after: int
    """Operations done before it was seen."""

    lines: tuple[str, ...]

    def __str__(self) -> str:
        return f"after operation {self.after}:\n  " + "\n  ".join(self.lines)


@contextmanager
def namespace(sysctls: Sequence[str] = ()) -> Iterator[str]:
    """A namespace with three links, each with an address of both families."""
    name = f"oracle-{uuid.uuid4().hex[:8]}"
    _ip("netns", "add", name)
    try:
        for sysctl in sysctls:
            key, _, value = sysctl.partition("=")
            file = f"/proc/sys/{key.replace('.', '/')}"
            _ip("netns", "exec", name, "sh", "-c", f"echo {value} > {file}")
        for number, link in enumerate(LINKS):
            inside = ("-n", name)
            _ip(*inside, "link", "add", link, "type", "veth", "peer", "name", f"{link}p")
            _ip(*inside, "link", "set", f"{link}p", "up")
            _ip(*inside, "link", "set", link, "up")
            _ip(*inside, "addr", "add", f"10.7.{number}.1/24", "dev", link)
            _ip(*inside, "addr", "add", f"fd07:{number}::1/64", "dev", link, "nodad")
        yield name
    finally:
        _ip("netns", "del", name)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


@contextmanager
def engine(name: str) -> Iterator[_core.Engine]:
    """An engine that follows the namespace, with every link known to VPP."""
    made = _core.Engine(
        protocols=[12],
        tables={table: table for table in TABLES},
        families=["ipv4", "ipv6"],
        foreign_routes="hide",
        receive_buffer=32 << 20,
        namespace=f"/run/netns/{name}",
    )
    try:
        made.start()
        made.resync()
        made.set_interfaces({link: n for n, link in enumerate(LINKS, 1)}, None, False)
        yield made
    finally:
        made.close()


def claimed(table: _core.Engine) -> Forwarding:
    """What the table says VPP shall have, in the oracle's words."""
    names = dict(enumerate(LINKS, 1))
    batch = table.take_batch(1 << 30)
    try:
        return {
            (change.table, change.prefix): _meaning(change.desired, names)
            for change in batch.changes(1 << 30)
            if change.desired
        }
    finally:
        batch.release()


_KINDS = {"drop": "blackhole", "icmp-unreach": "unreachable", "icmp-prohibit": "prohibit"}


def _meaning(paths: Sequence[str], names: dict[int, str]) -> object:
    if paths[0] in _KINDS:
        return _KINDS[paths[0]]
    return sorted(_hop(path.split(), names) for path in paths)


def _hop(words: list[str], names: dict[int, str]) -> tuple[str, str, int]:
    gateway = words[1] if words[0] == "via" else ""
    index = int(words[words.index("sw_if_index") + 1])
    weight = int(words[words.index("weight") + 1]) if "weight" in words else 1
    return gateway, names[index], weight


def compare(name: str, table: _core.Engine, after: int) -> Difference | None:
    """Waits until table and kernel agree; the difference if they do not in time."""
    deadline = time.monotonic() + SETTLED
    pause = 0.01
    while True:
        kernel, ours = forwarding(name), claimed(table)
        if kernel == ours:
            return None
        if time.monotonic() > deadline:
            lines = (
                f"table {key[0]} {key[1]}: kernel {kernel.get(key)}, table {ours.get(key)}"
                for key in sorted(kernel.keys() | ours.keys())
                if kernel.get(key) != ours.get(key)
            )
            return Difference(after, tuple(lines))
        time.sleep(pause)
        pause = min(pause * 2, 0.1)


def run(operations: Sequence[str], sysctls: Sequence[str] = ()) -> Difference | None:
    """Runs the operations in a namespace of their own; the first difference, if there is one."""
    with namespace(sysctls) as name, engine(name) as table:
        for done, operation in enumerate(operations, 1):
            # Many operations are refused, as they must be: what counts is what the kernel has.
            subprocess.run(["ip", "-n", name, *operation.split()], check=False, capture_output=True)
            if done % STEP == 0 or done == len(operations):
                difference = compare(name, table, done)
                if difference is not None:
                    return difference
    return None


def shrink(operations: Sequence[str], sysctls: Sequence[str] = ()) -> list[str]:
    """The operations without those that the difference does not need."""
    kept = list(operations)
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


def check_seed(seed: int, count: int, sysctls: Sequence[str] = ()) -> None:
    """Fails with the shortest sequence that shows a difference, if there is one."""
    operations = Generator(seed).draw(count)
    difference = run(operations, sysctls)
    if difference is None:
        return
    shortest = shrink(operations[: difference.after], sysctls)
    last = run(shortest, sysctls) or difference
    lines = "\n  ".join(shortest)
    raise AssertionError(f"seed {seed}, {last}\nshortest sequence:\n  {lines}")
