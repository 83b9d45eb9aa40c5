"""Schedule retries and healing resyncs."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

from bgpreflector.log_fields import fields
from bgpreflector.units import duration_text

from .backoff import Backoff
from .builtin import HealingResync, HealingResyncType
from .errors import OperationsFailedError
from .timers import Timer, Timers

if TYPE_CHECKING:
    from .clock import Clock
    from .sink import CommitResult

_log = logging.getLogger(__name__)

_MAX_HEALING_DELAY = 60.0
"""Seconds; healing resyncs that fail are repeated at growing delays up to this one."""


class Settings(Protocol):
    """The controller's settings; ``bgpreflector.config.ControllerConfig`` is one."""

    @property
    def healing_delay(self) -> float:
        """Seconds from a failed event to the healing resync."""

    @property
    def periodic_resync(self) -> float:
        """Seconds between periodic healing resyncs, 0 for none."""

    @property
    def retry_attempts(self) -> int:
        """How often failed operations are tried again."""

    @property
    def retry_delay(self) -> float:
        """Seconds before the first of these; each later one waits twice as long."""


class Recovery:
    """Schedules retries and healing resyncs. Used by one thread at a time.

    Failed operations are tried again in one series for all of them, so that a route that
    keeps failing costs the same however many others come and go. When the series ends and
    operations still fail, one healing resync follows, unless they come from a resync: of the
    southbound alone, as it alone refused.
    """

    def __init__(self, settings: Settings, clock: Clock, timers: Timers) -> None:
        self._clock = clock
        self._timers = timers
        self._period = settings.periodic_resync
        self._retries = Backoff(settings.retry_delay, attempts=settings.retry_attempts)
        self._healing = Backoff(
            settings.healing_delay, maximum=max(_MAX_HEALING_DELAY, settings.healing_delay)
        )
        self._cause = HealingResyncType.AFTER_ERROR
        self._error: BaseException | None = None
        self._heal_when_exhausted = False
        self._accepted = False

    def schedule_healing(
        self, error: BaseException, cause: HealingResyncType = HealingResyncType.AFTER_ERROR
    ) -> None:
        """One healing resync after the delay, however many errors ask for it.

        Where refusals and other errors ask, it is one that heals both.
        """
        if self._timers.is_set(Timer.HEALING):
            if self._cause is HealingResyncType.AFTER_REFUSALS:
                self._cause, self._error = cause, error
            return
        self._cause, self._error = cause, error
        if self._accepted:
            self._healing.reset()
            self._accepted = False
        delay = self._healing.next_delay() or 0.0
        _log.warning(
            "%s; trying again in %s",
            error,
            duration_text(delay),
            extra=fields("resync failed", error=str(error), retry_seconds=delay),
        )
        self._timers.set(Timer.HEALING, self._clock.monotonic() + delay)

    def schedule_periodic(self) -> None:
        """The next periodic healing resync, where they are wanted and none is waiting."""
        if self._period > 0 and not self._timers.is_set(Timer.PERIODIC_HEALING):
            self._timers.set(Timer.PERIODIC_HEALING, self._clock.monotonic() + self._period)

    def operations_failed(self, result: CommitResult, *, heal: bool) -> None:
        """Schedule a retry of an event's failed operations.

        ``heal``: whether a healing resync follows if all retries fail: not for what a resync found.
        """
        self._heal_when_exhausted |= heal
        if not heal:
            self._accepted = False
        if not self._timers.is_set(Timer.RETRY):
            self._retries.reset()
            self._next_retry(result)

    def retried(self, result: CommitResult) -> None:
        """Continue or end the series after a retry."""
        if result.ok:
            self.forget_retries()
        else:
            self._next_retry(result)

    def forget_retries(self) -> None:
        """End the series: nothing failed is left, or a resync is about to try everything."""
        self._timers.cancel(Timer.RETRY)
        self._heal_when_exhausted = False

    def resynchronised(self) -> None:
        """A full resync has succeeded: what was to be healed is healed."""
        self._timers.cancel(Timer.HEALING)
        self._healing.reset()

    def southbound_accepts(self) -> None:
        """A resync of the southbound has left nothing refused: the next delay is short again,
        unless what it has found is refused yet."""
        self._accepted = not self._timers.is_set(Timer.HEALING)

    def healing_event(self, timer: Timer) -> HealingResync:
        """The event of a healing timer that is due."""
        if timer is Timer.PERIODIC_HEALING:
            return HealingResync(HealingResyncType.PERIODIC)
        error, self._error = self._error, None
        return HealingResync(self._cause, error)

    def _next_retry(self, result: CommitResult) -> None:
        delay = self._retries.next_delay() if result.retriable else None
        if delay is not None:
            _log.warning(
                "%s; trying again in %s",
                result.refused,
                duration_text(delay),
                extra=result.fields("routes refused", retry_seconds=delay),
            )
            self._timers.set(Timer.RETRY, self._clock.monotonic() + delay)
            return
        _log.error(
            "%s; not tried again before the next resync",
            result.refused,
            extra=result.fields("routes refused", retry_seconds=None),
        )
        heal = self._heal_when_exhausted
        self.forget_retries()
        if heal:
            self.schedule_healing(
                OperationsFailedError(str(result)), HealingResyncType.AFTER_REFUSALS
            )
