"""Withhold the deletions of a first sync that would delete too much, until an operator approves."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from bgpreflector import _core
from bgpreflector.config import GuardConfig
from bgpreflector.controller import UpdateEvent
from bgpreflector.log_fields import fields
from bgpreflector.units import counted

from .held import CountsHeld, held_reasons

_log = logging.getLogger(__name__)


class WithholdsDeletions(CountsHeld, Protocol):
    """The part of :class:`bgpreflector._core.Engine` that the guard uses."""

    def withhold_deletions(self, gone: Sequence[int]) -> None: ...
    def release_deletions(self) -> None: ...
    def withheld_deletions(self) -> tuple[int, int]: ...


class VppGuardDue(UpdateEvent):
    """Check again whether deletions still wait."""

    def __init__(
        self, *, blocking: bool = False, finished: Callable[[], None] = lambda: None
    ) -> None:
        """``finished()`` is called when the event is done or refused."""
        self._blocking = blocking
        self._finished = finished

    def done(self, error: BaseException | None) -> None:  # noqa: ARG002 - an event's signature
        """Notify the thread that pushes the next one."""
        self._finished()

    @property
    def is_blocking(self) -> bool:
        """Whether a caller waits for its result."""
        return self._blocking

    @property
    def name(self) -> str:
        """The name of all events of this type."""
        return "VPP Guard"


@dataclass(frozen=True)
class WithheldDeletions:
    """Deletions that wait for an operator's approval."""

    deletions: int
    total: int
    """Routes under our source in mirrored VPP tables."""

    reason: str
    """Why they would be deleted."""


def exceeds(settings: GuardConfig, deletions: int, total: int) -> bool:
    """Whether so many deletions need approval."""
    return deletions >= settings.routes and deletions > settings.share * total


class DeletionGuard:
    """Withholds deletions after a start or a reload until the first sync has been checked.

    It counts what the kernel and VPP's interfaces leave to delete of what an earlier run put into
    VPP, once all of the kernel has been read. Additions and replacements go on meanwhile: they take
    no destination away. What the kernel tells later is no mistake of ours and passes at once.
    The event loop calls the methods; :attr:`waiting` and :meth:`approve` are for any thread.
    """

    def __init__(self, engine: WithholdsDeletions, settings: GuardConfig) -> None:
        """Create it unarmed."""
        self._engine = engine
        self._settings = settings
        self._mirrored = ""
        self._armed = False
        self._approved = threading.Event()
        self._had: int | None = None
        self._deleted = 0
        self._waiting: WithheldDeletions | None = None

    def arm(self, mirrored: str) -> None:
        """Check the first sync; ``mirrored`` describes the mirrored kernel routes."""
        self._armed, self._mirrored = True, mirrored

    def continue_from(self, replaced: DeletionGuard) -> None:
        """Go on with the counts of a guard that is still armed: a reload ends no first sync."""
        if replaced.armed:
            self._had, self._deleted = replaced._had, replaced._deleted

    @property
    def armed(self) -> bool:
        """Whether deletions are checked before they are sent."""
        return self._armed

    @property
    def waiting(self) -> WithheldDeletions | None:
        """The deletions that wait for :meth:`approve`, as of the last check."""
        return self._waiting

    def approve(self) -> None:
        """Let the first sync delete any number of routes."""
        self._approved.set()

    def withhold(self, gone: Sequence[int]) -> None:
        """Withhold deletions, except of routes through the VPP interfaces ``gone``."""
        if self._armed:
            self._engine.withhold_deletions(gone)

    def adopted(self, routes: int) -> None:
        """VPP has so many routes of ours; read again, there are those among them that were added
        while others waited, which make none of these fewer."""
        self._had = routes if self._had is None else min(self._had, routes)

    def passes(self) -> bool:
        """Whether deletions may be sent now; if so, they are no longer withheld.

        All that is dirty has to be taken before, so that what would be deleted is known.
        """
        engine_status = self._engine.status()
        if not engine_status.synchronised or self._had is None:
            return False
        deletions, held = self._engine.withheld_deletions()
        if not self._approved.is_set() and exceeds(
            self._settings, deletions + self._deleted, self._had
        ):
            self._wait(
                WithheldDeletions(
                    deletions, self._had, self._reason(engine_status, deletions, held)
                )
            )
            return False
        if self._waiting is not None:
            extra = fields("deletions approved", deletions=deletions)
            routes = counted(deletions, "route")
            _log.warning("%s of ours will be deleted from VPP now", routes, extra=extra)
            self._waiting = None
        self._deleted += deletions
        self._engine.release_deletions()
        return True

    def passed(self, gone: Sequence[int]) -> None:
        """Disarm after the deletions were taken, unless stale routes are still undecided."""
        unconfirmed = any(c["unconfirmed"] for c in self._engine.status().prefixes.values())
        self._armed = unconfirmed
        self.withhold(gone)

    def end(self) -> None:
        """Stop withholding deletions."""
        self._armed, self._waiting = False, None
        self._engine.release_deletions()

    def _wait(self, waiting: WithheldDeletions) -> None:
        first, self._waiting = self._waiting is None, waiting
        if first:
            _log.warning(
                "The first sync would delete %s of the %s of ours that VPP has: %s. They "
                "stay until `bgpreflector resume`; is the configuration right? New and changed "
                "routes go in meanwhile",
                f"{waiting.deletions:,}",
                counted(waiting.total, "route"),
                waiting.reason,
                extra=fields(
                    "deletions withheld",
                    deletions=waiting.deletions,
                    routes=waiting.total,
                    reason=waiting.reason,
                ),
            )

    def _reason(self, engine_status: _core.Status, deletions: int, held: int) -> str:
        reasons = []
        if deletions > held:
            reasons.append(f"for {deletions - held:,} the kernel has no route of {self._mirrored}")
        if held:
            reasons.append(
                f"{held:,} VPP cannot have ({held_reasons(engine_status, self._engine)})"
            )
        return ", ".join(reasons)
