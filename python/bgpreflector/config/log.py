"""The ``[log]`` section."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .section import Section


class LogConfig(Section):
    """What is logged, and how."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The lowest level that is logged."
    )
    format: Literal["text", "json"] = Field(
        default="text", description="Text lines, or one JSON object a line."
    )
