"""The ``[controller]`` section: when to try again and when to heal."""

from __future__ import annotations

from pydantic import Field

from .section import Section
from .values import PositiveSeconds, Seconds, StrictInt


class ControllerConfig(Section):
    """When failed work is tried again and when everything is compared again."""

    healing_delay: Seconds = Field(
        default=5.0,
        description="Seconds from a failed event, or from the last try of refused routes, to the "
        "healing resync; twice as long after each that does not help, up to 60.",
    )
    periodic_resync: Seconds = Field(
        default=0.0,
        description="Seconds between resyncs of what VPP holds, 0 for none.",
    )
    retry_attempts: StrictInt = Field(
        default=3, ge=0, le=100, description="How often a route that VPP refused is tried again."
    )
    retry_delay: PositiveSeconds = Field(
        default=1.0, description="Seconds before the first of these; then twice as long each time."
    )
