"""The engine as the watcher sees it: it reads the kernel and holds the table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from bgpreflector.controller import RouteBatch


class Engine(Protocol):
    """A route table that follows the kernel on a thread of its own.

    Prefixes whose route differs from what the southbound has are *dirty* until they are
    taken; a prefix that changes many times before that is dirty once.
    """

    def start(self) -> None:
        """Subscribe to the kernel's notifications. Raises ``KernelError`` where it cannot."""

    def resync(self) -> object:
        """Dump the routes; return when they are in the table and the rest is swept."""

    def wait_dirty(self, timeout: float | None) -> bool:
        """Block until a prefix is dirty.

        ``False`` when the engine was closed or has failed, or ``timeout`` seconds are over.
        Other Python threads run meanwhile.
        """

    def take_batch(self, limit: int) -> RouteBatch:
        """Take at most ``limit`` dirty prefixes with their changes; may be empty."""

    def failure(self) -> str | None:
        """Why the engine stopped by itself; ``None`` while it works or was closed."""

    def close(self) -> None:
        """Unsubscribe, end the thread and wake every waiter. Idempotent."""
