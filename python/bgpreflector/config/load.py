"""Reading configuration files."""

from __future__ import annotations

import os
import socket
import tomllib
from pathlib import Path

import yaml
from pydantic import ValidationError

from .errors import ConfigError, Problem
from .problems import problems_of
from .root import Config
from .translate import Draft, from_contiv, from_toml

CONTIV_SUFFIXES = (".yaml", ".yml", ".conf")
"""Files named so are read as Contiv's YAML, all others as TOML."""


def load(path: str | os.PathLike[str], *, node_name: str | None = None) -> Config:
    """Read a TOML file, or a Contiv ``contiv.conf`` where the suffix says YAML.

    ``node_name`` chooses the entry of Contiv's ``nodeConfig``; the default is the host's
    name. Raises :class:`ConfigError` with everything that is wrong.
    """
    source = os.fspath(path)
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        message = f"the file cannot be read: {error.strerror or error}"
        raise ConfigError(source, [Problem("", message)]) from error
    except UnicodeDecodeError as error:
        raise ConfigError(source, [Problem("", f"the file is not UTF-8: {error}")]) from error
    if Path(path).suffix in CONTIV_SUFFIXES:
        return loads_contiv(text, node_name=node_name, source=source)
    return loads(text, source=source)


def loads(text: str, *, source: str = "configuration") -> Config:
    """Read a configuration in TOML. Raises :class:`ConfigError`, which names ``source``.

    Examples:
        >>> loads('[kernel]\\nreceive_buffer = "32 MiB"').kernel.receive_buffer
        33554432
        >>> loads('[vpp]\\non_exit = "stay"', source="mine.toml")
        Traceback (most recent call last):
        bgpreflector.config.errors.ConfigError: mine.toml: the configuration cannot be used:
          vpp.on_exit = "stay": must be "keep" or "flush"
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(source, [Problem("", f"this is not TOML: {error}")]) from error
    return _validated(from_toml(data), source)


def loads_contiv(text: str, *, node_name: str | None = None, source: str = "contiv.conf") -> Config:
    """Read what concerns us of a Contiv configuration in YAML; see :func:`load`.

    Examples:
        >>> loads_contiv("{mainVRFID: 7, ipamConfig: {useExternalIPAM: true}}").table_map
        {254: 7}
    """
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(source, [Problem("", f"this is not YAML: {error}")]) from error
    if data is None:
        data = {}
    if not isinstance(data, dict):
        message = "this is no Contiv configuration in YAML; a TOML file must be named *.toml"
        raise ConfigError(source, [Problem("", message)])
    return _validated(from_contiv(data, node_name or socket.gethostname()), source)


def _validated(draft: Draft, source: str) -> Config:
    problems = list(draft.problems)
    try:
        config = Config.model_validate(draft.values)
    except ValidationError as error:
        problems += problems_of(error, draft.written)
    if problems:
        raise ConfigError(source, problems)
    return config.ignoring(draft.ignored)
