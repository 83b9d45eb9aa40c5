"""Override values of a file, such as by the command line."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from pydantic import ValidationError

from .errors import ConfigError
from .problems import problems_of
from .root import Config
from .translate import Path


def override(
    config: Config,
    values: Mapping[str, object],
    *,
    source: str,
    written: Mapping[Path, str] = MappingProxyType({}),
) -> Config:
    """``config`` with ``values``, nested as in the file, in place of its own.

    Tables are merged key by key, everything else is replaced. Raises :class:`ConfigError`,
    which names ``source``, if the result is no valid configuration. ``written``: which keys
    ``source`` calls otherwise.
    """
    merged = _merge(config.model_dump(exclude_unset=True), values)
    try:
        result = Config.model_validate(merged)
    except ValidationError as error:
        raise ConfigError(source, problems_of(error, written)) from error
    return result.ignoring(config.ignored)


def _merge(base: Mapping[str, object], more: Mapping[str, object]) -> dict[str, object]:
    merged = dict(base)
    for key, value in more.items():
        old = merged.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            merged[key] = _merge(old, value)
        else:
            merged[key] = value
    return merged
