"""The ``[controller]`` section: when to retry and when to resync."""

from __future__ import annotations

from pydantic import Field

from .section import Section
from .values import PositiveSeconds, Seconds, StrictInt


class ControllerConfig(Section):
    """Retries of failed operations and healing resyncs."""

    healing_delay: Seconds = Field(
        default=5.0,
        description="Seconds from a failed event, or from the last retry of refused routes, to "
        "the healing resync. Doubles after each that fails, up to 60; what it finds and VPP "
        "refuses again waits for the next change or resync.",
    )
    periodic_resync: Seconds = Field(
        default=0.0,
        description="Seconds between periodic resyncs with VPP, 0 for none.",
    )
    retry_attempts: StrictInt = Field(
        default=3, ge=0, le=100, description="Number of retries for a route that VPP refused."
    )
    retry_delay: PositiveSeconds = Field(
        default=1.0, description="Seconds before the first retry; doubles each time."
    )
