"""Read kernel and VPP, compare them, and repair what differs."""

from __future__ import annotations

import time
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from typing import cast

from bgpreflector import _core
from bgpreflector.config import Config
from bgpreflector.errors import KernelError, SourceError
from bgpreflector.reflector import kernel_engine
from bgpreflector.routes.batch import NO_LIMIT
from bgpreflector.vpp import FibProgrammer

from .unreached_tables import JudgedLookup, judged

PAGE = 1000
KERNEL_TIMEOUT = 30.0
"""Seconds to wait for a dump of the kernel that no change disturbs."""

LASTING_PAUSE = 1.0
"""Seconds between the two readings of :meth:`Audit.lasting`."""

PrefixKey = tuple[int, str]
"""Kernel table and prefix."""


class Audit:
    """The difference between the kernel and what VPP has under our source.

    Make one with :func:`open_audit`. Nothing is sent to VPP but by :meth:`repair`.
    """

    def __init__(self, config: Config, *, read_only: bool) -> None:
        # No time for stale routes here: what is missing in the kernel is stale at once.
        kernel = config.kernel.model_copy(update={"stale_routes_time": 0.0, "audit_interval": 0.0})
        config = config.model_copy(update={"kernel": kernel})
        self.engine = cast("_core.Engine", kernel_engine(config))
        self.sink = FibProgrammer.of(self.engine, config, read_only=read_only)
        # A single audit has no second batch to add what the first had to delete.
        self.sink.finds_hidden = False

    def read(self) -> None:
        """Read VPP, then the kernel. Raises ``VppError`` and ``KernelError``."""
        self.sink.resync()
        self.engine.start()
        deadline = time.monotonic() + KERNEL_TIMEOUT
        while not self.engine.resync().complete:
            if time.monotonic() > deadline:
                raise KernelError(
                    "the kernel's routes change so fast that they cannot be read for certain: "
                    "try again, or ask a running daemon"
                )

    @property
    def vpp_names(self) -> dict[int, str]:
        """VPP's interfaces by ``sw_if_index``."""
        return self.sink.vpp_state.interfaces.names

    def changes(self) -> Iterator[_core.RouteChange]:
        """The changes that make VPP forward like the kernel, a page at a time."""
        batch = self.engine.take_batch(NO_LIMIT)
        try:
            for start in range(0, len(batch), PAGE):
                for change in batch.changes(PAGE, start):
                    if change.operation != "none":
                        yield change
        finally:
            batch.release()

    def counts(self) -> dict[str, int]:
        """How many changes there are, by operation."""
        batch = self.engine.take_batch(NO_LIMIT)
        try:
            return {"add": batch.adds, "replace": batch.replaces, "delete": batch.deletes}
        finally:
            batch.release()

    def lasting(self) -> Iterator[_core.RouteChange]:
        """The changes that still apply a moment later.

        A running daemon may be about to make the others.
        """
        first = {(change.table, change.prefix) for change in self.changes()}
        if not first:
            return
        time.sleep(LASTING_PAUSE)
        self.read()
        for change in self.changes():
            if (change.table, change.prefix) in first:
                yield change

    def overridden(self) -> set[PrefixKey]:
        """Prefixes that another FIB source overrides."""
        audit = self.sink.audit(repair=False, limit=NO_LIMIT)
        if audit is None:
            return set()
        kernel_tables = self._kernel_tables()
        return {
            (kernel_tables[table], prefix)
            for table, prefix, kind in audit.drifted
            if kind == "overridden"
        }

    def lookup_checks(
        self, sample: int, prefixes: Sequence[str], known: Container[PrefixKey]
    ) -> list[JudgedLookup]:
        """What the kernel itself answers for about ``sample`` of the routes that VPP has and for
        all of the prefixes, in every mirrored table, and whether VPP forwards so.

        A difference counts that is still there a moment later, and is not among the ``known`` ones.
        Raises ``KernelError``, and ``ValueError`` for what is no prefix.
        """
        asked = [(table, prefix) for table in self._kernel_tables().values() for prefix in prefixes]
        if sample:
            asked += self.engine.sample_installed(sample, seed=int(time.time()))
        found = {(one.table, one.prefix): one for one in self.engine.check_lookups(asked)}
        different = (one.check for one in judged(found.values()) if one.verdict == "different")
        doubtful = [(one.table, one.prefix) for one in different]
        if doubtful:
            time.sleep(LASTING_PAUSE)
            self.read()
            found |= {(one.table, one.prefix): one for one in self.engine.check_lookups(doubtful)}
        return [
            one
            for one in judged(found.values())
            if (one.check.table, one.check.prefix) not in known
        ]

    def unresolved(self) -> list[tuple[PrefixKey, str]]:
        """Routes that VPP has and does not forward by, one for each path set, and why."""
        kernel_tables = self._kernel_tables()
        return [
            ((kernel_tables[table], prefix), trouble)
            for table, prefix, trouble in self.sink.fib.unresolved()
        ]

    def _kernel_tables(self) -> dict[int, int]:
        """The kernel table of each mirrored VPP table, discovered ones too."""
        return {vpp: kernel for kernel, vpp, *_ in self.engine.mirrored_tables()}

    def repair(self) -> tuple[int, list[str]]:
        """Send the changes to VPP; return how many it made and a sample of its refusals."""
        result = self.sink.flush()
        return result.applied, [str(failure) for failure in result.failures]

    def close(self) -> None:
        """Close the connections and end the kernel reader."""
        self.engine.close()
        self.sink.close()


@contextmanager
def open_audit(config: Config, *, read_only: bool = True) -> Iterator[Audit]:
    """Return an audit that has read both sides.

    ``read_only``: not even the FIB source and the tables are added to VPP; what
    :meth:`Audit.repair` sends needs them. Raises ``SourceError`` where the kernel is not the
    source of the routes.
    """
    if config.is_fpm:
        raise SourceError(
            'zebra sends its routes to the daemon alone (source.kind is "fpm"), so there is '
            "nothing here to compare VPP with: `bgpreflector audit --repair` has the daemon "
            "compare, and `bgpreflector show routes` lists what it has of zebra"
        )
    made = Audit(config, read_only=read_only)
    try:
        made.read()
        yield made
    finally:
        made.close()
