"""Find interfaces that were re-created while no daemon was connected to VPP.

A route through an interface that was deleted drops, and VPP's API shows it unchanged; with an
interface of the same index, which it does not lead to, it looks right. Only VPP's debug CLI tells
such paths apart (``format_fib_path`` in ``fib_path.c``): they have the flag ``drop``, and the index
instead of the interface's name.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from itertools import islice, pairwise

from bgpreflector.errors import VppError, VppLostError

from .session import VppSession

_log = logging.getLogger(__name__)

Example = tuple[int, str, list[int]]
"""VPP table and prefix of a route, and the interfaces of its paths."""

MAX_CHECKED = 1000
"""The most path sets to check, at about a millisecond each."""

_SOURCE = re.compile(r"^  (\S.*) refs:\d", re.MULTILINE)
_DEAD = re.compile(r"oper-flags:drop,.*\n\s+(?:\S+ )?if_index:(\d+)$", re.MULTILINE)


def dead_interfaces(session: VppSession, source: str, examples: Iterable[Example]) -> set[int]:
    """Return the ``sw_if_index`` of interfaces whose paths of our FIB source drop.

    ``examples`` are one route for each set of paths; those without an interface are left out.
    Raises :class:`VppLostError`.
    """
    found: set[int] = set()
    try:
        through = (example for example in examples if example[2])
        for table, prefix, interfaces in islice(through, MAX_CHECKED):
            if not found.issuperset(interfaces):
                command = f"show ip{'6' if ':' in prefix else ''} fib table {table} {prefix}"
                reply = session.call("cli_inband", cmd=command)
                found.update(_dead(str(reply.reply), source, interfaces))
    except VppLostError:
        raise
    except VppError as error:
        _log.debug("Cannot tell whether VPP interfaces were re-created: %s", error)
    return found


def _dead(text: str, source: str, interfaces: Iterable[int]) -> Iterator[int]:
    starts = [*_SOURCE.finditer(text), None]
    for start, end in pairwise(starts):
        if start is not None and start[1] == source:
            ours = text[start.end() : len(text) if end is None else end.start()]
            for dead in _DEAD.finditer(ours):
                index = int(dead[1])
                # Paths without a next hop are shown with the index 0.
                yield from [index] if index else interfaces
