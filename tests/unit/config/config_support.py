"""The problems of a wrong configuration."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bgpreflector.config import Config, ConfigError, loads


def problems(text: str, read: Callable[[str], Config] = loads) -> list[str]:
    """Those that ``read`` finds, each with its key."""
    with pytest.raises(ConfigError) as caught:
        read(text)
    return [str(problem) for problem in caught.value.problems]
