"""Fields of a log record for programs, beside its sentence for people."""

from __future__ import annotations

KEY = "bgpreflector_fields"
"""The attribute of a log record that has them."""

EVENT = "event"


def fields(event: str, **values: object) -> dict[str, object]:
    """The ``extra`` of a log call: a name for what happened, which does not change from one record
    to the next, and its values, with their units in the names.

    With ``log.format = "json"`` they take the place of the sentence.

    Examples:
        >>> fields("routes refused", refused=3)
        {'bgpreflector_fields': {'event': 'routes refused', 'refused': 3}}
    """
    return {KEY: {EVENT: event, **values}}
