"""How the processing of one event ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .errors import FatalError

if TYPE_CHECKING:
    from .sink import CommitResult


@dataclass
class Outcome:
    """How the processing of one event ended."""

    error: BaseException | None = None
    """The first error, for the producer that waits for the event."""

    is_handlers_own: bool = False
    """Whether the error is that of a handler, and all else was done."""

    may_heal: bool = True
    """Whether an error may ask for a healing resync."""

    heals: BaseException | None = None
    """The first error that needs a healing resync."""

    result: CommitResult | None = None
    """What the southbound did; ``None`` if nothing was committed."""

    heals_failed_operations: bool = False
    """Whether operations that keep failing are a reason for a healing resync."""

    failed_handlers: list[str] = field(default_factory=list)
    """Names of the handlers that raised an error."""

    changes: dict[str, str] = field(default_factory=dict)
    """Descriptions of the changes by the name of the handler."""

    @property
    def fatal(self) -> FatalError | None:
        """The error, if it must end the event loop."""
        return self.error if isinstance(self.error, FatalError) else None

    def fail(self, error: BaseException, *, heal: bool) -> None:
        """Record an error. The first one stays, unless a later one is fatal, or the first was a
        handler's that asks for nothing: all else may have been done.

        ``heal``: whether it asks for a healing resync.
        """
        if heal and self.may_heal and self.heals is None:
            self.heals = error
        if self.error is None or self.is_handlers_own or isinstance(error, FatalError):
            self.error, self.is_handlers_own = error, False

    def handler_failed(self, name: str, error: Exception) -> None:
        """Record what a handler raised."""
        self.failed_handlers.append(name)
        if isinstance(error, FatalError) or getattr(error, "needs_resync", False):
            self.fail(error, heal=True)
        elif self.error is None:
            self.error, self.is_handlers_own = error, True

    def note_done(self, event_name: str) -> None:
        """Add to a handler's own error that all else was done, for the producer that gets it."""
        if self.error is None or not self.is_handlers_own:
            return
        names = ", ".join(self.failed_handlers)
        note = f"handler {names} failed, and all else of the {event_name.lower()} was done"
        if note not in getattr(self.error, "__notes__", ()):
            self.error.add_note(note)
