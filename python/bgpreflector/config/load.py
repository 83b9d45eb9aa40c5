"""Reading configuration files."""

from __future__ import annotations

import os
import select
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from .errors import ConfigError, Problem
from .parse import parse_toml, parse_yaml, text_of
from .problems import problems_of
from .root import Config
from .translate import Draft, from_contiv, from_toml

CONTIV_SUFFIXES = (".yaml", ".yml", ".conf")
"""Suffixes of files in Contiv's YAML; all others are TOML."""

NODE_NAME = "NODE_NAME"
"""Environment variable with the node's name in Kubernetes, which ``nodeConfig`` uses."""

MAX_FILE_SIZE = 16 << 20
"""The most bytes of a file; a device such as /dev/zero has no end."""

PIPE_TIMEOUT = 5.0
"""Seconds that a pipe's writer may take for the next bytes."""

NO_WRITER = "it is a pipe that nobody writes to; a pipe can be read only once"


def load(path: str | os.PathLike[str], *, node_name: str | None = None) -> Config:
    """Read a TOML file, or a Contiv ``contiv.conf`` if the suffix is of YAML.

    ``node_name`` chooses the entry of Contiv's ``nodeConfig``; the default is ``$NODE_NAME``, or
    else the host's name. Raises :class:`ConfigError` with everything that is wrong.
    """
    source = os.fspath(path)
    try:
        content = _read(Path(path))
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        message = f"the file cannot be read: {reason}"
        raise ConfigError(source, [Problem("", message)]) from error
    text = text_of(content, source)
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
    return _validated(from_toml(parse_toml(text, source)), source)


def loads_contiv(text: str, *, node_name: str | None = None, source: str = "contiv.conf") -> Config:
    """Read the relevant keys of a Contiv configuration in YAML; see :func:`load`.

    Examples:
        >>> loads_contiv("{mainVRFID: 7, ipamConfig: {useExternalIPAM: true}}").table_map
        {254: 7}
    """
    data = parse_yaml(text, source)
    name = node_name or os.environ.get(NODE_NAME) or socket.gethostname()
    return _validated(from_contiv(data, name), source)


def _read(path: Path) -> bytes:
    """Raises ``OSError``, and ``ValueError`` where it is no path or no file of a sane size.

    A pipe gives its content once, to who reads it first: an empty one is refused rather than taken
    for a file that says nothing, and one that nobody writes to is not waited for.
    """
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb") as file:
        is_pipe = stat.S_ISFIFO(os.fstat(file.fileno()).st_mode)
        os.set_blocking(file.fileno(), not is_pipe)
        content = b"".join(_written(file.fileno())) if is_pipe else file.read(MAX_FILE_SIZE + 1)
    if len(content) > MAX_FILE_SIZE:
        raise ValueError(f"it has more than {MAX_FILE_SIZE >> 20} MiB")
    if is_pipe and not content:
        raise ValueError(NO_WRITER)
    return content


def _written(pipe: int) -> Iterator[bytes]:
    left = MAX_FILE_SIZE + 1
    while left > 0:
        try:
            found = os.read(pipe, left)
        except BlockingIOError:
            if not select.select([pipe], [], [], PIPE_TIMEOUT)[0]:
                raise ValueError(NO_WRITER) from None
            continue
        if not found:
            return
        yield found
        left -= len(found)


def _validated(draft: Draft, source: str) -> Config:
    problems = list(draft.problems)
    try:
        config = Config.model_validate(draft.values)
    except ValidationError as error:
        problems += problems_of(error, draft.written)
    if problems:
        raise ConfigError(source, problems)
    return config.ignoring(draft.ignored)
