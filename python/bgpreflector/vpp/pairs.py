"""Select the linux-cp pairs whose Linux end is in the network namespace that is read."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

NAMED_NAMESPACES = Path("/var/run/netns")
"""Where ``ip netns`` and linux-cp keep named namespaces."""

Identity = tuple[int, int]
"""Device and inode of a namespace's file: equal for the same namespace under any name."""


@dataclass(frozen=True)
class Pair:
    """A linux-cp pair."""

    sw_if_index: int
    linux: str
    """Name of its Linux end."""

    namespace: str
    """Namespace of the Linux end as configured in linux-cp: a name, a path, or ``pid:`` and a
    number; empty for VPP's own."""


@dataclass(frozen=True)
class Pairs:
    """The pairs of one namespace."""

    by_linux: dict[str, int] = field(default_factory=dict)
    """``sw_if_index`` of VPP's end by the name of the Linux end."""

    other_namespaces: tuple[str, ...] = ()
    """Linux ends in other namespaces."""

    ambiguous: tuple[str, ...] = ()
    """Names shared by pairs in namespaces that cannot be read: none of them is used."""


def pairs_of(pairs: Iterable[Pair], namespace: Path | None, vpp: int | None) -> Pairs:
    """Select those whose Linux end is in ``namespace``, by default that of this process.

    ``vpp`` is VPP's process, ``None`` where it is not known. A pair in a namespace that cannot be
    read is used, unless another one of its name is known to be here.
    """
    here = identity(namespace or Path("/proc/self/ns/net"))
    known: dict[str, int] = {}
    unknown: dict[str, set[int]] = {}
    other_namespaces: list[str] = []
    for pair in pairs:
        there = None if here is None else _namespace_of(pair, vpp)
        if there is None:
            unknown.setdefault(pair.linux, set()).add(pair.sw_if_index)
        elif there == here:
            known[pair.linux] = pair.sw_if_index
        else:
            other_namespaces.append(f"{pair.linux} ({pair.namespace or 'the namespace of VPP'})")
    left = {name: found for name, found in unknown.items() if name not in known}
    for name, (first, *others) in left.items():
        if not others:
            known[name] = first
    ambiguous = tuple(name for name, found in left.items() if len(found) > 1)
    return Pairs(known, tuple(other_namespaces), ambiguous)


def _namespace_of(pair: Pair, vpp: int | None) -> Identity | None:
    """Resolve it as VPP's ``clib_netns_open`` does."""
    name = pair.namespace
    if not name:
        return None if vpp is None else identity(Path(f"/proc/{vpp}/ns/net"))
    if name.startswith("pid:"):
        return identity(Path("/proc") / name.removeprefix("pid:") / "ns/net")
    path = Path(name) if name.startswith("/") else NAMED_NAMESPACES / name
    # VPP may see other files than this process.
    seen_by_vpp = None if vpp is None else Path(f"/proc/{vpp}/root") / path.relative_to("/")
    found = None if seen_by_vpp is None else identity(seen_by_vpp)
    return found or identity(path)


def identity(path: Path) -> Identity | None:
    """Identity of a namespace's file; ``None`` if it is not accessible."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def process_behind(path: str, timeout: float) -> int | None:
    """The process that listens at a socket; ``None`` if it is not visible from here."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(timeout)
        try:
            connection.connect(path)
            packed = connection.getsockopt(
                socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")
            )
        except OSError:
            return None
    pid = int(struct.unpack("3i", packed)[0])
    # 0 for one of another process namespace.
    return pid if pid > 0 and Path(f"/proc/{pid}").exists() else None
