"""The event handlers that a configuration names."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import cast

from bgpreflector.config import Config, ConfigError, Problem
from bgpreflector.controller import EventHandler

GROUP = "bgpreflector.handlers"
"""The group of entry points."""

METHODS = ("name", "handles_event", "resync", "update", "revert")


def load_handlers(config: Config) -> list[EventHandler]:
    """Make the handlers of ``handlers.load``, in its order.

    Raises :class:`~bgpreflector.config.ConfigError` with what is wrong with each.
    """
    made: list[EventHandler] = []
    problems: list[Problem] = []
    for name in config.handlers.load:
        try:
            made.append(_handler(name, config.handlers.options.get(name, {})))
        except _UnusableError as error:
            problems.append(Problem(error.key, str(error)))
    if problems:
        raise ConfigError("handlers", problems)
    return made


class _UnusableError(Exception):
    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


def _handler(name: str, options: dict[str, object]) -> EventHandler:
    try:
        factory = _entry_point(name).load()
    except _UnusableError:
        raise
    except Exception as error:  # another package's code
        raise _UnusableError(
            "handlers.load", f"{name} cannot be imported: {type(error).__name__}: {error}"
        ) from error
    try:
        handler = factory(**options)
    except Exception as error:  # another package's code
        raise _UnusableError(
            f"handlers.options.{name}", f"cannot be made: {type(error).__name__}: {error}"
        ) from error
    missing = [method for method in METHODS if not hasattr(handler, method)]
    if missing:
        raise _UnusableError(
            "handlers.load",
            f"{name} is no event handler, as it has no {', '.join(missing)}: derive it from "
            "bgpreflector.Handler",
        )
    return cast("EventHandler", handler)


def _entry_point(name: str) -> EntryPoint:
    if ":" in name:
        return EntryPoint(name, name, GROUP)
    installed = entry_points(group=GROUP)
    if name in installed.names:
        return installed[name]
    names = ", ".join(sorted(installed.names)) or "none"
    raise _UnusableError(
        "handlers.load",
        f"there is no handler {name}: installed are {names} (entry points of {GROUP}); or "
        'name it as "module:class"',
    )
