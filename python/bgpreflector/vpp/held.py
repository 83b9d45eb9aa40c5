"""Count the desired prefixes that are held, and warn if they are too many."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Protocol

from bgpreflector.log_fields import fields
from bgpreflector.units import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bgpreflector import _core
    from bgpreflector.config import Fallback

_log = logging.getLogger(__name__)

CHECK_INTERVAL = 10.0
"""Seconds between two checks while routes change."""

WARNING_INTERVAL = 300.0
"""Minimum seconds between two warnings: interfaces may flap."""

MAX_LOGGED_INTERFACES = 5
"""The most interfaces that a reason names."""

FALLBACK_EFFECTS: Mapping[Fallback, str] = {
    "hold": "forwards them by shorter prefixes, if it has any",
    "drop": "drops what goes there",
    "punt": "hands what goes there to the kernel",
}
"""What VPP does with held prefixes, by ``vpp.unmapped``."""


class CountsHeld(Protocol):
    """The part of :class:`bgpreflector._core.Engine` that counts of held routes come from."""

    def held_interfaces(self) -> dict[str, int]: ...
    def status(self) -> _core.Status: ...


def held_prefixes(engine_status: _core.Status) -> tuple[int, int]:
    """Prefixes that VPP cannot have, also where it is given a drop or the like in their place, and
    all that it should have with them.

    Those beyond ``kernel.max_routes`` do not count: that limit is configured.
    """
    counts = engine_status.prefixes.values()
    held = sum(c["held"] for c in counts) - engine_status.held_routes.get("over_limit", 0)
    total = held + sum(c["desired"] - c["substituted"] for c in counts)
    # Those go by next hops that the kernel has, too.
    return held - engine_status.substitutes.get("next_hops", 0), total


def held_reasons(engine_status: _core.Status, engine: CountsHeld) -> str:
    """Why routes are held, and through which interfaces, by falling count."""
    interfaces = sorted(engine.held_interfaces().items(), key=lambda found: -found[1])
    parts = [
        f"no VPP interface mapped to {name}: {count:,}"
        for name, count in interfaces[:MAX_LOGGED_INTERFACES]
    ]
    if len(interfaces) > MAX_LOGGED_INTERFACES:
        parts.append(f"{len(interfaces) - MAX_LOGGED_INTERFACES} more interfaces")
    parts += [
        f"{reason.replace('_', ' ')}: {count:,}"
        for reason, count in sorted(engine_status.held_routes.items())
        if reason != "no_interface"
    ]
    return ", ".join(parts)


class HeldWatch:
    """Warns if more than a share is held; called by the event loop."""

    def __init__(self, engine: CountsHeld, limit: float, fallback: Fallback) -> None:
        self._engine = engine
        self._limit = limit
        self._meanwhile = FALLBACK_EFFECTS[fallback]
        self._held = 0
        self._next_check = 0.0
        self._next_warning = 0.0
        self._warned = False
        self._some = False

    def check(self, held: int, *, certainly: bool) -> None:
        """Check, unless ``held`` is unchanged or the last check was just now."""
        now = time.monotonic()
        if not certainly and (held == self._held or now < self._next_check):
            return
        self._held, self._next_check = held, now + CHECK_INTERVAL
        engine_status = self._engine.status()
        those, total = held_prefixes(engine_status)
        too_many = those > self._limit * total
        if not too_many:
            if self._warned:
                _log.info(
                    "VPP can have most prefixes again: %s of %s are held",
                    f"{those:,}",
                    f"{total:,}",
                    extra=fields("most routes released", held=those, total=total),
                )
            self._warned = False
            self._warn_of_few(engine_status, those, total, now)
        elif not self._warned and now >= self._next_warning:
            self._warned = self._some = True
            self._next_warning = now + WARNING_INTERVAL
            _log.warning(
                "VPP cannot have %s of %s, so this is not ready: %s; it %s "
                "(vpp.unmapped); `bgpreflector show routes --held` lists them",
                f"{those:,}",
                counted(total, "prefix"),
                held_reasons(engine_status, self._engine),
                self._meanwhile,
                extra=self._fields(engine_status, those, total, ready=False),
            )

    def _warn_of_few(self, engine_status: _core.Status, those: int, total: int, now: float) -> None:
        """Few enough to be ready, and more than none: it is said once, until there are none."""
        if not those:
            self._some = False
        elif not self._some and now >= self._next_warning:
            self._some, self._next_warning = True, now + WARNING_INTERVAL
            _log.warning(
                "VPP lacks %s of %s: %s; `bgpreflector show routes --held` lists them",
                f"{those:,}",
                counted(total, "prefix"),
                held_reasons(engine_status, self._engine),
                extra=self._fields(engine_status, those, total, ready=True),
            )

    def _fields(
        self, engine_status: _core.Status, those: int, total: int, *, ready: bool
    ) -> dict[str, object]:
        return fields(
            "routes held",
            held=those,
            total=total,
            ready=ready,
            reasons={reason: count for reason, count in engine_status.held_routes.items() if count},
            interfaces=self._engine.held_interfaces(),
        )
