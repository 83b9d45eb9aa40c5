"""A lock by VPP and FIB source, held by each process that changes our routes in VPP."""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bgpreflector.errors import WriterError

if TYPE_CHECKING:
    from bgpreflector.config import Config

_log = logging.getLogger(__name__)

OWNER_ONLY = 0o600
DIRECTORY = 0o700
MAX_DESCRIPTION = 4096
"""The most bytes to read of the holder's description."""


def lock_path(config: Config) -> Path | None:
    """The lock file; ``None`` if the configuration disables it.

    Its name is made of the API socket's real path and the FIB source: two sources of one VPP do
    not conflict, and a socket has one lock whatever links lead to it.
    """
    directory = config.control.lock_directory
    if directory is None:
        return None
    what = f"{os.path.realpath(config.vpp.api_socket)}\n{config.vpp.fib_source.name}"
    return Path(directory) / f"{hashlib.sha256(what.encode()).hexdigest()[:16]}.lock"


@contextmanager
def writing(config: Config, command: str, read_from: str, todo: str) -> Iterator[None]:
    """Hold the lock of this VPP and FIB source; ``read_from`` names our configuration,
    ``todo`` says what to do if another process has it.

    Raises :class:`WriterError`, which names the holder, where another process has it. The kernel
    releases the lock when a process ends, however it ends. If the file cannot be created, it logs
    a warning and continues without a lock.
    """
    path = lock_path(config)
    lock = None if path is None else _locked(path, config, command, todo)
    try:
        if lock is not None:
            _describe(lock, config, command, read_from)
        yield
    finally:
        if lock is not None and path is not None:
            # While locked: another process that has opened it sees the path lead elsewhere.
            with suppress(OSError):
                path.unlink()
            os.close(lock)


def _locked(path: Path, config: Config, command: str, todo: str) -> int | None:
    while True:
        try:
            path.parent.mkdir(mode=DIRECTORY, parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            lock = os.open(path, flags, OWNER_ONLY)
        except OSError as error:
            if path.parent.is_dir() and isinstance(error, PermissionError):
                raise WriterError(_closed(path, command)) from error
            _log.warning(
                "Nothing keeps another bgpreflector from writing to this VPP: cannot create the "
                "lock %s (%s); set control.lock_directory to another place",
                path,
                error.strerror or error,
            )
            return None
        if not _try(lock):
            found = _described(lock)
            os.close(lock)
            raise WriterError(_taken(found, config, todo))
        if _is_file(lock, path):
            return lock
        os.close(lock)


def _try(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_file(lock: int, path: Path) -> bool:
    """Whether the path still leads to the open file."""
    try:
        return os.path.samestat(os.fstat(lock), path.stat())
    except FileNotFoundError:
        return False


def _describe(lock: int, config: Config, command: str, read_from: str) -> None:
    written = {
        "pid": os.getpid(),
        "command": command,
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
        "configuration": read_from,
        "control": config.control.socket,
    }
    try:
        os.ftruncate(lock, 0)
        os.pwrite(lock, json.dumps(written).encode(), 0)
    except OSError as error:
        # The lock holds all the same.
        _log.warning(
            "Cannot write into the lock %s (%s): it does not say who holds it",
            lock_path(config),
            error.strerror or error,
        )


def _described(lock: int) -> str:
    try:
        found = json.loads(os.pread(lock, MAX_DESCRIPTION, 0))
        return (
            f"`bgpreflector {found['command']}` (pid {found['pid']}, since {found['since']}, "
            f"by {found['configuration']})"
        )
    except (ValueError, KeyError, TypeError):
        # The holder is still writing it.
        return "another bgpreflector"


def _taken(found: str, config: Config, todo: str) -> str:
    what = f"VPP at {config.vpp.api_socket} under the FIB source {config.vpp.fib_source.name}"
    return f"{found} writes to {what}, so this one does not: {todo}"


def _closed(path: Path, command: str) -> str:
    what = f"lock {path}" if os.path.lexists(path) else f"directory of locks {path.parent}"
    return (
        f"the {what} belongs to another user, perhaps to a running daemon, so `{command}` "
        "does not start: run it as that user or as root, or name another control.lock_directory"
    )
