"""The ``[handlers]`` section: event handlers of others that the daemon calls."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints, ValidationInfo, field_validator

from .section import Section, without_repetition

HandlerName = Annotated[str, StringConstraints(strict=True, strip_whitespace=True, min_length=1)]


class HandlersConfig(Section):
    """Event handlers that packages beside bgpreflector bring: code that runs within the daemon."""

    load: tuple[HandlerName, ...] = Field(
        default=(),
        description="Handlers to load, in the order in which they are called: the name of an entry "
        'point of the group `bgpreflector.handlers`, or `"module:class"`. Nothing else is loaded, '
        "whatever is installed.",
    )
    options: dict[str, dict[str, Any]] = Field(
        default_factory=dict,
        description="What each is made with: its keyword arguments are the table "
        '`[handlers.options.NAME]`, or `[handlers.options."module:class"]`.',
    )

    _unique = field_validator("load")(without_repetition)

    @field_validator("options")
    @classmethod
    def _of_loaded(
        cls, options: dict[str, dict[str, Any]], info: ValidationInfo
    ) -> dict[str, dict[str, Any]]:
        loaded = info.data.get("load")
        unknown = sorted(options.keys() - set(options if loaded is None else loaded))
        if unknown:
            raise ValueError(f"must be of handlers in handlers.load, not of {', '.join(unknown)}")
        return options
